/* Routing, call by call, as the cases of model/talk.h use it: taking, ending, returning, withdrawing, declining, explaining. */
#include "routed.h"

/* Each call stands in a transaction of its own, as its header demands. */
#define INSIDE(place, call)                                                                                                      \
    do {                                                                                                                         \
        WELL(place, db_begin((place)->c.db));                                                                                    \
        WELL(place, db_end((place)->c.db, (call)));                                                                              \
    } while (0)

/* The states that the queue told of a room, in order. */
static const char *
told(struct installation *p, int64_t conf)
{
    return place_text(p, arena_printf(p->c.mem,
                             "SELECT coalesce(group_concat(substr(data, 11, length(data) - 12), ' '), '')"
                             " FROM (SELECT data FROM event WHERE conf = %lld AND kind = 'queue' ORDER BY id)",
                             (long long)conf));
}

static struct invitation
again(struct installation *p, const struct invitation *i)
{
    struct invitation now;
    WELL(p, invitation_find(&p->c, i->id, &now));
    return now;
}

static int64_t
ended_at(struct installation *p, const struct invitation *i)
{
    return place_number(p, arena_printf(p->c.mem, "SELECT ended_at FROM invitation WHERE id = %lld", (long long)i->id));
}

static int64_t
pending(struct installation *p)
{
    return place_number(p, "SELECT count(*) FROM reservation WHERE state = 'pending'");
}

static void
who_comes_by_himself_takes_an_invitation_out_of_the_queue(void **state)
{
    struct installation *p = *state;
    struct invitation i = place_customer(p, "Ann"), behind = place_customer(p, "Bob");
    struct agent boss = place_agent(p, "boss");
    assert_string_equal(routed_offered(p, &boss), "Ann");
    place_later(p, 3000);
    INSIDE(p, routing_take(&p->c, &behind, boss.id));
    struct invitation taken = again(p, &behind);
    assert_string_equal(taken.state, "accepted");
    assert_int_equal(taken.agent, boss.id);
    assert_int_equal(taken.accepted_at, p->c.now_ms);
    assert_string_equal(told(p, behind.conf), "queued accepted");
    assert_string_equal(routed_offered(p, &boss), "Ann"); /* another's offer is not touched */
    assert_string_equal(place_state(p, i.id), "offered");
    assert_non_null(strstr(routed_trace(p, behind.conf), "accepted boss: came by himself\n"));
}

static void
an_offer_of_the_one_who_was_taken_is_withdrawn_and_cannot_be_accepted(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    int64_t reservation = routed_offer_id(p, &anna);
    INSIDE(p, routing_take(&p->c, &i, 0)); /* a leader who came with a key is no agent */
    struct invitation taken = again(p, &i);
    assert_string_equal(taken.state, "accepted");
    assert_int_equal(taken.agent, 0);
    assert_null(routed_offered(p, &anna));
    assert_string_equal(place_text(p, "SELECT state FROM reservation"), "cancelled");
    assert_int_equal(routed_accept(p, &anna, reservation), ERR_ALREADY_TAKEN);
    assert_int_equal(again(p, &i).agent, 0);
    assert_non_null(strstr(routed_trace(p, i.conf), "withdrawn anna: another came by himself\n"));
}

static void
what_nobody_waits_for_any_more_is_taken_from_nobody(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation accepted = place_customer(p, "Ann");
    assert_int_equal(routed_accept(p, &anna, routed_offer_id(p, &anna)), OK);
    routed_set(p, &anna, "capacity = 1");
    struct agent boss = place_agent(p, "boss");
    routed_set(p, &boss, "capacity = 0");
    struct invitation left = place_customer(p, "Bob");
    INSIDE(p, routing_end(&p->c, &left, "abandoned"));
    int64_t events = place_number(p, "SELECT count(*) FROM event"), lines = place_number(p, "SELECT count(*) FROM decision");
    INSIDE(p, routing_take(&p->c, &accepted, boss.id));
    INSIDE(p, routing_take(&p->c, &left, boss.id));
    assert_int_equal(again(p, &accepted).agent, anna.id);
    assert_string_equal(place_state(p, left.id), "abandoned");
    assert_int_equal(place_number(p, "SELECT count(*) FROM event"), events);
    assert_int_equal(place_number(p, "SELECT count(*) FROM decision"), lines);
}

static void
an_invitation_ends_once_with_its_offer(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    place_later(p, 2000);
    INSIDE(p, routing_end(&p->c, &i, "cancelled"));
    int64_t then = p->c.now_ms;
    assert_string_equal(place_state(p, i.id), "cancelled");
    assert_int_equal(ended_at(p, &i), then);
    assert_null(routed_offered(p, &anna));
    assert_int_equal(pending(p), 0);
    assert_non_null(strstr(routed_trace(p, i.conf), "withdrawn anna: the customer does not wait any more\n"));
    const char *said = told(p, i.conf);
    place_later(p, 2000);
    INSIDE(p, routing_end(&p->c, &i, "done"));
    assert_string_equal(place_state(p, i.id), "cancelled");
    assert_int_equal(ended_at(p, &i), then);
    assert_string_equal(told(p, i.conf), said);
}

