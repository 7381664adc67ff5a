/* folder.c: see folder.h. A descriptor that is kept was rejected: the folder may be moved away and be made anew. */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum err
folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_UNAVAILABLE;
    int status = fsync(fd), error = errno;
    close(fd);
    errno = error;
    return status == 0 ? OK : ERR_UNAVAILABLE;
}

enum err
folder_write(int fd, const void *data, size_t bytes, int64_t at)
{
    for (const char *rest = data; bytes > 0;) {
        ssize_t written = pwrite(fd, rest, bytes, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return ERR_UNAVAILABLE;
        rest += written;
        at += written;
        bytes -= (size_t)written;
    }
    return OK;
}

static bool
copy_bytes(int in, int out)
{
    char block[65536];
    ssize_t n;
    for (int64_t at = 0; (n = read(in, block, sizeof block)) > 0; at += n)
        if (folder_write(out, block, (size_t)n, at) != OK)
            return false;
    return n == 0 && fsync(out) == 0;
}

enum err
folder_copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
    bool is_copied = out >= 0 && copy_bytes(in, out);
    int error = errno;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    errno = error;
    return is_copied ? OK : ERR_UNAVAILABLE;
}

enum err
folder_put(const char *from, const char *to)
{
    if (unlink(to) != 0 && errno != ENOENT)
        return ERR_UNAVAILABLE;
    if (link(from, to) == 0)
        return OK;
    enum err err = folder_copy(from, to);
    int error = errno;
    if (err != OK)
        unlink(to);
    errno = error;
    return err;
}

int
folder_lock(const char *folder, const char *name, int how)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd >= 0 && flock(fd, how) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
