/* The log of events: what a member reads, repeated requests, the order of ids. */
#include "heard.h"

/* ── reading ── */

static void
an_event_is_told_with_its_time_sender_kind_text_and_fields(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    int64_t before = now_at(p), id;
    struct value *data = value_object(p->c.mem);
    value_add_int(data, "stars", 4);
    value_add_text(data, "note", "Grüße \"&<");
    place_later(p, 1000);
    struct event_new event =
        {.conf = ann.conf, .member = ann.id, .kind = "rating", .audience = TO_ALL, .text = "good", .data = data};
    WELL(p, event_add(&p->c, &event, &id));
    assert_int_equal(id, before + 1);
    const char *want = arena_printf(p->c.mem,
        "[{\"id\":%lld,\"at\":1700000001000,\"from\":{\"member\":%lld,\"role\":\"customer\",\"name\":\"Ann\"},\"kind\":\"rating\","
        "\"text\":\"good\",\"stars\":4,\"note\":\"Grüße \\\"&\\u003C\"}]",
        (long long)id, (long long)ann.id);
    assert_string_equal(heard(p, ann.conf, ann.id, false, before), want);
}

static void
the_systems_own_events_have_no_member_and_no_text(void **state)
{
    struct installation *p = *state;
    int64_t conf = place_conference(p).id, before = now_at(p);
    WELL(p, event_note(&p->c, conf, 0, "state", "talking"));
    const char *want = arena_printf(p->c.mem,
        "[{\"id\":%lld,\"at\":1700000000000,\"from\":{\"member\":0,\"role\":\"system\",\"name\":\"\"},\"kind\":\"state\",\"state\":\"talking\"}]",
        (long long)before + 1);
    assert_string_equal(heard(p, conf, 0, false, before), want);
}

static void
a_reader_gets_what_is_for_all_for_him_and_as_staff_what_is_for_staff(void **state)
{
    struct installation *p = *state;
    int64_t conf = place_conference(p).id;
    struct member ann = place_member(p, conf, "Ann"), bob = place_member(p, conf, "Bob");
    struct member other = place_member(p, place_conference(p).id, "Other");
    int64_t before = now_at(p);
    say(p, &ann, TO_ALL, 0, "for-all");
    say(p, &ann, TO_STAFF, 0, "for-staff");
    say(p, &ann, TO_MEMBER, bob.id, "for-bob");
    say(p, &other, TO_ALL, 0, "elsewhere");
    WELL(p, agent_note(&p->c, ann.id, "agent"));
    static const struct {
        bool is_bob;
        bool is_staff;
        const char *words[3];
    } rows[] = {{false, false, {"for-all"}}, {true, false, {"for-all", "for-bob"}}, {false, true, {"for-all", "for-staff"}},
        {true, true, {"for-all", "for-staff", "for-bob"}}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = heard(p, conf, rows[i].is_bob ? bob.id : ann.id, rows[i].is_staff, before);
        static const char *const all[] = {"for-all", "for-staff", "for-bob", "elsewhere"};
        for (size_t w = 0; w < COUNT(all); w++) {
            bool wanted = false;
            for (int k = 0; k < 3; k++)
                wanted |= text_same(rows[i].words[k], all[w]);
            CHECK((strstr(got, all[w]) != NULL) == wanted, "row %zu, %s: %s", i, all[w], got);
        }
    }
}

static void
a_cursor_moves_over_what_is_not_for_the_reader(void **state)
{
    struct installation *p = *state;
    bool is_more = true;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct reader reader = {.member = ann.id};
    int64_t after = now_at(p);
    say(p, &ann, TO_STAFF, 0, "not for her");
    int64_t last = say(p, &ann, TO_STAFF, 0, "nor this");
    struct value *list = value_list(p->c.mem);
    WELL(p, event_read(&p->c, ann.conf, &reader, &after, list, &is_more));
    assert_null(list->first);
    assert_int_equal(after, last);
    assert_false(is_more);
}

static void
a_cursor_from_beyond_the_end_counts_as_the_end(void **state)
{
    struct installation *p = *state;
    bool is_more;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct reader reader = {.member = ann.id};
    int64_t after = 9007199254740991, end = now_at(p);
    struct value *list = value_list(p->c.mem);
    WELL(p, event_read(&p->c, ann.conf, &reader, &after, list, &is_more));
    assert_int_equal(after, end);
    say(p, &ann, TO_ALL, 0, "next");
    WELL(p, event_read(&p->c, ann.conf, &reader, &after, list, &is_more));
    assert_int_equal(place_count(list), 1);
}

