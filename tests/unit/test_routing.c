/* Routing: who is offered what, and why; and what a tick does. */
#include "routed.h"

/* ── who is offered what ── */

static void
the_longest_idle_is_offered_first_and_goes_to_the_end_when_he_accepts(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 1000);
    struct agent bert = place_agent(p, "bert");
    place_later(p, 1000);
    place_customer(p, "first");
    assert_string_equal(routed_offered(p, &anna), "first");
    assert_null(routed_offered(p, &bert));
    assert_int_equal(routed_accept(p, &anna, routed_offer_id(p, &anna)), OK);
    place_later(p, 1000);
    place_customer(p, "second");
    assert_null(routed_offered(p, &anna));
    assert_string_equal(routed_offered(p, &bert), "second");
    assert_int_equal(routed_accept(p, &bert, routed_offer_id(p, &bert)), OK);
    place_customer(p, "third");
    assert_string_equal(routed_offered(p, &anna), "third");
}

static void
an_agent_has_one_offer_at_a_time_and_a_customer_is_offered_to_one_agent(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first"), second = place_customer(p, "second");
    assert_string_equal(routed_offered(p, &anna), "first");
    assert_string_equal(place_state(p, first.id), "offered");
    assert_string_equal(place_state(p, second.id), "queued");
    struct agent bert = place_agent(p, "bert");
    assert_string_equal(routed_offered(p, &bert), "second");
    place_agent(p, "carl");
    assert_int_equal(place_number(p, "SELECT count(*) FROM reservation"), 2);
}

static void
the_most_urgent_waits_least_and_equals_in_the_order_of_coming(void **state)
{
    struct installation *p = *state;
    struct invitation i;
    static const char *const names[] = {"usual", "later", "urgent", "low"};
    static const int64_t priorities[] = {5, 5, 1, 9};
    for (int n = 0; n < 4; n++) {
        struct invitation_wish wish = place_wish(place_conference(p).id);
        wish.name = names[n];
        wish.priority = priorities[n];
        WELL(p, talk_queue(&p->c, &wish, &i));
        place_later(p, 1000);
    }
    struct agent anna = place_agent(p, "anna");
    static const char *const order[] = {"urgent", "usual", "later", "low"};
    for (int n = 0; n < 4; n++) {
        struct member member;
        assert_string_equal(routed_offered(p, &anna), order[n]);
        WELL(p, talk_accept(&p->c, &anna, routed_offer_id(p, &anna), &i, &member));
    }
}

/* They are read in pieces; whom nobody before him may have is found behind them all, and those behind the last offer stay free. */
static void
one_among_many_who_has_the_skill_is_found_and_several_wishes_find_several(void **state)
{
    enum { AGENTS = 30, SKILLED = 27 };
    struct installation *p = *state;
    struct agent agents[AGENTS];
    struct invitation i;
    for (int n = 0; n < AGENTS; n++) {
        agents[n] = place_agent(p, arena_printf(p->c.mem, "agent%02d", n));
        p->c.now_ms += n % 3; /* some became idle at the same time */
    }
    WELL(p, agent_set_skill(&p->c, agents[SKILLED].login, "billing", 5));
    struct invitation_wish wish = place_wish(place_conference(p).id);
    wish.skill = "billing";
    WELL(p, talk_queue(&p->c, &wish, &i));
    assert_int_equal(place_number(p, "SELECT agent FROM reservation WHERE state = 'pending'"), agents[SKILLED].id);
    for (int n = 0; n < AGENTS; n++)
        if (n != SKILLED)
            WELL(p, talk_notready(&p->c, &agents[n], "lunch"));
    for (int n = 0; n < 12; n++)
        place_customer(p, "waits");
    assert_int_equal(place_number(p, "SELECT count(*) FROM reservation WHERE state = 'pending'"), 1);
    place_sql(p, "UPDATE agent SET state = 'ready', reason = ''");
    WELL(p, routing_run(&p->c));
    assert_int_equal(place_number(p, "SELECT count(*) FROM reservation WHERE state = 'pending'"), 13);
    assert_int_equal(place_number(p, "SELECT count(DISTINCT agent) FROM reservation WHERE state = 'pending'"), 13);
}

static void
who_is_full_not_ready_away_disabled_or_without_the_skill_is_offered_nothing(void **state)
{
    struct installation *p = *state;
    struct agent agents[6];
    static const char *const logins[] = {"full", "lunch", "away", "disabled", "unskilled", "right"};
    struct invitation_wish wish = place_wish(place_conference(p).id);
    struct invitation i;
    for (int n = 0; n < 6; n++)
        agents[n] = place_agent(p, logins[n]);
    routed_set(p, &agents[0], "capacity = 0");
    routed_set(p, &agents[1], "state = 'notready', reason = 'lunch'");
    routed_set(p, &agents[2], "is_present = 0");
    routed_set(p, &agents[3], "is_disabled = 1");
    for (int n = 0; n < 6; n++)
        if (n != 4)
            WELL(p, agent_set_skill(&p->c, logins[n], "billing", 5));
    wish.skill = "billing";
    wish.name = "Ann";
    WELL(p, talk_queue(&p->c, &wish, &i));
    for (int n = 0; n < 5; n++)
        CHECK(!routed_offered(p, &agents[n]), "%s was offered", logins[n]);
    assert_string_equal(routed_offered(p, &agents[5]), "Ann");
    assert_string_equal(routed_trace(p, wish.conf), "passed_over full: full\npassed_over lunch: lunch\npassed_over away: gone\n"
                                                    "passed_over unskilled: skill\noffered right: ready and idle the longest\n");
}

