/* wal.c: see wal.h. Rejected: a process of its own for it (where the programs were dropped into a cgi-bin there is none), and
 * moving nothing while others write (then the log begins anew only in a pause, and grows under load). */
#include "io/wal.h"

#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/turn.h"

enum { TURN_MS = 200 };

static int
on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    struct wal *wal = context;
    (void)db;
    (void)name;
    if (pages < wal->moved) /* it began anew */
        wal->moved = 0;
    wal->pages = pages;
    return SQLITE_OK;
}

void
wal_watch(struct wal *wal, sqlite3 *db, struct turn *turn)
{
    *wal = (struct wal){.db = db, .turn = turn};
    sqlite3_wal_hook(db, on_commit, wal);
}

bool
wal_has(const struct wal *wal, int pages)
{
    return wal->pages - wal->moved > pages;
}

/* As far as no reader still needs the log. False: another is at it, or the disk refused. */
static bool
move(struct wal *wal)
{
    int pages, moved, result = sqlite3_wal_checkpoint_v2(wal->db, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (result == SQLITE_OK) {
        wal->pages = pages;
        wal->moved = moved;
    } else if ((result & 0xff) != SQLITE_BUSY) {
        log_error("database: what is in the log cannot be moved: %s (%d)", sqlite3_errmsg(wal->db), result);
    }
    return result == SQLITE_OK;
}

void
wal_move(struct wal *wal)
{
    wal->moved = wal->pages; /* whatever comes of it, the next time is after as many more */
    if (!move(wal) || !turn_take(wal->turn, clock_boot_ms() + TURN_MS))
        return;
    (void)move(wal);
    turn_give(wal->turn);
}
