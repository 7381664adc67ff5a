/* talk.c: see talk.h. The only model that calls several others; they do not call it, so the arrows stay without a circle. */
#include "model/talk.h"

#include "base/text.h"
#include "model/conference.h"
#include "model/event.h"
#include "model/heard.h"
#include "model/routing.h"
#include "model/site.h"

static enum err
check_live(struct center *c, int64_t conf)
{
    struct conference_state s;
    enum err err = sql_conference_state(c->db, c->mem, &(struct sql_conference_state_in){.id = conf}, &s);
    if (err != OK)
        return err == ERR_NOT_FOUND ? center_fault(c, err, "conf", "There is no such conference.") : err;
    return s.ended_at ? center_fault(c, ERR_CONFLICT, "conf", "This conference has ended.") : OK;
}

/* ── the customer comes ── */

enum err
talk_queue(struct center *c, const struct invitation_wish *wish, struct invitation *out)
{
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = invitation_before(c, wish, out);
    bool is_new = err == ERR_NOT_FOUND;
    if (is_new)
        err = check_live(c, wish->conf);
    if (err == OK && is_new)
        err = invitation_put(c, wish, out);
    if (err == OK)
        err = routing_run(c);
    if (err == OK)
        err = invitation_find(c, out->id, out);
    if (err == OK && is_new)
        err = routing_explain(c, out);
    return db_end(c->db, err);
}

/* Said once, however often he joins; under a nonce that no client can send: theirs have no control characters. */
static enum err
say_first(struct center *c, const struct member *member, const char *text)
{
    int64_t id;
    struct event_new event =
        {.conf = member->conf, .member = member->id, .kind = "message", .audience = TO_ALL, .text = text, .nonce = "\njoined"};
    return event_add(c, &event, &id);
}

static enum err
mark_talking(struct center *c, int64_t conf)
{
    int changed = 0;
    enum err err = sql_conference_talk(c->db, &(struct sql_conference_talk_in){.id = conf, .at = c->now_ms}, &changed);
    return err == OK && changed ? event_note(c, conf, 0, "state", "talking") : err;
}

/* A supervisor, or a leader with a key, who comes by himself serves the customer like one who was offered him. */
static enum err
take_invitations(struct center *c, const struct member *member)
{
    struct invitation_open *rows;
    size_t count;
    enum err err = sql_invitation_open(c->db, c->mem, &(struct sql_invitation_open_in){.conf = member->conf}, &rows, &count);
    for (size_t n = 0; err == OK && n < count; n++) {
        struct invitation i;
        err = invitation_find(c, rows[n].id, &i);
        if (err == OK)
            err = routing_take(c, &i, member->agent);
    }
    return err == OK ? mark_talking(c, member->conf) : err;
}

/* He is here. That nothing can be written down of it is no reason to stay outside. */
static enum err
note_heard(struct center *c, const struct member *member)
{
    enum err err = member->agent ? heard_note(c, member) : OK;
    return err == ERR_UNAVAILABLE ? OK : err;
}

/* Whom he comes in place of does not come back by himself any more; but those do who were lost together with him. */
static enum err
arrive(struct center *c, struct member *member)
{
    enum err err = note_heard(c, member);
    if (err != OK || !member_is_staff(member))
        return err;
    err = member_forget_lost_before(c, member);
    return err == OK ? take_invitations(c, member) : err;
}

static enum err
join(struct center *c, const struct member_new *who, const char *text, struct member *out)
{
    enum err err = check_live(c, who->conf);
    if (err == ERR_CONFLICT && member_before(c, who, out) == OK)
        return OK;
    if (err == OK)
        err = member_join(c, who, out);
    if (err == OK && text)
        err = say_first(c, out, text);
    return err == OK ? arrive(c, out) : err;
}

enum err
talk_join(struct center *c, const struct member_new *who, const char *text, struct member *out)
{
    enum err err = db_begin(c->db);
    return err == OK ? db_end(c->db, join(c, who, text, out)) : err;
}

