/* member: who is in a conference.
 *
 * An agent is one member of a conference however often he opens it; others are as many members as requests without a reqid. */
#ifndef RTCC_MEMBER_H
#define RTCC_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"
#include "sql.h"

/* With GUESTS_MAX members, those who left counted, a conference takes no more but agents and leaders. */
enum { NAME_CHARS = 100, GUESTS_MAX = 500 };

struct member_new {
    int64_t conf;
    const char *role; /* customer, agent, supervisor, bot, phone */
    bool is_leader;
    const char *name;
    int64_t agent;       /* 0: none */
    const char *account; /* who asks: reqids of others are not his; NULL: nobody in particular */
    const char *reqid;   /* NULL: none */
};

/* Joins, with a `joined` event; the same reqid of the same account, or the same agent, gets the member that he is already
 * (and is back, if he had left). ERR_CONFLICT: it takes no more guests. */
must_check enum err member_join(struct center *c, const struct member_new *who, struct member *out);

/* Is there again, with a `joined` event, if he had left; member->lost still tells whether he was lost. */
must_check enum err member_return(struct center *c, struct member *member);

/* Who joined earlier under the same reqid of the same account. ERR_NOT_FOUND: nobody, or no reqid. */
must_check enum err member_before(struct center *c, const struct member_new *who, struct member *out);

/* ERR_NOT_FOUND: no such member. */
must_check enum err member_find(struct center *c, int64_t id, struct member *out);

/* An agent's member of a conference. ERR_NOT_FOUND: he never joined it. */
must_check enum err member_of_agent(struct center *c, int64_t conf, int64_t agent, struct member *out);

/* Everybody, those who left too. */
must_check enum err member_list(struct center *c, int64_t conf, struct member **out, size_t *count);

/* The conferences that an agent is in now, oldest first, each with his member there. */
must_check enum err member_conferences(struct center *c, int64_t agent, struct member_conferences **out, size_t *count);

/* The agents who are in a conference now. */
must_check enum err member_agents(struct center *c, int64_t conf, struct member_agents **out, size_t *count);

/* Leaves, with a `left` event; nothing when he is not there. What happens to the others from then on he does not see
 * (left_event). */
must_check enum err member_leave(struct center *c, const struct member *member);

/* Nothing is heard of him any more: leaves, as above, but may come back by himself. `lost`: an id that was given just now, the
 * same for all who are lost at once. */
must_check enum err member_lose(struct center *c, const struct member *member, int64_t lost);

/* One of those whom member_is_staff() means has come: who was lost before does not come back by himself any more, but for those
 * who were lost together with him (came->lost, as it was; 0 from now on). */
must_check enum err member_forget_lost_before(struct center *c, struct member *came);

/* Where an agent was lost and has not come back to. */
must_check enum err member_lost(struct center *c, int64_t agent, struct member_lost **out, size_t *count);

/* Whoever was lost does not come back by himself any more. */
must_check enum err member_forget_lost(struct center *c, int64_t id);

/* Whether the case is his: he came first of the customers; others were asked in with the code. */
must_check enum err member_is_first_customer(struct center *c, const struct member *member, bool *out);

/* Those whom member_is_staff() means and who are in a conference now. */
must_check enum err member_staff(struct center *c, int64_t conf, struct member_staff **out, size_t *count);

/* Whether any of those whom member_is_staff() means is in a conference now. */
must_check enum err member_is_staffed(struct center *c, int64_t conf, bool *out);

/* Agents, supervisors and leaders see notes. */
bool member_is_staff(const struct member *member);

#endif
