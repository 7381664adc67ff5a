/* space: how much of a disk people's files may take. What they leave is kept for messages and forms, which are small and must go
 * on: nobody who sends files takes the disk to its last byte. */
#ifndef RTCC_SPACE_H
#define RTCC_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What files leave free; with less of it than this `status` is not ok. */
enum { SPACE_RESERVE_BYTES = 100 * 1024 * 1024 };

/* The bytes that programs may still write on the disk of the folder. Below 0: see errno. */
int64_t space_free(const char *folder);

/* Whether files may take so many bytes more. Where nobody can say, they may: who writes will see. */
bool space_is_for(const char *folder, int64_t bytes);

/* Takes the place of so many bytes at an offset of a file in the folder, before they are written, if besides them there is room
 * for `more`, which will come later and is not taken yet. Of several at once each counts what those before him took, so that
 * together they leave the reserve, too (not on a file system that cannot give place beforehand). ERR_UNAVAILABLE: there is not
 * so much room; errno is ENOSPC. */
must_check enum err space_claim(const char *folder, int fd, int64_t at, int64_t bytes, int64_t more);

#endif
