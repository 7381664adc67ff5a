/* conf_view: the conference's window (patent, figures 2C to 2E), whole without JavaScript.
 *
 * A token in the address is put into a cookie and taken out of the address: addresses are kept in histories and logs. Whether the
 * browser takes cookies shows only when it comes back, so the way back carries a ticket: good for this conference, this member
 * and a day, and taken out of the address again where a cookie came back. */
#include "io/service.h"

#include <stdio.h>

#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"
#include "model/conference.h"
#include "model/event.h"
#include "model/session.h"
#include "model/site.h"
#include "page/access.h"
#include "page/news.h"
#include "page/opening.h"
#include "page/show.h"
#include "page/template.h"

enum { CONF, PART, AFTER, TOKEN, TICKET };

enum { COOKIE_S = 86400, CLOSED_COOKIE_S = 14 * COOKIE_S, TICKET_MS = 86400000, LOG_MAX_EVENTS = 1000, TITLE_CHARS = 24 };

static const struct param params[] = {
    [CONF] = {"conf", PARAM_LINE, true, 0, 80, "the conference's id"},
    [PART] = {"part", PARAM_LINE, false, 0, 8, "without JavaScript: log, write, page; default: the window"},
    [AFTER] = {"after", PARAM_INT, false, 0, 9007199254740991, "part=log: waits for an event after this one"},
    [TOKEN] = {"token", PARAM_LINE, false, 0, 80, "the member's, unless a header or cookie carries it"},
    [TICKET] = {"ticket", PARAM_LINE, false, 0, 80, "for a browser without cookies, made by this program"},
    {"seen", PARAM_INT, false, 0, 9007199254740991, "no meaning: makes a text browser load the page again"},
    {.name = NULL},
};

/* What a page needs to be rendered, now or after waiting. */
struct view {
    int64_t conf;
    int64_t member;
    const char *token; /* "": a cookie carries it */
    const char *part;  /* "", "log", "write", "page" */
    int64_t pause_s;   /* before the browser asks again */
};

/* ── the token goes out of the address ── */

static const char *
address(struct request *r, const char *name, const char *value)
{
    struct buf b = buf_new(r->c->mem, 2048);
    /* The other spelling for the step between: w3m takes two redirects in a row to one path for a loop, whatever the query. */
    buf_text(&b, value ? "/cgi-bin/conf_view?conf=" : "/cgi_bin/conf_view?conf=");
    buf_url(&b, r->args[CONF].text);
    if (r->args[PART].text) {
        buf_text(&b, "&part=");
        buf_url(&b, r->args[PART].text);
    }
    if (value) {
        buf_printf(&b, "&%s=", name);
        buf_url(&b, value);
    }
    return buf_str(&b);
}

/* "MEMBER.TIME.MAC" */
static enum err
make_ticket(struct request *r, int64_t member, int64_t at, const char **out)
{
    const char *mac;
    enum err err = site_ticket(r->c, conference_number(r->c, r->args[CONF].text), member, at, &mac);
    if (err == OK)
        *out = arena_printf(r->c->mem, "%lld.%lld.%s", (long long)member, (long long)at, mac);
    return err;
}

static enum err
send_on(struct request *r)
{
    const char *ticket;
    const struct member *member = &r->caller->member;
    enum err err = make_ticket(r, member->id, r->c->now_ms, &ticket);
    if (err != OK)
        return err;
    int64_t cookie_s = opening_at(r->c) ? CLOSED_COOKIE_S : COOKIE_S; /* who leaves a message comes back another day */
    request_cookie(r, access_member_cookie(r, member->conf), r->caller->token, cookie_s);
    r->redirect = true;
    show_go(r, address(r, "ticket", ticket));
    return OK;
}

/* The member whose ticket this is, while it is fresh and, an agent's, while he may work here. */
static enum err
read_ticket(struct request *r, int64_t *id_out)
{
    const char *right;
    long long id, at;
    struct member member;
    if (sscanf(r->args[TICKET].text, "%lld.%lld.", &id, &at) != 2)
        return ERR_UNAUTHORIZED;
    if (at > r->c->now_ms + TICKET_MS || at < r->c->now_ms - TICKET_MS) /* one from later: the clock was set back since then */
        return ERR_UNAUTHORIZED;
    enum err err = make_ticket(r, id, at, &right);
    if (err == OK && !text_same_secret(right, r->args[TICKET].text))
        return ERR_UNAUTHORIZED;
    *id_out = id;
    if (err == OK)
        err = member_find(r->c, id, &member);
    return err == OK ? session_check_member(r->c, member.agent, false) : err;
}

/* ── the page ── */

static void
add_me(struct request *r, const struct member *member)
{
    struct value *me = value_add_object(r->out, "me");
    value_add_int(me, "member", member->id);
    value_add_text(me, "name", member->name);
    value_add_text(me, "role", member->role);
}

