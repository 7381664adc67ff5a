/* Whom the latest events concern, and where everybody stands: what wakes the parked polls. */
#include "visit.h"

#include "model/routing.h"
#include "page/news.h"

/* What news says, as sorted text of keys; the list is emptied, as the loop does it. */
static const char *
keys(struct installation *p, struct news *news)
{
    struct buf out = buf_new(p->c.mem, 100000);
    for (size_t i = 0; i < news->count; i++)
        buf_printf(&out, "%s%lld", i ? " " : "", (long long)news->keys[i]);
    news->count = news->cap = 0;
    return buf_str(&out);
}

static const char *
conferences(struct installation *p, struct news *news)
{
    news->places_changed = false;
    WELL(p, news_of_conferences(&p->c, news));
    return keys(p, news);
}

static const char *
agents(struct installation *p, struct news *news)
{
    WELL(p, news_of_agents(&p->c, news));
    return keys(p, news);
}

static const char *
number(struct installation *p, int64_t n)
{
    return arena_printf(p->c.mem, "%lld", (long long)n);
}

static struct member
enter(struct installation *p, const struct agent *agent, int64_t conf)
{
    struct member member;
    struct member_new who = {.conf = conf, .role = "agent", .is_leader = true, .name = agent->name, .agent = agent->id};
    WELL(p, talk_join(&p->c, &who, NULL, &member));
    return member;
}

static void
what_was_before_the_first_look_is_no_news(void **state)
{
    struct installation *p = *state;
    struct news news = {0};
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    WELL(p, event_typing(&p->c, ann.conf, ann.id));
    assert_string_equal(conferences(p, &news), "");
    assert_string_equal(conferences(p, &news), "");
    WELL(p, event_note(&p->c, ann.conf, 0, "state", "talking"));
    assert_string_equal(conferences(p, &news), number(p, ann.conf));
    assert_string_equal(conferences(p, &news), "");
}

static void
the_very_first_event_of_a_new_database_is_news(void **state)
{
    struct installation *p = *state;
    struct news news = {0};
    place_sql(p, "UPDATE site SET last_event = 0");
    assert_string_equal(conferences(p, &news), "");
    WELL(p, event_note(&p->c, 42, 0, "state", "talking"));
    assert_string_equal(conferences(p, &news), "42");
}

static void
each_conference_with_something_new_is_named_and_a_change_of_the_queue_is_noted(void **state)
{
    struct installation *p = *state;
    struct news news = {0};
    int64_t first = place_conference(p).id, second = place_conference(p).id;
    conferences(p, &news);
    WELL(p, event_note(&p->c, first, 0, "state", "talking"));
    WELL(p, agent_note(&p->c, 17, "offer"));
    assert_string_equal(conferences(p, &news), number(p, first));
    assert_false(news.places_changed);
    WELL(p, event_note(&p->c, second, 0, "message", NULL));
    WELL(p, invitation_note(&p->c, first, "queued", true));
    assert_string_equal(conferences(p, &news), arena_printf(p->c.mem, "%lld %lld", (long long)second, (long long)first));
    assert_true(news.places_changed);
}

static void
typing_is_news_without_an_event(void **state)
{
    struct installation *p = *state;
    struct news rooms = {0}, desks = {0};
    struct agent anna = place_agent(p, "anna");
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    enter(p, &anna, ann.conf);
    conferences(p, &rooms);
    agents(p, &desks);
    WELL(p, event_typing(&p->c, ann.conf, ann.id));
    assert_string_equal(conferences(p, &rooms), number(p, ann.conf));
    assert_string_equal(agents(p, &desks), number(p, anna.id));
    assert_string_equal(conferences(p, &rooms), "");
}

static void
an_agent_has_news_of_the_rooms_that_he_is_in_and_of_himself(void **state)
{
    struct installation *p = *state;
    struct news news = {0};
    struct agent anna = place_agent(p, "anna"), bert = place_agent(p, "bert");
    struct member ann = place_member(p, place_conference(p).id, "Ann"), other = place_member(p, place_conference(p).id, "Other");
    enter(p, &anna, ann.conf);
    enter(p, &bert, ann.conf);
    agents(p, &news);
    WELL(p, event_note(&p->c, ann.conf, ann.id, "message", NULL));
    assert_string_equal(agents(p, &news), arena_printf(p->c.mem, "%lld %lld", (long long)anna.id, (long long)bert.id));
    WELL(p, event_note(&p->c, other.conf, other.id, "message", NULL));
    assert_string_equal(agents(p, &news), "");
    WELL(p, agent_note(&p->c, bert.id, "offer"));
    assert_string_equal(agents(p, &news), number(p, bert.id));
    WELL(p, talk_end(&p->c, ann.conf, 0)); /* then nobody is in the room: they are told themselves */
    const char *got = agents(p, &news);
    assert_non_null(strstr(got, number(p, anna.id)));
    assert_non_null(strstr(got, number(p, bert.id)));
}

