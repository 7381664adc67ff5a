/* clock.c: the kernel's clocks. The boot's id is read once: it cannot change while a process lives.
 * CLOCK_MONOTONIC was rejected, it stands still while the machine sleeps; strftime as well, its names follow the locale. */
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
now_ms(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(!failed);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_wall_ms(void)
{
    return now_ms(CLOCK_REALTIME);
}

int64_t
clock_boot_ms(void)
{
    return now_ms(CLOCK_BOOTTIME);
}

const char *
clock_boot_id(void)
{
    static char id[64];
    if (id[0] != '\0')
        return id;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file != NULL) {
        if (fgets(id, sizeof id, file) != NULL)
            id[strcspn(id, "\n")] = '\0';
        fclose(file);
    }
    /* In a cage without /proc all boots look the same: what an earlier boot leased waits until this one is as old as that was. */
    if (id[0] == '\0')
        snprintf(id, sizeof id, "unknown");
    return id;
}

void
clock_http_date(int64_t wall_ms, char out[CLOCK_HTTP_BYTES])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const int64_t last_s = 253402300799; /* the end of the year 9999: the format has four digits */
    time_t wall_s = wall_ms < 0 ? 0 : wall_ms / 1000 > last_s ? last_s : wall_ms / 1000;
    struct tm t;
    gmtime_r(&wall_s, &t);
    /* The remainders change nothing; they tell the compiler that the text fits. */
    snprintf(out, CLOCK_HTTP_BYTES, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[t.tm_wday], (unsigned)t.tm_mday % 100,
        months[t.tm_mon], ((unsigned)t.tm_year + 1900) % 10000, (unsigned)t.tm_hour % 100, (unsigned)t.tm_min % 100,
        (unsigned)t.tm_sec % 100);
}
