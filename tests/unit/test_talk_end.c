/* A customer's case to its end: who leaves, who waits again, and that nothing is done by half. */
#include "talked.h"

/* ── they go ── */

static void
a_customer_who_leaves_takes_the_offer_along(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    struct member ann = customer_of(p, i.conf);
    struct invitation second = place_customer(p, "second");
    int64_t before = now_at(p), reservation = offer_of(p, &anna).id;
    WELL(p, talk_leave(&p->c, &ann));
    assert_string_equal(place_state(p, i.id), "abandoned");
    assert_string_equal(room_state(p, i.conf), "ended");
    assert_true(hears(p, &anna, before));
    assert_int_equal(offer_of(p, &anna).invitation, second.id);
    assert_string_equal(
        place_text(p, arena_printf(p->c.mem, "SELECT state FROM reservation WHERE id = %lld", (long long)reservation)),
        "cancelled");
    assert_string_equal(log_of(p, i.conf),
        "joined, queue queued, queue offered, left, queue queued, queue abandoned, state ended");
}

static void
a_customer_who_leaves_the_queue_is_out_of_it(void **state)
{
    struct installation *p = *state;
    struct invitation i = place_customer(p, "Ann");
    struct member ann = customer_of(p, i.conf);
    WELL(p, talk_leave(&p->c, &ann));
    assert_string_equal(place_state(p, i.id), "abandoned");
    struct agent anna = place_agent(p, "anna");
    assert_false(has_offer(p, &anna));
}

static void
the_agents_end_ends_it_for_all_once_and_frees_him(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_sql(p, "UPDATE agent SET capacity = 1");
    struct invitation i = place_customer(p, "Ann"), second = place_customer(p, "second");
    struct member mine = taken(p, &anna), ann = customer_of(p, i.conf);
    assert_false(has_offer(p, &anna));
    int64_t before = now_at(p);
    place_later(p, 60000);
    WELL(p, talk_end(&p->c, i.conf, mine.id));
    WELL(p, talk_end(&p->c, i.conf, mine.id));
    WELL(p, talk_leave(&p->c, &ann));
    assert_string_equal(place_state(p, i.id), "done");
    assert_string_equal(room_state(p, i.conf), "ended");
    WELL(p, member_find(&p->c, mine.id, &mine));
    WELL(p, member_find(&p->c, ann.id, &ann));
    assert_int_equal(mine.left_at, p->c.now_ms);
    assert_int_equal(ann.left_at, p->c.now_ms);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'state' AND data LIKE '%ended%'"), 1);
    assert_true(hears(p, &anna, before));
    assert_int_equal(offer_of(p, &anna).invitation, second.id);
    WELL(p, agent_find(&p->c, anna.id, &anna));
    assert_int_equal(anna.busy, 0);
}

static void
when_the_agent_leaves_his_customer_waits_again_in_his_old_place(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_sql(p, "UPDATE agent SET capacity = 1");
    struct invitation first = place_customer(p, "first");
    struct member mine = taken(p, &anna);
    place_later(p, 60000);
    struct invitation second = place_customer(p, "second"), back;
    int64_t before = now_at(p);
    WELL(p, talk_leave(&p->c, &mine));
    WELL(p, invitation_find(&p->c, first.id, &back));
    assert_int_equal(back.queued_at, first.queued_at);
    assert_string_equal(room_state(p, first.conf), "waiting");
    assert_true(hears(p, &anna, before));
    assert_int_equal(offer_of(p, &anna).invitation, first.id);
    WELL(p, talk_decline(&p->c, &anna, offer_of(p, &anna).id));
    assert_int_equal(offer_of(p, &anna).invitation, second.id);
    struct agent bert = place_agent(p, "bert");
    assert_int_equal(offer_of(p, &bert).invitation, first.id);
    taken(p, &bert);
    assert_string_equal(room_state(p, first.conf), "talking");
}

static void
who_is_disabled_leaves_his_rooms_and_his_offer_and_is_offered_nobody(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), now;
    struct invitation first = place_customer(p, "first");
    struct member staff = taken(p, &anna);
    struct invitation second = place_customer(p, "second");
    assert_true(has_offer(p, &anna));
    WELL(p, talk_disable(&p->c, "anna"));
    assert_false(has_offer(p, &anna));
    WELL(p, member_find(&p->c, staff.id, &staff));
    assert_true(staff.left_at > 0);
    assert_string_equal(room_state(p, first.conf), "waiting");
    REFUSED(p, agent_check_enabled(&p->c, anna.id), ERR_UNAUTHORIZED, NULL);
    WELL(p, agent_check_enabled(&p->c, 0));
    struct agent bert = place_agent(p, "bert");
    assert_int_equal(offer_of(p, &bert).invitation, first.id);
    (void)taken(p, &bert);
    assert_int_equal(offer_of(p, &bert).invitation, second.id);
    WELL(p, talk_disable(&p->c, "anna")); /* twice is as once */
    WELL(p, talk_enable(&p->c, "anna"));
    WELL(p, agent_check_enabled(&p->c, anna.id));
    WELL(p, agent_find(&p->c, anna.id, &now));
    assert_false(agent_is_ready(&now));
    REFUSED(p, talk_disable(&p->c, "nobody"), ERR_NOT_FOUND, NULL);
    REFUSED(p, talk_enable(&p->c, "nobody"), ERR_NOT_FOUND, NULL);
}