static void
an_accepted_invitation_returns_to_its_own_place_and_no_other_does(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    assert_int_equal(routed_accept(p, &anna, routed_offer_id(p, &anna)), OK);
    routed_set(p, &anna, "state = 'notready', reason = ''");
    place_later(p, 60000);
    struct invitation later = place_customer(p, "Bob"), accepted = again(p, &i);
    INSIDE(p, routing_return(&p->c, &accepted, "left the conference"));
    struct invitation back = again(p, &i);
    assert_string_equal(back.state, "queued");
    assert_int_equal(back.agent, 0);
    assert_int_equal(back.queued_at, i.queued_at);
    assert_non_null(strstr(routed_trace(p, i.conf), "gone anna: left the conference\n"));
    struct agent bert = place_agent(p, "bert");
    assert_string_equal(routed_offered(p, &bert), "Ann"); /* before Bob, who came while she was served */
    int64_t lines = place_number(p, "SELECT count(*) FROM decision");
    INSIDE(p, routing_return(&p->c, &later, "left the conference"));
    assert_string_equal(place_state(p, later.id), "queued");
    assert_int_equal(place_number(p, "SELECT count(*) FROM decision"), lines);
}

static void
a_withdrawn_offer_is_queued_again_with_the_reason_in_the_trace(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    INSIDE(p, routing_withdraw(&p->c, anna.id, "revoked", "gone", "went home"));
    assert_string_equal(place_state(p, i.id), "queued");
    assert_string_equal(place_text(p, "SELECT state FROM reservation"), "revoked");
    assert_non_null(strstr(routed_trace(p, i.conf), "gone anna: went home\n"));
    int64_t lines = place_number(p, "SELECT count(*) FROM decision");
    INSIDE(p, routing_withdraw(&p->c, anna.id, "revoked", "gone", "went home")); /* he holds none: nothing to say */
    assert_int_equal(place_number(p, "SELECT count(*) FROM decision"), lines);
}

static void
declining_again_is_well_and_declining_what_is_over_or_anothers_is_not(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    int64_t reservation = routed_offer_id(p, &anna);
    struct agent bert = place_agent(p, "bert");
    REFUSED(p, routing_decline(&p->c, &bert, reservation), ERR_ALREADY_TAKEN, "reservation");
    REFUSED(p, routing_decline(&p->c, &anna, reservation + 1000), ERR_NOT_FOUND, "reservation");
    INSIDE(p, routing_decline(&p->c, &anna, reservation));
    assert_string_equal(routed_offered(p, &bert), "Ann");
    INSIDE(p, routing_decline(&p->c, &anna, reservation));
    assert_string_equal(routed_offered(p, &bert), "Ann"); /* the repetition took nothing from him */
    int64_t his = routed_offer_id(p, &bert);
    INSIDE(p, routing_end(&p->c, &i, "abandoned"));
    REFUSED(p, routing_decline(&p->c, &bert, his), ERR_CONFLICT, "reservation");
}

static void
a_run_offers_what_it_can_and_a_second_one_nothing_more(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), bert = place_agent(p, "bert");
    place_sql(p, "UPDATE agent SET state = 'notready', reason = ''");
    place_customer(p, "first");
    place_customer(p, "second");
    place_customer(p, "third");
    INSIDE(p, routing_run(&p->c));
    assert_int_equal(pending(p), 0);
    place_sql(p, "UPDATE agent SET state = 'ready'");
    INSIDE(p, routing_run(&p->c));
    assert_int_equal(pending(p), 2);
    assert_non_null(routed_offered(p, &anna));
    assert_non_null(routed_offered(p, &bert));
    INSIDE(p, routing_run(&p->c));
    assert_int_equal(pending(p), 2);
    assert_int_equal(place_number(p, "SELECT count(*) FROM invitation WHERE name = 'third' AND state = 'queued'"), 1);
}

static void
only_what_still_waits_is_explained(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    routed_set(p, &anna, "state = 'notready', reason = 'lunch'");
    struct invitation i = place_customer(p, "Ann");
    place_sql(p, "DELETE FROM decision");
    INSIDE(p, routing_explain(&p->c, &i));
    assert_string_equal(routed_trace(p, i.conf), "passed_over anna: lunch\n");
    INSIDE(p, routing_take(&p->c, &i, 0));
    struct invitation taken = again(p, &i);
    int64_t lines = place_number(p, "SELECT count(*) FROM decision");
    INSIDE(p, routing_explain(&p->c, &taken));
    assert_int_equal(place_number(p, "SELECT count(*) FROM decision"), lines);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(who_comes_by_himself_takes_an_invitation_out_of_the_queue),
        PLACED(an_offer_of_the_one_who_was_taken_is_withdrawn_and_cannot_be_accepted),
        PLACED(what_nobody_waits_for_any_more_is_taken_from_nobody),
        PLACED(an_invitation_ends_once_with_its_offer),
        PLACED(an_accepted_invitation_returns_to_its_own_place_and_no_other_does),
        PLACED(a_withdrawn_offer_is_queued_again_with_the_reason_in_the_trace),
        PLACED(declining_again_is_well_and_declining_what_is_over_or_anothers_is_not),
        PLACED(a_run_offers_what_it_can_and_a_second_one_nothing_more),
        PLACED(only_what_still_waits_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
