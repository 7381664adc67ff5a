/* Offers: what happens to one that nobody takes, what the clocks may do to it, and who wins. */
#include "routed.h"

/* ── offers that are not taken ── */

static void
a_declined_offer_goes_to_the_next_and_spares_the_one_for_20_seconds(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 1000);
    struct agent bert = place_agent(p, "bert");
    struct invitation first = place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    WELL(p, talk_decline(&p->c, &anna, reservation));
    assert_string_equal(routed_state_of(p, &anna), "ready");
    assert_null(routed_offered(p, &anna));
    assert_string_equal(routed_offered(p, &bert), "first");
    WELL(p, talk_decline(&p->c, &anna, reservation)); /* again: the same */
    WELL(p, talk_decline(&p->c, &bert, routed_offer_id(p, &bert)));
    assert_string_equal(place_state(p, first.id), "queued");
    place_customer(p, "second");
    assert_string_equal(routed_offered(p, &anna), "second"); /* he is spared that customer, not others */
    WELL(p, talk_decline(&p->c, &anna, routed_offer_id(p, &anna)));
    assert_string_equal(routed_offered(p, &bert), "second");
    place_later(p, REFUSED_MS - 1);
    routed_poll_arrives(p, &anna);
    routed_tick(p);
    assert_null(routed_offered(p, &anna));
    place_later(p, 1);
    routed_tick(p);
    assert_string_equal(routed_offered(p, &anna), "first");
}

static void
an_offer_that_was_let_go_is_void_though_its_time_is_not_over_and_another_holds_the_next(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 1000);
    struct agent bert = place_agent(p, "bert");
    struct invitation first = place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    WELL(p, talk_decline(&p->c, &anna, reservation));
    assert_string_equal(place_state(p, first.id), "offered"); /* again, to the next: an epoch later */
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_CONFLICT, "reservation");
    assert_string_equal(place_state(p, first.id), "offered");
    assert_int_equal(routed_accept(p, &bert, routed_offer_id(p, &bert)), OK);
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_ALREADY_TAKEN, "reservation");
}

static void
an_offer_that_passes_makes_its_agent_not_ready_and_gives_the_customer_his_place_back(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first"), back;
    place_customer(p, "second");
    int64_t reservation = routed_offer_id(p, &anna);
    place_later(p, p->settings.offer_s * 1000 - 1);
    routed_poll_arrives(p, &anna);
    routed_tick(p);
    assert_string_equal(routed_offered(p, &anna), "first");
    place_later(p, 1);
    routed_tick(p);
    assert_null(routed_offered(p, &anna));
    assert_string_equal(routed_state_of(p, &anna), "notready");
    assert_string_equal(anna.reason, "no_answer");
    WELL(p, invitation_find(&p->c, first.id, &back));
    assert_string_equal(back.state, "queued");
    assert_int_equal(back.queued_at, first.queued_at);
    struct standing s;
    WELL(p, invitation_standing(&p->c, &back, &s));
    assert_int_equal(s.position, 1);
    assert_string_equal(place_text(p, "SELECT state FROM reservation"), "timeout");
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_CONFLICT, "reservation");
    struct agent bert = place_agent(p, "bert");
    assert_string_equal(routed_offered(p, &bert), "first");
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_CONFLICT, "reservation");
}

static void
an_agent_whose_polls_stopped_loses_his_offer_and_gets_none_until_he_is_back(void **state)
{
    struct installation *p = *state;
    p->settings.offer_s = 3600;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first");
    place_later(p, p->settings.gone_s * 1000 - 1);
    routed_tick(p);
    assert_string_equal(routed_offered(p, &anna), "first");
    place_later(p, 1);
    struct agent bert = place_agent(p, "bert");
    assert_null(routed_offered(p, &bert));
    routed_tick(p);
    assert_null(routed_offered(p, &anna));
    assert_string_equal(routed_offered(p, &bert), "first");
    assert_string_equal(place_text(p, "SELECT state FROM reservation ORDER BY id LIMIT 1"), "revoked");
    assert_string_equal(routed_state_of(p, &anna), "ready");
    assert_false(anna.is_present);
    place_customer(p, "second");
    assert_null(routed_offered(p, &anna));
    routed_poll_arrives(p, &anna);
    assert_string_equal(routed_offered(p, &anna), "second");
    CHECK(strstr(routed_trace(p, first.conf), "gone anna: his polls stopped\n"), "%s", routed_trace(p, first.conf));
}

