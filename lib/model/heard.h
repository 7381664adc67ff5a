/* heard: whether anything is heard of the staff of a room, while its customer is.
 *
 * An agent is heard of while his desk polls or he asks for something in the room. A customer is left when he asks for something
 * and nothing was heard of any of the staff for twice gone_s, and it stayed so for three quarters of gone_s in which he asked in
 * vain: where the servers stood still, all come back within that time (a page tries every 30 s, or every 40 where nothing
 * answers; whoever comes later comes back all the same). Who polls at his desk the main database knows; the times are in live.db:
 * what is not known there has been heard of never in this boot. */
#ifndef RTCC_HEARD_H
#define RTCC_HEARD_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"
#include "sql.h"

/* An agent has asked for something in a room; is written once in an eighth of gone_s at most. */
must_check enum err heard_note(struct center *c, const struct member *agent);

/* A customer has asked for something in a room: whether he is left there. Staff who have no agent's account (with a key) are
 * never missed. */
must_check enum err heard_is_left(struct center *c, int64_t conf, bool *out);

/* The room is closed; where that cannot be written, nobody reads what stays. */
must_check enum err heard_forget(struct center *c, int64_t conf);

#endif
