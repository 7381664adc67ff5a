/* quota: what files may take: how many of one member are on their way, and how much those of one conference have together.
 *
 * A file counts with all its bytes from its first piece on, so that what was begun has its place, and with QUOTA_FILE_LEAST_BYTES
 * at least: so much of the disk it takes, however small it is, and rows besides. An upload that stands still has its place only
 * as long as nobody else needs it. How much all files together leave of the disk is in io/space.h. */
#ifndef RTCC_QUOTA_H
#define RTCC_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "io/center.h"
#include "sql.h"

/* Uploads give way, as if cancelled, when no piece of them came for so long (or the last came, by the clock as it is now, later
 * than in so long): for another of the same member when he has QUOTA_UNFINISHED_MAX, for anybody's in a conference that is full.
 * What nobody goes on with and nobody gives up is removed by filestore_tidy(). */
enum { QUOTA_IDLE_MS = 60000 };

enum { QUOTA_UNFINISHED_MAX = 10 /* of one member */, QUOTA_FILE_LEAST_BYTES = 4096 };

/* A file that is to begin. */
struct quota_wish {
    int64_t conf;
    int64_t member;
    int64_t total;         /* bytes */
    bool is_part;          /* what has come of it is not all */
    struct file_held held; /* quota_ask() fills it for quota_check() */
};

/* Whether there is place for it, for which what is idle gives way (in a full conference a thousand files at most, of which also
 * those of members who have left), but nothing in vain. Not inside of a transaction.
 * ERR_TOO_LARGE: the conference's files would be over the setting room_max_bytes. ERR_TOO_MANY: QUOTA_UNFINISHED_MAX of the
 * member's are on their way, and this would be another. */
must_check enum err quota_ask(struct center *c, struct quota_wish *wish);

/* The same in the transaction in which its row was inserted, for what others have begun since quota_ask(). */
must_check enum err quota_check(struct center *c, const struct quota_wish *wish);

#endif
