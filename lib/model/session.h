/* session: who is signed in, and which program may call.
 *
 * An agent's session is a random token, kept only as its hash; an API key is "k_ID.SECRET", its secret kept only as its hash.
 * Wrong, expired and unknown ones are one answer: ERR_UNAUTHORIZED. */
#ifndef RTCC_SESSION_H
#define RTCC_SESSION_H

#include <stdint.h>

#include "io/center.h"
#include "model/agent.h"

/* Signs in: checks the limit (5 wrong in 15 minutes) before the password, and the password in the same time whether the login
 * exists or not. Of many tries at once no more than the limit says are looked at: those for one login come one after the other.
 * *token is "a_…", of which only the hash is kept. Takes about 50 to 120 ms on purpose. */
must_check enum err session_open(struct center *c, const char *login, const char *password, struct agent *agent,
    const char **token);

/* The same for whoever comes from an address: 30 wrong ones in a minute are enough, whatever logins they are for. */
must_check enum err session_open_from(struct center *c, const char *address, const char *login, const char *password,
    struct agent *agent, const char **token);

/* The agent of a session. */
must_check enum err session_agent(struct center *c, const char *token, struct agent *agent);

/* A number that stands for a session where its token must not be kept: 53 bits of its hash. */
int64_t session_serial(struct center *c, const char *token);

/* Whether that session of the agent still counts; of its serial `bits` are known, -1: all. ERR_UNAUTHORIZED: it has ended, or he
 * may not work here any more. */
must_check enum err session_check(struct center *c, int64_t agent, int64_t serial, int64_t bits);

/* Signs out; the agent becomes not ready (signed_out) when it was his last session. */
must_check enum err session_close(struct center *c, const char *token);

/* Whether who comes by a member's token may still read with it, where the member is an agent (else 0). ERR_UNAUTHORIZED: he may
 * not work here any more; or, by_cookie, he is signed in nowhere: who signs out leaves no room open in a browser. */
must_check enum err session_check_member(struct center *c, int64_t agent, bool by_cookie);

/* The agent of a login and password, without a session (HTTP Basic). A right one is remembered in this process for five minutes
 * and costs nothing meanwhile. Any other is a try of the account, as in session_open(), and is limited by the address that it
 * comes from, and in all, before the password is looked at: login and address may be invented.
 * Takes long: never inside of a transaction, for which others wait. */
must_check enum err session_basic(struct center *c, const char *address, const char *login, const char *password,
    struct agent *agent);

/* A new API key: *text is shown once. `about` says whose it is. ERR_BAD_PARAMETER: center_check_name() refuses it. */
must_check enum err key_make(struct center *c, const char *about, const char **text);

/* As key_make(), but where there is a valid key of this name the newest one gets another secret. It stays who it is: what it
 * asked for under a reqid is not done again. */
must_check enum err key_renew(struct center *c, const char *about, const char **text);

/* All keys, and the end of one. ERR_NOT_FOUND: no valid key has this id. */
must_check enum err key_list(struct center *c, struct api_key_list **out, size_t *count);
must_check enum err key_revoke(struct center *c, const char *id);

/* The id of a key given as "k_ID.SECRET", or as id ("k_ID" or "ID") and secret. */
must_check enum err key_check(struct center *c, const char *text, const char **id);
must_check enum err key_check_pair(struct center *c, const char *id, const char *secret);

#endif
