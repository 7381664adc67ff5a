/* restore.c: see restore.h. The copy is prepared in a folder of its own, state_dir/restore, and moved into its place when nothing
 * can fail any more; copying over the database was rejected, because a fault in the middle would cost both. */
#include "io/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "io/db.h"

/* Asked before the copy is opened: opening makes a database of ours out of an empty file and of any that has no version. */
static bool
has_version(const char *path)
{
    enum { VERSION_AT = 60, VERSION_BYTES = 4 }; /* of sqlite's header, where PRAGMA user_version is kept */
    static const char magic[] = "SQLite format 3", none[VERSION_BYTES];
    char header[VERSION_AT + VERSION_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && read(fd, header, sizeof header) == sizeof header;
    if (fd >= 0)
        close(fd);
    return is_read && memcmp(header, magic, sizeof magic) == 0 && memcmp(header + VERSION_AT, none, VERSION_BYTES) != 0;
}

static bool
is_there(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

/* A database whose programs were killed, as an earlier restore has put it aside, has what was acknowledged last in its log. */
static enum err
copy_with_log(const char *path, const char *copy, struct arena *mem)
{
    const char *log = arena_printf(mem, "%s-wal", path);
    enum err err = folder_copy(path, copy);
    return err == OK && is_there(log) ? folder_copy(log, arena_printf(mem, "%s-wal", copy)) : err;
}

/* Opens the copy in a folder of its own, where opening also brings its schema up to date. Closing it empties its log. */
static enum err
prepare_copy(const char *folder, const char *path, struct arena *mem, const char **why)
{
    struct db *db;
    const char *found, *foreign = arena_printf(mem, "%s is no database of rtcc", path);
    if (!has_version(arena_printf(mem, "%s/rtcc.db", folder))) {
        *why = foreign;
        return ERR_UNAVAILABLE;
    }
    enum err err = db_open(folder, &db, why);
    if (err != OK) {
        *why = arena_printf(mem, "%s, or it is damaged: %s", foreign, *why);
        return err;
    }
    err = db_check(db, mem, &found);
    if (err == OK && (!found || strcmp(found, "ok") != 0)) {
        *why = arena_printf(mem, "the copy is damaged: %s", found ? found : "it cannot be read");
        err = ERR_UNAVAILABLE;
    }
    if (err == OK && (err = db_move_on(db, mem, RESTORE_GAP)) != OK)
        *why = err == ERR_NOT_FOUND ? foreign : arena_printf(mem, "%s, or it cannot be written: see the line above", foreign);
    db_close(db);
    if (err == OK && is_there(arena_printf(mem, "%s/rtcc.db-wal", folder))) {
        *why = "the copy cannot be written as a whole: see the line above";
        err = ERR_UNAVAILABLE;
    }
    return err == OK ? OK : ERR_UNAVAILABLE;
}

static void
remove_files(struct arena *mem, const char *folder, const char *const names[])
{
    for (; *names; names++)
        unlink(arena_printf(mem, "%s/%s", folder, *names));
}

/* A name under which nothing is kept yet: the old database of an earlier restore may be the only good one. */
static const char *
name_for_old(struct arena *mem, const char *folder)
{
    const char *name = arena_printf(mem, "%s/rtcc.db.before", folder);
    for (int i = 2; is_there(name) || is_there(arena_printf(mem, "%s-wal", name)); i++)
        name = arena_printf(mem, "%s/rtcc.db.before.%d", folder, i);
    return name;
}

/* After programs that were killed the old write-ahead log holds what they acknowledged last: it goes along. */
static bool
swap_in(struct arena *mem, const char *folder, const char *copy, const char *before)
{
    static const char *const old[] = {"rtcc.db-shm", "live.db", "live.db-wal", "live.db-shm", NULL};
    static const char *const parts[] = {"", "-wal"};
    for (int i = 0; i < 2; i++)
        if (rename(arena_printf(mem, "%s/rtcc.db%s", folder, parts[i]), arena_printf(mem, "%s%s", before, parts[i])) != 0 &&
            errno != ENOENT)
            return false;
    remove_files(mem, folder, old);
    /* the old log must be away for certain before the copy is there: it would be taken for the copy's */
    return folder_sync(folder) == OK && rename(copy, arena_printf(mem, "%s/rtcc.db", folder)) == 0 && folder_sync(folder) == OK;
}

enum err
restore_copy(const char *folder, const char *path, struct arena *mem, const char **why, const char **before)
{
    static const char *const left[] = {"rtcc.db", "rtcc.db-wal", "rtcc.db-shm", "live.db", "live.db-wal", "live.db-shm",
        "open.lock", "use.lock", "turn.lock", "write.lock", "bell", NULL};
    const char *work = arena_printf(mem, "%s/restore", folder), *copy = arena_printf(mem, "%s/rtcc.db", work);
    if (db_is_in_use(folder)) {
        *why = "the programs are running: stop them first";
        return ERR_CONFLICT;
    }
    *why = "see the lines above";
    remove_files(mem, work, left); /* of a restore that was killed: its log must not be taken for the copy's */
    enum err err = OK;
    if ((mkdir(work, 0770) != 0 && errno != EEXIST) || copy_with_log(path, copy, mem) != OK) {
        *why = arena_printf(mem, "%s cannot be copied: %s", path, strerror(errno));
        err = ERR_UNAVAILABLE;
    }
    if (err == OK)
        err = prepare_copy(work, path, mem, why);
    const char *old = name_for_old(mem, folder);
    if (err == OK && !swap_in(mem, folder, copy, old)) {
        *why = arena_printf(mem, "the copy cannot be put into its place: %s", strerror(errno));
        err = ERR_UNAVAILABLE;
    }
    remove_files(mem, work, left);
    rmdir(work);
    if (err == OK)
        *before = old;
    return err;
}
