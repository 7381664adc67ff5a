/* recurrence: how a client of the original product says that a conference recurs: "D-WE", "W-1-MON".
 *
 * A letter for the kind (D daily, W weekly, M monthly), then one or more parts behind hyphens. A part is a whole number from 1 to
 * 366, or days: MON TUE WED THU FRI SAT SUN, or WE, several parted by commas. What its parts mean is the client's: they are kept
 * and given back as they came. */
#ifndef RTCC_RECURRENCE_H
#define RTCC_RECURRENCE_H

/* "daily", "weekly" or "monthly"; NULL: this is no recurrence. */
const char *recurrence_type(const char *pattern);

#endif
