/* test_log: one line, which nobody forges. */
#include "unit.h"

#include <errno.h>

#include "base/log.h"

static const char *forged = "one\n"
                            "two\r\x1B[2J\x7F\xC2\x80\xC2\x9B\xC2\x9F"
                            "three ü\xC2\xA0.";

static void
say_something_forged(void)
{
    log_name("queue");
    log_warn("heard %s", forged);
}

static void
say_one_of_each(void)
{
    log_error("no %d", 1);
    log_info("no %d", 2);
    errno = ENOENT;
    log_error("%s", strerror(errno));
    if (errno == ENOENT)
        log_info("kept");
}

static void
say_too_much(void)
{
    log_info("%*d", 10000, 7);
    log_info("next");
}

static void
say_lines_of_many_lengths(void)
{
    for (int width = 1900; width < 2100; width++)
        log_info("%*d", width, 7);
}

static void
end_it(void)
{
    log_fatal("cannot read %s", "the settings");
}

static void
a_line_has_program_pid_level_and_no_control_characters(void **state)
{
    (void)state;
    char said[4096];
    assert_int_equal(unit_in_child(say_something_forged, said, sizeof said), 0);
    assert_memory_equal(said, "queue[", 6);
    const char *rest = strchr(said, ']');
    assert_non_null(rest);
    assert_string_equal(rest, "]: warning: heard one?two??[2J???????three ü\xC2\xA0.\n");
}

static void
errors_and_news_are_told_apart_and_errno_survives(void **state)
{
    (void)state;
    char said[4096];
    assert_int_equal(unit_in_child(say_one_of_each, said, sizeof said), 0);
    assert_non_null(strstr(said, "]: error: no 1\n"));
    assert_non_null(strstr(said, "]: info: no 2\n"));
    assert_non_null(strstr(said, "]: error: No such file or directory\n"));
    assert_non_null(strstr(said, "]: info: kept\n"));
}

static void
a_line_too_long_is_cut_and_still_ends(void **state)
{
    (void)state;
    char said[16384];
    assert_int_equal(unit_in_child(say_too_much, said, sizeof said), 0);
    const char *end = strchr(said, '\n');
    assert_non_null(end);
    assert_true(end - said > 1000 && end - said < 4096);
    assert_non_null(strstr(end, "]: info: next\n"));
}

static void
no_length_breaks_a_line(void **state)
{
    char *said = arena_alloc(*state, 600000);
    assert_int_equal(unit_in_child(say_lines_of_many_lengths, said, 600000), 0);
    int lines = 0;
    for (const char *end; (end = strchr(said, '\n')) != NULL; said = (char *)end + 1, lines++)
        CHECK(end - said > 1900 && end - said < 2048 && strchr(said, '[') < end, "line %d has %zu bytes", lines,
            (size_t)(end - said));
    assert_int_equal(lines, 200);
    assert_string_equal(said, "");
}

static void
a_fatal_line_ends_the_program_with_status_1(void **state)
{
    (void)state;
    char said[4096];
    int status = unit_in_child(end_it, said, sizeof said);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(said, "]: fatal: cannot read the settings\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_line_has_program_pid_level_and_no_control_characters),
        UNIT(errors_and_news_are_told_apart_and_errno_survives),
        UNIT(a_line_too_long_is_cut_and_still_ends),
        UNIT(no_length_breaks_a_line),
        UNIT(a_fatal_line_ends_the_program_with_status_1),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
