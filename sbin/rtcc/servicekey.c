/* servicekey.c: the key with which form_submit calls the other servers. The file is the administrator's: a key that this database
 * did not make may be another server's, and is known nowhere else, so it is never overwritten, whatever collaboration_url says.
 * Rejected: to take an address of this machine for this place, where another instance may answer on another port. */
#include "rtcc.h"

#include <errno.h>
#include <fcntl.h>
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
#include "model/vcs.h"

static const char own_name[] = "form_submit of this place";

enum whose { NOBODYS, VALID, OWN_ONCE, FOREIGN };

/* What follows a valid form of key that opens nothing: it is ours where it bears the id of one that was named by us. */
static enum err
whose_id(struct center *c, const char *id, enum whose *whose)
{
    struct api_key_list *rows;
    size_t count;
    enum err err = key_list(c, &rows, &count);
    *whose = FOREIGN;
    for (size_t i = 0; err == OK && i < count; i++)
        if (text_same(rows[i].id, id) && text_same(rows[i].about, own_name))
            *whose = OWN_ONCE;
    return err;
}

static enum err
whose_key(struct center *c, int fd, enum whose *whose)
{
    const char *id = "";
    char *text = arena_alloc(c->mem, LINE_MAX_BYTES);
    ssize_t bytes = pread(fd, text, LINE_MAX_BYTES - 1, 0);
    if (bytes < 0)
        return center_fault(c, ERR_UNAVAILABLE, NULL, "%s cannot be read: %s.", vcs_key_file(c), strerror(errno));
    text[bytes] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    *whose = text[0] == '\0' ? NOBODYS : VALID;
    enum err err = text[0] == '\0' ? OK : key_check(c, text, &id);
    return err == ERR_UNAUTHORIZED ? whose_id(c, id, whose) : err;
}

/* On the disk before it is said that all is ready: the database knows the key for ever. */
static bool
write_key(int fd, const char *line)
{
    size_t bytes = strlen(line);
    return ftruncate(fd, 0) == 0 && folder_write(fd, line, bytes, 0) == OK && fsync(fd) == 0;
}

/* The programs have to read it, wherever it lies. */
static void
give_file(struct center *c, int fd)
{
    struct stat folder, file;
    if (geteuid() != 0 || stat(c->settings->state_dir, &folder) != 0 || fstat(fd, &file) != 0)
        return;
    if (file.st_uid == 0 && folder.st_uid != 0 && fchown(fd, folder.st_uid, folder.st_gid) != 0)
        log_warn("%s keeps its owner: %s", vcs_key_file(c), strerror(errno));
}

static void
tell(struct center *c, enum whose whose)
{
    const char *path = vcs_key_file(c), *url = c->settings->collaboration_url;
    if (whose == FOREIGN)
        printf("%s has a key that is none of this database's, and stays as it is: if %s is this place, remove the file and run "
               "'rtcc init' again; if it is another server, that has to know the key ('rtcc key add' there prints one).\n",
            path, url);
    else
        printf("%s has %s key of this database; if %s is another server, put a key of 'rtcc key add' there in its place.\n", path,
            whose == VALID ? "a valid" : "a new", url);
}

/* Under a lock, so that several who init at once make one key. That of another time of this database is renewed and not made
 * anew: forms are half done under it. */
enum err
service_key_make(struct center *c, bool is_own)
{
    const char *path = vcs_key_file(c), *text = "";
    enum whose whose = FOREIGN;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        log_fatal("%s cannot be written: %s", path, strerror(errno));
    enum err err = whose_key(c, fd, &whose);
    if (whose == FOREIGN && is_own)
        whose = OWN_ONCE;
    bool is_made = err == OK && (whose == NOBODYS || whose == OWN_ONCE);
    if (is_made)
        err = key_renew(c, own_name, &text);
    if (is_made && err == OK && !write_key(fd, arena_printf(c->mem, "%s\n", text)))
        err = center_fault(c, ERR_UNAVAILABLE, NULL, "%s cannot be written: %s.", path, strerror(errno));
    if (err == OK) {
        give_file(c, fd);
        tell(c, whose);
    }
    close(fd);
    return err == OK ? folder_sync(c->settings->state_dir) : err;
}

bool
service_key_is_own(struct center *c)
{
    enum whose whose = FOREIGN;
    int fd = open(vcs_key_file(c), O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && whose_key(c, fd, &whose) == OK;
    if (fd >= 0)
        close(fd);
    return is_read && (whose == OWN_ONCE || whose == VALID);
}
