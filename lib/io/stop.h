/* stop: the wish of whoever keeps the programs that this one should end. */
#ifndef RTCC_STOP_H
#define RTCC_STOP_H

#include <signal.h>
#include <stdbool.h>

/* From now on SIGTERM, SIGINT and SIGUSR1 are that wish; they are blocked, but for waits under stop_mask(). SIGPIPE is ignored,
 * and SIGALRM interrupts a system call. */
void stop_listen(void);

/* For epoll_pwait(): a wait that the wish ends, without a gap between asking and waiting. */
const sigset_t *stop_mask(void);

bool stop_is_wanted(void);

#endif
