/* conf_post: a member says or does something in a conference. */
#include "io/service.h"

#include "base/text.h"
#include "model/conference.h"
#include "model/event.h"
#include "model/talk.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

enum { CONF, KIND, NONCE, TEXT, TO, DATA, STARS, PART };

static const struct param params[] = {
    [CONF] = {"conf", PARAM_LINE, true, 0, 80, "the conference's id"},
    [KIND] = {"kind", PARAM_LINE, true, 0, 16, "message, typing, signal, call, callback, rating, solved, leave; staff: note"},
    [NONCE] = {"nonce", PARAM_LINE, false, 0, NONCE_CHARS, "the client's own; the same again answers the first id"},
    [TEXT] = {"text", PARAM_TEXT, false, 0, EVENT_TEXT_CHARS, "message, note, rating: what is said"},
    [TO] = {"to", PARAM_INT, false, 1, 9007199254740991, "signal: the member whom it is for"},
    [DATA] = {"data", PARAM_TEXT, false, 0, 16000, "signal: what the browsers tell each other"},
    [STARS] = {"stars", PARAM_INT, false, 1, 5, "rating: how good it was"},
    [PART] = {"part", PARAM_LINE, false, 0, 8, "where a browser without JavaScript goes back to: write, log, page"},
    {"token", PARAM_LINE, false, 0, 80, "the member's, unless a header or cookie carries it"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a cookie"},
    {.name = NULL},
};

static enum err
missing(struct request *r, int i)
{
    return center_fault(r->c, ERR_BAD_PARAMETER, params[i].name, "The parameter '%s' is missing.", params[i].name);
}

static enum err
check_text(struct request *r)
{
    if (!r->args[TEXT].text)
        return missing(r, TEXT);
    if (text_is_blank(r->args[TEXT].text))
        return center_fault(r->c, ERR_BAD_PARAMETER, "text", "The parameter 'text' is blank; please write something.");
    return OK;
}

static enum err
add(struct request *r, struct event_new *event)
{
    int64_t id;
    event->conf = r->caller->member.conf;
    event->member = r->caller->member.id;
    event->kind = r->args[KIND].text;
    event->nonce = r->args[NONCE].text;
    enum err err = event_add(r->c, event, &id);
    if (err == OK)
        value_add_int(r->out, "id", id);
    return err;
}

static enum err
post_message(struct request *r)
{
    struct event_new event = {.audience = TO_ALL, .text = r->args[TEXT].text};
    enum err err = check_text(r);
    return err == OK ? add(r, &event) : err;
}

static enum err
post_note(struct request *r)
{
    struct event_new event = {.audience = TO_STAFF, .text = r->args[TEXT].text};
    if (!member_is_staff(&r->caller->member))
        return center_fault(r->c, ERR_FORBIDDEN, "kind", "Only staff write notes.");
    enum err err = check_text(r);
    return err == OK ? add(r, &event) : err;
}

static enum err
post_typing(struct request *r)
{
    value_add_null(r->out, "id");
    return event_typing(r->c, r->caller->member.conf, r->caller->member.id);
}

static enum err
post_signal(struct request *r)
{
    struct member to;
    if (!r->args[TO].text || !r->args[DATA].text)
        return missing(r, r->args[TO].text ? DATA : TO);
    enum err err = member_find(r->c, r->args[TO].number, &to);
    if (err == ERR_NOT_FOUND || (err == OK && to.conf != r->caller->member.conf))
        return center_fault(r->c, ERR_NOT_FOUND, "to", "There is no such member in this conference.");
    if (err != OK)
        return err;
    struct value *data = value_object(r->c->mem);
    value_add_int(data, "to", to.id);
    value_add_text(data, "data", r->args[DATA].text);
    struct event_new event = {.audience = TO_MEMBER, .to_id = to.id, .data = data};
    return add(r, &event);
}

/* Whoever repeats what he said before the end, because its answer was lost, gets that answer. */
static enum err
repeat(struct request *r, enum err otherwise)
{
    int64_t id;
    const char *nonce = r->args[NONCE].text;
    if (!nonce || event_before(r->c, r->caller->member.id, nonce, &id) != OK)
        return otherwise;
    value_add_int(r->out, "id", id);
    return OK;
}

/* Who has left the others says how it was, once: more would be a way to go on talking to them. */
static enum err
check_may_rate(struct request *r)
{
    int64_t id;
    struct conference_state conf = {.ended_at = 0};
    const struct member *member = &r->caller->member;
    enum err err = member->left_at ? conference_state(r->c, member->conf, &conf) : OK;
    if (err != OK || !member->left_at || conf.ended_at)
        return err;
    err = event_last_of(r->c, member->conf, member->id, "rating", &id);
    if (err == OK)
        return center_fault(r->c, ERR_CONFLICT, "kind", "You have rated this conversation already.");
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
post_rating(struct request *r)
{
    struct value *data = value_object(r->c->mem);
    if (!r->args[STARS].text)
        return missing(r, STARS);
    enum err err = check_may_rate(r);
    if (err != OK)
        return err == ERR_CONFLICT ? repeat(r, err) : err;
    value_add_int(data, "stars", r->args[STARS].number);
    struct event_new event = {.audience = TO_ALL, .text = r->args[TEXT].text, .data = data};
    return add(r, &event);
}

/* His problem is solved: the wait or the talk ends, and the log says why. What was said under this nonce before, whatever it was,
 * has been answered with all that belongs to it (one transaction): it throws out nobody who is there, or back. */
static enum err
post_solved(struct request *r)
{
    struct event_new event = {.audience = TO_ALL};
    enum err err = repeat(r, ERR_NOT_FOUND);
    if (err != ERR_NOT_FOUND)
        return err;
    err = add(r, &event);
    return err == OK ? talk_leave(r->c, &r->caller->member) : err;
}

/* Whom the end of the conference took out has no leaving of his own: then the end is what he is told. */
static enum err
post_leave(struct request *r)
{
    int64_t id;
    const struct member *member = &r->caller->member;
    if (member->left_event) { /* he has left before: the same again */
        value_add_int(r->out, "id", member->left_event);
        return OK;
    }
    enum err err = talk_leave(r->c, member);
    if (err == OK)
        err = event_last_of(r->c, member->conf, member->id, "left", &id);
    if (err == ERR_NOT_FOUND)
        err = event_last_of(r->c, member->conf, -1, "state", &id);
    if (err == OK)
        value_add_int(r->out, "id", id);
    else if (err == ERR_NOT_FOUND) /* it ended before he left */
        value_add_null(r->out, "id");
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
post_call(struct request *r)
{
    return center_fault(r->c, ERR_UNAVAILABLE, "kind", "Telephone calls are not available here. Please go on in writing.");
}

/* Until when it is taken: while he is there; also when all is over, but not from who left the others; whenever. */
enum until { WHILE_THERE, TO_THE_END, EVER };

static const struct kind {
    const char *name;
    enum until until;
    enum err (*post)(struct request *r);
} kinds[] = {
    {"message", WHILE_THERE, post_message},
    {"note", TO_THE_END, post_note},
    {"typing", WHILE_THERE, post_typing},
    {"signal", WHILE_THERE, post_signal},
    {"rating", EVER, post_rating},
    {"solved", TO_THE_END, post_solved},
    {"leave", EVER, post_leave},
    {"call", WHILE_THERE, post_call},
    {"callback", WHILE_THERE, post_call},
};

static enum err
check_until(struct request *r, enum until until)
{
    struct conference_state conf = {.ended_at = 0};
    enum err err = until == TO_THE_END ? conference_state(r->c, r->caller->member.conf, &conf) : OK;
    return err != OK || until == EVER || conf.ended_at ? err : access_check_there(r);
}

static enum err
answer(struct request *r)
{
    enum err err = show_check_part(r);
    if (err != OK)
        return err;
    show_go(r, show_room(r, r->args[CONF].text, r->args[PART].text));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!text_same(r->args[KIND].text, kinds[i].name))
            continue;
        err = check_until(r, kinds[i].until);
        return err == OK ? kinds[i].post(r) : err == ERR_CONFLICT ? repeat(r, err) : err;
    }
    return center_fault(r->c, ERR_BAD_PARAMETER, "kind", "There is no kind '%s'.", r->args[KIND].text);
}

const struct service service = {
    .name = "conf_post",
    .about = "takes what a member says or does in a conference",
    .methods = METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .access = access_room,
    .answer = answer,
    .render = template_render,
    .back = show_back,
};
