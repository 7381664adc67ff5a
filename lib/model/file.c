/* file.c: see file.h. Blobs in the database were rejected: a 20 MB row goes through the WAL and holds up everybody's commit.
 *
 * Only bytes behind those that the row tells of are ever written, and by one at a time: who has a file's lock (flock on its
 * bytes, let go also by a program that is killed) reads the row again, writes, syncs and moves the row on. What a killed one left
 * behind the row's end is written over by whoever goes on from there. With the database's lock instead all would wait for the
 * disk. */
#include "model/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "base/magic.h"
#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"
#include "io/space.h"
#include "model/event.h"
#include "model/filestore.h"
#include "model/quota.h"
#include "model/site.h"

enum { PLACE_CHARS = 32, HEAD_BYTES = 16, BLOCK_BYTES = 65536, FULL_RETRY_S = 60 };

bool
file_may_be_shown(const char *type)
{
    return !text_same(type, MAGIC_UNKNOWN);
}

/* Browsers of old sent whole paths; control characters would break the line that shows the name. */
static const char *
plain_name(struct center *c, const char *name)
{
    const char *start = name;
    for (const char *p = name; *p; p++)
        if (*p == '/' || *p == '\\')
            start = p + 1;
    char *copy = arena_strdup(c->mem, *start ? start : "file");
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '_';
    return copy;
}

/* ── the disk ── */

static const char *
path_of(struct center *c, const char *place)
{
    return arena_printf(c->mem, "%s/%s", filestore_folder(c), place);
}

static enum err
disk_fault(struct center *c, const char *doing)
{
    bool is_full = errno == ENOSPC || errno == EDQUOT;
    log_error("file: %s: %s", doing, strerror(errno));
    if (!is_full)
        return center_fault(c, ERR_UNAVAILABLE, NULL, "Files cannot be kept at the moment. Try again in a minute.");
    enum err err = center_fault(c, ERR_UNAVAILABLE, NULL,
        "There is no room for more files here at the moment. Messages arrive all the same; send the file later.");
    c->fault.retry_s = FULL_RETRY_S;
    return err;
}

/* Whether a file cannot be opened because it is not there; when its folder is not, that comes back. */
static bool
is_missing(struct center *c)
{
    return errno == ENOENT && access(filestore_folder(c), F_OK) == 0;
}

static enum err
put_bytes(struct center *c, int fd, const struct file_piece *piece, char head[HEAD_BYTES])
{
    int64_t more = piece->total - piece->offset - piece->bytes;
    if (space_claim(filestore_folder(c), fd, piece->offset, piece->bytes, more) != OK)
        return disk_fault(c, "make room");
    bool is_written = folder_write(fd, piece->data, (size_t)piece->bytes, piece->offset) == OK;
    bool is_kept = is_written && fsync(fd) == 0 && pread(fd, head, HEAD_BYTES, 0) >= 0;
    return is_kept ? OK : disk_fault(c, "write");
}

