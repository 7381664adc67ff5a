/* agent_act: what an agent does: becomes ready, takes or leaves an offer, writes a note, ends a conference. */
#include "io/service.h"

#include "base/text.h"
#include "model/conference.h"
#include "model/event.h"
#include "model/phone.h"
#include "model/site.h"
#include "model/talk.h"
#include "page/access.h"
#include "page/desk.h"
#include "page/show.h"
#include "page/template.h"

enum { ACTION, RESERVATION, CONF, REASON, PHONE, TEXT, NONCE };

static const struct param params[] = {
    [ACTION] = {"action", PARAM_LINE, true, 0, 16, "ready, notready, settings, accept, decline, note, end"},
    [RESERVATION] = {"reservation", PARAM_INT, false, 1, 9007199254740991, "accept, decline: which offer"},
    [CONF] = {"conf", PARAM_LINE, false, 0, 80, "note, end: the conference's id"},
    [REASON] = {"reason", PARAM_LINE, false, 0, REASON_CHARS, "notready: why"},
    [PHONE] = {"phone", PARAM_LINE, false, 0, PHONE_CHARS, "settings: where he wants to be called; empty: nowhere"},
    [TEXT] = {"text", PARAM_TEXT, false, 0, EVENT_TEXT_CHARS, "note: what staff shall know"},
    [NONCE] = {"nonce", PARAM_LINE, false, 0, NONCE_CHARS, "note: the client's own; the same again answers the first id"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a session's cookie"},
    {.name = NULL},
};

static enum err
missing(struct request *r, int i)
{
    return center_fault(r->c, ERR_BAD_PARAMETER, params[i].name, "The parameter '%s' is missing.", params[i].name);
}

/* Himself, as he is after what he did. */
static enum err
tell_agent(struct request *r)
{
    struct agent agent;
    enum err err = agent_find(r->c, r->caller->agent.id, &agent);
    if (err == OK)
        desk_agent(&agent, value_add_object(r->out, "agent"));
    return err;
}

static enum err
act_ready(struct request *r)
{
    enum err err = talk_ready(r->c, &r->caller->agent);
    return err == OK ? tell_agent(r) : err;
}

static enum err
act_notready(struct request *r)
{
    enum err err = talk_notready(r->c, &r->caller->agent, r->args[REASON].text ? r->args[REASON].text : "");
    return err == OK ? tell_agent(r) : err;
}

static enum err
act_settings(struct request *r)
{
    const char *phone = "";
    enum err err = r->args[PHONE].text ? phone_normalise(r->c, r->args[PHONE].text, &phone) : OK;
    if (err == OK && r->args[PHONE].is_given)
        err = agent_set_phone(r->c, r->caller->agent.id, phone);
    return err == OK ? tell_agent(r) : err;
}

static enum err
act_accept(struct request *r)
{
    struct invitation i;
    struct member member;
    const char *token, *window;
    if (!r->args[RESERVATION].text)
        return missing(r, RESERVATION);
    enum err err = talk_find_lost(r->c, r->caller->agent.id); /* what he accepted before he was lost is his still */
    if (err == OK)
        err = talk_accept(r->c, &r->caller->agent, r->args[RESERVATION].number, &i, &member);
    if (err == OK)
        err = site_token(r->c, i.conf, member.id, &token);
    if (err == OK)
        err = show_window(r, &member, &window);
    if (err != OK)
        return err;
    value_add_text(r->out, "conference", conference_name(r->c, i.conf));
    value_add_int(r->out, "member", member.id);
    value_add_text(r->out, "token", token);
    value_add_text(r->out, "window", window);
    value_add_text(r->out, "join_url", request_outward(r, i.url));
    return OK;
}

static enum err
act_decline(struct request *r)
{
    if (!r->args[RESERVATION].text)
        return missing(r, RESERVATION);
    value_add_int(r->out, "reservation", r->args[RESERVATION].number);
    value_add_text(r->out, "state", "rejected");
    return talk_decline(r->c, &r->caller->agent, r->args[RESERVATION].number);
}

/* His member of the conference that `conf` names. */
static enum err
find_place(struct request *r, struct member *out)
{
    struct conference conf;
    if (!r->args[CONF].text)
        return missing(r, CONF);
    enum err err = conference_find(r->c, r->args[CONF].text, &conf);
    if (err == OK)
        err = member_of_agent(r->c, conf.id, r->caller->agent.id, out);
    bool is_there = err == OK && !out->lost;
    if (err == OK)
        err = talk_member_seen(r->c, out);
    if (err == ERR_UNAVAILABLE && is_there)
        err = OK;                                                /* that he is heard of is no condition */
    bool has_left = err == OK && out->left_at && !conf.ended_at; /* at the end everybody leaves */
    if (err == ERR_NOT_FOUND || has_left)
        return center_fault(r->c, ERR_FORBIDDEN, "conf", "You are not in this conference.");
    return err;
}

static enum err
act_note(struct request *r)
{
    struct member member;
    int64_t id;
    if (!r->args[TEXT].text)
        return missing(r, TEXT);
    enum err err = find_place(r, &member);
    if (err != OK)
        return err;
    struct event_new event = {.conf = member.conf,
        .member = member.id,
        .kind = "note",
        .audience = TO_STAFF,
        .text = r->args[TEXT].text,
        .nonce = r->args[NONCE].text};
    err = event_add(r->c, &event, &id);
    if (err == OK)
        value_add_int(r->out, "id", id);
    return err;
}

static enum err
act_end(struct request *r)
{
    struct member member;
    enum err err = find_place(r, &member);
    if (err == OK)
        err = talk_end(r->c, member.conf, member.id);
    if (err != OK)
        return err;
    value_add_text(r->out, "conference", r->args[CONF].text);
    value_add_text(r->out, "state", "ended");
    return OK;
}

static const struct action {
    const char *name;
    enum err (*act)(struct request *r);
} actions[] = {
    {"ready", act_ready},
    {"notready", act_notready},
    {"settings", act_settings},
    {"accept", act_accept},
    {"decline", act_decline},
    {"note", act_note},
    {"end", act_end},
};

static enum err
answer(struct request *r)
{
    show_go(r, "/agent.html");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (text_same(r->args[ACTION].text, actions[i].name))
            return actions[i].act(r);
    return center_fault(r->c, ERR_BAD_PARAMETER, "action", "There is no action '%s'.", r->args[ACTION].text);
}

const struct service service = {
    .name = "agent_act",
    .about = "does what an agent wants done",
    .methods = METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .access = access_staff,
    .answer = answer,
    .render = template_render,
};