static void
another_boot_ends_all_leases_at_once(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    place_sql(p, "UPDATE reservation SET boot = 'another'");
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_CONFLICT, "reservation");
    routed_tick(p);
    assert_null(routed_offered(p, &anna));
    assert_string_equal(place_state(p, first.id), "queued");
}

/* As it is when a machine starts anew: what stands in the rows is far ahead of the boot's clock. */
static void
a_boots_clock_that_begins_anew_ends_leases_and_presence(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), bert;
    struct invitation first = place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    place_sql(p, "UPDATE reservation SET boot = 'another'");
    place_sql_on(p, "live.db", "UPDATE presence SET boot = 'another'");
    p->c.boot_ms = 0;
    bert = place_agent(p, "bert");
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_CONFLICT, "reservation");
    routed_tick(p);
    assert_string_equal(routed_offered(p, &bert), "first");
    assert_null(routed_offered(p, &anna));
    WELL(p, agent_find(&p->c, anna.id, &anna));
    assert_false(anna.is_present);
    assert_int_equal(routed_accept(p, &bert, routed_offer_id(p, &bert)), OK);
    assert_string_equal(place_state(p, first.id), "accepted");
}

static void
the_wall_clock_set_back_or_on_two_hours_changes_nothing(void **state)
{
    struct installation *p = *state;
    static const int64_t jumps[] = {7200000, -14400000};
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    for (int n = 0; n < 2; n++) {
        p->c.now_ms += jumps[n];
        routed_tick(p);
        assert_string_equal(routed_offered(p, &anna), "first");
        assert_int_equal(routed_offer_id(p, &anna), reservation);
        assert_string_equal(routed_state_of(p, &anna), "ready");
    }
    place_later(p, p->settings.offer_s * 1000 - 1);
    assert_int_equal(routed_accept(p, &anna, reservation), OK);
}

static void
who_declined_is_spared_20_seconds_whatever_the_wall_clock_does(void **state)
{
    struct installation *p = *state;
    static const int64_t jumps[] = {7200000, -14400000};
    for (int n = 0; n < 2; n++) {
        struct agent anna = place_agent(p, arena_printf(p->c.mem, "anna%d", n));
        place_customer(p, "first");
        WELL(p, talk_decline(&p->c, &anna, routed_offer_id(p, &anna)));
        p->c.now_ms += jumps[n];
        place_later(p, REFUSED_MS - 1);
        routed_poll_arrives(p, &anna);
        routed_tick(p);
        CHECK(!routed_offered(p, &anna), "offered again before its time, after a jump of %lld ms", (long long)jumps[n]);
        place_later(p, 1);
        routed_tick(p);
        CHECK(routed_offered(p, &anna), "not offered again after its time, after a jump of %lld ms", (long long)jumps[n]);
        routed_set(p, &anna, "is_disabled = 1");
        WELL(p, talk_end(&p->c, place_number(p, "SELECT id FROM conference WHERE ended_at = 0"), 0));
    }
}

/* Its clock says nothing in this one: after forty days it would spare him for as long. */
static void
who_declined_in_another_boot_is_not_spared(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "first");
    WELL(p, talk_decline(&p->c, &anna, routed_offer_id(p, &anna)));
    routed_poll_arrives(p, &anna);
    routed_tick(p);
    assert_null(routed_offered(p, &anna));
    place_sql(p, "UPDATE reservation SET boot = 'another'");
    routed_poll_arrives(p, &anna);
    routed_tick(p);
    assert_string_equal(routed_offered(p, &anna), "first");
}

/* What the trace says of anna when `other`, who is ready now and counts as idle for longer, is offered what she declined. */
static const char *
said_of_anna(struct installation *p, const struct agent *other, const struct invitation *declined)
{
    place_sql(p,
        arena_printf(p->c.mem, "UPDATE agent SET state = 'ready', idle_since = 1 WHERE id = %lld", (long long)other->id));
    routed_tick(p);
    assert_string_equal(routed_offered(p, other), declined->name);
    const char *line = strstr(routed_trace(p, declined->conf), "passed_over anna: ");
    return line ? arena_strndup(p->c.mem, line, strcspn(line, "\n")) : "";
}