static void
five_hundred_at_once_then_the_rest_none_lost_none_doubled(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct reader reader = {.member = ann.id};
    int64_t start = now_at(p), after = start, expected = 0;
    bool is_more = true;
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < 1200; i++)
        say(p, &ann, TO_ALL, 0, arena_printf(p->c.mem, "%d", i));
    assert_int_equal(db_commit(p->c.db), OK);
    for (int turn = 0; turn < 3; turn++) {
        assert_true(is_more);
        struct value *list = value_list(p->c.mem);
        WELL(p, event_read(&p->c, ann.conf, &reader, &after, list, &is_more));
        assert_int_equal(place_count(list), turn < 2 ? EVENTS_MOST : 200);
        for (const struct value *v = list->first; v; v = v->next)
            assert_string_equal(value_get_text(v, "text"), arena_printf(p->c.mem, "%lld", (long long)expected++));
        assert_int_equal(after, start + expected);
    }
    assert_false(is_more);
}

static void
the_last_events_of_a_room_are_its_own_and_no_more_than_wanted(void **state)
{
    struct installation *p = *state;
    int64_t after = 77, conf = place_conference(p).id;
    struct reader reader = {0};
    struct value *list;
    WELL(p, event_read_last(&p->c, conf, &reader, 3, &after, &list));
    assert_null(list->first);
    struct member ann = place_member(p, conf, "Ann"), other = place_member(p, place_conference(p).id, "Other");
    for (int i = 0; i < 6; i++)
        say(p, i % 2 ? &other : &ann, TO_ALL, 0, arena_printf(p->c.mem, "said-%d", i));
    WELL(p, event_read_last(&p->c, conf, &reader, 2, &after, &list));
    assert_int_equal(place_count(list), 2);
    assert_string_equal(value_get_text(list->first, "text"), "said-2");
    assert_string_equal(value_get_text(list->last, "text"), "said-4");
    assert_int_equal(after, now_at(p));
    for (int i = 0; i < 5; i++) /* what he may not see does not push out what he may */
        say(p, &ann, i % 2 ? TO_STAFF : TO_MEMBER, other.id, "hidden");
    WELL(p, event_read_last(&p->c, conf, &reader, 2, &after, &list));
    assert_int_equal(place_count(list), 2);
    assert_string_equal(value_get_text(list->first, "text"), "said-2");
    place_sql(p, "ALTER TABLE event RENAME TO hidden");
    REFUSED(p, event_read_last(&p->c, conf, &reader, 3, &after, &list), ERR_UNAVAILABLE, NULL);
}

/* ── much was written ── */

enum { LONG_BYTES = 4 * EVENT_TEXT_CHARS, LONG_ONES = 200 };

/* A room in which somebody wrote as much as he could, so often, in letters of four bytes. */
static struct member
talkative(struct installation *p)
{
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    char *text = arena_alloc(p->c.mem, LONG_BYTES + 1);
    for (size_t i = 0; i < LONG_BYTES; i += 4)
        memcpy(text + i, "\xF0\x9F\x98\x80", 4);
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < LONG_ONES; i++)
        say(p, &ann, TO_ALL, 0, text);
    assert_int_equal(db_commit(p->c.db), OK);
    return ann;
}

static size_t
bytes_in(const struct value *list)
{
    size_t bytes = 0;
    for (const struct value *v = list->first; v; v = v->next)
        bytes += value_get_text(v, "text") ? strlen(value_get_text(v, "text")) : 0;
    return bytes;
}

static void
long_messages_come_in_smaller_turns_none_lost_none_doubled(void **state)
{
    struct installation *p = *state;
    struct member ann = talkative(p);
    struct reader reader = {.member = ann.id};
    int64_t after = now_at(p) - LONG_ONES, last = after;
    bool is_more = true;
    for (int turns = 0; is_more; turns++) {
        struct value *list = value_list(p->c.mem);
        WELL(p, event_read(&p->c, ann.conf, &reader, &after, list, &is_more));
        CHECK(bytes_in(list) <= EVENTS_MOST_BYTES + LONG_BYTES, "%zu bytes", bytes_in(list));
        CHECK(!is_more || bytes_in(list) >= EVENTS_MOST_BYTES - LONG_BYTES, "%zu bytes and there is more", bytes_in(list));
        for (const struct value *v = list->first; v; v = v->next)
            assert_int_equal(value_get_int(v, "id", 0), ++last);
        assert_in_range(turns, 0, 40);
    }
    assert_int_equal(last, now_at(p));
}

