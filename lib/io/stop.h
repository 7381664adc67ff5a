/* stop: the wish of whoever keeps the programs that this one should end. */
#ifndef RTCC_STOP_H
#define RTCC_STOP_H

#include <signal.h>
#include <stdbool.h>

/* Keeps SIGTERM, SIGINT, SIGUSR1 and SIGQUIT back until somebody listens: first of all, because libfcgi takes them for itself at
 * its start and would forget a wish that comes then. */
void stop_keep(void);

/* From now on, after stop_keep(), they are that wish; they are blocked, but for waits under stop_mask(). SIGPIPE is ignored. */
void stop_listen(void);

/* For epoll_pwait(): a wait that the wish ends, without a gap between asking and waiting. */
const sigset_t *stop_mask(void);

bool stop_is_wanted(void);

#endif
