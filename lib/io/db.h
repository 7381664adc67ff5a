/* db: the database, and the only file that knows which engine it is.
 *
 * Two files: the main one, where what was acknowledged is on the disk (WAL, synchronous=FULL), and live.db beside it for
 * what may be lost (presence, typing, rates), without fsync. Statements come from sql/ by name; the typed calls around them
 * are generated (sql/gen), and nothing else calls db_statement().
 *
 * $site is bound by itself. A write outside of a transaction is one of its own. No read transaction is held across a wait. */
#ifndef RTCC_DB_H
#define RTCC_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct db;
struct sqlite3_stmt;

enum { DB_BUSY_MS = 2000, DB_BRIEF_MS = 100, DB_BRIEF_PAUSE_MS = 1000 };

/* Opens (and on an empty place makes) the databases in folder, and brings their schema up to date, once, however many
 * processes do it together. Ends the process with a sentence if the schema is newer than this program. ERR_UNAVAILABLE when the
 * place cannot be used; *why then says what to do. */
must_check enum err db_open(const char *folder, struct db **out, const char **why);

/* The same, but for a newer schema it is ERR_CONFLICT, and *why says so: for who has more to do than with this database. */
must_check enum err db_try(const char *folder, struct db **out, const char **why);

void db_close(struct db *db);

/* Begins a transaction that will write, or a savepoint inside of one. ERR_UNAVAILABLE: the database stayed busy for DB_BUSY_MS,
 * the disk is full, … A transaction that a full disk has undone takes nothing more: all that follows in it is ERR_UNAVAILABLE. */
must_check enum err db_begin(struct db *db);

/* The same for what can be done later as well, behind which others wait: it waits for DB_BRIEF_MS at most, and when that was in
 * vain, this process does not try it again for DB_BRIEF_PAUSE_MS. */
must_check enum err db_begin_briefly(struct db *db);

/* Ends what db_begin() began: keeps it (COMMIT is durable when it returns) or undoes it. */
must_check enum err db_commit(struct db *db);
void db_rollback(struct db *db);

/* db_commit() if err is OK, else db_rollback(); returns err or what COMMIT said. */
must_check enum err db_end(struct db *db, enum err err);

/* All reads between these two are one look at the main database, for a turn of a program that reads: taking and giving back the
 * reader's lock for each statement takes longer than reading. A write in between ends the look; reads after it are again each one
 * of its own. Never held across a wait. Not inside of a transaction. Without a
 * database (NULL) nothing. */
void db_read_begin(struct db *db);
void db_read_end(struct db *db);

/* Which look this is: what was read in it is as it was read until another number comes. 0: none. */
int64_t db_look(const struct db *db);

/* Asks that the bell be rung once the outermost transaction is on the disk; at once when none is open (for live.db). */
void db_ring_after_commit(struct db *db);

/* What is to be done now and then and takes as long as the disk takes: who serves calls it when his answers are gone, outside of
 * transactions and looks (wal.h). Without a database (NULL) nothing. */
void db_tend(struct db *db);

/* The folder given to db_open(). */
const char *db_folder(const struct db *db);

/* A copy of the main database at `path`, consistent, while others write (VACUUM INTO). */
must_check enum err db_backup(struct db *db, const char *path);

/* Whether any process has the databases in folder open. */
bool db_is_in_use(const char *folder);

/* Moves all counters on by gap, in a copy that is put back: no id is used twice. ERR_NOT_FOUND: there is no site whose counters
 * they are. */
must_check enum err db_move_on(struct db *db, struct arena *mem, int64_t gap);

/* "ok", or what PRAGMA quick_check and foreign_key_check say; NULL-terminated, in mem. */
must_check enum err db_check(struct db *db, struct arena *mem, const char **out);

/* ── for the generated calls only ── */

/* The prepared statement number `statement` (of sql_texts[]), reset, with $site bound. */
must_check enum err db_statement(struct db *db, int statement, struct sqlite3_stmt **out);
void db_bind_int(struct sqlite3_stmt *s, int parameter, int64_t value);      /* the first is 1 */
void db_bind_text(struct sqlite3_stmt *s, int parameter, const char *value); /* NULL binds NULL */
enum db_step { DB_ROW, DB_DONE, DB_FAILED };
enum db_step db_step(struct db *db, struct sqlite3_stmt *s, enum err *err);
int64_t db_column_int(struct sqlite3_stmt *s, int column);
const char *db_column_text(struct sqlite3_stmt *s, int column, struct arena *mem);
int db_changes(struct db *db, struct sqlite3_stmt *s);

struct sql_text {
    const char *name;
    const char *text;
    int site_at;  /* the number of $site among its parameters */
    bool is_live; /* runs on live.db */
};
extern const struct sql_text sql_texts[];
extern const int sql_count;

#endif
