/* inbox: what has come of a request that is not whole yet, taken out of the socket so that its sender has room for the rest. What
 * is larger than FCGI_LOOK_MAX_BYTES lies in a file without a name, if there may be such. */
#ifndef RTCC_INBOX_H
#define RTCC_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/fcgi.h"

/* In memory, all of a process together. */
enum { INBOX_KEPT_MAX_BYTES = 64 * 1024 * 1024 };

struct inbox {
    size_t bytes;
    int fd;       /* -1: they are in data; else in a file */
    bool is_body; /* the head is whole, and what comes is looked at by `body` */
    struct fcgi_body body;
    uint8_t data[];
};

/* From now on boxes may become files in the folder, which has to stay; all of a process together hold most_bytes, and all of all
 * processes leave on its disk what space.h keeps for others. */
void inbox_use_files(const char *folder, uint64_t most_bytes);

/* Appends to *box, which is NULL at first. False if too much is kept already, or the disk does not take it: *box is as it was. */
bool inbox_add(struct inbox **box, const uint8_t *data, size_t bytes);

/* Whether so many bytes more make a file of it. */
bool inbox_is_outgrown(const struct inbox *box, size_t bytes);

/* Whether there is room now for a file of so many bytes, of which none has come; inbox_add() looks again as they come. */
bool inbox_may_become(int64_t bytes);

/* Hands over the descriptor of the file, at its beginning, and forgets the rest as inbox_drop(). */
int inbox_take_file(struct inbox **box);

/* Forgets what is in *box, which may be NULL, and sets it to NULL. */
void inbox_drop(struct inbox **box);

#endif
