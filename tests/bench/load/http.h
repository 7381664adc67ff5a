/* http: the load generator's side of HTTP/1.1: many kept-alive connections to one server of this machine, in one thread.
 *
 * A connection has at most one request under way. Whatever goes wrong (closed, no HTTP, refused) ends the generator with a
 * sentence: a benchmark with errors in it has no figures. */
#ifndef LOAD_HTTP_H
#define LOAD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
    int status;
    const char *head; /* the whole head, NUL-terminated; valid during the call */
    const char *body; /* NUL-terminated; valid during the call */
};

struct connection {
    void (*on_answer)(struct connection *, const struct answer *);
    void *owner;     /* for on_answer */
    int64_t sent_ns; /* when the request was written */
    bool is_waiting; /* a request is under way */
    int fd;          /* private, as all that follows */
    char *part;      /* of an answer that came in pieces */
    size_t part_bytes;
};

/* All connections go to 127.0.0.1:port. They are dealt out over several source addresses (127.0.0.2 and on), because one has only
 * 28,000 ports. */
void http_start(int port);

struct connection *http_connect(void (*on_answer)(struct connection *, const struct answer *), void *owner);

/* Sends a whole request at once: requests of the generator fit into any socket's buffer. */
void http_send(struct connection *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Handles what comes until `until_ns`, or until *is_done. */
void http_run(int64_t until_ns, const bool *is_done);

/* Monotonic. */
int64_t now_ns(void);

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
