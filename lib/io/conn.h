/* conn: the connections of a loop, and where a waiting request lies: 88 bytes each, in three structures that are never walked as
 * a whole: rings (who is ready, who is woken, who waits for a key), a heap by time, a table by key. */
#ifndef RTCC_CONN_H
#define RTCC_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/inbox.h"
#include "io/send.h"
#include "io/service.h"

/* A link of a doubly linked ring; a ring's head points to itself when it is empty. */
struct ring {
    struct ring *next;
    struct ring *prev;
};

void ring_init(struct ring *head);
bool ring_is_empty(const struct ring *head);
void ring_add(struct ring *head, struct ring *link); /* at the end; out of the ring where it was */
void ring_take(struct ring *link);                   /* out of its ring */

enum conn_state {
    CONN_READING,  /* no request, or a part of one */
    CONN_READY,    /* a whole request that nobody has taken yet */
    CONN_PARKED,   /* in the table, by key */
    CONN_WOKEN,    /* parked, and to be looked at */
    CONN_SENDING,  /* `rest` is not sent yet */
    CONN_DRAINING, /* refused; reads away what still comes, so that the answer is not lost with a reset */
    CONN_CLOSED,   /* for the rest of this turn */
};

enum conn_flag {
    CONN_KEEP = 1,    /* to be used again */
    CONN_WATCHED = 2, /* known to epoll */
    CONN_WATCHED_OUTPUT = 4,
    CONN_LOOK_AGAIN = 8,  /* something came while it was busy */
    CONN_HEAD_LARGE = 16, /* refused before anything is read … */
    CONN_BODY_LARGE = 32, /* … or with the head alone: drained after the answer */
    CONN_HEAD_WHOLE = 64, /* only the body is still to come, and has its own time for that */
    CONN_NO_ROOM = 128,   /* refused because the body could not be kept: drained, too */
};

/* What is kept of a parked request besides its wait. */
enum conn_trait { TRAIT_HTTPS = 1, TRAIT_JSON = 2, TRAIT_PAGE = 4, TRAIT_XML = 8, TRAIT_HEAD = 16, TRAIT_POST = 32 };

struct conn {
    struct ring ring; /* first: a link is a connection */
    int64_t due_ms;
    int fd;
    uint32_t heap_at; /* 1 and up; 0: not in the heap */
    uint16_t request_id;
    uint16_t host; /* number of the kept Host header, see park.c */
    uint8_t state;
    uint8_t flags;
    uint8_t traits;
    union {
        struct {                 /* READING, READY */
            struct inbox *inbox; /* what is out of the socket already, or NULL */
            int64_t begun_ms;    /* when it was accepted */
        };
        struct wait wait;    /* PARKED, WOKEN */
        struct outbox *rest; /* SENDING */
    };
};

struct conns {
    size_t count; /* open */
    struct ring ready;
    struct ring woken;
    struct ring sending;
    struct ring closed;
    struct ring free;
    struct conn **heap; /* by due_ms; from 1 */
    size_t heap_count;
    size_t heap_cap;
    struct ring *table; /* by key */
    size_t table_size;  /* a power of two */
    size_t parked;      /* in the table */
};

void conns_init(struct conns *cs);
void conns_end(struct conns *cs); /* gives back what init took; nothing may be called afterwards */

struct conn *conn_new(struct conns *cs, int fd);

/* Closes the descriptor and takes it out of everything; the memory is used again after conns_sweep(). */
void conn_close(struct conns *cs, struct conn *conn);
void conns_sweep(struct conns *cs);

/* Whether the other side has closed it, not only for writing. Over TCP that cannot be told before something is sent: false. */
bool conn_is_left(const struct conn *conn);

/* When something has to happen with it (boot clock); 0: never. */
void conn_due(struct conns *cs, struct conn *conn, int64_t due_ms);

/* The connection that is due first, or NULL. */
struct conn *conns_first_due(const struct conns *cs);

/* Into and out of the table, by conn->wait.key. */
void conn_park(struct conns *cs, struct conn *conn);
void conn_unpark(struct conns *cs, struct conn *conn);

/* The bucket where all that are parked for key are, among others. */
struct ring *conns_bucket(struct conns *cs, int64_t key);

/* Lets the process have as many descriptors as it may; how many of them are for requests, when so many are spared for others. */
size_t conns_most(size_t spare);

#endif