static void
an_agent_who_left_and_accepts_the_same_customer_anew_is_in_the_room(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    struct member mine = taken(p, &anna), again;
    int64_t old = place_number(p, "SELECT id FROM reservation");
    WELL(p, talk_leave(&p->c, &mine));
    REFUSED(p, talk_accept(&p->c, &anna, old, &i, &again), ERR_CONFLICT, "reservation");
    place_later(p, REFUSED_MS);
    WELL(p, routing_tick(&p->c));
    again = taken(p, &anna);
    assert_int_equal(again.id, mine.id);
    assert_int_equal(again.left_at, 0);
    assert_string_equal(room_state(p, i.conf), "talking");
}

static void
a_supervisor_who_comes_by_himself_takes_the_customer_and_the_offer_is_withdrawn(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), boss = place_agent(p, "boss");
    place_sql(p, "UPDATE agent SET capacity = 0 WHERE login = 'boss'");
    struct invitation i = place_customer(p, "Ann"), second = place_customer(p, "second");
    struct member_new who = {.conf = i.conf, .role = "supervisor", .is_leader = true, .name = "boss", .agent = boss.id};
    struct member member;
    int64_t reservation = offer_of(p, &anna).id;
    WELL(p, talk_join(&p->c, &who, NULL, &member));
    assert_string_equal(room_state(p, i.conf), "talking");
    WELL(p, invitation_find(&p->c, i.id, &i));
    assert_string_equal(i.state, "accepted");
    assert_int_equal(i.agent, boss.id);
    assert_int_equal(i.accepted_at, p->c.now_ms);
    assert_string_equal(place_text(p, "SELECT state FROM reservation"), "cancelled");
    REFUSED(p, talk_accept(&p->c, &anna, reservation, &i, &member), ERR_ALREADY_TAKEN, "reservation");
    WELL(p, routing_tick(&p->c));
    assert_int_equal(offer_of(p, &anna).invitation, second.id);
    WELL(p, talk_join(&p->c, &who, NULL, &member)); /* again: nothing more */
    assert_int_equal(place_number(p, "SELECT count(*) FROM decision WHERE reason = 'came by himself'"), 1);
}

static void
who_was_asked_in_by_the_customer_may_leave_without_ending_the_talk(void **state)
{
    struct installation *p = *state;
    struct invitation i = place_customer(p, "Ann");
    struct member bob = place_member(p, i.conf, "Bob"), ann = customer_of(p, i.conf);
    WELL(p, talk_leave(&p->c, &bob));
    assert_string_equal(room_state(p, i.conf), "waiting");
    assert_string_equal(place_state(p, i.id), "queued");
    WELL(p, talk_leave(&p->c, &ann));
    assert_string_equal(room_state(p, i.conf), "ended");
}

static void
one_of_two_agents_may_leave_without_the_customer_waiting_again(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), bert = place_agent(p, "bert");
    struct invitation i = place_customer(p, "Ann");
    struct member mine = taken(p, &anna), other;
    struct member_new who = {.conf = i.conf, .role = "agent", .is_leader = true, .name = "bert", .agent = bert.id};
    WELL(p, talk_join(&p->c, &who, NULL, &other));
    WELL(p, talk_leave(&p->c, &mine));
    assert_string_equal(place_state(p, i.id), "accepted");
    assert_string_equal(room_state(p, i.conf), "talking");
    WELL(p, talk_leave(&p->c, &other));
    assert_string_equal(place_state(p, i.id), "offered");
    assert_string_equal(room_state(p, i.conf), "waiting");
}

static void
a_room_without_an_invitation_is_left_and_ended_like_any_other(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member ann = place_member(p, place_conference(p).id, "Ann"), mine;
    struct member_new who = {.conf = ann.conf, .role = "agent", .is_leader = true, .name = "anna", .agent = anna.id};
    WELL(p, talk_join(&p->c, &who, NULL, &mine));
    assert_string_equal(room_state(p, ann.conf), "talking");
    WELL(p, talk_leave(&p->c, &mine));
    assert_string_equal(room_state(p, ann.conf), "waiting");
    WELL(p, talk_leave(&p->c, &ann));
    assert_string_equal(room_state(p, ann.conf), "ended");
}

static void
a_room_that_was_queued_twice_leaves_nothing_in_the_queue_when_it_ends(void **state)
{
    struct installation *p = *state;
    struct invitation first = place_customer(p, "Ann"), second;
    struct member ann = customer_of(p, first.conf);
    struct invitation_wish wish = place_wish(first.conf);
    WELL(p, talk_queue(&p->c, &wish, &second));
    assert_int_not_equal(second.id, first.id);
    WELL(p, talk_leave(&p->c, &ann));
    assert_string_equal(place_state(p, first.id), "abandoned");
    assert_string_equal(place_state(p, second.id), "abandoned");
    struct agent anna = place_agent(p, "anna");
    assert_false(has_offer(p, &anna));
}

