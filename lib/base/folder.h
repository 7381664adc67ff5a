/* folder: makes the names in a folder safe, writes and copies files. A file's own fsync keeps its bytes; that it is there, or
 * there under its new name, is the folder's. */
#ifndef RTCC_FOLDER_H
#define RTCC_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What was made, renamed or removed in the folder is on the disk when it returns OK. ERR_UNAVAILABLE: see errno. */
must_check enum err folder_sync(const char *path);

/* A copy of the file `from` under the name `to`, in the place of what stands there; its bytes are on the disk when it returns OK.
 * ERR_UNAVAILABLE: see errno; half a copy may be there. */
must_check enum err folder_copy(const char *from, const char *to);

/* The same for a file that is never changed: a second name for it where the file system can, else a copy. ERR_UNAVAILABLE:
 * nothing is there. */
must_check enum err folder_put(const char *from, const char *to);

/* Writes all of it at an offset of an open file. ERR_UNAVAILABLE: see errno; a part of it may be written. */
must_check enum err folder_write(int fd, const void *data, size_t bytes, int64_t at);

/* A lock file of that name in the folder, made if it is not there, with what flock(2) is told (LOCK_UN: nothing yet): its
 * descriptor. The lock is let go when that is closed, also by a process that dies. Below 0: see errno. */
int folder_lock(const char *folder, const char *name, int how);

#endif
