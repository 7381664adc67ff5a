/* agent.c: see agent.h. */
#include "model/agent.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"
#include "model/event.h"
#include "model/member.h"
#include "model/site.h"

static enum err
no_agent(struct center *c)
{
    return center_fault(c, ERR_NOT_FOUND, NULL, "There is no such agent.");
}

enum err
agent_find(struct center *c, int64_t id, struct agent *out)
{
    enum err err = sql_agent(c->db, c->mem, &(struct sql_agent_in){.id = id}, out);
    return err == ERR_NOT_FOUND ? no_agent(c) : err;
}

enum err
agent_by_login(struct center *c, const char *login, struct agent *out)
{
    struct agent_by_login row;
    enum err err = sql_agent_by_login(c->db, c->mem, &(struct sql_agent_by_login_in){.login = login}, &row);
    if (err != OK)
        return err == ERR_NOT_FOUND ? no_agent(c) : err;
    return agent_find(c, row.id, out);
}

/* ── making ── */

static enum err
check_password(struct center *c, const char *password)
{
    size_t chars = text_chars(password);
    if (chars < (size_t)c->settings->password_least || chars > PASSWORD_CHARS)
        return center_fault(c, ERR_BAD_PARAMETER, "password", "A password has %lld to %d characters.",
            (long long)c->settings->password_least, PASSWORD_CHARS);
    if (strlen(password) > SECRET_PASSWORD_BYTES)
        return center_fault(c, ERR_BAD_PARAMETER, "password", "A password has %d bytes at most.", SECRET_PASSWORD_BYTES);
    return OK;
}

static enum err
check_login(struct center *c, const char *login)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
    size_t chars = strlen(login);
    if (chars == 0 || chars > LOGIN_CHARS || strspn(login, allowed) != chars)
        return center_fault(c, ERR_BAD_PARAMETER, "login", "A login has 1 to %d characters out of a-z A-Z 0-9 . _ @ -",
            LOGIN_CHARS);
    return OK;
}

static enum err
check_role(struct center *c, const char *role)
{
    if (!text_same(role, "agent") && !text_same(role, "supervisor") && !text_same(role, "admin"))
        return center_fault(c, ERR_BAD_PARAMETER, "role", "A role is agent, supervisor or admin.");
    return OK;
}

static enum err
check_newcomer(struct center *c, const struct newcomer *who)
{
    enum err err = check_login(c, who->login);
    if (err == OK)
        err = center_check_name(c, "name", "A name", who->name);
    if (err == OK)
        err = check_role(c, who->role);
    return err == OK ? check_password(c, who->password) : err;
}

static enum err
there_already(struct center *c, const char *login)
{
    return center_fault(c, ERR_CONFLICT, "login", "There is an agent %s already.", login);
}

/* Told before the passwords are hashed, which takes its time; the insert decides. */
static enum err
check_is_new(struct center *c, const char *login)
{
    struct agent_by_login row;
    enum err err = sql_agent_by_login(c->db, c->mem, &(struct sql_agent_by_login_in){.login = login}, &row);
    return err == ERR_NOT_FOUND ? OK : err == OK ? there_already(c, login) : err;
}

static enum err
insert_newcomer(struct center *c, const struct newcomer *who, const char *hash)
{
    struct sql_agent_insert_in in = {.login = who->login,
        .name = who->name,
        .role = who->role,
        .capacity = c->settings->capacity,
        .at = c->now_ms,
        .password = hash};
    enum err err = site_next_id(c, &in.id);
    if (err == OK)
        err = sql_agent_insert(c->db, &in);
    return err == ERR_CONFLICT ? there_already(c, who->login) : err;
}

enum err
agent_add_all(struct center *c, const struct newcomer *list, size_t count, size_t *wrong)
{
    const char **hashes = arena_array(c->mem, count, sizeof *hashes);
    enum err err = OK;
    for (*wrong = 0; *wrong < count; ++*wrong)
        if ((err = check_newcomer(c, &list[*wrong])) != OK || (err = check_is_new(c, list[*wrong].login)) != OK)
            return err;
    for (size_t i = 0; i < count; i++)
        hashes[i] = secret_password(c->mem, list[i].password, (int)c->settings->password_cost);
    err = db_begin(c->db);
    if (err != OK)
        return err;
    for (*wrong = 0; *wrong < count; ++*wrong)
        if ((err = insert_newcomer(c, &list[*wrong], hashes[*wrong])) != OK)
            break;
    return db_end(c->db, err);
}

enum err
agent_add(struct center *c, const char *login, const char *name, const char *role, const char *password)
{
    size_t wrong;
    return agent_add_all(c, &(struct newcomer){login, name, role, password}, 1, &wrong);
}

