/* stop.c: a handler sets a flag, and the signals can arrive only in epoll_pwait(). A signalfd was rejected: one more descriptor
 * and one more kind of event, for something that happens once. */
#include "io/stop.h"

#include <stddef.h>

enum { WISHES = 4 };

/* USR1 is what multiwatch sends; QUIT what Debian's sends where it is told to send TERM. */
static const int wishes[WISHES] = {SIGTERM, SIGINT, SIGUSR1, SIGQUIT};

static volatile sig_atomic_t is_wanted;
static sigset_t mask;

static void
on_stop(int number)
{
    (void)number;
    is_wanted = 1;
}

static void
handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART: it must interrupt */
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void
stop_keep(void)
{
    sigset_t stops;
    sigemptyset(&stops);
    for (int i = 0; i < WISHES; i++)
        sigaddset(&stops, wishes[i]);
    sigprocmask(SIG_BLOCK, &stops, &mask);
    for (int i = 0; i < WISHES; i++)
        sigdelset(&mask, wishes[i]);
}

void
stop_listen(void)
{
    for (int i = 0; i < WISHES; i++)
        handle(wishes[i], on_stop);
    handle(SIGPIPE, SIG_IGN);
}

const sigset_t *
stop_mask(void)
{
    return &mask;
}

bool
stop_is_wanted(void)
{
    return is_wanted != 0;
}
