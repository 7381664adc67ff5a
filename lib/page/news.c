/* news.c: see news.h. One read of the events after the cursor, whoever waits; then only those are looked at whom they concern. */
#include "page/news.h"

#include "base/text.h"
#include "model/event.h"
#include "model/invitation.h"
#include "model/member.h"
#include "model/routing.h"
#include "model/site.h"

enum { NEWS_MOST = 1000 };

/* The first look of a process: what was before it is no news. */
static enum err
begin(struct center *c, struct news *news)
{
    enum err err = site_last_event(c, &news->cursor);
    if (err == OK)
        err = event_typing_last(c, &news->cursor2);
    news->is_begun = err == OK; /* a cursor of 0 does not tell: a new database has no event yet */
    return err;
}

static enum err
add_agents(struct center *c, struct news *news, int64_t conf)
{
    struct member_agents *rows;
    size_t count;
    enum err err = member_agents(c, conf, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        news_add(c, news, rows[i].agent);
    return err;
}

/* While it rings, the agent reads what the customer writes. */
static enum err
add_offered(struct center *c, struct news *news, int64_t conf)
{
    int64_t agent;
    enum err err = routing_offered_to(c, conf, &agent);
    if (err == OK && agent)
        news_add(c, news, agent);
    return err;
}

/* An ended conference has no agents any more: his polls learn it from the agent's own event. */
static enum err
add_event(struct center *c, struct news *news, const struct event_news *event, bool for_agents)
{
    news->places_changed |= text_same(event->kind, "queue");
    if (!for_agents) {
        if (event->conf)
            news_add(c, news, event->conf);
        return OK;
    }
    if (text_same(event->audience, "agent")) {
        news_add(c, news, event->to_id);
        return OK;
    }
    if (event->conf == 0)
        return OK;
    enum err err = add_agents(c, news, event->conf);
    return err == OK ? add_offered(c, news, event->conf) : err;
}

static enum err
add_events(struct center *c, struct news *news, bool for_agents)
{
    struct event_news *rows;
    size_t count = NEWS_MOST;
    enum err err = OK;
    while (err == OK && count == NEWS_MOST) {
        err = event_news(c, news->cursor, NEWS_MOST, &rows, &count);
        for (size_t i = 0; err == OK && i < count; i++) {
            err = add_event(c, news, &rows[i], for_agents);
            news->cursor = rows[i].id;
        }
    }
    return err;
}

static enum err
add_typing(struct center *c, struct news *news, bool for_agents)
{
    struct typing_news *rows;
    size_t count;
    enum err err = event_typing_news(c, news->cursor2, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++) {
        news->cursor2 = rows[i].serial;
        if (for_agents)
            err = add_agents(c, news, rows[i].conf);
        else
            news_add(c, news, rows[i].conf);
    }
    return err;
}

static enum err
look(struct center *c, struct news *news, bool for_agents)
{
    if (!news->is_begun)
        return begin(c, news);
    enum err err = add_events(c, news, for_agents);
    return err == OK ? add_typing(c, news, for_agents) : err;
}

enum err
news_of_conferences(struct center *c, struct news *news)
{
    return look(c, news, false);
}

enum err
news_of_agents(struct center *c, struct news *news)
{
    return look(c, news, true);
}

/* ── places in the queue ── */

enum err
news_places(struct center *c, struct places *out)
{
    const struct waiting_place *items;
    enum err err = invitation_places(c, &items, &out->count);
    if (err != OK)
        return err;
    out->items = arena_array(c->mem, out->count, sizeof *out->items);
    for (size_t i = 0; i < out->count; i++)
        out->items[i] = (struct place){.key = items[i].conf, .place = items[i].place};
    return OK;
}

enum err
news_place(struct center *c, int64_t conf, int32_t *out)
{
    struct standing s;
    enum err err = invitation_standing_of(c, conf, &s);
    if (err == OK)
        *out = (int32_t)s.position;
    return err;
}

enum err
news_has_moved(struct center *c, const struct wait *wait, bool *out)
{
    int32_t place = 0;
    enum err err = OK;
    *out = false;
    if (wait->place > 0 && c->boot_ms - wait->parked_ms >= NEWS_PLACE_MS)
        err = news_place(c, wait->key, &place);
    *out = err == OK && place > 0 && place < wait->place;
    return err;
}
