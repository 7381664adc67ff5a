/* opening.c: see opening.h. Ten thousand polls ask within a second, and the answer changes with the minute. */
#include "page/opening.h"

#include <assert.h>
#include <time.h>

#include "base/hours.h"
#include "io/settings.h"

enum { MINUTE_MS = 60000, TEXT_BYTES = 64 };

static struct {
    const char *hours; /* the setting that it was computed from */
    int64_t minute;
    int64_t opens_at;
} kept;

static int64_t
compute(const struct center *c)
{
    struct hours hours;
    bool is_read = hours_read(c->settings->opening_hours, &hours); /* the settings were checked when they were read */
    assert(is_read);
    return hours_is_open(&hours, c->now_ms) ? 0 : hours_next(&hours, c->now_ms);
}

int64_t
opening_at(const struct center *c)
{
    int64_t minute = c->now_ms / MINUTE_MS;
    if (kept.hours != c->settings->opening_hours || kept.minute != minute) {
        kept.opens_at = compute(c);
        kept.hours = c->settings->opening_hours;
        kept.minute = minute;
    }
    return kept.opens_at;
}

const char *
opening_text(const struct center *c, int64_t at, bool is_short)
{
    char clock[TEXT_BYTES], day[TEXT_BYTES], month[TEXT_BYTES];
    struct tm then, now;
    time_t seconds = (time_t)(at / 1000), now_seconds = (time_t)(c->now_ms / 1000);
    localtime_r(&seconds, &then);
    localtime_r(&now_seconds, &now);
    strftime(clock, sizeof clock, "%H:%M", &then);
    if (then.tm_year == now.tm_year && then.tm_yday == now.tm_yday)
        return arena_strdup(c->mem, clock);
    strftime(day, sizeof day, is_short ? "%a" : "%A", &then);
    strftime(month, sizeof month, "%B", &then);
    return is_short ? arena_printf(c->mem, "%s %s", day, clock)
                    : arena_printf(c->mem, "%s on %s, %d %s", clock, day, then.tm_mday, month);
}
