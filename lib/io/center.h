/* center: the collaboration center as one request sees it; the first argument of every model function.
 *
 * Owner: whoever runs the loop (io/loop.c, sbin/rtcc). `mem` and `fault` are fresh for each request; the others live as long
 * as the process. A model reads the time from here only, so that one request has one time and a test can set it. */
#ifndef RTCC_CENTER_H
#define RTCC_CENTER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct db;
struct settings;

struct center {
    struct db *db;
    const struct settings *settings;
    struct arena *mem;
    int64_t now_ms;   /* wall clock, when the request was taken up */
    int64_t boot_ms;  /* boot clock, at the same moment */
    int64_t until_ms; /* boot clock: then somebody wants an answer, whatever other servers do; 0: nobody waits */
    struct fault fault;
};

/* Remembers the sentence for the person and returns err: `return center_fault(c, ERR_CONFLICT, "reqid", "…")`.
 * parameter may be NULL. The sentence is printf-like and lives in c->mem. */
enum err center_fault(struct center *c, enum err err, const char *parameter, const char *format, ...) like_printf(4, 5);

enum { CENTER_NAME_CHARS = 100 };

/* ERR_BAD_PARAMETER, with the sentence, for what people should not have to read as a name: empty or blank, longer than
 * CENTER_NAME_CHARS, no UTF-8, or with control characters. `what` begins the sentence: "A topic". */
must_check enum err center_check_name(struct center *c, const char *parameter, const char *what, const char *text);

#endif
