/* vcs_conf_schedule: books a conference: the patent's VCS XML service call (steps 4 and 5). With mod_vanity it changes one.
 *
 * What a client of the original product sends beyond the columns is kept as it came, so that nothing of it is lost for later. */
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "io/service.h"
#include "io/settings.h"
#include "model/conference.h"
#include "model/recurrence.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

enum {
    CONF_TYPE,
    SUBJECT,
    OWNER,
    REQID,
    TIMEZONE,
    MOD_VANITY,
    RECURRENCE,
    DURATION_HOURS,
    START_YEAR,
    START_MONTH,
    START_DAY,
    START_HOUR,
    START_MIN,
    START_SEC,
    END_YEAR,
    END_MONTH,
    END_DAY,
    END_HOUR,
    END_MIN,
    END_SEC,
    KEPT, /* … and all that follow */
};

static const struct param params[] = {
    [CONF_TYPE] = {"conf_type", PARAM_LINE, false, 0, 32, "reservationless (default) or scheduled"},
    [SUBJECT] = {"subject", PARAM_LINE, false, 0, SUBJECT_CHARS, "what it is about"},
    [OWNER] = {"owner", PARAM_LINE, false, 0, 255, "whose it is; default: the setting owner"},
    [REQID] = {"reqid", PARAM_LINE, false, 0, REQID_CHARS, "the same again answers the same conference"},
    [TIMEZONE] = {"timezone", PARAM_LINE, false, 0, 64, "IANA name; kept and given back"},
    [MOD_VANITY] = {"mod_vanity", PARAM_INT, false, 0, 9999999, "change the conference with this code instead"},
    [RECURRENCE] = {"recurrence", PARAM_LINE, false, 0, 64, "as the original product writes it: D-WE, W-1-MON"},
    [DURATION_HOURS] = {"duration_hours", PARAM_INT, false, 0, 8784, "hours"},
    [START_YEAR] = {"start_year", PARAM_INT, false, 1970, 9999, "start: year"},
    [START_MONTH] = {"start_month", PARAM_INT, false, 1, 12, "start: month"},
    [START_DAY] = {"start_day", PARAM_INT, false, 1, 31, "start: day"},
    [START_HOUR] = {"start_hour", PARAM_INT, false, 0, 23, "start: hour"},
    [START_MIN] = {"start_min", PARAM_INT, false, 0, 59, "start: minute"},
    [START_SEC] = {"start_sec", PARAM_INT, false, 0, 60, "start: second"},
    [END_YEAR] = {"end_year", PARAM_INT, false, 1970, 9999, "end: year"},
    [END_MONTH] = {"end_month", PARAM_INT, false, 1, 12, "end: month"},
    [END_DAY] = {"end_day", PARAM_INT, false, 1, 31, "end: day"},
    [END_HOUR] = {"end_hour", PARAM_INT, false, 0, 23, "end: hour"},
    [END_MIN] = {"end_min", PARAM_INT, false, 0, 59, "end: minute"},
    [END_SEC] = {"end_sec", PARAM_INT, false, 0, 60, "end: second"},
    [KEPT] = {"num_occurrences", PARAM_LINE, false, 0, 16, "kept: how often it recurs"},
    {"web_password", PARAM_LINE, false, 0, 64, "kept, and given back as documents/password"},
    {"audio_password", PARAM_LINE, false, 0, 64, "kept"},
    {"no_audio", PARAM_LINE, false, 0, 16, "kept"},
    {"calling_disabled", PARAM_LINE, false, 0, 16, "kept"},
    {"create_callback", PARAM_LINE, false, 0, 16, "kept"},
    {"video_allowed", PARAM_LINE, false, 0, 16, "kept"},
    {"announce_callers", PARAM_LINE, false, 0, 16, "kept"},
    {"announce_callers_on_exit", PARAM_LINE, false, 0, 16, "kept"},
    {"record_callers", PARAM_LINE, false, 0, 16, "kept"},
    {"continuous_chat", PARAM_LINE, false, 0, 16, "kept"},
    {"disable_join_tones", PARAM_LINE, false, 0, 16, "kept"},
    {"drop_with_leader", PARAM_LINE, false, 0, 16, "kept"},
    {"leader_req", PARAM_LINE, false, 0, 16, "kept"},
    {"lecture_mode", PARAM_LINE, false, 0, 16, "kept"},
    {"webinar_mode", PARAM_LINE, false, 0, 16, "kept, and given back in options"},
    {"owner_starts_presentation", PARAM_LINE, false, 0, 16, "kept, and given back in options"},
    {"audio_only", PARAM_LINE, false, 0, 16, "kept, and given back in options"},
    {"disable_participant_mute", PARAM_LINE, false, 0, 16, "kept"},
    {"suppress_system_im", PARAM_LINE, false, 0, 16, "kept"},
    {"_nocachex", PARAM_LINE, false, 0, 64, "no meaning: keeps a cache from answering"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a session's cookie"},
    {.name = NULL},
};

/* The moment that six parameters from `first` on name, in UTC ms; 0 when there is no year. Days that a month lacks are
 * refused. */
static enum err
moment(struct request *r, int first, int64_t *out)
{
    const struct arg *a = &r->args[first];
    struct tm t = {.tm_year = (int)a[0].number - 1900,
        .tm_mon = a[1].text ? (int)a[1].number - 1 : 0,
        .tm_mday = a[2].text ? (int)a[2].number : 1,
        .tm_hour = (int)a[3].number,
        .tm_min = (int)a[4].number,
        .tm_sec = (int)a[5].number};
    int day = t.tm_mday;
    *out = 0;
    if (!a[0].text)
        return OK;
    *out = (int64_t)timegm(&t) * 1000;
    if (t.tm_mday != day)
        return center_fault(r->c, ERR_BAD_PARAMETER, params[first + 2].name, "This month has no day %d.", day);
    return OK;
}

/* What is not sent stays as it was. */
static enum err
kept_options(struct request *r, const struct conference *was, const char **out)
{
    struct form before = {.count = 0};
    struct fault fault;
    struct buf b = buf_new(r->c->mem, 65536);
    enum err err = form_parse(r->c->mem, was->options, strlen(was->options), &before, &fault);
    for (int i = KEPT; err == OK && params[i].name && !text_same(params[i].name, "_nocachex"); i++) {
        const char *value = r->args[i].text ? r->args[i].text : form_get(&before, params[i].name);
        if (!value)
            continue;
        buf_printf(&b, "%s%s=", b.len ? "&" : "", params[i].name);
        buf_url(&b, value);
    }
    *out = buf_str(&b);
    return err;
}

static const char *
or_else(const char *given, const char *otherwise)
{
    return given ? given : otherwise;
}

/* A conference that is moved without a word about its end keeps its length; another length moves its end. */
static enum err
read_times(struct request *r, const struct conference *was, struct conference_wish *w)
{
    bool has_length = r->args[DURATION_HOURS].text;
    w->duration_s = has_length ? r->args[DURATION_HOURS].number * 3600 : was->duration_s;
    enum err err = moment(r, START_YEAR, &w->start_at);
    if (err == OK)
        err = moment(r, END_YEAR, &w->end_at);
    if (err == OK && !w->end_at && !has_length && was->end_at)
        w->end_at = was->end_at + (w->start_at ? w->start_at - was->start_at : 0);
    else if (err == OK && w->end_at && !has_length)
        w->duration_s = 0; /* the end says it */
    if (!w->start_at)
        w->start_at = was->start_at;
    if (err == OK && w->end_at && w->end_at < w->start_at)
        return center_fault(r->c, ERR_BAD_PARAMETER, "end_year", "The end is before the start.");
    return err;
}

static enum err
read_wish(struct request *r, const struct conference *was, struct conference_wish *w)
{
    *w = (struct conference_wish){.account = r->caller->account,
        .reqid = r->args[REQID].text,
        .type = or_else(r->args[CONF_TYPE].text, was->type),
        .subject = or_else(r->args[SUBJECT].text, was->subject),
        .owner = or_else(r->args[OWNER].text, was->owner),
        .timezone = or_else(r->args[TIMEZONE].text, was->timezone),
        .recurrence = or_else(r->args[RECURRENCE].text, was->recurrence)};
    if (!text_same(w->type, "reservationless") && !text_same(w->type, "scheduled"))
        return center_fault(r->c, ERR_BAD_PARAMETER, "conf_type", "conf_type is reservationless or scheduled.");
    if (w->recurrence[0] && !recurrence_type(w->recurrence))
        return center_fault(r->c, ERR_BAD_PARAMETER, "recurrence", "A recurrence is written as D-WE or W-1-MON.");
    enum err err = kept_options(r, was, &w->options);
    return err == OK ? read_times(r, was, w) : err;
}

/* The conference that is to be changed; for a new one what it is without a word. */
static enum err
find_was(struct request *r, struct conference *was)
{
    *was = (struct conference){.type = "reservationless",
        .subject = "",
        .owner = r->c->settings->owner,
        .timezone = "",
        .recurrence = "",
        .options = ""};
    if (!r->args[MOD_VANITY].text)
        return OK;
    const char *code = arena_printf(r->c->mem, "%07lld", (long long)r->args[MOD_VANITY].number);
    enum err err = conference_own_by_code(r->c, r->caller->account, code, was);
    return err == ERR_NOT_FOUND ? center_fault(r->c, err, "mod_vanity", "No conference of yours has this code.") : err;
}

static enum err
answer(struct request *r)
{
    struct conference_wish wish;
    struct conference was, conf;
    r->out_name = "conference";
    enum err err = find_was(r, &was);
    if (err == OK)
        err = read_wish(r, &was, &wish);
    if (err == OK)
        err = was.id ? conference_change(r->c, was.id, &wish, &conf) : conference_schedule(r->c, &wish, &conf);
    if (err != OK)
        return err;
    show_conference(r, &conf, r->out);
    show_go(r, show_way_in(r, &conf));
    return OK;
}

const struct service service = {
    .name = "vcs_conf_schedule",
    .about = "books a conference and answers its id and codes",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_XML,
    .is_changing = true,
    .params = params,
    .prepare = access_prepare,
    .access = access_service,
    .answer = answer,
    .render = template_render,
};
