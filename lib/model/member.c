/* member.c: see member.h. */
#include "model/member.h"

#include "base/text.h"
#include "model/event.h"
#include "model/site.h"

enum err
member_find(struct center *c, int64_t id, struct member *out)
{
    return sql_member(c->db, c->mem, &(struct sql_member_in){.id = id}, out);
}

enum err
member_of_agent(struct center *c, int64_t conf, int64_t agent, struct member *out)
{
    struct member_by_agent row;
    enum err err = sql_member_by_agent(c->db, c->mem, &(struct sql_member_by_agent_in){.conf = conf, .agent = agent}, &row);
    return err == OK ? member_find(c, row.id, out) : err;
}

static const char *
account_of(const struct member_new *who)
{
    return who->account ? who->account : "";
}

enum err
member_before(struct center *c, const struct member_new *who, struct member *out)
{
    struct member_by_reqid row;
    if (!who->reqid)
        return ERR_NOT_FOUND;
    enum err err = sql_member_by_reqid(c->db, c->mem,
        &(struct sql_member_by_reqid_in){.conf = who->conf, .account = account_of(who), .reqid = who->reqid}, &row);
    return err == OK ? member_find(c, row.id, out) : err;
}

enum err
member_return(struct center *c, struct member *member)
{
    int changed = 0;
    enum err err = sql_member_return(c->db, &(struct sql_member_return_in){.id = member->id}, &changed);
    if (err != OK || !changed)
        return err;
    member->left_at = 0;
    return event_note(c, member->conf, member->id, "joined", NULL);
}

/* Whoever has the link could fill the room, and its lists, without end. */
static enum err
check_room(struct center *c, const struct member_new *who)
{
    struct member_count row;
    if (who->is_leader || who->agent)
        return OK;
    enum err err = sql_member_count(c->db, c->mem, &(struct sql_member_count_in){.conf = who->conf}, &row);
    bool is_full = err == OK && row.members >= GUESTS_MAX;
    return is_full ? center_fault(c, ERR_CONFLICT, NULL, "This conversation takes no more people.") : err;
}

static enum err
member_make(struct center *c, const struct member_new *who, struct member *out)
{
    int64_t id;
    enum err err = check_room(c, who);
    if (err == OK)
        err = site_next_id(c, &id);
    if (err != OK)
        return err;
    struct sql_member_insert_in in = {.id = id,
        .conf = who->conf,
        .role = who->role,
        .is_leader = who->is_leader,
        .name = who->name,
        .agent = who->agent,
        .account = account_of(who),
        .reqid = who->reqid,
        .at = c->now_ms};
    err = sql_member_insert(c->db, &in);
    if (err == OK)
        err = event_note(c, who->conf, id, "joined", NULL);
    return err == OK ? member_find(c, id, out) : err;
}

enum err
member_join(struct center *c, const struct member_new *who, struct member *out)
{
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = who->agent ? member_of_agent(c, who->conf, who->agent, out) : member_before(c, who, out);
    if (err == OK)
        err = member_return(c, out);
    else if (err == ERR_NOT_FOUND)
        err = member_make(c, who, out);
    return db_end(c->db, err);
}

enum err
member_list(struct center *c, int64_t conf, struct member **out, size_t *count)
{
    struct member_list *rows;
    enum err err = sql_member_list(c->db, c->mem, &(struct sql_member_list_in){.conf = conf}, &rows, count);
    if (err != OK)
        return err;
    *out = arena_array(c->mem, *count, sizeof **out);
    for (size_t i = 0; err == OK && i < *count; i++)
        err = member_find(c, rows[i].id, &(*out)[i]);
    return err;
}

enum err
member_conferences(struct center *c, int64_t agent, struct member_conferences **out, size_t *count)
{
    return sql_member_conferences(c->db, c->mem, &(struct sql_member_conferences_in){.agent = agent}, out, count);
}

enum err
member_agents(struct center *c, int64_t conf, struct member_agents **out, size_t *count)
{
    return sql_member_agents(c->db, c->mem, &(struct sql_member_agents_in){.conf = conf}, out, count);
}

static enum err
say_left(struct center *c, const struct member *member)
{
    int64_t id;
    struct event_new event = {.conf = member->conf, .member = member->id, .kind = "left", .audience = TO_ALL};
    enum err err = event_add(c, &event, &id);
    return err == OK ? sql_member_left(c->db, &(struct sql_member_left_in){.id = member->id, .event = id}) : err;
}

enum err
member_leave(struct center *c, const struct member *member)
{
    int changed = 0;
    enum err err = sql_member_leave(c->db, &(struct sql_member_leave_in){.id = member->id, .at = c->now_ms}, &changed);
    return err == OK && changed ? say_left(c, member) : err;
}

enum err
member_lose(struct center *c, const struct member *member, int64_t lost)
{
    int changed = 0;
    struct sql_member_lose_in in = {.id = member->id, .at = c->now_ms, .lost = lost};
    enum err err = sql_member_lose(c->db, &in, &changed);
    return err == OK && changed ? say_left(c, member) : err;
}

enum err
member_forget_lost_before(struct center *c, struct member *came)
{
    struct sql_member_forget_lost_before_in in = {.conf = came->conf, .lost = came->lost};
    came->lost = 0;
    return sql_member_forget_lost_before(c->db, &in);
}

enum err
member_lost(struct center *c, int64_t agent, struct member_lost **out, size_t *count)
{
    return sql_member_lost(c->db, c->mem, &(struct sql_member_lost_in){.agent = agent}, out, count);
}

enum err
member_forget_lost(struct center *c, int64_t id)
{
    return sql_member_forget_lost(c->db, &(struct sql_member_forget_lost_in){.id = id});
}

enum err
member_is_first_customer(struct center *c, const struct member *member, bool *out)
{
    struct member_first_customer first = {.id = 0};
    struct sql_member_first_customer_in in = {.conf = member->conf};
    enum err err = sql_member_first_customer(c->db, c->mem, &in, &first);
    *out = first.id == member->id;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
member_staff(struct center *c, int64_t conf, struct member_staff **out, size_t *count)
{
    return sql_member_staff(c->db, c->mem, &(struct sql_member_staff_in){.conf = conf}, out, count);
}

enum err
member_is_staffed(struct center *c, int64_t conf, bool *out)
{
    struct member_staffed row;
    enum err err = sql_member_staffed(c->db, c->mem, &(struct sql_member_staffed_in){.conf = conf}, &row);
    *out = err == OK && row.is_staffed;
    return err;
}

bool
member_is_staff(const struct member *member)
{
    return member->is_leader || text_same(member->role, "agent") || text_same(member->role, "supervisor");
}
