/* Opening hours: what can be written, and when it is open. */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/hours.h"

static void
zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

/* The moment of a local time, "2026-11-30 09:00". */
static int64_t
at(const char *text)
{
    struct tm t = {.tm_isdst = -1};
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min), 5);
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return (int64_t)mktime(&t) * 1000;
}

static struct hours
week(const char *text)
{
    struct hours hours;
    CHECK(hours_read(text, &hours), "\"%s\" is not read", text);
    return hours;
}

static void
a_week_is_days_and_stretches_of_time(void **state)
{
    (void)state;
    struct hours hours;
    static const char *const good[] = {"", "Mo 09:00-17:00", "Mo-Fr 09:00-17:00", "Mo-Fr 09:00-12:00, Mo-Fr 13:00-17:00",
        "Sa-Mo 00:00-24:00", "Mo-Su 00:00-00:00", "Fr 22:00-02:00,Sa\t10:00-14:00 ", "  We 08:30-08:31"};
    static const char *const bad[] = {" ", "Mo", "Mo 9:00-17:00", "Mo 09:00", "Mo 09:00-", "Mo 09:00-25:00", "Mo 24:00-01:00",
        "Mo 09:60-10:00", "mo 09:00-17:00", "Monday 09:00-17:00", "Mo- 09:00-17:00", "Mo-Xx 09:00-17:00", "09:00-17:00",
        "Mo 09:00-17:00,", "Mo 09:00-17:00, 18:00-19:00", "Mo 09:00-17:00 Tu 09:00-17:00", "Mo09:00-17:00", "Mo 09.00-17.00",
        "Mo 09:00-17:00;"};
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(hours_read(good[i], &hours), "\"%s\" is not read", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(!hours_read(bad[i], &hours), "\"%s\" is read", bad[i]);
}

static void
there_are_32_parts_at_most(void **state)
{
    struct hours hours;
    struct buf text = buf_new(*state, 10000);
    for (int i = 0; i < 33; i++) {
        CHECK(hours_read(buf_str(&text), &hours), "%d parts are not read", i);
        buf_printf(&text, "%sMo 09:00-17:00", i ? "," : "");
    }
    assert_false(hours_read(buf_str(&text), &hours));
}

static void
it_is_open_from_the_first_minute_to_before_the_last(void **state)
{
    (void)state;
    static const struct {
        const char *hours, *at;
        bool is_open;
    } rows[] = {/* 2026-11-30 is a Monday */
        {"", "2026-11-30 03:00", true}, {"Mo-Fr 09:00-17:00", "2026-11-30 09:00", true},
        {"Mo-Fr 09:00-17:00", "2026-11-30 08:59", false}, {"Mo-Fr 09:00-17:00", "2026-11-30 16:59", true},
        {"Mo-Fr 09:00-17:00", "2026-11-30 17:00", false}, {"Mo-Fr 09:00-17:00", "2026-12-04 12:00", true},
        {"Mo-Fr 09:00-17:00", "2026-12-05 12:00", false}, {"Mo 09:00-12:00, Mo 13:00-17:00", "2026-11-30 12:30", false},
        {"Mo 09:00-12:00, Mo 13:00-17:00", "2026-11-30 13:00", true}, {"Sa-Mo 09:00-17:00", "2026-12-06 12:00", true},
        {"Sa-Mo 09:00-17:00", "2026-12-01 12:00", false}, {"Fr 22:00-02:00", "2026-12-04 23:59", true},
        {"Fr 22:00-02:00", "2026-12-05 01:59", true}, {"Fr 22:00-02:00", "2026-12-05 02:00", false},
        {"Fr 22:00-02:00", "2026-12-04 01:00", false}, {"Su 22:00-02:00", "2026-11-30 01:00", true},
        {"Mo-Su 00:00-24:00", "2026-12-05 00:00", true}, {"Mo-Su 00:00-00:00", "2026-12-05 23:59", true}};
    zone("Europe/Paris");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hours hours = week(rows[i].hours);
        CHECK(hours_is_open(&hours, at(rows[i].at)) == rows[i].is_open, "\"%s\" at %s", rows[i].hours, rows[i].at);
    }
}

static void
the_next_opening_is_the_first_beginning_that_follows(void **state)
{
    (void)state;
    static const struct {
        const char *hours, *at, *next;
    } rows[] = {{"Mo-Fr 09:00-17:00", "2026-11-30 03:00", "2026-11-30 09:00"},
        {"Mo-Fr 09:00-17:00", "2026-11-30 09:00", "2026-12-01 09:00"},
        {"Mo-Fr 09:00-17:00", "2026-12-04 18:00", "2026-12-07 09:00"}, {"Mo 09:00-10:00", "2026-11-30 10:30", "2026-12-07 09:00"},
        {"Mo 13:00-17:00,Mo 09:00-12:00", "2026-11-30 12:30", "2026-11-30 13:00"},
        {"We 10:00-11:00,Tu 15:00-16:00", "2026-12-28 00:00", "2026-12-29 15:00"},
        {"Fr 10:00-11:00", "2026-12-31 12:00", "2027-01-01 10:00"}};
    zone("Europe/Paris");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hours hours = week(rows[i].hours);
        int64_t next = hours_next(&hours, at(rows[i].at));
        CHECK(next == at(rows[i].next), "\"%s\" after %s: not %s but %lld ms", rows[i].hours, rows[i].at, rows[i].next,
            (long long)next);
    }
    struct hours always = week("");
    assert_int_equal(hours_next(&always, at("2026-11-30 09:00")), 0);
}

static void
it_opens_by_the_clock_on_the_wall_also_after_that_was_changed(void **state)
{
    (void)state;
    struct hours hours = week("Mo-Fr 09:00-17:00");
    zone("Europe/Paris");
    int64_t friday = at("2026-10-23 18:00"), monday = hours_next(&hours, friday); /* the 25th has 25 hours */
    assert_int_equal(monday, at("2026-10-26 09:00"));
    assert_int_equal(monday - friday, (63 + 1) * INT64_C(3600000));
    zone("America/New_York");
    assert_true(hours_is_open(&hours, monday + 6 * INT64_C(3600000)));
    assert_false(hours_is_open(&hours, monday));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_week_is_days_and_stretches_of_time),
        UNIT(there_are_32_parts_at_most),
        UNIT(it_is_open_from_the_first_minute_to_before_the_last),
        UNIT(the_next_opening_is_the_first_beginning_that_follows),
        UNIT(it_opens_by_the_clock_on_the_wall_also_after_that_was_changed),
    };
    return cmocka_run_group_tests_name("hours", tests, NULL, NULL);
}
