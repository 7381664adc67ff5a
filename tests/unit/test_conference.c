/* Conferences: their ids and codes, repeated and changed requests, lists. */
#include "place.h"

static struct conference_wish
wish_of(const char *account, const char *reqid)
{
    return (struct conference_wish){.account = account,
        .reqid = reqid,
        .type = "scheduled",
        .subject = "s",
        .owner = "o",
        .timezone = "Europe/Berlin",
        .start_at = 1700000100000,
        .end_at = 1700000200000,
        .duration_s = 100,
        .recurrence = "D-WE",
        .options = "audio_only=true"};
}

/* ── ids and codes ── */

static void
an_id_is_15_digits_and_the_servers_name(void **state)
{
    struct installation *p = *state;
    struct conference conf = place_conference(p);
    const char *name = conference_name(&p->c, conf.id);
    assert_int_equal(strlen(name), 15 + strlen("server"));
    assert_int_equal(strspn(name, "0123456789"), 15);
    assert_string_equal(name + 15, "server");
    assert_int_equal(conference_number(&p->c, name), conf.id);
    p->settings.server_name = "other.example";
    assert_int_equal(conference_number(&p->c, name), 0);
    assert_true(text_same(conference_name(&p->c, 148474396310564), "148474396310564other.example"));
}

static void
what_is_not_an_id_of_this_server_is_none(void **state)
{
    struct installation *p = *state;
    struct conference out = {.id = 77};
    static const char *const names[] = {"", "server", "148474396310564", "14847439631056server", "1484743963105640server",
        "148474396310564Server", "148474396310564serve", "148474396310564server ", " 48474396310564server",
        "+48474396310564server", "-48474396310564server", "14847439631056xserver", "148474396310564server\n"};
    for (size_t i = 0; i < COUNT(names); i++) {
        CHECK(conference_number(&p->c, names[i]) == 0, "taken: %s", names[i]);
        REFUSED(p, conference_find(&p->c, names[i], &out), ERR_NOT_FOUND, NULL);
    }
    assert_int_equal(conference_number(&p->c, NULL), 0);
    REFUSED(p, conference_find(&p->c, "148474396310564server", &out), ERR_NOT_FOUND, NULL);
    assert_int_equal(out.id, 77);
}

static void
the_participants_code_is_even_and_the_leaders_one_more(void **state)
{
    struct installation *p = *state;
    for (int i = 0; i < 30; i++) {
        struct conference conf = place_conference(p), found;
        bool is_leader = true;
        const char *participant = conference_code(&p->c, &conf, false), *leader = conference_code(&p->c, &conf, true);
        assert_true(text_is_digits(participant, 7));
        assert_true(text_is_digits(leader, 7));
        assert_int_equal(strtol(participant, NULL, 10) % 2, 0);
        assert_int_equal(strtol(leader, NULL, 10), strtol(participant, NULL, 10) + 1);
        WELL(p, conference_by_code(&p->c, participant, &found, &is_leader));
        assert_int_equal(found.id, conf.id);
        assert_false(is_leader);
        WELL(p, conference_by_code(&p->c, leader, &found, &is_leader));
        assert_int_equal(found.id, conf.id);
        assert_true(is_leader);
    }
}

static void
the_smallest_code_keeps_its_zeros(void **state)
{
    struct installation *p = *state;
    struct conference conf = place_conference(p);
    bool is_leader;
    place_sql(p, "UPDATE conference SET code = 0");
    WELL(p, conference_by_code(&p->c, "0000001", &conf, &is_leader));
    assert_string_equal(conference_code(&p->c, &conf, true), "0000001");
    assert_string_equal(conference_code(&p->c, &conf, false), "0000000");
}

static void
what_is_not_seven_digits_is_no_code(void **state)
{
    struct installation *p = *state;
    static const char *const codes[] = {"", "123456", "12345678", "123456x", " 123456", "+123456", "-123456", "１２３４５６７"};
    struct conference out;
    bool is_leader;
    for (size_t i = 0; i < COUNT(codes); i++)
        REFUSED(p, conference_by_code(&p->c, codes[i], &out, &is_leader), ERR_NOT_FOUND, NULL);
    REFUSED(p, conference_by_code(&p->c, NULL, &out, &is_leader), ERR_NOT_FOUND, NULL);
}

