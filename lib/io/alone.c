/* alone.c: a name is one byte of the file folder/alone, locked by whoever is at it. The file stays empty: a lock may lie behind
 * its end. Two names that fall on one byte wait for each other, which hurts nobody.
 *
 * The lock belongs to the open file, as in seat.c. Looked for again and again rather than waited for: F_OFD_SETLKW has no time
 * limit, and what is waited for takes much longer than the pause. Rejected: a row in live.db (who was killed stays in it). */
#include "io/alone.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { PAUSE_US = 2000 };

static bool
lock_byte(int fd, int64_t at)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

int
alone_take(const char *folder, const char *name, int64_t ms)
{
    char path[PATH_MAX];
    int64_t end_ms = clock_boot_ms() + ms, at = (int64_t)(text_number(name) >> 2);
    int chars = snprintf(path, sizeof path, "%s/alone", folder);
    if (chars < 0 || (size_t)chars >= sizeof path)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    while (fd >= 0 && !lock_byte(fd, at)) {
        if (clock_boot_ms() >= end_ms) {
            close(fd);
            return -1;
        }
        usleep(PAUSE_US);
    }
    return fd;
}

void
alone_give(int taken)
{
    if (taken >= 0)
        close(taken);
}
