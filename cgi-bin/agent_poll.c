/* agent_poll: all that an agent's page needs to know: his state, his offers, his conferences and what happens in them. One held
 * request for all of it; its arrival is his heartbeat. */
#include "io/service.h"

#include "base/text.h"
#include "io/settings.h"
#include "model/event.h"
#include "model/routing.h"
#include "model/session.h"
#include "model/site.h"
#include "model/talk.h"
#include "page/access.h"
#include "page/desk.h"
#include "page/news.h"
#include "page/template.h"

enum { AFTER, WAIT };

static const struct param params[] = {
    [AFTER] = {"after", PARAM_INT, false, 0, 9007199254740991,
        "the last event's id that was seen; 0 (default): everything, at once"},
    [WAIT] = {"wait", PARAM_INT, false, 0, 25, "seconds to wait for news; default 25"},
    {.name = NULL},
};

/* Typing of the conferences that he is in, for those who wait for it. */
static enum err
add_typing(struct request *r, int64_t agent, int64_t since_ms, int64_t after, struct value *events)
{
    struct member_conferences *rows;
    size_t count;
    enum err err = member_conferences(r->c, agent, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        err = event_read_typing(r->c, rows[i].conf, rows[i].id, since_ms, after, events);
    return err;
}

/* since_typing_ms below 0: typing does not count. */
static enum err
fill(struct request *r, int64_t agent, int64_t after, int64_t since_typing_ms, bool *has_news)
{
    bool is_more;
    int64_t cursor = after;
    struct value *events = value_list(r->c->mem);
    enum err err = event_is_for_agent(r->c, agent, after, has_news);
    if (err == OK)
        err = event_read_agent(r->c, agent, &cursor, events, &is_more);
    if (err == OK && since_typing_ms >= 0)
        err = add_typing(r, agent, since_typing_ms, cursor, events);
    if (err != OK)
        return err;
    *has_news |= events->first != NULL || after == 0;
    value_add_int(r->out, "after", cursor);
    value_add_flag(r->out, "more", is_more);
    value_add(r->out, "events", events);
    return OK;
}

static enum err
finish(struct request *r, int64_t id, int64_t session)
{
    struct agent agent;
    const char *csrf;
    enum err err = site_csrf(r->c, session, &csrf);
    if (err == OK)
        err = agent_find(r->c, id, &agent);
    if (err == OK)
        value_add_text(r->out, "csrf", csrf);
    value_add_int(r->out, "file_max_bytes", r->c->settings->file_max_bytes);
    if (err == OK)
        desk_agent(&agent, value_add_object(r->out, "agent"));
    if (err == OK)
        err = desk_offers(r, id, value_add_list(r->out, "offers"));
    return err == OK ? desk_conferences(r, id, value_add_list(r->out, "conferences")) : err;
}

static enum err
park(struct request *r)
{
    int64_t wait_s = r->args[WAIT].text ? r->args[WAIT].number : 25;
    if (wait_s > r->c->settings->hold_s)
        wait_s = r->c->settings->hold_s;
    struct wait wait = {.key = r->caller->agent.id,
        .member = r->caller->serial,
        .after = r->args[AFTER].number,
        .deadline_ms = r->c->boot_ms + wait_s * 1000};
    return request_hold(r, &wait);
}

/* Where nothing can be written he reads all the same. Not where he was lost and is not back yet: his cursor would pass over what
 * was said there. */
static bool
may_read(struct request *r, enum err seen)
{
    size_t count = 0;
    struct member_lost *rows;
    return seen == ERR_UNAVAILABLE && member_lost(r->c, r->caller->agent.id, &rows, &count) == OK && count == 0;
}

static enum err
answer(struct request *r)
{
    bool has_news;
    enum err err = talk_agent_seen(r->c, &r->caller->agent);
    bool is_noted = err == OK;
    if (is_noted || may_read(r, err))
        err = fill(r, r->caller->agent.id, r->args[AFTER].number, -1, &has_news);
    if (err != OK)
        return err;
    if (!has_news && is_noted && !(r->args[WAIT].text && r->args[WAIT].number == 0))
        return park(r);
    if (!is_noted)
        value_add_int(r->out, "pause_s", 1);
    return finish(r, r->caller->agent.id, r->caller->serial);
}

static enum err
wake(struct request *r, struct wait *wait, bool is_late)
{
    bool has_news;
    enum err err = session_check(r->c, wait->key, wait->member, -1);
    if (err == OK)
        err = fill(r, wait->key, wait->after, wait->parked_ms, &has_news);
    if (err != OK || (!has_news && !is_late))
        return err;
    if (!has_news && request_pause_s(r) > 0)
        value_add_int(r->out, "pause_s", request_pause_s(r));
    r->is_held = false;
    return finish(r, wait->key, wait->member);
}

static const struct hold hold = {.news = news_of_agents, .wake = wake, .tick = routing_tick};

const struct service service = {
    .name = "agent_poll",
    .about = "tells an agent's page what concerns him, and waits for it",
    .methods = METHOD_GET,
    .mode = HOLD,
    .format = FORMAT_JSON,
    .params = params,
    .access = access_staff,
    .answer = answer,
    .hold = &hold,
    .render = template_render,
};
