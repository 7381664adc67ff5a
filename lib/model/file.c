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
#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"
#include "io/space.h"
#include "model/event.h"
#include "model/filestore.h"
#include "model/quota.h"
#include "model/site.h"

enum { PLACE_CHARS = 32, HEAD_BYTES = 16, BLOCK_BYTES = 65536, FULL_RETRY_S = 60 };

static const struct magic {
    int at;
    const char *bytes;
    int count;
    const char *type;
} magics[] = {
    {0, "\x89PNG\r\n\x1a\n", 8, "image/png"},
    {0, "\xff\xd8\xff", 3, "image/jpeg"},
    {0, "GIF8", 4, "image/gif"},
    {8, "WEBP", 4, "image/webp"},
    {0, "%PDF-", 5, "application/pdf"},
    {8, "WAVE", 4, "audio/wav"},
    {0, "OggS", 4, "audio/ogg"},
    {0, "ID3", 3, "audio/mpeg"},
    {4, "ftyp", 4, "video/mp4"},
    {0, "\x1a\x45\xdf\xa3", 4, "video/webm"},
};

static const char *
type_of(const char *head, size_t bytes)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];
        if (bytes >= (size_t)(m->at + m->count) && memcmp(head + m->at, m->bytes, (size_t)m->count) == 0)
            return m->type;
    }
    return "application/octet-stream";
}

bool
file_may_be_shown(const char *type)
{
    return !text_same(type, "application/octet-stream");
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
is_lost(struct center *c)
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

/* Opens a file that is there and waits for its lock, for as long as others write and commit their pieces of it. ERR_NOT_FOUND,
 * without a fault: it is lost. */
static enum err
open_locked(struct center *c, const char *place, int *fd)
{
    *fd = open(path_of(c, place), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0)
        return is_lost(c) ? ERR_NOT_FOUND : disk_fault(c, "open");
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        enum err err = disk_fault(c, "lock");
        close(*fd);
        return err;
    }
    return OK;
}

/* Whether the bytes of a piece are those that are kept at its place. What cannot be read is nobody else's. */
static bool
is_as_kept(struct center *c, const char *place, const struct file_piece *p)
{
    char block[BLOCK_BYTES];
    bool is_same = true;
    int64_t at = 0;
    ssize_t n = 1;
    int fd = open(path_of(c, place), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    while (fd >= 0 && is_same && at < p->bytes && n > 0) {
        n = pread(fd, block, p->bytes - at < BLOCK_BYTES ? (size_t)(p->bytes - at) : BLOCK_BYTES, (off_t)(p->offset + at));
        is_same = n <= 0 || memcmp(block, p->data + at, (size_t)n) == 0;
        at += n > 0 ? n : 0;
    }
    if (fd >= 0)
        close(fd);
    return is_same;
}

enum err
file_open(struct center *c, const struct file *file, int *fd)
{
    *fd = open(path_of(c, file->place), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0 && is_lost(c)) {
        log_error("file: %s is not in the folder files: was it left behind when this place was restored?", file->place);
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
        .type = "application/octet-stream",
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
        err = announce(c, member, out, type_of(head, out->total < HEAD_BYTES ? (size_t)out->total : HEAD_BYTES));
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

/* Its bytes go when the row does not come to stand. */
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

/* Who is told that it is there must find there what he sent. */
static enum err
take_again(struct center *c, const struct file_piece *p, const struct file_by_nonce *had, struct file *out)
{
    if (!is_as_kept(c, had->place, p))
        return center_fault(c, ERR_CONFLICT, "nonce", "This nonce belongs to a file with other bytes.");
    return file_row(c, had->id, out);
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

/* With the lock of the bytes at `place`: what the row tells now holds until it is let go, but that the row may be removed. */
static enum err
take_locked(struct center *c, const struct member *member, const struct file_piece *p, const char *place, int fd,
    struct file *out)
{
    char head[HEAD_BYTES] = "";
    bool is_there;
    struct stat info;
    struct file_by_nonce had;
    struct sql_file_by_nonce_in in = {.member = member->id, .nonce = p->nonce};
    enum err err = sql_file_by_nonce(c->db, c->mem, &in, &had);
    if (err == ERR_NOT_FOUND || (err == OK && !text_same(had.place, place)))
        return does_not_fit(c, err == OK ? had.bytes : 0); /* removed, and perhaps begun anew, while he waited */
    if (err == OK)
        err = check_fits(c, p, &had, &is_there);
    if (err != OK || is_there)
        return err == OK ? take_again(c, p, &had, out) : err;
    if (fstat(fd, &info) != 0)
        return disk_fault(c, "look");
    if (info.st_size < had.bytes)
        return begin_anew(c, &had);
    err = put_bytes(c, fd, p, head);
    if (err == OK)
        err = db_begin(c->db);
    return err == OK ? db_end(c->db, note_next(c, member, p, &had, head, out)) : err;
}

static enum err
take_next(struct center *c, const struct member *member, const struct file_piece *p, const struct file_by_nonce *had,
    struct file *out)
{
    int fd;
    bool is_there;
    enum err err = check_fits(c, p, had, &is_there);
    if (err != OK || is_there)
        return err == OK ? take_again(c, p, had, out) : err;
    err = open_locked(c, had->place, &fd);
    if (err != OK)
        return err == ERR_NOT_FOUND ? begin_anew(c, had) : err;
    err = take_locked(c, member, p, had->place, fd, out);
    close(fd);
    return err;
}

enum err
file_before(struct center *c, const struct member *member, const char *nonce, struct file *out)
{
    struct file_by_nonce had;
    enum err err = sql_file_by_nonce(c->db, c->mem, &(struct sql_file_by_nonce_in){.member = member->id, .nonce = nonce}, &had);
    return err == OK && had.event ? file_row(c, had.id, out) : err == OK ? ERR_NOT_FOUND : err;
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
