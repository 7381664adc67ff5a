/* quota.c: see quota.h. A conference may have very many files, and nobody is to wait while all are counted: they are outside of
 * the transaction, and in it those that have come since.
 *
 * Rejected: idle uploads that count with the bytes that they have. Going on with one would need a count of all once more, in the
 * transaction; one that has given way begins anew, and is asked about as any other. */
#include "model/quota.h"

#include "io/db.h"
#include "io/settings.h"
#include "model/filestore.h"

enum { IDLE_AT_ONCE = 1000 };

static int64_t
counted(int64_t total)
{
    return total > QUOTA_FILE_LEAST_BYTES ? total : QUOTA_FILE_LEAST_BYTES;
}

/* bytes, unfinished: with the file that is wished for. */
static enum err
check(struct center *c, const struct quota_wish *wish, int64_t bytes, int64_t unfinished)
{
    if (bytes > c->settings->room_max_bytes)
        return center_fault(c, ERR_TOO_LARGE, "file",
            "The files of one conversation may have %lld MB together; this one is too much.",
            (long long)(c->settings->room_max_bytes >> 20));
    if (wish->is_part && unfinished > QUOTA_UNFINISHED_MAX)
        return center_fault(c, ERR_TOO_MANY, NULL,
            "%d files of yours are on their way. Send one of them to its end first, or try again in a minute.",
            QUOTA_UNFINISHED_MAX);
    return OK;
}

static enum err
look(struct center *c, struct quota_wish *wish)
{
    struct sql_file_held_in in = {.conf = wish->conf, .member = wish->member, .least = QUOTA_FILE_LEAST_BYTES};
    return sql_file_held(c->db, c->mem, &in, &wish->held);
}

/* Nobody tells of an upload that was cancelled, or whose page was closed. */
static enum err
give_up_own(struct center *c, const struct quota_wish *wish, int *changed)
{
    struct file_idle row;
    struct sql_file_idle_in in = {.member = wish->member,
        .from_at = c->now_ms - QUOTA_IDLE_MS + 1,
        .to_at = c->now_ms + QUOTA_IDLE_MS - 1};
    enum err err = sql_file_idle(c->db, c->mem, &in, &row);
    if (err == OK)
        err = db_begin(c->db);
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    return db_end(c->db, filestore_forget(c, row.id, row.place, row.bytes, changed));
}

/* As many as are needed, and none if they are not enough. */
static enum err
give_up_in_room(struct center *c, const struct quota_wish *wish, int64_t needed, int *changed)
{
    size_t count = 0, used = 0;
    struct file_idle_in *rows;
    struct sql_file_idle_in_in in = {.conf = wish->conf,
        .from_at = c->now_ms - QUOTA_IDLE_MS + 1,
        .to_at = c->now_ms + QUOTA_IDLE_MS - 1,
        .most = IDLE_AT_ONCE};
    enum err err = sql_file_idle_in(c->db, c->mem, &in, &rows, &count);
    for (; err == OK && needed > 0 && used < count; used++)
        needed -= counted(rows[used].total);
    if (err != OK || needed > 0)
        return err;
    err = db_begin(c->db);
    if (err != OK)
        return err;
    for (size_t i = 0; err == OK && i < used; i++)
        err = filestore_forget(c, rows[i].id, rows[i].place, rows[i].bytes, changed);
    return db_end(c->db, err);
}

enum err
quota_ask(struct center *c, struct quota_wish *wish)
{
    int changed = 0;
    enum err err = check(c, wish, counted(wish->total), 0); /* what fits nowhere takes nobody's place */
    if (err == OK)
        err = look(c, wish);
    if (err == OK && wish->is_part && wish->held.unfinished >= QUOTA_UNFINISHED_MAX)
        err = give_up_own(c, wish, &changed);
    if (err == OK && changed)
        err = look(c, wish);
    if (err == OK)
        err = check(c, wish, 0, wish->held.unfinished + 1);
    changed = 0;
    int64_t over = err == OK ? wish->held.bytes + counted(wish->total) - c->settings->room_max_bytes : 0;
    if (over > 0)
        err = give_up_in_room(c, wish, over, &changed);
    if (err == OK && changed)
        err = look(c, wish);
    return err == OK ? check(c, wish, wish->held.bytes + counted(wish->total), wish->held.unfinished + 1) : err;
}

enum err
quota_check(struct center *c, const struct quota_wish *wish)
{
    struct file_held_since more;
    struct sql_file_held_since_in in = {.conf = wish->conf,
        .member = wish->member,
        .newest = wish->held.newest,
        .least = QUOTA_FILE_LEAST_BYTES};
    enum err err = sql_file_held_since(c->db, c->mem, &in, &more);
    return err == OK ? check(c, wish, wish->held.bytes + more.bytes, wish->held.unfinished + more.unfinished) : err;
}
