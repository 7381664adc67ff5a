/* desk.c: see desk.h. */
#include "page/desk.h"

#include "base/text.h"
#include "model/conference.h"
#include "model/event.h"
#include "model/invitation.h"
#include "model/member.h"
#include "model/routing.h"
#include "model/site.h"

static void
text_or_null(struct value *out, const char *name, const char *text)
{
    value_add_text(out, name, text[0] ? text : NULL);
}

void
desk_agent(const struct agent *agent, struct value *out)
{
    value_add_text(out, "login", agent->login);
    value_add_text(out, "name", agent->name);
    value_add_text(out, "role", agent->role);
    value_add_text(out, "state", agent->state);
    text_or_null(out, "next", agent->next);
    text_or_null(out, "reason", agent->reason);
    value_add_int(out, "capacity", agent->capacity);
    value_add_int(out, "busy", agent->busy);
    text_or_null(out, "phone", agent->phone);
}

static void
add_customer(const struct invitation *i, struct value *out)
{
    struct value *v = value_add_object(out, "customer");
    value_add_text(v, "name", i->name);
    text_or_null(v, "phone", i->phone);
    text_or_null(v, "email", i->email);
    text_or_null(v, "language", i->language);
    text_or_null(v, "page", i->page);
}

static void
add_case(struct request *r, const struct invitation *i, struct value *out)
{
    int64_t waited_ms = (i->accepted_at ? i->accepted_at : r->c->now_ms) - i->queued_at;
    value_add_text(out, "conference", conference_name(r->c, i->conf));
    add_customer(i, out);
    value_add_text(out, "subject", i->subject);
    value_add_text(out, "topic", i->topic);
    value_add_text(out, "skill", i->skill);
    value_add_int(out, "waited_s", waited_ms > 0 ? waited_ms / 1000 : 0); /* the clock may have been set back */
    value_add_object(out, "gathered");
}

/* ── offers ── */

static enum err
add_history(struct request *r, const struct invitation *i, struct value *out)
{
    int64_t after;
    struct value *history;
    struct reader reader = {.is_staff = true};
    enum err err = event_read_last(r->c, i->conf, &reader, EVENTS_MOST, &after, &history);
    if (err == OK)
        value_add(out, "history", history);
    return err;
}

static enum err
add_contacts(struct request *r, const struct invitation *i, struct value *out)
{
    int64_t contacts;
    enum err err = invitation_contacts(r->c, i, &contacts);
    if (err == OK)
        value_add_int(out, "contacts", contacts);
    return err;
}

enum err
desk_offers(struct request *r, int64_t agent, struct value *list)
{
    struct reservation_of_agent held;
    struct invitation i;
    enum err err = routing_offer_of(r->c, agent, &held);
    if (err == ERR_NOT_FOUND)
        return OK;
    if (err == OK)
        err = invitation_find(r->c, held.invitation, &i);
    if (err != OK)
        return err;
    struct value *offer = value_add_object(list, NULL);
    int64_t left_ms = routing_left_ms(r->c, held.boot, held.boot_ms);
    value_add_int(offer, "reservation", held.id);
    add_case(r, &i, offer);
    value_add_text(offer, "join_url", request_outward(r, i.url));
    value_add_int(offer, "expires_at", held.expires_at);
    value_add_int(offer, "expires_s", (left_ms + 999) / 1000);
    err = add_history(r, &i, offer);
    return err == OK ? add_contacts(r, &i, offer) : err;
}

/* ── conferences ── */

/* A conference without an invitation was joined by its code: there is no customer's form to show. */
static enum err
find_case(struct request *r, int64_t conf, struct invitation *i)
{
    enum err err = invitation_of_conference(r->c, conf, i);
    if (err == ERR_NOT_FOUND) {
        *i = (struct invitation){.conf = conf,
            .subject = "",
            .topic = "",
            .skill = "",
            .name = "",
            .phone = "",
            .email = "",
            .language = "",
            .page = "",
            .queued_at = r->c->now_ms};
        return OK;
    }
    return err;
}

static enum err
add_conference(struct request *r, const struct member_conferences *row, struct value *list)
{
    struct conference conf;
    struct invitation i;
    const char *token;
    enum err err = conference_get(r->c, row->conf, &conf);
    if (err == OK)
        err = find_case(r, row->conf, &i);
    if (err == OK)
        err = site_token(r->c, row->conf, row->id, &token);
    if (err != OK)
        return err;
    struct value *out = value_add_object(list, NULL);
    add_case(r, &i, out);
    value_add_int(out, "member", row->id);
    value_add_text(out, "token", token);
    value_add_text(out, "role", row->role);
    value_add_text(out, "state", conf.state);
    value_add_int(out, "joined_at", row->joined_at);
    return OK;
}

enum err
desk_conferences(struct request *r, int64_t agent, struct value *list)
{
    struct member_conferences *rows;
    size_t count;
    enum err err = member_conferences(r->c, agent, &rows, &count);
    for (size_t n = 0; err == OK && n < count; n++)
        err = add_conference(r, &rows[n], list);
    return err;
}
