/* stop.c: a handler sets a flag, and the signals can arrive only in epoll_pwait(). A signalfd was rejected: one more descriptor
 * and one more kind of event, for something that happens once. */
#include "io/stop.h"

#include <stddef.h>

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
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGUSR1);
    sigprocmask(SIG_BLOCK, &stops, &mask);
    sigdelset(&mask, SIGTERM);
    sigdelset(&mask, SIGINT);
    sigdelset(&mask, SIGUSR1);
}

void
stop_listen(void)
{
    handle(SIGTERM, on_stop);
    handle(SIGINT, on_stop);
    handle(SIGUSR1, on_stop);
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
