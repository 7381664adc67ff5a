/* job: one request in hand, from its input to the bytes of its answer; the same in all loops and under CGI. */
#ifndef RTCC_JOB_H
#define RTCC_JOB_H

#include "io/answer.h"
#include "io/request.h"

struct job {
    struct arena *mem; /* everything that the request made */
    struct request *r;
    enum err err; /* what came out; with r->is_held there is no answer yet */
    struct answer answer;
};

/* Takes an arena from the pool; job_end() gives it back and closes a file that was not sent. */
void job_begin(struct job *job);
void job_end(struct job *job);

/* Reads the request; job->err says whether it is in order. */
void job_read(struct job *job, const struct service *s, const struct center *process, const struct input *in);

/* Asks the program's functions and writes the answers of `count` jobs, those without an error in one transaction if the service
 * is BATCH and changing, after prepare() of each; a job with an error already gets that told. Afterwards every job has its answer
 * or is held. */
void jobs_run(struct job *jobs, size_t count);

/* Asks hold->wake() for a request made by request_new() with r->wait set. */
void job_wake(struct job *job, bool is_late);

#endif