static enum err
come_back(struct center *c, struct member *member)
{
    enum err err = check_live(c, member->conf);
    if (err == OK)
        err = member_return(c, member);
    return err == OK ? arrive(c, member) : err;
}

enum err
talk_return(struct center *c, struct member *member)
{
    enum err err = db_begin(c->db);
    return err == OK ? db_end(c->db, come_back(c, member)) : err;
}

/* ── the agent comes ── */

static enum err
enter(struct center *c, const struct agent *agent, const struct invitation *i, struct member *member)
{
    struct member_new who = {.conf = i->conf,
        .role = text_same(agent->role, "agent") ? "agent" : "supervisor",
        .is_leader = true,
        .name = agent->name,
        .agent = agent->id};
    enum err err = member_of_agent(c, i->conf, agent->id, member);
    if (err == OK && text_same(i->state, "done"))
        return OK;                       /* he accepted, came, and it ended: the same answer as then */
    if (err == OK && !member->left_at) { /* he is there: nobody comes */
        err = note_heard(c, member);
        return err == OK ? take_invitations(c, member) : err;
    }
    return err == OK || err == ERR_NOT_FOUND ? join(c, &who, NULL, member) : err;
}

enum err
talk_accept(struct center *c, const struct agent *agent, int64_t reservation, struct invitation *out, struct member *member)
{
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = routing_accept(c, agent, reservation, out);
    if (err == OK)
        err = enter(c, agent, out, member);
    if (err == OK)
        err = routing_run(c); /* he holds no offer now and may have room for another */
    return db_end(c->db, err);
}

enum err
talk_decline(struct center *c, const struct agent *agent, int64_t reservation)
{
    enum err err = db_begin(c->db);
    return err == OK ? db_end(c->db, routing_decline(c, agent, reservation)) : err;
}

enum err
talk_ready(struct center *c, const struct agent *agent)
{
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = agent_set_state(c, agent->id, "ready", "");
    if (err == OK)
        err = routing_run(c);
    return db_end(c->db, err);
}

enum err
talk_notready(struct center *c, const struct agent *agent, const char *reason)
{
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = agent_set_state(c, agent->id, "notready", reason);
    if (err == OK)
        err = routing_withdraw(c, agent->id, "revoked", "withdrawn", "he became not ready");
    if (err == OK)
        err = routing_run(c);
    return db_end(c->db, err);
}

/* Who was lost is there again, unless it has ended: then it is over for him. */
static enum err
find_again(struct center *c, int64_t id, struct member *out)
{
    struct conference_state conf;
    enum err err = member_find(c, id, out);
    if (err != OK || !out->lost)
        return err;
    err = conference_state(c, out->conf, &conf);
    if (err == OK)
        err = conf.ended_at ? member_forget_lost(c, id) : come_back(c, out);
    return err == OK ? member_find(c, id, out) : err;
}

static enum err
find_all_again(struct center *c, int64_t agent)
{
    struct member_lost *rows;
    size_t count;
    enum err err = member_lost(c, agent, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++) {
        struct member member;
        err = find_again(c, rows[i].id, &member);
    }
    return err;
}

static enum err
came(struct center *c, const struct agent *agent)
{
    bool is_new;
    enum err err = agent_seen(c, agent, &is_new);
    if (err == OK && is_new)
        err = find_all_again(c, agent->id);
    return err == OK && is_new ? routing_run(c) : err;
}

enum err
talk_find_lost(struct center *c, int64_t agent)
{
    struct member_lost *rows;
    size_t count = 0;
    enum err err = member_lost(c, agent, &rows, &count);
    if (err != OK || count == 0)
        return err;
    err = db_begin_briefly(c->db);
    return err == OK ? db_end(c->db, find_all_again(c, agent)) : err;
}

/* Only the first poll after an absence writes to the main database. */
enum err
talk_agent_seen(struct center *c, const struct agent *agent)
{
    bool is_new;
    enum err err = agent->is_present ? agent_seen(c, agent, &is_new) : db_begin_briefly(c->db);
    if (err != OK)
        return err;
    return agent->is_present ? talk_find_lost(c, agent->id) : db_end(c->db, came(c, agent));
}

