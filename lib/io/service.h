/* service: what a program in cgi-bin is: a table of its parameters and one function.
 *
 * main() lives in io/main.c, once, for all programs; each program exports `const struct service service`. The table drives
 * parsing, limits, methods, access, --help, and a test that the manual page names every parameter.
 *
 * One loop serves a program (io/loop.h), in the way that `mode` says:
 *   BATCH    one process; each turn takes the requests that are ready. If the program is_changing, they share one transaction, a
 *            savepoint each, and one COMMIT: nothing is answered before it is on the disk; a request that ends with an error is
 *            rolled back alone, and if COMMIT fails every one of them is 503. A program that changes nothing gets no transaction,
 *            so that it takes no lock and answers while the disk is full. The function must not wait for anything.
 *   HOLD     as BATCH, but without any transaction; the function may park the request (HELD), which then costs a
 *            `struct wait` and no more until there is news for it.
 *   PREFORK  one request at a time, may wait (HTTP calls, password hashing) and may take a large body; several processes. No
 *            transaction of its own.
 * Under plain CGI every mode is one request: BATCH with its transaction, HOLD holding RTCC settings' `cgi_hold_s`.
 *
 * What takes long, and what all the others in that transaction would wait for, a program does in prepare(), before it.
 *
 * A body is at most 104 KiB in BATCH and HOLD, the setting file_max_bytes and 104 KiB in PREFORK; a larger one is 413 before the
 * program is asked. Order of the checks: size, method, form, parameters of the table, access, then the program. */
#ifndef RTCC_SERVICE_H
#define RTCC_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/form.h"
#include "base/multipart.h"
#include "base/value.h"
#include "io/center.h"

/* How a value is checked before the program sees it. Unlisted names are ignored. */
enum param_kind {
    PARAM_TEXT, /* several lines; up to `max` code points */
    PARAM_LINE, /* one line without control characters; trimmed; up to `max` code points. In "phone" a leading space is a '+' */
    PARAM_INT,  /* whole number, `min` to `max`; in arg.number */
    PARAM_FLAG, /* 1 0 true false yes no on off; in arg.number */
    PARAM_FILE, /* a part with a file name (multipart only); in arg.file */
};              /* for TEXT and LINE `min` is the fewest code points of a value that is not empty */

struct param {
    const char *name; /* NULL ends the table */
    enum param_kind kind;
    bool is_required; /* an absent or empty value is 400 */
    int64_t min;
    int64_t max;
    const char *about; /* for --help and the manual */
};

struct arg {
    const char *text; /* NULL when not given or empty; of INT and FLAG as it was written */
    int64_t number;   /* INT, FLAG; 0 when not given or empty */
    const struct multipart_file *file;
    bool is_given; /* named in the request, even if empty */
};

enum { METHOD_GET = 1, METHOD_POST = 2 }; /* GET implies HEAD */

enum format { FORMAT_JSON, FORMAT_XML, FORMAT_PAGE };

enum mode { BATCH, HOLD, PREFORK };

enum { PARAMS_MAX = 64, HEADERS_MAX_BYTES = 4096, ANSWER_MAX_BYTES = 16 * 1024 * 1024 };

/* A parked request, as the process keeps it: the loop adds descriptor, request id, list links and places in two tables, below
 * 128 bytes in all. */
struct wait {
    int64_t key;         /* whose news wake it: a conference's number, an agent's id */
    int64_t member;      /* meaning is the program's */
    int64_t after;       /* the cursor of the client */
    int64_t parked_ms;   /* boot clock; set by the loop, once for the whole hold */
    int64_t deadline_ms; /* boot clock; the program sets it */
    int32_t place;       /* last known place in a queue, 0: none (then places() does not wake it) */
    uint32_t flags;      /* meaning is the program's */
};

struct request;

struct news {
    bool is_begun;   /* the cursors stand; false at the start of the process */
    int64_t cursor;  /* last event seen */
    int64_t cursor2; /* last passing thing seen (typing) */
    bool places_changed;
    size_t count;
    size_t cap;
    int64_t *keys; /* in center.mem */
};

struct places {
    size_t count;
    struct place {
        int64_t key;
        int32_t place; /* 1 is next */
    } * items;         /* in center.mem, in any order */
};

/* What HELD programs add. All functions run in the loop's only thread and must not wait. */
struct hold {
    /* Appends to `keys` the keys that the changes since *cursor concern, and moves the cursors (at the start of the process: sets
     * them to "now"). Called after the bell and once a second. */
    enum err (*news)(struct center *c, struct news *news);

    /* Answers a parked request (sets r->is_held to false and fills the answer, or returns an error), or returns OK with
     * r->is_held still true when there was nothing for it after all; what it changed in *wait, which is r->wait, is kept. Called
     * when its key has news, when its place became better, and, with is_late, at its deadline or when the process ends; then it
     * has to answer. Of r only service, c, method, host, is_https, the three is_*_wanted and wait are as they were; there are no
     * args, no form, no other headers and no caller. Under plain CGI it is called after each bell and tick, without news(). */
    enum err (*wake)(struct request *r, struct wait *wait, bool is_late);

    /* The places of all keys that stand in a queue, or NULL if the program knows no queue. The loop wakes a waiter whose place
     * is better than wait.place and who was parked at least 15 s ago. Called once a second at most, after news. */
    enum err (*places)(struct center *c, struct places *out);

    /* What is due, once a second; may be NULL. */
    enum err (*tick)(struct center *c);
};

