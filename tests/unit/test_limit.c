/* Limits: how often something may happen, for whom, and until when. */
#include "place.h"

#include "model/limit.h"

static const struct limit three = {"three", 3, 60, "Only three in a minute."};

static void
as_many_as_the_limit_allows_are_taken_and_then_it_is_said_until_when(void **state)
{
    struct installation *p = *state;
    for (int i = 0; i < 3; i++) {
        WELL(p, limit_check(&p->c, &three, "ann"));
        WELL(p, limit_take(&p->c, &three, "ann"));
        place_later(p, 10000);
    }
    place_later(p, 5000);
    REFUSED(p, limit_take(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
    assert_int_equal(p->c.fault.retry_s, 45); /* a whole minute after the last that was allowed */
    assert_string_equal(p->c.fault.reason, "Only three in a minute.");
    REFUSED(p, limit_check(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
    assert_int_equal(p->c.fault.retry_s, 45);
    WELL(p, limit_take(&p->c, &three, "bob"));
    place_later(p, 44999);
    REFUSED(p, limit_take(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
    assert_int_equal(p->c.fault.retry_s, 1);
    place_later(p, 1);
    WELL(p, limit_check(&p->c, &three, "ann"));
    WELL(p, limit_take(&p->c, &three, "ann"));
}

static void
a_stretch_begins_with_the_first_that_is_counted(void **state)
{
    struct installation *p = *state;
    WELL(p, limit_take(&p->c, &three, "ann"));
    place_later(p, 59999);
    WELL(p, limit_take(&p->c, &three, "ann"));
    place_later(p, 1);
    for (int i = 0; i < 3; i++)
        WELL(p, limit_take(&p->c, &three, "ann"));
    REFUSED(p, limit_take(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
}

static void
a_wall_clock_that_is_set_opens_no_limit_and_prolongs_none(void **state)
{
    struct installation *p = *state;
    static const int64_t jumps[] = {-1, -1000, -86400000, 2 * 86400000};
    for (int i = 0; i < 3; i++)
        WELL(p, limit_take(&p->c, &three, "ann"));
    for (size_t i = 0; i < COUNT(jumps); i++) {
        p->c.now_ms += jumps[i];
        REFUSED(p, limit_check(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
        REFUSED(p, limit_take(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
        assert_int_equal(p->c.fault.retry_s, 60);
    }
    p->c.boot_ms += 60000;
    WELL(p, limit_check(&p->c, &three, "ann"));
    WELL(p, limit_take(&p->c, &three, "ann"));
}

static void
a_request_that_began_earlier_and_is_counted_later_does_not_begin_anew(void **state)
{
    struct installation *p = *state;
    static const int64_t begun[] = {1000, 1001, 1002, 1005, 1004, 1003, 0, -20000};
    int64_t base = p->c.boot_ms;
    struct limit six = {"six", 6, 60, "x"};
    for (size_t i = 0; i < COUNT(begun); i++) {
        p->c.boot_ms = base + begun[i];
        enum err err = limit_take(&p->c, &six, "ann"), read = limit_check(&p->c, &six, "ann");
        CHECK(err == (i < 6 ? OK : ERR_TOO_MANY), "%zu: %s", i, err_code(err));
        CHECK(read == (i < 5 ? OK : ERR_TOO_MANY), "%zu: read as %s", i, err_code(read));
        if (err != OK)
            assert_int_equal(p->c.fault.retry_s, 60); /* never more than a stretch */
    }
}

static void
what_another_boot_counted_locks_nobody_out(void **state)
{
    struct installation *p = *state;
    for (int i = 0; i < 3; i++)
        WELL(p, limit_take(&p->c, &three, "ann"));
    p->c.boot_ms = 5000;
    WELL(p, limit_check(&p->c, &three, "ann"));
    WELL(p, limit_take(&p->c, &three, "ann"));
    WELL(p, limit_take(&p->c, &three, "ann"));
    WELL(p, limit_take(&p->c, &three, "ann"));
    REFUSED(p, limit_take(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
}

static void
what_is_over_is_cleared_away_and_what_counts_stays(void **state)
{
    struct installation *p = *state;
    WELL(p, limit_take(&p->c, &three, "old"));
    place_later(p, 60000);
    for (int i = 0; i < 3; i++)
        WELL(p, limit_take(&p->c, &three, "new"));
    WELL(p, limit_remember(&p->c, &limit_code_known, "192.0.2.7"));
    WELL(p, limit_tidy(&p->c));
    assert_string_equal(
        place_text_on(p, "live.db", "SELECT group_concat(bucket, ' ') FROM (SELECT bucket FROM rate ORDER BY bucket)"),
        "known:192.0.2.7 three:new");
    REFUSED(p, limit_take(&p->c, &three, "new"), ERR_TOO_MANY, NULL);
}

static void
looking_counts_nothing(void **state)
{
    struct installation *p = *state;
    for (int i = 0; i < 10; i++)
        WELL(p, limit_check(&p->c, &three, "ann"));
    WELL(p, limit_take(&p->c, &three, "ann"));
}

static void
what_is_forgotten_counts_from_nothing(void **state)
{
    struct installation *p = *state;
    for (int i = 0; i < 3; i++)
        WELL(p, limit_take(&p->c, &three, "ann"));
    WELL(p, limit_forget(&p->c, &three, "ann"));
    WELL(p, limit_forget(&p->c, &three, "nobody"));
    for (int i = 0; i < 3; i++)
        WELL(p, limit_take(&p->c, &three, "ann"));
    REFUSED(p, limit_take(&p->c, &three, "ann"), ERR_TOO_MANY, NULL);
}

static void
take_fifty(struct installation *p, int number)
{
    struct limit many = {"many", 200, 60, "x"};
    int64_t base = p->c.boot_ms;
    place_enter(p);
    for (int i = 0; i < 50; i++) {
        p->c.boot_ms = base + (i * 7 + number * 13) % 100; /* requests do not end in the order in which they began */
        MUST(limit_take(&p->c, &many, "all") == OK);
    }
    db_close(p->c.db);
}

static void
four_processes_count_together(void **state)
{
    struct installation *p = *state;
    struct limit many = {"many", 200, 60, "x"};
    place_together(p, 4, take_fifty);
    assert_string_equal(place_text_on(p, "live.db", "SELECT count FROM rate"), "200");
    REFUSED(p, limit_take(&p->c, &many, "all"), ERR_TOO_MANY, NULL);
}

static void
the_limits_are_those_of_the_contract(void **state)
{
    static const struct {
        const struct limit *limit;
        int most;
        int window_s;
    } want[] = {{&limit_code_address, 5, 60}, {&limit_code_site, 100, 60}, {&limit_form, 30, 60}, {&limit_sign, 5, 900},
        {&limit_basic, 5, 60}, {&limit_basic_site, 10, 10}, {&limit_code_known, 1, 2592000}, {&limit_basic_known, 1, 2592000}};
    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(want[i].limit->most, want[i].most);
        assert_int_equal(want[i].limit->window_s, want[i].window_s);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(want[i].limit->name, want[k].limit->name);
    }
}

static void
an_address_with_a_right_code_is_known_for_weeks(void **state)
{
    struct installation *p = *state;
    assert_false(limit_is_known(&p->c, &limit_code_known, "192.0.2.7"));
    WELL(p, limit_remember(&p->c, &limit_code_known, "192.0.2.7"));
    WELL(p, limit_remember(&p->c, &limit_code_known, "192.0.2.7"));
    assert_true(limit_is_known(&p->c, &limit_code_known, "192.0.2.7"));
    assert_false(limit_is_known(&p->c, &limit_code_known, "192.0.2.8"));
    assert_false(limit_is_known(&p->c, &limit_basic_known, "192.0.2.7")); /* a code that was right opens no password */
    place_later(p, INT64_C(31) * 86400000);
    assert_false(limit_is_known(&p->c, &limit_code_known, "192.0.2.7"));
}

static void
addresses_count_whole_in_ipv4_and_by_their_first_64_bits_in_ipv6(void **state)
{
    static const struct {
        const char *address, *counted;
    } table[] = {{"192.0.2.7", "192.0.2.7"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2::9", "2001:db8:1:2::/64"}, {"2001:db8:1:3::9", "2001:db8:1:3::/64"}, {"::1", "::/64"},
        {"::ffff:192.0.2.7", "192.0.2.7"}, {"::FFFF:c000:0207", "192.0.2.7"}, {"unix:", "unix:"}, {"", ""}};
    struct installation *p = *state;
    for (size_t i = 0; i < COUNT(table); i++)
        CHECK(text_same(limit_address(&p->c, table[i].address), table[i].counted), "%s counts as %s", table[i].address,
            limit_address(&p->c, table[i].address));
}

static void
only_127_0_0_1_is_exempt_and_only_by_the_setting(void **state)
{
    struct installation *p = *state;
    assert_true(limit_is_exempt(&p->c, "127.0.0.1"));
    assert_false(limit_is_exempt(&p->c, "127.0.0.2"));
    assert_false(limit_is_exempt(&p->c, "::1"));
    assert_false(limit_is_exempt(&p->c, "192.0.2.7"));
    p->settings.limit_exempt = false;
    assert_false(limit_is_exempt(&p->c, "127.0.0.1"));
}

static void
without_its_table_limits_are_unavailable(void **state)
{
    struct installation *p = *state;
    place_sql_on(p, "live.db", "ALTER TABLE rate RENAME TO hidden");
    REFUSED(p, limit_take(&p->c, &three, "ann"), ERR_UNAVAILABLE, NULL);
    REFUSED(p, limit_check(&p->c, &three, "ann"), ERR_UNAVAILABLE, NULL);
    REFUSED(p, limit_forget(&p->c, &three, "ann"), ERR_UNAVAILABLE, NULL);
    REFUSED(p, limit_remember(&p->c, &limit_code_known, "192.0.2.7"), ERR_UNAVAILABLE, NULL);
    REFUSED(p, limit_tidy(&p->c), ERR_UNAVAILABLE, NULL);
    assert_false(limit_is_known(&p->c, &limit_code_known, "192.0.2.7"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(as_many_as_the_limit_allows_are_taken_and_then_it_is_said_until_when),
        PLACED(a_stretch_begins_with_the_first_that_is_counted),
        PLACED(a_wall_clock_that_is_set_opens_no_limit_and_prolongs_none),
        PLACED(a_request_that_began_earlier_and_is_counted_later_does_not_begin_anew),
        PLACED(what_another_boot_counted_locks_nobody_out),
        PLACED(what_is_over_is_cleared_away_and_what_counts_stays),
        PLACED(looking_counts_nothing),
        PLACED(what_is_forgotten_counts_from_nothing),
        PLACED(four_processes_count_together),
        PLACED(the_limits_are_those_of_the_contract),
        PLACED(an_address_with_a_right_code_is_known_for_weeks),
        PLACED(addresses_count_whole_in_ipv4_and_by_their_first_64_bits_in_ipv6),
        PLACED(only_127_0_0_1_is_exempt_and_only_by_the_setting),
        PLACED(without_its_table_limits_are_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
