/* talk: a customer's case as a whole, from the room that opens to its end: what moves conference, members, queue and routing at
 * once.
 *
 * Every call here is one transaction; that somebody was seen is none, unless it changes where he is. */
#ifndef RTCC_TALK_H
#define RTCC_TALK_H

#include <stdint.h>

#include "io/center.h"
#include "model/agent.h"
#include "model/invitation.h"
#include "model/member.h"

/* The customer's room is queued, and offered at once if somebody is free. ERR_CONFLICT: the conference has ended; what was put
 * before is answered all the same. */
must_check enum err talk_queue(struct center *c, const struct invitation_wish *wish, struct invitation *out);

/* Somebody joins a room; `text` (NULL: none) is the first thing that he says. ERR_CONFLICT: the conference has ended; whoever
 * joined before under this reqid is answered all the same. */
must_check enum err talk_join(struct center *c, const struct member_new *who, const char *text, struct member *out);

/* Who left comes in again as the member that he was. ERR_CONFLICT: the conference has ended. */
must_check enum err talk_return(struct center *c, struct member *member);

/* The agent accepts and is in the room. Repeated by him: the same. ERR_ALREADY_TAKEN, ERR_CONFLICT: see routing_accept(). */
must_check enum err talk_accept(struct center *c, const struct agent *agent, int64_t reservation, struct invitation *out,
    struct member *member);

/* The agent lets the offer go; it goes to the next. */
must_check enum err talk_decline(struct center *c, const struct agent *agent, int64_t reservation);

/* The agent is ready for work, or not (an offer that he holds goes back). */
must_check enum err talk_ready(struct center *c, const struct agent *agent);
must_check enum err talk_notready(struct center *c, const struct agent *agent, const char *reason);

/* He works here no more: his sessions end and his tokens open nothing, an offer that he holds goes back, he leaves all rooms, and
 * customers who are left alone there wait again. Or he does again, not ready. ERR_NOT_FOUND. */
must_check enum err talk_disable(struct center *c, const char *login);
must_check enum err talk_enable(struct center *c, const char *login);

/* The agent is in the rooms again where he was lost (but see talk_member_seen()); cheap when there is none. */
must_check enum err talk_find_lost(struct center *c, int64_t agent);

/* A poll of the agent has arrived: he is here, is back in the rooms where he was lost, and is offered what waits. */
must_check enum err talk_agent_seen(struct center *c, const struct agent *agent);

/* A request of a member of a room has arrived. An agent is heard of, and where he was lost he is there again (*member then says
 * so), unless somebody else has come to the customer meanwhile. A customer whose staff are not heard of any more (heard.h) has
 * lost them: they leave, and he waits again in his old place. */
must_check enum err talk_member_seen(struct center *c, struct member *member);

/* A member leaves. The customer's leaving (not that of others who came with the participant's code) ends the wait or the
 * talk; when the last of the staff leaves a customer, he waits again, in his old place. */
must_check enum err talk_leave(struct center *c, const struct member *member);

/* The end, for all; `member` (0: the system) ended it. Once is enough: nothing happens twice. */
must_check enum err talk_end(struct center *c, int64_t conf, int64_t member);

/* Nobody needs to come: the invitation is cancelled, the conference stays. */
must_check enum err talk_cancel(struct center *c, int64_t invitation);

#endif
