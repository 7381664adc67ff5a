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

static const char *
kept_options(struct request *r)
{
    struct buf b = buf_new(r->c->mem, 65536);
    for (int i = KEPT; params[i].name && !text_same(params[i].name, "_nocachex"); i++) {
        if (!r->args[i].text)
            continue;
        buf_printf(&b, "%s%s=", b.len ? "&" : "", params[i].name);
        buf_url(&b, r->args[i].text);
    }
    return buf_str(&b);
}

static const char *
or_else(const char *given, const char *otherwise)
{
    return given ? given : otherwise;
}

static enum err
read_wish(struct request *r, struct conference_wish *w)
{
    *w = (struct conference_wish){.account = r->caller->account,
        .reqid = r->args[REQID].text,
        .type = or_else(r->args[CONF_TYPE].text, "reservationless"),
        .subject = or_else(r->args[SUBJECT].text, ""),
        .owner = or_else(r->args[OWNER].text, r->c->settings->owner),
        .timezone = or_else(r->args[TIMEZONE].text, ""),
        .recurrence = or_else(r->args[RECURRENCE].text, ""),
        .duration_s = r->args[DURATION_HOURS].number * 3600,
        .options = kept_options(r)};
    if (!text_same(w->type, "reservationless") && !text_same(w->type, "scheduled"))
        return center_fault(r->c, ERR_BAD_PARAMETER, "conf_type", "conf_type is reservationless or scheduled.");
    if (w->recurrence[0] && !recurrence_type(w->recurrence))
        return center_fault(r->c, ERR_BAD_PARAMETER, "recurrence", "A recurrence is written as D-WE or W-1-MON.");
    enum err err = moment(r, START_YEAR, &w->start_at);
    if (err == OK)
        err = moment(r, END_YEAR, &w->end_at);
    if (err == OK && w->end_at && w->end_at < w->start_at)
        return center_fault(r->c, ERR_BAD_PARAMETER, "end_year", "The end is before the start.");
    return err;
}

static enum err
change(struct request *r, const struct conference_wish *wish, struct conference *out)
{
    enum err err = conference_change(r->c, r->args[MOD_VANITY].number, wish, out);
    return err == ERR_NOT_FOUND ? center_fault(r->c, err, "mod_vanity", "No conference of yours has this code.") : err;
}

static enum err
answer(struct request *r)
{
    struct conference_wish wish;
    struct conference conf;
    enum err err = read_wish(r, &wish);
    if (err != OK)
        return err;
    if (r->args[MOD_VANITY].text)
        err = change(r, &wish, &conf);
    else
        err = conference_schedule(r->c, &wish, &conf);
    r->out_name = "conference";
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
    .access = access_service,
    .answer = answer,
    .render = template_render,
};
