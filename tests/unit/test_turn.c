/* The turn: one at a time, until a time, and nobody who died keeps it. */
#include "unit.h"

#include <errno.h>

#include "base/clock.h"
#include "io/turn.h"

enum { SHORT_MS = 200, LONG_MS = 5000, SLACK_MS = 2000 };

static char folder[64];

static struct turn
open_turn(void)
{
    struct turn turn;
    assert_true(turn_open(&turn, folder));
    return turn;
}

static int
make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rtcc-turn-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state)
{
    char path[96];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i ? "write.lock" : "turn.lock");
        unlink(path);
    }
    return rmdir(folder);
}

static bool
take_within(struct turn *turn, int64_t ms)
{
    return turn_take(turn, clock_boot_ms() + ms);
}

static void
one_has_it_and_another_waits_as_long_as_he_said(void **state)
{
    (void)state;
    struct turn one = open_turn(), two = open_turn();
    assert_true(take_within(&one, 0));
    int64_t began = clock_boot_ms();
    assert_false(take_within(&two, SHORT_MS));
    int64_t took = clock_boot_ms() - began;
    assert_true(took >= SHORT_MS && took < SHORT_MS + SLACK_MS);
    assert_false(take_within(&two, 0));
    turn_give(&one);
    assert_true(take_within(&two, 0));
    assert_false(take_within(&one, 0));
    turn_close(&one);
    turn_close(&two);
}

static void
who_gave_up_waiting_is_in_nobodys_way(void **state)
{
    (void)state;
    struct turn one = open_turn(), two = open_turn(), three = open_turn();
    assert_true(take_within(&one, 0));
    assert_false(take_within(&two, SHORT_MS));
    turn_give(&one);
    assert_true(take_within(&three, 0));
    turn_close(&one);
    turn_close(&two);
    turn_close(&three);
}

/* A child that has the turn until it is killed. */
static pid_t
take_in_a_child(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct turn turn;
        if (turn_open(&turn, folder) && take_within(&turn, LONG_MS) && write(ready[1], "!", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void
who_dies_gives_it_to_the_one_who_waits_at_once(void **state)
{
    (void)state;
    struct turn turn = open_turn();
    pid_t child = take_in_a_child(), killer = fork();
    if (killer == 0) {
        usleep(SHORT_MS * 1000);
        kill(child, SIGKILL);
        _exit(0);
    }
    int64_t began = clock_boot_ms();
    assert_true(take_within(&turn, LONG_MS));
    int64_t took = clock_boot_ms() - began;
    assert_true(took >= SHORT_MS / 2 && took < SHORT_MS + SLACK_MS);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(waitpid(killer, NULL, 0), killer);
    turn_close(&turn);
}

static void
a_folder_that_is_missing_is_told(void **state)
{
    (void)state;
    struct turn turn;
    assert_false(turn_open(&turn, "/nonexistent/rtcc"));
    assert_int_equal(errno, ENOENT);
    turn_close(&turn);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_has_it_and_another_waits_as_long_as_he_said, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(who_gave_up_waiting_is_in_nobodys_way, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(who_dies_gives_it_to_the_one_who_waits_at_once, make_folder, remove_folder),
        UNIT(a_folder_that_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
