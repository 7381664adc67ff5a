/* stand.c: what every subcommand stands on. */
#include "rtcc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/db.h"
#include "io/settings.h"
#include "io/space.h"

enum { FULL_BYTES = 1 << 20 }; /* with less free sqlite cannot even open */

void
center_now(struct center *c)
{
    c->now_ms = clock_wall_ms();
    c->boot_ms = clock_boot_ms();
    c->fault = (struct fault){0};
}

static const char *
cure_of(struct center *c, enum err err)
{
    const char *folder = c->settings->state_dir, *file = arena_printf(c->mem, "%s/rtcc.db", folder);
    if (err == ERR_CONFLICT)
        return "Nothing is lost: newer programs have had it, and only they can use it.";
    if (access(folder, F_OK) != 0 && errno == ENOENT)
        return "Run 'rtcc init' as the user of the web server: it makes the folder and the database.";
    if (access(folder, W_OK | X_OK) != 0 || (access(file, R_OK | W_OK) != 0 && errno != ENOENT))
        return user_name()[0] ? arena_printf(c->mem, "Give it to the programs' user: chown -R %s: %s", user_name(), folder)
                              : arena_printf(c->mem,
                                    "Run this as the user of the web server, or let him write to %s and what is in it.", folder);
    int64_t free_bytes = space_free(folder);
    if (free_bytes >= 0 && free_bytes < FULL_BYTES)
        return arena_printf(c->mem, "The disk of %s is full, which may be all: make room there, then try again.", folder);
    return "If it is damaged, stop the programs and put the last backup in its place: rtcc restore FILE";
}

const char *
center_try(struct center *c, const char **cure)
{
    const char *why;
    if (c->settings == NULL)
        c->settings = settings_load();
    c->mem = arena_new();
    center_now(c);
    enum err err = db_try(c->settings->state_dir, &c->db, &why);
    *cure = err == OK ? "" : cure_of(c, err);
    return err == OK ? NULL : why;
}

void
center_open(struct center *c)
{
    const char *cure, *why = center_try(c, &cure);
    if (why)
        log_fatal("%s. %s", why, cure);
}

void
center_close(struct center *c)
{
    if (c->db)
        db_close(c->db);
    arena_free(c->mem);
}

int
report(struct center *c, enum err err)
{
    if (err == OK)
        return 0;
    fprintf(stderr, "rtcc: %s\n", c->fault.reason ? c->fault.reason : err_sentence(err));
    return 1;
}

/* One line from stdin, not shown when it is typed. */
const char *
read_password(struct center *c)
{
    struct termios before, silent;
    char *line = arena_alloc(c->mem, LINE_MAX_BYTES);
    bool is_typed = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_typed) {
        fputs("Password: ", stderr);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    bool is_read = fgets(line, LINE_MAX_BYTES, stdin);
    if (is_typed) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    line[strcspn(line, "\r\n")] = '\0';
    return is_read ? line : "";
}

bool
has_flag(int argc, char **argv, const char *flag)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], flag) == 0)
            return true;
    return false;
}
