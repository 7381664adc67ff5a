/* folder.c: see folder.h. A descriptor that is kept was rejected: the folder may be moved away and be made anew. */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
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
