/* vcs_call: joins somebody to a conference: the patent's invitation URL (steps 6, 7, 9 and 10), and /call/CODE, the short way in.
 *
 * Codes are for people and can be guessed: wrong ones are counted, the participant's code gives the participant's role only, and
 * the leader's role needs a credential besides. */
#include "io/service.h"

#include <string.h>

#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"
#include "model/conference.h"
#include "model/event.h"
#include "model/limit.h"
#include "model/phone.h"
#include "model/routing.h"
#include "model/site.h"
#include "model/talk.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

enum { ACTION, VANITY, CALL_CALLID, PHONE, NAME, TEXT, REQID, ID };

static const struct param params[] = {
    [ACTION] = {"action", PARAM_LINE, false, 0, 16, "add (default), drop, mute, unmute, list, record, stop_record"},
    [VANITY] = {"vanity", PARAM_LINE, false, 0, CODE_DIGITS, "one of the conference's two codes"},
    [CALL_CALLID] = {"call_callid", PARAM_LINE, false, 0, 80, "the conference's id"},
    [PHONE] = {"phone", PARAM_LINE, false, 0, PHONE_CHARS, "add: call this number into the conference"},
    [NAME] = {"name", PARAM_LINE, false, 0, NAME_CHARS, "add: as the others see him"},
    [TEXT] = {"text", PARAM_TEXT, false, 0, EVENT_TEXT_CHARS, "add: the first thing that he says"},
    [REQID] = {"reqid", PARAM_LINE, false, 0, REQID_CHARS, "add: the same again is the same member"},
    [ID] = {"id", PARAM_INT, false, 1, 9007199254740991, "drop, mute, unmute: which leg"},
    {"token", PARAM_LINE, false, 0, 80, "a member's, instead of the code"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a cookie"},
    {.name = NULL},
};

/* What a request opened. */
struct door {
    struct conference conf;
    bool is_leader; /* the leader's code was sent, by one who may use it */
};

/* ── codes ── */

/* Whoever shows a key or a session does not guess; what he gets wrong is not held against the others at his address. */
static bool
may_guess(const struct request *r)
{
    return r->caller->kind != CALLER_KEY && r->caller->kind != CALLER_STAFF;
}

static enum err
no_code(struct request *r)
{
    return center_fault(r->c, ERR_NOT_FOUND, "vanity", "No conference has this code.");
}

static enum err
wrong_code(struct request *r)
{
    struct center *c = r->c;
    if (!may_guess(r))
        return no_code(r);
    const char *address = limit_address(c, r->remote_addr);
    enum err err = limit_take(c, &limit_code_site, "site");
    if (err == OK || err == ERR_TOO_MANY)
        err = limit_take(c, &limit_code_address, address);
    return err == OK || err == ERR_TOO_MANY ? no_code(r) : err;
}

/* When many addresses guess at once, only those that have had a right code before are heard. */
static enum err
check_limits(struct request *r)
{
    struct center *c = r->c;
    const char *address = limit_address(c, r->remote_addr);
    enum err err = limit_check(c, &limit_code_address, address);
    if (err != OK)
        return err;
    err = limit_check(c, &limit_code_site, "site");
    return err == ERR_TOO_MANY && limit_is_known(c, &limit_code_known, address) ? OK : err;
}

/* The code of a conference that has ended is nobody's; but whoever joined by it, under this reqid, gets the answer of then. */
static enum err
open_again(struct request *r, const char *code, const char *conf_name, struct door *out)
{
    struct member member;
    enum err err = conf_name ? conference_find(r->c, conf_name, &out->conf) : ERR_NOT_FOUND;
    if (err != OK || !text_same(code, conference_code(r->c, &out->conf, false)))
        return ERR_NOT_FOUND;
    struct member_new who = {.conf = out->conf.id, .account = r->caller->account, .reqid = r->args[REQID].text};
    return member_before(r->c, &who, &member);
}

static enum err
open_by_code(struct request *r, const char *code, const char *conf_name, struct door *out)
{
    struct center *c = r->c;
    enum err err = may_guess(r) ? check_limits(r) : OK;
    if (err == OK && !conf_name)
        err = conference_code_counts(c);
    if (err != OK)
        return err == ERR_NOT_FOUND ? no_code(r) : err; /* where no code opens anything, none is a guess */
    err = conference_by_code(c, code, &out->conf, &out->is_leader);
    if (err == OK && conf_name && conference_number(c, conf_name) != out->conf.id)
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND && r->caller->kind == CALLER_KEY)
        err = open_again(r, code, conf_name, out);
    if (err == ERR_NOT_FOUND)
        return wrong_code(r);
    return err == OK ? limit_remember(c, &limit_code_known, limit_address(c, r->remote_addr)) : err;
}