static void
a_part_and_the_last_ones_are_bounded_too(void **state)
{
    struct installation *p = *state;
    struct member ann = talkative(p);
    struct reader reader = {.member = ann.id};
    int64_t after = 0;
    bool is_more;
    struct value *part = value_list(p->c.mem), *last;
    WELL(p, event_read_part(&p->c, ann.conf, &reader, &after, part, &is_more));
    assert_true(is_more);
    assert_in_range(bytes_in(part), EVENTS_PART_BYTES - LONG_BYTES, EVENTS_PART_BYTES + EVENTS_MOST_BYTES + LONG_BYTES);
    assert_int_equal(after, value_get_int(part->last, "id", 0));
    WELL(p, event_read_last(&p->c, ann.conf, &reader, LONG_ONES, &after, &last));
    assert_int_equal(value_get_int(last->last, "id", 0), now_at(p));
    assert_in_range(bytes_in(last), LONG_BYTES, EVENTS_PART_BYTES + EVENTS_MOST_BYTES + LONG_BYTES);
    assert_int_equal(after, now_at(p));
}

/* ── repeated requests ── */

static void
a_nonce_comes_back_to_its_sender_alone(void **state)
{
    struct installation *p = *state;
    int64_t conf = place_conference(p).id, id, before;
    struct agent anna = place_agent(p, "anna");
    struct member ann = place_member(p, conf, "Ann"), bob = place_member(p, conf, "Bob"), mine = enter(p, &anna, conf);
    struct event_new event =
        {.conf = conf, .member = ann.id, .kind = "message", .audience = TO_ALL, .text = "x", .nonce = "n-of-ann"};
    before = now_at(p);
    WELL(p, event_add(&p->c, &event, &id));
    event.member = mine.id;
    event.nonce = "n-of-anna";
    WELL(p, event_add(&p->c, &event, &id));
    assert_non_null(strstr(heard(p, conf, ann.id, false, before), "\"nonce\":\"n-of-ann\"}"));
    assert_null(strstr(heard(p, conf, ann.id, false, before), "n-of-anna"));
    assert_null(strstr(heard(p, conf, bob.id, true, before), "nonce"));
    const char *got = heard_by_agent(p, &anna, &before);
    assert_non_null(strstr(got, "\"nonce\":\"n-of-anna\"}"));
    assert_null(strstr(got, "\"n-of-ann\""));
}

static void
a_repeated_nonce_adds_nothing_and_answers_the_first_id(void **state)
{
    struct installation *p = *state;
    int64_t conf = place_conference(p).id, first, again, bobs;
    struct member ann = place_member(p, conf, "Ann"), bob = place_member(p, conf, "Bob");
    struct event_new event =
        {.conf = conf, .member = ann.id, .kind = "message", .audience = TO_ALL, .text = "hello", .nonce = "n1"};
    WELL(p, event_add(&p->c, &event, &first));
    place_later(p, 1000);
    WELL(p, event_add(&p->c, &event, &again));
    assert_int_equal(again, first);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'message'"), 1);
    event.member = bob.id;
    WELL(p, event_add(&p->c, &event, &bobs));
    assert_int_not_equal(bobs, first);
}

static void
a_nonce_that_comes_again_answers_the_first_whatever_it_says(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    int64_t id = 77;
    struct event_new event =
        {.conf = ann.conf, .member = ann.id, .kind = "message", .audience = TO_ALL, .text = "hello", .nonce = "n1"};
    WELL(p, event_add(&p->c, &event, &id));
    int64_t first = id;
    static const char *const texts[] = {"other", NULL, "hello"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        event.text = texts[i];
        event.kind = i == 2 ? "rating" : "message";
        id = 0;
        WELL(p, event_add(&p->c, &event, &id));
        assert_int_equal(id, first);
    }
}

static void
the_newest_event_of_a_kind_is_found(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    int64_t id = 77;
    assert_int_equal(event_last_of(&p->c, ann.conf, ann.id, "message", &id), ERR_NOT_FOUND);
    assert_int_equal(id, 77);
    say(p, &ann, TO_ALL, 0, "a");
    int64_t last = say(p, &ann, TO_ALL, 0, "b");
    say(p, &ann, TO_STAFF, 0, "c");
    WELL(p, event_last_of(&p->c, ann.conf, ann.id, "message", &id));
    assert_int_equal(id, last);
    struct member bob = place_member(p, ann.conf, "Bob");
    int64_t his = say(p, &bob, TO_ALL, 0, "d");
    WELL(p, event_last_of(&p->c, ann.conf, ann.id, "message", &id));
    assert_int_equal(id, last);
    WELL(p, event_last_of(&p->c, ann.conf, -1, "message", &id)); /* whoever */
    assert_int_equal(id, his);
}

/* ── the order of ids ── */

