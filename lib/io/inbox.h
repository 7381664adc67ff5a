/* inbox: what has come of a request that is not whole yet, taken out of the socket so that its sender has room for the rest. */
#ifndef RTCC_INBOX_H
#define RTCC_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of a process together; one takes FCGI_LOOK_MAX_BYTES at most. */
enum { INBOX_KEPT_MAX_BYTES = 64 * 1024 * 1024 };

struct inbox {
    size_t bytes;
    uint8_t data[];
};

/* Appends to *box, which is NULL at first. False if too much is kept already: *box is as it was. */
bool inbox_add(struct inbox **box, const uint8_t *data, size_t bytes);

/* Forgets what is in *box, which may be NULL, and sets it to NULL. */
void inbox_drop(struct inbox **box);

#endif