/* An agent's offer of this conference, as long as he holds it. */
static bool
is_offered_to(struct request *r, const struct agent *agent, int64_t conf, int64_t *reservation)
{
    struct reservation_of_agent held;
    struct invitation i;
    if (routing_offer_of(r->c, agent->id, &held) != OK || invitation_find(r->c, held.invitation, &i) != OK || i.conf != conf)
        return false;
    *reservation = held.id;
    return true;
}

/* ── answers ── */

static enum err
show_member_as(struct request *r, const struct conference *conf, const struct member *member, const char *state)
{
    const char *token, *window;
    enum err err = site_token(r->c, conf->id, member->id, &token);
    if (err == OK)
        err = show_window(r, member, &window);
    if (err != OK)
        return err;
    value_attribute(r->out, "conference", conference_name(r->c, conf->id));
    value_attribute(r->out, "state", state);
    struct value *m = value_add_object(r->out, "member");
    value_attribute_int(m, "id", member->id);
    value_attribute(m, "role", member->is_leader ? "leader" : "participant");
    value_attribute(m, "token", token);
    value_add_text(r->out, "window", window);
    show_go(r, window);
    return OK;
}

static enum err
show_member(struct request *r, const struct conference *conf, const struct member *member)
{
    return show_member_as(r, conf, member, "joined");
}

static enum err
no_phones(struct request *r)
{
    return center_fault(r->c, ERR_UNAVAILABLE, "phone", "Telephone calls are not available here.");
}

static enum err
call_phone(struct request *r)
{
    const char *phone;
    enum err err = phone_normalise(r->c, r->args[PHONE].text, &phone);
    return err == OK ? no_phones(r) : err;
}

/* ── joining ── */

/* The leader's code is no secret: it leads only with a credential besides. */
static bool
may_lead(const struct request *r)
{
    return r->caller->kind == CALLER_KEY || r->caller->kind == CALLER_LOOPBACK;
}

static enum err
join_as_agent(struct request *r, const struct agent *agent, const struct door *door)
{
    struct member member;
    struct invitation i;
    int64_t reservation;
    enum err err = ERR_NOT_FOUND;
    if (is_offered_to(r, agent, door->conf.id, &reservation)) {
        err = talk_accept(r->c, agent, reservation, &i, &member);
        return err == OK ? show_member(r, &door->conf, &member) : err;
    }
    err = member_of_agent(r->c, door->conf.id, agent->id, &member);
    if (err == OK)
        err = talk_member_seen(r->c, &member);
    if (err == OK && (!member.left_at || door->conf.ended_at))
        return show_member(r, &door->conf, &member);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    bool is_own = text_same(door->conf.account, r->caller->account); /* he scheduled it himself */
    if (!agent_is_supervisor(agent) && !is_own)
        return center_fault(r->c, ERR_ALREADY_TAKEN, NULL,
            "This customer was not offered to you, or another agent has taken him.");
    struct member_new who = {.conf = door->conf.id,
        .role = is_own ? "agent" : "supervisor",
        .is_leader = true,
        .name = agent->name,
        .agent = agent->id};
    err = talk_join(r->c, &who, NULL, &member);
    return err == OK ? show_member(r, &door->conf, &member) : err;
}

static enum err
join(struct request *r, const struct door *door)
{
    struct member member;
    bool is_leader = door->is_leader && may_lead(r);
    const char *guest = arena_printf(r->c->mem, "guest:%s", r->remote_addr);
    struct member_new who = {.conf = door->conf.id,
        .role = is_leader ? "agent" : "customer",
        .is_leader = is_leader,
        .name = r->args[NAME].text ? r->args[NAME].text : "",
        .account = r->caller->account ? r->caller->account : guest,
        .reqid = r->args[REQID].text};
    enum err err = talk_join(r->c, &who, r->args[TEXT].text, &member);
    return err == OK ? show_member(r, &door->conf, &member) : err;
}

