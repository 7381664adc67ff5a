/* conference.c: see conference.h. Ids and codes are drawn at random and tried again when one is taken: counting them up was
 * rejected, because a code would tell the next one. */
#include "model/conference.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"

enum { NUMBER_DIGITS = 15, TRIES = 20 };
static const int64_t NUMBER_MIN = 100000000000000, NUMBERS = 900000000000000, CODE_PAIRS = 5000000;

const char *
conference_name(struct center *c, int64_t conf)
{
    return arena_printf(c->mem, "%015lld%s", (long long)conf, c->settings->server_name);
}

int64_t
conference_number(struct center *c, const char *name)
{
    if (!name || strlen(name) < NUMBER_DIGITS || !text_is_digits(arena_strndup(c->mem, name, NUMBER_DIGITS), NUMBER_DIGITS))
        return 0;
    if (!text_same(name + NUMBER_DIGITS, c->settings->server_name))
        return 0;
    return strtoll(arena_strndup(c->mem, name, NUMBER_DIGITS), NULL, 10);
}

const char *
conference_code(struct center *c, const struct conference *conf, bool is_leader)
{
    return arena_printf(c->mem, "%07lld", (long long)conf->code + is_leader);
}

static enum err
no_conference(struct center *c)
{
    return center_fault(c, ERR_NOT_FOUND, NULL, "There is no such conference.");
}

enum err
conference_get(struct center *c, int64_t id, struct conference *out)
{
    enum err err = sql_conference(c->db, c->mem, &(struct sql_conference_in){.id = id}, out);
    return err == ERR_NOT_FOUND ? no_conference(c) : err;
}

enum err
conference_state(struct center *c, int64_t id, struct conference_state *out)
{
    enum err err = sql_conference_state(c->db, c->mem, &(struct sql_conference_state_in){.id = id}, out);
    return err == ERR_NOT_FOUND ? no_conference(c) : err;
}

enum err
conference_find(struct center *c, const char *name, struct conference *out)
{
    int64_t id = conference_number(c, name);
    return id ? conference_get(c, id, out) : no_conference(c);
}

enum err
conference_by_code(struct center *c, const char *code, struct conference *out, bool *is_leader)
{
    struct conference_by_code row;
    if (!code || !text_is_digits(code, CODE_DIGITS))
        return no_conference(c);
    int64_t number = strtoll(code, NULL, 10);
    enum err err = sql_conference_by_code(c->db, c->mem, &(struct sql_conference_by_code_in){.code = number - number % 2}, &row);
    if (err != OK)
        return err == ERR_NOT_FOUND ? no_conference(c) : err;
    *is_leader = number % 2 == 1;
    return conference_get(c, row.id, out);
}

enum err
conference_own_by_code(struct center *c, const char *account, const char *code, struct conference *out)
{
    struct conference_own_by_code row;
    if (!code || !text_is_digits(code, CODE_DIGITS))
        return no_conference(c);
    int64_t number = strtoll(code, NULL, 10);
    struct sql_conference_own_by_code_in in = {.code = number - number % 2, .account = account};
    enum err err = sql_conference_own_by_code(c->db, c->mem, &in, &row);
    if (err == ERR_NOT_FOUND)
        return no_conference(c);
    return err == OK ? conference_get(c, row.id, out) : err;
}

/* ── making and changing ── */

static const char *
wish_digest(struct center *c, const struct conference_wish *w)
{
    const char *all = arena_printf(c->mem, "%s\n%s\n%s\n%s\n%lld\n%lld\n%lld\n%s\n%s", w->type, w->subject, w->owner, w->timezone,
        (long long)w->start_at, (long long)w->end_at, (long long)w->duration_s, w->recurrence, w->options);
    return secret_hash(c->mem, all);
}

static enum err
conference_again(struct center *c, const struct conference_wish *wish, const char *digest, struct conference *out)
{
    struct conference_by_reqid row;
    struct sql_conference_by_reqid_in in = {.account = wish->account, .reqid = wish->reqid};
    enum err err = sql_conference_by_reqid(c->db, c->mem, &in, &row);
    if (err != OK)
        return err;
    if (!text_same(row.digest, digest))
        return center_fault(c, ERR_CONFLICT, "reqid", "This reqid was used before with other values.");
    return conference_get(c, row.id, out);
}

