/* space.c: see space.h. The folder itself is the lock: held for a look and a claim, never while bytes are written. */
#include "io/space.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

int64_t
space_free(const char *folder)
{
    struct statvfs disk;
    return statvfs(folder, &disk) == 0 ? (int64_t)disk.f_bavail * (int64_t)disk.f_frsize : -1;
}

bool
space_is_for(const char *folder, int64_t bytes)
{
    int64_t free_bytes = space_free(folder);
    return free_bytes < 0 || free_bytes - bytes >= SPACE_RESERVE_BYTES;
}

/* The file keeps its length: what is behind the bytes that were written is nobody's. */
static bool
allocate(int fd, int64_t at, int64_t bytes)
{
    int result;
    do
        result = bytes > 0 ? fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes) : 0;
    while (result != 0 && errno == EINTR);
    return result == 0 || (errno != ENOSPC && errno != EDQUOT); /* else the file system cannot, and writing will tell */
}

enum err
space_claim(const char *folder, int fd, int64_t at, int64_t bytes, int64_t more)
{
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (lock >= 0 && flock(lock, LOCK_EX) != 0 && errno == EINTR)
        ;
    bool is_claimed = space_is_for(folder, bytes + more) && allocate(fd, at, bytes);
    if (lock >= 0)
        close(lock);
    errno = is_claimed ? 0 : ENOSPC;
    return is_claimed ? OK : ERR_UNAVAILABLE;
}
