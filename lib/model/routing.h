/* routing: which agent goes to which customer's room.
 *
 * An offer is a lease: one agent, one invitation, `offer_s` seconds on the boot clock, with the invitation's epoch. At most
 * one for an agent and one for an invitation, by two unique indexes. Accepting is one UPDATE that only the current epoch can win;
 * everything else happens after it in the same transaction. Free is who is ready, present, below his capacity and without an
 * offer; the longest idle goes first and is given the first invitation that he can serve. Whoever let an offer go, or did not
 * answer it, is spared that invitation for REFUSED_MS; so is, from then on, whoever accepted it, should it wait again. */
#ifndef RTCC_ROUTING_H
#define RTCC_ROUTING_H

#include <stdint.h>

#include "base/value.h"
#include "io/center.h"
#include "sql.h"

/* Makes all offers that can be made. Call after anything that frees an agent or brings an invitation; inside a transaction. */
must_check enum err routing_run(struct center *c);

/* Takes back offers whose time is over (their agents become not ready: no_answer) and offers of agents who are gone, then routes.
 * Cheap when there is nothing: call once a second. */
must_check enum err routing_tick(struct center *c);

/* The agent takes his offer: *out is the accepted invitation. Repeated by him: the same. ERR_ALREADY_TAKEN: another has it, or it
 * was never his; ERR_GONE is never said: an offer that ran out and was not taken by anybody yet is ERR_CONFLICT. Inside a
 * transaction. */
must_check enum err routing_accept(struct center *c, const struct agent *agent, int64_t reservation, struct invitation *out);

/* The agent lets his offer go. Inside a transaction. */
must_check enum err routing_decline(struct center *c, const struct agent *agent, int64_t reservation);

/* The offer that an agent holds. ERR_NOT_FOUND: none. */
must_check enum err routing_offer_of(struct center *c, int64_t agent, struct reservation_of_agent *out);

/* How long an offer with this lease still stands; 0: its time is over, or its boot is, whose clock says nothing of this one. */
int64_t routing_left_ms(const struct center *c, const char *boot, int64_t boot_ms);

/* The agent to whom a conference is offered now; 0: nobody. */
must_check enum err routing_offered_to(struct center *c, int64_t conf, int64_t *agent);

/* The agent takes no more: an offer that he holds goes back to the queue. */
must_check enum err routing_withdraw(struct center *c, int64_t agent, const char *state, const char *verdict, const char *reason);

/* An invitation ends (state: done, abandoned, cancelled), and an offer of it with it. */
must_check enum err routing_end(struct center *c, const struct invitation *invitation, const char *state);

/* Notes for the trace why nobody was offered an invitation that still waits. Inside a transaction. */
must_check enum err routing_explain(struct center *c, const struct invitation *invitation);

/* Somebody (agent 0: with a key) came to the customer by himself: nobody needs to be offered him any more. Inside a
 * transaction. */
must_check enum err routing_take(struct center *c, const struct invitation *invitation, int64_t agent);

/* The agent who had accepted is gone (`why`, for the trace), the customer is not: the invitation goes back to its own place.
 * Inside a transaction. */
must_check enum err routing_return(struct center *c, const struct invitation *invitation, const char *why);

/* How many agents are ready and there, and how many of them could be offered something now (1,000 at most). */
must_check enum err routing_staff(struct center *c, int64_t *ready, int64_t *is_free);

#endif
