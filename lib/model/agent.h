/* agent: those who work here: agents, supervisors, administrators.
 *
 * An agent is ready or not (with a reason), and present while his polls arrive: gone is who has not polled for `gone_s`,
 * whatever became of his connection. When his last poll came is in live.db; the main database only learns that he came or
 * went. */
#ifndef RTCC_AGENT_H
#define RTCC_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"
#include "sql.h"

enum { LOGIN_CHARS = 64, PASSWORD_CHARS = 200, REASON_CHARS = 64 };

/* ERR_NOT_FOUND. */
must_check enum err agent_find(struct center *c, int64_t id, struct agent *out);
must_check enum err agent_by_login(struct center *c, const char *login, struct agent *out);

/* A new agent. ERR_BAD_PARAMETER: login (a-z A-Z 0-9 . _ @ -), name (center_check_name()), role or password (too short) are
 * not right; ERR_CONFLICT: the login stands already. */
must_check enum err agent_add(struct center *c, const char *login, const char *name, const char *role, const char *password);

/* Somebody who is to be added. */
struct newcomer {
    const char *login, *name, *role, *password;
};

/* All of a list, or nobody: then *wrong is the place in the list of the one who was refused, with the errors of agent_add(); a
 * login may stand in the list once. The passwords are hashed before the database is held. */
must_check enum err agent_add_all(struct center *c, const struct newcomer *list, size_t count, size_t *wrong);

/* All of them, by login. */
must_check enum err agent_list(struct center *c, struct agent_list **out, size_t *count);

/* Gives him a skill, level 1 to 10. */
must_check enum err agent_set_skill(struct center *c, const char *login, const char *skill, int64_t level);

/* Another password; all his sessions end. */
must_check enum err agent_set_password(struct center *c, const char *login, const char *password);

/* Whether he may work here, in the caller's transaction; all his sessions end when that changes, and he is not ready. */
must_check enum err agent_set_disabled(struct center *c, int64_t id, bool is_disabled);

/* Whether this agent (0: it is none) may be here still. ERR_UNAUTHORIZED: he was disabled. */
must_check enum err agent_check_enabled(struct center *c, int64_t id);

/* Ready or not, with the reason of not ready; tells his own polls. */
must_check enum err agent_set_state(struct center *c, int64_t id, const char *state, const char *reason);

/* Where he wants to be called, E.164; "": nowhere. */
must_check enum err agent_set_phone(struct center *c, int64_t id, const char *phone);

/* "ready", or "notready", as he is seen by routing and by himself. */
bool agent_is_ready(const struct agent *agent);

/* A poll of his has arrived. *came tells that he was gone before. */
must_check enum err agent_seen(struct center *c, const struct agent *agent, bool *came);

/* When his last poll came, on the boot clock; below 0: not in this boot. */
must_check enum err agent_last_poll(struct center *c, int64_t id, int64_t *out);

/* Whether his last poll came within gone_s. */
must_check enum err agent_is_here(struct center *c, int64_t id, bool *out);

/* He is gone, as far as the main database knows. */
must_check enum err agent_set_gone(struct center *c, int64_t id);

/* Wakes his polls. */
must_check enum err agent_note(struct center *c, int64_t id, const char *kind);

bool agent_is_supervisor(const struct agent *agent);

#endif
