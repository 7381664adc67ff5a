/* file: what members send each other. The bytes lie in state_dir/files under random names; a row says whose they are.
 *
 * A file may come in pieces: each names its offset, the same nonce joins them, and whoever was cut off is told where to go on.
 * Bytes are on the disk before the row tells of them. The type is found in the first bytes, never believed from the sender. */
#ifndef RTCC_FILE_H
#define RTCC_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"
#include "model/member.h"
#include "sql.h"

enum { FILE_NAME_CHARS = 200 };

struct file_piece {
    const char *nonce;
    const char *name; /* as sent; folders in it are cut off */
    const char *data;
    int64_t bytes;
    int64_t offset;
    int64_t total; /* of the whole file */
};

/* Takes a piece. out->event is 0 until the file is whole and announced; out->bytes is where to go on. A repeated piece is
 * answered like the first. What was acknowledged is never written again, whoever sends what at the same time; a piece of a file
 * of which another is being written waits for that one.
 * ERR_CONFLICT with fault.offset: the piece does not fit behind what is there; without: he is not there any more, or the nonce
 * is that of a file with other bytes. ERR_TOO_LARGE: total is over the setting file_max_bytes, or see quota_ask(). ERR_TOO_MANY:
 * see there. ERR_UNAVAILABLE: the disk cannot keep it, or not without what space.h keeps of it for others, which counts what is
 * still to come of the file; or it cannot give what is there already, to hold the piece against.
 *
 * Of a file that was announced and whose bytes are lost (a COMMIT that failed may yet stand, when the machine goes down before
 * the next one) those that come again under its nonce are taken, if they are all and of its type; with less of them it is
 * ERR_UNAVAILABLE. One that was not whole begins again at 0. */
must_check enum err file_take(struct center *c, const struct member *member, const struct file_piece *piece, struct file *out);

/* What this member announced earlier under this nonce, answered as by file_take(), also when the conversation has ended since.
 * ERR_NOT_FOUND, without a fault: nothing. */
must_check enum err file_before(struct center *c, const struct member *member, const struct file_piece *piece, struct file *out);

/* ERR_NOT_FOUND: none, or not whole. */
must_check enum err file_find(struct center *c, int64_t id, struct file *out);

/* Opens the bytes for reading. ERR_NOT_FOUND: they are lost, or a part of them. ERR_UNAVAILABLE: they cannot be read. */
must_check enum err file_open(struct center *c, const struct file *file, int *fd);

/* Pictures, PDF, audio and video may be shown in the browser; the rest is for saving. */
bool file_may_be_shown(const char *type);

#endif
