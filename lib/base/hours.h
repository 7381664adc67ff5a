/* hours: a week's opening hours as an administrator writes them: "Mo-Fr 09:00-12:30, Mo-Th 13:30-17:00, Sa 22:00-02:00".
 *
 * Parts are parted by commas; each is a day or days from … to (also over the week's end: Sa-Mo), and one stretch of time. A
 * stretch that ends at or before its beginning ends on the next day; 24:00 is the end of a day. Times are this process's local
 * ones (TZ), and right on the days when a clock is changed. Without any part it is always open. */
#ifndef RTCC_HOURS_H
#define RTCC_HOURS_H

#include <stdbool.h>
#include <stdint.h>

enum { HOURS_PARTS_MAX = 32 };

struct hours {
    int count;
    struct hours_part {
        unsigned days; /* bit 0: Monday */
        int from;      /* minutes since midnight */
        int until;     /* the same; over 1440: on the next day */
    } parts[HOURS_PARTS_MAX];
};

/* Whether text is such a week; "" is one without parts. */
bool hours_read(const char *text, struct hours *out);

/* Whether it is open at that moment (ms since 1970). */
bool hours_is_open(const struct hours *hours, int64_t at);

/* When the first stretch begins that begins after that moment, in ms; 0 without parts. */
int64_t hours_next(const struct hours *hours, int64_t at);

#endif
