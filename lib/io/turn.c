/* turn.c: two locks of flock(2). One alone is not fair: who has just let go of it has it again before the next is awake. So each
 * has to pass turn.lock, which the one who is next holds until the one before him has let go of write.lock.
 *
 * flock has no time limit; an alarm breaks it off, again and again, because the first may come just before the wait.
 *
 * Rejected: a robust mutex in shared memory, which has one, but ties all programs to one libc and one boot; giving the turn to
 * the next before the sync, so that several share one: what a broken disk refuses could then be seen all the same. */
#include "io/turn.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"

enum { ALARM_AGAIN_US = 20000 };

bool
turn_open(struct turn *turn, const char *folder)
{
    turn->next = folder_lock(folder, "turn.lock", LOCK_UN);
    turn->now = folder_lock(folder, "write.lock", LOCK_UN);
    return turn->next >= 0 && turn->now >= 0;
}

void
turn_close(struct turn *turn)
{
    if (turn->next >= 0)
        close(turn->next);
    if (turn->now >= 0)
        close(turn->now);
}

static void
wake(int signal_number)
{
    (void)signal_number;
}

static void
set_alarm(int64_t in_ms)
{
    struct itimerval when = {.it_value = {in_ms / 1000, in_ms % 1000 * 1000},
        .it_interval.tv_usec = in_ms > 0 ? ALARM_AGAIN_US : 0};
    struct sigaction action = {.sa_handler = wake}; /* without SA_RESTART: it breaks off what waits */
    if (in_ms > 0)
        sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &when, NULL);
}

static bool
lock(int fd, int64_t until_ms)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    int64_t left_ms = until_ms - clock_boot_ms();
    if (left_ms <= 0)
        return false;
    set_alarm(left_ms);
    int result;
    do
        result = flock(fd, LOCK_EX);
    while (result != 0 && errno == EINTR && clock_boot_ms() < until_ms);
    set_alarm(0);
    return result == 0;
}

bool
turn_take(struct turn *turn, int64_t until_ms)
{
    if (!lock(turn->next, until_ms))
        return false;
    bool is_ours = lock(turn->now, until_ms);
    flock(turn->next, LOCK_UN);
    return is_ours;
}

void
turn_give(struct turn *turn)
{
    flock(turn->now, LOCK_UN);
}
