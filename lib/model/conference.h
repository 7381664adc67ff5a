/* conference: the rooms and their codes. What happens in them is model/talk.h's.
 *
 * A conference's number is 15 random digits; on the wire the server's name follows ("148474396310564server"). The participant's
 * code is even, the leader's is one more; both open one live conference, and are free again when it ended. */
#ifndef RTCC_CONFERENCE_H
#define RTCC_CONFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"
#include "sql.h"

enum { SUBJECT_CHARS = 255, REQID_CHARS = 64, CODE_DIGITS = 7, CONFERENCE_CODES_MOST = 10000 };

/* What a client may ask for. Texts are never NULL. */
struct conference_wish {
    const char *account; /* who asks: "key:ID", "agent:LOGIN", "local" */
    const char *reqid;   /* NULL: none */
    const char *type;    /* "reservationless", "scheduled" */
    const char *subject;
    const char *owner;
    const char *timezone; /* IANA name, "" : UTC */
    int64_t start_at;     /* 0: now */
    int64_t end_at;       /* 0: open */
    int64_t duration_s;
    const char *recurrence;
    const char *options; /* everything else, urlencoded */
};

/* A new conference. The same reqid of the same account with the same wish answers the same one; with another wish
 * ERR_CONFLICT. */
must_check enum err conference_schedule(struct center *c, const struct conference_wish *wish, struct conference *out);

/* Gives a live conference other values, all of the wish's but its account. ERR_CONFLICT: its reqid has made a conference. */
must_check enum err conference_change(struct center *c, int64_t id, const struct conference_wish *wish, struct conference *out);

/* The conference of a number, live or not. ERR_NOT_FOUND. */
must_check enum err conference_get(struct center *c, int64_t id, struct conference *out);

/* Its state alone, and when it ended (0: live). ERR_NOT_FOUND. */
must_check enum err conference_state(struct center *c, int64_t id, struct conference_state *out);

/* The conference of a wire id. ERR_NOT_FOUND. */
must_check enum err conference_find(struct center *c, const char *name, struct conference *out);

/* The live conference that a code opens, whichever of its two; *is_leader tells which. ERR_NOT_FOUND. */
must_check enum err conference_by_code(struct center *c, const char *code, struct conference *out, bool *is_leader);

/* The same of the conferences that the account scheduled. ERR_NOT_FOUND, found as fast, whether another's live conference has the
 * code or none: nobody learns others' codes here. */
must_check enum err conference_own_by_code(struct center *c, const char *account, const char *code, struct conference *out);

/* An account's live conferences. */
must_check enum err conference_list(struct center *c, const char *account, struct conference **out, size_t *count);

/* ERR_NOT_FOUND if there are so many live conferences that a code alone must not open one. */
must_check enum err conference_code_counts(struct center *c);

/* The wire id of a number, and the number of a wire id (0: it is none of this server's). */
const char *conference_name(struct center *c, int64_t conf);
int64_t conference_number(struct center *c, const char *name);

/* "0196198", the leader's with is_leader. */
const char *conference_code(struct center *c, const struct conference *conf, bool is_leader);

#endif
