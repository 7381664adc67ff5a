/* load: what the parts of the load generator share. Each part is one kind of load; it prints one line of JSON. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"

/* ── figures ── */

struct samples {
    int64_t *ns;
    size_t count;
    size_t room;
};

void samples_add(struct samples *s, int64_t ns);

/* In milliseconds; -1 when there are none. `part` is 0.5 for the median. Sorts the samples. */
double samples_ms(struct samples *s, double part);

/* The processor time of all processes of the list "PID,PID,…" so far, in milliseconds. */
double cpu_ms(const char *pids);

/* ── what to say ── */

/* A message that tells when it was sent; survives JSON, XML and form bodies as it is. */
#define MARK "@@"
int64_t mark_ns(const char *at); /* of "@@NUMBER@" */

/* ── the kinds of load ── */

struct plan {
    int port;
    int waiters;
    int channels; /* waiters share them evenly */
    int posters;  /* that post at once */
    double rate;  /* posts a second; 0: as many as are answered */
    double seconds;
    const char *pids;
    const char *file; /* what the kind reads: one line for each waiter, or agent */
    int64_t cursor;   /* of rtcc's waiters at the start */
};

struct channel {
    int fan_out;
    const char *conf; /* "conf" and "token" of who posts, a Jabber id, or a name */
    const char *token;
};

struct waiter {
    struct connection *connection;
    struct channel *channel;
    const char *token;
    int64_t cursor;
    void *own; /* the kind's */
};

struct poster {
    struct connection *connection;
    void *own;
};

/* A server that clients wait at, and how. What takes several requests ends with waiter_ready(), poster_ready(). */
struct kind {
    void (*prepare)(struct waiter *w);
    void (*poll)(struct waiter *w);
    void (*answered)(struct waiter *w, const struct answer *a); /* takes the cursor of the next poll */
    void (*prepare_poster)(struct poster *p);
    void (*post)(struct poster *p, const struct channel *to, int64_t now); /* ends with post_taken() */
};

extern const struct kind rtcc_kind, nchan_kind, bosh_kind, fossil_kind;

void waiter_ready(struct waiter *w);
void poster_ready(struct poster *p);
void post_taken(struct poster *p, int64_t sent_ns);

void deliver(const struct kind *kind, const struct plan *plan);
void chats(const struct plan *plan);

#endif