static void
the_trace_says_that_somebody_let_go_before_but_not_in_another_boot(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), bert = place_agent(p, "bert"), carl = place_agent(p, "carl");
    place_sql(p, "UPDATE agent SET state = 'notready' WHERE login <> 'anna'");
    struct invitation first = place_customer(p, "first"), second;
    WELL(p, talk_decline(&p->c, &anna, routed_offer_id(p, &anna)));
    assert_string_equal(said_of_anna(p, &bert, &first), "passed_over anna: let it go before");
    second = place_customer(p, "second");
    WELL(p, talk_decline(&p->c, &anna, routed_offer_id(p, &anna)));
    place_sql(p, "UPDATE reservation SET boot = 'another' WHERE state = 'rejected'");
    assert_string_equal(said_of_anna(p, &carl, &second),
        "passed_over anna: idle for a shorter time, or serves one who came before");
}

static void
with_the_clock_set_back_the_longest_idle_still_goes_first(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 1000);
    struct agent bert = place_agent(p, "bert");
    place_later(p, 1000);
    p->c.now_ms -= 7200000;
    place_customer(p, "first");
    assert_int_equal(routed_accept(p, &anna, routed_offer_id(p, &anna)), OK);
    place_customer(p, "second");
    assert_string_equal(routed_offered(p, &bert), "second");
    assert_int_equal(routed_accept(p, &bert, routed_offer_id(p, &bert)), OK);
    place_later(p, 1000);
    place_customer(p, "third");
    assert_string_equal(routed_offered(p, &anna), "third");
}

/* ── who wins ── */

static void
an_offer_of_an_older_epoch_loses(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    place_sql(p, "UPDATE invitation SET epoch = epoch + 1"); /* offered to somebody else since then */
    REFUSED(p, routed_accept(p, &anna, reservation), ERR_CONFLICT, "reservation");
    assert_string_equal(place_state(p, first.id), "offered");
    assert_string_equal(place_text(p, "SELECT state FROM reservation"), "pending");
}

static void
accepting_answers_each_loser_with_what_happened(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 1000);
    struct agent bert = place_agent(p, "bert");
    struct invitation first = place_customer(p, "first");
    int64_t reservation = routed_offer_id(p, &anna);
    place_later(p, 1000);
    REFUSED(p, routed_accept(p, &anna, reservation + 100), ERR_NOT_FOUND, "reservation");
    REFUSED(p, routed_accept(p, &bert, reservation), ERR_ALREADY_TAKEN, "reservation");
    assert_int_equal(routed_accept(p, &anna, reservation), OK);
    assert_int_equal(routed_accept(p, &anna, reservation), OK);
    assert_string_equal(place_state(p, first.id), "accepted");
    assert_int_equal(place_number(p, "SELECT count(*) FROM decision WHERE verdict = 'accepted'"), 1);
    REFUSED(p, talk_decline(&p->c, &anna, reservation), ERR_CONFLICT, "reservation");
    REFUSED(p, talk_decline(&p->c, &bert, reservation), ERR_ALREADY_TAKEN, "reservation");
    place_customer(p, "second");
    int64_t lost = routed_offer_id(p, &bert);
    WELL(p, talk_decline(&p->c, &bert, lost));
    struct invitation second;
    WELL(p, invitation_find(&p->c, place_number(p, "SELECT max(id) FROM invitation"), &second));
    assert_int_equal(routed_accept(p, &anna, routed_offer_id(p, &anna)), OK);
    REFUSED(p, routed_accept(p, &bert, lost), ERR_ALREADY_TAKEN, "reservation");
    place_later(p, 1000);
    place_customer(p, "third");
    int64_t withdrawn = routed_offer_id(p, &bert);
    WELL(p, talk_end(&p->c, place_number(p, "SELECT conf FROM invitation ORDER BY id DESC LIMIT 1"), 0));
    REFUSED(p, routed_accept(p, &bert, withdrawn), ERR_CONFLICT, "reservation");
    assert_non_null(strstr(p->c.fault.reason, "does not wait"));
}

static void
the_tables_allow_one_pending_offer_for_an_agent_and_for_a_customer(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first"), second = place_customer(p, "second");
    struct sql_reservation_insert_in in = {.id = 900, .invitation = second.id, .agent = anna.id, .epoch = 1, .boot = "b"};
    assert_int_equal(sql_reservation_insert(p->c.db, &in), ERR_CONFLICT);
    in.invitation = first.id;
    in.agent = 900;
    assert_int_equal(sql_reservation_insert(p->c.db, &in), ERR_CONFLICT);
}

