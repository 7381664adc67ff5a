/* err: the few ways in which anything here can fail, and what HTTP calls them.
 *
 * A function that can fail returns `enum err`, is marked `must_check`, and sets its results (the last parameters) only on OK.
 * A programming error is an assert, kept in release. Out of memory ends the process (see arena.h).
 * The codes' spellings and statuses are the wire contract: programs written by others compare them. */
#ifndef RTCC_ERR_H
#define RTCC_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define must_check __attribute__((warn_unused_result))
#define like_printf(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

enum err {
    OK,
    ERR_BAD_PARAMETER, /* 400: a value is missing, malformed or over its limit */
    ERR_UNAUTHORIZED,  /* 401: no credential, or a wrong one (which, is not told) */
    ERR_FORBIDDEN,     /* 403: known, but not allowed */
    ERR_NOT_FOUND,     /* 404 */
    ERR_BAD_METHOD,    /* 405 */
    ERR_CONFLICT,      /* 409: the same request id with other values, or a state that forbids it */
    ERR_ALREADY_TAKEN, /* 409: another agent was first */
    ERR_GONE,          /* 410: erased */
    ERR_TOO_LARGE,     /* 413 */
    ERR_BAD_RANGE,     /* 416: the part that was asked for is not there; the contract has no code of its own for it */
    ERR_TOO_MANY,      /* 429: a limit; comes with Retry-After */
    ERR_UNAVAILABLE,   /* 503: a fault outside of the request; comes with Retry-After */
    ERR_MAX
};

/* What went wrong, for the person who asked. `reason` is one plain sentence; `parameter` names the field or is NULL. */
struct fault {
    const char *parameter;
    const char *reason;
    int retry_s;     /* for Retry-After; 0: the default of the status */
    bool has_offset; /* an upload that was cut … */
    int64_t offset;  /* … goes on here (bytes) */
};

/* The HTTP status of err (OK: 200). */
int err_status(enum err err);

/* The stable code of err as the wire spells it ("bad_parameter"). */
const char *err_code(enum err err);

/* The sentence that is said when nothing better is known. */
const char *err_sentence(enum err err);

/* The heading of a page that says it. */
const char *err_title(enum err err);

#endif
