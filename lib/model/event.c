/* event.c: see event.h. The fields that only some kinds have are kept as a JSON object in one column: they are written once and
 * read whole, nothing ever searches them; a column for each was rejected because every new kind would change the table. */
#include "model/event.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "model/conference.h"
#include "model/site.h"

enum { DATA_MAX_BYTES = 262144, JUST_LEFT_MS = 60000, COMMIT_LATE_MS = 3000 };

/* Rows that are read at once: nearly all polls find fewer, and so many of the longest are not too much memory. */
enum { AT_ONCE = 50, EVENT_BYTES = 400 };

static const char *const audiences[] = {[TO_ALL] = "all", [TO_STAFF] = "staff", [TO_MEMBER] = "member", [TO_AGENT] = "agent"};

static const char *
data_text(struct center *c, const struct value *data)
{
    if (!data)
        return "";
    struct buf out = buf_new(c->mem, DATA_MAX_BYTES);
    value_json(data, &out);
    assert(!out.full);
    return buf_str(&out);
}

enum err
event_before(struct center *c, int64_t member, const char *nonce, int64_t *id)
{
    struct event_by_nonce first;
    struct sql_event_by_nonce_in in = {.member = member, .nonce = nonce};
    enum err err = sql_event_by_nonce(c->db, c->mem, &in, &first);
    if (err != OK)
        return err;
    *id = first.id;
    return OK;
}

enum err
event_add(struct center *c, const struct event_new *event, int64_t *id)
{
    struct site_next_event next;
    enum err err = event->nonce ? event_before(c, event->member, event->nonce, id) : ERR_NOT_FOUND;
    if (err != ERR_NOT_FOUND)
        return err;
    err =
        sql_site_next_event(c->db, c->mem, &(struct sql_site_next_event_in){.is_queue = text_same(event->kind, "queue")}, &next);
    if (err != OK)
        return err;
    struct sql_event_insert_in in = {.id = next.id,
        .conf = event->conf,
        .at = c->now_ms,
        .member = event->member,
        .kind = event->kind,
        .audience = audiences[event->audience],
        .to_id = event->to_id,
        .text = event->text ? event->text : "",
        .data = data_text(c, event->data),
        .nonce = event->nonce};
    err = sql_event_insert(c->db, &in);
    if (err != OK)
        return err;
    db_ring_after_commit(c->db);
    *id = next.id;
    return OK;
}

enum err
event_note(struct center *c, int64_t conf, int64_t member, const char *kind, const char *state)
{
    int64_t id;
    struct value *data = NULL;
    if (state) {
        data = value_object(c->mem);
        value_add_text(data, "state", state);
    }
    struct event_new event = {.conf = conf, .member = member, .kind = kind, .audience = TO_ALL, .data = data};
    return event_add(c, &event, &id);
}

enum err
event_last_of(struct center *c, int64_t conf, int64_t member, const char *kind, int64_t *id)
{
    struct event_last_of row;
    struct sql_event_last_of_in in = {.conf = conf, .member = member, .kind = kind};
    enum err err = sql_event_last_of(c->db, c->mem, &in, &row);
    if (err == OK)
        *id = row.id;
    return err;
}

/* ── reading ── */

static void
add_sender(struct value *event, int64_t member, const char *role, const char *name)
{
    struct value *from = value_add_object(event, "from");
    value_add_int(from, "member", member);
    value_add_text(from, "role", role ? role : "system");
    value_add_text(from, "name", name ? name : "");
}

static void
add_data(struct center *c, struct value *event, const char *data)
{
    struct value *fields, *next;
    if (data[0] == '\0' || value_parse(c->mem, data, strlen(data), &fields) != OK)
        return;
    for (struct value *field = fields->first; field; field = next) {
        next = field->next;
        field->next = NULL; /* it leaves the tree that it was read into */
        value_add(event, field->name, field);
    }
}

static bool
has_text(const char *kind)
{
    return text_same(kind, "message") || text_same(kind, "note") || text_same(kind, "rating");
}

