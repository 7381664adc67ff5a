/* heard.h: what the tests of events say and hear. */
#ifndef RTCC_HEARD_H
#define RTCC_HEARD_H

#include "place.h"

#include "model/event.h"

static inline int64_t
say(struct installation *p, const struct member *member, enum audience audience, int64_t to, const char *text)
{
    int64_t id = 0;
    struct event_new event = {.conf = member->conf,
        .member = member->id,
        .kind = audience == TO_STAFF ? "note" : "message",
        .audience = audience,
        .to_id = to,
        .text = text};
    WELL(p, event_add(&p->c, &event, &id));
    return id;
}

/* What a reader gets after a cursor, as JSON. */
static inline const char *
heard(struct installation *p, int64_t conf, int64_t member, bool is_staff, int64_t after)
{
    bool is_more;
    struct reader reader = {.member = member, .is_staff = is_staff};
    struct value *list = value_list(p->c.mem);
    WELL(p, event_read(&p->c, conf, &reader, &after, list, &is_more));
    return place_json(p, list);
}

static inline int64_t
now_at(struct installation *p)
{
    int64_t last;
    WELL(p, site_last_event(&p->c, &last));
    return last;
}

static inline const char *
heard_by_agent(struct installation *p, const struct agent *agent, int64_t *after)
{
    bool is_more;
    struct value *list = value_list(p->c.mem);
    WELL(p, event_read_agent(&p->c, agent->id, after, list, &is_more));
    assert_false(is_more);
    return place_json(p, list);
}

static inline struct member
enter(struct installation *p, const struct agent *agent, int64_t conf)
{
    struct member member;
    struct member_new who = {.conf = conf, .role = "agent", .is_leader = true, .name = agent->name, .agent = agent->id};
    WELL(p, talk_join(&p->c, &who, NULL, &member));
    return member;
}

#endif