static void
an_agent_serves_as_many_as_his_capacity(void **state)
{
    struct installation *p = *state;
    struct invitation i;
    struct member member;
    struct agent anna = place_agent(p, "anna");
    routed_set(p, &anna, "capacity = 2");
    for (int n = 0; n < 3; n++)
        place_customer(p, arena_printf(p->c.mem, "%d", n));
    for (int n = 0; n < 2; n++)
        WELL(p, talk_accept(&p->c, &anna, routed_offer_id(p, &anna), &i, &member));
    assert_null(routed_offered(p, &anna));
    WELL(p, talk_end(&p->c, i.conf, member.id));
    assert_string_equal(routed_offered(p, &anna), "2");
}

static void
who_accepted_and_left_is_spared_for_twenty_seconds_from_then(void **state)
{
    struct installation *p = *state;
    struct invitation i;
    struct member member;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "Ann");
    WELL(p, talk_accept(&p->c, &anna, routed_offer_id(p, &anna), &i, &member));
    place_later(p, 5000);
    WELL(p, talk_leave(&p->c, &member));
    assert_string_equal(place_state(p, i.id), "queued");
    place_later(p, 14999);
    routed_tick(p);
    assert_null(routed_offered(p, &anna));
    place_later(p, 1);
    routed_tick(p);
    assert_string_equal(routed_offered(p, &anna), "Ann");
}

static void
why_nobody_was_offered_is_in_the_trace_too(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_agent(p, "bert");
    routed_set(p, &anna, "state = 'notready', reason = ''");
    place_customer(p, "first");
    struct invitation second = place_customer(p, "second");
    assert_string_equal(routed_trace(p, second.conf), "passed_over anna: not ready\npassed_over bert: holds an offer\n");
}

/* ── the rest ── */

static void
the_trace_has_each_candidate_with_verdict_and_reason(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 1000);
    struct agent bert = place_agent(p, "bert");
    struct invitation first = place_customer(p, "first");
    WELL(p, talk_decline(&p->c, &anna, routed_offer_id(p, &anna)));
    assert_int_equal(routed_accept(p, &bert, routed_offer_id(p, &bert)), OK);
    assert_string_equal(routed_trace(p, first.conf), "passed_over bert: idle for a shorter time, or serves one who came before\n"
                                                     "offered anna: ready and idle the longest\n"
                                                     "declined anna: declined\n"
                                                     "passed_over anna: let it go before\n"
                                                     "offered bert: ready and idle the longest\n"
                                                     "accepted bert: accepted\n");
    struct value *list = value_list(p->c.mem);
    WELL(p, trace_read(&p->c, first.conf, list));
    assert_int_equal(value_get_int(list->first, "at", 0), first.queued_at);
    assert_int_equal(value_get_int(list->first, "invitation", 0), first.id);
    assert_string_equal(routed_trace(p, first.conf + 1), "");
}

static int64_t
bytes_written(struct installation *p)
{
    struct stat wal;
    assert_int_equal(stat(arena_printf(p->c.mem, "%s/rtcc.db-wal", p->folder), &wal), 0);
    return wal.st_size + wal.st_mtim.tv_nsec + wal.st_mtim.tv_sec;
}

static void
a_look_when_nothing_is_due_writes_nothing(void **state)
{
    struct installation *p = *state;
    place_agent(p, "anna");
    place_customer(p, "first");
    place_customer(p, "second");
    int64_t before = bytes_written(p);
    usleep(20000);
    for (int n = 0; n < 10; n++)
        routed_tick(p);
    assert_int_equal(bytes_written(p), before);
}

static void
a_tick_offers_what_was_left_lying(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i;
    struct invitation_wish wish = place_wish(place_conference(p).id);
    WELL(p, invitation_put(&p->c, &wish, &i));
    assert_null(routed_offered(p, &anna));
    routed_tick(p);
    assert_string_equal(routed_offered(p, &anna), "Ann");
}

static void
without_its_tables_everything_is_unavailable_and_nothing_half_done(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    struct value *list = value_list(p->c.mem);
    place_sql(p, "ALTER TABLE decision RENAME TO hidden");
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_decline(&p->c, &anna, reservation), ERR_UNAVAILABLE, NULL);
    place_later(p, p->settings.offer_s * 1000);
    REFUSED(p, routing_tick(&p->c), ERR_UNAVAILABLE, NULL);
    REFUSED(p, trace_read(&p->c, first.conf, list), ERR_UNAVAILABLE, NULL);
    assert_string_equal(place_state(p, first.id), "offered");
    assert_int_equal(routed_offer_id(p, &anna), reservation);
    place_sql(p, "ALTER TABLE reservation RENAME TO hidden_reservation");
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_UNAVAILABLE, NULL);
    REFUSED(p, routing_tick(&p->c), ERR_UNAVAILABLE, NULL);
    assert_string_equal(routed_state_of(p, &anna), "ready");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(the_longest_idle_is_offered_first_and_goes_to_the_end_when_he_accepts),
        PLACED(an_agent_has_one_offer_at_a_time_and_a_customer_is_offered_to_one_agent),
        PLACED(the_most_urgent_waits_least_and_equals_in_the_order_of_coming),
        PLACED(one_among_many_who_has_the_skill_is_found_and_several_wishes_find_several),
        PLACED(who_is_full_not_ready_away_disabled_or_without_the_skill_is_offered_nothing),
        PLACED(an_agent_serves_as_many_as_his_capacity),
        PLACED(who_accepted_and_left_is_spared_for_twenty_seconds_from_then),
        PLACED(why_nobody_was_offered_is_in_the_trace_too),
        PLACED(the_trace_has_each_candidate_with_verdict_and_reason),
        PLACED(a_look_when_nothing_is_due_writes_nothing),
        PLACED(a_tick_offers_what_was_left_lying),
        PLACED(without_its_tables_everything_is_unavailable_and_nothing_half_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