/* Both statements give the same columns, so one shape serves them. */
static void
add_event(struct center *c, struct value *list, const struct event_since_agent *row, bool with_conference)
{
    struct value *event = value_add_object(list, NULL);
    value_add_int(event, "id", row->id);
    if (with_conference)
        value_add_text(event, "conference", conference_name(c, row->conf));
    value_add_int(event, "at", row->at);
    add_sender(event, row->member, row->role, row->name);
    value_add_text(event, "kind", row->kind);
    if (has_text(row->kind))
        value_add_text(event, "text", row->text);
    add_data(c, event, row->data);
    /* only its sender gets it back: so he knows his own, whichever comes first, the event or his answer; '\n' begins ours */
    if (row->nonce && row->nonce[0] != '\n')
        value_add_text(event, "nonce", row->nonce);
}

static enum err
begin_read(struct center *c, int64_t *after, int64_t *upto)
{
    enum err err = site_last_event(c, upto);
    if (err == OK && *after > *upto)
        *after = *upto;
    return err;
}

/* Whose events are read: of one conference, or (agent > 0) of all of an agent's. */
struct source {
    int64_t conf;
    const struct reader *reader;
    int64_t agent;
    int64_t left_after;
};

static enum err
rows_of_conference(struct center *c, const struct source *of, int64_t after, int64_t upto, int64_t most,
    struct event_since_agent **out, size_t *count)
{
    struct event_since *rows;
    struct sql_event_since_in in = {.conf = of->conf,
        .after = after,
        .upto = upto,
        .member = of->reader->member,
        .is_staff = of->reader->is_staff,
        .most = most};
    enum err err = sql_event_since(c->db, c->mem, &in, &rows, count);
    if (err != OK)
        return err;
    *out = arena_array(c->mem, *count, sizeof **out);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct event_since_agent){.id = rows[i].id,
            .conf = rows[i].conf,
            .at = rows[i].at,
            .member = rows[i].member,
            .kind = rows[i].kind,
            .text = rows[i].text,
            .data = rows[i].data,
            .role = rows[i].role,
            .name = rows[i].name,
            .nonce = rows[i].nonce};
    return OK;
}

static enum err
next_rows(struct center *c, const struct source *of, int64_t after, int64_t upto, int64_t most, struct event_since_agent **out,
    size_t *count)
{
    struct sql_event_since_agent_in in = {.agent = of->agent,
        .after = after,
        .left_after = of->left_after,
        .upto = upto,
        .most = most};
    return of->agent ? sql_event_since_agent(c->db, c->mem, &in, out, count)
                     : rows_of_conference(c, of, after, upto, most, out, count);
}

/* What an event adds to a page or an answer, before anything is escaped. */
static size_t
bytes_of(const struct event_since_agent *row)
{
    return EVENT_BYTES + strlen(row->text) + strlen(row->data) + (row->name ? 2 * strlen(row->name) : 0);
}

/* *bytes grows by what is read. */
static enum err
read_page(struct center *c, const struct source *of, int64_t *after, struct value *list, size_t *bytes, bool *is_more)
{
    struct event_since_agent *rows;
    size_t count = AT_ONCE, events = 0, begin = *bytes;
    int64_t upto;
    enum err err = begin_read(c, after, &upto);
    *is_more = false;
    while (err == OK && count == AT_ONCE && !*is_more) {
        err = next_rows(c, of, *after, upto, AT_ONCE, &rows, &count);
        for (size_t i = 0; err == OK && i < count; i++) {
            *is_more = events == EVENTS_MOST || *bytes - begin >= EVENTS_MOST_BYTES;
            if (*is_more)
                break;
            add_event(c, list, &rows[i], of->agent != 0);
            *bytes += bytes_of(&rows[i]);
            *after = rows[i].id;
            events++;
        }
    }
    if (err == OK && !*is_more)
        *after = upto;
    return err;
}

enum err
event_read(struct center *c, int64_t conf, const struct reader *reader, int64_t *after, struct value *list, bool *is_more)
{
    size_t bytes = 0;
    return read_page(c, &(struct source){.conf = conf, .reader = reader}, after, list, &bytes, is_more);
}

enum err
event_read_part(struct center *c, int64_t conf, const struct reader *reader, int64_t *after, struct value *list, bool *is_more)
{
    size_t bytes = 0;
    enum err err = OK;
    const struct source of = {.conf = conf, .reader = reader};
    for (*is_more = true; err == OK && *is_more && bytes < EVENTS_PART_BYTES;)
        err = read_page(c, &of, after, list, &bytes, is_more);
    return err;
}

