/* due: work for later, one row each, claimed by whoever looks first and given back when its lease runs out.
 *
 * Every kind of work is safe to do twice. What fails is tried again after 1, 2, 4, 5, 5, … seconds, for ever: it is somebody's
 * case. */
#ifndef RTCC_DUE_H
#define RTCC_DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"

/* Notes work; what is noted already under that kind and key stays. Inside a transaction. */
must_check enum err due_add(struct center *c, const char *kind, const char *key, int64_t due_at);

/* It is done. Inside a transaction. */
must_check enum err due_done(struct center *c, const char *kind, const char *key);

/* A kind of work: the form whose reqid is `key` is to be finished (sentform_finish()). */
#define DUE_FORM "form"

/* A kind of work: the bytes at the place `key` are no file's any more; filestore_drop() removes them. */
#define DUE_FILE "file"

struct due {
    const char *kind;
    const char *key;
    int64_t attempts;
};

/* Claims the next piece for DUE_LEASE_MS. ERR_NOT_FOUND: nothing is due. */
must_check enum err due_claim(struct center *c, struct due *out);

/* It did not work; again later. */
must_check enum err due_later(struct center *c, const struct due *due, const char *why);

/* All of a kind is due now: a piece of it that had not worked before has just worked, so what hindered the others is over.
 * *changed: how many were not due before. */
must_check enum err due_hurry(struct center *c, const char *kind, int *changed);

/* How much is due and not done, and how long (ms) the oldest has been. */
must_check enum err due_waiting(struct center *c, int64_t *count, int64_t *oldest_ms);

#endif
