/* due.c: see due.h. */
#include "model/due.h"

#include "base/clock.h"
#include "sql.h"

/* A lease may end before the work does: all work may be done twice, and who was killed in the middle must not delay it. */
enum { DUE_LEASE_MS = 5000, PAUSE_FIRST_MS = 1000, PAUSE_MOST_MS = 5000 };
enum { AHEAD_MOST_MS = 60000 }; /* nothing is put off for so long */

enum err
due_add(struct center *c, const char *kind, const char *key, int64_t due_at)
{
    return sql_job_insert(c->db, &(struct sql_job_insert_in){.kind = kind, .key = key, .due_at = due_at});
}

enum err
due_done(struct center *c, const char *kind, const char *key)
{
    return sql_job_done(c->db, &(struct sql_job_done_in){.kind = kind, .key = key});
}

enum err
due_claim(struct center *c, struct due *out)
{
    struct job_claim row;
    struct sql_job_claim_in in = {.at = c->now_ms,
        .far_at = c->now_ms + AHEAD_MOST_MS,
        .boot = clock_boot_id(),
        .boot_ms = c->boot_ms,
        .until_ms = c->boot_ms + DUE_LEASE_MS};
    enum err err = sql_job_claim(c->db, c->mem, &in, &row);
    if (err == OK)
        *out = (struct due){.kind = row.kind, .key = row.key, .attempts = row.attempts};
    return err;
}

enum err
due_later(struct center *c, const struct due *due, const char *why)
{
    int64_t pause_ms = due->attempts > 3 ? PAUSE_MOST_MS : PAUSE_FIRST_MS << (due->attempts - 1);
    struct sql_job_later_in in = {.kind = due->kind, .key = due->key, .due_at = c->now_ms + pause_ms, .last_error = why};
    return sql_job_later(c->db, &in);
}

enum err
due_hurry(struct center *c, const char *kind, int *changed)
{
    return sql_job_hurry(c->db, &(struct sql_job_hurry_in){.kind = kind, .at = c->now_ms}, changed);
}

enum err
due_waiting(struct center *c, int64_t *count, int64_t *oldest_ms)
{
    struct job_waiting row;
    enum err err = sql_job_waiting(c->db, c->mem, &(struct sql_job_waiting_in){.at = c->now_ms}, &row);
    if (err != OK)
        return err;
    *count = row.waiting;
    *oldest_ms = row.waiting ? c->now_ms - row.oldest_at : 0;
    return OK;
}
