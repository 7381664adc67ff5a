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

static bool
copy_file(const char *from, const char *to)
{
    char block[65536];
    ssize_t n = -1;
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
    while (in >= 0 && out >= 0 && (n = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)n) != n)
            n = -1;
    bool is_copied = n == 0 && fsync(out) == 0;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return is_copied;
}

/* Opens the copy in a folder of its own, where opening also brings its schema up to date. */
static enum err
prepare_copy(const char *folder, struct arena *mem, const char **why)
{
    struct db *db;
    const char *found;
    enum err err = db_open(folder, &db, why);
    if (err != OK)
        return err;
    err = db_check(db, mem, &found);
    if (err == OK && (!found || strcmp(found, "ok") != 0)) {
        *why = arena_printf(mem, "the copy is damaged: %s", found ? found : "it cannot be read");
        err = ERR_UNAVAILABLE;
    }
    if (err == OK)
        err = db_move_on(db, mem, RESTORE_GAP);
    db_close(db);
    return err;
}

static void
remove_files(struct arena *mem, const char *folder, const char *const names[])
{
    for (; *names; names++)
        unlink(arena_printf(mem, "%s/%s", folder, *names));
}

/* After programs that were killed the old write-ahead log holds what they acknowledged last: it goes along. */
static bool
swap_in(struct arena *mem, const char *folder, const char *copy)
{
    static const char *const old[] = {"rtcc.db-shm", "live.db", "live.db-wal", "live.db-shm", NULL};
    static const char *const kept[] = {"rtcc.db", "rtcc.db-wal"}, *const as[] = {"rtcc.db.before", "rtcc.db.before-wal"};
    for (int i = 0; i < 2; i++) {
        const char *before = arena_printf(mem, "%s/%s", folder, as[i]);
        unlink(before);
        if (rename(arena_printf(mem, "%s/%s", folder, kept[i]), before) != 0 && errno != ENOENT)
            return false;
    }
    remove_files(mem, folder, old);
    /* the old log must be away for certain before the copy is there: it would be taken for the copy's */
    return folder_sync(folder) == OK && rename(copy, arena_printf(mem, "%s/rtcc.db", folder)) == 0 && folder_sync(folder) == OK;
}

enum err
restore_copy(const char *folder, const char *path, struct arena *mem, const char **why)
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
    if ((mkdir(work, 0770) != 0 && errno != EEXIST) || !copy_file(path, copy)) {
        *why = arena_printf(mem, "%s cannot be copied: %s", path, strerror(errno));
        err = ERR_UNAVAILABLE;
    }
    if (err == OK)
        err = prepare_copy(work, mem, why);
    if (err == OK && !swap_in(mem, folder, copy)) {
        *why = arena_printf(mem, "the copy cannot be put into its place: %s", strerror(errno));
        err = ERR_UNAVAILABLE;
    }
    remove_files(mem, work, left);
    rmdir(work);
    return err;
}
