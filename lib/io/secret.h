/* secret: random bytes, keyed hashes, password hashes. All of it is libcrypto's and libcrypt's; nothing here is our own. */
#ifndef RTCC_SECRET_H
#define RTCC_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Random text of `chars` characters out of A-Z a-z 0-9 - _ (6 bits each; RFC 4648, 5). */
char *secret_random_text(struct arena *mem, size_t chars);

/* A random whole number, 0 <= n < below, without bias; below up to 2^53. */
int64_t secret_random_below(int64_t below);

/* HMAC-SHA-256 (RFC 2104) of text under key, the first 24 bytes (192 bits) as 32 characters of base64url. */
char *secret_hmac(struct arena *mem, const char *key, const char *text);

/* SHA-256 of text as 43 characters of base64url: for what is random already (sessions, API keys) and for digests of values. */
char *secret_hash(struct arena *mem, const char *text);

enum { SECRET_PASSWORD_BYTES = 511 }; /* crypt(3): CRYPT_MAX_PASSPHRASE_SIZE, with its NUL */

/* yescrypt hash of a password (crypt(5)) at cost 1 to 11, and its check in constant time. Each costs time on purpose: about
 * 25 ms at 5, double for each step. A longer password gives NULL, and false; so does a hash that crypt(5) does not know, in no
 * time. */
char *secret_password(struct arena *mem, const char *password, int cost);
bool secret_password_is(const char *password, const char *hash);

#endif