/* The cursor behind which the last `most` events that he may see stand; 0 when there are no more than that. */
static enum err
tail(struct center *c, int64_t conf, const struct reader *reader, int64_t most, int64_t *after)
{
    struct event_tail row = {.id = 0};
    struct sql_event_tail_in in = {.conf = conf, .member = reader->member, .is_staff = reader->is_staff, .most = most};
    enum err err = sql_event_tail(c->db, c->mem, &in, &row);
    *after = row.id;
    return err == ERR_NOT_FOUND ? OK : err;
}

/* How long they are shows only when they are read; nearly always all of them are short enough. */
enum err
event_read_last(struct center *c, int64_t conf, const struct reader *reader, int64_t most, int64_t *after, struct value **list)
{
    bool is_more = true;
    enum err err = OK;
    for (; err == OK && is_more; most = most > 4 ? most / 4 : 1) {
        *list = value_list(c->mem);
        err = tail(c, conf, reader, most, after);
        if (err == OK)
            err = event_read_part(c, conf, reader, after, *list, &is_more);
    }
    return err;
}

/* The conferences that an agent left since then have something to tell him that he has not heard: what happened at his leaving.
 * Before his cursor's event he left none of these (but what is committed has its time a little earlier); who ends one every few
 * seconds would have a hundred looked through each time. */
static enum err
just_left(struct center *c, int64_t after, int64_t *left_after)
{
    struct event_at cursor;
    *left_after = after > 0 ? c->now_ms - JUST_LEFT_MS : INT64_MAX;
    enum err err = after > 0 ? sql_event_at(c->db, c->mem, &(struct sql_event_at_in){.id = after}, &cursor) : ERR_NOT_FOUND;
    bool is_past = err == OK && cursor.at <= c->now_ms; /* else the clock was set back since then */
    if (is_past && cursor.at - COMMIT_LATE_MS > *left_after)
        *left_after = cursor.at - COMMIT_LATE_MS;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
event_read_agent(struct center *c, int64_t agent, int64_t *after, struct value *list, bool *is_more)
{
    size_t bytes = 0;
    struct source of = {.agent = agent};
    enum err err = just_left(c, *after, &of.left_after);
    return err == OK ? read_page(c, &of, after, list, &bytes, is_more) : err;
}

enum err
event_is_for_agent(struct center *c, int64_t agent, int64_t after, bool *out)
{
    struct event_for_agent row;
    enum err err = sql_event_for_agent(c->db, c->mem, &(struct sql_event_for_agent_in){.agent = agent, .after = after}, &row);
    *out = err == OK;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
event_news(struct center *c, int64_t after, int64_t most, struct event_news **out, size_t *count)
{
    return sql_event_news(c->db, c->mem, &(struct sql_event_news_in){.after = after, .most = most}, out, count);
}

/* ── writing, as it happens ── */

enum err
event_typing_news(struct center *c, int64_t after, struct typing_news **out, size_t *count)
{
    return sql_typing_news(c->db, c->mem, &(struct sql_typing_news_in){.after = after}, out, count);
}

enum err
event_typing_last(struct center *c, int64_t *out)
{
    struct typing_last row;
    enum err err = sql_typing_last(c->db, c->mem, &row);
    if (err == OK)
        *out = row.serial;
    return err;
}

enum err
event_typing(struct center *c, int64_t conf, int64_t member)
{
    struct sql_typing_note_in in = {.conf = conf, .member = member, .boot_ms = c->boot_ms};
    enum err err = sql_typing_note(c->db, &in);
    if (err == OK)
        db_ring_after_commit(c->db);
    return err;
}

enum err
event_read_typing(struct center *c, int64_t conf, int64_t member, int64_t since_ms, int64_t after, struct value *list)
{
    struct typing_of *rows;
    size_t count;
    struct sql_typing_of_in in = {.conf = conf, .since_ms = since_ms, .now_ms = c->boot_ms};
    enum err err = sql_typing_of(c->db, c->mem, &in, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++) {
        struct member who;
        if (rows[i].member == member)
            continue;
        err = sql_member(c->db, c->mem, &(struct sql_member_in){.id = rows[i].member}, &who);
        if (err != OK)
            return err;
        struct value *event = value_add_object(list, NULL);
        value_add_int(event, "id", after);
        value_add_text(event, "conference", conference_name(c, conf));
        value_add_int(event, "at", c->now_ms);
        add_sender(event, who.id, who.role, who.name);
        value_add_text(event, "kind", "typing");
    }
    return err;
}
