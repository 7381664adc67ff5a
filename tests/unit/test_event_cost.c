/* What reading costs: no more than what is given, whatever else was written and whoever else is there. Counted in sqlite's own steps, not in time. */
#include "heard.h"

enum { PER_TICK = 50, MANY = 4000, FEW = 1500 /* steps; a row that is gone through takes five or more */, A_ROW = 150 };

static int64_t ticks;

static int
tick(void *context)
{
    (void)context;
    ticks++;
    return 0;
}

/* sqlite calls it for each database that is opened. */
static int
count_steps(sqlite3 *db, const char **why, const void *api)
{
    (void)why;
    (void)api;
    sqlite3_progress_handler(db, PER_TICK, tick, NULL);
    return SQLITE_OK;
}

static int
setup(void **state)
{
    sqlite3_auto_extension((void (*)(void))count_steps);
    return place_setup(state);
}

#define COUNTED(function) cmocka_unit_test_setup_teardown(function, setup, place_teardown)

#define CHEAP(steps, call)                                                                                                       \
    do {                                                                                                                         \
        ticks = 0;                                                                                                               \
        call;                                                                                                                    \
        CHECK(ticks *PER_TICK <= (steps), "%s: %lld steps", #call, (long long)ticks * PER_TICK);                                 \
    } while (0)

/* Somebody writes to somebody as much as he likes. */
static void
write_many(struct installation *p, const struct member *from, enum audience audience, int64_t to)
{
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < MANY; i++)
        say(p, from, audience, to, "x");
    assert_int_equal(db_commit(p->c.db), OK);
}

static void
what_is_for_others_is_not_gone_through(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member ann = place_member(p, place_conference(p).id, "Ann"), bob = place_member(p, ann.conf, "Bob");
    enter(p, &anna, ann.conf);
    int64_t start = now_at(p), after = start, first;
    bool is_more;
    struct reader reader = {.member = bob.id};
    struct value *list = value_list(p->c.mem);
    write_many(p, &bob, TO_MEMBER, ann.id);
    write_many(p, &ann, TO_STAFF, 0);
    CHEAP(FEW, WELL(p, event_read(&p->c, ann.conf, &reader, &after, list, &is_more)));
    assert_null(list->first);
    assert_int_equal(after, now_at(p));
    assert_false(is_more);
    CHEAP(FEW, WELL(p, event_read_part(&p->c, ann.conf, &reader, &start, list, &is_more)));
    CHEAP(FEW, WELL(p, event_read_last(&p->c, ann.conf, &reader, EVENTS_MOST, &first, &list)));
    assert_in_range(place_count(list), 1, 10); /* who came in */
    write_many(p, &bob, TO_MEMBER, ann.id);
    CHEAP(FEW, WELL(p, event_read_agent(&p->c, anna.id, &after, list, &is_more)));
    assert_int_equal(after, now_at(p));
}

static void
what_happened_to_other_agents_is_not_gone_through(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), bert = place_agent(p, "bert");
    bool is_his;
    int64_t before = now_at(p);
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < MANY; i++)
        WELL(p, agent_note(&p->c, bert.id, "offer"));
    assert_int_equal(db_commit(p->c.db), OK);
    CHEAP(FEW, WELL(p, event_is_for_agent(&p->c, anna.id, before, &is_his)));
    assert_false(is_his);
}

static void
a_page_of_a_long_room_costs_what_it_gives(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    enter(p, &anna, ann.conf);
    bool is_more = true;
    int64_t after = 0;
    struct reader reader = {.is_staff = true};
    struct value *list = value_list(p->c.mem);
    write_many(p, &ann, TO_ALL, 0);
    for (int pages = 0; is_more; pages++) {
        CHEAP(EVENTS_MOST * A_ROW, WELL(p, event_read_agent(&p->c, anna.id, &after, list, &is_more)));
        assert_in_range(pages, 0, MANY / EVENTS_MOST + 1);
    }
    CHEAP(EVENTS_MOST * A_ROW, WELL(p, event_read_last(&p->c, ann.conf, &reader, EVENTS_MOST, &after, &list)));
    assert_int_equal(place_count(list), EVENTS_MOST);
}

static void
the_newest_of_a_kind_is_looked_for_among_the_last_ones_only(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    int64_t id;
    WELL(p, event_note(&p->c, ann.conf, ann.id, "left", NULL));
    int64_t left = now_at(p);
    write_many(p, &ann, TO_STAFF, 0); /* which do not count */
    WELL(p, event_last_of(&p->c, ann.conf, ann.id, "left", &id));
    assert_int_equal(id, left);
    for (int i = 1; i < EVENT_LOOK_BACK; i++)
        say(p, &ann, TO_ALL, 0, "x");
    WELL(p, event_last_of(&p->c, ann.conf, ann.id, "left", &id));
    assert_int_equal(id, left);
    write_many(p, &ann, TO_ALL, 0);
    CHEAP(20 * EVENT_LOOK_BACK, assert_int_equal(event_last_of(&p->c, ann.conf, ann.id, "left", &id), ERR_NOT_FOUND));
}

/* ── several rooms ── */

enum { ROOMS = 3, SAID = 1300 };

/* Who says the next one in which room, and whom it is for: anything may follow anything. */
static void
say_at_random(struct installation *p, const struct member *customers, const struct member *mine, uint32_t *seed, int number)
{
    static const enum audience audiences[] = {TO_ALL, TO_ALL, TO_STAFF, TO_MEMBER, TO_MEMBER};
    *seed = *seed * 1103515245 + 12345;
    int at = (int)(*seed >> 16) % (ROOMS + 1), whom = (int)(*seed >> 20) % (int)COUNT(audiences);
    int64_t to = audiences[whom] != TO_MEMBER ? 0 : whom % 2 == 0 || at == ROOMS ? customers[at].id : mine[at].id;
    say(p, &customers[at], audiences[whom], to, arena_printf(p->c.mem, "%d", number));
}

