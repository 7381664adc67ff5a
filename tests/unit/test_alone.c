/* One at a time for a name, and whoever ends lets go of it, also one that was killed. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "io/alone.h"

static char folder[64];

static int
make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rtcc-alone-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state)
{
    char file[80];
    (void)state;
    snprintf(file, sizeof file, "%s/alone", folder);
    unlink(file);
    return rmdir(folder);
}

/* A process that takes the name and keeps it for `ms`. */
static pid_t
keeper(const char *name, int64_t ms)
{
    int said[2];
    char byte;
    assert_int_equal(pipe(said), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool has_it = alone_take(folder, name, 0) >= 0 && write(said[1], "y", 1) == 1;
        usleep((useconds_t)ms * 1000);
        _exit(has_it ? 0 : 1);
    }
    assert_int_equal(read(said[0], &byte, 1), 1);
    close(said[0]);
    close(said[1]);
    return pid;
}

static void
a_name_is_had_by_one_at_a_time_and_others_have_theirs(void **state)
{
    (void)state;
    int anna = alone_take(folder, "anna", 0), ben = alone_take(folder, "ben", 0);
    assert_true(anna >= 0 && ben >= 0);
    assert_int_equal(alone_take(folder, "anna", 0), -1);
    alone_give(anna);
    anna = alone_take(folder, "anna", 0);
    assert_true(anna >= 0);
    alone_give(anna);
    alone_give(ben);
    alone_give(-1);
}

static void
who_waits_has_it_when_it_is_given_back_and_gives_up_after_his_time(void **state)
{
    (void)state;
    pid_t pid = keeper("anna", 300);
    int64_t from_ms = clock_boot_ms();
    assert_int_equal(alone_take(folder, "anna", 50), -1);
    assert_in_range(clock_boot_ms() - from_ms, 50, 290);
    int anna = alone_take(folder, "anna", 20000);
    assert_true(anna >= 0);
    assert_in_range(clock_boot_ms() - from_ms, 250, 10000);
    alone_give(anna);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
who_was_killed_keeps_nothing(void **state)
{
    (void)state;
    pid_t pid = keeper("anna", 60000);
    assert_int_equal(alone_take(folder, "anna", 0), -1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    int anna = alone_take(folder, "anna", 1000);
    assert_true(anna >= 0);
    alone_give(anna);
}

static void
where_nothing_can_be_written_nobody_has_it(void **state)
{
    char deep[5000];
    (void)state;
    assert_int_equal(alone_take("/nonexistent", "anna", 0), -1);
    memset(deep, 'd', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(alone_take(deep, "anna", 0), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_had_by_one_at_a_time_and_others_have_theirs, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(who_waits_has_it_when_it_is_given_back_and_gives_up_after_his_time, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(who_was_killed_keeps_nothing, make_folder, remove_folder),
        cmocka_unit_test(where_nothing_can_be_written_nobody_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
