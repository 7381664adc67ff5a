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
whose_key(struct center *c, enum whose *whose)
{
    const char *path = vcs_key_file(c), *id = "";
    char *text = arena_alloc(c->mem, LINE_MAX_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *whose = NOBODYS;
    if (fd < 0 && errno == ENOENT)
        return OK;
    ssize_t bytes = fd < 0 ? -1 : pread(fd, text, LINE_MAX_BYTES - 1, 0);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (bytes < 0)
        return center_fault(c, ERR_UNAVAILABLE, NULL, "%s cannot be read: %s.", path, strerror(error));
    text[bytes] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '\0')
        return OK;
    *whose = VALID;
    enum err err = key_check(c, text, &id);
    return err == ERR_UNAUTHORIZED ? whose_id(c, id, whose) : err;
}

/* On the disk before it is said that all is ready: the database knows the key for ever. The file is made no sooner than there is
 * something to write, so that a form finds none or the whole. */
static enum err
write_key(struct center *c, const char *line)
{
    const char *path = vcs_key_file(c);
    size_t bytes = strlen(line);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    bool is_written = fd >= 0 && folder_write(fd, line, bytes, 0) == OK && ftruncate(fd, (off_t)bytes) == 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    return is_written ? OK : center_fault(c, ERR_UNAVAILABLE, NULL, "%s cannot be written: %s.", path, strerror(error));
}

/* The programs have to read it, wherever it lies. */
static void
give_file(struct center *c)
{
    struct stat folder, file;
    const char *path = vcs_key_file(c);
    if (geteuid() != 0 || stat(c->settings->state_dir, &folder) != 0 || lstat(path, &file) != 0)
        return;
    if (file.st_uid == 0 && folder.st_uid != 0 && lchown(path, folder.st_uid, folder.st_gid) != 0)
        log_warn("%s keeps its owner: %s", path, strerror(errno));
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

/* Under the lock under which databases are opened, so that several who init at once make one key. That of another time of this
 * database is renewed and not made anew: forms are half done under it. */
enum err
service_key_make(struct center *c, bool is_own)
{
    const char *text = "", *folder = c->settings->state_dir;
    enum whose whose = FOREIGN;
    int lock = folder_lock(folder, "open.lock", LOCK_EX);
    if (lock < 0)
        log_fatal("%s cannot be locked: %s", folder, strerror(errno));
    enum err err = whose_key(c, &whose);
    if (whose == FOREIGN && is_own)
        whose = OWN_ONCE;
    bool is_made = err == OK && (whose == NOBODYS || whose == OWN_ONCE);
    if (is_made)
        err = key_renew(c, own_name, &text);
    if (is_made && err == OK)
        err = write_key(c, arena_printf(c->mem, "%s\n", text));
    close(lock);
    if (err != OK)
        return err;
    give_file(c);
    tell(c, whose);
    return folder_sync(folder);
}

bool
service_key_is_own(struct center *c)
{
    enum whose whose = FOREIGN;
    return whose_key(c, &whose) == OK && (whose == OWN_ONCE || whose == VALID);
}
