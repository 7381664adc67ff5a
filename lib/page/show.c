/* show.c: see show.h. */
#include "page/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/form.h"
#include "base/text.h"
#include "io/request.h"
#include "io/settings.h"
#include "model/recurrence.h"
#include "model/site.h"
#include "page/access.h"
#include "page/opening.h"

enum { KIB = 1024, MIB = 1024 * KIB };

/* ── addresses ── */

const char *
show_join_url(struct request *r, const struct conference *conf, bool is_leader)
{
    return arena_printf(r->c->mem, "%s/cgi_bin/vcs_call?action=add&&vanity=%s&call_callid=%s", request_origin(r),
        conference_code(r->c, conf, is_leader), conference_name(r->c, conf->id));
}

const char *
show_way_in(struct request *r, const struct conference *conf)
{
    return arena_printf(r->c->mem, "/call/%s", conference_code(r->c, conf, false));
}

/* The host's name in "http://host:port/…" or "host:port", in brackets where it is an IPv6 address. */
static const char *
host_in(struct arena *mem, const char *url)
{
    const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
    return arena_strndup(mem, host, host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#"));
}

static bool
is_own_host(struct request *r, const char *url)
{
    const struct settings *set = r->c->settings;
    const char *const own[] = {r->host, set->public_url, set->collaboration_url, set->queue_url};
    const char *host = host_in(r->c->mem, url);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (host[0] && text_same_case(host, host_in(r->c->mem, own[i])))
            return true;
    return false;
}

static bool
is_code_of(struct request *r, const char *code, const struct conference *conf)
{
    return text_same(code, conference_code(r->c, conf, true)) || text_same(code, conference_code(r->c, conf, false));
}

static bool
is_call_query(struct request *r, const char *query, const struct conference *conf)
{
    struct fault ignored = {0};
    struct form *form = arena_alloc(r->c->mem, sizeof *form);
    if (form_parse(r->c->mem, query, strcspn(query, "#"), form, &ignored) != OK)
        return false;
    const char *action = form_get(form, "action");
    return (!action || text_same(action, "add")) && is_code_of(r, form_get(form, "vanity"), conf) &&
           conference_number(r->c, form_get(form, "call_callid")) == conf->id;
}

bool
show_is_join_url(struct request *r, const char *url, const struct conference *conf)
{
    bool is_web = text_starts(url, "http://") || text_starts(url, "https://");
    if (!is_web || !is_own_host(r, url))
        return false;
    const char *host = strstr(url, "://") + 3, *path = host + strcspn(host, "/?#");
    if (!host_is_valid(arena_strndup(r->c->mem, host, (size_t)(path - host)))) /* "http://own.host:x@other.host/" is other's */
        return false;
    if (text_starts(path, "/call/"))
        return is_code_of(r, path + strlen("/call/"), conf);
    bool is_call = text_starts(path, "/cgi_bin/vcs_call?") || text_starts(path, "/cgi-bin/vcs_call?");
    return is_call && is_call_query(r, strchr(path, '?') + 1, conf);
}

enum err
show_window(struct request *r, const struct member *member, const char **out)
{
    const char *token;
    enum err err = site_token(r->c, member->conf, member->id, &token);
    if (err == OK)
        *out = arena_printf(r->c->mem, "%s/cgi_bin/conf_view?conf=%s&token=%s", request_origin(r),
            conference_name(r->c, member->conf), token);
    return err;
}

/* Of a room without JavaScript; not named, it is the window. */
static bool
is_part(const char *part)
{
    return text_same(part, "write") || text_same(part, "log") || text_same(part, "page");
}

enum err
show_check_part(struct request *r)
{
    const char *part = form_get(r->form, "part");
    if (!part || part[0] == '\0' || is_part(part))
        return OK;
    return center_fault(r->c, ERR_BAD_PARAMETER, "part", "part is write, log or page.");
}

const char *
show_room(struct request *r, const char *conf, const char *part)
{
    const char *token = r->caller && r->caller->by_cookie ? NULL : form_get(r->form, "token");
    struct buf b = buf_new(r->c->mem, 1024);
    buf_text(&b, "/cgi_bin/conf_view?conf=");
    buf_url(&b, conf);
    if (part && is_part(part))
        buf_printf(&b, "&part=%s", part);
    if (token) {
        buf_text(&b, "&token=");
        buf_url(&b, token);
    }
    return buf_str(&b);
}

/* A request that was too large was not read; its page is then known by the address that the browser came from. */
static const char *
room_it_came_from(struct request *r)
{
    const char *from = r->header(r, "HTTP_REFERER"), *room = from ? strstr(from, "/cgi_bin/conf_view?") : NULL;
    const char *host = room ? arena_strndup(r->c->mem, from, (size_t)(room - from)) : NULL;
    return host && text_same(host, request_origin(r)) ? room : NULL;
}

const char *
show_back(struct request *r)
{
    const char *conf = form_get(r->form, "conf");
    bool is_named = conf && conference_number(r->c, conf);
    return is_named ? show_room(r, conf, form_get(r->form, "part")) : room_it_came_from(r);
}

void
show_go(struct request *r, const char *path)
{
    r->see_other = path;
}

/* ── a conference, as a client of the original product reads it ── */

static void
show_time(struct value *list, int64_t at)
{
    struct tm t;
    time_t seconds = (time_t)(at / 1000);
    gmtime_r(&seconds, &t);
    struct value *v = value_add_object(list, NULL);
    value_add_int(v, "year", t.tm_year + 1900);
    value_add_int(v, "month", t.tm_mon + 1);
    value_add_int(v, "day", t.tm_mday);
    value_add_int(v, "hour", t.tm_hour);
    value_add_int(v, "minute", t.tm_min);
}

/* What may repeat is a list: one member of a name in JSON, and in XML the elements that the original product writes. */
static struct value *
show_access(struct value *list, const char *type, const char *state)
{
    struct value *v = value_add_object(list, NULL);
    value_attribute(v, "type", type);
    if (state)
        value_attribute(v, "state", state);
    value_attribute(v, "siteid", "0");
    return v;
}

/* What else came with the conference; NULL when it cannot be read. */
static const struct form *
options_of(struct request *r, const struct conference *conf)
{
    struct fault ignored = {0};
    struct form *form = arena_alloc(r->c->mem, sizeof *form);
    return form_parse(r->c->mem, conf->options, strlen(conf->options), form, &ignored) == OK ? form : NULL;
}

static void
add_option(struct value *tree, const char *name, const struct form *options, const char *option, const char *unless_given)
{
    const char *given = options ? form_get(options, option) : NULL;
    value_add_text(tree, name, given ? given : unless_given);
}

static void
show_options(const struct form *options, struct value *tree)
{
    static const char *const names[] = {"webinar_mode", "owner_starts_presentation", "audio_only"};
    struct value *v = value_add_object(tree, "options");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_option(v, names[i], options, names[i], "false");
}

/* How long one of several is, however that was told: as such, or by the hours of start and end, between which the whole row of
 * them may lie. */
static int64_t
length_s(const struct conference *conf)
{
    enum { DAY_S = 24 * 60 * 60 };
    bool has_end = conf->end_at > conf->start_at;
    return conf->duration_s == 0 && has_end ? (conf->end_at - conf->start_at) / 1000 % DAY_S : conf->duration_s;
}

static void
show_recurrence(const struct conference *conf, struct value *tree)
{
    const char *type = recurrence_type(conf->recurrence);
    if (!type)
        return;
    struct value *v = value_add_object(tree, "recurrence");
    value_attribute(v, "type", type);
    value_attribute(v, "pattern", conf->recurrence);
    value_add_int(v, "duration", length_s(conf));
}

void
show_conference(struct request *r, const struct conference *conf, struct value *tree)
{
    const char *state = conf->ended_at ? "ended" : "active";
    value_attribute(tree, "type", conf->type);
    value_attribute(tree, "id", conference_name(r->c, conf->id));
    value_add_text(tree, "subject", conf->subject);
    value_add_text(tree, "owner", conf->owner);
    value_add_text(tree, "join_url_root", "/call/");
    struct value *access = value_add_list(tree, "access");
    value_add_text(show_access(access, "leader", NULL), "vanity", conference_code(r->c, conf, true));
    value_add_text(show_access(access, "leader", state), "code", conference_code(r->c, conf, true));
    value_add_text(show_access(access, "participant", state), "code", conference_code(r->c, conf, false));
    value_add_text(tree, "domain", host_in(r->c->mem, request_origin(r)));
    struct value *urls = value_add_list(tree, "url");
    value_add_text(urls, NULL, show_join_url(r, conf, true));
    value_add_text(urls, NULL, show_join_url(r, conf, false));
    struct value *times = value_add_list(tree, "time");
    show_time(times, conf->start_at);
    show_time(times, conf->end_at ? conf->end_at : conf->start_at + conf->duration_s * 1000);
    value_add_text(tree, "timezone", conf->timezone);
    show_recurrence(conf, tree);
    const struct form *options = options_of(r, conf);
    show_options(options, tree);
    struct value *documents = value_add_object(tree, "documents");
    add_option(documents, "password", options, "web_password", "");
    value_add_list(documents, "document");
}

enum err
show_conferences(struct request *r)
{
    struct conference *rows;
    size_t count;
    enum err err = conference_list(r->c, r->caller->account, &rows, &count);
    r->out_name = "conferences";
    struct value *list = value_add_list(r->out, "conference");
    for (size_t i = 0; err == OK && i < count; i++)
        show_conference(r, &rows[i], value_add_object(list, NULL));
    return err;
}

/* ── where a conference stands ── */

enum err
show_queue(struct request *r, struct value *tree, int64_t conf)
{
    struct standing s;
    enum err err = invitation_standing_of(r->c, conf, &s);
    if (err != OK)
        return err;
    if (s.position == 0) {
        value_add_null(tree, "queue");
        return OK;
    }
    struct value *queue = value_add_object(tree, "queue");
    int64_t opens_at = opening_at(r->c);
    if (opens_at)
        s.wait_s = -1; /* the pace of the last half hour says nothing about the morning */
    value_add_int(queue, "position", s.position);
    if (s.wait_s >= 0)
        value_add_int(queue, "wait_s", s.wait_s);
    else
        value_add_null(queue, "wait_s");
    value_add_int(queue, "wait_min", s.wait_s > 0 ? (s.wait_s + 59) / 60 : 0);
    if (opens_at)
        value_add_int(queue, "opens_at", opens_at);
    else
        value_add_null(queue, "opens_at");
    value_add_text(queue, "opens_text", opens_at ? opening_text(r->c, opens_at, true) : NULL);
    return OK;
}

/* ── events for pages ── */

static const char *
sender_name(struct request *r, const struct value *from, bool is_mine)
{
    const char *role = value_get_text(from, "role"), *name = value_get_text(from, "name");
    if (is_mine)
        return "You";
    if (text_same(role, "bot"))
        return "Assistant (automated)";
    if (name[0])
        return name;
    return text_same(role, "system") ? r->c->settings->site_name : text_same(role, "customer") ? "Guest" : "Agent";
}

/* The line that a page shows for what is not said by anybody; NULL: none. The same words as js/lines.js. */
static const char *
system_line(struct request *r, const struct value *event, const char *who, bool is_mine)
{
    struct arena *mem = r->c->mem;
    const char *kind = value_get_text(event, "kind"), *state = value_get_text(event, "state");
    if (text_same(kind, "joined"))
        return is_mine ? "You joined" : arena_printf(mem, "%s joined", who);
    if (text_same(kind, "left"))
        return is_mine ? "You left" : arena_printf(mem, "%s left", who);
    if (text_same(kind, "state") && text_same(state, "ended"))
        return "The conversation has ended";
    if (text_same(kind, "queue") && text_same(state, "cancelled"))
        return "Nobody is on the way any more. If you need somebody, start again.";
    if (text_same(kind, "solved"))
        return arena_printf(mem, "%s said that the problem is solved", who);
    if (text_same(kind, "rating"))
        return arena_printf(mem, "%s gave %lld of 5 stars", who, (long long)value_get_int(event, "stars", 0));
    return NULL;
}

static void
add_moment(struct request *r, struct value *out, int64_t at, char day[32])
{
    char text[64], new_day[32];
    struct tm t;
    time_t seconds = (time_t)(at / 1000);
    localtime_r(&seconds, &t);
    strftime(text, sizeof text, "%FT%T%z", &t);
    value_add_text(out, "iso", arena_strdup(r->c->mem, text));
    strftime(text, sizeof text, "%H:%M", &t);
    value_add_text(out, "time", arena_strdup(r->c->mem, text));
    strftime(new_day, sizeof new_day, "%e %B %Y", &t);
    if (!text_same(day, new_day))
        value_add_text(out, "day", arena_strdup(r->c->mem, new_day));
    memcpy(day, new_day, sizeof new_day);
}

const char *
show_size(struct request *r, int64_t bytes)
{
    if (bytes < KIB)
        return arena_printf(r->c->mem, bytes == 1 ? "%lld byte" : "%lld bytes", (long long)bytes);
    if (bytes < MIB)
        return arena_printf(r->c->mem, "%lld kB", (long long)((bytes + KIB / 2) / KIB));
    long long tenths = (bytes * 10 + MIB / 2) / MIB;
    return tenths % 10 ? arena_printf(r->c->mem, "%lld.%lld MB", tenths / 10, tenths % 10)
                       : arena_printf(r->c->mem, "%lld MB", tenths / 10);
}

static void
add_file(struct request *r, const char *token, struct value *out, const struct value *file)
{
    struct value *f = value_add_object(out, "file");
    const char *url = value_get_text(file, "url");
    value_add_text(f, "name", value_get_text(file, "name"));
    value_add_text(f, "url", token[0] ? arena_printf(r->c->mem, "%s&token=%s", url, token) : url);
    value_add_text(f, "size_text", show_size(r, value_get_int(file, "bytes", 0)));
}

static void
add_event(struct request *r, const struct show_reader *reader, const struct value *event, struct value *list, char day[32])
{
    const struct value *from = value_get(event, "from"), *file = value_get(event, "file");
    const char *kind = value_get_text(event, "kind");
    bool is_mine = reader->member && value_get_int(from, "member", 0) == reader->member;
    const char *who = sender_name(r, from, is_mine), *line = system_line(r, event, who, is_mine);
    bool is_said = text_same(kind, "message") || text_same(kind, "note") || text_same(kind, "file");
    if (!line && !is_said)
        return;
    struct value *out = value_add_object(list, NULL);
    int64_t at = value_get_int(event, "at", 0);
    value_add_int(out, "id", value_get_int(event, "id", 0));
    value_add_int(out, "at", at);
    value_add_text(out, "who", text_same(kind, "note") ? arena_printf(r->c->mem, "Private note · %s", who) : who);
    value_add_text(out, "text", value_get_text(event, "text"));
    value_add_text(out, "line", line);
    value_add_flag(out, "is_mine", is_mine);
    value_add_flag(out, "is_system", !is_said);
    value_add_flag(out, "is_note", text_same(kind, "note"));
    value_add_flag(out, "is_bot", text_same(value_get_text(from, "role"), "bot"));
    add_moment(r, out, at, day);
    if (file)
        add_file(r, reader->token, out, file);
}

void
show_events(struct request *r, const struct show_reader *reader, const struct value *events, struct value *tree, const char *name)
{
    char day[32] = "";
    struct value *list = value_add_list(tree, name);
    for (const struct value *event = events->first; event; event = event->next)
        add_event(r, reader, event, list, day);
}
