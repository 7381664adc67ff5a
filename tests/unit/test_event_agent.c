/* The log of events as an agent's page reads it; whom news concern; typing. */
#include "heard.h"

/* ── the agent's view ── */

static void
an_agent_hears_all_his_conferences_and_no_other(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    int64_t first = place_conference(p).id, second = place_conference(p).id, other = place_conference(p).id;
    struct member a = place_member(p, first, "A"), b = place_member(p, second, "B"), c = place_member(p, other, "C");
    struct member mine = enter(p, &anna, first);
    enter(p, &anna, second);
    int64_t after = now_at(p), start = after;
    say(p, &a, TO_ALL, 0, "from-a");
    say(p, &b, TO_STAFF, 0, "from-b");
    say(p, &c, TO_ALL, 0, "from-c");
    say(p, &a, TO_MEMBER, mine.id, "for-anna");
    say(p, &a, TO_MEMBER, b.id, "for-b");
    const char *got = heard_by_agent(p, &anna, &after);
    assert_int_equal(after, start + 5);
    assert_non_null(strstr(got, arena_printf(p->c.mem, "{\"id\":%lld,\"conference\":\"%s\",\"at\":", (long long)start + 1,
                                    conference_name(&p->c, first))));
    assert_non_null(strstr(got, "from-a"));
    assert_non_null(strstr(got, "from-b"));
    assert_non_null(strstr(got, "for-anna"));
    assert_null(strstr(got, "from-c"));
    assert_null(strstr(got, "for-b"));
    assert_string_equal(heard_by_agent(p, &anna, &after), "[]");
}

static void
an_agent_hears_how_a_conference_ended_that_he_has_just_left(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member a = place_member(p, place_conference(p).id, "A");
    enter(p, &anna, a.conf);
    int64_t after = now_at(p), long_after = after, fresh = 0;
    WELL(p, talk_end(&p->c, a.conf, a.id));
    assert_non_null(strstr(heard_by_agent(p, &anna, &after), "\"kind\":\"state\",\"state\":\"ended\""));
    assert_string_equal(heard_by_agent(p, &anna, &fresh), "[]"); /* a page that starts sees what he is in now */
    place_later(p, 61000);
    assert_string_equal(heard_by_agent(p, &anna, &long_after), "[]");
}

static void
what_happens_in_a_conference_after_he_heard_of_its_end_does_not_concern_an_agent(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member a = place_member(p, place_conference(p).id, "A"), b = place_member(p, place_conference(p).id, "B");
    enter(p, &anna, a.conf);
    enter(p, &anna, b.conf);
    int64_t before = now_at(p);
    WELL(p, talk_end(&p->c, a.conf, a.id));
    place_later(p, 10000);
    say(p, &b, TO_ALL, 0, "in-b");
    int64_t after = now_at(p);
    say(p, &a, TO_ALL, 0, "late-a");
    say(p, &b, TO_ALL, 0, "again-b");
    const char *got = heard_by_agent(p, &anna, &before); /* one who has not heard of the end hears all of it */
    assert_true(strstr(got, "ended") && strstr(got, "in-b") && strstr(got, "late-a"));
    got = heard_by_agent(p, &anna, &after);
    assert_true(strstr(got, "again-b") && !strstr(got, "late-a"));
}

static void
an_agent_with_more_than_five_hundred_events_gets_them_in_turns(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member a = place_member(p, place_conference(p).id, "A");
    enter(p, &anna, a.conf);
    int64_t after = now_at(p), start = after;
    bool is_more;
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < EVENTS_MOST + 1; i++)
        say(p, &a, TO_ALL, 0, "x");
    assert_int_equal(db_commit(p->c.db), OK);
    struct value *list = value_list(p->c.mem), *rest = value_list(p->c.mem);
    WELL(p, event_read_agent(&p->c, anna.id, &after, list, &is_more));
    assert_true(is_more);
    assert_int_equal(place_count(list), EVENTS_MOST);
    assert_int_equal(after, start + EVENTS_MOST);
    WELL(p, event_read_agent(&p->c, anna.id, &after, rest, &is_more));
    assert_false(is_more);
    assert_int_equal(place_count(rest), 1);
}

