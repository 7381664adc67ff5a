/* invitation.c: see invitation.h. Positions are counted when somebody asks: storing them would rewrite the whole queue for every
 * customer who is served. */
#include "model/invitation.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/secret.h"
#include "model/event.h"
#include "model/site.h"

enum { PRIORITY_USUAL = 5, WAITING_MOST = 10000, PLACES_MOST = 1000000, PACE_MS = 1800000, PACE_LEAST = 2 };

enum err
invitation_find(struct center *c, int64_t id, struct invitation *out)
{
    enum err err = sql_invitation(c->db, c->mem, &(struct sql_invitation_in){.id = id}, out);
    return err == ERR_NOT_FOUND ? center_fault(c, err, "invitation", "There is no such invitation.") : err;
}

enum err
invitation_of_conference(struct center *c, int64_t conf, struct invitation *out)
{
    struct invitation_of_conference row;
    enum err err = sql_invitation_of_conference(c->db, c->mem, &(struct sql_invitation_of_conference_in){.conf = conf}, &row);
    return err == OK ? invitation_find(c, row.id, out) : err;
}

enum err
invitation_note(struct center *c, int64_t conf, const char *state, bool is_for_all)
{
    int64_t id;
    struct value *data = value_object(c->mem);
    value_add_text(data, "state", state);
    struct event_new event = {.conf = conf, .kind = "queue", .audience = is_for_all ? TO_ALL : TO_STAFF, .data = data};
    return event_add(c, &event, &id);
}

static const char *
wish_digest(struct center *c, const struct invitation_wish *w)
{
    const char *all = arena_printf(c->mem, "%lld\n%s\n%s\n%s\n%s\n%lld\n%s\n%s\n%s\n%s\n%s", (long long)w->conf, w->url,
        w->subject, w->topic, w->skill, (long long)w->priority, w->name, w->phone, w->email, w->language, w->page);
    return secret_hash(c->mem, all);
}

/* What follows the host of an address. */
static const char *
path_of(const char *url)
{
    const char *host = strstr(url, "://");
    return strchrnul(host ? host + strlen("://") : url, '/');
}

/* The host of the room's address may have got another name since; the form that asks again, half done, is to come through. */
static bool
is_same_wish(struct center *c, const struct invitation_wish *wish, const struct invitation_by_reqid *before)
{
    struct invitation_wish there = *wish;
    there.url = before->url;
    return text_same(path_of(wish->url), path_of(before->url)) && text_same(before->digest, wish_digest(c, &there));
}

enum err
invitation_before(struct center *c, const struct invitation_wish *wish, struct invitation *out)
{
    struct invitation_by_reqid row;
    struct sql_invitation_by_reqid_in in = {.account = wish->account, .reqid = wish->reqid};
    enum err err = wish->reqid ? sql_invitation_by_reqid(c->db, c->mem, &in, &row) : ERR_NOT_FOUND;
    if (err != OK)
        return err;
    if (!is_same_wish(c, wish, &row))
        return center_fault(c, ERR_CONFLICT, "reqid", "This reqid was used before with other values.");
    return invitation_find(c, row.id, out);
}

static enum err
invitation_make(struct center *c, const struct invitation_wish *w, struct invitation *out)
{
    struct topic_read topic = {.skill = "", .priority = PRIORITY_USUAL};
    int64_t id;
    enum err err = sql_topic_read(c->db, c->mem, &(struct sql_topic_read_in){.name = w->topic}, &topic);
    if (err == OK || err == ERR_NOT_FOUND)
        err = site_next_id(c, &id);
    if (err != OK)
        return err;
    struct sql_invitation_insert_in in = {.id = id,
        .conf = w->conf,
        .url = w->url,
        .account = w->account,
        .reqid = w->reqid,
        .digest = wish_digest(c, w),
        .subject = w->subject,
        .topic = w->topic,
        .skill = w->skill[0] ? w->skill : topic.skill,
        .priority = w->priority ? w->priority : topic.priority,
        .name = w->name,
        .phone = w->phone,
        .email = w->email,
        .language = w->language,
        .page = w->page,
        .at = c->now_ms,
        .waited_ms = w->waited_ms < WAITED_MOST_MS ? w->waited_ms : WAITED_MOST_MS};
    err = sql_invitation_insert(c->db, &in);
    if (err == OK)
        err = invitation_note(c, w->conf, "queued", true);
    return err == OK ? invitation_find(c, id, out) : err;
}

enum err
invitation_put(struct center *c, const struct invitation_wish *wish, struct invitation *out)
{
    enum err err = invitation_before(c, wish, out);
    return err == ERR_NOT_FOUND ? invitation_make(c, wish, out) : err;
}

/* ── where somebody stands ── */