/* A subject is often the whole question: as a heading only a short one serves. */
static const char *
title_of(struct request *r, const struct conference *conf)
{
    bool is_title = conf->subject[0] && text_chars(conf->subject) <= TITLE_CHARS && !text_same(conf->subject, "new_conference");
    return is_title ? conf->subject : r->c->settings->site_name;
}

static void
add_frame(struct request *r, const struct view *v, const struct conference *conf)
{
    struct value *out = r->out;
    const struct settings *set = r->c->settings;
    value_add_text(out, "site_name", set->site_name);
    value_add_text(out, "phone_number", set->phone_number);
    value_add_text(out, "title", title_of(r, conf));
    value_add_text(out, "conference", conference_name(r->c, conf->id));
    value_add_text(out, "token", v->token);
    value_add_text(out, "part", v->part);
    value_add_text(out, "state", conf->state);
    value_add_flag(out, "is_waiting", text_same(conf->state, "waiting"));
    value_add_flag(out, "is_talking", text_same(conf->state, "talking"));
    value_add_flag(out, "is_ended", conf->ended_at != 0);
    value_add_text(out, "nonce", secret_random_text(r->c->mem, 16));
    value_add_int(out, "file_max_bytes", set->file_max_bytes);
    value_add_text(out, "file_max_text", show_size(r, set->file_max_bytes));
    struct value *codes = value_add_object(out, "codes");
    const char *code = conference_code(r->c, conf, false);
    value_add_text(codes, "participant", code);
    value_add_text(codes, "url", arena_printf(r->c->mem, "%s/call/%s", request_origin(r), code));
}

/* The answers that the last message offers, unless something was said since. */
static void
add_choices(struct request *r, const struct value *last)
{
    const struct value *choices = value_get(last, "choices");
    struct value *list = value_add_list(r->out, "choices");
    for (const struct value *v = choices ? choices->first : NULL; v; v = v->next)
        value_add_text(list, NULL, v->text);
}

/* Who left the others before he rated does not see his own rating: it stands behind his leaving. */
static bool
has_rated(struct request *r, const struct value *events, const struct member *as)
{
    int64_t id, member = as->id;
    if (as->left_event)
        return event_last_of(r->c, as->conf, member, "rating", &id) == OK;
    for (const struct value *v = events->first; v; v = v->next)
        if (text_same(value_get_text(v, "kind"), "rating") && value_get_int(value_get(v, "from"), "member", 0) == member)
            return true;
    return false;
}

static enum err
add_events(struct request *r, const struct view *v, const struct member *member, int64_t *after)
{
    struct value *events;
    struct reader as = {.member = member->id, .is_staff = member_is_staff(member), .until = member->left_event};
    /* the last ones: a page need not hold what nobody scrolls back to, the transcript has it all */
    enum err err = event_read_last(r->c, member->conf, &as, LOG_MAX_EVENTS, after, &events);
    if (err != OK)
        return err;
    value_add_int(r->out, "after", *after);
    value_add_flag(r->out, "is_rated", has_rated(r, events, member));
    add_choices(r, events->last);
    struct show_reader reader = {.member = member->id, .token = v->token};
    show_events(r, &reader, events, r->out, "events");
    return OK;
}

/* Nobody is here at this hour. The link has the token: the window's own address has not, and a cookie does not go with him to
 * another browser. */
static enum err
add_closed(struct request *r, const struct member *member)
{
    bool is_customer = text_same(member->role, "customer");
    int64_t opens_at = value_get_int(value_get(r->out, "queue"), "opens_at", 0);
    const char *way_back = "";
    enum err err = is_customer && opens_at ? show_window(r, member, &way_back) : OK;
    value_add_flag(r->out, "is_customer", is_customer);
    value_add_flag(r->out, "is_closed", is_customer && opens_at);
    value_add_text(r->out, "opens_text", opens_at ? opening_text(r->c, opens_at, false) : "");
    value_add_text(r->out, "way_back", way_back);
    return err;
}

static void
add_next(struct request *r, const struct view *v, const struct conference *conf, int64_t after)
{
    struct buf b = buf_new(r->c->mem, 1024);
    if (!conf->ended_at) {
        buf_printf(&b, "/cgi_bin/conf_view?conf=%s&part=log&after=%lld", conference_name(r->c, conf->id), (long long)after);
        if (v->token[0])
            buf_printf(&b, "&token=%s", v->token);
    }
    value_add_text(r->out, "next", buf_str(&b));
    value_add_int(r->out, "pause_s", v->pause_s);
}

static const char *
template_of(const char *part)
{
    return text_same(part, "log") ? "log" : text_same(part, "write") ? "write" : text_same(part, "page") ? "one" : "conf";
}

