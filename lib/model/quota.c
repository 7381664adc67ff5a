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

static int64_t
bytes_with(const struct quota_wish *wish)
{
    return wish->held.bytes + counted(wish->total);
}

/* What may give way. */
struct idle {
    struct file_idle own;      /* one of the member's; .id 0: none has to */
    struct file_idle_in *rows; /* of the whole conference, the largest first */
    size_t count;
    int64_t over; /* bytes that have to become free */
};

/* Nobody tells of an upload that was cancelled, or whose page was closed. */
static enum err
find_own(struct center *c, const struct quota_wish *wish, struct idle *idle)
{
    struct sql_file_idle_in in = {.member = wish->member,
        .from_at = c->now_ms - QUOTA_IDLE_MS + 1,
        .to_at = c->now_ms + QUOTA_IDLE_MS - 1};
    enum err err = sql_file_idle(c->db, c->mem, &in, &idle->own);
    return err == ERR_NOT_FOUND ? check(c, wish, 0, wish->held.unfinished + 1) : err;
}

static enum err
find_in_room(struct center *c, const struct quota_wish *wish, struct idle *idle)
{
    int64_t all = 0;
    struct sql_file_idle_in_in in = {.conf = wish->conf,
        .from_at = c->now_ms - QUOTA_IDLE_MS + 1,
        .to_at = c->now_ms + QUOTA_IDLE_MS - 1,
        .most = IDLE_AT_ONCE};
    enum err err = sql_file_idle_in(c->db, c->mem, &in, &idle->rows, &idle->count);
    for (size_t i = 0; err == OK && i < idle->count; i++)
        all += counted(idle->rows[i].total);
    return err == OK && all < idle->over ? check(c, wish, bytes_with(wish), 0) : err;
}

/* As many as are needed. One of which a piece has come just now stays; an error where they are not enough then. */
static enum err
give_up(struct center *c, const struct quota_wish *wish, const struct idle *idle)
{
    int changed = 0;
    int64_t over = idle->over;
    const struct file_idle *own = &idle->own;
    enum err err = own->id ? filestore_forget(c, own->id, own->place, own->bytes, &changed) : OK;
    if (err == OK && own->id && !changed)
        return check(c, wish, 0, wish->held.unfinished + 1);
    if (own->id)
        over -= counted(own->total);
    for (size_t i = 0; err == OK && over > 0 && i < idle->count; i++) { /* his own is gone already, and counts once */
        const struct file_idle_in *row = &idle->rows[i];
        err = filestore_forget(c, row->id, row->place, row->bytes, &changed);
        over -= changed ? counted(row->total) : 0;
    }
    return err == OK && over > 0 ? check(c, wish, bytes_with(wish), 0) : err;
}

/* All in one transaction, so that nothing is given up when something else stands in the way. */
static enum err
make_place(struct center *c, struct quota_wish *wish)
{
    enum err err = OK;
    struct idle idle = {.over = bytes_with(wish) - c->settings->room_max_bytes};
    bool is_many = wish->is_part && wish->held.unfinished >= QUOTA_UNFINISHED_MAX;
    if (is_many)
        err = find_own(c, wish, &idle);
    if (err == OK && idle.over > 0)
        err = find_in_room(c, wish, &idle);
    if (err != OK || (!is_many && idle.over <= 0))
        return err;
    err = db_begin(c->db);
    if (err == OK)
        err = db_end(c->db, give_up(c, wish, &idle));
    return err == OK ? look(c, wish) : err;
}

enum err
quota_ask(struct center *c, struct quota_wish *wish)
{
    enum err err = check(c, wish, counted(wish->total), 0); /* what fits nowhere takes nobody's place */
    if (err == OK)
        err = look(c, wish);
    if (err == OK)
        err = make_place(c, wish);
    return err == OK ? check(c, wish, bytes_with(wish), wish->held.unfinished + 1) : err;
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
