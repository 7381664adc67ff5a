/* trace: why who was offered whom: each decision of the routing, told by queue's action=trace. */
#ifndef RTCC_TRACE_H
#define RTCC_TRACE_H

#include "base/value.h"
#include "model/invitation.h"

/* One decision about one agent (0: nobody). Inside a transaction. */
must_check enum err trace_note(struct center *c, int64_t conf, int64_t invitation, int64_t agent, const char *verdict,
    const char *reason);

/* Why everybody else, of the first fifty who work here, was passed over when `chosen` (0: nobody) was. Inside a transaction. */
must_check enum err trace_others(struct center *c, const struct invitation *invitation, int64_t chosen);

/* Appends the decisions about a conference to `list`, oldest first. */
must_check enum err trace_read(struct center *c, int64_t conf, struct value *list);

#endif
