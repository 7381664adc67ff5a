/* live.c: see live.h. use.lock holds the id of the boot in which live.db was last opened by somebody who was alone. It needs no
 * fsync itself: whatever a power cut leaves in it is not the id of the boot that comes after.
 *
 * Rejected: looking whether live.db is whole at every start (a CGI program starts for each request, and half a table may look
 * whole); fsync for live.db (every poll writes to it). */
#include "io/live.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"

static bool
is_of_this_boot(int in_use)
{
    char text[64];
    const char *boot = clock_boot_id();
    ssize_t bytes = pread(in_use, text, sizeof text, 0);
    return bytes == (ssize_t)strlen(boot) && memcmp(text, boot, (size_t)bytes) == 0;
}

/* A disk that is full does not take it; then the next one does all this again. */
static void
note_boot(int in_use)
{
    const char *boot = clock_boot_id();
    if (ftruncate(in_use, 0) == 0 && pwrite(in_use, boot, strlen(boot), 0) < 0)
        return;
}

void
live_remove(const char *folder)
{
    static const char *const names[] = {"live.db", "live.db-wal", "live.db-shm"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (snprintf(path, sizeof path, "%s/%s", folder, names[i]) < (int)sizeof path)
            unlink(path);
}

bool
live_begin(const char *folder, int in_use)
{
    bool is_alone = flock(in_use, LOCK_EX | LOCK_NB) == 0;
    if (is_alone && !is_of_this_boot(in_use)) {
        live_remove(folder);
        note_boot(in_use);
    }
    flock(in_use, LOCK_SH);
    return is_alone;
}