static void
an_agent_has_news_of_the_room_that_is_offered_to_him_until_he_lets_it_go(void **state)
{
    struct installation *p = *state;
    struct news news = {0};
    bool is_his = true;
    struct agent anna = place_agent(p, "anna");
    struct invitation first = place_customer(p, "first"), second = place_customer(p, "second");
    struct reservation_of_agent held;
    WELL(p, routing_tick(&p->c));
    WELL(p, routing_offer_of(&p->c, anna.id, &held));
    assert_int_equal(held.invitation, first.id);
    agents(p, &news);
    int64_t before = news.cursor;
    WELL(p, event_note(&p->c, second.conf, 0, "message", "not offered"));
    assert_string_equal(agents(p, &news), "");
    WELL(p, event_is_for_agent(&p->c, anna.id, before, &is_his));
    assert_false(is_his);
    WELL(p, event_note(&p->c, first.conf, 0, "message", "are you there?"));
    assert_string_equal(agents(p, &news), number(p, anna.id));
    WELL(p, event_is_for_agent(&p->c, anna.id, before, &is_his));
    assert_true(is_his);
    WELL(p, event_is_for_agent(&p->c, anna.id, news.cursor, &is_his));
    assert_false(is_his);
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(db_end(p->c.db, routing_decline(&p->c, &anna, held.id)), OK);
    agents(p, &news);
    WELL(p, event_note(&p->c, first.conf, 0, "message", "still there?"));
    assert_string_equal(agents(p, &news), "");
}

static void
thousands_of_events_are_all_looked_at_in_one_turn(void **state)
{
    struct installation *p = *state;
    struct news news = {0};
    conferences(p, &news);
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < 2500; i++)
        WELL(p, event_note(&p->c, 100 + i, 0, "state", NULL));
    assert_int_equal(db_commit(p->c.db), OK);
    WELL(p, news_of_conferences(&p->c, &news));
    assert_int_equal(news.count, 2500);
    for (int i = 0; i < 2500; i++)
        assert_int_equal(news.keys[i], 100 + i);
}

/* ── places ── */

static void
every_waiting_conference_has_its_place(void **state)
{
    struct installation *p = *state;
    struct places places = {0};
    int32_t place = 77;
    WELL(p, news_places(&p->c, &places));
    assert_int_equal(places.count, 0);
    struct invitation first = place_customer(p, "first"), second = place_customer(p, "second");
    WELL(p, news_places(&p->c, &places));
    assert_int_equal(places.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(places.items[i].place, places.items[i].key == first.conf ? 1 : 2);
    WELL(p, news_place(&p->c, second.conf, &place));
    assert_int_equal(place, 2);
    WELL(p, news_place(&p->c, 42, &place));
    assert_int_equal(place, 0);
}

static void
a_better_place_is_told_after_15_seconds_and_a_worse_one_not_at_all(void **state)
{
    struct installation *p = *state;
    bool has_moved = true;
    struct invitation first = place_customer(p, "first"), second = place_customer(p, "second");
    struct wait wait = {.key = second.conf, .parked_ms = p->c.boot_ms, .place = 2}, worse = wait, none = wait;
    worse.place = 1;
    none.place = 0;
    WELL(p, talk_cancel(&p->c, first.id));
    place_later(p, NEWS_PLACE_MS - 1);
    WELL(p, news_has_moved(&p->c, &wait, &has_moved));
    assert_false(has_moved);
    place_later(p, 1);
    WELL(p, news_has_moved(&p->c, &wait, &has_moved));
    assert_true(has_moved);
    WELL(p, news_has_moved(&p->c, &worse, &has_moved));
    assert_false(has_moved);
    WELL(p, news_has_moved(&p->c, &none, &has_moved));
    assert_false(has_moved);
    WELL(p, talk_cancel(&p->c, second.id));
    WELL(p, news_has_moved(&p->c, &wait, &has_moved));
    assert_false(has_moved); /* he waits no more: an event says that */
}

static void
without_its_tables_news_are_unavailable_and_come_later(void **state)
{
    struct installation *p = *state;
    struct news news = {0}, first = {0};
    struct places places;
    struct wait wait = {.key = 1, .place = 2};
    bool has_moved;
    int32_t place = 77;
    conferences(p, &news);
    WELL(p, event_note(&p->c, 42, 0, "state", NULL));
    place_sql(p, "ALTER TABLE event RENAME TO hidden");
    REFUSED(p, news_of_conferences(&p->c, &news), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE hidden RENAME TO event");
    assert_string_equal(conferences(p, &news), "42");
    place_sql_on(p, "live.db", "ALTER TABLE typing RENAME TO hidden");
    REFUSED(p, news_of_agents(&p->c, &news), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE site RENAME TO hidden");
    REFUSED(p, news_of_agents(&p->c, &first), ERR_UNAVAILABLE, NULL);
    REFUSED(p, news_places(&p->c, &places), ERR_UNAVAILABLE, NULL);
    REFUSED(p, news_has_moved(&p->c, &wait, &has_moved), ERR_UNAVAILABLE, NULL);
    REFUSED(p, news_place(&p->c, 1, &place), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(what_was_before_the_first_look_is_no_news),
        PLACED(the_very_first_event_of_a_new_database_is_news),
        PLACED(each_conference_with_something_new_is_named_and_a_change_of_the_queue_is_noted),
        PLACED(typing_is_news_without_an_event),
        PLACED(an_agent_has_news_of_the_rooms_that_he_is_in_and_of_himself),
        PLACED(an_agent_has_news_of_the_room_that_is_offered_to_him_until_he_lets_it_go),
        PLACED(thousands_of_events_are_all_looked_at_in_one_turn),
        PLACED(every_waiting_conference_has_its_place),
        PLACED(a_better_place_is_told_after_15_seconds_and_a_worse_one_not_at_all),
        PLACED(without_its_tables_news_are_unavailable_and_come_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
