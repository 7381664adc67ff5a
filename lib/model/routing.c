/* routing.c: see routing.h. Agents look for work, not work for agents: with 100,000 waiting the first row of an index is found as
 * fast as with ten, once for each of an agent's skills. The first few who are free look. If they find nothing, and all who wait
 * need a skill, only those behind them look who have one that is waited for: on a bad day thousands wait for a skill that nobody
 * free has, and a hundred are idle. Nobody looks when nobody waits, which is most of the time. */
#include "model/routing.h"

#include "base/clock.h"
#include "base/text.h"
#include "io/settings.h"
#include "model/agent.h"
#include "model/invitation.h"
#include "model/site.h"
#include "model/trace.h"

enum { AGENTS_AT_ONCE = 8, AGENTS_MOST = 1000 }; /* looked at in a turn: read in pieces, for most turns offer one thing or two */

/* ── offering ── */

static enum err
reserve(struct center *c, const struct invitation *i, int64_t agent, int64_t epoch)
{
    int64_t lease_ms = c->settings->offer_s * 1000;
    struct sql_reservation_insert_in in = {.invitation = i->id,
        .agent = agent,
        .epoch = epoch,
        .at = c->now_ms,
        .expires_at = c->now_ms + lease_ms,
        .boot = clock_boot_id(),
        .boot_ms = c->boot_ms + lease_ms};
    enum err err = site_next_id(c, &in.id);
    return err == OK ? sql_reservation_insert(c->db, &in) : err;
}

static enum err
offer(struct center *c, int64_t invitation, int64_t agent)
{
    struct invitation i;
    struct invitation_offer lease;
    enum err err = invitation_find(c, invitation, &i);
    if (err == OK)
        err = sql_invitation_offer(c->db, c->mem, &(struct sql_invitation_offer_in){.id = invitation}, &lease);
    if (err == OK)
        err = trace_others(c, &i, agent);
    if (err == OK)
        err = reserve(c, &i, agent, lease.epoch);
    if (err == OK)
        err = trace_note(c, i.conf, i.id, agent, "offered", "ready and idle the longest");
    if (err == OK)
        err = invitation_note(c, i.conf, "offered", false);
    return err == OK ? agent_note(c, agent, "offer") : err;
}

/* Through the agents who are free, longest idle first. */
struct walk {
    int64_t idle_since, id; /* of the last who looked */
    struct routing_free *agents;
    size_t count, at, looked;
    bool is_vain; /* as long as nobody of these has found anything */
};

/* Who looks, and what he found. */
struct pair {
    int64_t agent, invitation;
};

/* All at once: they come out of a sort, and a few of them take as long to find. */
static enum err
read_able(struct center *c, struct walk *w)
{
    struct sql_routing_able_in in = {.idle_since = w->idle_since, .id = w->id, .most = AGENTS_MOST};
    struct routing_able *able;
    enum err err = sql_routing_able(c->db, c->mem, &in, &able, &w->count);
    w->agents = err == OK ? arena_array(c->mem, w->count, sizeof *w->agents) : NULL;
    for (size_t i = 0; err == OK && i < w->count; i++)
        w->agents[i] = (struct routing_free){.id = able[i].id, .idle_since = able[i].idle_since};
    return err;
}

/* The next of them, behind the last who looked. ERR_NOT_FOUND: nobody waits, or nobody is left. */
static enum err
walk_on(struct center *c, struct walk *w)
{
    struct sql_routing_free_in in = {.idle_since = w->idle_since, .id = w->id, .most = AGENTS_AT_ONCE};
    struct routing_queued least;
    enum err err = sql_routing_queued(c->db, c->mem, &least);
    if (err != OK)
        return err;
    bool is_for_able = w->is_vain && *least.skill;
    err = is_for_able ? read_able(c, w) : sql_routing_free(c->db, c->mem, &in, &w->agents, &w->count);
    w->at = 0;
    w->is_vain = true;
    return err == OK && w->count == 0 ? ERR_NOT_FOUND : err;
}

