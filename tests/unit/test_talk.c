/* A customer's case from its beginning: the queue, the room, the agent who comes. */
#include "talked.h"

/* ── the customer comes ── */

static void
a_room_that_is_queued_while_somebody_is_free_is_offered_at_once(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    int64_t before = now_at(p);
    struct invitation i = place_customer(p, "Ann");
    assert_string_equal(i.state, "offered");
    assert_int_equal(offer_of(p, &anna).invitation, i.id);
    assert_true(hears(p, &anna, before));
    assert_string_equal(log_of(p, i.conf), "joined, queue queued, queue offered");
    assert_string_equal(room_state(p, i.conf), "waiting");
}

static void
only_a_live_conference_is_queued_or_joined(void **state)
{
    struct installation *p = *state;
    struct invitation i;
    struct member member;
    struct invitation_wish wish = place_wish(148474396310564);
    struct member_new who = {.conf = wish.conf, .role = "customer", .name = ""};
    REFUSED(p, talk_queue(&p->c, &wish, &i), ERR_NOT_FOUND, "conf");
    REFUSED(p, talk_join(&p->c, &who, "hello", &member), ERR_NOT_FOUND, "conf");
    wish.conf = who.conf = place_conference(p).id;
    WELL(p, talk_end(&p->c, wish.conf, 0));
    REFUSED(p, talk_queue(&p->c, &wish, &i), ERR_CONFLICT, "conf");
    REFUSED(p, talk_join(&p->c, &who, "hello", &member), ERR_CONFLICT, "conf");
    assert_int_equal(place_number(p, "SELECT count(*) FROM member"), 0);
    assert_int_equal(place_number(p, "SELECT count(*) FROM invitation"), 0);
}

static void
what_was_queued_or_joined_before_the_end_is_answered_again_after_it(void **state)
{
    struct installation *p = *state;
    struct invitation first, again;
    struct member member, same;
    struct invitation_wish wish = place_wish(place_conference(p).id);
    struct member_new who = {.conf = wish.conf, .role = "customer", .name = "Ann", .account = "key:1", .reqid = "r1"};
    wish.reqid = "r1";
    WELL(p, talk_queue(&p->c, &wish, &first));
    WELL(p, talk_join(&p->c, &who, "hello", &member));
    WELL(p, talk_end(&p->c, wish.conf, 0));
    const char *log = log_of(p, wish.conf);
    WELL(p, talk_queue(&p->c, &wish, &again));
    assert_int_equal(again.id, first.id);
    WELL(p, talk_join(&p->c, &who, "hello", &same));
    assert_int_equal(same.id, member.id);
    assert_string_equal(log_of(p, wish.conf), log);
    who.account = "key:2";
    REFUSED(p, talk_join(&p->c, &who, "hello", &same), ERR_CONFLICT, "conf");
    wish.reqid = "r2";
    REFUSED(p, talk_queue(&p->c, &wish, &again), ERR_CONFLICT, "conf");
}

static void
the_first_thing_that_he_says_is_said_once(void **state)
{
    struct installation *p = *state;
    struct member first, again;
    struct member_new who = {.conf = place_conference(p).id, .role = "customer", .name = "Ann", .reqid = "r1"};
    WELL(p, talk_join(&p->c, &who, "Where is my parcel?", &first));
    WELL(p, talk_join(&p->c, &who, "Where is my parcel?", &again));
    assert_int_equal(again.id, first.id);
    assert_string_equal(log_of(p, who.conf), "joined, message Where is my parcel?");
}

static void
queueing_the_same_again_offers_once(void **state)
{
    struct installation *p = *state;
    struct invitation first, again;
    struct agent anna = place_agent(p, "anna");
    struct invitation_wish wish = place_wish(place_conference(p).id);
    wish.reqid = "r1";
    WELL(p, talk_queue(&p->c, &wish, &first));
    WELL(p, talk_queue(&p->c, &wish, &again));
    assert_int_equal(again.id, first.id);
    assert_int_equal(offer_of(p, &anna).invitation, first.id);
    assert_int_equal(place_number(p, "SELECT count(*) FROM reservation"), 1);
}

/* ── the agent comes ── */

