/* clock: what time it is, in the two senses that matter.
 *
 * Wall time is for people and may jump; the boot clock only runs forward and counts while the machine sleeps, so leases and
 * time-outs live on it, together with the boot's id: a lease of another boot ran out. */
#ifndef RTCC_CLOCK_H
#define RTCC_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970-01-01 UTC (CLOCK_REALTIME). */
int64_t clock_wall_ms(void);

/* Milliseconds since this machine started (CLOCK_BOOTTIME). */
int64_t clock_boot_ms(void);

/* The id of this boot (Linux: /proc/sys/kernel/random/boot_id), the same text for the life of the process. */
const char *clock_boot_id(void);

enum { CLOCK_HTTP_BYTES = 30 };

/* Writes wall_ms as an HTTP date (RFC 9110, 5.6.7), NUL-terminated. */
void clock_http_date(int64_t wall_ms, char out[CLOCK_HTTP_BYTES]);

#endif
