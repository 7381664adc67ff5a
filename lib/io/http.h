/* http: calls to the other servers of the patent, by libcurl.
 *
 * http and https only, no redirects, no proxy from the environment, no link-local address whatever its name, connect 1 s, whole
 * call 3 s at most, answers up to 64 KiB; the connection is kept for the next call of this process. */
#ifndef RTCC_HTTP_H
#define RTCC_HTTP_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/buf.h"

enum { HTTP_CONNECT_MS = 1000, HTTP_TOTAL_MS = 3000, HTTP_ANSWER_MAX_BYTES = 65536 };

struct http_answer {
    int status;
    const char *content_type; /* "" if none */
    const char *body;         /* NUL-terminated */
    size_t bytes;
    const char *fault; /* curl's words, where there is no answer; else NULL */
};

/* Whether a call may go to this address: not if it is link-local (169.254/16, fe80::/10, and those written as IPv6), multicast or
 * unspecified, or no IP at all. Loopback and private ones are where the servers of the patent may well be. */
bool http_may_call(const struct sockaddr *address);

/* GET url, or POST of an urlencoded body when it is not NULL; bearer may be NULL; accept may be NULL. A
 * server's certificate must be signed by whom ca_file (PEM) names; NULL or "": by whom the system trusts. The whole takes
 * most_ms, which is 1 to HTTP_TOTAL_MS.
 * Any status is OK. ERR_TOO_LARGE: the answer is over the limit; its status is known, its body is not all there. ERR_UNAVAILABLE:
 * no connection, an address that is not called, time-out, or not HTTP; the log has curl's words, and out->fault. */
must_check enum err http_call(struct arena *mem, const char *url, const char *body, const char *bearer, const char *accept,
    const char *ca_file, int64_t most_ms, struct http_answer *out);

#endif
