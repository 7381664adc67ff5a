/* talked.h: what the tests of a customer's case ask: offers, rooms, the log. */
#ifndef RTCC_TALKED_H
#define RTCC_TALKED_H

#include "place.h"

#include "model/event.h"
#include "model/routing.h"

static inline struct reservation_of_agent
offer_of(struct installation *p, const struct agent *agent)
{
    struct reservation_of_agent held;
    WELL(p, routing_offer_of(&p->c, agent->id, &held));
    return held;
}

static inline bool
has_offer(struct installation *p, const struct agent *agent)
{
    struct reservation_of_agent held;
    return routing_offer_of(&p->c, agent->id, &held) == OK;
}

static inline struct member
taken(struct installation *p, const struct agent *agent)
{
    struct invitation i;
    struct member member;
    WELL(p, talk_accept(&p->c, agent, offer_of(p, agent).id, &i, &member));
    return member;
}

static inline struct member
customer_of(struct installation *p, int64_t conf)
{
    struct member *all;
    size_t count;
    WELL(p, member_list(&p->c, conf, &all, &count));
    assert_string_equal(all[0].role, "customer");
    return all[0];
}

static inline const char *
room_state(struct installation *p, int64_t conf)
{
    struct conference out;
    WELL(p, conference_get(&p->c, conf, &out));
    return out.state;
}

/* The room's log: each kind with its state or text. */
static inline const char *
log_of(struct installation *p, int64_t conf)
{
    bool is_more;
    int64_t after = 0;
    struct reader reader = {.is_staff = true};
    struct value *list = value_list(p->c.mem);
    struct buf out = buf_new(p->c.mem, 100000);
    WELL(p, event_read(&p->c, conf, &reader, &after, list, &is_more));
    for (const struct value *v = list->first; v; v = v->next) {
        const char *more = value_get_text(v, "state") ? value_get_text(v, "state") : value_get_text(v, "text");
        buf_printf(&out, "%s%s%s%s", out.len ? ", " : "", value_get_text(v, "kind"), more ? " " : "", more ? more : "");
    }
    return buf_str(&out);
}

static inline bool
hears(struct installation *p, const struct agent *agent, int64_t after)
{
    bool is_his = false;
    WELL(p, event_is_for_agent(&p->c, agent->id, after, &is_his));
    return is_his;
}

static inline int64_t
now_at(struct installation *p)
{
    int64_t last;
    WELL(p, site_last_event(&p->c, &last));
    return last;
}

#endif
