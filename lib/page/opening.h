/* opening: whether somebody is here at this hour, by the settings opening_hours and time_zone, and how pages say it. */
#ifndef RTCC_OPENING_H
#define RTCC_OPENING_H

#include <stdint.h>

#include "base/value.h"
#include "io/center.h"

/* 0 while it is open; else when it opens, in ms. Cheap: the answer is kept until the minute is over. */
int64_t opening_at(const struct center *c);

/* "09:00 on Monday, 30 November", or "09:00" of the same day; with is_short "Mon 09:00". */
const char *opening_text(const struct center *c, int64_t at, bool is_short);

#endif