/* The row as it was written, without asking the database for it again. */
static struct conference
just_made(const struct sql_conference_insert_in *row)
{
    return (struct conference){.id = row->id,
        .type = row->type,
        .subject = row->subject,
        .owner = row->owner,
        .account = row->account,
        .digest = row->digest,
        .code = row->code,
        .state = "waiting",
        .timezone = row->timezone,
        .start_at = row->start_at,
        .end_at = row->end_at,
        .duration_s = row->duration_s,
        .recurrence = row->recurrence,
        .options = row->options,
        .created_at = row->at};
}

static enum err
conference_make(struct center *c, const struct conference_wish *w, const char *digest, struct conference *out)
{
    struct sql_conference_insert_in in = {.type = w->type,
        .subject = w->subject,
        .owner = w->owner,
        .account = w->account,
        .reqid = w->reqid,
        .digest = digest,
        .timezone = w->timezone,
        .start_at = w->start_at ? w->start_at : c->now_ms,
        .end_at = w->end_at,
        .duration_s = w->duration_s,
        .recurrence = w->recurrence,
        .options = w->options,
        .at = c->now_ms};
    enum err err = ERR_CONFLICT;
    for (int i = 0; i < TRIES && err == ERR_CONFLICT; i++) {
        in.id = NUMBER_MIN + secret_random_below(NUMBERS);
        in.code = 2 * secret_random_below(CODE_PAIRS);
        err = sql_conference_insert(c->db, &in);
    }
    if (err == ERR_CONFLICT)
        return center_fault(c, ERR_UNAVAILABLE, NULL, "There are so many conferences that no code is free.");
    if (err == OK)
        *out = just_made(&in);
    return err;
}

enum err
conference_schedule(struct center *c, const struct conference_wish *wish, struct conference *out)
{
    const char *digest = wish_digest(c, wish);
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = wish->reqid ? conference_again(c, wish, digest, out) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        err = conference_make(c, wish, digest, out);
    return db_end(c->db, err);
}

/* A reqid that made a conference belongs to another request. */
static enum err
check_made_none(struct center *c, const struct conference_wish *wish)
{
    struct conference other;
    enum err err = wish->reqid ? conference_again(c, wish, "", &other) : ERR_NOT_FOUND;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
conference_change(struct center *c, int64_t id, const struct conference_wish *w, struct conference *out)
{
    int changed;
    enum err err = check_made_none(c, w);
    if (err != OK)
        return err;
    struct sql_conference_change_in in = {.id = id,
        .type = w->type,
        .subject = w->subject,
        .owner = w->owner,
        .timezone = w->timezone,
        .start_at = w->start_at,
        .end_at = w->end_at,
        .duration_s = w->duration_s,
        .recurrence = w->recurrence,
        .options = w->options};
    err = sql_conference_change(c->db, &in, &changed);
    return err == OK ? conference_get(c, id, out) : err;
}

enum err
conference_list(struct center *c, const char *account, struct conference **out, size_t *count)
{
    struct conference_list *rows;
    enum err err = sql_conference_list(c->db, c->mem, &(struct sql_conference_list_in){.account = account}, &rows, count);
    if (err != OK)
        return err;
    *out = arena_array(c->mem, *count, sizeof **out);
    for (size_t i = 0; err == OK && i < *count; i++)
        err = conference_get(c, rows[i].id, &(*out)[i]);
    return err;
}

enum err
conference_code_counts(struct center *c)
{
    struct conference_live_count row;
    enum err err =
        sql_conference_live_count(c->db, c->mem, &(struct sql_conference_live_count_in){.most = CONFERENCE_CODES_MOST}, &row);
    if (err != OK)
        return err;
    return row.live > CONFERENCE_CODES_MOST ? no_conference(c) : OK;
}
