/* file.c: see file.h.
 *
 * Only bytes behind those that the row tells of are ever written, and by one at a time: who has a file's lock (on its
 * bytes, let go also by a program that is killed) reads the row again, writes, syncs and moves the row on. What a killed one left
 * behind the row's end is written over by whoever goes on from there. With the database's lock instead all would wait for the
 * disk. */
#include "model/file.h"

#include <unistd.h>

#include "base/log.h"
#include "base/magic.h"
#include "base/text.h"
#include "io/settings.h"
#include "model/blob.h"
#include "model/event.h"
#include "model/filestore.h"
#include "model/quota.h"
#include "model/site.h"

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

static struct blob_part
part_of(const struct file_piece *p)
{
    return (struct blob_part){.data = p->data, .bytes = p->bytes, .offset = p->offset, .total = p->total};
}

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

enum err
file_open(struct center *c, const struct file *file, int *fd)
{
    enum err err = blob_open(c, file->place, file->total, fd);
    if (err != ERR_NOT_FOUND)
        return err;
    log_error("file: %s is not in the folder files, or not all of it: was it left behind when this place was restored?",
        file->place);
    return center_fault(c, ERR_NOT_FOUND, "id", "This file is not kept here any more.");
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
        err = announce(c, member, out, magic_type(head, out->total < BLOB_HEAD_BYTES ? (size_t)out->total : BLOB_HEAD_BYTES));
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
    char head[BLOB_HEAD_BYTES];
    struct blob_part part = part_of(p);
    const char *place = blob_new_place(c);
    struct quota_wish wish = {.conf = member->conf, .member = member->id, .total = p->total, .is_part = p->bytes < p->total};
    if (p->offset != 0)
        return does_not_fit(c, 0);
    enum err err = quota_ask(c, &wish);
    if (err != OK)
        return err;
    err = blob_make(c, place, &part, head);
    if (err == OK)
        err = db_begin(c->db);
    if (err == OK)
        err = db_end(c->db, note_first(c, member, p, &wish, place, head, out));
    if (err != OK)
        blob_remove(c, place);
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
put_back_locked(struct center *c, const struct blob_part *part, int fd)
{
    enum blob_kept kept;
    enum err err = blob_compare(c, fd, part, &kept);
    if (err != OK || kept == KEPT_SAME)
        return err;
    return kept == KEPT_OTHER ? is_other(c) : blob_write_back(c, fd, part);
}

/* Of a file that was announced bytes are lost: those that come are taken in their place. */
static enum err
put_back(struct center *c, const struct blob_part *part, const struct file_by_nonce *had)
{
    int fd;
    if (part->bytes < part->total)
        return center_fault(c, ERR_UNAVAILABLE, NULL,
            "What came before of this file is not there. Send it whole, or as another.");
    if (!text_same(magic_type(part->data, (size_t)part->bytes), had->type))
        return is_other(c);
    enum err err = blob_lock_anew(c, had->place, &fd);
    if (err != OK)
        return err;
    log_warn("file: %s was not in the folder files, or not all of it, and is sent again", had->place);
    err = put_back_locked(c, part, fd);
    close(fd);
    return err;
}

/* Who is told that it is there must find there what he sent. */
static enum err
take_again(struct center *c, const struct file_piece *p, const struct file_by_nonce *had, struct file *out)
{
    enum blob_kept kept;
    struct blob_part part = part_of(p);
    enum err err = blob_compare_at(c, had->place, &part, &kept);
    if (err == OK && kept == KEPT_OTHER)
        err = is_other(c);
    else if (err == OK && kept == KEPT_LESS)
        err = had->event ? put_back(c, &part, had) : begin_anew(c, had);
    return err == OK ? file_row(c, had->id, out) : err;
}

/* With the lock of the bytes at had->place: what the row tells now holds until it is let go, but that the row may be removed. */
static enum err
take_locked(struct center *c, const struct member *member, const struct file_piece *p, int fd, struct file_by_nonce *had,
    bool *is_there, struct file *out)
{
    char head[BLOB_HEAD_BYTES];
    int64_t size;
    struct blob_part part = part_of(p);
    const char *place = had->place;
    struct sql_file_by_nonce_in in = {.member = member->id, .nonce = p->nonce};
    enum err err = sql_file_by_nonce(c->db, c->mem, &in, had);
    if (err == ERR_NOT_FOUND || (err == OK && !text_same(had->place, place)))
        return does_not_fit(c, err == OK ? had->bytes : 0); /* removed, and perhaps begun anew, while he waited */
    if (err == OK)
        err = check_fits(c, p, had, is_there);
    if (err != OK || *is_there)
        return err;
    err = blob_size(c, fd, &size);
    if (err == OK && size < had->bytes)
        return begin_anew(c, had);
    if (err == OK)
        err = blob_write(c, fd, &part, head);
    if (err == OK)
        err = db_begin(c->db);
    return err == OK ? db_end(c->db, note_next(c, member, p, had, head, out)) : err;
}

static enum err
add_piece(struct center *c, const struct member *member, const struct file_piece *p, struct file_by_nonce *had, bool *is_there,
    struct file *out)
{
    int fd;
    enum err err = blob_lock(c, had->place, &fd);
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
