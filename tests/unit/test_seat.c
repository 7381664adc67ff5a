/* Seats are few, a process has one at most, and whoever ends gives his back, also one that was killed. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "io/seat.h"

enum { SEATS = 3 };

static char folder[64];

static int
make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rtcc-seat-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state)
{
    char file[80];
    (void)state;
    seat_leave();
    snprintf(file, sizeof file, "%s/seats", folder);
    unlink(file);
    return rmdir(folder);
}

/* A process that asks for a seat, says 'y' or 'n', and sits there until it is killed. */
static pid_t
sitter(bool *has_seat)
{
    int said[2];
    char answer = 0;
    assert_int_equal(pipe(said), 0);
    pid_t pid = fork();
    if (pid == 0) {
        answer = seat_take(folder, SEATS) ? 'y' : 'n';
        if (write(said[1], &answer, 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(said[0], &answer, 1), 1);
    close(said[0]);
    close(said[1]);
    *has_seat = answer == 'y';
    return pid;
}

static void
end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
there_are_so_many_and_no_more_until_one_is_killed(void **state)
{
    pid_t pids[SEATS + 1];
    bool has_seat;
    (void)state;
    for (int i = 0; i < SEATS; i++) {
        pids[i] = sitter(&has_seat);
        assert_true(has_seat);
    }
    pids[SEATS] = sitter(&has_seat);
    assert_false(has_seat);
    assert_false(seat_take(folder, SEATS));
    end(pids[1]);
    assert_true(seat_take(folder, SEATS));
    for (int i = 0; i <= SEATS; i++)
        if (i != 1)
            end(pids[i]);
}

static void
a_process_has_one_until_it_leaves(void **state)
{
    bool has_seat;
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(seat_take(folder, 1));
    pid_t pid = sitter(&has_seat);
    assert_true(has_seat);
    end(pid);
    seat_leave();
    seat_leave();
    assert_true(seat_take(folder, 1));
}

static void
there_is_none_of_none_and_none_in_a_folder_that_is_not_there(void **state)
{
    (void)state;
    assert_false(seat_take(folder, 0));
    assert_false(seat_take("/nonexistent", SEATS));
}

#define SEATED(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SEATED(there_are_so_many_and_no_more_until_one_is_killed),
        SEATED(a_process_has_one_until_it_leaves),
        SEATED(there_is_none_of_none_and_none_in_a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
