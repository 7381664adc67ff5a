/* form_submit: the application server: the form, and what happens when it is sent (patent, steps 2 to 7).
 *
 * The form is kept before anybody else hears of it; then its conference is booked, its invitation queued and its customer joined.
 * A server behind that is down costs the customer a wait, not his place. */
#include "io/service.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"
#include "model/conference.h"
#include "model/limit.h"
#include "model/member.h"
#include "model/phone.h"
#include "model/sentform.h"
#include "model/site.h"
#include "page/access.h"
#include "page/front.h"
#include "page/opening.h"
#include "page/show.h"
#include "page/template.h"

enum { NAME, PHONE, QUESTION, TOPIC, EMAIL, LANGUAGE, CONSENT, FIELDS, PAGE = FIELDS, REQID, AGAIN };

enum { PATIENCE_MS = 4000 }; /* then the customer is told that his form is kept */
enum { RETRY_TOO_MANY_S = 60, RETRY_UNAVAILABLE_S = 2 };
/* Read so far, so that an entry over its own limit comes back with its fault beside it; the web servers take no more bytes. */
enum { ENTRY_CHARS = 128 * 1024 };

static const struct param params[] = {
    [NAME] = {"name", PARAM_TEXT, false, 0, ENTRY_CHARS, "1 to 100 characters"},
    [PHONE] = {"phone", PARAM_TEXT, false, 0, ENTRY_CHARS, "E.164, or national with the site's country"},
    [QUESTION] = {"question", PARAM_TEXT, false, 0, ENTRY_CHARS, "up to 4,000 characters; the first thing that he says"},
    [TOPIC] = {"topic", PARAM_TEXT, false, 0, ENTRY_CHARS, "up to 100 characters; decides who may answer"},
    [EMAIL] = {"email", PARAM_TEXT, false, 0, ENTRY_CHARS, "up to 254 characters"},
    [LANGUAGE] = {"language", PARAM_LINE, false, 0, LANGUAGE_CHARS, "as in Accept-Language, which is the default"},
    [CONSENT] = {"consent", PARAM_LINE, false, 0, CONSENT_CHARS, "what he agreed to"},
    [PAGE] = {"page", PARAM_LINE, false, 0, ENTRY_CHARS, "the page that he came from; its first 2,000 characters are kept"},
    [REQID] = {"reqid", PARAM_LINE, false, 0, REQID_CHARS, "the same again gets the same answer"},
    [AGAIN] = {"again", PARAM_LINE, false, 0, 160, "GET: how a kept form gets on, made by this program"},
    {.name = NULL},
};

static const struct field {
    int64_t most;
    const char *missing;
} fields[FIELDS] = {
    [NAME] = {NAME_CHARS, "Enter your name."},
    [PHONE] = {PHONE_CHARS, "Enter a phone number, for example +1 603 555 1234."},
    [QUESTION] = {QUESTION_CHARS, "Enter your question."},
    [TOPIC] = {TOPIC_CHARS, "Choose what it is about."},
    [EMAIL] = {EMAIL_CHARS, "Enter your e-mail address."},
    [LANGUAGE] = {LANGUAGE_CHARS, "Enter your language, for example en."},
    [CONSENT] = {CONSENT_CHARS, "Please agree before you start."},
};

/* ── the entries ── */

static bool
is_listed(const char *list, const char *name)
{
    size_t bytes = strlen(name);
    for (const char *p = list; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
        p += strspn(p, " ");
        if (strncmp(p, name, bytes) == 0 && (p[bytes] == ',' || p[bytes] == '\0' || p[bytes] == ' '))
            return true;
    }
    return false;
}

static bool
is_required(struct request *r, int i)
{
    return is_listed(r->c->settings->form_required, params[i].name);
}