static enum err
render(struct request *r, const struct view *v)
{
    struct conference conf;
    struct member member;
    const char *csrf = "";
    int64_t after = 0;
    enum err err = conference_get(r->c, v->conf, &conf);
    if (err == OK)
        err = member_find(r->c, v->member, &member);
    if (err == OK && !v->token[0])
        err = site_csrf(r->c, v->member, &csrf);
    if (err != OK)
        return err;
    if (member.left_at && !conf.ended_at) { /* for him it is over */
        conf.ended_at = member.left_at;
        conf.state = "ended";
    }
    add_me(r, &member);
    add_frame(r, v, &conf);
    value_add_text(r->out, "csrf", csrf);
    err = add_events(r, v, &member, &after);
    if (err == OK && !member.left_at) /* the others may wait again: that is not his place */
        err = show_queue(r, r->out, v->conf);
    if (err == OK)
        err = add_closed(r, &member);
    add_next(r, v, &conf, after);
    r->page = template_of(v->part);
    return err;
}

/* ── waiting, for part=log ── */

/* Moves *after on over what is for others. */
static enum err
has_news(struct center *c, int64_t conf, const struct member *member, int64_t *after, bool *out)
{
    bool is_more;
    struct reader reader = {.member = member->id, .is_staff = member_is_staff(member), .until = member->left_event};
    struct value *events = value_list(c->mem);
    enum err err = event_read(c, conf, &reader, after, events, &is_more);
    *out = err == OK && events->first;
    return err;
}

enum { FLAG_TOKEN = 1, FLAG_COOKIE = 2 };

static enum err
answer_log(struct request *r, const struct view *v)
{
    bool is_news = true;
    int64_t after = r->args[AFTER].number;
    enum err err = after ? has_news(r->c, v->conf, &r->caller->member, &after, &is_news) : OK;
    if (err != OK || is_news)
        return err == OK ? render(r, v) : err;
    struct wait wait = {.key = v->conf,
        .member = v->member,
        .after = after,
        .deadline_ms = r->c->boot_ms + r->c->settings->hold_s * 1000,
        .flags = (v->token[0] ? FLAG_TOKEN : 0) | (r->caller->by_cookie ? FLAG_COOKIE : 0)};
    return request_hold(r, &wait);
}

static enum err
wake(struct request *r, struct wait *wait, bool is_late)
{
    struct member member;
    bool is_news;
    struct view v = {.conf = wait->key, .member = wait->member, .token = "", .part = "log"};
    enum err err = member_find(r->c, wait->member, &member);
    if (err == OK)
        err = session_check_member(r->c, member.agent, wait->flags & FLAG_COOKIE);
    if (err == OK)
        err = has_news(r->c, wait->key, &member, &wait->after, &is_news);
    if (err != OK || (!is_news && !is_late))
        return err;
    if (wait->flags & FLAG_TOKEN)
        err = site_token(r->c, wait->key, wait->member, &v.token);
    if (!is_news)
        v.pause_s = request_pause_s(r);
    r->is_held = false;
    return err == OK ? render(r, &v) : err;
}

/* A frame, a form's answer and a browser without cookies keep the token in the address; the window does not. */
static enum err
answer(struct request *r)
{
    int64_t id, conf = conference_number(r->c, r->args[CONF].text);
    const char *part = r->args[PART].text ? r->args[PART].text : "";
    struct view v = {.conf = conf, .token = "", .part = part};
    enum err err = show_check_part(r);
    if (err != OK)
        return err;
    if (r->args[TOKEN].text && !text_same(part, "log") && !text_same(part, "write")) {
        err = access_room(r);
        return err == OK ? send_on(r) : err;
    }
    err = access_room(r);
    if (err == OK && r->args[TICKET].text) {
        r->redirect = true; /* the cookie came back: the ticket may go */
        show_go(r, address(r, NULL, NULL));
        return OK;
    }
    if (err == ERR_UNAUTHORIZED && r->args[TICKET].text && read_ticket(r, &id) == OK) {
        v.member = id;
        err = site_token(r->c, conf, id, &v.token);
        return err == OK ? render(r, &v) : err;
    }
    if (err != OK)
        return err;
    v.member = r->caller->member.id;
    err = access_link_token(r, &v.token);
    if (err != OK)
        return err;
    return text_same(part, "log") ? answer_log(r, &v) : render(r, &v);
}

static const struct hold hold = {.news = news_of_conferences, .wake = wake};

const struct service service = {
    .name = "conf_view",
    .about = "shows a conference's window",
    .methods = METHOD_GET,
    .mode = HOLD,
    .format = FORMAT_PAGE,
    .params = params,
    .answer = answer,
    .hold = &hold,
    .render = template_render,
};
