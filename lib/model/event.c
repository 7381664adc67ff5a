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
    struct sql_event_last_of_in in = {.conf = conf, .member = member, .kind = kind, .most = EVENT_LOOK_BACK};
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

/* conf: to be named; 0: not. */
static void
add_event(struct center *c, struct value *list, const struct event_since *row, int64_t conf)
{
    struct value *event = value_add_object(list, NULL);
    value_add_int(event, "id", row->id);
    if (conf)
        value_add_text(event, "conference", conference_name(c, conf));
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

/* A conference that is read, as the member `member`. */
struct room {
    int64_t conf;
    int64_t member;
    int64_t until; /* the last that he may see; 0: all */
    int64_t next;  /* the first event there that is not read yet; of the one that is being read: not before this one */
};

struct source {
    struct room *rooms;
    size_t count;
    bool is_staff;
    bool is_agents; /* each event names its conference */
};

/* What has been read. */
struct page {
    struct value *list;
    int64_t after;
    int64_t upto;
    size_t events;
    size_t bytes;
    bool is_more;
};

/* The last that may be read of a room, of what is read up to there. */
static int64_t
end_of(int64_t until, int64_t upto)
{
    return until && until < upto ? until : upto;
}

static enum err
begin_read(struct center *c, int64_t after, int64_t until, struct page *page)
{
    enum err err = site_last_event(c, &page->upto);
    page->upto = end_of(until, page->upto);
    page->after = err == OK && after > page->upto ? page->upto : after;
    return err;
}

static enum err
find_next(struct center *c, struct room *room, int64_t after, int64_t upto)
{
    struct event_next row;
    struct sql_event_next_in in = {.conf = room->conf, .after = after, .upto = upto, .member = room->member};
    enum err err = sql_event_next(c->db, c->mem, &in, &row);
    if (err == OK)
        room->next = room->until && row.id > room->until ? INT64_MAX : row.id;
    return err;
}

/* Where the next event is; up to *until there is none in another room. NULL: it is all read. */
static struct room *
first_room(const struct source *of, int64_t upto, int64_t *until)
{
    struct room *first = NULL;
    *until = upto;
    for (struct room *room = of->rooms; room < of->rooms + of->count; room++) {
        bool is_first = room->next <= upto && (!first || room->next < first->next);
        if (!is_first && room->next < *until)
            *until = room->next;
        else if (is_first && first)
            *until = first->next;
        first = is_first ? room : first;
    }
    return first;
}

/* What an event adds to a page or an answer, before anything is escaped. */
static size_t
bytes_of(const struct event_since *row)
{
    return EVENT_BYTES + strlen(row->text) + strlen(row->data) + (row->name ? 2 * strlen(row->name) : 0);
}

static void
add_row(struct center *c, const struct source *of, const struct room *room, const struct event_since *row, struct page *page)
{
    page->is_more = page->events == EVENTS_MOST || page->bytes >= EVENTS_MOST_BYTES;
    if (page->is_more)
        return;
    add_event(c, page->list, row, of->is_agents ? room->conf : 0);
    page->bytes += bytes_of(row);
    page->after = row->id;
    page->events++;
}

/* What one room has to give before another has; AT_ONCE rows at most. */
static enum err
read_run(struct center *c, const struct source *of, struct room *room, int64_t until, struct page *page)
{
    struct event_since *rows;
    size_t count;
    struct sql_event_since_in in = {.conf = room->conf,
        .after = room->next - 1,
        .upto = end_of(room->until, until),
        .member = room->member,
        .is_staff = of->is_staff,
        .most = AT_ONCE};
    enum err err = sql_event_since(c->db, c->mem, &in, &rows, &count);
    for (size_t i = 0; err == OK && i < count && !page->is_more; i++)
        add_row(c, of, room, &rows[i], page);
    if (err != OK || count == AT_ONCE || until == page->upto) {
        room->next = count == AT_ONCE ? page->after + 1 : page->upto + 1;
        return err;
    }
    return find_next(c, room, until, page->upto);
}

/* Of several rooms the one is read on whose event is next, so each row is read once, and as many rows as are given. */
static enum err
read_page(struct center *c, const struct source *of, struct page *page)
{
    int64_t until;
    struct room *room;
    enum err err = OK;
    while (err == OK && !page->is_more && (room = first_room(of, page->upto, &until)) != NULL)
        err = read_run(c, of, room, until, page);
    if (err == OK && !page->is_more)
        page->after = page->upto;
    return err;
}

/* *bytes grows by what is read. */
static enum err
read_conference(struct center *c, int64_t conf, const struct reader *reader, int64_t *after, struct value *list, size_t *bytes,
    bool *is_more)
{
    struct page page = {.list = list};
    struct room room = {.conf = conf, .member = reader->member, .until = reader->until};
    struct source of = {.rooms = &room, .count = 1, .is_staff = reader->is_staff};
    enum err err = begin_read(c, *after, reader->until, &page);
    room.next = page.after + 1;
    if (err == OK)
        err = read_page(c, &of, &page);
    *after = page.after;
    *bytes += page.bytes;
    *is_more = page.is_more;
    return err;
}

enum err
event_read(struct center *c, int64_t conf, const struct reader *reader, int64_t *after, struct value *list, bool *is_more)
{
    size_t bytes = 0;
    return read_conference(c, conf, reader, after, list, &bytes, is_more);
}

enum err
event_read_part(struct center *c, int64_t conf, const struct reader *reader, int64_t *after, struct value *list, bool *is_more)
{
    size_t bytes = 0;
    enum err err = OK;
    for (*is_more = true; err == OK && *is_more && bytes < EVENTS_PART_BYTES;)
        err = read_conference(c, conf, reader, after, list, &bytes, is_more);
    return err;
}

/* The cursor behind which the last `most` events that he may see stand; 0 when there are no more than that. */
static enum err
tail(struct center *c, int64_t conf, const struct reader *reader, int64_t most, int64_t *after)
{
    struct event_tail row = {.id = 0};
    struct sql_event_tail_in in = {.conf = conf,
        .member = reader->member,
        .is_staff = reader->is_staff,
        .upto = reader->until ? reader->until : INT64_MAX,
        .most = most};
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

static enum err
rooms_of_agent(struct center *c, int64_t agent, int64_t left_after, const struct page *page, struct source *of)
{
    struct event_rooms *rows;
    struct sql_event_rooms_in in = {.agent = agent, .left_after = left_after};
    enum err err = sql_event_rooms(c->db, c->mem, &in, &rows, &of->count);
    if (err != OK)
        return err;
    of->rooms = arena_array(c->mem, of->count, sizeof *of->rooms);
    for (size_t i = 0; err == OK && i < of->count; i++) {
        of->rooms[i] = (struct room){.conf = rows[i].conf, .member = rows[i].member, .until = rows[i].left_event};
        err = find_next(c, &of->rooms[i], page->after, page->upto);
    }
    return err;
}

enum err
event_read_agent(struct center *c, int64_t agent, int64_t *after, struct value *list, bool *is_more)
{
    int64_t left_after;
    struct page page = {.list = list};
    struct source of = {.is_staff = true, .is_agents = true};
    enum err err = just_left(c, *after, &left_after);
    if (err == OK)
        err = begin_read(c, *after, 0, &page);
    if (err == OK)
        err = rooms_of_agent(c, agent, left_after, &page, &of);
    if (err == OK)
        err = read_page(c, &of, &page);
    if (err != OK)
        return err;
    *after = page.after;
    *is_more = page.is_more;
    return OK;
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
