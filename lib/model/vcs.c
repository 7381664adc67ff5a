/* vcs.c: see vcs.h. */
#include "model/vcs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/value.h"
#include "io/http.h"
#include "io/settings.h"
#include "io/xmlread.h"
#include "model/conference.h"

enum { CALL_MAX_BYTES = 65536, KEY_MAX_BYTES = 256 };
enum { SILENT_FROM_MS = 500, TRIAL_MS = 1000 }; /* a refusal comes at once and costs nobody anything */
enum { LOOK_MS = 1000 };

const char *
vcs_key_file(struct center *c)
{
    const char *set = c->settings->service_key_file;
    return set[0] ? set : arena_printf(c->mem, "%s/service.key", c->settings->state_dir);
}

/* form_submit's own key; read at each call, so that a new one needs no restart. NULL: there is no such file.
 * ERR_UNAVAILABLE: it is there and cannot be read; without it the call would be somebody else's, whose reqids count anew. */
static enum err
service_key(struct center *c, const char **out)
{
    const char *path = vcs_key_file(c);
    char text[KEY_MAX_BYTES] = "";
    FILE *f = fopen(path, "re");
    *out = NULL;
    if (!f && errno == ENOENT)
        return OK;
    bool is_read = f && fgets(text, sizeof text, f);
    if (!is_read)
        log_error("%s cannot be read: %s", path, f && feof(f) ? "it is empty" : strerror(errno));
    if (f)
        fclose(f);
    *out = arena_strndup(c->mem, text, strcspn(text, "\r\n"));
    return is_read ? OK : ERR_UNAVAILABLE;
}

static void
add(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s%s=", b->len ? "&" : "", name);
    buf_url(b, value);
}

static enum err
nonsense(const char *url, const char *why)
{
    log_error("%s: %s", url, why);
    return ERR_UNAVAILABLE;
}

/* When this process last waited in vain, on the boot clock; 0: the last call was answered. */
static int64_t silent_ms;

/* How long the next call may take; 0: it is not worth trying. */
static int64_t
time_for_call(const struct center *c)
{
    int64_t now_ms = clock_boot_ms(), most_ms = silent_ms ? TRIAL_MS : HTTP_TOTAL_MS;
    if (c->until_ms == 0)
        return HTTP_TOTAL_MS;
    if ((silent_ms && now_ms < silent_ms + SILENCE_MS) || now_ms >= c->until_ms)
        return 0;
    return now_ms + most_ms < c->until_ms ? most_ms : c->until_ms - now_ms;
}

static enum err
post(struct center *c, const char *url, const char *body, struct http_answer *out)
{
    int64_t most_ms = time_for_call(c), began_ms = clock_boot_ms();
    const char *key;
    if (most_ms == 0 || service_key(c, &key) != OK)
        return ERR_UNAVAILABLE;
    enum err err = http_call(c->mem, url, body, key, "application/xml", c->settings->service_ca_file, most_ms, out);
    int64_t now_ms = clock_boot_ms();
    silent_ms = err != OK && now_ms - began_ms >= SILENT_FROM_MS ? now_ms : 0;
    return err;
}

/* The codes of a conference that ended are nobody's (404), and nobody is queued for it (409). */
static bool
is_ended(const struct http_answer *answer, const char *name, const struct value *tree)
{
    const char *parameter = value_get_text(tree, "parameter");
    return text_same(name, "message") &&
           ((answer->status == 404 && text_same(parameter, "vanity")) || (answer->status == 409 && text_same(parameter, "conf")));
}

/* The XML of an answer, whose root must be called `root`. */
static enum err
read_answer(struct center *c, const char *url, const struct http_answer *answer, const char *root, struct value **out)
{
    const char *name;
    if (xml_read(c->mem, answer->body, answer->bytes, &name, out) != OK)
        return nonsense(url, arena_printf(c->mem, "status %d and no XML", answer->status));
    if (is_ended(answer, name, *out))
        return ERR_GONE;
    if (answer->status != 200 || !text_same(name, root)) {
        const char *reason = value_get_text(*out, "reason");
        return nonsense(url, arena_printf(c->mem, "status %d: %s", answer->status, reason ? reason : name));
    }
    return OK;
}

static enum err
call(struct center *c, const char *base, const char *program, const char *root, const struct buf *body, struct value **out)
{
    struct http_answer answer;
    const char *url = arena_printf(c->mem, "%s/cgi_bin/%s", base, program);
    enum err err = post(c, url, buf_str(body), &answer);
    if (err == ERR_TOO_LARGE)
        return nonsense(url, "the answer is over the limit");
    return err == OK ? read_answer(c, url, &answer, root, out) : err;
}

/* The code of the access element of that type: the one that has a <code>. */
static const char *
access_code(const struct value *conference, const char *type)
{
    for (const struct value *v = conference->first; v; v = v->next)
        if (text_same(v->name, "access") && text_same(value_get_text(v, "type"), type) && value_get_text(v, "code"))
            return value_get_text(v, "code");
    return NULL;
}

static const char *
subject_of(struct center *c, const struct sent_form *form)
{
    const char *first = form->question[0] ? form->question : form->topic[0] ? form->topic : "new_conference";
    char *line = arena_strndup(c->mem, first, text_head(first, SUBJECT_CHARS));
    text_blank_controls(line);
    return line;
}

/* How long he has waited when this call is made; in another boot only the wall clock knows. */
static int64_t
waited_ms(const struct center *c, const struct sent_form *form)
{
    bool is_this_boot = text_same(form->boot, clock_boot_id());
    int64_t ms = is_this_boot ? clock_boot_ms() - form->boot_ms : c->now_ms - form->created_at;
    return ms > 0 ? ms : 0;
}

