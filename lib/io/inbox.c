/* inbox.c: one block of memory a box, as long as what is in it; web servers send a request in a few pieces, so it grows seldom.
 * An upload is appended to a file whose name is gone before it is used: nobody has to clear it away, and the disk seldom gets to
 * see its bytes.
 *
 * Rejected: a buffer of the largest size at once, of which most would lie empty under the limit for all; files in memory, where a
 * few clients who send nearly all of an upload would leave no room for anybody else's. */
#include "io/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "io/space.h"

static size_t kept_bytes;

static struct {
    const char *folder; /* NULL: there are none */
    uint64_t most_bytes;
    uint64_t bytes;
} files;

void
inbox_use_files(const char *folder, uint64_t most_bytes)
{
    files.folder = folder;
    files.most_bytes = most_bytes;
}

/* ── files ── */

/* One who was killed just here may have left the name behind. */
static int
open_file(void)
{
    char path[PATH_MAX];
    int chars = snprintf(path, sizeof path, "%s/request.%d", files.folder, (int)getpid());
    if (chars < 0 || (size_t)chars >= sizeof path)
        return -1;
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool
is_room_for(uint64_t bytes)
{
    return files.bytes + bytes <= files.most_bytes && space_is_for(files.folder, (int64_t)bytes);
}

/* False: *box is as it was. */
static bool
move_to_file(struct inbox **box)
{
    struct inbox *old = *box;
    int fd = is_room_for(old->bytes) ? open_file() : -1;
    if (fd < 0 || folder_write(fd, old->data, old->bytes, 0) != OK) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    kept_bytes -= old->bytes;
    files.bytes += old->bytes;
    old->fd = fd;
    struct inbox *small = realloc(old, sizeof *small);
    *box = small == NULL ? old : small;
    return true;
}

static bool
add_to_file(struct inbox *box, const uint8_t *data, size_t bytes)
{
    if (!is_room_for(bytes) || folder_write(box->fd, data, bytes, (int64_t)box->bytes) != OK)
        return false;
    box->bytes += bytes;
    files.bytes += bytes;
    return true;
}

/* ── boxes ── */

bool
inbox_may_become(int64_t bytes)
{
    return files.folder != NULL && space_is_for(files.folder, bytes);
}

bool
inbox_is_outgrown(const struct inbox *box, size_t bytes)
{
    return box->fd < 0 && box->bytes + bytes > FCGI_LOOK_MAX_BYTES;
}

static bool
add_to_memory(struct inbox **box, const uint8_t *data, size_t bytes)
{
    size_t before = *box == NULL ? 0 : (*box)->bytes;
    if (kept_bytes + bytes > INBOX_KEPT_MAX_BYTES)
        return false;
    struct inbox *grown = realloc(*box, sizeof *grown + before + bytes);
    if (grown == NULL)
        log_fatal("out of memory: %zu bytes were asked for", before + bytes);
    if (*box == NULL)
        *grown = (struct inbox){.fd = -1};
    memcpy(grown->data + before, data, bytes);
    grown->bytes = before + bytes;
    kept_bytes += bytes;
    *box = grown;
    return true;
}

bool
inbox_add(struct inbox **box, const uint8_t *data, size_t bytes)
{
    if (*box != NULL && inbox_is_outgrown(*box, bytes) && (files.folder == NULL || !move_to_file(box)))
        return false;
    return *box != NULL && (*box)->fd >= 0 ? add_to_file(*box, data, bytes) : add_to_memory(box, data, bytes);
}

int
inbox_take_file(struct inbox **box)
{
    int fd = (*box)->fd;
    (*box)->fd = -1;
    files.bytes -= (*box)->bytes;
    free(*box);
    *box = NULL;
    lseek(fd, 0, SEEK_SET);
    return fd;
}

void
inbox_drop(struct inbox **box)
{
    if (*box == NULL)
        return;
    if ((*box)->fd >= 0) {
        close(inbox_take_file(box));
        return;
    }
    kept_bytes -= (*box)->bytes;
    free(*box);
    *box = NULL;
}