static void
what_happens_to_an_agent_himself_is_for_him_alone(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), bert = place_agent(p, "bert");
    int64_t before = now_at(p);
    bool is_his = true;
    WELL(p, event_is_for_agent(&p->c, anna.id, before, &is_his));
    assert_false(is_his);
    WELL(p, agent_note(&p->c, anna.id, "offer"));
    WELL(p, event_is_for_agent(&p->c, anna.id, before, &is_his));
    assert_true(is_his);
    WELL(p, event_is_for_agent(&p->c, bert.id, before, &is_his));
    assert_false(is_his);
    WELL(p, event_is_for_agent(&p->c, anna.id, before + 1, &is_his));
    assert_false(is_his);
}

/* ── news and typing ── */

static void
news_says_whom_each_event_concerns(void **state)
{
    struct installation *p = *state;
    struct event_news *rows;
    size_t count;
    int64_t conf = place_conference(p).id, before = now_at(p);
    WELL(p, event_note(&p->c, conf, 0, "state", NULL));
    WELL(p, agent_note(&p->c, 17, "offer"));
    WELL(p, event_note(&p->c, conf, 0, "left", NULL));
    WELL(p, event_news(&p->c, before, 2, &rows, &count));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].conf, conf);
    assert_int_equal(rows[1].conf, 0);
    assert_int_equal(rows[1].to_id, 17);
    assert_string_equal(rows[1].audience, "agent");
    WELL(p, event_news(&p->c, rows[1].id, 2, &rows, &count));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].kind, "left");
}

static void
typing_is_heard_by_the_others_who_listen_then(void **state)
{
    struct installation *p = *state;
    int64_t conf = place_conference(p).id, end = now_at(p), serial, later;
    struct member ann = place_member(p, conf, "Ann"), bob = place_member(p, conf, "Bob");
    struct typing_news *news;
    size_t count;
    WELL(p, event_typing_last(&p->c, &serial));
    end = now_at(p);
    WELL(p, event_typing(&p->c, conf, ann.id));
    assert_int_equal(now_at(p), end);
    struct value *for_bob = value_list(p->c.mem), *for_ann = value_list(p->c.mem), *too_late = value_list(p->c.mem);
    WELL(p, event_read_typing(&p->c, conf, bob.id, p->c.boot_ms - 1, 41, for_bob));
    assert_string_equal(place_json(p, for_bob),
        arena_printf(p->c.mem,
            "[{\"id\":41,\"conference\":\"%s\",\"at\":1700000000000,\"from\":{\"member\":%lld,\"role\":\"customer\",\"name\":\"Ann\"},"
            "\"kind\":\"typing\"}]",
            conference_name(&p->c, conf), (long long)ann.id));
    WELL(p, event_read_typing(&p->c, conf, ann.id, p->c.boot_ms - 1, 41, for_ann));
    assert_null(for_ann->first);
    WELL(p, event_read_typing(&p->c, conf, bob.id, p->c.boot_ms, 41, too_late));
    assert_null(too_late->first);
    WELL(p, event_typing_news(&p->c, serial, &news, &count));
    assert_int_equal(count, 1);
    assert_int_equal(news[0].conf, conf);
    WELL(p, event_typing(&p->c, conf, bob.id));
    WELL(p, event_typing(&p->c, conf, ann.id));
    WELL(p, event_typing_last(&p->c, &later));
    assert_int_equal(later, serial + 3);
}

static void
what_was_typed_before_the_machine_started_is_not_heard_now(void **state)
{
    struct installation *p = *state;
    int64_t conf = place_conference(p).id;
    struct member ann = place_member(p, conf, "Ann"), bob = place_member(p, conf, "Bob");
    WELL(p, event_typing(&p->c, conf, ann.id));
    p->c.boot_ms = 60000; /* the machine has been started again: its clock begins anew */
    struct value *list = value_list(p->c.mem);
    WELL(p, event_read_typing(&p->c, conf, bob.id, 50000, 41, list));
    CHECK(!list->first, "heard: %s", place_json(p, list));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(an_agent_hears_all_his_conferences_and_no_other),
        PLACED(an_agent_hears_how_a_conference_ended_that_he_has_just_left),
        PLACED(what_happens_in_a_conference_after_he_heard_of_its_end_does_not_concern_an_agent),
        PLACED(an_agent_with_more_than_five_hundred_events_gets_them_in_turns),
        PLACED(what_happens_to_an_agent_himself_is_for_him_alone),
        PLACED(news_says_whom_each_event_concerns),
        PLACED(typing_is_heard_by_the_others_who_listen_then),
        PLACED(what_was_typed_before_the_machine_started_is_not_heard_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
