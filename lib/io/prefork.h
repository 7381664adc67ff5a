/* prefork: one request at a time, which may wait and may be large; several processes share the listening socket. */
#ifndef RTCC_PREFORK_H
#define RTCC_PREFORK_H

#include <stdint.h>

#include "io/service.h"

enum {
    PREFORK_SILENCE_MS = 10000, /* a client that sends or reads nothing for so long is given up … */
    PREFORK_REQUEST_S = 60,     /* … as is one that takes longer than this to send its request */
    PREFORK_DRAIN_MS = 1000     /* reading away what was refused */
};

/* Serves requests from listen_fd until stop_is_wanted(). process gives db and settings. */
void prefork_run(const struct service *s, const struct center *process, int listen_fd);

/* Answers 503 to whatever comes for so long, or until stop_is_wanted(): for a program of any mode that has no database. */
void prefork_refuse(const struct service *s, const struct center *process, int listen_fd, int64_t ms);

#endif