static void
an_agents_rooms_come_in_one_order_none_lost_none_doubled(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member customers[ROOMS + 1], mine[ROOMS];
    for (int i = 0; i <= ROOMS; i++) /* she is not in the last */
        customers[i] = place_member(p, place_conference(p).id, "C");
    for (int i = 0; i < ROOMS; i++)
        mine[i] = enter(p, &anna, customers[i].conf);
    int64_t start = now_at(p), after = start, last = start, count = 0;
    uint32_t seed = 1;
    bool is_more = true;
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < SAID; i++)
        say_at_random(p, customers, mine, &seed, i);
    for (int i = 0; i < SAID; i++) /* and one room's alone, and one after the other */
        say(p, &customers[i < SAID / 2 ? 0 : i % ROOMS], TO_ALL, 0, arena_printf(p->c.mem, "%d", SAID + i));
    assert_int_equal(db_commit(p->c.db), OK);
    while (is_more) {
        struct value *list = value_list(p->c.mem);
        CHEAP(EVENTS_MOST * 3 * A_ROW, WELL(p, event_read_agent(&p->c, anna.id, &after, list, &is_more)));
        assert_int_equal(place_count(list), is_more ? EVENTS_MOST : place_count(list));
        for (const struct value *v = list->first; v; v = v->next, count++) {
            CHECK(value_get_int(v, "id", 0) > last, "%lld after %lld", (long long)value_get_int(v, "id", 0), (long long)last);
            last = value_get_int(v, "id", 0);
            assert_string_equal(value_get_text(v, "text"), arena_printf(p->c.mem, "%lld", (long long)(last - start - 1)));
        }
    }
    assert_int_equal(after, now_at(p));
    const char *want = arena_printf(p->c.mem,
        "SELECT count(*) FROM event e JOIN member m ON m.conf = e.conf AND m.agent = %lld WHERE e.id > %lld AND (e.audience IN "
        "('all', 'staff') OR e.to_id = m.id)",
        (long long)anna.id, (long long)start);
    assert_int_equal(count, place_number(p, want));
}

/* How many events of a conference somebody sees who left with `until`. */
static int64_t
seen_until(struct installation *p, const struct member *who, int64_t from, int64_t until)
{
    bool is_more = true;
    int64_t after = from, count = 0, last_after;
    struct reader as = {.member = who->id, .is_staff = true, .until = until};
    struct value *list;
    while (is_more) {
        list = value_list(p->c.mem);
        WELL(p, event_read(&p->c, who->conf, &as, &after, list, &is_more));
        count += place_count(list);
    }
    WELL(p, event_read_last(&p->c, who->conf, &as, 3, &last_after, &list));
    for (const struct value *v = list->first; v; v = v->next)
        assert_true(value_get_int(v, "id", 0) <= until);
    assert_int_equal(place_count(list), 3);
    assert_int_equal(after, until);
    return count;
}

static void
who_left_sees_what_happened_until_then_and_all_of_his_other_rooms(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member customers[2], mine[2];
    for (int i = 0; i < 2; i++) {
        customers[i] = place_member(p, place_conference(p).id, "C");
        mine[i] = enter(p, &anna, customers[i].conf);
    }
    int64_t start = now_at(p);
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < 1300; i++)
        say(p, &customers[i % 3 == 0], TO_ALL, 0, "x");
    assert_int_equal(db_commit(p->c.db), OK);
    static const int lefts[] = {6, 7, 8, 149, 150, 151, 749, 750, 751, 1300};
    for (size_t n = 0; n < COUNT(lefts); n++) {
        int64_t after = start, count = 0, last = start, until = start + lefts[n];
        bool is_more = true;
        place_sql(p, arena_printf(p->c.mem, "UPDATE member SET left_at = %lld, left_event = %lld WHERE id = %lld",
                         (long long)p->c.now_ms, (long long)until, (long long)mine[0].id));
        while (is_more) {
            struct value *list = value_list(p->c.mem);
            WELL(p, event_read_agent(&p->c, anna.id, &after, list, &is_more));
            for (const struct value *v = list->first; v; v = v->next, count++)
                assert_true(value_get_int(v, "id", 0) > last && (last = value_get_int(v, "id", 0)) > 0);
        }
        int64_t own = seen_until(p, &mine[0], start, until);
        assert_int_equal(own, lefts[n] - (lefts[n] + 2) / 3);
        assert_int_equal(count, own + 434);
    }
}

static void
a_customer_who_asks_among_many_guests_costs_what_he_does_without_them(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    enter(p, &anna, ann.conf);
    for (int n = 2; n < GUESTS_MAX; n++)
        place_member(p, ann.conf, "guest");
    CHEAP(FEW, WELL(p, talk_member_seen(&p->c, &ann)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(what_is_for_others_is_not_gone_through),
        COUNTED(what_happened_to_other_agents_is_not_gone_through),
        COUNTED(a_page_of_a_long_room_costs_what_it_gives),
        COUNTED(the_newest_of_a_kind_is_looked_for_among_the_last_ones_only),
        COUNTED(an_agents_rooms_come_in_one_order_none_lost_none_doubled),
        COUNTED(who_left_sees_what_happened_until_then_and_all_of_his_other_rooms),
        COUNTED(a_customer_who_asks_among_many_guests_costs_what_he_does_without_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
