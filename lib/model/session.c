/* session.c: see session.h. */
#include "model/session.h"

#include <string.h>

#include "base/text.h"
#include "io/alone.h"
#include "io/secret.h"
#include "io/settings.h"
#include "model/limit.h"
#include "model/talk.h"
#include "sql.h"

enum { TOKEN_CHARS = 43, KEY_ID_CHARS = 10, REMEMBERED = 64, REMEMBER_MS = 300000 };

/* How long a password waits for those before it. A sign-in has a process to itself, and five that are hashed on a slow machine
 * take their time; the programs that take a password with each request have others to answer meanwhile. */
enum { SIGN_ALONE_MS = 5000, BASIC_ALONE_MS = 2000 };

static enum err
wrong(struct center *c)
{
    return center_fault(c, ERR_UNAUTHORIZED, NULL, "Login or password is wrong.");
}

static enum err
not_signed_in(struct center *c)
{
    return center_fault(c, ERR_UNAUTHORIZED, NULL, "You are not signed in.");
}

/* For an unknown login the password is hashed for nobody, so that its answer takes as long as a known one's. */
static bool
password_is_right(struct center *c, const struct agent *agent, const char *password)
{
    if (agent)
        return secret_password_is(password, agent->password) && !agent->is_disabled;
    secret_password(c->mem, password, (int)c->settings->password_cost);
    return false;
}

/* To be called by one at a time for a login. */
static enum err
try_password(struct center *c, const char *login, const char *password, struct agent *agent)
{
    enum err err = limit_check(c, &limit_sign, login);
    if (err == OK)
        err = agent_by_login(c, login, agent);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    if (password_is_right(c, err == OK ? agent : NULL, password))
        return limit_forget(c, &limit_sign, login);
    err = limit_take(c, &limit_sign, login);
    return err == OK || err == ERR_TOO_MANY ? wrong(c) : err;
}

static enum err
nobodys_turn(struct center *c)
{
    return center_fault(c, ERR_UNAVAILABLE, NULL, "The password cannot be checked at the moment; please try again soon.");
}

/* The tries of one login come one after the other: each is counted before the next is looked at, however many come at once, and
 * many right ones at once are all right. What is over the limit does not wait. */
static enum err
check_login(struct center *c, const char *login, const char *password, int64_t alone_ms, struct agent *agent)
{
    enum err err = limit_check(c, &limit_sign, login);
    if (err != OK)
        return err;
    int alone = alone_take(c->settings->state_dir, arena_printf(c->mem, "login:%s", login), alone_ms);
    err = alone >= 0 ? try_password(c, login, password, agent) : nobodys_turn(c);
    alone_give(alone);
    return err;
}

enum err
session_open(struct center *c, const char *login, const char *password, struct agent *agent, const char **token)
{
    enum err err = check_login(c, login, password, SIGN_ALONE_MS, agent);
    if (err != OK)
        return err;
    *token = arena_printf(c->mem, "a_%s", secret_random_text(c->mem, TOKEN_CHARS));
    struct sql_session_insert_in in = {.hash = secret_hash(c->mem, *token),
        .agent = agent->id,
        .at = c->now_ms,
        .expires_at = c->now_ms + c->settings->session_s * 1000};
    err = db_begin(c->db);
    if (err != OK)
        return err;
    err = sql_session_delete_old(c->db, &(struct sql_session_delete_old_in){.agent = agent->id, .at = c->now_ms});
    if (err == OK)
        err = sql_session_insert(c->db, &in);
    return db_end(c->db, err);
}

enum err
session_open_from(struct center *c, const char *address, const char *login, const char *password, struct agent *agent,
    const char **token)
{
    bool is_spared = limit_is_exempt(c, address);
    const char *from = limit_address(c, address);
    enum err err = is_spared ? OK : limit_check(c, &limit_sign_address, from);
    if (err == OK)
        err = session_open(c, login, password, agent, token);
    if (err != ERR_UNAUTHORIZED || is_spared)
        return err;
    err = limit_take(c, &limit_sign_address, from);
    return err == OK || err == ERR_TOO_MANY ? wrong(c) : err;
}

enum err
session_agent(struct center *c, const char *token, struct agent *agent)
{
    struct session_read row;
    struct sql_session_read_in in = {.hash = secret_hash(c->mem, token), .at = c->now_ms};
    enum err err = sql_session_read(c->db, c->mem, &in, &row);
    if (err == OK)
        err = agent_find(c, row.agent, agent);
    if (err == ERR_NOT_FOUND || (err == OK && agent->is_disabled))
        return not_signed_in(c);
    return err;
}

static int64_t
serial_of(const char *hash)
{
    return (int64_t)(text_number(hash) >> 11);
}

int64_t
session_serial(struct center *c, const char *token)
{
    return serial_of(secret_hash(c->mem, token));
}