/* Who was lost is there again; else the customer may be offered to him once more, and this link takes the offer. */
static enum err
agent_back(struct request *r, const struct conference *conf, struct member *member)
{
    struct agent agent;
    struct invitation i;
    int64_t reservation;
    enum err err = talk_member_seen(r->c, member);
    if (err != OK || !member->left_at || conf->ended_at)
        return err;
    err = agent_find(r->c, member->agent, &agent);
    bool is_offered = err == OK && is_offered_to(r, &agent, conf->id, &reservation);
    return is_offered ? talk_accept(r->c, &agent, reservation, &i, member) : err;
}

/* A guest who left comes in again as he was; an agent only by an offer, as the first time, unless he was lost. */
static enum err
come_back(struct request *r, const struct conference *conf, struct member member)
{
    enum err err = OK;
    if (member.agent)
        err = agent_back(r, conf, &member);
    else if (member.left_at && !conf->ended_at)
        err = talk_return(r->c, &member);
    return err == OK ? show_member_as(r, conf, &member, conf->ended_at || member.left_at ? "ended" : "joined") : err;
}

static enum err
add(struct request *r, const struct door *door)
{
    if (r->args[PHONE].text)
        return call_phone(r);
    if (r->caller->kind == CALLER_MEMBER)
        return come_back(r, &door->conf, r->caller->member);
    if (r->caller->kind == CALLER_STAFF)
        return join_as_agent(r, &r->caller->agent, door);
    return join(r, door);
}

static enum err
list(struct request *r, const struct door *door)
{
    struct member *members;
    size_t count;
    enum err err = member_list(r->c, door->conf.id, &members, &count);
    bool is_out = r->caller->kind == CALLER_MEMBER && r->caller->member.left_event;
    int64_t left_at = is_out ? r->caller->member.left_at : 0;
    r->out_name = "calls";
    value_attribute(r->out, "conference", conference_name(r->c, door->conf.id));
    struct value *calls = value_add_list(r->out, "call");
    for (size_t i = 0; err == OK && i < count; i++) {
        if (left_at && members[i].joined_at > left_at)
            continue; /* whoever came behind him is none of his business */
        struct value *call = value_add_object(calls, NULL);
        value_attribute(call, "state", members[i].left_at ? "ended" : "joined");
        struct value *m = value_add_object(call, "member");
        value_attribute_int(m, "id", members[i].id);
        value_attribute(m, "role", members[i].is_leader ? "leader" : "participant");
        value_attribute(m, "name", members[i].name);
    }
    return err;
}

static enum err
no_leg(struct request *r, const struct door *door)
{
    (void)door;
    if (!r->args[ID].text)
        return center_fault(r->c, ERR_BAD_PARAMETER, "id", "The parameter 'id' is missing.");
    return center_fault(r->c, ERR_NOT_FOUND, "id", "This conference has no such telephone leg.");
}

/* Who leads: the leader's code or token, the agent who is in the room or was offered it, who scheduled it, a supervisor. */
static enum err
check_leads(struct request *r, const struct door *door)
{
    struct member member;
    int64_t reservation;
    const struct caller *caller = r->caller;
    bool leads = caller->kind == CALLER_MEMBER ? caller->member.is_leader : door->is_leader && may_lead(r);
    if (caller->kind == CALLER_STAFF) {
        enum err err = member_of_agent(r->c, door->conf.id, caller->agent.id, &member);
        if (err != OK && err != ERR_NOT_FOUND)
            return err;
        leads = (err == OK && !member.left_at) || agent_is_supervisor(&caller->agent) ||
                text_same(door->conf.account, caller->account) || is_offered_to(r, &caller->agent, door->conf.id, &reservation);
    }
    return leads ? OK : center_fault(r->c, ERR_FORBIDDEN, "action", "Only the leader of the conference records it.");
}

static enum err
no_recording(struct request *r, const struct door *door)
{
    enum err err = check_leads(r, door);
    return err == OK ? no_phones(r) : err;
}

