/* inbox.c: one block of memory a box, as long as what is in it; web servers send a request in a few pieces, so it grows seldom.
 *
 * Rejected: a buffer of the largest size at once, of which most would lie empty under the limit for all. */
#include "io/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static size_t kept_bytes;

bool
inbox_add(struct inbox **box, const uint8_t *data, size_t bytes)
{
    size_t before = *box == NULL ? 0 : (*box)->bytes;
    if (kept_bytes + bytes > INBOX_KEPT_MAX_BYTES)
        return false;
    struct inbox *grown = realloc(*box, sizeof *grown + before + bytes);
    if (grown == NULL)
        log_fatal("out of memory: %zu bytes were asked for", before + bytes);
    memcpy(grown->data + before, data, bytes);
    grown->bytes = before + bytes;
    kept_bytes += bytes;
    *box = grown;
    return true;
}

void
inbox_drop(struct inbox **box)
{
    if (*box == NULL)
        return;
    kept_bytes -= (*box)->bytes;
    free(*box);
    *box = NULL;
}
