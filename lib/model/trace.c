/* trace.c: see trace.h. Rejected: working out afterwards why somebody was passed over; who was busy then is forgotten. */
#include "model/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/site.h"

enum { OTHERS_MAX_BYTES = 16384 }; /* fifty ids and as many reasons are below a quarter of it */

/* ── writing ── */

enum err
trace_note(struct center *c, int64_t conf, int64_t invitation, int64_t agent, const char *verdict, const char *reason)
{
    struct sql_decision_insert_in in =
        {.conf = conf, .invitation = invitation, .at = c->now_ms, .agent = agent, .verdict = verdict, .reason = reason};
    enum err err = site_next_id(c, &in.id);
    return err == OK ? sql_decision_insert(c->db, &in) : err;
}

static const char *
why_not(const struct routing_candidates *a)
{
    if (!text_same(a->state, "ready"))
        return a->reason[0] ? a->reason : "not ready";
    if (!a->is_present)
        return "gone";
    if (a->busy >= a->capacity)
        return "full";
    if (!a->is_skilled)
        return "skill";
    if (a->has_refused)
        return "let it go before";
    return a->is_offered ? "holds an offer" : "idle for a shorter time, or serves one who came before";
}

/* Those who were passed over for one reason: the reason and their ids, between tabs, in a line. `told` marks them. */
static void
add_passed_over(const struct routing_candidates *rows, size_t count, bool *told, struct buf *out)
{
    const char *why = why_not(rows);
    buf_text(out, why);
    for (size_t n = 0; n < count; n++) {
        if (told[n] || !text_same(why_not(&rows[n]), why))
            continue;
        told[n] = true;
        buf_text(out, "\t");
        buf_int(out, rows[n].id);
    }
    buf_text(out, "\n");
}

/* A row for each of fifty agents would be most of the database. */
enum err
trace_others(struct center *c, const struct invitation *i, int64_t chosen)
{
    struct buf others = buf_new(c->mem, OTHERS_MAX_BYTES);
    struct routing_candidates *rows;
    size_t count;
    struct sql_routing_candidates_in in = {.skill = i->skill,
        .invitation = i->id,
        .boot = clock_boot_id(),
        .refused_ms = c->boot_ms - REFUSED_MS};
    enum err err = sql_routing_candidates(c->db, c->mem, &in, &rows, &count);
    bool *told = err == OK ? arena_array(c->mem, count, sizeof *told) : NULL;
    for (size_t n = 0; err == OK && n < count; n++)
        told[n] = rows[n].id == chosen;
    for (size_t n = 0; err == OK && n < count; n++)
        if (!told[n])
            add_passed_over(rows + n, count - n, told + n, &others);
    return err == OK && others.len ? trace_note(c, i->conf, i->id, 0, "passed_over", buf_str(&others)) : err;
}

/* ── reading ── */

static void
add_decision(struct value *list, const struct decision_list *row, const char *login, const char *reason)
{
    struct value *decision = value_add_object(list, NULL);
    value_add_int(decision, "at", row->at);
    value_add_int(decision, "invitation", row->invitation);
    value_add_text(decision, "candidate", login);
    value_add_text(decision, "verdict", row->verdict);
    value_add_text(decision, "reason", reason);
}

/* What trace_others() noted, a decision for each. */
static enum err
add_others(struct center *c, const struct decision_list *row, struct value *list)
{
    char *rest = arena_strdup(c->mem, row->reason), *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *reason = strsep(&line, "\t"), *id;
        while ((id = strsep(&line, "\t")) != NULL) {
            struct agent agent;
            enum err err = agent_find(c, strtoll(id, NULL, 10), &agent);
            if (err != OK && err != ERR_NOT_FOUND)
                return err;
            add_decision(list, row, err == OK ? agent.login : "", reason);
        }
    }
    return OK;
}

enum err
trace_read(struct center *c, int64_t conf, struct value *list)
{
    struct decision_list *rows;
    size_t count;
    enum err err = sql_decision_list(c->db, c->mem, &(struct sql_decision_list_in){.conf = conf}, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++) {
        if (rows[i].agent == 0 && text_same(rows[i].verdict, "passed_over"))
            err = add_others(c, &rows[i], list);
        else
            add_decision(list, &rows[i], rows[i].login, rows[i].reason);
    }
    return err;
}