static const struct action {
    const char *name;
    enum err (*run)(struct request *r, const struct door *door);
} actions[] = {
    {"add", add},
    {"list", list},
    {"drop", no_leg},
    {"mute", no_leg},
    {"unmute", no_leg},
    {"record", no_recording},
    {"stop_record", no_recording},
};

/* ── the ways in ── */

/* Makes r->caller the member of conf whose token the request carries. ERR_NOT_FOUND: it carries none. A cookie comes without
 * being asked, so one that does not count is none, unless nothing else could open the door. */
static enum err
find_member(struct request *r, int64_t conf, bool is_only_way)
{
    const struct caller *before = r->caller;
    bool has_token = access_has_token(r);
    if (!has_token && !request_cookie_get(r, access_member_cookie(r, conf)))
        return ERR_NOT_FOUND;
    enum err err = access_member_of(r, conf);
    if (err == OK || has_token || is_only_way)
        return err;
    r->caller = before;
    return ERR_NOT_FOUND;
}

/* By the token of a member, or by code. */
static enum err
open_door(struct request *r, struct door *out)
{
    const char *code = r->args[VANITY].text, *name = r->args[CALL_CALLID].text;
    int64_t conf = name ? conference_number(r->c, name) : 0;
    enum err err = conf ? find_member(r, conf, !code) : ERR_NOT_FOUND;
    out->is_leader = false;
    if (err != ERR_NOT_FOUND)
        return err == OK ? conference_find(r->c, name, &out->conf) : err;
    err = access_anybody(r);
    if (err == OK && !code)
        return center_fault(r->c, ERR_BAD_PARAMETER, "vanity", "The parameter 'vanity' is missing.");
    if (err == OK)
        err = open_by_code(r, code, name, out);
    return err == OK && access_has_token(r) ? access_member_of(r, out->conf.id) : err;
}

static enum err
ask_name(struct request *r, const char *code, const char *fault)
{
    const struct settings *set = r->c->settings;
    value_add_text(r->out, "site_name", set->site_name);
    value_add_text(r->out, "phone_number", set->phone_number);
    value_add_text(r->out, "code", code);
    value_add_text(r->out, "name", "");
    value_add_text(r->out, "reqid", secret_random_text(r->c->mem, 22));
    if (fault)
        value_add_text(r->out, "name_fault", fault);
    r->status = fault ? 400 : 200;
    r->page = "join";
    return OK;
}

/* /call/CODE. An agent's session comes in as the agent; everybody else says his name first. */
static enum err
short_way(struct request *r)
{
    struct door door;
    const char *code = strrchr(r->path_info, '/') + 1;
    struct caller agent = {.kind = CALLER_NOBODY};
    enum err err = access_session(r, &agent);
    if (err == OK)
        err = access_anybody(r);
    if (err == OK)
        err = open_by_code(r, code, NULL, &door);
    if (err != OK)
        return err;
    r->redirect = r->is_page_wanted;
    if (agent.kind == CALLER_STAFF)
        return join_as_agent(r, &agent.agent, &door);
    err = find_member(r, door.conf.id, false);
    if (err != ERR_NOT_FOUND)
        return err == OK ? come_back(r, &door.conf, r->caller->member) : err;
    door.is_leader = false;
    if (r->args[NAME].text)
        return join(r, &door);
    return ask_name(r, code, text_same(r->method, "POST") ? "Enter your name." : NULL);
}

static enum err
answer(struct request *r)
{
    struct door door;
    r->out_name = "call";
    if (r->path_info[0])
        return short_way(r);
    enum err err = open_door(r, &door);
    if (err != OK)
        return err;
    const char *name = r->args[ACTION].text ? r->args[ACTION].text : "add";
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (text_same(name, actions[i].name))
            return actions[i].run(r, &door);
    return center_fault(r->c, ERR_BAD_PARAMETER, "action", "There is no action '%s'.", name);
}

const struct service service = {
    .name = "vcs_call",
    .about = "joins somebody to a conference",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_XML,
    .is_changing = true,
    .params = params,
    .prepare = access_prepare,
    .answer = answer,
    .render = template_render,
};
