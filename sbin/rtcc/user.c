/* user.c: as whom the programs run. Root may read and write everything, so what root sees says nothing about them. */
#include "rtcc.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "io/settings.h"

const char web_user[] = "www-data";

static char name[64];

/* A user without a name may own a folder as well. */
static bool
take_owner(const char *path, uid_t *uid, gid_t *gid)
{
    struct stat owner;
    if (stat(path, &owner) != 0 || owner.st_uid == 0)
        return false;
    const struct passwd *user = getpwuid(owner.st_uid);
    if (user)
        snprintf(name, sizeof name, "%s", user->pw_name);
    else
        snprintf(name, sizeof name, "%ld", (long)owner.st_uid);
    *uid = owner.st_uid;
    *gid = user ? user->pw_gid : owner.st_gid;
    return true;
}

static bool
take_web_user(uid_t *uid, gid_t *gid)
{
    const struct passwd *user = getpwnam(web_user);
    if (!user)
        return false;
    snprintf(name, sizeof name, "%s", web_user);
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    return true;
}

static bool
take_owner_above(const char *path, uid_t *uid, gid_t *gid)
{
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    if (!slash || slash == above)
        return false;
    *slash = '\0';
    return take_owner(above, uid, gid);
}

bool
user_become(const struct settings *set)
{
    uid_t uid;
    gid_t gid;
    if (geteuid() != 0)
        return false;
    if (!take_owner(set->state_dir, &uid, &gid) && !take_owner_above(set->state_dir, &uid, &gid) && !take_web_user(&uid, &gid))
        return false;
    if (initgroups(name, gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        log_fatal("this cannot look as %s: %s", name, strerror(errno));
    return true;
}

const char *
user_name(void)
{
    return name;
}
