/* heard.c: see heard.h. The customer's requests are the clock: where nobody asks nobody waits, and nothing has to be looked
 * through for rooms that everybody has forgotten. */
#include "model/heard.h"

#include "base/clock.h"
#include "base/text.h"
#include "io/settings.h"
#include "model/agent.h"
#include "model/member.h"

static int64_t
gone_ms(const struct center *c)
{
    return c->settings->gone_s * 1000;
}

/* Below 0: never in this boot. */
static enum err
last_in_room(struct center *c, int64_t conf, int64_t member, int64_t *out)
{
    struct heard_read row;
    struct sql_heard_read_in in = {.conf = conf, .member = member};
    enum err err = sql_heard_read(c->db, c->mem, &in, &row);
    *out = err == OK && text_same(row.boot, clock_boot_id()) ? row.boot_ms : -1;
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err
heard_note(struct center *c, const struct member *agent)
{
    int64_t last_ms;
    enum err err = last_in_room(c, agent->conf, agent->id, &last_ms);
    if (err != OK || (last_ms >= 0 && c->boot_ms - last_ms < gone_ms(c) / 8))
        return err;
    struct sql_heard_note_in in = {.conf = agent->conf, .member = agent->id, .boot = clock_boot_id(), .boot_ms = c->boot_ms};
    return sql_heard_note(c->db, &in);
}

/* Whom the main database has as present polls at his desk; whoever has no account is never missed. */
static enum err
last_of_one(struct center *c, int64_t conf, const struct member_staff *one, int64_t *out)
{
    int64_t at_desk = -1;
    *out = c->boot_ms;
    if (!one->agent || one->is_present)
        return OK;
    enum err err = last_in_room(c, conf, one->id, out);
    if (err == OK)
        err = agent_last_poll(c, one->agent, &at_desk);
    *out = *out > at_desk ? *out : at_desk;
    return err;
}

/* When anything was last heard of one of them; now, where there is nobody. */
static enum err
last_of_staff(struct center *c, int64_t conf, int64_t *out)
{
    struct member_staff *staff;
    size_t count;
    enum err err = member_staff(c, conf, &staff, &count);
    *out = err == OK && count > 0 ? -1 : c->boot_ms;
    for (size_t i = 0; err == OK && i < count; i++) {
        int64_t last = -1;
        err = last_of_one(c, conf, &staff[i], &last);
        *out = *out > last ? *out : last;
    }
    return err;
}

/* Since when he asks in vain. From now on, if he does for the first time after anything was heard; and once more after the first
 * pause of gone_s, which may be a standstill of the servers. Whoever asks more seldom than that would begin for ever. */
static enum err
alone_since(struct center *c, int64_t conf, int64_t heard_ms, int64_t *out)
{
    struct alone_read row;
    enum err err = sql_alone_read(c->db, c->mem, &(struct sql_alone_read_in){.conf = conf}, &row);
    bool goes_on = err == OK && text_same(row.boot, clock_boot_id()) && row.boot_ms > heard_ms;
    bool was_paused = goes_on && row.is_paused;
    bool begins_anew = goes_on && !was_paused && c->boot_ms - row.asked_ms >= gone_ms(c);
    *out = goes_on && !begins_anew ? row.boot_ms : c->boot_ms;
    struct sql_alone_note_in in = {.conf = conf,
        .boot = clock_boot_id(),
        .boot_ms = *out,
        .asked_ms = c->boot_ms,
        .is_paused = was_paused || begins_anew};
    return err == OK || err == ERR_NOT_FOUND ? sql_alone_note(c->db, &in) : err;
}

enum err
heard_is_left(struct center *c, int64_t conf, bool *out)
{
    int64_t heard_ms, since_ms;
    enum err err = last_of_staff(c, conf, &heard_ms);
    *out = false;
    if (err != OK || c->boot_ms - heard_ms < gone_ms(c))
        return err;
    err = alone_since(c, conf, heard_ms, &since_ms);
    *out = err == OK && c->boot_ms - heard_ms >= 2 * gone_ms(c) && c->boot_ms - since_ms >= gone_ms(c) * 3 / 4;
    return err;
}

enum err
heard_forget(struct center *c, int64_t conf)
{
    enum err err = sql_heard_forget(c->db, &(struct sql_heard_forget_in){.conf = conf});
    if (err == OK)
        err = sql_alone_forget(c->db, &(struct sql_alone_forget_in){.conf = conf});
    return err == ERR_UNAVAILABLE ? OK : err;
}
