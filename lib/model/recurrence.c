/* recurrence.c: see recurrence.h. Only two patterns are known from the original; a grammar of their parts lets its others pass,
 * and still tells a pattern from any other word. Taking every word was rejected: it would be given back as monthly. */
#include "model/recurrence.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

enum { PART_CHARS = 31, NUMBER_MOST = 366 };

static bool
is_day(const char *word, size_t bytes)
{
    static const char *const days[] = {"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "WE"};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        if (strlen(days[i]) == bytes && memcmp(word, days[i], bytes) == 0)
            return true;
    return false;
}

static bool
is_days(const char *part)
{
    for (;; part++) {
        size_t bytes = strcspn(part, ",");
        if (!is_day(part, bytes))
            return false;
        part += bytes;
        if (*part == '\0')
            return true;
    }
}

static bool
is_number(const char *part)
{
    int64_t number;
    return text_is_digits(part, strlen(part)) && text_int(part, 1, NUMBER_MOST, &number) == OK;
}

/* Whether what is behind the letter is "-PART" once or more. */
static bool
has_parts(const char *rest)
{
    char part[PART_CHARS + 1];
    if (*rest != '-')
        return false;
    for (; *rest == '-'; rest += strlen(part)) {
        size_t bytes = strcspn(++rest, "-");
        if (bytes == 0 || bytes > PART_CHARS)
            return false;
        memcpy(part, rest, bytes);
        part[bytes] = '\0';
        if (!is_number(part) && !is_days(part))
            return false;
    }
    return true;
}

const char *
recurrence_type(const char *pattern)
{
    const char *type = *pattern == 'D' ? "daily" : *pattern == 'W' ? "weekly" : *pattern == 'M' ? "monthly" : NULL;
    return type && has_parts(pattern + 1) ? type : NULL;
}
