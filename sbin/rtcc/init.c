/* init.c: the folder, the database and form_submit's key, made or made good. */
#include "rtcc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "base/text.h"
#include "io/settings.h"
#include "model/session.h"
#include "model/site.h"
#include "model/vcs.h"

static const char web_user[] = "www-data"; /* as whom Debian's web servers, and so the programs, run */

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

/* Whether the file has a key of this place; another server's key may only stand there when that is asked for its services. */
static bool
has_valid_key(struct center *c, int fd)
{
    const char *base = c->settings->collaboration_url, *id;
    char *text = arena_alloc(c->mem, LINE_MAX_BYTES);
    bool is_read = pread(fd, text, LINE_MAX_BYTES - 1, 0) > 0;
    text[strcspn(text, "\r\n")] = '\0';
    bool is_ours = text_starts(base, "http://127.") || text_starts(base, "http://localhost");
    return is_read && (!is_ours || key_check(c, text, &id) == OK);
}

/* On the disk before it is said that all is ready: the database knows the key for ever. */
static bool
write_key(int fd, const char *line)
{
    size_t bytes = strlen(line);
    return ftruncate(fd, 0) == 0 && pwrite(fd, line, bytes, 0) == (ssize_t)bytes && fsync(fd) == 0;
}

/* Under a lock, so that several who init at once make one key. A database that was restored here knows that of its first place,
 * under which forms are half done: it is renewed. */
static enum err
make_service_key(struct center *c)
{
    const char *path = vcs_key_file(c), *text = "";
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        log_fatal("%s cannot be written: %s", path, strerror(errno));
    bool is_valid = has_valid_key(c, fd);
    enum err err = is_valid ? OK : key_renew(c, "form_submit of this place", &text);
    if (err == OK && !is_valid && !write_key(fd, arena_printf(c->mem, "%s\n", text)))
        err = ERR_UNAVAILABLE;
    close(fd);
    return err == OK ? folder_sync(c->settings->state_dir) : err;
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
        err = make_service_key(&c);
    hand_over(&c, set->state_dir);
    hand_over(&c, files);
    if (err == OK)
        printf("%s is ready.\n", set->state_dir);
    int status = report(&c, err);
    center_close(&c);
    return status;
}