enum { CUSTOMERS = 40, RACERS = 4 };

static void
take_all_that_comes(struct installation *p, int number)
{
    struct agent agent;
    place_enter(p);
    MUST(agent_by_login(&p->c, arena_printf(p->c.mem, "racer%d", number), &agent) == OK);
    for (int turn = 0; turn < 2000; turn++) {
        struct reservation_of_agent held;
        struct invitation i;
        struct member member;
        struct health_counts left;
        if (routing_offer_of(&p->c, agent.id, &held) == OK) {
            /* all race for it; the offer's own agent lets every fifth go */
            enum err err = held.id % 5 == 0 && turn % 2 ? talk_decline(&p->c, &agent, held.id)
                                                        : talk_accept(&p->c, &agent, held.id, &i, &member);
            MUST(err == OK || err == ERR_CONFLICT || err == ERR_ALREADY_TAKEN);
        }
        place_later(p, 500);
        MUST(agent_find(&p->c, agent.id, &agent) == OK && talk_agent_seen(&p->c, &agent) == OK);
        MUST(routing_tick(&p->c) == OK);
        if (!text_same(agent.state, "ready"))
            MUST(talk_ready(&p->c, &agent) == OK);
        MUST(sql_health_counts(p->c.db, p->c.mem, &left) == OK);
        if (left.waiting == 0)
            break;
    }
    db_close(p->c.db);
}

static void
four_agents_in_four_processes_take_forty_customers_each_once(void **state)
{
    struct installation *p = *state;
    p->settings.capacity = 100;
    p->settings.offer_s = 5; /* by each process's own clock: offers run out under the others' eyes */
    for (int n = 0; n < RACERS; n++)
        place_agent(p, arena_printf(p->c.mem, "racer%d", n));
    for (int n = 0; n < CUSTOMERS; n++)
        place_customer(p, "x");
    place_together(p, RACERS, take_all_that_comes);
    assert_int_equal(place_number(p, "SELECT count(*) FROM invitation WHERE state = 'accepted'"), CUSTOMERS);
    assert_int_equal(place_number(p, "SELECT count(*) FROM decision WHERE verdict = 'accepted'"), CUSTOMERS);
    assert_int_equal(place_number(p, "SELECT count(*) FROM reservation WHERE state = 'accepted'"), CUSTOMERS);
    assert_int_equal(place_number(p, "SELECT count(*) FROM reservation WHERE state = 'pending'"), 0);
    assert_int_equal(place_number(p,
                         "SELECT count(*) FROM invitation i JOIN reservation r ON r.invitation = i.id AND r.state = 'accepted'"
                         " WHERE r.agent = i.agent AND r.epoch = i.epoch"),
        CUSTOMERS);
    assert_int_equal(place_number(p, "SELECT count(*) FROM member WHERE agent > 0"), CUSTOMERS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_declined_offer_goes_to_the_next_and_spares_the_one_for_20_seconds),
        PLACED(an_offer_that_was_let_go_is_void_though_its_time_is_not_over_and_another_holds_the_next),
        PLACED(an_offer_that_passes_makes_its_agent_not_ready_and_gives_the_customer_his_place_back),
        PLACED(an_agent_whose_polls_stopped_loses_his_offer_and_gets_none_until_he_is_back),
        PLACED(another_boot_ends_all_leases_at_once),
        PLACED(a_boots_clock_that_begins_anew_ends_leases_and_presence),
        PLACED(the_wall_clock_set_back_or_on_two_hours_changes_nothing),
        PLACED(who_declined_is_spared_20_seconds_whatever_the_wall_clock_does),
        PLACED(who_declined_in_another_boot_is_not_spared),
        PLACED(the_trace_says_that_somebody_let_go_before_but_not_in_another_boot),
        PLACED(with_the_clock_set_back_the_longest_idle_still_goes_first),
        PLACED(an_offer_of_an_older_epoch_loses),
        PLACED(accepting_answers_each_loser_with_what_happened),
        PLACED(the_tables_allow_one_pending_offer_for_an_agent_and_for_a_customer),
        PLACED(four_agents_in_four_processes_take_forty_customers_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