/* The time between two acceptances of late, times the place: a measured pace rather than a promise. */
static enum err
wait_estimate(struct center *c, int64_t position, int64_t *out)
{
    struct invitation_pace pace;
    enum err err = sql_invitation_pace(c->db, c->mem, &(struct sql_invitation_pace_in){.since = c->now_ms - PACE_MS}, &pace);
    if (err != OK)
        return err;
    bool is_known = pace.accepted >= PACE_LEAST && pace.first_at <= c->now_ms;
    *out = is_known ? position * (c->now_ms - pace.first_at) / pace.accepted / 1000 : -1;
    return OK;
}

enum err
invitation_standing(struct center *c, const struct invitation *invitation, struct standing *out)
{
    struct invitation_ahead row;
    *out = (struct standing){.position = 0, .wait_s = -1};
    if (!text_same(invitation->state, "queued") && !text_same(invitation->state, "offered"))
        return OK;
    struct sql_invitation_ahead_in in = {.priority = invitation->priority,
        .queued_at = invitation->queued_at,
        .id = invitation->id};
    enum err err = sql_invitation_ahead(c->db, c->mem, &in, &row);
    if (err != OK)
        return err;
    out->position = row.ahead + 1;
    return wait_estimate(c, out->position, &out->wait_s);
}

enum err
invitation_standing_of_next(struct center *c, struct standing *out)
{
    struct invitation_count row;
    enum err err = sql_invitation_count(c->db, c->mem, &row);
    if (err != OK)
        return err;
    out->position = row.waiting + 1;
    return wait_estimate(c, out->position, &out->wait_s);
}

/* ── everybody's place, kept until it changes ── */

static struct {
    struct arena *mem;
    int64_t last_queue;          /* as of this event … */
    struct waiting_place *items; /* … by conference */
    size_t count;
    bool is_known;
} places;

static int
by_conference(const void *a, const void *b)
{
    const struct waiting_place *x = a, *y = b;
    return x->conf < y->conf ? -1 : x->conf > y->conf;
}

/* The rows are read into an arena of their own, which goes at once: what stays is 16 bytes for each who waits. */
static void
keep_places(const struct invitation_places *rows, size_t count, int64_t last_queue)
{
    if (places.mem)
        arena_free(places.mem);
    places.mem = arena_new();
    places.items = arena_array(places.mem, count, sizeof *places.items);
    for (size_t i = 0; i < count; i++)
        places.items[i] = (struct waiting_place){.conf = rows[i].conf, .place = (int32_t)i + 1};
    qsort(places.items, count, sizeof *places.items, by_conference);
    places.count = count;
    places.last_queue = last_queue;
    places.is_known = true;
}

static enum err
read_places(struct center *c, int64_t last_queue)
{
    struct invitation_places *rows;
    size_t count;
    struct arena *mem = arena_new();
    enum err err = sql_invitation_places(c->db, mem, &(struct sql_invitation_places_in){.most = PLACES_MOST}, &rows, &count);
    if (err == OK)
        keep_places(rows, count, last_queue);
    arena_free(mem);
    return err;
}

enum err
invitation_places(struct center *c, const struct waiting_place **out, size_t *count)
{
    int64_t last_queue;
    enum err err = site_last_queue(c, &last_queue);
    if (err == OK && (!places.is_known || places.last_queue != last_queue))
        err = read_places(c, last_queue);
    *out = places.items;
    *count = places.count;
    return err;
}

enum err
invitation_standing_of(struct center *c, int64_t conf, struct standing *out)
{
    const struct waiting_place *items, key = {.conf = conf};
    size_t count;
    *out = (struct standing){.position = 0, .wait_s = -1};
    enum err err = invitation_places(c, &items, &count);
    if (err != OK || count == 0)
        return err;
    const struct waiting_place *found = bsearch(&key, items, count, sizeof key, by_conference);
    if (!found)
        return OK;
    out->position = found->place;
    return wait_estimate(c, out->position, &out->wait_s);
}

enum err
invitation_contacts(struct center *c, const struct invitation *i, int64_t *out)
{
    struct invitation_contacts row;
    struct sql_invitation_contacts_in in = {.phone = i->phone, .id = i->id};
    enum err err = sql_invitation_contacts(c->db, c->mem, &in, &row);
    if (err == OK)
        *out = row.contacts;
    return err;
}

enum err
invitation_waiting(struct center *c, struct invitation_waiting **out, size_t *count)
{
    return sql_invitation_waiting(c->db, c->mem, &(struct sql_invitation_waiting_in){.most = WAITING_MOST}, out, count);
}

/* ── topics ── */

enum err
topic_set(struct center *c, const char *name, const char *skill, int64_t priority)
{
    enum err err = center_check_name(c, "name", "A topic", name);
    if (err == OK && *skill)
        err = center_check_name(c, "skill", "A skill", skill);
    return err != OK ? err : sql_topic_set(c->db, &(struct sql_topic_set_in){.name = name, .skill = skill, .priority = priority});
}

enum err
topic_list(struct center *c, struct topic_list **out, size_t *count)
{
    return sql_topic_list(c->db, c->mem, out, count);
}
