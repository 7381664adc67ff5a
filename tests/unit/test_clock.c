/* test_clock: the two senses of time. */
#include "unit.h"

#include <time.h>

#include "base/clock.h"

static void
wall_time_is_the_kernels(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = clock_wall_ms();
    int64_t after = ((int64_t)time(NULL) + 1) * 1000;
    /* time() may read a coarser clock, which is a tick late. */
    assert_true(now >= before && now <= after + 100);
}

static void
the_boot_clock_runs_forward_in_milliseconds(void **state)
{
    (void)state;
    int64_t before = clock_boot_ms();
    nanosleep(&(struct timespec){.tv_nsec = 30 * 1000000}, NULL);
    int64_t passed = clock_boot_ms() - before;
    assert_true(before > 0);
    assert_true(passed >= 29 && passed < 10000);
}

static void
the_boots_id_stays_the_same_text(void **state)
{
    (void)state;
    const char *id = clock_boot_id();
    assert_true(strlen(id) > 0);
    assert_null(strchr(id, '\n'));
    char first[64];
    snprintf(first, sizeof first, "%s", id);
    assert_string_equal(clock_boot_id(), first);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        skip();
    char want[64] = "";
    assert_non_null(fgets(want, sizeof want, file));
    fclose(file);
    assert_memory_equal(want, id, strlen(id));
    assert_int_equal(strlen(id), 36);
}

static void
an_http_date_is_that_of_rfc_9110(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_ms;
        const char *want;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {999, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {INT64_C(784111777000), "Sun, 06 Nov 1994 08:49:37 GMT"},
        {INT64_C(951782400000), "Tue, 29 Feb 2000 00:00:00 GMT"},
        {INT64_C(1483228799999), "Sat, 31 Dec 2016 23:59:59 GMT"},
        {INT64_C(253402300799000), "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[CLOCK_HTTP_BYTES];
        clock_http_date(rows[i].wall_ms, got);
        assert_string_equal(got, rows[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(wall_time_is_the_kernels),
        UNIT(the_boot_clock_runs_forward_in_milliseconds),
        UNIT(the_boots_id_stays_the_same_text),
        UNIT(an_http_date_is_that_of_rfc_9110),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
