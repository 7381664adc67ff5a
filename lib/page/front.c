/* front.c: see front.h. A call back is not offered to whoever would wait long: there are no telephones to call him with. */
#include "page/front.h"

#include "io/settings.h"
#include "model/outlook.h"
#include "page/opening.h"

enum { BUSY_S = 300, MINUTE_S = 60 };

static const char *
wait_text(struct request *r, const struct vcs_standing *s)
{
    int64_t minutes = s->wait_s > 0 ? (s->wait_s + MINUTE_S - 1) / MINUTE_S : 0;
    if (s->free > s->waiting)
        return "Somebody is free now.";
    if (s->agents == 0)
        return "Nobody is free at the moment; the first who comes answers you.";
    if (s->wait_s >= 0)
        return minutes > 1 ? arena_printf(r->c->mem, "About %lld minutes to wait.", (long long)minutes)
                           : "About a minute to wait.";
    if (s->waiting == 0)
        return "You are the next.";
    return s->waiting == 1 ? "One person waits before you."
                           : arena_printf(r->c->mem, "%lld people wait before you.", (long long)s->waiting);
}

static bool
is_busy(const struct vcs_standing *s)
{
    if (s->free > s->waiting)
        return false;
    return s->agents == 0 || (s->wait_s >= 0 ? s->wait_s >= BUSY_S : s->waiting >= s->agents);
}

static void
show_open(struct request *r)
{
    struct vcs_standing s;
    bool is_known = outlook_get(r->c, &s) == OK, busy = is_known && is_busy(&s);
    struct value *now = value_add_object(r->out, "now");
    value_add_text(now, "tone", busy ? "warn" : "ok");
    value_add_text(now, "word", busy ? "Busy" : "Open");
    value_add_text(now, "text", is_known ? wait_text(r, &s) : "");
}

void
front_show(struct request *r)
{
    const struct settings *set = r->c->settings;
    int64_t opens_at = opening_at(r->c);
    if (!opens_at) {
        show_open(r);
        return;
    }
    struct value *closed = value_add_object(r->out, "closed");
    value_add_text(closed, "opens_text", opening_text(r->c, opens_at, false));
    value_add_text(closed, "hours_text",
        set->time_zone[0] ? arena_printf(r->c->mem, "%s (%s)", set->opening_hours, set->time_zone) : set->opening_hours);
}
