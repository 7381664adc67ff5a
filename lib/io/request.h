/* request: from what a web server hands over (CGI 1.1 names and a body) to what a program sees. */
#ifndef RTCC_REQUEST_H
#define RTCC_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "io/service.h"

enum { BODY_MAX_BYTES = 104 * 1024 }; /* 8,000 characters of four bytes each, percent-encoded, and what goes with them */

/* A request as it came. `params` are "NAME=value", ended by NULL. All of it lives in the arena of the request. */
struct input {
    char **params;
    const char *body; /* NUL behind it */
    size_t body_bytes;
    bool is_too_large; /* the body was not read, as it is over the limit */
};

/* The value of a CGI variable in params, or NULL. */
const char *input_get(char *const *params, const char *name);

/* The largest body that the service takes, in bytes. */
size_t request_body_max(const struct service *s, const struct settings *settings);

/* A request without anything asked yet: the answer is empty, status 200. `process` gives db and settings; mem owns all. */
struct request *request_new(const struct service *s, const struct center *process, struct arena *mem);

/* Reads in into r: headers, form, arguments by the service's table. ERR_TOO_LARGE, ERR_BAD_METHOD, ERR_BAD_PARAMETER with the
 * sentence in r->c->fault; r can be answered in any case. */
must_check enum err request_read(struct request *r, const struct input *in);

/* Whether host is a host name, an IPv4 address or an IPv6 address in brackets, with an optional port. */
bool host_is_valid(const char *host);

#endif
