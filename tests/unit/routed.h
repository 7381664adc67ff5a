/* routed.h: what the tests of routing ask and do: who holds an offer of whom, accepting, the tick, the trace. */
#ifndef RTCC_ROUTED_H
#define RTCC_ROUTED_H

#include "place.h"

#include "model/event.h"
#include "model/routing.h"
#include "model/trace.h"

/* The conference's customer that this agent holds an offer of; NULL: none. */
static inline const char *
routed_offered(struct installation *p, const struct agent *agent)
{
    struct reservation_of_agent held;
    struct invitation i;
    enum err err = routing_offer_of(&p->c, agent->id, &held);
    if (err == ERR_NOT_FOUND)
        return NULL;
    WELL(p, err);
    WELL(p, invitation_find(&p->c, held.invitation, &i));
    return i.name;
}

static inline int64_t
routed_offer_id(struct installation *p, const struct agent *agent)
{
    struct reservation_of_agent held;
    WELL(p, routing_offer_of(&p->c, agent->id, &held));
    return held.id;
}

static inline enum err
routed_accept(struct installation *p, const struct agent *agent, int64_t reservation)
{
    struct invitation i;
    enum err err = db_begin(p->c.db);
    return err == OK ? db_end(p->c.db, routing_accept(&p->c, agent, reservation, &i)) : err;
}

static inline void
routed_tick(struct installation *p)
{
    WELL(p, routing_tick(&p->c));
}

static inline void
routed_poll_arrives(struct installation *p, struct agent *agent)
{
    WELL(p, agent_find(&p->c, agent->id, agent));
    WELL(p, talk_agent_seen(&p->c, agent));
}

static inline const char *
routed_state_of(struct installation *p, struct agent *agent)
{
    WELL(p, agent_find(&p->c, agent->id, agent));
    return agent->state;
}

static inline void
routed_set(struct installation *p, const struct agent *agent, const char *what)
{
    place_sql(p, arena_printf(p->c.mem, "UPDATE agent SET %s WHERE id = %lld", what, (long long)agent->id));
}

/* "verdict login: reason" for each line of the trace. */
static inline const char *
routed_trace(struct installation *p, int64_t conf)
{
    struct value *list = value_list(p->c.mem);
    struct buf out = buf_new(p->c.mem, 100000);
    WELL(p, trace_read(&p->c, conf, list));
    for (const struct value *v = list->first; v; v = v->next)
        buf_printf(&out, "%s %s: %s\n", value_get_text(v, "verdict"), value_get_text(v, "candidate"),
            value_get_text(v, "reason"));
    return buf_str(&out);
}

#endif
