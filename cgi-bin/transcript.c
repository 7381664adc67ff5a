/* transcript: what was said in a conference, to read, to keep, to process. */
#include "io/service.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "io/settings.h"
#include "model/conference.h"
#include "model/event.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

enum { CONF, FORMAT, AFTER };

static const struct param params[] = {
    [CONF] = {"conf", PARAM_LINE, true, 0, 80, "the conference's id"},
    [FORMAT] = {"format", PARAM_LINE, false, 0, 8, "html (default), txt or json"},
    [AFTER] = {"after", PARAM_INT, false, 0, 9007199254740991, "goes on behind this event; default 0, the beginning"},
    {"token", PARAM_LINE, false, 0, 80, "the member's, unless a header or cookie carries it"},
    {.name = NULL},
};

static const char *
moment(struct request *r, int64_t at)
{
    char text[64];
    struct tm t;
    time_t seconds = (time_t)(at / 1000);
    if (!at)
        return "";
    strftime(text, sizeof text, "%e %B %Y, %H:%M", localtime_r(&seconds, &t));
    return arena_strdup(r->c->mem, text);
}

static const char *
next_part(struct request *r, int64_t after, const char *format, const char *token)
{
    return arena_printf(r->c->mem, "/cgi_bin/transcript?conf=%s&format=%s&after=%lld%s%s",
        conference_name(r->c, r->caller->member.conf), format, (long long)after, *token ? "&token=" : "", token);
}

static enum err
read_part(struct request *r, struct value *events, const char *format, const char *token)
{
    bool is_more;
    int64_t after = r->args[AFTER].number;
    const struct member *member = &r->caller->member;
    struct reader reader = {.member = member->id, .is_staff = member_is_staff(member), .until = member->left_event};
    enum err err = event_read_part(r->c, member->conf, &reader, &after, events, &is_more);
    if (err != OK)
        return err;
    value_add_int(r->out, "after", after);
    value_add_flag(r->out, "more", is_more);
    value_add_text(r->out, "next", is_more ? next_part(r, after, format, token) : NULL);
    return OK;
}

static void
add_frame(struct request *r, const struct conference *conf)
{
    value_add_text(r->out, "conference", conference_name(r->c, conf->id));
    value_add_text(r->out, "title", conf->subject);
    value_add_text(r->out, "site_name", r->c->settings->site_name);
    value_add_text(r->out, "phone_number", r->c->settings->phone_number);
    value_add_text(r->out, "started", moment(r, conf->created_at));
    value_add_text(r->out, "ended", moment(r, conf->ended_at));
}

/* Further lines are set in, so that nobody can write what looks like another's line. */
static void
add_lines(struct buf *out, const char *text)
{
    for (size_t bytes; *text; text += bytes) {
        bytes = strcspn(text, "\r\n");
        buf_bytes(out, text, bytes);
        if (text[bytes] == '\n')
            buf_text(out, "\n       ");
        bytes += text[bytes] != '\0';
    }
    buf_byte(out, '\n');
}

static void
write_plain(struct request *r, const struct value *events)
{
    r->raw = buf_new(r->c->mem, ANSWER_MAX_BYTES);
    r->content_type = "text/plain; charset=utf-8";
    buf_printf(&r->raw, "%s\n%s\n\n", value_get_text(r->out, "title"), value_get_text(r->out, "started"));
    for (const struct value *e = events->first; e; e = e->next) {
        const struct value *file = value_get(e, "file");
        const char *line = value_get_text(e, "line"), *day = value_get_text(e, "day");
        if (day)
            buf_printf(&r->raw, "-- %s --\n", day);
        if (line) {
            buf_printf(&r->raw, "%s  * %s\n", value_get_text(e, "time"), line);
        } else {
            buf_printf(&r->raw, "%s  %s: ", value_get_text(e, "time"), value_get_text(e, "who"));
            add_lines(&r->raw, file ? value_get_text(file, "name") : value_get_text(e, "text"));
        }
    }
    if (value_get_text(r->out, "next"))
        buf_printf(&r->raw, "\nIt goes on: %s%s\n", request_origin(r), value_get_text(r->out, "next"));
}

static enum err
answer(struct request *r)
{
    struct conference conf;
    const char *token, *format = r->args[FORMAT].text ? r->args[FORMAT].text : r->is_json_wanted ? "json" : "html";
    struct value *events = value_list(r->c->mem);
    enum err err = conference_find(r->c, r->args[CONF].text, &conf);
    if (err == OK)
        err = access_link_token(r, &token);
    if (err == OK)
        err = read_part(r, events, format, token);
    if (err != OK)
        return err;
    add_frame(r, &conf);
    if (text_same(format, "json")) {
        value_add(r->out, "events", events);
        return OK;
    }
    struct show_reader nobody = {.token = token}; /* it goes to others too: names, not "You" */
    show_events(r, &nobody, events, r->out, "events");
    if (text_same(format, "txt")) {
        write_plain(r, value_get(r->out, "events"));
        return OK;
    }
    r->page = "transcript";
    return text_same(format, "html") ? OK : center_fault(r->c, ERR_BAD_PARAMETER, "format", "format is html, txt or json.");
}

const struct service service = {
    .name = "transcript",
    .about = "gives what was said in a conference",
    .methods = METHOD_GET,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .params = params,
    .access = access_member,
    .answer = answer,
    .render = template_render,
};
