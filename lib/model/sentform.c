/* sentform.c: see sentform.h. */
#include "model/sentform.h"

#include "base/clock.h"
#include "base/text.h"
#include "io/secret.h"
#include "model/due.h"
#include "model/vcs.h"

enum { OWN_TRY_MS = 5000 }; /* whoever took the form has so long before others go on with it */
enum { ROOMS_MOST = 8 };

static const char *
digest_of(struct center *c, const struct form_entries *e)
{
    const char *all = arena_printf(c->mem, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s", e->name, e->phone, e->email, e->topic, e->question,
        e->language, e->page, e->consent);
    return secret_hash(c->mem, all);
}

enum err
sentform_find(struct center *c, const char *reqid, struct sent_form *out)
{
    return sql_sent_form(c->db, c->mem, &(struct sql_sent_form_in){.reqid = reqid}, out);
}

static enum err
keep(struct center *c, const struct form_entries *e, const char *digest)
{
    int changed = 0;
    struct sql_request_insert_in in = {.reqid = e->reqid,
        .digest = digest,
        .name = e->name,
        .phone = e->phone,
        .email = e->email,
        .topic = e->topic,
        .question = e->question,
        .language = e->language,
        .page = e->page,
        .consent = e->consent,
        .at = c->now_ms,
        .boot = clock_boot_id(),
        .boot_ms = c->boot_ms};
    enum err err = sql_request_insert(c->db, &in, &changed);
    return err == OK && changed ? due_add(c, DUE_FORM, e->reqid, c->now_ms + OWN_TRY_MS) : err;
}

enum err
sentform_keep(struct center *c, const struct form_entries *entries, struct sent_form *out)
{
    const char *digest = digest_of(c, entries);
    enum err err = db_begin(c->db);
    if (err == OK)
        err = db_end(c->db, keep(c, entries, digest));
    if (err == OK)
        err = sentform_find(c, entries->reqid, out);
    if (err == OK && !text_same(out->digest, digest))
        return center_fault(c, ERR_CONFLICT, "reqid", "This form was sent before with other entries.");
    return err;
}

static enum err
mark_done(struct center *c, const struct sql_request_done_in *in)
{
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = sql_request_done(c->db, in);
    if (err == OK)
        err = due_done(c, DUE_FORM, in->reqid);
    return db_end(c->db, err);
}

static enum err
carry(struct center *c, const struct sent_form *form, struct sql_request_done_in *done)
{
    struct vcs_conference conf = {.id = ""};
    enum err err = vcs_schedule(c, form, &conf);
    if (err == OK)
        err = vcs_invite(c, form, &conf, &done->position, &done->wait_s);
    if (err == OK)
        err = vcs_connect(c, form, &conf, &done->token, &done->window);
    done->conf = conf.id;
    return err;
}

/* When a try was cut between the queue and the room, an agent may have come, found nobody and ended it. Then the customer gets
 * another room, under an id that is made of the first and that room: every try finds the same. */
static enum err
carry_into_a_room(struct center *c, const struct sent_form *form, struct sql_request_done_in *done)
{
    struct sent_form wish = *form;
    enum err err = carry(c, &wish, done);
    for (int rooms = 1; err == ERR_GONE && rooms < ROOMS_MOST; rooms++) {
        wish.reqid = secret_hash(c->mem, arena_printf(c->mem, "%s\n%s", wish.reqid, done->conf));
        err = carry(c, &wish, done);
    }
    return err == ERR_GONE ? ERR_UNAVAILABLE : err;
}

enum err
sentform_finish(struct center *c, const char *reqid, struct sent_form *out)
{
    struct sql_request_done_in done = {.reqid = reqid};
    enum err err = sentform_find(c, reqid, out);
    if (err != OK || out->is_done)
        return err;
    err = carry_into_a_room(c, out, &done);
    if (err == OK)
        err = mark_done(c, &done);
    return err == OK ? sentform_find(c, reqid, out) : err;
}

static enum err
hurry(struct center *c)
{
    int changed = 0;
    struct sql_job_hurry_forms_in in = {.at = c->now_ms, .boot = clock_boot_id()};
    enum err err = due_hurry(c, DUE_FORM, &changed);
    return err == OK && changed > 1 ? sql_job_hurry_forms(c->db, &in) : err;
}

enum err
sentform_hurry(struct center *c)
{
    enum err err = db_begin(c->db);
    return err == OK ? db_end(c->db, hurry(c)) : err;
}

enum err
sentform_kept(struct center *c, int64_t *count, int64_t *oldest_ms)
{
    struct request_open row;
    enum err err = sql_request_open(c->db, c->mem, &row);
    if (err != OK)
        return err;
    *count = row.kept;
    *oldest_ms = row.kept ? c->now_ms - row.oldest_at : 0;
    return OK;
}