static void
a_code_is_taken_as_long_as_its_conference_lives_and_free_afterwards(void **state)
{
    struct installation *p = *state;
    struct conference first = place_conference(p), second = place_conference(p), found;
    bool is_leader;
    const char *code = conference_code(&p->c, &first, false);
    struct sql_conference_insert_in in = {.id = 100000000000001,
        .type = "scheduled",
        .subject = "",
        .owner = "",
        .account = "local",
        .digest = "",
        .code = first.code,
        .timezone = "",
        .start_at = 1,
        .recurrence = "",
        .options = "",
        .at = 1};
    assert_int_equal(sql_conference_insert(p->c.db, &in), ERR_CONFLICT);
    WELL(p, talk_end(&p->c, first.id, 0));
    REFUSED(p, conference_by_code(&p->c, code, &found, &is_leader), ERR_NOT_FOUND, NULL);
    WELL(p, conference_find(&p->c, conference_name(&p->c, first.id), &found));
    assert_string_equal(found.state, "ended");
    assert_int_equal(sql_conference_insert(p->c.db, &in), OK);
    WELL(p, conference_by_code(&p->c, code, &found, &is_leader));
    assert_int_equal(found.id, 100000000000001);
    WELL(p, conference_by_code(&p->c, conference_code(&p->c, &second, false), &found, &is_leader));
}

/* Of five million pairs of codes ten are free: drawing finds one soon or says so. */
static void
when_no_code_is_free_it_is_said(void **state)
{
    struct installation *p = *state;
    struct conference out = {.id = 77};
    struct conference_wish wish = wish_of("local", NULL);
    place_sql(p, "DROP INDEX conference_code");
    place_sql(p, "CREATE UNIQUE INDEX conference_code ON conference (site, (code * 0)) WHERE ended_at = 0");
    WELL(p, conference_schedule(&p->c, &wish, &out));
    int64_t first = out.id;
    REFUSED(p, conference_schedule(&p->c, &wish, &out), ERR_UNAVAILABLE, NULL);
    assert_int_equal(out.id, first);
    assert_int_equal(place_number(p, "SELECT count(*) FROM conference"), 1);
}

static void
above_ten_thousand_live_conferences_a_code_alone_does_not_count(void **state)
{
    struct installation *p = *state;
    place_conference(p);
    assert_int_equal(conference_code_counts(&p->c), OK);
    place_sql(p,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        "INSERT INTO conference (site, id, type, subject, owner, account, digest, code, state, start_at, created_at, ended_at)"
        "SELECT 1, i, 'scheduled', '', '', '', '', (SELECT (code + 2 * i) % 10000000 FROM conference), 'ended', 1, 1, 1 FROM n");
    assert_int_equal(conference_code_counts(&p->c), OK);
    place_sql(p, "UPDATE conference SET state = 'waiting', ended_at = 0 WHERE id < 10000");
    assert_int_equal(conference_code_counts(&p->c), OK);
    place_sql(p, "UPDATE conference SET state = 'waiting', ended_at = 0");
    REFUSED(p, conference_code_counts(&p->c), ERR_NOT_FOUND, NULL);
}

/* ── requests ── */

static void
a_new_conference_is_as_it_was_wished(void **state)
{
    struct installation *p = *state;
    struct conference conf;
    struct conference_wish wish = wish_of("key:abc", "r1");
    WELL(p, conference_schedule(&p->c, &wish, &conf));
    assert_string_equal(conf.type, "scheduled");
    assert_string_equal(conf.account, "key:abc");
    assert_string_equal(conf.timezone, "Europe/Berlin");
    assert_int_equal(conf.start_at, 1700000100000);
    assert_int_equal(conf.end_at, 1700000200000);
    assert_int_equal(conf.duration_s, 100);
    assert_string_equal(conf.recurrence, "D-WE");
    assert_string_equal(conf.options, "audio_only=true");
    assert_string_equal(conf.state, "waiting");
    assert_int_equal(conf.created_at, p->c.now_ms);
    assert_int_equal(conf.talking_at + conf.ended_at, 0);
    wish.reqid = NULL;
    wish.start_at = 0;
    WELL(p, conference_schedule(&p->c, &wish, &conf));
    assert_int_equal(conf.start_at, p->c.now_ms);
}

