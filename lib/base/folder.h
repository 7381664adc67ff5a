/* folder: makes the names in a folder safe. A file's own fsync keeps its bytes; that it is there, or there under its new name, is
 * the folder's. */
#ifndef RTCC_FOLDER_H
#define RTCC_FOLDER_H

#include "base/err.h"

/* What was made, renamed or removed in the folder is on the disk when it returns OK. ERR_UNAVAILABLE: see errno. */
must_check enum err folder_sync(const char *path);

#endif