static const char *
language_of(struct request *r)
{
    const char *header = r->header(r, "HTTP_ACCEPT_LANGUAGE");
    if (r->args[LANGUAGE].text)
        return r->args[LANGUAGE].text;
    size_t bytes = header ? strspn(header, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") : 0;
    return bytes && bytes <= LANGUAGE_CHARS ? arena_strndup(r->c->mem, header, bytes) : "";
}

/* A long address is cut: the browser wrote it, so the customer could not mend it. */
static const char *
page_of(struct request *r)
{
    const char *text = r->args[PAGE].text;
    return text ? arena_strndup(r->c->mem, text, text_head(text, PAGE_CHARS)) : NULL;
}

/* What he entered, "" for nothing. */
static const char *
entry(struct request *r, int i)
{
    const char *text = i == LANGUAGE ? language_of(r) : i == PAGE ? page_of(r) : r->args[i].text;
    return text_is_blank(text) ? "" : text;
}

/* The sentence about what is wrong with an entry; NULL: nothing. */
static const char *
fault_of(struct request *r, int i)
{
    const char *text = entry(r, i), *number;
    if (!text[0])
        return is_required(r, i) ? fields[i].missing : NULL;
    if (text_chars(text) > (size_t)fields[i].most)
        return arena_printf(r->c->mem, "Use %lld characters at most.", (long long)fields[i].most);
    if (i != QUESTION && text_has_control(text, true))
        return "Write it in one line, please.";
    if (i == PHONE && phone_normalise(r->c, text, &number) != OK)
        return fields[PHONE].missing;
    if (i == EMAIL && !text_is_email(text))
        return "Enter an e-mail address, for example ann@example.com.";
    return NULL;
}

/* ── the form as a page ── */

static void
add_topics(struct request *r)
{
    struct value *list = value_add_list(r->out, "topics");
    for (const char *p = r->c->settings->topics; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
        p += strspn(p, " ");
        const char *name = arena_strndup(r->c->mem, p, strcspn(p, ","));
        struct value *topic = value_add_object(list, NULL);
        value_add_text(topic, "name", name);
        value_add_flag(topic, "is_selected", text_same(name, r->args[TOPIC].text));
    }
    value_add_flag(r->out, "has_topics", list->first != NULL);
}

static void
add_faults(struct request *r, bool is_retry)
{
    struct value *list = value_add_list(r->out, "faults");
    int count = 0;
    for (int i = 0; i < FIELDS; i++) {
        const char *reason = is_retry ? fault_of(r, i) : NULL;
        value_add_text(r->out, params[i].name, entry(r, i));
        value_add_flag(r->out, arena_printf(r->c->mem, "%s_required", params[i].name), is_required(r, i));
        if (!reason)
            continue;
        count++;
        value_add_text(r->out, arena_printf(r->c->mem, "%s_fault", params[i].name), reason);
        struct value *fault = value_add_object(list, NULL);
        value_add_text(fault, "parameter", params[i].name);
        value_add_text(fault, "reason", reason);
    }
    value_add_int(r->out, "fault_count", count);
}

static void
add_site(struct request *r)
{
    value_add_text(r->out, "site_name", r->c->settings->site_name);
    value_add_text(r->out, "phone_number", r->c->settings->phone_number);
}

/* The conversation that the same form began, for the browser that has been in it: the entries differ, and a reqid alone must not
 * open somebody's room, nor name it. NULL: this browser has no cookie of it. */
static const char *
way_back(struct request *r, const struct sent_form *form)
{
    int64_t conf = form->is_done ? conference_number(r->c, form->conf) : 0;
    const char *cookie = conf ? request_cookie_get(r, access_member_cookie(r, conf)) : NULL;
    if (!cookie || !text_same_secret(form->token, cookie))
        return NULL;
    struct buf back = buf_new(r->c->mem, 128);
    buf_printf(&back, "/cgi_bin/conf_view?conf=");
    buf_url(&back, form->conf);
    return buf_str(&back);
}

/* Without scripts this page may stand in the place of the conversation. */
static const char goes_back[] =
    "You changed an entry after it was sent. Go back to the conversation and write there what is different. "
    "The button at the end of the form begins another one, in which you wait anew.";
static const char begins_anew[] =
    "You changed an entry after it was sent. Press the button again to begin a conversation with the entries as they are now. "
    "What you sent first is kept beside it; if it had opened a conversation in this window, your browser's Back button may lead "
    "there.";

static void
add_conflict(struct request *r, const struct sent_form *form)
{
    const char *back = way_back(r, form);
    struct value *problem = value_add_object(r->out, "problem");
    value_add_text(problem, "title", back ? "Your conversation has begun already" : "Please send it once more");
    value_add_text(problem, "reason", back ? goes_back : begins_anew);
    if (back)
        value_add_text(problem, "back", back);
}

/* What no entry is to blame for: too many forms, a database that cannot be used. */
static void
add_problem(struct request *r, enum err err)
{
    const char *reason = r->c->fault.reason ? r->c->fault.reason : err_sentence(err);
    if (err == ERR_UNAVAILABLE && !r->c->fault.reason)
        reason = "What you sent was not taken. All that you entered is still here, so you can send it again in a few seconds.";
    int usual_s = err == ERR_TOO_MANY ? RETRY_TOO_MANY_S : RETRY_UNAVAILABLE_S;
    if (err == ERR_TOO_MANY || err == ERR_UNAVAILABLE)
        request_header(r, "Retry-After", arena_printf(r->c->mem, "%d", r->c->fault.retry_s > 0 ? r->c->fault.retry_s : usual_s));
    struct value *problem = value_add_object(r->out, "problem");
    value_add_text(problem, "title", err_title(err));
    value_add_text(problem, "reason", reason);
}

/* The form; after an error with what was entered. A form that was sent as another one (`sent`) needs a new reqid. */
static enum err
show_form(struct request *r, enum err err, const struct sent_form *sent)
{
    const char *reqid = err == OK || err == ERR_CONFLICT ? NULL : r->args[REQID].text;
    add_site(r);
    front_show(r);
    add_topics(r);
    add_faults(r, err == ERR_BAD_PARAMETER);
    if (err == ERR_CONFLICT)
        add_conflict(r, sent);
    else if (err != OK && err != ERR_BAD_PARAMETER)
        add_problem(r, err);
    value_add_flag(r->out, "is_retry", err != OK);
    value_add_text(r->out, "reqid", reqid ? reqid : secret_random_text(r->c->mem, 22));
    value_add_text(r->out, "page", entry(r, PAGE));
    value_add_text(r->out, "consent_text", r->c->settings->consent_text);
    r->page = "form";
    r->status = err_status(err);
    return OK;
}

/* ── what comes of it ── */

static enum err
show_done(struct request *r, const struct sent_form *form)
{
    value_add_text(r->out, "conference", form->conf);
    value_add_text(r->out, "token", form->token);
    const char *own = request_own_path(r, form->window), *window = own == NULL ? form->window : own;
    value_add_text(r->out, "window", request_outward(r, form->window));
    struct value *queue = value_add_object(r->out, "queue");
    value_add_int(queue, "position", form->position);
    if (form->wait_s >= 0)
        value_add_int(queue, "wait_s", form->wait_s);
    else
        value_add_null(queue, "wait_s");
    if (opening_at(r->c))
        value_add_int(queue, "opens_at", opening_at(r->c));
    else
        value_add_null(queue, "opens_at");
    r->redirect = r->is_page_wanted;
    show_go(r, window);
    return OK;
}

/* The address says which form, and proves that it was made here: a reqid alone must not open somebody's room. */
static enum err
show_kept(struct request *r, const char *reqid)
{
    const char *mac;
    enum err err = site_mac(r->c, "again", reqid, &mac);
    if (err != OK)
        return err;
    struct buf again = buf_new(r->c->mem, 512);
    buf_printf(&again, "/cgi_bin/form_submit?again=%s.", mac);
    buf_url(&again, reqid);
    add_site(r);
    value_add_text(r->out, "state", "kept");
    value_add_text(r->out, "again", buf_str(&again));
    request_header(r, "Retry-After", "5");
    r->status = 202;
    if (r->is_page_wanted)
        r->page = "kept";
    return OK;
}

static enum err
finish(struct request *r, const char *reqid)
{
    struct sent_form form;
    r->c->until_ms = r->c->boot_ms + PATIENCE_MS;
    enum err err = sentform_finish(r->c, reqid, &form);
    if (err == ERR_UNAVAILABLE)
        return show_kept(r, reqid);
    return err == OK ? show_done(r, &form) : err;
}

/* A kept form that gets on means that the servers are back: others that are kept need not wait for their next try. */
static enum err
finish_kept(struct request *r, const char *reqid)
{
    struct sent_form form;
    enum err err = sentform_find(r->c, reqid, &form);
    bool was_open = err == OK && !form.is_done;
    if (err == OK)
        err = finish(r, reqid);
    bool is_through = err == OK && was_open && r->status != 202;
    if (is_through && sentform_hurry(r->c) != OK)
        log_warn("forms that are kept wait for their next try");
    return err;
}

static enum err
look_again(struct request *r)
{
    const char *mac, *dot = strchr(r->args[AGAIN].text, '.');
    enum err err = dot ? site_mac(r->c, "again", dot + 1, &mac) : ERR_NOT_FOUND;
    if (err == OK && !text_same_secret(mac, arena_strndup(r->c->mem, r->args[AGAIN].text, (size_t)(dot - r->args[AGAIN].text))))
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return center_fault(r->c, err, "again", "There is no such form.");
    return err == OK ? finish_kept(r, dot + 1) : err;
}

static enum err
first_fault(struct request *r)
{
    for (int i = 0; i < FIELDS; i++) {
        const char *reason = fault_of(r, i);
        if (reason)
            return center_fault(r->c, ERR_BAD_PARAMETER, params[i].name, "%s", reason);
    }
    return OK;
}

static enum err
keep(struct request *r, struct sent_form *form)
{
    const char *phone = "";
    enum err err = text_is_blank(r->args[PHONE].text) ? OK : phone_normalise(r->c, r->args[PHONE].text, &phone);
    struct form_entries entries = {.name = entry(r, NAME),
        .phone = phone,
        .email = entry(r, EMAIL),
        .topic = entry(r, TOPIC),
        .question = entry(r, QUESTION),
        .language = entry(r, LANGUAGE),
        .page = entry(r, PAGE),
        .consent = entry(r, CONSENT),
        .reqid = r->args[REQID].text ? r->args[REQID].text : secret_random_text(r->c->mem, 32)};
    return err == OK ? sentform_keep(r->c, &entries, form) : err;
}

static enum err
take(struct request *r)
{
    struct sent_form form = {.is_done = false};
    enum err err = OK;
    if (!limit_is_exempt(r->c, r->remote_addr))
        err = limit_take(r->c, &limit_form, limit_address(r->c, r->remote_addr));
    if (err == OK)
        err = first_fault(r);
    if (err == OK)
        err = keep(r, &form);
    if (err != OK && r->is_page_wanted)
        return show_form(r, err, &form);
    return err == OK ? finish(r, form.reqid) : err;
}

static enum err
answer(struct request *r)
{
    if (text_same(r->method, "POST"))
        return take(r);
    return r->args[AGAIN].text ? look_again(r) : show_form(r, OK, NULL);
}

/* PREFORK: it waits for the other servers. */
const struct service service = {
    .name = "form_submit",
    .about = "shows the form and opens the conference of whoever sends it",
    .methods = METHOD_GET | METHOD_POST,
    .mode = PREFORK,
    .format = FORMAT_JSON,
    .params = params,
    .answer = answer,
    .render = template_render,
};
