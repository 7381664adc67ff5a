/* restore: puts a copy of the main database (db_backup()) back in its place. */
#ifndef RTCC_RESTORE_H
#define RTCC_RESTORE_H

#include "base/arena.h"
#include "base/err.h"

enum { RESTORE_GAP = 1000000 };

/* Puts the copy at `path` (with path-wal, if there is one) in the place of folder's main database: checks it, brings its schema
 * up to date, moves all counters on by RESTORE_GAP so that no id is used twice, and keeps the old database as *before (with
 * *before-wal, if programs were killed): rtcc.db.before, or with a number behind it where earlier restores have kept theirs; such
 * a one may be `path`. ERR_CONFLICT: the databases are in use. ERR_UNAVAILABLE: the copy or the place is not usable, or the copy
 * is no database of ours; all is as it was. *why says what went wrong. Both texts are in mem. */
must_check enum err restore_copy(const char *folder, const char *path, struct arena *mem, const char **why, const char **before);

#endif
