/* limit: how often something may happen in a stretch of time. A stretch begins with the first that is counted, and the last that
 * is allowed begins another, so whoever has used up what he may waits for a whole one. Counted on the boot clock, in live.db,
 * which may be lost. */
#ifndef RTCC_LIMIT_H
#define RTCC_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"

/* A limit: at most `most` in each stretch of window_s. */
struct limit {
    const char *name; /* what is counted: "code" */
    int most;
    int window_s;
    const char *reason; /* what is said when it is reached */
};

extern const struct limit limit_code_address; /* wrong codes from one address */
extern const struct limit limit_code_site;    /* wrong codes in all */
extern const struct limit limit_form;         /* forms from one address */
extern const struct limit limit_sign;         /* wrong passwords for one account */
extern const struct limit limit_sign_address; /* wrong passwords from one address */
extern const struct limit limit_basic;        /* wrong passwords in HTTP Basic from one address */
extern const struct limit limit_basic_site;   /* wrong passwords in HTTP Basic in all */

/* Addresses that have had a right one before: while many guess, those go on being served. */
extern const struct limit limit_code_known;
extern const struct limit limit_basic_known;

/* Counts one for `whom` and says ERR_TOO_MANY, with Retry-After, when that is more than the limit allows. */
must_check enum err limit_take(struct center *c, const struct limit *limit, const char *whom);

/* Says ERR_TOO_MANY when the limit is used up; counts nothing. */
must_check enum err limit_check(struct center *c, const struct limit *limit, const char *whom);

/* Forgets what was counted for `whom`. */
must_check enum err limit_forget(struct center *c, const struct limit *limit, const char *whom);

/* Clears away what is over. Call now and then. */
must_check enum err limit_tidy(struct center *c);

/* Notes that an address is one of the known ones, for weeks, and asks whether it is. */
must_check enum err limit_remember(struct center *c, const struct limit *known, const char *address);
bool limit_is_known(struct center *c, const struct limit *known, const char *address);

/* The address that limits count by: IPv4 as it is, IPv6 its first 64 bits. */
const char *limit_address(struct center *c, const char *address);

/* Whether limits by address spare this one: 127.0.0.1 with the setting limit_exempt. */
bool limit_is_exempt(struct center *c, const char *address);

#endif
