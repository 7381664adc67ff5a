/* copy.c: backup and restore. */
#include "rtcc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/db.h"
#include "io/restore.h"
#include "io/settings.h"
#include "model/filestore.h"

/* Makes the empty file, which sqlite then fills: nobody else's file is taken for it, and what hinders is known by its name. */
static enum err
make_empty(struct center *c, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd >= 0) {
        close(fd);
        return OK;
    }
    if (errno == EEXIST)
        return center_fault(c, ERR_CONFLICT, NULL, "%s stands already; a backup overwrites nothing.", path);
    if (errno == ENOENT)
        return center_fault(c, ERR_UNAVAILABLE, NULL, "'%s' cannot be made: its folder is not there.", path);
    return center_fault(c, ERR_UNAVAILABLE, NULL, "'%s' cannot be made: %s.", path, strerror(errno));
}

/* Beside a copy of the database lie its files. */
static const char *
files_of(struct center *c, const char *copy)
{
    return arena_printf(c->mem, "%s.files", copy);
}

static enum err
make_folder(struct center *c, const char *folder)
{
    if (mkdir(folder, 0750) == 0)
        return OK;
    if (errno == EEXIST)
        return center_fault(c, ERR_CONFLICT, NULL, "%s stands already; a backup overwrites nothing.", folder);
    return center_fault(c, ERR_UNAVAILABLE, NULL, "'%s' cannot be made: %s.", folder, strerror(errno));
}

static enum err
back_up_database(struct center *c, const char *path)
{
    enum err err = db_backup(c->db, path);
    if (err == OK)
        return OK;
    return center_fault(c, err, NULL, "'%s' could not be written: the line above says why. No backup was made.", path);
}

static enum err
back_up_files(struct center *c, const char *folder)
{
    int64_t missing;
    enum err err = filestore_copy(c, filestore_folder(c), folder, &missing);
    if (err == OK && missing)
        fprintf(stderr, "rtcc: %lld files are missing in %s, and so in the backup.\n", (long long)missing, filestore_folder(c));
    return err;
}

/* The database first: what is sent meanwhile may then be among the files and not in it, never the other way round. What is not
 * finished is removed: half a copy looks like a whole one. */
int
backup_command(struct center *c, int argc, char **argv)
{
    const char *path = argv[0], *folder = files_of(c, path);
    (void)argc;
    enum err err = make_empty(c, path);
    if (err != OK)
        return report(c, err);
    err = make_folder(c, folder);
    if (err == OK) {
        err = back_up_database(c, path);
        if (err == OK)
            err = back_up_files(c, folder);
        if (err != OK)
            filestore_remove(c, folder);
    }
    if (err != OK)
        unlink(path);
    return report(c, err);
}

/* Whether the key in form_submit's file is one of the database that the copy takes the place of. */
static bool
knows_key(const struct settings *set, struct arena *mem)
{
    struct center c = {0};
    const char *cure;
    if (access(arena_printf(mem, "%s/rtcc.db", set->state_dir), F_OK) != 0)
        return false;
    bool is_own = !center_try(&c, &cure) && service_key_is_own(&c);
    center_close(&c);
    return is_own;
}

/* A copy without a folder beside it, as of a place without files, is one whose files are brought in another way, or not. */
static int
restore_files(const char *copy, bool is_key_own)
{
    struct center c = {0};
    int64_t missing = 0;
    struct stat info;
    center_open(&c);
    const char *from = files_of(&c, copy), *to = filestore_folder(&c);
    bool is_beside = stat(from, &info) == 0;
    enum err err = is_beside && mkdir(to, 0770) != 0 && errno != EEXIST
                       ? center_fault(&c, ERR_UNAVAILABLE, NULL, "'%s' cannot be made: %s.", to, strerror(errno))
                       : OK;
    if (err == OK)
        err = is_beside ? filestore_copy(&c, from, to, &missing) : filestore_missing(&c, &missing);
    if (err == OK && missing)
        fprintf(stderr, "rtcc: %lld files that the database knows are not in %s: copy them from where the backup was made.\n",
            (long long)missing, to);
    if (err == OK && is_key_own)
        err = service_key_make(&c, true); /* another place's database does not know this one's */
    hand_over(&c, c.settings->state_dir);
    int status = report(&c, err);
    center_close(&c);
    return status;
}

int
command_restore(int argc, char **argv)
{
    const struct settings *set = settings_load();
    struct arena *mem = arena_new();
    const char *why, *before;
    (void)argc;
    bool is_key_own = knows_key(set, mem);
    bool is_restored = restore_copy(set->state_dir, argv[0], mem, &why, &before) == OK;
    if (is_restored)
        printf("%s is in its place; the database of before is %s.\n", argv[0], before);
    else
        fprintf(stderr, "rtcc: nothing was restored: %s\n", why);
    arena_free(mem);
    return is_restored ? restore_files(argv[0], is_key_own) : 1;
}