enum err
session_check(struct center *c, int64_t agent, int64_t serial, int64_t bits)
{
    struct session_hashes *rows;
    size_t count;
    struct sql_session_hashes_in in = {.agent = agent, .at = c->now_ms};
    enum err err = sql_session_hashes(c->db, c->mem, &in, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        if ((serial_of(rows[i].hash) & bits) == (serial & bits))
            return OK;
    return err == OK ? not_signed_in(c) : err;
}

static enum err
count_sessions(struct center *c, int64_t agent, int64_t *out)
{
    struct session_count row;
    enum err err = sql_session_count(c->db, c->mem, &(struct sql_session_count_in){.agent = agent, .at = c->now_ms}, &row);
    if (err == OK)
        *out = row.sessions;
    return err;
}

enum err
session_check_member(struct center *c, int64_t agent, bool by_cookie)
{
    int64_t sessions = 1;
    enum err err = agent_check_enabled(c, agent);
    if (err == OK && agent && by_cookie)
        err = count_sessions(c, agent, &sessions);
    return err == OK && sessions == 0 ? not_signed_in(c) : err;
}

static enum err
close_session(struct center *c, const char *token, const struct agent *agent)
{
    int changed;
    int64_t left;
    enum err err = sql_session_delete(c->db, &(struct sql_session_delete_in){.hash = secret_hash(c->mem, token)}, &changed);
    if (err == OK)
        err = agent_note(c, agent->id, "agent"); /* a poll that waits with it ends now */
    if (err == OK)
        err = count_sessions(c, agent->id, &left);
    return err == OK && left == 0 ? talk_notready(c, agent, "signed_out") : err;
}

enum err
session_close(struct center *c, const char *token)
{
    struct agent agent;
    enum err err = session_agent(c, token, &agent);
    if (err != OK)
        return err;
    err = db_begin(c->db);
    return err == OK ? db_end(c->db, close_session(c, token, &agent)) : err;
}

/* ── HTTP Basic: a client of the original product sends it with every call, so the dear check is done once ── */

static struct remembered {
    char digest[33]; /* keyed with a key of this process: the memory gives no password away */
    char hash[44];   /* of the password's hash as it was then: another password since makes it void */
    int64_t agent;
    int64_t until_ms;
} remembered[REMEMBERED];

static struct remembered *
remembered_slot(struct center *c, const char *login, const char *password, const char **digest)
{
    static char key[TOKEN_CHARS + 1];
    unsigned hash = 0;
    if (key[0] == '\0')
        strncpy(key, secret_random_text(c->mem, TOKEN_CHARS), TOKEN_CHARS);
    *digest = secret_hmac(c->mem, key, arena_printf(c->mem, "%zu:%s:%s", strlen(login), login, password));
    for (const char *p = *digest; *p; p++)
        hash = hash * 31 + (unsigned char)*p;
    return &remembered[hash % REMEMBERED];
}

static void
remember(struct center *c, struct remembered *slot, const char *digest, const struct agent *agent)
{
    memset(slot, 0, sizeof *slot);
    strncpy(slot->digest, digest, sizeof slot->digest - 1);
    strncpy(slot->hash, secret_hash(c->mem, agent->password), sizeof slot->hash - 1);
    slot->agent = agent->id;
    slot->until_ms = c->boot_ms + REMEMBER_MS;
}

/* Over the limit in all only those are heard who were right before, each as often as his address may be wrong; from the spared
 * address as much may come as from all others. */
static enum err
check_limits(struct center *c, const char *address)
{
    bool is_spared = limit_is_exempt(c, address);
    const char *from = limit_address(c, address);
    enum err err = is_spared ? OK : limit_check(c, &limit_basic, from);
    if (err != OK)
        return err;
    err = limit_check(c, &limit_basic_site, "site");
    return err == ERR_TOO_MANY && !is_spared && limit_is_known(c, &limit_basic_known, from) ? OK : err;
}

static enum err
count_wrong(struct center *c, const char *address)
{
    enum err err = limit_take(c, &limit_basic_site, "site");
    if ((err == OK || err == ERR_TOO_MANY) && !limit_is_exempt(c, address))
        err = limit_take(c, &limit_basic, limit_address(c, address));
    return err == OK || err == ERR_TOO_MANY ? wrong(c) : err;
}

static enum err
try_basic(struct center *c, const char *address, const char *login, const char *password, struct agent *agent)
{
    enum err err = check_limits(c, address);
    if (err == OK)
        err = check_login(c, login, password, BASIC_ALONE_MS, agent);
    if (err == ERR_UNAUTHORIZED)
        return count_wrong(c, address);
    return err == OK ? limit_remember(c, &limit_basic_known, limit_address(c, address)) : err;
}

/* One at a time for the whole site, for the same reason as in check_login(): a flood that comes to all programs at once is one
 * flood. What is over the limit does not wait. */
static enum err
check_basic(struct center *c, const char *address, const char *login, const char *password, struct agent *agent)
{
    if (text_chars(login) > LOGIN_CHARS || text_chars(password) > PASSWORD_CHARS) /* nobody's, and everybody knows that */
        return wrong(c);
    enum err err = check_limits(c, address);
    if (err != OK)
        return err;
    int alone = alone_take(c->settings->state_dir, "basic", BASIC_ALONE_MS);
    err = alone >= 0 ? try_basic(c, address, login, password, agent) : nobodys_turn(c);
    alone_give(alone);
    return err;
}

enum err
session_basic(struct center *c, const char *address, const char *login, const char *password, struct agent *agent)
{
    const char *digest;
    struct remembered *slot = remembered_slot(c, login, password, &digest);
    if (slot->until_ms > c->boot_ms && text_same_secret(slot->digest, digest)) {
        enum err err = agent_find(c, slot->agent, agent);
        if (err != OK || (text_same(slot->hash, secret_hash(c->mem, agent->password)) && !agent->is_disabled))
            return err;
    }
    enum err err = check_basic(c, address, login, password, agent);
    if (err == OK)
        remember(c, slot, digest, agent);
    return err;
}

/* ── API keys ── */

/* Without `k_` before it, which may be left out, one would look like an option, the other like the rest of itself. */
static bool
is_misread(const char *id)
{
    return id[0] == '-' || text_starts(id, "k_");
}

static const char *
key_id(struct center *c)
{
    const char *id = secret_random_text(c->mem, KEY_ID_CHARS);
    while (is_misread(id))
        id = secret_random_text(c->mem, KEY_ID_CHARS);
    return id;
}

enum err
key_make(struct center *c, const char *about, const char **text)
{
    enum err err = center_check_name(c, "about", "What a key is for", about);
    if (err != OK)
        return err;
    const char *secret = secret_random_text(c->mem, TOKEN_CHARS);
    const char *id = key_id(c);
    struct sql_api_key_insert_in in = {.id = id, .hash = secret_hash(c->mem, secret), .about = about, .at = c->now_ms};
    err = sql_api_key_insert(c->db, &in);
    if (err == OK)
        *text = arena_printf(c->mem, "k_%s.%s", id, secret);
    return err;
}

enum err
key_renew(struct center *c, const char *about, const char **text)
{
    struct api_key_by_about row;
    enum err err = sql_api_key_by_about(c->db, c->mem, &(struct sql_api_key_by_about_in){.about = about}, &row);
    if (err == ERR_NOT_FOUND)
        return key_make(c, about, text);
    if (err != OK)
        return err;
    const char *secret = secret_random_text(c->mem, TOKEN_CHARS);
    struct sql_api_key_set_hash_in in = {.id = row.id, .hash = secret_hash(c->mem, secret)};
    err = sql_api_key_set_hash(c->db, &in);
    if (err == OK)
        *text = arena_printf(c->mem, "k_%s.%s", row.id, secret);
    return err;
}

enum err
key_list(struct center *c, struct api_key_list **out, size_t *count)
{
    return sql_api_key_list(c->db, c->mem, out, count);
}

static const char *
bare_id(const char *id)
{
    return text_starts(id, "k_") ? id + 2 : id;
}

enum err
key_revoke(struct center *c, const char *id)
{
    int changed = 0;
    enum err err = sql_api_key_revoke(c->db, &(struct sql_api_key_revoke_in){.id = bare_id(id), .at = c->now_ms}, &changed);
    return err == OK && !changed ? center_fault(c, ERR_NOT_FOUND, NULL, "There is no valid key %s.", id) : err;
}

static enum err
check_bare(struct center *c, const char *id, const char *secret)
{
    struct api_key_read row = {.hash = ""};
    struct sql_api_key_read_in in = {.id = id};
    enum err err = sql_api_key_read(c->db, c->mem, &in, &row);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    bool is_right = text_same_secret(secret_hash(c->mem, secret), row.hash);
    return is_right ? OK : center_fault(c, ERR_UNAUTHORIZED, NULL, "This API key is not valid.");
}

enum err
key_check_pair(struct center *c, const char *id, const char *secret)
{
    return check_bare(c, bare_id(id), secret);
}

enum err
key_check(struct center *c, const char *text, const char **id)
{
    const char *dot = strchr(text, '.');
    if (!text_starts(text, "k_") || !dot)
        return center_fault(c, ERR_UNAUTHORIZED, NULL, "This API key is not valid.");
    *id = arena_strndup(c->mem, text + 2, (size_t)(dot - text - 2));
    return check_bare(c, *id, dot + 1);
}