/* ── they go ── */

static enum err
end_invitations(struct center *c, int64_t conf)
{
    struct invitation_open *rows;
    size_t count;
    enum err err = sql_invitation_open(c->db, c->mem, &(struct sql_invitation_open_in){.conf = conf}, &rows, &count);
    for (size_t n = 0; err == OK && n < count; n++) {
        struct invitation i;
        err = invitation_find(c, rows[n].id, &i);
        if (err == OK)
            err = routing_end(c, &i, text_same(i.state, "accepted") ? "done" : "abandoned");
    }
    return err;
}

/* Their polls hang on rooms that they are in; after the end they would not hear of it. */
static enum err
tell_agents(struct center *c, int64_t conf)
{
    struct member_agents *rows;
    size_t count;
    enum err err = member_agents(c, conf, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        err = agent_note(c, rows[i].agent, "agent");
    return err;
}

static enum err
close_room(struct center *c, int64_t conf, int64_t member)
{
    enum err err = end_invitations(c, conf);
    if (err == OK)
        err = event_note(c, conf, member, "state", "ended");
    if (err == OK)
        err = tell_agents(c, conf);
    if (err == OK)
        err = heard_forget(c, conf);
    if (err == OK)
        err = sql_member_leave_all(c->db, &(struct sql_member_leave_all_in){.conf = conf, .at = c->now_ms});
    return err == OK ? routing_run(c) : err;
}

static enum err
end(struct center *c, int64_t conf, int64_t member)
{
    int changed = 0;
    enum err err = sql_conference_end(c->db, &(struct sql_conference_end_in){.id = conf, .at = c->now_ms}, &changed);
    return err == OK && changed ? close_room(c, conf, member) : err;
}

enum err
talk_end(struct center *c, int64_t conf, int64_t member)
{
    enum err err = db_begin(c->db);
    return err == OK ? db_end(c->db, end(c, conf, member)) : err;
}

/* Nobody is with the customer any more: he does not have to ask again. */
static enum err
wait_again(struct center *c, int64_t conf, const char *why)
{
    struct invitation i;
    struct invitation_open *rows;
    size_t count;
    int changed = 0;
    enum err err = sql_conference_wait(c->db, &(struct sql_conference_wait_in){.id = conf}, &changed);
    if (err != OK || !changed)
        return err;
    err = event_note(c, conf, 0, "state", "waiting");
    if (err == OK)
        err = sql_invitation_open(c->db, c->mem, &(struct sql_invitation_open_in){.conf = conf}, &rows, &count);
    if (err == OK) /* the first of several has the older place; else one that was cancelled */
        err = count > 0 ? invitation_find(c, rows[0].id, &i) : invitation_of_conference(c, conf, &i);
    if (err == OK)
        err = routing_return(c, &i, why);
    return err == OK || err == ERR_NOT_FOUND ? routing_run(c) : err;
}

/* Nobody goes on without him: he sees how it ends. */
static enum err
end_of_all(struct center *c, const struct member *member)
{
    enum err err = sql_member_left(c->db, &(struct sql_member_left_in){.id = member->id, .event = 0});
    return err == OK ? end(c, member->conf, member->id) : err;
}

static enum err
leave(struct center *c, const struct member *member)
{
    bool is_with_staff, is_his_case;
    enum err err = member_is_first_customer(c, member, &is_his_case);
    if (err == OK)
        err = member_leave(c, member);
    if (err == OK && is_his_case)
        return end_of_all(c, member);
    if (err == OK)
        err = member_is_staffed(c, member->conf, &is_with_staff);
    if (err == OK && !is_with_staff)
        err = wait_again(c, member->conf, "left the conference");
    return err == OK && member->agent ? agent_note(c, member->agent, "agent") : err;
}

enum err
talk_leave(struct center *c, const struct member *member)
{
    enum err err = db_begin(c->db);
    return err == OK ? db_end(c->db, leave(c, member)) : err;
}

static enum err
leave_everything(struct center *c, int64_t agent)
{
    struct member_conferences *rows;
    size_t count;
    enum err err;
    do {
        err = member_conferences(c, agent, &rows, &count);
        for (size_t i = 0; err == OK && i < count; i++) {
            struct member member;
            err = member_find(c, rows[i].id, &member);
            if (err == OK)
                err = leave(c, &member);
        }
    } while (err == OK && count > 0);
    return err == OK ? sql_member_forget_all_lost(c->db, &(struct sql_member_forget_all_lost_in){.agent = agent}) : err;
}

static enum err
disable(struct center *c, int64_t agent)
{
    enum err err = agent_set_disabled(c, agent, true);
    if (err == OK)
        err = routing_withdraw(c, agent, "revoked", "withdrawn", "he was disabled");
    if (err == OK)
        err = leave_everything(c, agent);
    return err == OK ? routing_run(c) : err;
}

enum err
talk_disable(struct center *c, const char *login)
{
    struct agent agent;
    enum err err = agent_by_login(c, login, &agent);
    if (err == OK)
        err = db_begin(c->db);
    return err == OK ? db_end(c->db, disable(c, agent.id)) : err;
}

enum err
talk_enable(struct center *c, const char *login)
{
    struct agent agent;
    enum err err = agent_by_login(c, login, &agent);
    if (err == OK)
        err = db_begin(c->db);
    return err == OK ? db_end(c->db, agent_set_disabled(c, agent.id, false)) : err;
}

/* ── they are not heard of any more ── */

static enum err
lose_staff(struct center *c, int64_t conf)
{
    struct member_staff *rows;
    size_t count;
    int64_t lost;
    enum err err = member_staff(c, conf, &rows, &count);
    if (err == OK)
        err = site_next_id(c, &lost);
    for (size_t i = 0; err == OK && i < count; i++) {
        err = member_lose(c, &(struct member){.id = rows[i].id, .conf = conf}, lost);
        if (err == OK)
            err = agent_note(c, rows[i].agent, "agent");
    }
    if (err == OK)
        err = sql_member_lose_again(c->db, &(struct sql_member_lose_again_in){.conf = conf, .lost = lost});
    return err == OK ? wait_again(c, conf, "nothing was heard of him") : err;
}

/* Whether a customer who has just asked for something has lost his staff. */
static enum err
is_left(struct center *c, int64_t conf, bool *out)
{
    struct conference_state s;
    enum err err = conference_state(c, conf, &s);
    *out = err == OK && text_same(s.state, "talking");
    return *out ? heard_is_left(c, conf, out) : err;
}

static enum err
customer_seen(struct center *c, int64_t conf)
{
    bool is_alone;
    enum err err = is_left(c, conf, &is_alone);
    if (err != OK || !is_alone)
        return err;
    err = db_begin_briefly(c->db);
    if (err != OK)
        return err;
    err = is_left(c, conf, &is_alone);
    return db_end(c->db, err == OK && is_alone ? lose_staff(c, conf) : err);
}

static enum err
staff_seen(struct center *c, struct member *member)
{
    enum err err = OK;
    if (member->lost)
        err = db_begin_briefly(c->db);
    if (err == OK && member->lost)
        err = db_end(c->db, find_again(c, member->id, member));
    return err == OK && !member->left_at ? heard_note(c, member) : err;
}

enum err
talk_member_seen(struct center *c, struct member *member)
{
    if (member->agent)
        return staff_seen(c, member);
    return text_same(member->role, "customer") && !member->is_leader && !member->left_at ? customer_seen(c, member->conf) : OK;
}

enum err
talk_cancel(struct center *c, int64_t invitation)
{
    struct invitation i;
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = invitation_find(c, invitation, &i);
    if (err == OK && text_same(i.state, "accepted"))
        err = center_fault(c, ERR_CONFLICT, "invitation", "An agent has accepted this invitation already.");
    if (err == OK)
        err = routing_end(c, &i, "cancelled");
    if (err == OK)
        err = routing_run(c);
    return db_end(c->db, err);
}
