/* init.c: the folder and the database, made or made good; the key is in servicekey.c. */
#include "rtcc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "io/settings.h"
#include "model/site.h"

/* Whether it is a new one. */
static bool
make_folder(const char *path)
{
    bool is_new = mkdir(path, 0750) == 0;
    if (!is_new && errno != EEXIST)
        log_fatal("%s cannot be made: %s", path, strerror(errno));
    return is_new;
}

/* What root makes is of no use to the programs. */
static void
give_to_web_user(const char *path)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam(web_user) : NULL;
    if (user && chown(path, user->pw_uid, user->pw_gid) != 0)
        log_fatal("%s cannot be given to %s: %s", path, web_user, strerror(errno));
}

void
hand_over(struct center *c, const char *folder)
{
    struct stat owner;
    DIR *d = geteuid() == 0 && stat(c->settings->state_dir, &owner) == 0 && owner.st_uid != 0 ? opendir(folder) : NULL;
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, "..") != 0 && fchownat(dirfd(d), e->d_name, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
            log_warn("%s/%s keeps its owner: %s", folder, e->d_name, strerror(errno));
    closedir(d);
}

/* What is root's already stays so, as it may be meant, but mostly is not. */
static void
warn_of_root(const char *folder)
{
    struct stat owner;
    if (geteuid() == 0 && stat(folder, &owner) == 0 && owner.st_uid == 0)
        printf("%s is root's, and so of use only to programs that run as root; for %s: chown -R %s: %s\n", folder, web_user,
            web_user, folder);
}

int
command_init(int argc, char **argv)
{
    struct center c = {0};
    (void)argc, (void)argv;
    const struct settings *set = settings_load();
    if (make_folder(set->state_dir))
        give_to_web_user(set->state_dir);
    center_open(&c);
    const char *files = arena_printf(c.mem, "%s/files", set->state_dir);
    make_folder(files);
    enum err err = site_make(&c);
    if (err == OK)
        err = service_key_make(&c, false);
    hand_over(&c, set->state_dir);
    hand_over(&c, files);
    warn_of_root(set->state_dir);
    if (err == OK)
        printf("%s is ready.\n", set->state_dir);
    int status = report(&c, err);
    center_close(&c);
    return status;
}
