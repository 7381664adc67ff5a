/* queue: the queuing server's entrance: takes invitations, shows what waits and why routing did what it did (patent, step 6). */
#include "io/service.h"

#include "base/text.h"
#include "model/conference.h"
#include "model/invitation.h"
#include "model/phone.h"
#include "model/routing.h"
#include "model/sentform.h"
#include "model/talk.h"
#include "model/trace.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

enum { ACTION, URL, CONF, SUBJECT, TOPIC, NAME, PHONE, EMAIL, LANGUAGE, PAGE, SKILL, PRIORITY, REQID, WAITED, INVITATION };

static const struct param params[] = {
    [ACTION] = {"action", PARAM_LINE, true, 0, 16, "put (POST), list, cancel (POST), trace or standing"},
    [URL] = {"url", PARAM_LINE, false, 0, 2000, "put: the invitation, the vcs_call URL of the conference"},
    [CONF] = {"conf", PARAM_LINE, false, 0, 80, "put, trace: the conference's id"},
    [SUBJECT] = {"subject", PARAM_LINE, false, 0, SUBJECT_CHARS, "put: what it is about"},
    [TOPIC] = {"topic", PARAM_LINE, false, 0, TOPIC_CHARS, "put: decides skill and priority"},
    [NAME] = {"name", PARAM_LINE, false, 0, NAME_CHARS, "put: the customer's name"},
    [PHONE] = {"phone", PARAM_LINE, false, 0, PHONE_CHARS, "put: the customer's number"},
    [EMAIL] = {"email", PARAM_LINE, false, 0, EMAIL_CHARS, "put: the customer's address"},
    [LANGUAGE] = {"language", PARAM_LINE, false, 0, LANGUAGE_CHARS, "put: as in Accept-Language"},
    [PAGE] = {"page", PARAM_LINE, false, 0, PAGE_CHARS, "put: the page that he came from"},
    [SKILL] = {"skill", PARAM_LINE, false, 0, 64, "put: instead of the topic's"},
    [PRIORITY] = {"priority", PARAM_INT, false, 1, 10, "put: 1 goes first; instead of the topic's, else 5"},
    [REQID] = {"reqid", PARAM_LINE, false, 0, REQID_CHARS, "put: the same again answers the same invitation"},
    [WAITED] = {"waited_ms", PARAM_INT, false, 0, 9007199254740991,
        "put: milliseconds that the customer has waited already; default 0"},
    [INVITATION] = {"invitation", PARAM_INT, false, 1, 9007199254740991, "cancel: which"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a session's cookie"},
    {.name = NULL},
};

static const char *
given(struct request *r, int i)
{
    return r->args[i].text ? r->args[i].text : "";
}

static enum err
missing(struct request *r, int i)
{
    return center_fault(r->c, ERR_BAD_PARAMETER, params[i].name, "The parameter '%s' is missing.", params[i].name);
}

/* Agents get this URL to open: it leads into the conference that waits, and nowhere else. */
static enum err
find_conference(struct request *r, struct conference *out)
{
    const char *url = r->args[URL].text;
    if (!r->args[CONF].text)
        return missing(r, CONF);
    if (!url)
        return missing(r, URL);
    enum err err = conference_find(r->c, r->args[CONF].text, out);
    if (err == OK && !show_is_join_url(r, url, out))
        return center_fault(r->c, ERR_BAD_PARAMETER, "url", "The url must be the vcs_call address of this conference.");
    return err;
}

/* The customer's number and address, as the form takes them. */
static enum err
read_contact(struct request *r, struct invitation_wish *w)
{
    if (r->args[EMAIL].text && !text_is_email(r->args[EMAIL].text))
        return center_fault(r->c, ERR_BAD_PARAMETER, "email", "Give an e-mail address, for example ann@example.com.");
    return r->args[PHONE].text ? phone_normalise(r->c, r->args[PHONE].text, &w->phone) : OK;
}

static enum err
read_wish(struct request *r, struct invitation_wish *w, struct conference *conf)
{
    *w = (struct invitation_wish){.account = r->caller->account,
        .reqid = r->args[REQID].text,
        .url = given(r, URL),
        .subject = given(r, SUBJECT),
        .topic = given(r, TOPIC),
        .skill = given(r, SKILL),
        .priority = r->args[PRIORITY].number,
        .name = given(r, NAME),
        .phone = "",
        .email = given(r, EMAIL),
        .language = given(r, LANGUAGE),
        .page = given(r, PAGE),
        .waited_ms = r->args[WAITED].number};
    enum err err = find_conference(r, conf);
    w->conf = err == OK ? conf->id : 0;
    return err == OK ? read_contact(r, w) : err;
}

static enum err
put(struct request *r)
{
    struct invitation_wish wish;
    struct conference conf;
    struct invitation i;
    struct standing s;
    enum err err = read_wish(r, &wish, &conf);
    if (err == OK)
        err = talk_queue(r->c, &wish, &i);
    if (err == OK)
        err = invitation_standing(r->c, &i, &s);
    if (err != OK)
        return err;
    show_go(r, show_way_in(r, &conf));
    value_add_int(r->out, "invitation", i.id);
    value_add_int(r->out, "position", s.position);
    if (s.wait_s >= 0)
        value_add_int(r->out, "wait_s", s.wait_s);
    else
        value_add_null(r->out, "wait_s");
    return OK;
}

static enum err
list(struct request *r)
{
    struct invitation_waiting *rows;
    size_t count;
    struct value *invitations = value_add_list(r->out, "invitations");
    enum err err = invitation_waiting(r->c, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++) {
        struct value *v = value_add_object(invitations, NULL);
        value_add_int(v, "invitation", rows[i].id);
        value_add_text(v, "conference", conference_name(r->c, rows[i].conf));
        value_add_text(v, "state", rows[i].state);
        value_add_text(v, "topic", rows[i].topic);
        value_add_text(v, "skill", rows[i].skill);
        value_add_int(v, "priority", rows[i].priority);
        value_add_int(v, "position", (int64_t)i + 1);
        value_add_int(v, "queued_at", rows[i].queued_at);
    }
    return err;
}

static enum err
cancel(struct request *r)
{
    if (!r->args[INVITATION].text)
        return missing(r, INVITATION);
    value_add_int(r->out, "invitation", r->args[INVITATION].number);
    value_add_text(r->out, "state", "cancelled");
    show_go(r, "/cgi_bin/queue?action=list");
    return talk_cancel(r->c, r->args[INVITATION].number);
}

static enum err
trace(struct request *r)
{
    struct conference conf;
    if (!r->args[CONF].text)
        return missing(r, CONF);
    enum err err = conference_find(r->c, r->args[CONF].text, &conf);
    return err == OK ? trace_read(r->c, conf.id, value_add_list(r->out, "decisions")) : err;
}

/* What whoever came now would find: for the form, which may stand on another host. */
static enum err
standing(struct request *r)
{
    int64_t agents, is_free;
    struct standing next;
    enum err err = routing_staff(r->c, &agents, &is_free);
    if (err == OK)
        err = invitation_standing_of_next(r->c, &next);
    if (err != OK)
        return err;
    value_add_int(r->out, "waiting", next.position - 1);
    if (is_free >= next.position)
        next.wait_s = 0;
    if (next.wait_s >= 0)
        value_add_int(r->out, "wait_s", next.wait_s);
    else
        value_add_null(r->out, "wait_s");
    value_add_int(r->out, "agents", agents);
    value_add_int(r->out, "free", is_free);
    return OK;
}

static const struct action {
    const char *name;
    bool is_post;
    enum err (*run)(struct request *r);
} actions[] = {{"put", true, put}, {"list", false, list}, {"cancel", true, cancel}, {"trace", false, trace},
    {"standing", false, standing}};

static enum err
answer(struct request *r)
{
    r->out_name = "queue";
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        const struct action *a = &actions[i];
        if (!text_same(r->args[ACTION].text, a->name))
            continue;
        if (!a->is_post || text_same(r->method, "POST"))
            return a->run(r);
        request_header(r, "Allow", "POST");
        return center_fault(r->c, ERR_BAD_METHOD, "action", "The action '%s' must be sent with POST.", a->name);
    }
    return center_fault(r->c, ERR_BAD_PARAMETER, "action", "action is put, list, cancel, trace or standing.");
}

const struct service service = {
    .name = "queue",
    .about = "takes invitations to conferences, lists and explains what waits",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .prepare = access_prepare,
    .access = access_service,
    .answer = answer,
    .render = template_render,
};
