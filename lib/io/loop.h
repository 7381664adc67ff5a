/* loop: one thread, one epoll, all connections.
 *
 * What a turn does: takes new connections, looks which requests are whole, hears the bell, wakes whom it concerns, runs up to
 * LOOP_TURN_MAX requests (fewer long ones: LOOP_TURN_BYTES) and sends their answers. No step waits; a client that neither reads
 * nor finishes its request holds up nobody and is closed at its time limit. A request that changes nothing and whose asker has
 * hung up before its turn is not run (but in HOLD, where running is little: it is, and let go of then).
 *
 * PREFORK: several processes share the listening socket, and one request of each is run at a time, which may wait and may be
 * large. Whoever has a whole request in hand, or may have one in a moment, takes no new connection, so that another process gets
 * it. Every connection is closed after its answer, and its body may take longer. */
#ifndef RTCC_LOOP_H
#define RTCC_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "io/conn.h"
#include "io/job.h"

enum {
    LOOP_TURN_MAX = 64,         /* requests in one turn; of a program that changes something in one transaction */
    LOOP_LOOK_MAX = 4,          /* requests that only look: so many at once, for their long answers lie in memory together … */
    LOOP_TURN_BYTES = 524288,   /* … and no more in the turn when their answers have so many bytes */
    LOOP_WAKE_MAX = 256,        /* parked requests looked at in one turn; LOOP_TURN_BYTES here, too */
    LOOP_REQUEST_MS = 10000,    /* from the first byte, or from connecting, to a whole head */
    LOOP_BODY_MS = 30000,       /* from there to a whole body: Apache sends the head before it has that from a slow client */
    LOOP_SILENCE_MS = 10000,    /* PREFORK, instead: between two pieces of a body … */
    LOOP_LARGE_MS = 60000,      /* … and from connecting to a whole request */
    LOOP_SETTLE_MS = 2,         /* PREFORK: for a request to come that a web server connects for, before the next is taken */
    LOOP_SEND_MS = 30000,       /* for a client to read some more of its answer */
    LOOP_DRAIN_MS = 2000,       /* for the rest of what was refused */
    LOOP_STOP_MS = 1500,        /* for what is in hand when the process ends … */
    LOOP_STOP_LARGE_MS = 4000,  /* … under PREFORK: who is still sending or reading then is cut off */
    LOOP_QUIET_MS = 100,        /* then the web server has seen which kept connections are gone */
    LOOP_TICK_MS = 1000,        /* the look at the database that does not depend on the bell */
    LOOP_PLACE_MS = 15000,      /* a better place alone ends no wait before this */
    LOOP_SPARE_DESCRIPTORS = 96 /* of RLIMIT_NOFILE: databases, log, files; a third of it to say no with */
};

/* PREFORK: so many bodies of the largest size may lie in files of a process while they come. */
enum { LOOP_LARGE_MAX = 16 };

/* What is kept of Host headers while requests that brought them are parked. */
enum { LOOP_HOSTS_MAX = 64 };

struct loop {
    const struct service *service;
    struct center process; /* db and settings */
    struct conns conns;
    int epoll;
    int listen_fd;
    int bell;
    bool is_listening;
    bool is_stopping;
    bool is_called;          /* somebody connects */
    size_t body_max;         /* bytes */
    size_t full;             /* connections from which on requests are answered 503 */
    int64_t end_ms;          /* boot clock; INT64_MAX: when it is told to */
    int64_t now_ms;          /* boot clock, of this turn */
    int64_t asked_ms;        /* when the last request came or was woken */
    int64_t listen_again_ms; /* not before: the system had no descriptor left, or a request is about to come */

    /* HOLD, park.c */
    struct news news;
    bool is_news_known; /* the first news() went well */
    bool is_rung;
    bool is_deaf; /* nobody waits: the bell is not listened to */
    bool are_places_due;
    int64_t tick_ms; /* the next one */
    struct host {
        char *name;
        size_t used;
    } hosts[LOOP_HOSTS_MAX]; /* 0 is "" */
};

/* Serves requests from listen_fd until stop_is_wanted(), then finishes what is in hand: parked requests are woken as at their
 * deadline. process gives db and settings. */
void loop_run(const struct service *s, const struct center *process, int listen_fd);

/* Answers 503 to whatever comes for so long, or until stop_is_wanted(): for a program of any mode that has no database. */
void loop_refuse(const struct service *s, const struct center *process, int listen_fd, int64_t ms);

/* ── between loop.c, look.c and park.c ── */

/* What has come on a connection that has no request in hand: it becomes ready, waits for more, or is closed. */
void look_front(struct loop *loop, struct conn *conn);

/* What epoll tells of a parked request: its client left, takes it back, or sends what is none of its business yet. */
void look_parked(struct loop *loop, struct conn *conn, uint32_t events);

void loop_close(struct loop *loop, struct conn *conn);

/* Tells the web server that its request is over, and closes. */
void loop_end(struct loop *loop, struct conn *conn, int protocol_status);

/* Sends job's answer; then closes or goes on with the connection. */
void loop_answer(struct loop *loop, struct conn *conn, struct job *job);

/* Tells epoll that it waits for input, hang-up, and output if has_output. */
void loop_watch(struct loop *loop, struct conn *conn, bool has_output);

void park_start(struct loop *loop);

/* Before requests are run that may be parked: from here on nothing that happens is missed. */
void park_expect(struct loop *loop);

/* Keeps what is needed of a held request; the caller ends the job. */
void park_add(struct loop *loop, struct conn *conn, const struct request *r);

/* The connection of a parked request is closed, or its request answered: forgets what was kept besides. */
void park_forget(struct loop *loop, struct conn *conn);

/* To be looked at. */
void park_wake(struct loop *loop, struct conn *conn);
void park_wake_all(struct loop *loop);

/* What is due: news after the bell, once a second the tick, and the next LOOP_WAKE_MAX of the woken. */
void park_turn(struct loop *loop);

#endif
