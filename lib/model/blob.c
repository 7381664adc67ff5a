/* blob.c: see blob.h. Bytes in the database were rejected: a 20 MB row goes through the WAL and holds up everybody's commit. */
#include "model/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "io/secret.h"
#include "io/space.h"
#include "model/filestore.h"

enum { PLACE_CHARS = 32, BLOCK_BYTES = 65536, FULL_RETRY_S = 60 };

static const char *
path_of(struct center *c, const char *place)
{
    return arena_printf(c->mem, "%s/%s", filestore_folder(c), place);
}

static enum err
disk_fault(struct center *c, const char *doing)
{
    bool is_full = errno == ENOSPC || errno == EDQUOT;
    log_error("file: %s: %s", doing, strerror(errno));
    if (!is_full)
        return center_fault(c, ERR_UNAVAILABLE, NULL, "Files cannot be kept at the moment. Try again in a minute.");
    enum err err = center_fault(c, ERR_UNAVAILABLE, NULL,
        "There is no room for more files here at the moment. Messages arrive all the same; send the file later.");
    c->fault.retry_s = FULL_RETRY_S;
    return err;
}

/* Whether a file cannot be opened because it is not there; when its folder is not, that comes back. */
static bool
is_missing(struct center *c)
{
    return errno == ENOENT && access(filestore_folder(c), F_OK) == 0;
}

const char *
blob_new_place(struct center *c)
{
    return secret_random_text(c->mem, PLACE_CHARS);
}

enum err
blob_write(struct center *c, int fd, const struct blob_part *part, char head[BLOB_HEAD_BYTES])
{
    int64_t more = part->total - part->offset - part->bytes;
    memset(head, 0, BLOB_HEAD_BYTES);
    if (space_claim(filestore_folder(c), fd, part->offset, part->bytes, more) != OK)
        return disk_fault(c, "make room");
    bool is_written = folder_write(fd, part->data, (size_t)part->bytes, part->offset) == OK;
    bool is_kept = is_written && fsync(fd) == 0 && pread(fd, head, BLOB_HEAD_BYTES, 0) >= 0;
    return is_kept ? OK : disk_fault(c, "write");
}

/* Its name, beside its bytes. */
static enum err
sync_folder(struct center *c)
{
    return folder_sync(filestore_folder(c)) == OK ? OK : disk_fault(c, "sync the folder");
}

enum err
blob_write_back(struct center *c, int fd, const struct blob_part *part)
{
    char head[BLOB_HEAD_BYTES];
    enum err err = blob_write(c, fd, part, head);
    return err == OK ? sync_folder(c) : err;
}

enum err
blob_make(struct center *c, const char *place, const struct blob_part *part, char head[BLOB_HEAD_BYTES])
{
    int fd = open(path_of(c, place), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return disk_fault(c, "open");
    enum err err = blob_write(c, fd, part, head);
    close(fd);
    return err == OK ? sync_folder(c) : err;
}

void
blob_remove(struct center *c, const char *place)
{
    unlink(path_of(c, place));
}

/* *fd is -1 when it is not OK. */
static enum err
open_to_read(struct center *c, const char *place, int *fd)
{
    *fd = open(path_of(c, place), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd >= 0)
        return OK;
    return is_missing(c) ? ERR_NOT_FOUND : disk_fault(c, "open");
}

enum err
blob_open(struct center *c, const char *place, int64_t total, int *fd)
{
    int64_t size = 0;
    enum err err = open_to_read(c, place, fd);
    if (err != OK)
        return err;
    err = blob_size(c, *fd, &size);
    if (err == OK && size >= total)
        return OK;
    close(*fd);
    *fd = -1;
    return err == OK ? ERR_NOT_FOUND : err;
}

static enum err
open_locked(struct center *c, const char *place, int flags, int *fd)
{
    *fd = open(path_of(c, place), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (*fd < 0)
        return is_missing(c) ? ERR_NOT_FOUND : disk_fault(c, "open");
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        enum err err = disk_fault(c, "lock");
        close(*fd);
        return err;
    }
    return OK;
}

enum err
blob_lock(struct center *c, const char *place, int *fd)
{
    return open_locked(c, place, 0, fd);
}

enum err
blob_lock_anew(struct center *c, const char *place, int *fd)
{
    enum err err = open_locked(c, place, O_CREAT, fd);
    return err == ERR_NOT_FOUND ? disk_fault(c, "open") : err;
}

enum err
blob_size(struct center *c, int fd, int64_t *out)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return disk_fault(c, "look");
    *out = info.st_size;
    return OK;
}

enum err
blob_compare(struct center *c, int fd, const struct blob_part *part, enum blob_kept *out)
{
    char block[BLOCK_BYTES];
    *out = KEPT_SAME;
    for (int64_t at = 0; at < part->bytes && *out == KEPT_SAME;) {
        size_t rest = part->bytes - at < BLOCK_BYTES ? (size_t)(part->bytes - at) : BLOCK_BYTES;
        ssize_t n = pread(fd, block, rest, (off_t)(part->offset + at));
        if (n < 0)
            return disk_fault(c, "read");
        if (n == 0)
            *out = KEPT_LESS;
        else if (memcmp(block, part->data + at, (size_t)n) != 0)
            *out = KEPT_OTHER;
        at += n;
    }
    return OK;
}

enum err
blob_compare_at(struct center *c, const char *place, const struct blob_part *part, enum blob_kept *out)
{
    int fd;
    enum err err = open_to_read(c, place, &fd);
    *out = KEPT_LESS;
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    err = blob_compare(c, fd, part, out);
    close(fd);
    return err;
}
