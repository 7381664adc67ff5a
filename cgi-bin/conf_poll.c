/* conf_poll: what happened in a conference after event N; waits for it. */
#include "io/service.h"

#include <string.h>

#include "base/text.h"
#include "io/settings.h"
#include "model/conference.h"
#include "model/event.h"
#include "model/session.h"
#include "model/site.h"
#include "page/access.h"
#include "page/news.h"
#include "page/show.h"
#include "page/template.h"

enum { CONF, AFTER, WAIT };

static const struct param params[] = {
    [CONF] = {"conf", PARAM_LINE, true, 0, 80, "the conference's id"},
    [AFTER] = {"after", PARAM_INT, false, 0, 9007199254740991, "the last event's id that was seen; default 0"},
    [WAIT] = {"wait", PARAM_INT, false, 0, 25, "seconds to wait for news; default 25"},
    {"token", PARAM_LINE, false, 0, 80, "the member's, unless a header or cookie carries it"},
    {.name = NULL},
};

/* Of a parked request; above them the lower bits of the session by which an agent came. */
enum { FLAG_COOKIE = 1, FLAG_STAFF = 2, FLAG_SESSION = 4, FLAGS = 3, SERIAL_BITS = 0x1fffffff };

/* What an answer needs; the same for a request just come and for one that was parked. */
struct poll {
    int64_t conf;
    int64_t member;
    int64_t after;
    bool is_staff;
    bool by_cookie;
    bool has_left;      /* for him it is over */
    int64_t left_event; /* what he may see of those who went on */
};

static enum err
add_csrf(struct request *r, const struct poll *p)
{
    const char *csrf = "";
    enum err err = p->by_cookie ? site_csrf(r->c, p->member, &csrf) : OK;
    if (err == OK)
        value_add_text(r->out, "csrf", csrf);
    return err;
}

/* Fills r->out and moves p->after on; since_typing_ms below 0: typing does not count; *has_news tells whether there is a reason
 * to answer now. */
static enum err
fill(struct request *r, struct poll *p, int64_t since_typing_ms, bool *has_news)
{
    struct conference_state conf;
    bool is_more = false;
    struct reader reader = {.member = p->member, .is_staff = p->is_staff, .until = p->left_event};
    struct value *events = value_list(r->c->mem);
    enum err err = conference_state(r->c, p->conf, &conf); /* before its events: whoever is told of the end has been told all */
    if (err == OK)
        err = event_read(r->c, p->conf, &reader, &p->after, events, &is_more);
    if (err == OK && since_typing_ms >= 0 && !events->first) /* who wrote beside what was said was told when he began */
        err = event_read_typing(r->c, p->conf, p->member, since_typing_ms, p->after, events);
    if (err != OK)
        return err;
    *has_news = events->first || conf.ended_at || p->has_left;
    value_add_int(r->out, "after", p->after);
    value_add_flag(r->out, "more", is_more);
    value_add_text(r->out, "state", p->has_left ? "ended" : conf.state);
    value_add(r->out, "events", events);
    return OK;
}

static enum err
finish(struct request *r, const struct poll *p)
{
    enum err err = add_csrf(r, p);
    if (err == OK && p->has_left) /* the others may wait again: that is not his place */
        value_add_null(r->out, "queue");
    else if (err == OK)
        err = show_queue(r, r->out, p->conf);
    return err;
}

static uint32_t
flags_of(struct request *r, const struct poll *p)
{
    uint32_t flags = (p->by_cookie ? FLAG_COOKIE : 0) | (p->is_staff ? FLAG_STAFF : 0);
    if (!r->caller->agent.id)
        return flags;
    return flags | FLAG_SESSION | (uint32_t)(session_serial(r->c, r->caller->token) & SERIAL_BITS) << FLAGS;
}

/* An agent who came by his session hears nothing more when that has ended; nor by a token, when he was disabled. */
static enum err
check_staff(struct request *r, const struct wait *wait, const struct member *member)
{
    if (!(wait->flags & (FLAG_SESSION | FLAG_STAFF)))
        return OK;
    if (!(wait->flags & FLAG_SESSION))
        return session_check_member(r->c, member->agent, wait->flags & FLAG_COOKIE);
    return session_check(r->c, member->agent, wait->flags >> FLAGS, SERIAL_BITS);
}

static enum err
park(struct request *r, const struct poll *p)
{
    int64_t wait_s = r->args[WAIT].text ? r->args[WAIT].number : 25;
    int32_t place = 0;
    if (wait_s > r->c->settings->hold_s)
        wait_s = r->c->settings->hold_s;
    enum err err = news_place(r->c, p->conf, &place);
    if (err != OK || wait_s == 0)
        return err == OK ? finish(r, p) : err;
    struct wait wait = {.key = p->conf,
        .member = p->member,
        .after = p->after,
        .place = place,
        .deadline_ms = r->c->boot_ms + wait_s * 1000,
        .flags = flags_of(r, p)};
    return request_hold(r, &wait);
}

static enum err
answer(struct request *r)
{
    bool has_news;
    const struct caller *caller = r->caller;
    struct poll p = {.conf = caller->member.conf,
        .member = caller->member.id,
        .after = r->args[AFTER].number,
        .is_staff = member_is_staff(&caller->member),
        .by_cookie = caller->by_cookie,
        .has_left = caller->member.left_at != 0,
        .left_event = caller->member.left_event};
    enum err err = fill(r, &p, -1, &has_news);
    if (err != OK)
        return err;
    return has_news ? finish(r, &p) : park(r, &p);
}

static enum err
wake(struct request *r, struct wait *wait, bool is_late)
{
    bool has_news;
    struct member member;
    enum err err = member_find(r->c, wait->member, &member);
    if (err == OK)
        err = check_staff(r, wait, &member);
    if (err != OK)
        return err;
    struct poll p = {.conf = wait->key,
        .member = wait->member,
        .after = wait->after,
        .is_staff = wait->flags & FLAG_STAFF,
        .by_cookie = wait->flags & FLAG_COOKIE,
        .has_left = member.left_at && !member.lost, /* who is lost comes back with his next request, if he may */
        .left_event = member.left_event};
    err = fill(r, &p, wait->parked_ms, &has_news);
    if (err != OK)
        return err;
    if (!has_news && !is_late) {
        err = news_has_moved(r->c, wait, &has_news);
        wait->after = p.after; /* what is for others is not looked through at each of his news */
        if (err != OK || !has_news)
            return err;
    }
    if (!has_news && request_pause_s(r) > 0)
        value_add_int(r->out, "pause_s", request_pause_s(r));
    r->is_held = false;
    return finish(r, &p);
}

static const struct hold hold = {.news = news_of_conferences, .wake = wake, .places = news_places};

const struct service service = {
    .name = "conf_poll",
    .about = "tells what happened in a conference, and waits for it",
    .methods = METHOD_GET,
    .mode = HOLD,
    .format = FORMAT_JSON,
    .params = params,
    .access = access_room,
    .answer = answer,
    .hold = &hold,
    .render = template_render,
};
