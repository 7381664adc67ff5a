/* db.c: sqlite3 behind db.h; with engine.c, schema.c and wal.c behind it the only file that includes it.
 *
 * One connection for each of the two files, statements prepared when first used and kept. Those who write the main one take turns
 * (turn.h). sqlite's own busy timeout, for what others do with it, was rejected: it sleeps longer and longer and starves a writer
 * for seconds; the handler here sleeps a short random time instead and gives up after DB_BUSY_MS. The schema is brought up to
 * date under a lock file, because the switch to WAL and the first CREATE of forty processes on an empty place otherwise fail
 * without asking the busy handler. */
#include "io/db.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/log.h"
#include "io/bell.h"
#include "io/engine.h"
#include "io/live.h"
#include "io/schema.h"
#include "io/turn.h"
#include "io/wal.h"

enum { DEPTH_MAX = 8, SITE = 1 };

/* What moves between the depths: a transaction at 0, a savepoint below. Prepared as any statement: parsing it anew, three times
 * for a request, took a seventh of a write. */
enum verb { VERB_BEGIN, VERB_COMMIT, VERB_ROLLBACK, VERB_READ, VERBS };
static const char *const outer_verbs[VERBS] = {"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "BEGIN"};
static const char *const inner_verbs[VERBS] = {"SAVEPOINT", "RELEASE", "ROLLBACK TO", NULL};

/* Half a megabyte for each file: the kernel keeps the rest, once for all programs. */
#define CACHE "PRAGMA cache_size = -512"

struct db {
    sqlite3 *main;
    sqlite3 *live;
    sqlite3_stmt **statements;
    sqlite3_stmt *verbs[DEPTH_MAX][VERBS];
    char *folder;
    int in_use;            /* a shared lock, held as long as the databases are open */
    struct turn turn;      /* to write the main one; held while depth is above 0 */
    struct wal wal;        /* the main one's; live.db is sqlite's own business */
    int64_t busy_ms;       /* how long beginning may wait for others */
    int64_t brief_from_ms; /* db_begin_briefly() says no until then */
    int64_t busy_since_ms;
    bool is_beginning; /* the wait for the turn counts, too */
    int depth;
    int64_t look;  /* between db_read_begin() and db_read_end(), until a write comes: its number; 0: none */
    bool is_alone; /* the transaction is that of a single statement */
    bool ring_wanted;
    bool is_newer; /* its schema, than this program */
};

static enum err
db_fault(sqlite3 *handle, const char *doing)
{
    int code = sqlite3_extended_errcode(handle);
    assert((code & 0xff) != SQLITE_MISUSE && (code & 0xff) != SQLITE_RANGE);
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return ERR_CONFLICT;
    log_error("database: %s: %s (%d)", doing, sqlite3_errmsg(handle), code);
    return ERR_UNAVAILABLE;
}

static int
wait_a_little(void *context, int attempt)
{
    struct db *db = context;
    if (attempt == 0 && !db->is_beginning)
        db->busy_since_ms = clock_boot_ms();
    if (clock_boot_ms() - db->busy_since_ms >= db->busy_ms)
        return false;
    usleep(100 + (useconds_t)random() % 200);
    return true;
}

static bool
run(sqlite3 *handle, const char *sql)
{
    return sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static char words[4352]; /* why it could not be opened */

static bool
open_file(struct db *db, const char *name, const struct sql_schema *schema, const char *pragmas, sqlite3 **out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", db->folder, name);
    if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
        return false;
    sqlite3_extended_result_codes(*out, 1);
    sqlite3_busy_handler(*out, wait_a_little, db);
    if (!run(*out, pragmas) || !run(*out, "PRAGMA journal_mode = WAL")) /* a copy that was put back is in no such mode */
        return false;
    db->is_newer = schema_version(*out) > schema_newest(schema);
    if (db->is_newer)
        snprintf(words, sizeof words, "%s has schema %d, this program knows %d: install the newer programs", path,
            schema_version(*out), schema_newest(schema));
    return !db->is_newer && (schema_version(*out) == schema_newest(schema) || schema_apply(*out, schema));
}

#define LIVE_PRAGMAS "PRAGMA trusted_schema = OFF; PRAGMA synchronous = OFF; " CACHE

/* What is in it may be lost, but must not be in the way. */
static bool
open_live(struct db *db, bool is_alone)
{
    if (open_file(db, "live.db", sql_schema_live, LIVE_PRAGMAS, &db->live))
        return true;
    int code = sqlite3_errcode(db->live) & 0xff;
    if (!is_alone || (code != SQLITE_CORRUPT && code != SQLITE_NOTADB))
        return false;
    log_warn("live.db in %s is damaged and is made anew", db->folder);
    sqlite3_close(db->live);
    db->live = NULL;
    live_remove(db->folder);
    return open_file(db, "live.db", sql_schema_live, LIVE_PRAGMAS, &db->live);
}

static bool
open_files(struct db *db, bool is_alone)
{
    return open_file(db, "rtcc.db", sql_schema_main,
               "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; " CACHE, &db->main) &&
           open_live(db, is_alone);
}

static const char *
sentence(const char *folder, const char *what)
{
    snprintf(words, sizeof words, "the database in %s cannot be used: %s", folder, what);
    return words;
}

enum err
db_try(const char *folder, struct db **out, const char **why)
{
    struct db *db = calloc(1, sizeof *db);
    assert(db);
    engine_set_up();
    db->busy_ms = DB_BUSY_MS;
    db->folder = strdup(folder);
    db->statements = calloc(sql_count + 1, sizeof *db->statements);
    assert(db->folder && db->statements);
    srandom((unsigned)(clock_boot_ms() ^ getpid()));
    int lock = folder_lock(folder, "open.lock", LOCK_EX);
    db->in_use = folder_lock(folder, "use.lock", LOCK_UN);
    if (!turn_open(&db->turn, folder) || lock < 0 || db->in_use < 0) {
        *why = sentence(folder, strerror(errno));
        if (lock >= 0)
            close(lock);
        db_close(db);
        return ERR_UNAVAILABLE;
    }
    bool is_open = open_files(db, live_begin(folder, db->in_use));
    bool is_newer = db->is_newer;
    if (!is_open)
        *why = is_newer ? words : sentence(folder, sqlite3_errmsg(db->live ? db->live : db->main));
    close(lock);
    if (!is_open) {
        db_close(db);
        return is_newer ? ERR_CONFLICT : ERR_UNAVAILABLE;
    }
    wal_watch(&db->wal, db->main, &db->turn);
    *out = db;
    return OK;
}

enum err
db_open(const char *folder, struct db **out, const char **why)
{
    enum err err = db_try(folder, out, why);
    if (err == ERR_CONFLICT)
        log_fatal("%s", *why);
    return err;
}

void
db_close(struct db *db)
{
    for (int i = 0; i < sql_count; i++)
        sqlite3_finalize(db->statements[i]);
    for (int i = 0; i < DEPTH_MAX * VERBS; i++)
        sqlite3_finalize(db->verbs[i / VERBS][i % VERBS]);
    sqlite3_close(db->main);
    sqlite3_close(db->live);
    close(db->in_use); /* -1 where it was not opened: nothing happens */
    turn_close(&db->turn);
    free(db->statements);
    free(db->folder);
    free(db);
}

const char *
db_folder(const struct db *db)
{
    return db->folder;
}

/* ── transactions ── */

static enum err
run_verb(struct db *db, enum verb verb)
{
    sqlite3_stmt **slot = &db->verbs[db->depth][verb];
    char text[24];
    snprintf(text, sizeof text, db->depth == 0 ? "%s" : "%s s%d", (db->depth == 0 ? outer_verbs : inner_verbs)[verb], db->depth);
    if (!*slot && sqlite3_prepare_v3(db->main, text, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
        return db_fault(db->main, text);
    enum err err = sqlite3_step(*slot) == SQLITE_DONE ? OK : db_fault(db->main, text);
    sqlite3_reset(*slot);
    return err;
}

/* A full disk or an I/O error has undone the whole transaction: what is asked of it now would be kept alone. */
static bool
is_lost(const struct db *db)
{
    return db->depth > 0 && sqlite3_get_autocommit(db->main);
}

static enum err
begin_in_turn(struct db *db)
{
    db->busy_since_ms = clock_boot_ms();
    if (!turn_take(&db->turn, db->busy_since_ms + db->busy_ms)) {
        log_error("database: others were before this one for %d ms", (int)db->busy_ms);
        return ERR_UNAVAILABLE;
    }
    db->is_beginning = true;
    enum err err = run_verb(db, VERB_BEGIN);
    db->is_beginning = false;
    if (err != OK)
        turn_give(&db->turn);
    return err;
}

void
db_read_begin(struct db *db)
{
    static int64_t looks;
    if (db == NULL)
        return;
    assert(db->depth == 0 && db->look == 0);
    if (run_verb(db, VERB_READ) == OK) /* else each read is one of its own, as it is without */
        db->look = ++looks;
}

int64_t
db_look(const struct db *db)
{
    return db->look;
}

void
db_read_end(struct db *db)
{
    if (db == NULL)
        return;
    if (db->look != 0 && !sqlite3_get_autocommit(db->main)) /* an I/O error has ended it */
        (void)!run_verb(db, VERB_COMMIT);
    db->look = 0;
}

enum err
db_begin(struct db *db)
{
    assert(db->depth < DEPTH_MAX);
    if (is_lost(db))
        return ERR_UNAVAILABLE;
    db_read_end(db); /* a look at what was cannot become a write of what is */
    enum err err = db->depth == 0 ? begin_in_turn(db) : run_verb(db, VERB_BEGIN);
    if (err == OK)
        db->depth++;
    return err;
}

enum err
db_begin_briefly(struct db *db)
{
    int64_t now_ms = clock_boot_ms();
    if (db->depth == 0 && now_ms < db->brief_from_ms)
        return ERR_UNAVAILABLE;
    db->busy_ms = DB_BRIEF_MS;
    enum err err = db_begin(db);
    db->busy_ms = DB_BUSY_MS;
    if (err != OK)
        db->brief_from_ms = now_ms + DB_BRIEF_PAUSE_MS;
    return err;
}

static void
ring_if_wanted(struct db *db)
{
    if (db->ring_wanted && db->depth == 0) {
        db->ring_wanted = false;
        bell_ring(db->folder);
    }
}

enum err
db_commit(struct db *db)
{
    assert(db->depth > 0);
    db->depth--;
    enum err err = run_verb(db, VERB_COMMIT);
    if (err != OK && db->depth == 0) {
        db->ring_wanted = false;
        if (!sqlite3_get_autocommit(db->main))
            (void)!run_verb(db, VERB_ROLLBACK);
    }
    if (db->depth == 0)
        turn_give(&db->turn);
    ring_if_wanted(db);
    if (db->depth == 0 && wal_has(&db->wal, WAL_LATE_PAGES))
        wal_move(&db->wal); /* who writes on and on without db_tend() */
    return err;
}

void
db_rollback(struct db *db)
{
    assert(db->depth > 0);
    bool was_lost = is_lost(db);
    db->depth--;
    if (db->depth == 0)
        db->ring_wanted = false;
    if (!was_lost && run_verb(db, VERB_ROLLBACK) == OK && db->depth > 0)
        (void)!run_verb(db, VERB_COMMIT); /* the savepoint itself is still there */
    if (db->depth == 0)
        turn_give(&db->turn);
}

enum err
db_end(struct db *db, enum err err)
{
    if (err == OK)
        return db_commit(db);
    db_rollback(db);
    return err;
}

void
db_ring_after_commit(struct db *db)
{
    db->ring_wanted = true;
    ring_if_wanted(db);
}

void
db_tend(struct db *db)
{
    assert(db == NULL || (db->depth == 0 && db->look == 0));
    if (db != NULL && wal_has(&db->wal, WAL_DUE_PAGES))
        wal_move(&db->wal);
}

/* ── statements ── */

enum err
db_statement(struct db *db, int number, sqlite3_stmt **out)
{
    sqlite3_stmt **slot = &db->statements[number];
    sqlite3 *handle = sql_texts[number].is_live ? db->live : db->main;
    if (handle == db->main && is_lost(db))
        return ERR_UNAVAILABLE;
    if (!*slot && sqlite3_prepare_v3(handle, sql_texts[number].text, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
        return db_fault(handle, sql_texts[number].name);
    sqlite3_reset(*slot);
    sqlite3_clear_bindings(*slot);
    db_bind_int(*slot, sql_texts[number].site_at, SITE);
    *out = *slot;
    if (handle != db->main || db->depth > 0 || sqlite3_stmt_readonly(*slot))
        return OK;
    enum err err = db_begin(db);
    db->is_alone = err == OK;
    return err;
}

void
db_bind_int(sqlite3_stmt *s, int parameter, int64_t value)
{
    sqlite3_bind_int64(s, parameter, value);
}

void
db_bind_text(sqlite3_stmt *s, int parameter, const char *value)
{
    /* the caller's text outlives the statement's run: it lives in the arena of the request */
    sqlite3_bind_text(s, parameter, value, -1, SQLITE_STATIC);
}

enum db_step
db_step(struct db *db, sqlite3_stmt *s, enum err *err)
{
    int result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        return DB_ROW;
    *err = result == SQLITE_DONE ? OK : db_fault(sqlite3_db_handle(s), sqlite3_sql(s));
    sqlite3_reset(s);
    if (db->is_alone) {
        db->is_alone = false;
        *err = db_end(db, *err);
    }
    return *err == OK ? DB_DONE : DB_FAILED;
}

int64_t
db_column_int(sqlite3_stmt *s, int column)
{
    return sqlite3_column_int64(s, column);
}

const char *
db_column_text(sqlite3_stmt *s, int column, struct arena *mem)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? arena_strndup(mem, text, (size_t)sqlite3_column_bytes(s, column)) : NULL;
}

int
db_changes(struct db *db, sqlite3_stmt *s)
{
    (void)db;
    return sqlite3_changes(sqlite3_db_handle(s));
}

/* ── the whole file ── */

enum err
db_backup(struct db *db, const char *path)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db->main, "VACUUM INTO $path", -1, &s, NULL) != SQLITE_OK)
        return db_fault(db->main, "backup");
    db_bind_text(s, 1, path);
    enum err err = sqlite3_step(s) == SQLITE_DONE ? OK : db_fault(db->main, "backup");
    sqlite3_finalize(s);
    return err;
}

bool
db_is_in_use(const char *folder)
{
    int fd = folder_lock(folder, "use.lock", LOCK_EX | LOCK_NB);
    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == EWOULDBLOCK;
}

static enum err
first_text(struct db *db, const char *sql, struct arena *mem, const char **out)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db->main, sql, -1, &s, NULL) != SQLITE_OK)
        return db_fault(db->main, sql);
    int result = sqlite3_step(s);
    *out = result == SQLITE_ROW ? db_column_text(s, 0, mem) : NULL;
    sqlite3_finalize(s);
    return result == SQLITE_ROW || result == SQLITE_DONE ? OK : db_fault(db->main, sql);
}

enum err
db_check(struct db *db, struct arena *mem, const char **out)
{
    const char *quick = NULL, *foreign = NULL;
    enum err err = first_text(db, "PRAGMA quick_check", mem, &quick);
    if (err == OK && quick && strcmp(quick, "ok") == 0) /* else it may not even be read */
        err = first_text(db, "PRAGMA foreign_key_check", mem, &foreign);
    if (err == OK)
        *out = foreign ? arena_printf(mem, "a row of %s points to nothing", foreign) : quick;
    return err;
}

enum err
db_move_on(struct db *db, struct arena *mem, int64_t gap)
{
    const char *sql = arena_printf(mem, "UPDATE site SET last_event = last_event + %lld, last_id = last_id + %lld",
        (long long)gap, (long long)gap);
    enum err err = run(db->main, sql) ? OK : db_fault(db->main, "counters");
    return err == OK && sqlite3_changes(db->main) == 0 ? ERR_NOT_FOUND : err;
}