/* The first that waits and that he may be offered. ERR_NOT_FOUND: none. */
static enum err
look(struct center *c, struct walk *w, struct pair *out)
{
    const struct routing_free *agent = &w->agents[w->at++];
    struct sql_invitation_for_agent_in in = {.agent = agent->id, .boot = clock_boot_id(), .refused_ms = c->boot_ms - REFUSED_MS};
    struct invitation_for_agent first;
    enum err err = sql_invitation_for_agent(c->db, c->mem, &in, &first);
    w->idle_since = agent->idle_since;
    w->id = agent->id;
    w->looked++;
    *out = (struct pair){.agent = agent->id, .invitation = err == OK ? first.id : 0};
    return err;
}

/* The next offer that can be made. ERR_NOT_FOUND: none. */
static enum err
next_pair(struct center *c, struct walk *w, struct pair *out)
{
    enum err err;
    do {
        err = w->at < w->count ? OK : walk_on(c, w);
        if (err != OK)
            return err;
        err = look(c, w, out); /* not found: the next may have other skills, or may not have let it go */
    } while (err == ERR_NOT_FOUND && w->looked < AGENTS_MOST);
    return err;
}

enum err
routing_run(struct center *c)
{
    struct walk w = {.idle_since = INT64_MIN};
    struct pair next;
    enum err err = next_pair(c, &w, &next);
    while (err == OK) {
        err = offer(c, next.invitation, next.agent);
        w.at = w.count; /* who waits, and for what, is another question now */
        w.is_vain = false;
        if (err == OK)
            err = next_pair(c, &w, &next);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
routing_explain(struct center *c, const struct invitation *i)
{
    return text_same(i->state, "queued") ? trace_others(c, i, 0) : OK;
}

enum err
routing_staff(struct center *c, int64_t *ready, int64_t *is_free)
{
    struct routing_ready row;
    struct sql_routing_free_in every = {.idle_since = INT64_MIN, .most = AGENTS_MOST};
    struct routing_free *agents;
    size_t count;
    enum err err = sql_routing_ready(c->db, c->mem, &row);
    if (err == OK)
        err = sql_routing_free(c->db, c->mem, &every, &agents, &count);
    if (err != OK)
        return err;
    *ready = row.agents;
    *is_free = (int64_t)count;
    return OK;
}

/* ── taking back ── */

static enum err
end_reservation(struct center *c, int64_t id, const char *state, int *changed)
{
    struct sql_reservation_end_in in = {.id = id,
        .state = state,
        .at = c->now_ms,
        .boot = clock_boot_id(),
        .boot_ms = c->boot_ms};
    return sql_reservation_end(c->db, &in, changed);
}

static enum err
take_back(struct center *c, int64_t reservation, int64_t invitation, int64_t epoch, const char *state)
{
    int changed = 0;
    enum err err = end_reservation(c, reservation, state, &changed);
    if (err != OK || !changed)
        return err;
    return sql_invitation_requeue(c->db, &(struct sql_invitation_requeue_in){.id = invitation, .epoch = epoch}, &changed);
}

enum err
routing_offer_of(struct center *c, int64_t agent, struct reservation_of_agent *out)
{
    return sql_reservation_of_agent(c->db, c->mem, &(struct sql_reservation_of_agent_in){.agent = agent}, out);
}

enum err
routing_offered_to(struct center *c, int64_t conf, int64_t *agent)
{
    struct reservation_of_conference row;
    enum err err = sql_reservation_of_conference(c->db, c->mem, &(struct sql_reservation_of_conference_in){.conf = conf}, &row);
    *agent = err == OK ? row.agent : 0;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
routing_withdraw(struct center *c, int64_t agent, const char *state, const char *verdict, const char *reason)
{
    struct reservation_of_agent held;
    struct invitation i;
    enum err err = routing_offer_of(c, agent, &held);
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    err = take_back(c, held.id, held.invitation, held.epoch, state);
    if (err == OK)
        err = invitation_find(c, held.invitation, &i);
    if (err == OK)
        err = trace_note(c, i.conf, i.id, agent, verdict, reason);
    if (err == OK)
        err = invitation_note(c, i.conf, "queued", false);
    return err == OK ? agent_note(c, agent, "offer") : err;
}

static enum err
take_back_late(struct center *c)
{
    struct reservation_late *late;
    size_t count;
    struct sql_reservation_late_in in = {.boot = clock_boot_id(), .boot_ms = c->boot_ms};
    enum err err = sql_reservation_late(c->db, c->mem, &in, &late, &count);
    for (size_t i = 0; err == OK && i < count; i++) {
        err = routing_withdraw(c, late[i].agent, "timeout", "no_answer", "did not answer in time");
        if (err == OK)
            err = agent_set_state(c, late[i].agent, "notready", "no_answer");
    }
    return err;
}

static enum err
take_back_from_gone(struct center *c)
{
    struct agent_present *present;
    size_t count;
    enum err err = sql_agent_present(c->db, c->mem, &present, &count);
    for (size_t i = 0; err == OK && i < count; i++) {
        bool is_here;
        err = agent_is_here(c, present[i].id, &is_here);
        if (err == OK && !is_here)
            err = agent_set_gone(c, present[i].id);
        if (err == OK && !is_here)
            err = routing_withdraw(c, present[i].id, "revoked", "gone", "his polls stopped");
    }
    return err;
}

/* Looks without a transaction first: once a second in every process that holds polls, a write lock for nothing would be dear. */
static enum err
is_anything_due(struct center *c, bool *out)
{
    struct reservation_late *late;
    struct agent_present *present;
    size_t count;
    struct sql_reservation_late_in in = {.boot = clock_boot_id(), .boot_ms = c->boot_ms};
    enum err err = sql_reservation_late(c->db, c->mem, &in, &late, &count);
    *out = err == OK && count > 0;
    if (err == OK && !*out)
        err = sql_agent_present(c->db, c->mem, &present, &count);
    for (size_t i = 0; err == OK && !*out && i < count; i++) {
        bool is_here;
        err = agent_is_here(c, present[i].id, &is_here);
        *out = err == OK && !is_here;
    }
    return err;
}

static enum err
is_anything_to_offer(struct center *c, bool *out)
{
    struct walk w = {.idle_since = INT64_MIN};
    struct pair first;
    enum err err = next_pair(c, &w, &first);
    *out = err == OK;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
routing_tick(struct center *c)
{
    bool is_due;
    enum err err = is_anything_due(c, &is_due);
    if (err == OK && !is_due)
        err = is_anything_to_offer(c, &is_due);
    if (err != OK || !is_due)
        return err;
    err = db_begin(c->db);
    if (err != OK)
        return err;
    err = take_back_late(c);
    if (err == OK)
        err = take_back_from_gone(c);
    if (err == OK)
        err = routing_run(c);
    return db_end(c->db, err);
}

/* ── answering an offer ── */

static enum err
find_own(struct center *c, const struct agent *agent, int64_t reservation, struct reservation *out)
{
    enum err err = sql_reservation(c->db, c->mem, &(struct sql_reservation_in){.id = reservation}, out);
    if (err == ERR_NOT_FOUND)
        return center_fault(c, ERR_NOT_FOUND, "reservation", "There is no such offer.");
    if (err == OK && out->agent != agent->id)
        return center_fault(c, ERR_ALREADY_TAKEN, "reservation", "This customer was offered to another agent.");
    return err;
}

int64_t
routing_left_ms(const struct center *c, const char *boot, int64_t boot_ms)
{
    return text_same(boot, clock_boot_id()) && boot_ms > c->boot_ms ? boot_ms - c->boot_ms : 0;
}

/* Open, though its time is over: no tick has taken it back yet. (Of one that has ended the two say when it did.) */
static bool
is_late(struct center *c, const struct reservation *r)
{
    return text_same(r->state, "pending") && routing_left_ms(c, r->boot, r->boot_ms) == 0;
}

static enum err
lost_offer(struct center *c, const struct invitation *i)
{
    if (text_same(i->state, "accepted") || text_same(i->state, "done"))
        return center_fault(c, ERR_ALREADY_TAKEN, "reservation", "Another agent has taken this customer.");
    if (text_same(i->state, "abandoned") || text_same(i->state, "cancelled"))
        return center_fault(c, ERR_CONFLICT, "reservation", "The customer does not wait any more.");
    return center_fault(c, ERR_CONFLICT, "reservation", "The time to accept is over; the customer is back in the queue.");
}

static enum err
win(struct center *c, const struct agent *agent, const struct reservation *r, struct invitation *i)
{
    int changed = 0;
    struct sql_invitation_accept_in in = {.id = i->id, .epoch = r->epoch, .agent = agent->id, .at = c->now_ms};
    enum err err = sql_invitation_accept(c->db, &in, &changed);
    if (err != OK)
        return err;
    if (!changed)
        return lost_offer(c, i);
    err = end_reservation(c, r->id, "accepted", &changed);
    if (err == OK)
        err = sql_agent_touch(c->db, &(struct sql_agent_touch_in){.id = agent->id, .at = c->now_ms});
    if (err == OK)
        err = trace_note(c, i->conf, i->id, agent->id, "accepted", "accepted");
    if (err == OK)
        err = invitation_note(c, i->conf, "accepted", true);
    if (err == OK)
        err = agent_note(c, agent->id, "offer");
    return err == OK ? invitation_find(c, i->id, i) : err;
}

enum err
routing_accept(struct center *c, const struct agent *agent, int64_t reservation, struct invitation *out)
{
    struct reservation r;
    enum err err = find_own(c, agent, reservation, &r);
    if (err == OK)
        err = invitation_find(c, r.invitation, out);
    if (err != OK)
        return err;
    if (text_same(r.state, "accepted") && out->agent == agent->id)
        return OK;
    /* Whether it is still his offer, of all that were made, the epoch decides alone, in win(). */
    return is_late(c, &r) ? lost_offer(c, out) : win(c, agent, &r, out);
}

enum err
routing_decline(struct center *c, const struct agent *agent, int64_t reservation)
{
    struct reservation r;
    enum err err = find_own(c, agent, reservation, &r);
    if (err != OK)
        return err;
    if (text_same(r.state, "rejected"))
        return OK;
    if (!text_same(r.state, "pending"))
        return center_fault(c, ERR_CONFLICT, "reservation", "This offer is over already.");
    err = routing_withdraw(c, agent->id, "rejected", "declined", "declined");
    return err == OK ? routing_run(c) : err;
}

/* ── the end of an invitation, or its return ── */

enum err
routing_return(struct center *c, const struct invitation *i, const char *why)
{
    int changed = 0;
    enum err err = sql_invitation_return(c->db, &(struct sql_invitation_return_in){.id = i->id}, &changed);
    if (err != OK || !changed)
        return err;
    err = trace_note(c, i->conf, i->id, i->agent, "gone", why);
    return err == OK ? invitation_note(c, i->conf, "queued", true) : err;
}

static enum err
withdraw_offer_of(struct center *c, const struct invitation *i, const char *why)
{
    struct reservation_of_invitation held;
    struct sql_reservation_of_invitation_in in = {.invitation = i->id};
    enum err err = sql_reservation_of_invitation(c->db, c->mem, &in, &held);
    if (err == OK)
        err = routing_withdraw(c, held.agent, "cancelled", "withdrawn", why);
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
routing_take(struct center *c, const struct invitation *i, int64_t agent)
{
    int changed = 0;
    struct sql_invitation_take_in in = {.id = i->id, .agent = agent, .at = c->now_ms};
    enum err err = sql_invitation_take(c->db, &in, &changed);
    if (err != OK || !changed)
        return err;
    err = withdraw_offer_of(c, i, "another came by himself");
    if (err == OK)
        err = trace_note(c, i->conf, i->id, agent, "accepted", "came by himself");
    return err == OK ? invitation_note(c, i->conf, "accepted", true) : err;
}

enum err
routing_end(struct center *c, const struct invitation *i, const char *state)
{
    int changed = 0;
    struct sql_invitation_end_in in = {.id = i->id, .state = state, .at = c->now_ms};
    enum err err = sql_invitation_end(c->db, &in, &changed);
    if (err != OK || !changed)
        return err;
    err = withdraw_offer_of(c, i, "the customer does not wait any more");
    return err == OK ? invitation_note(c, i->conf, state, true) : err;
}