static void
the_same_request_again_gets_the_same_conference(void **state)
{
    struct installation *p = *state;
    struct conference first, again;
    struct conference_wish wish = wish_of("local", "r1");
    WELL(p, conference_schedule(&p->c, &wish, &first));
    place_later(p, 86400000);
    WELL(p, conference_schedule(&p->c, &wish, &again));
    assert_int_equal(again.id, first.id);
    WELL(p, talk_end(&p->c, first.id, 0));
    WELL(p, conference_schedule(&p->c, &wish, &again));
    assert_int_equal(again.id, first.id);
    assert_int_equal(place_number(p, "SELECT count(*) FROM conference"), 1);
}

static void
the_same_request_with_any_other_value_is_refused(void **state)
{
    struct installation *p = *state;
    struct conference out;
    struct conference_wish wish = wish_of("local", "r1"), others[9];
    WELL(p, conference_schedule(&p->c, &wish, &out));
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = wish;
    others[0].type = "reservationless";
    others[1].subject = "t";
    others[2].owner = "p";
    others[3].timezone = "";
    others[4].start_at++;
    others[5].end_at++;
    others[6].duration_s++;
    others[7].recurrence = "";
    others[8].options = "";
    for (size_t i = 0; i < COUNT(others); i++)
        REFUSED(p, conference_schedule(&p->c, &others[i], &out), ERR_CONFLICT, "reqid");
    assert_int_equal(place_number(p, "SELECT count(*) FROM conference"), 1);
}

static void
a_request_id_is_the_accounts_own_and_none_is_always_a_new_conference(void **state)
{
    struct installation *p = *state;
    struct conference one, other;
    struct conference_wish wish = wish_of("local", "r1");
    WELL(p, conference_schedule(&p->c, &wish, &one));
    wish.account = "key:abc";
    WELL(p, conference_schedule(&p->c, &wish, &other));
    assert_int_not_equal(one.id, other.id);
    wish.reqid = NULL;
    WELL(p, conference_schedule(&p->c, &wish, &one));
    WELL(p, conference_schedule(&p->c, &wish, &other));
    assert_int_not_equal(one.id, other.id);
    assert_int_equal(place_number(p, "SELECT count(*) FROM conference"), 4);
}

static void
schedule_the_same(struct installation *p, int number)
{
    struct conference conf;
    struct conference_wish wish = wish_of("local", "r1");
    (void)number;
    place_enter(p);
    MUST(conference_schedule(&p->c, &wish, &conf) == OK);
    db_close(p->c.db);
}

static void
eight_processes_with_the_same_request_make_one_conference(void **state)
{
    place_together(*state, 8, schedule_the_same);
    assert_int_equal(place_number(*state, "SELECT count(*) FROM conference"), 1);
}

/* ── changing and listing ── */

static void
an_account_changes_its_own_live_conference(void **state)
{
    struct installation *p = *state;
    struct conference conf, changed;
    struct conference_wish wish = wish_of("key:abc", NULL);
    WELL(p, conference_schedule(&p->c, &wish, &conf));
    wish.subject = "another";
    wish.start_at = conf.start_at + 5000;
    wish.options = "";
    WELL(p, conference_change(&p->c, conf.id, &wish, &changed));
    assert_int_equal(changed.id, conf.id);
    assert_int_equal(changed.code, conf.code);
    assert_string_equal(changed.subject, "another");
    assert_string_equal(changed.options, "");
    assert_int_equal(changed.start_at, conf.start_at + 5000);
    for (int n = 0; n < 2; n++) {
        WELL(p, conference_own_by_code(&p->c, "key:abc", arena_printf(p->c.mem, "%07lld", (long long)conf.code + n), &changed));
        assert_int_equal(changed.id, conf.id);
    }
}