static void
talk_and_listen(struct installation *p, int number)
{
    place_enter(p);
    int64_t conf = place_number(p, "SELECT id FROM conference"), seen = 0, after = 0;
    struct reader reader = {.is_staff = true};
    bool is_more;
    for (int i = 0; i < 150; i++) {
        int64_t id;
        struct value *list = value_list(p->c.mem);
        struct event_new event = {.conf = conf,
            .kind = "message",
            .audience = TO_ALL,
            .text = arena_printf(p->c.mem, "%d.%d", number, i)};
        MUST(db_begin(p->c.db) == OK && event_add(&p->c, &event, &id) == OK);
        if (i % 10 == number) {
            db_rollback(p->c.db); /* an id that was not kept is used again, and nobody has seen it */
            continue;
        }
        MUST(db_commit(p->c.db) == OK);
        MUST(event_read(&p->c, conf, &reader, &after, list, &is_more) == OK);
        for (const struct value *v = list->first; v; v = v->next) {
            int64_t next = value_get_int(v, "id", 0);
            MUST(next == seen + 1 || seen == 0);
            seen = next;
        }
        MUST(after >= id);
    }
    db_close(p->c.db);
}

static void
ids_rise_in_the_order_of_commits_from_four_processes_so_that_no_cursor_skips_one(void **state)
{
    struct installation *p = *state;
    place_conference(p);
    place_together(p, 4, talk_and_listen);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event"), 4 * 135);
    assert_int_equal(place_number(p, "SELECT max(id) - min(id) + 1 FROM event"), 4 * 135);
}

/* ── the disk ── */

static void
without_its_tables_everything_is_unavailable(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct agent anna = place_agent(p, "anna");
    enter(p, &anna, ann.conf);
    struct event_new event = {.conf = ann.conf, .member = ann.id, .kind = "message", .audience = TO_ALL, .nonce = "n"};
    struct reader reader = {.member = ann.id};
    int64_t id = 77, after = 0;
    bool flag;
    struct value *list = value_list(p->c.mem);
    place_sql(p, "ALTER TABLE event RENAME TO hidden");
    REFUSED(p, event_add(&p->c, &event, &id), ERR_UNAVAILABLE, NULL);
    event.nonce = NULL;
    REFUSED(p, event_add(&p->c, &event, &id), ERR_UNAVAILABLE, NULL);
    REFUSED(p, event_read(&p->c, ann.conf, &reader, &after, list, &flag), ERR_UNAVAILABLE, NULL);
    REFUSED(p, event_read_agent(&p->c, anna.id, &after, list, &flag), ERR_UNAVAILABLE, NULL);
    REFUSED(p, event_is_for_agent(&p->c, anna.id, 0, &flag), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE site RENAME TO hidden_site");
    REFUSED(p, event_add(&p->c, &event, &id), ERR_UNAVAILABLE, NULL);
    REFUSED(p, event_read(&p->c, ann.conf, &reader, &after, list, &flag), ERR_UNAVAILABLE, NULL);
    REFUSED(p, event_read_agent(&p->c, anna.id, &after, list, &flag), ERR_UNAVAILABLE, NULL);
    WELL(p, event_typing(&p->c, ann.conf, ann.id));
    place_sql(p, "ALTER TABLE member RENAME TO hidden_member");
    REFUSED(p, event_read_typing(&p->c, ann.conf, 0, 0, 0, list), ERR_UNAVAILABLE, NULL);
    place_sql_on(p, "live.db", "ALTER TABLE typing RENAME TO hidden");
    REFUSED(p, event_typing(&p->c, ann.conf, ann.id), ERR_UNAVAILABLE, NULL);
    REFUSED(p, event_typing_last(&p->c, &id), ERR_UNAVAILABLE, NULL);
    assert_int_equal(id, 77);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(an_event_is_told_with_its_time_sender_kind_text_and_fields),
        PLACED(the_systems_own_events_have_no_member_and_no_text),
        PLACED(a_reader_gets_what_is_for_all_for_him_and_as_staff_what_is_for_staff),
        PLACED(a_cursor_moves_over_what_is_not_for_the_reader),
        PLACED(a_cursor_from_beyond_the_end_counts_as_the_end),
        PLACED(five_hundred_at_once_then_the_rest_none_lost_none_doubled),
        PLACED(the_last_events_of_a_room_are_its_own_and_no_more_than_wanted),
        PLACED(long_messages_come_in_smaller_turns_none_lost_none_doubled),
        PLACED(a_part_and_the_last_ones_are_bounded_too),
        PLACED(a_nonce_comes_back_to_its_sender_alone),
        PLACED(a_repeated_nonce_adds_nothing_and_answers_the_first_id),
        PLACED(a_nonce_that_comes_again_answers_the_first_whatever_it_says),
        PLACED(the_newest_event_of_a_kind_is_found),
        PLACED(ids_rise_in_the_order_of_commits_from_four_processes_so_that_no_cursor_skips_one),
        PLACED(without_its_tables_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
