/* invitation: the queue: a conference that waits for an agent.
 *
 * States: queued, offered (to one agent), accepted; ends: done (the talk is over), abandoned (the customer left first),
 * cancelled. The order is priority (1 first), then since when the customer waits, which never changes: a declined offer gives
 * him his place back. */
#ifndef RTCC_INVITATION_H
#define RTCC_INVITATION_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"
#include "sql.h"

enum { REFUSED_MS = 20000 }; /* whoever let it go, or accepted it, is spared it so long */

struct invitation_wish {
    const char *account;
    const char *reqid; /* NULL: none */
    int64_t conf;
    const char *url;
    const char *subject; /* this and the following texts: "" when not given */
    const char *topic;
    const char *skill; /* "": the topic's */
    int64_t priority;  /* 0: the topic's, else 5 */
    const char *name;
    const char *phone;
    const char *email;
    const char *language;
    const char *page;
    int64_t waited_ms; /* how long the customer has waited already: counts for his place, up to WAITED_MOST_MS */
};

#define WAITED_MOST_MS INT64_C(2678400000) /* 31 days */

/* Where somebody stands. position 0: he does not wait. wait_s -1: unknown. */
struct standing {
    int64_t position;
    int64_t wait_s;
};

/* What the same reqid of the same account put earlier. ERR_NOT_FOUND: nothing, or no reqid. ERR_CONFLICT: with other values; the
 * host of the url may be another. */
must_check enum err invitation_before(struct center *c, const struct invitation_wish *wish, struct invitation *out);

/* Queues an invitation with its `queue` event. The same reqid of the same account: the same one, or ERR_CONFLICT. Does not
 * route. */
must_check enum err invitation_put(struct center *c, const struct invitation_wish *wish, struct invitation *out);

/* ERR_NOT_FOUND. */
must_check enum err invitation_find(struct center *c, int64_t id, struct invitation *out);

/* The newest invitation of a conference. ERR_NOT_FOUND: it has none. */
must_check enum err invitation_of_conference(struct center *c, int64_t conf, struct invitation *out);

/* Where an invitation stands now; computed, never stored. */
must_check enum err invitation_standing(struct center *c, const struct invitation *invitation, struct standing *out);

/* Where whoever came now would stand: position is one behind all that wait. */
must_check enum err invitation_standing_of_next(struct center *c, struct standing *out);

/* How many invitations came from the same number before; 100 stands for more, too. */
must_check enum err invitation_contacts(struct center *c, const struct invitation *invitation, int64_t *out);

/* Where a conference stands, for those who ask again and again: the whole order is read once and kept until it changes, so that
 * ten thousand who wait can ask without counting ten thousand each. position 0: it does not wait.
 * Not inside a transaction: what is undone would stay in mind. */
must_check enum err invitation_standing_of(struct center *c, int64_t conf, struct standing *out);

/* The places of all that wait, by conference's number; good until the next call of one of these two. */
struct waiting_place {
    int64_t conf;
    int32_t place; /* 1 is next */
};
must_check enum err invitation_places(struct center *c, const struct waiting_place **out, size_t *count);

/* All that wait, in order, 10,000 at most. */
must_check enum err invitation_waiting(struct center *c, struct invitation_waiting **out, size_t *count);

/* What a topic of the form needs, and all topics. */
must_check enum err topic_set(struct center *c, const char *name, const char *skill, int64_t priority);
must_check enum err topic_list(struct center *c, struct topic_list **out, size_t *count);

/* Says in the conference's log what became of it; audience staff for what a customer need not hear. */
must_check enum err invitation_note(struct center *c, int64_t conf, const char *state, bool is_for_all);

#endif