static enum err
end_sessions(struct center *c, int64_t id)
{
    enum err err = sql_session_delete_agent(c->db, &(struct sql_session_delete_agent_in){.agent = id});
    return err == OK ? agent_note(c, id, "agent") : err; /* polls that wait with one of them end now */
}

enum err
agent_set_password(struct center *c, const char *login, const char *password)
{
    struct agent agent;
    int changed;
    enum err err = check_password(c, password);
    if (err == OK)
        err = agent_by_login(c, login, &agent);
    if (err != OK)
        return err;
    const char *hash = secret_password(c->mem, password, (int)c->settings->password_cost);
    err = db_begin(c->db);
    if (err != OK)
        return err;
    err = sql_agent_set_password(c->db, &(struct sql_agent_set_password_in){.id = agent.id, .password = hash}, &changed);
    return db_end(c->db, err == OK ? end_sessions(c, agent.id) : err);
}

enum err
agent_set_disabled(struct center *c, int64_t id, bool is_disabled)
{
    int changed = 0;
    struct sql_agent_set_disabled_in in = {.id = id, .is_disabled = is_disabled};
    enum err err = sql_agent_set_disabled(c->db, &in, &changed);
    return err == OK && changed ? end_sessions(c, id) : err;
}

enum err
agent_check_enabled(struct center *c, int64_t id)
{
    struct agent agent = {.id = 0};
    enum err err = id ? agent_find(c, id, &agent) : OK;
    return err == OK && agent.is_disabled ? ERR_UNAUTHORIZED : err;
}

enum err
agent_list(struct center *c, struct agent_list **out, size_t *count)
{
    return sql_agent_list(c->db, c->mem, out, count);
}

enum err
agent_set_skill(struct center *c, const char *login, const char *skill, int64_t level)
{
    struct agent agent = {.id = 0};
    enum err err = agent_by_login(c, login, &agent);
    if (err == OK)
        err = center_check_name(c, "skill", "A skill", skill);
    struct sql_agent_skill_set_in in = {.agent = agent.id, .skill = skill, .level = level};
    return err == OK ? sql_agent_skill_set(c->db, &in) : err;
}

/* ── ready or not, here or not ── */

enum err
agent_note(struct center *c, int64_t id, const char *kind)
{
    int64_t event_id;
    struct event_new event = {.kind = kind, .audience = TO_AGENT, .to_id = id};
    return event_add(c, &event, &event_id);
}

enum err
agent_set_state(struct center *c, int64_t id, const char *state, const char *reason)
{
    int changed = 0;
    struct sql_agent_set_state_in in = {.id = id, .state = state, .reason = reason};
    enum err err = sql_agent_set_state(c->db, &in, &changed);
    return err == OK && changed ? agent_note(c, id, "agent") : err;
}

enum err
agent_set_phone(struct center *c, int64_t id, const char *phone)
{
    enum err err = sql_agent_set_phone(c->db, &(struct sql_agent_set_phone_in){.id = id, .phone = phone});
    return err == OK ? agent_note(c, id, "agent") : err;
}

bool
agent_is_ready(const struct agent *agent)
{
    return text_same(agent->state, "ready");
}

bool
agent_is_supervisor(const struct agent *agent)
{
    return !text_same(agent->role, "agent");
}

enum err
agent_seen(struct center *c, const struct agent *agent, bool *came)
{
    int changed = 0;
    struct sql_presence_seen_in seen = {.agent = agent->id, .boot = clock_boot_id(), .boot_ms = c->boot_ms};
    enum err err = sql_presence_seen(c->db, &seen);
    if (err == OK && !agent->is_present)
        err = sql_agent_set_present(c->db, &(struct sql_agent_set_present_in){.id = agent->id, .is_present = 1}, &changed);
    if (err == OK)
        *came = changed > 0;
    return err;
}

enum err
agent_last_poll(struct center *c, int64_t id, int64_t *out)
{
    struct presence_read row;
    enum err err = sql_presence_read(c->db, c->mem, &(struct sql_presence_read_in){.agent = id}, &row);
    *out = err == OK && text_same(row.boot, clock_boot_id()) ? row.boot_ms : -1;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
agent_is_here(struct center *c, int64_t id, bool *out)
{
    int64_t last_ms;
    enum err err = agent_last_poll(c, id, &last_ms);
    *out = err == OK && last_ms >= 0 && c->boot_ms - last_ms < c->settings->gone_s * 1000;
    return err;
}

enum err
agent_set_gone(struct center *c, int64_t id)
{
    int changed;
    return sql_agent_set_present(c->db, &(struct sql_agent_set_present_in){.id = id, .is_present = 0}, &changed);
}
