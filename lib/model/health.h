/* health: what must hold for this place to serve, each with what to do when it does not. `status` asks, and `rtcc doctor`. */
#ifndef RTCC_HEALTH_H
#define RTCC_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"

enum { HEALTH_MOST = 16 };

struct health {
    bool is_ok;
    int count;
    struct health_check {
        const char *name; /* "database" */
        bool is_ok;
        const char *what; /* what was found */
        const char *mend; /* what to do; "" when all is well */
    } checks[HEALTH_MOST];
};

/* Looks at everything that can be seen from here; quick enough to be asked every second. */
void health_look(struct center *c, struct health *out);

/* Adds what can be seen without a database. */
void health_look_around(struct center *c, struct health *h);

/* Adds a check: for what only the caller can see. */
void health_add(struct health *h, const char *name, bool is_ok, const char *what, const char *mend);

/* Numbers for monitoring. */
struct health_numbers {
    int64_t waiting, talking, agents_ready, due, events;
};
must_check enum err health_count(struct center *c, struct health_numbers *out);

#endif
