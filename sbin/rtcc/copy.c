/* copy.c: backup and restore. */
#include "rtcc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/db.h"
#include "io/restore.h"
#include "io/settings.h"

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

int
backup_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    enum err err = make_empty(c, argv[0]);
    if (err != OK)
        return report(c, err);
    err = db_backup(c->db, argv[0]);
    if (err != OK) {
        unlink(argv[0]); /* half a copy looks like a whole one */
        center_fault(c, err, NULL, "'%s' could not be written: the line above says why. No backup was made.", argv[0]);
    }
    return report(c, err);
}

int
command_restore(int argc, char **argv)
{
    const struct settings *set = settings_load();
    struct arena *mem = arena_new();
    const char *why, *before;
    (void)argc;
    bool is_restored = restore_copy(set->state_dir, argv[0], mem, &why, &before) == OK;
    if (is_restored)
        hand_over(&(struct center){.settings = set, .mem = mem}, set->state_dir);
    if (is_restored)
        printf("%s is in its place; the database of before is %s.\n", argv[0], before);
    else
        fprintf(stderr, "rtcc: nothing was restored: %s\n", why);
    arena_free(mem);
    return is_restored ? 0 : 1;
}
