/* job.c: access, answer, bytes, in this order, inside the transaction of a batch: a page that cannot be written undoes what its
 * request did. What prepare() does is done for all of them before. The arenas of finished requests are kept in a small pool,
 * because a fresh one costs two mallocs and page faults.
 *
 * Rejected: a thread for each request (the transaction is one, and so is the arena of the prepared statements' texts). */
#include "io/job.h"

#include <assert.h>
#include <unistd.h>

#include "base/log.h"
#include "io/db.h"

enum { POOL_MAX = 64 };

static struct {
    struct arena *arenas[POOL_MAX];
    size_t count;
} pool;

void
job_begin(struct job *job)
{
    *job = (struct job){.answer.file.fd = -1};
    job->mem = pool.count > 0 ? pool.arenas[--pool.count] : arena_new();
}

void
job_end(struct job *job)
{
    if (job->answer.file.fd >= 0)
        close(job->answer.file.fd);
    if (job->r != NULL && job->r->file.fd >= 0)
        close(job->r->file.fd);
    if (pool.count < POOL_MAX) {
        arena_reset(job->mem);
        pool.arenas[pool.count++] = job->mem;
    } else {
        arena_free(job->mem);
    }
    job->mem = NULL;
}

void
job_read(struct job *job, const struct service *s, const struct center *process, const struct input *in)
{
    job->r = request_new(s, process, job->mem);
    job->err = request_read(job->r, in);
}

/* The answer was not sent, so its file is nobody's yet. */
static void
drop_answer(struct job *job)
{
    if (job->answer.file.fd >= 0)
        close(job->answer.file.fd);
    job->answer.file.fd = -1;
}

/* What was said before is not true: the database did not keep it. */
static void
take_back(struct job *job)
{
    drop_answer(job);
    job->r->c->fault = (struct fault){0};
    job->r->headers_out = buf_new(job->mem, HEADERS_MAX_BYTES); /* may hold the cookie of a session that is not there */
    job->err = answer_write(job->r, ERR_UNAVAILABLE, &job->answer);
}

static void
write_answer(struct job *job)
{
    if (job->err == OK && job->r->is_held)
        return;
    job->r->is_held = false;
    job->err = answer_write(job->r, job->err, &job->answer);
}

static void
run(struct job *job)
{
    const struct service *s = job->r->service;
    if (job->err == OK && s->access != NULL)
        job->err = s->access(job->r);
    if (job->err == OK)
        job->err = s->answer(job->r);
    write_answer(job);
}

static void
run_saved(struct job *job, struct db *db)
{
    if (db_begin(db) != OK) {
        take_back(job);
        return;
    }
    run(job);
    bool is_fine = job->err == OK;
    if (db_end(db, job->err) != OK && is_fine)
        take_back(job);
}

/* The well-formed requests in one transaction; what any of them said is worth nothing if it does not come to the disk. */
static void
run_batch(struct job **jobs, size_t count)
{
    struct db *db = jobs[0]->r->c->db;
    enum err err = db_begin(db);
    if (err == OK) {
        for (size_t i = 0; i < count; i++)
            run_saved(jobs[i], db);
        err = db_commit(db);
    }
    for (size_t i = 0; err != OK && i < count; i++)
        take_back(jobs[i]);
}

static void
prepare(struct job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (jobs[i].err == OK && jobs[i].r->service->prepare != NULL)
            jobs[i].r->service->prepare(jobs[i].r);
}

void
jobs_run(struct job *jobs, size_t count)
{
    const struct service *s = jobs[0].r->service;
    struct job **saved = arena_array(jobs[0].mem, count, sizeof *saved);
    size_t saved_count = 0;
    prepare(jobs, count);
    bool is_quick_look = s->mode != PREFORK && !(s->mode == BATCH && s->is_changing);
    if (is_quick_look)
        db_read_begin(jobs[0].r->c->db);
    for (size_t i = 0; i < count; i++) {
        if (jobs[i].err == OK && s->mode == BATCH && s->is_changing)
            saved[saved_count++] = &jobs[i];
        else
            run(&jobs[i]);
    }
    if (is_quick_look)
        db_read_end(jobs[0].r->c->db);
    if (saved_count == 1)
        run_saved(saved[0], saved[0]->r->c->db); /* a transaction of its own */
    else if (saved_count > 1)
        run_batch(saved, saved_count);
}

void
job_wake(struct job *job, bool is_late)
{
    struct request *r = job->r;
    r->is_held = true;
    job->err = r->service->hold->wake(r, &r->wait, is_late);
    if (is_late && job->err == OK && r->is_held) {
        log_error("a request that came to its deadline was not answered by the program");
        r->is_held = false;
    }
    write_answer(job);
}