static void
a_cancelled_invitation_is_offered_to_nobody_and_its_room_stays(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first"), second = place_customer(p, "second");
    WELL(p, talk_cancel(&p->c, first.id));
    WELL(p, talk_cancel(&p->c, first.id));
    assert_string_equal(place_state(p, first.id), "cancelled");
    assert_string_equal(room_state(p, first.conf), "waiting");
    assert_int_equal(offer_of(p, &anna).invitation, second.id);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE data LIKE '%cancelled%'"), 1);
    taken(p, &anna);
    REFUSED(p, talk_cancel(&p->c, second.id), ERR_CONFLICT, "invitation");
    REFUSED(p, talk_cancel(&p->c, second.id + 100), ERR_NOT_FOUND, "invitation");
    assert_string_equal(place_state(p, second.id), "accepted");
}

static void
whoever_served_a_customer_whose_invitation_was_cancelled_and_leaves_puts_him_back(void **state)
{
    struct installation *p = *state;
    struct invitation i = place_customer(p, "Ann"), back;
    WELL(p, talk_cancel(&p->c, i.id));
    struct agent boss = place_agent(p, "boss");
    struct member_new who = {.conf = i.conf, .role = "supervisor", .is_leader = true, .name = "boss", .agent = boss.id};
    struct member member;
    WELL(p, talk_notready(&p->c, &boss, "meeting"));
    WELL(p, talk_join(&p->c, &who, NULL, &member));
    assert_string_equal(room_state(p, i.conf), "talking");
    WELL(p, talk_leave(&p->c, &member));
    assert_string_equal(room_state(p, i.conf), "waiting");
    WELL(p, invitation_find(&p->c, i.id, &back));
    assert_string_equal(back.state, "queued");
    assert_int_equal(back.queued_at, i.queued_at);
    struct agent anna = place_agent(p, "anna");
    assert_int_equal(offer_of(p, &anna).invitation, i.id);
}

/* ── all or nothing ── */

static void
what_fails_in_the_middle_leaves_nothing_behind(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann"), out;
    struct member ann = customer_of(p, i.conf), member;
    struct invitation_wish wish = place_wish(i.conf);
    struct member_new who = {.conf = i.conf, .role = "customer", .name = "Bob"};
    int64_t reservation = offer_of(p, &anna).id, before = now_at(p);
    place_sql(p, "ALTER TABLE decision RENAME TO hidden");
    REFUSED(p, talk_accept(&p->c, &anna, reservation, &out, &member), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_decline(&p->c, &anna, reservation), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_notready(&p->c, &anna, "lunch"), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_leave(&p->c, &ann), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_end(&p->c, i.conf, ann.id), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_cancel(&p->c, i.id), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE hidden RENAME TO decision");
    assert_int_equal(now_at(p), before);
    assert_int_equal(offer_of(p, &anna).id, reservation);
    assert_string_equal(place_state(p, i.id), "offered");
    assert_string_equal(room_state(p, i.conf), "waiting");
    WELL(p, agent_find(&p->c, anna.id, &anna));
    assert_true(agent_is_ready(&anna));
    place_sql(p, "ALTER TABLE site RENAME TO hidden");
    REFUSED(p, talk_queue(&p->c, &wish, &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_join(&p->c, &who, "hello", &member), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE hidden RENAME TO site");
    assert_int_equal(place_number(p, "SELECT count(*) FROM invitation"), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM member"), 1);
    place_sql(p, "ALTER TABLE conference RENAME TO hidden");
    REFUSED(p, talk_queue(&p->c, &wish, &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_end(&p->c, i.conf, 0), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE invitation RENAME TO hidden_invitation");
    REFUSED(p, talk_ready(&p->c, &anna), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_customer_who_leaves_takes_the_offer_along),
        PLACED(a_customer_who_leaves_the_queue_is_out_of_it),
        PLACED(the_agents_end_ends_it_for_all_once_and_frees_him),
        PLACED(when_the_agent_leaves_his_customer_waits_again_in_his_old_place),
        PLACED(who_is_disabled_leaves_his_rooms_and_his_offer_and_is_offered_nobody),
        PLACED(an_agent_who_left_and_accepts_the_same_customer_anew_is_in_the_room),
        PLACED(a_supervisor_who_comes_by_himself_takes_the_customer_and_the_offer_is_withdrawn),
        PLACED(who_was_asked_in_by_the_customer_may_leave_without_ending_the_talk),
        PLACED(one_of_two_agents_may_leave_without_the_customer_waiting_again),
        PLACED(a_room_without_an_invitation_is_left_and_ended_like_any_other),
        PLACED(a_room_that_was_queued_twice_leaves_nothing_in_the_queue_when_it_ends),
        PLACED(a_cancelled_invitation_is_offered_to_nobody_and_its_room_stays),
        PLACED(whoever_served_a_customer_whose_invitation_was_cancelled_and_leaves_puts_him_back),
        PLACED(what_fails_in_the_middle_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
