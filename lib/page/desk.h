/* desk: what an agent sees: himself, the offers that he holds, the conferences that he is in. */
#ifndef RTCC_DESK_H
#define RTCC_DESK_H

#include "io/service.h"
#include "model/agent.h"

/* {"login","name","role","state","next","reason","capacity","busy","phone"} */
void desk_agent(const struct agent *agent, struct value *out);

/* Adds the offer that he holds, with the customer, what he said so far, and the seconds left. */
must_check enum err desk_offers(struct request *r, int64_t agent, struct value *list);

/* Adds the conferences that he is in, each with the token of his member. */
must_check enum err desk_conferences(struct request *r, int64_t agent, struct value *list);

#endif