static void
an_agent_who_accepts_is_in_the_room_and_they_talk(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    place_later(p, 5000);
    struct member member = taken(p, &anna);
    assert_int_equal(member.conf, i.conf);
    assert_string_equal(member.role, "agent");
    assert_true(member.is_leader);
    assert_int_equal(member.agent, anna.id);
    assert_string_equal(room_state(p, i.conf), "talking");
    WELL(p, invitation_find(&p->c, i.id, &i));
    assert_string_equal(i.state, "accepted");
    assert_int_equal(i.agent, anna.id);
    assert_int_equal(i.accepted_at, p->c.now_ms);
    assert_string_equal(log_of(p, i.conf), "joined, queue queued, queue offered, queue accepted, joined, state talking");
    WELL(p, agent_find(&p->c, anna.id, &anna));
    assert_int_equal(anna.busy, 1);
}

static void
accepting_twice_gives_the_same_answer_even_after_the_end(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "Ann");
    int64_t reservation = offer_of(p, &anna).id;
    struct invitation i;
    struct member first, again;
    WELL(p, talk_accept(&p->c, &anna, reservation, &i, &first));
    WELL(p, talk_accept(&p->c, &anna, reservation, &i, &again));
    assert_int_equal(again.id, first.id);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'joined'"), 2);
    WELL(p, talk_end(&p->c, first.conf, first.id));
    WELL(p, talk_accept(&p->c, &anna, reservation, &i, &again));
    assert_int_equal(again.id, first.id);
    assert_string_equal(i.state, "done");
    assert_string_equal(room_state(p, first.conf), "ended");
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'joined'"), 2);
}

static void
an_agent_with_room_for_more_is_offered_the_next_when_he_accepts(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "first");
    struct invitation second = place_customer(p, "second");
    taken(p, &anna);
    assert_int_equal(offer_of(p, &anna).invitation, second.id);
}

static void
a_supervisor_who_accepts_is_a_supervisor_in_the_room(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_sql(p, "UPDATE agent SET role = 'admin'");
    WELL(p, agent_find(&p->c, anna.id, &anna));
    place_customer(p, "Ann");
    assert_string_equal(taken(p, &anna).role, "supervisor");
}

static void
not_ready_gives_the_offer_to_the_next_and_ready_takes_what_waits(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 1000);
    struct agent bert = place_agent(p, "bert");
    struct invitation i = place_customer(p, "Ann");
    int64_t before = now_at(p);
    WELL(p, talk_notready(&p->c, &anna, "lunch"));
    assert_false(has_offer(p, &anna));
    assert_int_equal(offer_of(p, &bert).invitation, i.id);
    assert_true(hears(p, &anna, before));
    assert_true(hears(p, &bert, before));
    assert_string_equal(place_text(p, "SELECT state FROM reservation ORDER BY id LIMIT 1"), "revoked");
    struct invitation second = place_customer(p, "second");
    assert_string_equal(second.state, "queued");
    WELL(p, agent_find(&p->c, anna.id, &anna));
    assert_string_equal(anna.reason, "lunch");
    WELL(p, talk_ready(&p->c, &anna));
    assert_int_equal(offer_of(p, &anna).invitation, second.id);
    WELL(p, agent_find(&p->c, anna.id, &anna));
    assert_string_equal(anna.reason, "");
}

static void
the_first_poll_after_an_absence_takes_what_waits(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_sql(p, "UPDATE agent SET is_present = 0");
    struct invitation i = place_customer(p, "Ann");
    assert_false(has_offer(p, &anna));
    WELL(p, talk_agent_seen(&p->c, &anna)); /* he was here a moment ago, as far as this request knew */
    assert_false(has_offer(p, &anna));
    WELL(p, agent_find(&p->c, anna.id, &anna));
    WELL(p, talk_agent_seen(&p->c, &anna));
    assert_int_equal(offer_of(p, &anna).invitation, i.id);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_room_that_is_queued_while_somebody_is_free_is_offered_at_once),
        PLACED(only_a_live_conference_is_queued_or_joined),
        PLACED(what_was_queued_or_joined_before_the_end_is_answered_again_after_it),
        PLACED(the_first_thing_that_he_says_is_said_once),
        PLACED(queueing_the_same_again_offers_once),
        PLACED(an_agent_who_accepts_is_in_the_room_and_they_talk),
        PLACED(accepting_twice_gives_the_same_answer_even_after_the_end),
        PLACED(an_agent_with_room_for_more_is_offered_the_next_when_he_accepts),
        PLACED(a_supervisor_who_accepts_is_a_supervisor_in_the_room),
        PLACED(not_ready_gives_the_offer_to_the_next_and_ready_takes_what_waits),
        PLACED(the_first_poll_after_an_absence_takes_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