enum err
vcs_schedule(struct center *c, const struct sent_form *form, struct vcs_conference *out)
{
    struct value *tree;
    struct buf body = buf_new(c->mem, CALL_MAX_BYTES);
    add(&body, "conf_type", "reservationless");
    add(&body, "subject", subject_of(c, form));
    add(&body, "reqid", form->reqid);
    enum err err = call(c, c->settings->collaboration_url, "vcs_conf_schedule", "conference", &body, &tree);
    if (err != OK)
        return err;
    out->id = value_get_text(tree, "id");
    out->leader = access_code(tree, "leader");
    out->participant = access_code(tree, "participant");
    return out->id && out->leader && out->participant ? OK : nonsense("vcs_conf_schedule", "an id or a code is missing");
}

static int64_t
number_in(const struct value *tree, const char *name, int64_t otherwise)
{
    int64_t number;
    const char *text = value_get_text(tree, name);
    return text && text_int(text, 0, INT32_MAX, &number) == OK ? number : otherwise;
}

enum err
vcs_invite(struct center *c, const struct sent_form *form, const struct vcs_conference *conf, int64_t *position, int64_t *wait_s)
{
    struct value *tree;
    struct buf body = buf_new(c->mem, CALL_MAX_BYTES);
    add(&body, "action", "put");
    add(&body, "url",
        arena_printf(c->mem, "%s/cgi_bin/vcs_call?action=add&&vanity=%s&call_callid=%s", c->settings->collaboration_url,
            conf->leader, conf->id));
    add(&body, "conf", conf->id);
    add(&body, "subject", subject_of(c, form));
    add(&body, "topic", form->topic);
    add(&body, "name", form->name);
    add(&body, "phone", form->phone);
    add(&body, "email", form->email);
    add(&body, "language", form->language);
    add(&body, "page", form->page);
    add(&body, "waited_ms", arena_printf(c->mem, "%lld", (long long)waited_ms(c, form)));
    add(&body, "reqid", form->reqid);
    enum err err = call(c, c->settings->queue_url, "queue", "queue", &body, &tree);
    if (err != OK)
        return err;
    *position = number_in(tree, "position", 0);
    *wait_s = number_in(tree, "wait_s", -1);
    return OK;
}

enum err
vcs_connect(struct center *c, const struct sent_form *form, const struct vcs_conference *conf, const char **token,
    const char **window)
{
    struct value *tree;
    struct buf body = buf_new(c->mem, CALL_MAX_BYTES);
    add(&body, "action", "add");
    add(&body, "vanity", conf->participant);
    add(&body, "call_callid", conf->id);
    add(&body, "name", form->name);
    add(&body, "reqid", form->reqid);
    if (form->question[0])
        add(&body, "text", form->question);
    enum err err = call(c, c->settings->collaboration_url, "vcs_call", "call", &body, &tree);
    if (err != OK)
        return err;
    *token = value_get_text(value_get(tree, "member"), "token");
    *window = value_get_text(tree, "window");
    return *token && *window ? OK : nonsense("vcs_call", "the token or the window is missing");
}

/* Giving up on this question early says nothing about a form that has more time. */
enum err
vcs_standing(struct center *c, struct vcs_standing *out)
{
    struct value *tree;
    struct buf body = buf_new(c->mem, CALL_MAX_BYTES);
    struct center hurried = *c;
    int64_t silent_before_ms = silent_ms;
    hurried.until_ms = clock_boot_ms() + LOOK_MS;
    add(&body, "action", "standing");
    enum err err = call(&hurried, c->settings->queue_url, "queue", "queue", &body, &tree);
    if (err != OK) {
        silent_ms = silent_before_ms;
        return ERR_UNAVAILABLE;
    }
    *out = (struct vcs_standing){.waiting = number_in(tree, "waiting", -1),
        .wait_s = number_in(tree, "wait_s", -1),
        .agents = number_in(tree, "agents", -1),
        .free = number_in(tree, "free", -1)};
    bool is_whole = out->waiting >= 0 && out->agents >= 0 && out->free >= 0;
    return is_whole ? OK : nonsense("queue", "it does not say how one would stand");
}

/* A form waits whatever the fault is; a person who looks must know whether it is the key or the server. The list of a busy place
 * is longer than what is read of it: that it is given is enough. */
static enum err
check_key_at(struct center *c, const char *url, const char *body, const char *root)
{
    struct http_answer answer;
    struct value *tree;
    enum err err = post(c, url, body, &answer);
    if (err == OK && (answer.status == 401 || answer.status == 403))
        return ERR_UNAUTHORIZED;
    if (err == ERR_TOO_LARGE)
        return answer.status == 200 ? OK : nonsense(url, "the answer is over the limit");
    return err == OK ? read_answer(c, url, &answer, root, &tree) : err;
}

enum err
vcs_check_key(struct center *c)
{
    const char *vcs = arena_printf(c->mem, "%s/cgi_bin/vcs", c->settings->collaboration_url);
    const char *queue = arena_printf(c->mem, "%s/cgi_bin/queue", c->settings->queue_url);
    enum err at_vcs = check_key_at(c, vcs, "all_vanities=true", "conferences");
    enum err at_queue = check_key_at(c, queue, "action=standing", "queue");
    return at_vcs == OK || at_queue == ERR_UNAUTHORIZED ? at_queue : at_vcs;
}
