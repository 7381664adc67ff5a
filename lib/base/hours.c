/* hours.c: see hours.h. A moment is looked up by its local weekday and minute; the next opening is found by writing down the
 * local times of the coming eight days and asking mktime() which moments they are, so no rule about time zones is repeated. */
#include "base/hours.h"

#include <string.h>
#include <time.h>

enum { DAY_MIN = 24 * 60, WEEK_DAYS = 7 };

/* ── reading ── */

static bool
take(const char **at, const char *word)
{
    size_t bytes = strlen(word);
    if (strncmp(*at, word, bytes) != 0)
        return false;
    *at += bytes;
    return true;
}

static void
skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

static bool
take_day(const char **at, int *day)
{
    static const char *const names[WEEK_DAYS] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
    for (*day = 0; *day < WEEK_DAYS; ++*day)
        if (take(at, names[*day]))
            return true;
    return false;
}

static bool
take_days(const char **at, unsigned *days)
{
    int day, last;
    if (!take_day(at, &day))
        return false;
    last = day;
    if (take(at, "-") && !take_day(at, &last))
        return false;
    for (*days = 1u << day; day != last; *days |= 1u << day)
        day = (day + 1) % WEEK_DAYS;
    return true;
}

/* Two digits. */
static bool
take_number(const char **at, int *out)
{
    const char *p = *at;
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *out = (p[0] - '0') * 10 + p[1] - '0';
    *at += 2;
    return true;
}

static bool
take_time(const char **at, int *out)
{
    int hour, minute;
    if (!take_number(at, &hour) || !take(at, ":") || !take_number(at, &minute))
        return false;
    *out = hour * 60 + minute;
    return minute < 60 && *out <= DAY_MIN;
}

static bool
take_part(const char **at, struct hours_part *part)
{
    if (!take_days(at, &part->days) || !strchr(" \t", **at))
        return false;
    skip_blanks(at);
    if (!take_time(at, &part->from) || !take(at, "-") || !take_time(at, &part->until))
        return false;
    if (part->until <= part->from)
        part->until += DAY_MIN;
    skip_blanks(at);
    return part->from < DAY_MIN && part->until - part->from <= DAY_MIN;
}

bool
hours_read(const char *text, struct hours *out)
{
    *out = (struct hours){.count = 0};
    if (*text == '\0')
        return true;
    do {
        skip_blanks(&text);
        if (out->count == HOURS_PARTS_MAX || !take_part(&text, &out->parts[out->count++]))
            return false;
    } while (take(&text, ","));
    return *text == '\0';
}

/* ── asking ── */

static struct tm
local_time(int64_t at)
{
    struct tm t;
    time_t seconds = (time_t)(at / 1000);
    localtime_r(&seconds, &t);
    return t;
}

/* 0: Monday. */
static int
weekday(const struct tm *t)
{
    return (t->tm_wday + WEEK_DAYS - 1) % WEEK_DAYS;
}

bool
hours_is_open(const struct hours *hours, int64_t at)
{
    struct tm t = local_time(at);
    int minute = t.tm_hour * 60 + t.tm_min, today = weekday(&t), yesterday = (today + WEEK_DAYS - 1) % WEEK_DAYS;
    for (int i = 0; i < hours->count; i++) {
        const struct hours_part *part = &hours->parts[i];
        bool is_of_today = part->days >> today & 1, is_of_yesterday = part->days >> yesterday & 1;
        if (is_of_today && minute >= part->from && minute < part->until)
            return true;
        if (is_of_yesterday && minute + DAY_MIN < part->until)
            return true;
    }
    return hours->count == 0;
}

/* The moment at which that many days after `today` the clock shows that minute. */
static int64_t
moment(const struct tm *today, int days, int minute)
{
    struct tm t = {.tm_year = today->tm_year,
        .tm_mon = today->tm_mon,
        .tm_mday = today->tm_mday + days,
        .tm_hour = minute / 60,
        .tm_min = minute % 60,
        .tm_isdst = -1};
    return (int64_t)mktime(&t) * 1000;
}

int64_t
hours_next(const struct hours *hours, int64_t at)
{
    struct tm today = local_time(at);
    int64_t first = 0;
    for (int days = 0; days <= WEEK_DAYS && first == 0; days++) {
        for (int i = 0; i < hours->count; i++) {
            bool is_his_day = hours->parts[i].days >> (weekday(&today) + days) % WEEK_DAYS & 1;
            int64_t begin = is_his_day ? moment(&today, days, hours->parts[i].from) : 0;
            if (begin > at && (first == 0 || begin < first))
                first = begin;
        }
    }
    return first;
}
