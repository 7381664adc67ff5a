/* wal: when what was committed moves from sqlite's log into the database file.
 *
 * By itself sqlite does that inside of a COMMIT, once there are a thousand pages: the one whose COMMIT it was has no answer, and
 * all who want to write wait behind it, as long as the disk takes for the pages and two syncs. Here it is done by whoever serves,
 * when his answers are gone, and while others write; only the rest, what was written meanwhile, is moved while nobody else
 * writes, so that the log begins anew. So it stays about as small as by sqlite's own way. */
#ifndef RTCC_WAL_H
#define RTCC_WAL_H

#include <stdbool.h>

struct sqlite3;
struct turn;

enum { WAL_DUE_PAGES = 1000, WAL_LATE_PAGES = 4000 };

struct wal {
    struct sqlite3 *db;
    struct turn *turn;
    int pages; /* in the log, when this connection last wrote */
    int moved; /* of them, as far as this connection knows */
};

/* Takes it out of sqlite's hands for this connection, in which nobody else may set a wal_hook. All three live as long as the
 * connection; the turn is that of the database's writers. */
void wal_watch(struct wal *wal, struct sqlite3 *db, struct turn *turn);

/* Whether more than so many pages wait to be moved, of what this connection saw when it last wrote. */
bool wal_has(const struct wal *wal, int pages);

/* Moves them, or leaves them to another process that is just moving them, or to the next time. Not inside of a transaction, nor
 * in a look. A disk that refuses is logged, and what is in the log stays there. */
void wal_move(struct wal *wal);

#endif