/* Adds one key. */
void news_add(struct center *c, struct news *news, int64_t key);

struct service {
    const char *name;
    const char *about; /* one sentence, for --help */
    unsigned methods;
    enum mode mode;
    enum format format; /* what it answers when Accept does not decide */
    bool is_changing;   /* changes something: a browser's form gets 303 to r->see_other */
    const struct param *params;
    void (*prepare)(struct request *r);    /* what takes long: asked before any transaction; may be NULL */
    enum err (*access)(struct request *r); /* who may; NULL: anybody (page/access.h has them all) */
    enum err (*answer)(struct request *r);
    const struct hold *hold; /* HOLD only */

    /* Writes pages: put template_render (page/template.h) here. io stands below page and may not know it, so the program brings
     * it along. Error pages are the template "message", with status, code, title, parameter, reason, back, back_text, site_name
     * and phone_number. NULL: no page can be written, and a browser gets errors as JSON or XML. */
    enum err (*render)(struct arena *mem, const char *folder, const char *name, const struct value *tree, struct buf *out);

    /* The address that an error's page leads back to, its `back`; NULL: none. It is asked after any error: parameters may be
     * missing or wrong, and r->caller NULL. */
    const char *(*back)(struct request *r);
    const char *back_text; /* what that link says; NULL: that it leads back to the conversation */
};

extern const struct service service;

/* A range of an open file as the body of the answer, with r->content_type. The loop closes fd, whatever happens. With status 200
 * give the whole file: the client's Range (one range, and If-Range only with the ETag that you set) is cut out of it by the loop,
 * with 206 or 416. */
struct body_file {
    int fd; /* -1: none */
    int64_t offset;
    int64_t bytes;
};

struct request {
    const struct service *service;
    struct center *c;
    struct arg args[PARAMS_MAX]; /* by position in service->params */

    /* as it came */
    const char *method;    /* "GET", "HEAD", "POST" */
    const char *path_info; /* behind the program's name, "" if none */
    const char *remote_addr;
    const char *host; /* Host header, "" if none */
    bool is_https;
    bool is_json_wanted;     /* Accept names application/json */
    bool is_xml_wanted;      /* Accept names application/xml or text/xml, and neither of the two others */
    bool is_page_wanted;     /* Accept names text/html and not application/json */
    const struct form *form; /* every pair, for what no table lists */
    const char *body;        /* the body as it came, NUL behind it */
    size_t body_bytes;
    const char *(*header)(const struct request *r, const char *name); /* "HTTP_ACCEPT"-style CGI name; NULL if absent */
    void *headers;                                                    /* private to `header` */

    /* who asks; set by access functions, with what prepare() found out (page/access.h owns the structs) */
    const struct caller *caller;
    const struct proof *proof;

    /* the answer: fill one of out, page, raw, file; an error that is returned makes its own and keeps only headers_out */
    int status;               /* 200 unless set */
    struct value *out;        /* the tree, always there; written as JSON or XML */
    const char *out_name;     /* XML's root element; NULL: the answer is JSON whatever Accept says */
    const char *page;         /* a template's name without ".html": out is rendered with it */
    const char *see_other;    /* absolute path or URL, percent-encoded: 303 if a page is wanted (or if `redirect`) */
    bool redirect;            /* 303 whatever Accept says */
    struct buf raw;           /* bytes as they are, with content_type */
    const char *content_type; /* NULL: by what is filled */
    struct body_file file;
    struct buf headers_out; /* further header lines, each ended by CRLF; use request_header() */

    /* HOLD */
    bool is_held;
    struct wait wait;
};

/* Adds a header to the answer. CR, LF and NUL in value are a programming error (assert): check what came from outside before. */
void request_header(struct request *r, const char *name, const char *value);

/* A cookie, HttpOnly, Path=/, SameSite=Lax; over https with Secure and the __Host- prefix. The name carries the instance (setting
 * `instance`): the cookie is called "<instance>_<name>". max_age_s 0 deletes it, below 0 it ends with the browser's session. The
 * value may hold what RFC 6265 allows without quotes (base64url is fine). */
void request_cookie(struct request *r, const char *name, const char *value, int64_t max_age_s);

/* The cookie of that name as request_cookie() set it, or NULL. */
const char *request_cookie_get(struct request *r, const char *name);

/* "https://host" or "http://host" as the client sees this server: the setting `public_url`, else from the Host header when it is
 * a valid host name with optional port, else "". No slash at the end. */
const char *request_origin(struct request *r);

/* The path of an address below the setting `collaboration_url` where that names this machine itself ("http://127.0.0.1/…"), which
 * nobody else can follow; else NULL, also where it is another port of this machine than the one by which a client on it came.
 * Points into url. */
const char *request_own_path(struct request *r, const char *url);

/* That address as the client can follow it: an own path with request_origin(), any other as it is. */
const char *request_outward(struct request *r, const char *url);

/* Parks the request: fills r->wait and sets is_held; returns OK. Where the web server gives a variable RTCC_HOLD_S (0 to 25) with
 * the request, because a wait costs it a thread or a process, the deadline is no later than that; where it gives RTCC_HOLD_MAX
 * and so many processes wait already (seat.h), the deadline is at once. */
must_check enum err request_hold(struct request *r, const struct wait *wait);

/* For wake(): how many seconds the client should let pass before it asks again: some where its wait ended as it began because
 * there was no place for it, 0 after any other. */
int64_t request_pause_s(const struct request *r);

#endif
