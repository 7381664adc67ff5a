/* site: this installation: its counters, and what is derived from its key.
 *
 * Tokens of members are HMACs of the site's key, conference and member: nothing is stored, a repeated request gets the same
 * one, and a wrong one is told from a right one without asking the database. */
#ifndef RTCC_SITE_H
#define RTCC_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"

/* Makes the site's row with a fresh key, if there is none. */
must_check enum err site_make(struct center *c);

/* The next id of anything but an event. Inside a transaction. */
must_check enum err site_next_id(struct center *c, int64_t *out);

/* The id of the last committed event. */
must_check enum err site_last_event(struct center *c, int64_t *out);

/* The id of the last event of kind queue: as long as it is the same, nobody's place has changed. */
must_check enum err site_last_queue(struct center *c, int64_t *out);

/* "m_MEMBER_MAC". */
must_check enum err site_token(struct center *c, int64_t conf, int64_t member, const char **out);

/* The member whose token this is. ERR_UNAUTHORIZED: it is nobody's in this conference. */
must_check enum err site_token_member(struct center *c, int64_t conf, const char *token, int64_t *member);

/* The MAC of a ticket: what stands in an address instead of a token. */
must_check enum err site_ticket(struct center *c, int64_t conf, int64_t member, int64_t at, const char **out);

/* The MAC of any other text that must come back as it was sent; `what` says which use it is. */
must_check enum err site_mac(struct center *c, const char *what, const char *text, const char **out);

/* The csrf value that belongs to a cookie, by the serial that stands for it: a member's id, or session_serial(). */
must_check enum err site_csrf(struct center *c, int64_t serial, const char **out);

#endif
