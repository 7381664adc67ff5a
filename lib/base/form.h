/* form: names and values of a query, of an urlencoded body, of a cookie header.
 *
 * Values are decoded ('+' is a space, %XX a byte) and are checked to be UTF-8 without NUL.
 * Empty parts (a=1&&b=2) are passed over. A name given twice: the first one counts. At most FORM_MAX pairs. */
#ifndef RTCC_FORM_H
#define RTCC_FORM_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* A name longer than FORM_SHOWN_BYTES is not repeated in a fault: the answer to nonsense stays small. */
enum { FORM_MAX = 256, FORM_SHOWN_BYTES = 64 };

struct form {
    size_t count;
    struct form_pair {
        const char *name;
        const char *value;
    } pairs[FORM_MAX];
};

/* Adds the pairs of an urlencoded text to `form` (the caller zeroes it first); copies live in mem.
 * ERR_BAD_PARAMETER: more than FORM_MAX pairs in all, a broken %XX, a NUL or invalid UTF-8; `fault` names the parameter where
 * there is one. */
must_check enum err form_parse(struct arena *mem, const char *text, size_t bytes, struct form *form, struct fault *fault);

/* Adds one decoded pair (from multipart). The same checks. */
must_check enum err form_add(struct arena *mem, const char *name, const char *value, size_t value_bytes, struct form *form,
    struct fault *fault);

/* The first value of that name, or NULL. */
const char *form_get(const struct form *form, const char *name);

/* The value of a cookie in a Cookie header (RFC 6265, 5.4), copied; NULL if there is none, or the value is not
 * UTF-8. Of several, the first. Quotes around it are dropped. */
const char *cookie_get(struct arena *mem, const char *header, const char *name);

#endif
