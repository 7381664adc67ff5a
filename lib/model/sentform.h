/* sentform: a form that a customer sent: kept first, then carried to the other servers, so that nobody is lost between two calls.
 *
 * What is kept and not finished is a job; whoever looks (rtcc work, form_submit itself) goes on with it, and may do so twice:
 * every call is idempotent. */
#ifndef RTCC_SENTFORM_H
#define RTCC_SENTFORM_H

#include <stdint.h>

#include "io/center.h"
#include "sql.h"

enum { QUESTION_CHARS = 4000, TOPIC_CHARS = 100, EMAIL_CHARS = 254, LANGUAGE_CHARS = 35, PAGE_CHARS = 2000, CONSENT_CHARS = 500 };

/* What was entered; texts are never NULL. */
struct form_entries {
    const char *reqid, *name, *phone, *email, *topic, *question, *language, *page, *consent;
};

/* Keeps the entries. The same reqid with the same entries: the form kept then; with others ERR_CONFLICT. */
must_check enum err sentform_keep(struct center *c, const struct form_entries *entries, struct sent_form *out);

/* ERR_NOT_FOUND. */
must_check enum err sentform_find(struct center *c, const char *reqid, struct sent_form *out);

/* How many are kept and not finished, and for how long (ms) the oldest has been. */
must_check enum err sentform_kept(struct center *c, int64_t *count, int64_t *oldest_ms);

/* Makes its conference, invitation and member. Done already: *out as it was then. ERR_UNAVAILABLE: a server is
 * down; it stays kept. */
must_check enum err sentform_finish(struct center *c, const char *reqid, struct sent_form *out);

/* A form that was kept has got through: all others that were put off are to be finished now, in the order in which they were
 * sent, however often each was tried; those that were due already go before them. */
must_check enum err sentform_hurry(struct center *c);

#endif
