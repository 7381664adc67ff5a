/* copy.c: backup and restore. */
#include "rtcc.h"

#include <stdio.h>
#include <unistd.h>

#include "io/db.h"
#include "io/restore.h"
#include "io/settings.h"

int
backup_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    if (access(argv[0], F_OK) == 0)
        return report(c, center_fault(c, ERR_CONFLICT, NULL, "%s stands already; a backup overwrites nothing.", argv[0]));
    return report(c, db_backup(c->db, argv[0]));
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
