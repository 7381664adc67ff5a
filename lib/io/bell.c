/* bell: the file is folder/bell, always empty. Ringing opens it for writing and closes it (IN_CLOSE_WRITE); listening is an
 * inotify watch on that file alone, as the folder also holds the databases, whose every write would wake everyone.
 *
 * Nothing is written, because that would set the file's time, for which the file system starts a transaction of its own and may
 * wait for its journal: 0.3 ms of the way of every message. The file is opened for each ring, because a kept descriptor would go
 * on ringing a file that was replaced or restored meanwhile. Rejected: a FIFO (one byte wakes one reader, not all), an eventfd
 * (not across programs), signals (who listens must be known), and a socket for each listener (a list to keep). */
#include "io/bell.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Besides the ring: whatever may mean that the name now belongs to another file. */
static const uint32_t replaced = IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

/* False when the path is too long to be one. */
static bool
bell_path(const char *folder, char out[PATH_MAX])
{
    int chars = snprintf(out, PATH_MAX, "%s/bell", folder);
    return chars > 0 && chars < PATH_MAX;
}

static void
bell_touch(const char *path, int how)
{
    int fd = open(path, how | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0660);
    if (fd >= 0)
        close(fd);
}

void
bell_ring(const char *folder)
{
    char path[PATH_MAX];
    if (bell_path(folder, path))
        bell_touch(path, O_WRONLY);
}

static bool
bell_watch(int fd, const char *folder)
{
    char path[PATH_MAX];
    if (!bell_path(folder, path))
        return false;
    bell_touch(path, O_RDONLY); /* it is there; those who listen already hear nothing */
    return inotify_add_watch(fd, path, IN_CLOSE_WRITE | replaced) >= 0;
}

int
bell_listen(const char *folder)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0 && !bell_watch(fd, folder)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void
bell_heard(int fd, const char *folder)
{
    bool is_replaced = false;
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t bytes;
    while ((bytes = read(fd, events, sizeof events)) > 0) {
        const struct inotify_event *event;
        for (ssize_t at = 0; at < bytes; at += (ssize_t)(sizeof *event + event->len)) {
            event = (const struct inotify_event *)(const void *)(events + at);
            is_replaced |= (event->mask & (replaced | IN_IGNORED)) != 0;
            /* a file that was moved away would go on ringing under its other name */
            if (event->mask & IN_MOVE_SELF)
                inotify_rm_watch(fd, event->wd);
        }
    }
    if (is_replaced)
        bell_watch(fd, folder);
}
