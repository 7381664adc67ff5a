/* head: what the value of a request's header says. */
#ifndef RTCC_HEAD_H
#define RTCC_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* What Authorization: Basic (RFC 7617) says, decoded; the name ends at the first colon. */
struct head_pair {
    const char *name;
    const char *password;
};

/* NULL: it is another scheme, no base64 (RFC 4648, 4; padding may be missing), not UTF-8 without NUL, or has no colon; header may
 * be NULL. */
struct head_pair *head_basic(struct arena *mem, const char *header);

/* The one range of Range: bytes= (RFC 9110, 14.1.2): first and last byte, both of them counted, -1 where nothing stands; what is
 * greater than INT64_MAX is INT64_MAX. False: it is no range, or several. */
bool head_range(const char *header, int64_t *first, int64_t *last);

#endif