/* Makes the file; nobody knows its place yet. */
static enum err
put_first(struct center *c, const char *place, const struct file_piece *piece, char head[HEAD_BYTES])
{
    int fd = open(path_of(c, place), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return disk_fault(c, "open");
    enum err err = put_bytes(c, fd, piece, head);
    close(fd);
    return err == OK && folder_sync(filestore_folder(c)) != OK ? disk_fault(c, "sync the folder") : err;
}

/* Opens a file that is there (with O_CREAT: or is not) and waits for its lock, for as long as others write and commit their
 * pieces of it. ERR_NOT_FOUND, without a fault: it is lost. */
static enum err
open_locked(struct center *c, const char *place, int flags, int *fd)
{
    *fd = open(path_of(c, place), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (*fd < 0)
        return is_missing(c) ? ERR_NOT_FOUND : disk_fault(c, "open");
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        enum err err = disk_fault(c, "lock");
        close(*fd);
        return err;
    }
    return OK;
}

enum kept {
    KEPT_SAME,
    KEPT_OTHER,
    KEPT_LESS, /* as far as they are there they are the same */
    KEPT_UNKNOWN
};

/* Holds the bytes of a piece against those in a file. */
static enum kept
compare(int fd, const struct file_piece *p)
{
    char block[BLOCK_BYTES];
    for (int64_t at = 0; at < p->bytes;) {
        size_t rest = p->bytes - at < BLOCK_BYTES ? (size_t)(p->bytes - at) : BLOCK_BYTES;
        ssize_t n = pread(fd, block, rest, (off_t)(p->offset + at));
        if (n <= 0)
            return n == 0 ? KEPT_LESS : KEPT_UNKNOWN;
        if (memcmp(block, p->data + at, (size_t)n) != 0)
            return KEPT_OTHER;
        at += n;
    }
    return KEPT_SAME;
}

static enum kept
compare_at(struct center *c, const char *place, const struct file_piece *p)
{
    int fd = open(path_of(c, place), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return is_missing(c) ? KEPT_LESS : KEPT_UNKNOWN;
    enum kept kept = compare(fd, p);
    close(fd);
    return kept;
}

enum err
file_open(struct center *c, const struct file *file, int *fd)
{
    struct stat info;
    *fd = open(path_of(c, file->place), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool is_short = *fd >= 0 && fstat(*fd, &info) == 0 && info.st_size < file->total;
    if (is_short)
        close(*fd);
    if (is_short || (*fd < 0 && is_missing(c))) {
        log_error("file: %s is not in the folder files, or not all of it: was it left behind when this place was restored?",
            file->place);
        *fd = -1;
        return center_fault(c, ERR_NOT_FOUND, "id", "This file is not kept here any more.");
    }
    return *fd >= 0 ? OK : disk_fault(c, "open");
}

/* ── pieces ── */

static enum err
file_row(struct center *c, int64_t id, struct file *out)
{
    return sql_file(c->db, c->mem, &(struct sql_file_in){.id = id}, out);
}

enum err
file_find(struct center *c, int64_t id, struct file *out)
{
    enum err err = file_row(c, id, out);
    if (err == ERR_NOT_FOUND || (err == OK && !out->event))
        return center_fault(c, ERR_NOT_FOUND, "id", "There is no such file.");
    return err;
}

static struct value *
file_value(struct center *c, const struct file *file, const char *type)
{
    struct value *data = value_object(c->mem), *f = value_add_object(data, "file");
    value_add_int(f, "id", file->id);
    value_add_text(f, "name", file->name);
    value_add_text(f, "type", type);
    value_add_int(f, "bytes", file->total);
    value_add_text(f, "url", arena_printf(c->mem, "/cgi_bin/file_get?id=%lld", (long long)file->id));
    return data;
}

static enum err
announce(struct center *c, const struct member *member, const struct file *file, const char *type)
{
    int64_t event_id;
    int changed;
    struct event_new event = {.conf = file->conf,
        .member = member->id,
        .kind = "file",
        .audience = TO_ALL,
        .data = file_value(c, file, type)};
    enum err err = event_add(c, &event, &event_id);
    if (err != OK)
        return err;
    return sql_file_announce(c->db, &(struct sql_file_announce_in){.id = file->id, .event = event_id, .type = type}, &changed);
}

static enum err
does_not_fit(struct center *c, int64_t offset)
{
    enum err err = center_fault(c, ERR_CONFLICT, "offset", "Go on from byte %lld.", (long long)offset);
    c->fault.has_offset = true;
    c->fault.offset = offset;
    return err;
}

static enum err
begin_file(struct center *c, const struct member *member, const struct file_piece *p, const struct quota_wish *wish,
    const char *place, int64_t *id)
{
    enum err err = site_next_id(c, id);
    if (err != OK)
        return err;
    struct sql_file_insert_in in = {.id = *id,
        .conf = member->conf,
        .member = member->id,
        .nonce = p->nonce,
        .place = place,
        .name = plain_name(c, p->name),
        .type = MAGIC_UNKNOWN,
        .bytes = p->bytes,
        .total = p->total,
        .at = c->now_ms};
    err = sql_file_insert(c->db, &in);
    return err == OK ? quota_check(c, wish) : err;
}

static enum err
grow_file(struct center *c, const struct file_by_nonce *had, const struct file_piece *p)
{
    int changed = 0;
    struct sql_file_grow_in in = {.id = had->id, .had = had->bytes, .bytes = p->offset + p->bytes, .at = c->now_ms};
    enum err err = sql_file_grow(c->db, &in, &changed);
    return err == OK && !changed ? does_not_fit(c, 0) : err; /* who has its lock finds it as it was, or removed */
}

/* Asked in the transaction: while the bytes came, the conference may have ended, and nobody reads on behind its end. */
static enum err
check_is_there(struct center *c, const struct member *member)
{
    struct member now;
    enum err err = member_find(c, member->id, &now);
    return err == OK && now.left_at ? center_fault(c, ERR_CONFLICT, "conf", "This conversation has ended.") : err;
}

/* In the transaction of its newest piece: the event, when it is whole. */
static enum err
end_piece(struct center *c, const struct member *member, int64_t id, const char *head, struct file *out)
{
    enum err err = file_row(c, id, out);
    if (err == OK && out->bytes == out->total && !out->event)
        err = announce(c, member, out, magic_type(head, out->total < HEAD_BYTES ? (size_t)out->total : HEAD_BYTES));
    return err == OK ? file_row(c, id, out) : err;
}

static enum err
note_first(struct center *c, const struct member *member, const struct file_piece *p, const struct quota_wish *wish,
    const char *place, const char *head, struct file *out)
{
    int64_t id = 0;
    enum err err = check_is_there(c, member);
    if (err == OK)
        err = begin_file(c, member, p, wish, place, &id);
    return err == OK ? end_piece(c, member, id, head, out) : err;
}

static enum err
note_next(struct center *c, const struct member *member, const struct file_piece *p, const struct file_by_nonce *had,
    const char *head, struct file *out)
{
    enum err err = check_is_there(c, member);
    if (err == OK)
        err = grow_file(c, had, p);
    return err == OK ? end_piece(c, member, had->id, head, out) : err;
}

static enum err
check_piece(struct center *c, const struct file_piece *p)
{
    if (p->total > c->settings->file_max_bytes)
        return center_fault(c, ERR_TOO_LARGE, "file", "A file may have %lld MB at most.",
            (long long)(c->settings->file_max_bytes >> 20));
    if (p->offset + p->bytes > p->total)
        return center_fault(c, ERR_BAD_PARAMETER, "total", "The pieces are more than the total.");
    return OK;
}

/* Its bytes go when the row does not come to stand, also when a COMMIT failed that may have come to the disk: what then stands
 * without its bytes gets them when it is sent again (put_back). To leave them there would be worse: nobody would know of them
 * when it did not. */
static enum err
take_first(struct center *c, const struct member *member, const struct file_piece *p, struct file *out)
{
    char head[HEAD_BYTES] = "";
    const char *place = secret_random_text(c->mem, PLACE_CHARS);
    struct quota_wish wish = {.conf = member->conf, .member = member->id, .total = p->total, .is_part = p->bytes < p->total};
    if (p->offset != 0)
        return does_not_fit(c, 0);
    enum err err = quota_ask(c, &wish);
    if (err != OK)
        return err;
    err = put_first(c, place, p, head);
    if (err == OK)
        err = db_begin(c->db);
    if (err == OK)
        err = db_end(c->db, note_first(c, member, p, &wish, place, head, out));
    if (err != OK)
        unlink(path_of(c, place));
    return err;
}

static enum err
check_fits(struct center *c, const struct file_piece *p, const struct file_by_nonce *had, bool *is_there)
{
    *is_there = had->event || p->offset + p->bytes <= had->bytes;
    if (had->event && had->total != p->total)
        return center_fault(c, ERR_CONFLICT, "nonce", "This nonce belongs to another file, which is complete.");
    if (had->total != p->total || p->offset > had->bytes || (!*is_there && p->offset != had->bytes))
        return does_not_fit(c, had->bytes);
    return OK;
}

/* Of an unfinished file less is on the disk than the row tells, as after a restore without the files. */
static enum err
begin_anew(struct center *c, const struct file_by_nonce *had)
{
    int changed = 0;
    enum err err = db_begin(c->db);
    if (err == OK)
        err = db_end(c->db, filestore_forget(c, had->id, had->place, had->bytes, &changed));
    if (err == OK && changed)
        err = filestore_drop(c, had->place);
    return err == OK ? does_not_fit(c, 0) : err;
}

static enum err
is_other(struct center *c)
{
    return center_fault(c, ERR_CONFLICT, "nonce", "This nonce belongs to a file with other bytes.");
}

/* With the lock of the bytes, of which some are lost: whoever waited for it may find them put back. */
static enum err
put_back_locked(struct center *c, const struct file_piece *p, int fd)
{
    char head[HEAD_BYTES] = "";
    enum kept kept = compare(fd, p);
    if (kept != KEPT_LESS)
        return kept == KEPT_SAME ? OK : kept == KEPT_OTHER ? is_other(c) : disk_fault(c, "read");
    enum err err = put_bytes(c, fd, p, head);
    if (err == OK && folder_sync(filestore_folder(c)) != OK)
        err = disk_fault(c, "sync the folder");
    return err;
}

/* Of a file that was announced bytes are lost: those that come are taken in their place. */
static enum err
put_back(struct center *c, const struct file_piece *p, const struct file_by_nonce *had)
{
    int fd;
    if (p->bytes < p->total)
        return center_fault(c, ERR_UNAVAILABLE, NULL,
            "What came before of this file is not there. Send it whole, or as another.");
    if (!text_same(magic_type(p->data, (size_t)p->bytes), had->type))
        return is_other(c);
    enum err err = open_locked(c, had->place, O_CREAT, &fd);
    if (err != OK)
        return err == ERR_NOT_FOUND ? disk_fault(c, "open") : err;
    log_warn("file: %s was not in the folder files, or not all of it, and is sent again", had->place);
    err = put_back_locked(c, p, fd);
    close(fd);
    return err;
}

/* Who is told that it is there must find there what he sent. */
static enum err
take_again(struct center *c, const struct file_piece *p, const struct file_by_nonce *had, struct file *out)
{
    enum err err = OK;
    switch (compare_at(c, had->place, p)) {
    case KEPT_SAME:
        break;
    case KEPT_OTHER:
        err = is_other(c);
        break;
    case KEPT_LESS:
        err = had->event ? put_back(c, p, had) : begin_anew(c, had);
        break;
    case KEPT_UNKNOWN:
        err = disk_fault(c, "read");
        break;
    }
    return err == OK ? file_row(c, had->id, out) : err;
}

/* With the lock of the bytes at had->place: what the row tells now holds until it is let go, but that the row may be removed. */
static enum err
take_locked(struct center *c, const struct member *member, const struct file_piece *p, int fd, struct file_by_nonce *had,
    bool *is_there, struct file *out)
{
    char head[HEAD_BYTES] = "";
    struct stat info;
    const char *place = had->place;
    struct sql_file_by_nonce_in in = {.member = member->id, .nonce = p->nonce};
    enum err err = sql_file_by_nonce(c->db, c->mem, &in, had);
    if (err == ERR_NOT_FOUND || (err == OK && !text_same(had->place, place)))
        return does_not_fit(c, err == OK ? had->bytes : 0); /* removed, and perhaps begun anew, while he waited */
    if (err == OK)
        err = check_fits(c, p, had, is_there);
    if (err != OK || *is_there)
        return err;
    if (fstat(fd, &info) != 0)
        return disk_fault(c, "look");
    if (info.st_size < had->bytes)
        return begin_anew(c, had);
    err = put_bytes(c, fd, p, head);
    if (err == OK)
        err = db_begin(c->db);
    return err == OK ? db_end(c->db, note_next(c, member, p, had, head, out)) : err;
}

static enum err
add_piece(struct center *c, const struct member *member, const struct file_piece *p, struct file_by_nonce *had, bool *is_there,
    struct file *out)
{
    int fd;
    enum err err = open_locked(c, had->place, 0, &fd);
    if (err != OK)
        return err == ERR_NOT_FOUND ? begin_anew(c, had) : err;
    err = take_locked(c, member, p, fd, had, is_there, out);
    close(fd);
    return err;
}

static enum err
take_next(struct center *c, const struct member *member, const struct file_piece *p, struct file_by_nonce *had, struct file *out)
{
    bool is_there;
    enum err err = check_fits(c, p, had, &is_there);
    if (err == OK && !is_there)
        err = add_piece(c, member, p, had, &is_there, out);
    return err == OK && is_there ? take_again(c, p, had, out) : err;
}

enum err
file_before(struct center *c, const struct member *member, const struct file_piece *p, struct file *out)
{
    bool is_there;
    struct file_by_nonce had;
    struct sql_file_by_nonce_in in = {.member = member->id, .nonce = p->nonce};
    enum err err = sql_file_by_nonce(c->db, c->mem, &in, &had);
    if (err == OK && !had.event)
        err = ERR_NOT_FOUND;
    if (err == OK)
        err = check_piece(c, p);
    if (err == OK)
        err = check_fits(c, p, &had, &is_there);
    return err == OK ? take_again(c, p, &had, out) : err;
}

enum err
file_take(struct center *c, const struct member *member, const struct file_piece *p, struct file *out)
{
    struct file_by_nonce had;
    struct sql_file_by_nonce_in in = {.member = member->id, .nonce = p->nonce};
    enum err err = check_piece(c, p);
    if (err != OK)
        return err;
    err = sql_file_by_nonce(c->db, c->mem, &in, &had);
    if (err == ERR_NOT_FOUND) {
        err = take_first(c, member, p, out);
        bool is_refused = (err == ERR_CONFLICT && !c->fault.has_offset) || err == ERR_TOO_MANY || err == ERR_TOO_LARGE;
        if (!is_refused || sql_file_by_nonce(c->db, c->mem, &in, &had) != OK)
            return err;
        err = OK; /* the same piece came twice at once: the other was first */
    }
    return err == OK ? take_next(c, member, p, &had, out) : err;
}
