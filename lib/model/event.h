/* event: everything said or happening in a conference, in one append-only log.
 *
 * A client remembers one number, the last id it was told, and nothing is lost or doubled over any cut: ids rise in the order
 * of commits. Each event has an audience; what a member may not see is never in his answer. */
#ifndef RTCC_EVENT_H
#define RTCC_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/value.h"
#include "io/center.h"
#include "sql.h"

enum { EVENTS_MOST = 500, EVENTS_MOST_BYTES = 256 * 1024, EVENTS_PART_BYTES = 512 * 1024 };
enum { EVENT_TEXT_CHARS = 8000, NONCE_CHARS = 64, EVENT_LOOK_BACK = 1000 };

enum audience { TO_ALL, TO_STAFF, TO_MEMBER, TO_AGENT };

struct event_new {
    int64_t conf;   /* 0: concerns an agent only */
    int64_t member; /* 0: the system */
    const char *kind;
    enum audience audience;
    int64_t to_id;            /* of TO_MEMBER, TO_AGENT */
    const char *text;         /* NULL: none */
    const struct value *data; /* an object with the kind's further fields, or NULL */
    const char *nonce;        /* NULL: none */
};

/* What this member added earlier under this nonce. ERR_NOT_FOUND: nothing. */
must_check enum err event_before(struct center *c, int64_t member, const char *nonce, int64_t *id);

/* Adds an event and rings the bell after the commit. With a nonce that this member used before nothing is added and *id is the
 * first one's, whatever it said. */
must_check enum err event_add(struct center *c, const struct event_new *event, int64_t *id);

/* The same for events whose id nobody needs. */
must_check enum err event_note(struct center *c, int64_t conf, int64_t member, const char *kind, const char *state);

/* The id of the newest event for all of a kind that a member (below 0: whoever) caused. ERR_NOT_FOUND: there is none among the
 * last EVENT_LOOK_BACK that are for all: nobody can make this look long. */
must_check enum err event_last_of(struct center *c, int64_t conf, int64_t member, const char *kind, int64_t *id);

/* Who reads. */
struct reader {
    int64_t member; /* 0: none */
    bool is_staff;
    int64_t until; /* the last event that he may see: he left then, and others went on; 0: all */
};

/* Appends to `list` what `reader` may see of conf after *after in the wire's form: EVENTS_MOST at most, and no more behind the
 * one with which they have EVENTS_MOST_BYTES, so that no answer becomes too large, whatever was written. *after becomes the last
 * id examined, *is_more tells that there is more. A cursor from beyond the log's end counts as its end. It costs what is given:
 * what is for others, however much, is not gone through. */
must_check enum err event_read(struct center *c, int64_t conf, const struct reader *reader, int64_t *after, struct value *list,
    bool *is_more);

/* As many of such pages as a person reads in one piece: until they have EVENTS_PART_BYTES. */
must_check enum err event_read_part(struct center *c, int64_t conf, const struct reader *reader, int64_t *after,
    struct value *list, bool *is_more);

/* The newest ones only: `most` at most, and fewer where they would be more than such a part. *after becomes the last id. */
must_check enum err event_read_last(struct center *c, int64_t conf, const struct reader *reader, int64_t most, int64_t *after,
    struct value **list);

/* As event_read() for all conferences that an agent is in, each event with its conference's id; with a cursor above 0 also for
 * those that he left in the last minute, so that he learns how they ended. */
must_check enum err event_read_agent(struct center *c, int64_t agent, int64_t *after, struct value *list, bool *is_more);

/* Whether something happened after a cursor to the agent himself (an offer, his state) or in a room that is offered to him. */
must_check enum err event_is_for_agent(struct center *c, int64_t agent, int64_t after, bool *out);

/* Members of conf other than `member` who were writing after since_ms (boot clock), as `typing` events; their id is `after`, they
 * have none of their own. */
must_check enum err event_read_typing(struct center *c, int64_t conf, int64_t member, int64_t since_ms, int64_t after,
    struct value *list);

/* What came after a cursor, at most `most`: whom it concerns. */
must_check enum err event_news(struct center *c, int64_t after, int64_t most, struct event_news **out, size_t *count);

/* The same for typing, which has a cursor of its own, and where that stands now. */
must_check enum err event_typing_news(struct center *c, int64_t after, struct typing_news **out, size_t *count);
must_check enum err event_typing_last(struct center *c, int64_t *out);

/* Says that a member is writing; only open polls hear of it. */
must_check enum err event_typing(struct center *c, int64_t conf, int64_t member);

#endif
