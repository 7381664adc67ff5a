/* seat.c: a seat is one byte of the file folder/seats, locked by whoever sits there. The system unlocks it when a process ends,
 * also one that was killed, so nothing has to be counted, repaired or timed.
 *
 * The lock belongs to the open file (F_OFD_SETLK): a classic one would be gone when any other descriptor of the same file is
 * closed. Each process looks from a place of its own, so that many who come at once do not all ask for the
 * first. Rejected: rows in live.db (who was killed stays in them, and a poll would write twice) and a semaphore (the same). */
#include "io/seat.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int taken = -1;

static bool
lock_byte(int fd, int64_t at)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static int
open_seats(const char *folder)
{
    char path[PATH_MAX];
    int chars = snprintf(path, sizeof path, "%s/seats", folder);
    if (chars < 0 || (size_t)chars >= sizeof path)
        return -1;
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
}

bool
seat_take(const char *folder, int64_t most)
{
    if (taken >= 0)
        return true;
    int fd = most > 0 ? open_seats(folder) : -1;
    for (int64_t i = 0; fd >= 0 && i < most; i++)
        if (lock_byte(fd, (getpid() + i) % most)) {
            taken = fd;
            return true;
        }
    if (fd >= 0)
        close(fd);
    return false;
}

void
seat_leave(void)
{
    if (taken >= 0)
        close(taken);
    taken = -1;
}