static void
nobody_finds_anothers_or_an_ended_conference_to_change_it(void **state)
{
    struct installation *p = *state;
    struct conference conf, out;
    struct conference_wish wish = wish_of("key:abc", NULL);
    WELL(p, conference_schedule(&p->c, &wish, &conf));
    const char *code = arena_printf(p->c.mem, "%07lld", (long long)conf.code);
    const char *another = arena_printf(p->c.mem, "%07lld", (long long)(conf.code + 2) % 10000000);
    REFUSED(p, conference_own_by_code(&p->c, "key:other", code, &out), ERR_NOT_FOUND, NULL);
    REFUSED(p, conference_own_by_code(&p->c, "key:abc", "-000002", &out), ERR_NOT_FOUND, NULL);
    REFUSED(p, conference_own_by_code(&p->c, "key:abc", another, &out), ERR_NOT_FOUND, NULL);
    WELL(p, talk_end(&p->c, conf.id, 0));
    REFUSED(p, conference_own_by_code(&p->c, "key:abc", code, &out), ERR_NOT_FOUND, NULL);
    assert_string_equal(place_text(p, "SELECT subject FROM conference"), "s");
}

static void
a_list_has_the_accounts_own_live_conferences_oldest_first(void **state)
{
    struct installation *p = *state;
    struct conference made[4], *list;
    size_t count = 77;
    struct conference_wish wish = wish_of("key:abc", NULL);
    WELL(p, conference_list(&p->c, "key:abc", &list, &count));
    assert_int_equal(count, 0);
    for (int i = 0; i < 4; i++) {
        wish.account = i == 1 ? "local" : "key:abc";
        WELL(p, conference_schedule(&p->c, &wish, &made[i]));
        place_later(p, 1000);
    }
    WELL(p, talk_end(&p->c, made[2].id, 0));
    WELL(p, conference_list(&p->c, "key:abc", &list, &count));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].id, made[0].id);
    assert_int_equal(list[1].id, made[3].id);
    assert_string_equal(list[1].subject, "s");
}

static void
without_its_tables_everything_is_unavailable(void **state)
{
    struct installation *p = *state;
    struct conference out, *list;
    size_t count;
    bool is_leader;
    struct conference_wish wish = wish_of("local", "r1");
    place_sql(p, "ALTER TABLE conference RENAME TO hidden");
    REFUSED(p, conference_schedule(&p->c, &wish, &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, conference_find(&p->c, "148474396310564server", &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, conference_by_code(&p->c, "0000001", &out, &is_leader), ERR_UNAVAILABLE, NULL);
    REFUSED(p, conference_list(&p->c, "local", &list, &count), ERR_UNAVAILABLE, NULL);
    REFUSED(p, conference_code_counts(&p->c), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(an_id_is_15_digits_and_the_servers_name),
        PLACED(what_is_not_an_id_of_this_server_is_none),
        PLACED(the_participants_code_is_even_and_the_leaders_one_more),
        PLACED(the_smallest_code_keeps_its_zeros),
        PLACED(what_is_not_seven_digits_is_no_code),
        PLACED(a_code_is_taken_as_long_as_its_conference_lives_and_free_afterwards),
        PLACED(when_no_code_is_free_it_is_said),
        PLACED(above_ten_thousand_live_conferences_a_code_alone_does_not_count),
        PLACED(a_new_conference_is_as_it_was_wished),
        PLACED(the_same_request_again_gets_the_same_conference),
        PLACED(the_same_request_with_any_other_value_is_refused),
        PLACED(a_request_id_is_the_accounts_own_and_none_is_always_a_new_conference),
        PLACED(eight_processes_with_the_same_request_make_one_conference),
        PLACED(an_account_changes_its_own_live_conference),
        PLACED(nobody_finds_anothers_or_an_ended_conference_to_change_it),
        PLACED(a_list_has_the_accounts_own_live_conferences_oldest_first),
        PLACED(without_its_tables_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
