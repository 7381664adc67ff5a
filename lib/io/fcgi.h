/* fcgi: FastCGI 1.0 as a responder, one request at a time on a connection.
 *
 * fcgi_look() says what has come, and only when that is a whole request fcgi_take() reads it, which then cannot wait. Answers are
 * records that the sender makes himself. */
#ifndef RTCC_FCGI_H
#define RTCC_FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/request.h"

enum {
    FCGI_HEAD_MAX_BYTES = 48 * 1024,  /* all CGI variables */
    FCGI_LOOK_MAX_BYTES = 160 * 1024, /* what a request may take with all its records */
    FCGI_RECORD_MAX_BYTES = 65528,    /* content of a record that needs no padding */
    FCGI_RECORD_HEAD_BYTES = 8,
    FCGI_END_BYTES = 24, /* what fcgi_end() writes */
    FCGI_REPLY_MAX_BYTES = 32,
};

enum fcgi_front_kind {
    FRONT_PART,       /* the beginning of something: look again when more has come */
    FRONT_REQUEST,    /* a whole request: fcgi_take() */
    FRONT_TOO_LARGE,  /* the body is over the limit; the head is whole: fcgi_take() with body_max 0, answer 413, close */
    FRONT_HEAD_LARGE, /* the variables are over the limit: answer without reading, close */
    FRONT_QUESTION,   /* a management record of `bytes`: read it, send fcgi_reply() */
    FRONT_ABORT,      /* the web server took its request back: fcgi_end() and close */
    FRONT_BAD_ROLE,   /* not a responder: fcgi_end() with FCGI_BAD_ROLE and close */
    FRONT_BAD,        /* no FastCGI, or not as it has to be: close */
};

enum { FCGI_DONE = 0, FCGI_BAD_ROLE = 3 };

struct fcgi_front {
    enum fcgi_front_kind kind;
    uint16_t id;
    bool keep; /* the web server wants to use the connection again */
    bool is_head_whole;
    size_t bytes;      /* how much it is, with all its records; of PART how much is certain */
    size_t head_bytes; /* where the records of the body begin, when the head is whole */
};

/* What stands at the front of the bytes that have come. Pure. */
struct fcgi_front fcgi_look(const uint8_t *data, size_t bytes, size_t body_max);

/* Where in the records of a body a request is whose head is whole, so that what came before need not be looked at again. Begins
 * with the request's id and zeros. */
struct fcgi_body {
    uint16_t id;
    uint8_t head[FCGI_RECORD_HEAD_BYTES]; /* of the record that begins … */
    size_t head_bytes;                    /* … so much of it has come */
    size_t left;                          /* bytes of the record still to come, with its padding */
    size_t bytes;                         /* of the body, by its records' heads */
    enum fcgi_front_kind end;             /* what it is when the record is whole, if not PART */
};

/* What the next bytes make of it: PART, REQUEST, TOO_LARGE, ABORT or BAD, as fcgi_look() would say it of all. *used: how many of
 * them belong to the request. */
enum fcgi_front_kind fcgi_look_on(struct fcgi_body *body, const uint8_t *data, size_t bytes, size_t body_max, size_t *used);

/* Whether the bytes begin with the web server's word that it takes request `id` back. */
bool fcgi_is_abort(const uint8_t *data, size_t bytes, uint16_t id);

/* Once, before fcgi_take(). Prepares the listening socket: accept() does not wait. Leaves SIGTERM, SIGUSR1 and SIGPIPE with
 * libfcgi's handlers: install your own afterwards. */
must_check enum err fcgi_start(int listen_fd);

struct fcgi_taken {
    uint16_t id;
    bool keep;
    int64_t announced;  /* the body's bytes as the head says, or -1 */
    struct input input; /* is_too_large: the body was over body_max and the rest of it was not read */
};

/* Reads one request from fd; waits only if fd is blocking and not all is there. On an error fd is closed. */
must_check enum err fcgi_take(int fd, struct arena *mem, size_t body_max, struct fcgi_taken *out);

/* The same of a request that was read before; ERR_UNAVAILABLE if the system has no descriptor for it. */
must_check enum err fcgi_take_kept(const uint8_t *data, size_t bytes, struct arena *mem, size_t body_max, struct fcgi_taken *out);

/* Answers, as records. */
void fcgi_stdout(struct buf *out, uint16_t id, const char *data, size_t bytes);
void fcgi_head(uint8_t head[FCGI_RECORD_HEAD_BYTES], uint16_t id, size_t bytes); /* of one STDOUT record */
void fcgi_end(struct buf *out, uint16_t id, int protocol_status);
void fcgi_end_bytes(uint8_t out[FCGI_END_BYTES], uint16_t id, int protocol_status);

/* The reply to a management record, which is whole; returns its length. */
size_t fcgi_reply(uint8_t out[FCGI_REPLY_MAX_BYTES], const uint8_t *record, size_t bytes);

#endif
