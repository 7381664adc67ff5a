/* lost.h: what the tests of lost agents do: time goes by while some are heard of and others are not. */
#ifndef RTCC_LOST_H
#define RTCC_LOST_H

#include "talked.h"

enum { GONE_MS = 45000, GRACE_MS = 30000 /* and a step */, STEP_MS = 5000 };

/* Time goes by while these ask for something every few seconds; NULL: nobody. */
static inline void
wait_while(struct installation *p, int64_t ms, struct member *customer, struct member *staff, const struct agent *desk)
{
    for (int64_t gone = 0; gone < ms; gone += STEP_MS) {
        place_later(p, STEP_MS);
        if (desk) {
            struct agent now;
            WELL(p, agent_find(&p->c, desk->id, &now));
            WELL(p, talk_agent_seen(&p->c, &now));
        }
        if (staff) {
            WELL(p, member_find(&p->c, staff->id, staff));
            WELL(p, talk_member_seen(&p->c, staff));
        }
        if (customer)
            WELL(p, talk_member_seen(&p->c, customer));
        WELL(p, routing_tick(&p->c));
    }
}

struct lost {
    struct agent anna;
    struct invitation i;
    struct member ann, mine;
};

static inline struct lost
talk_of(struct installation *p)
{
    struct lost t = {.anna = place_agent(p, "anna")};
    t.i = place_customer(p, "Ann");
    t.mine = taken(p, &t.anna);
    t.ann = customer_of(p, t.i.conf);
    return t;
}

static inline struct lost
lost_talk(struct installation *p)
{
    struct lost t = talk_of(p);
    wait_while(p, 2 * GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
    return t;
}

#endif
