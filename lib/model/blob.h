/* blob: the bytes of one file, under a random name of their own (their place) in state_dir/files.
 *
 * What was written is on the disk, and so is its name, when a call returns OK, and it leaves what space.h keeps of the disk for
 * others. Everything that the disk refuses is ERR_UNAVAILABLE, with a sentence for whoever sends or reads the file. */
#ifndef RTCC_BLOB_H
#define RTCC_BLOB_H

#include <stdint.h>

#include "io/center.h"

enum { BLOB_HEAD_BYTES = 16 };

struct blob_part {
    const char *data;
    int64_t bytes;
    int64_t offset;
    int64_t total; /* of the whole; what comes behind this part has to find room, too */
};

enum blob_kept {
    KEPT_SAME,
    KEPT_OTHER,
    KEPT_LESS, /* as far as they are there they are the same */
};

/* A new place, which nobody knows yet, in c->mem. */
const char *blob_new_place(struct center *c);

/* Makes it with its first part; gives its first bytes, 0 behind its end. */
must_check enum err blob_make(struct center *c, const char *place, const struct blob_part *part, char head[BLOB_HEAD_BYTES]);

void blob_remove(struct center *c, const char *place);

/* Opens it for reading. ERR_NOT_FOUND, without a fault: it is lost, or has less than `total` bytes. */
must_check enum err blob_open(struct center *c, const char *place, int64_t total, int *fd);

/* Opens it for writing and waits for its lock, which is held until *fd is closed. ERR_NOT_FOUND, without a fault: it is lost. */
must_check enum err blob_lock(struct center *c, const char *place, int *fd);

/* The same; what is lost is made anew, empty. */
must_check enum err blob_lock_anew(struct center *c, const char *place, int *fd);

/* The rest has the lock. Writes a part into it; gives its first bytes, 0 behind its end. */
must_check enum err blob_write(struct center *c, int fd, const struct blob_part *part, char head[BLOB_HEAD_BYTES]);

/* Writes what was lost, and its name. */
must_check enum err blob_write_back(struct center *c, int fd, const struct blob_part *part);

/* How many bytes it has. */
must_check enum err blob_size(struct center *c, int fd, int64_t *out);

/* Holds a part against what is there. */
must_check enum err blob_compare(struct center *c, int fd, const struct blob_part *part, enum blob_kept *out);

/* The same, without the lock. */
must_check enum err blob_compare_at(struct center *c, const char *place, const struct blob_part *part, enum blob_kept *out);

#endif
