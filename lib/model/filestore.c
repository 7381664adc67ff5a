/* filestore.c: see filestore.h. The rows are read in pieces, each for itself: a look held over hours of copying would keep the
 * write-ahead log from being taken back. */
#include "model/filestore.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "io/settings.h"
#include "model/due.h"
#include "sql.h"

enum { ROWS_AT_ONCE = 500, DAY_MS = 86400000 };

/* What is done with each file; `from` and `to` are the caller's. */
struct visit {
    enum err (*one)(struct center *c, struct visit *visit, const struct file_all *file);
    const char *from, *to;
    int64_t missing;
};

const char *
filestore_folder(struct center *c)
{
    return arena_printf(c->mem, "%s/files", c->settings->state_dir);
}

static enum err
visit_all(struct center *c, struct visit *visit)
{
    struct sql_file_all_in from = {.most = ROWS_AT_ONCE};
    struct file_all *rows;
    size_t count = ROWS_AT_ONCE;
    enum err err = OK;
    while (err == OK && count == ROWS_AT_ONCE) {
        err = sql_file_all(c->db, c->mem, &from, &rows, &count);
        for (size_t i = 0; err == OK && i < count; i++) {
            err = visit->one(c, visit, &rows[i]);
            from.id = rows[i].id;
        }
    }
    return err;
}

/* A database that was put back may hold anything; what is no name that was made here leads out of the folder. */
static bool
is_place(const char *place)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return place[0] != '\0' && place[strspn(place, letters)] == '\0';
}

static bool
is_kept(struct center *c, const char *folder, const struct file_all *file)
{
    struct stat info;
    const char *path = arena_printf(c->mem, "%s/%s", folder, file->place);
    return is_place(file->place) && stat(path, &info) == 0 && info.st_size >= file->bytes;
}

static enum err
copy_one(struct center *c, struct visit *visit, const struct file_all *file)
{
    if (is_kept(c, visit->to, file))
        return OK;
    if (!is_kept(c, visit->from, file)) {
        visit->missing++;
        return OK;
    }
    const char *to = arena_printf(c->mem, "%s/%s", visit->to, file->place);
    if (folder_put(arena_printf(c->mem, "%s/%s", visit->from, file->place), to) == OK)
        return OK;
    return center_fault(c, ERR_UNAVAILABLE, NULL, "'%s' cannot be written: %s.", to, strerror(errno));
}

enum err
filestore_copy(struct center *c, const char *from, const char *to, int64_t *missing)
{
    struct visit visit = {.one = copy_one, .from = from, .to = to};
    enum err err = visit_all(c, &visit);
    *missing = visit.missing;
    if (err == OK && folder_sync(to) != OK)
        err = center_fault(c, ERR_UNAVAILABLE, NULL, "'%s' cannot be written: %s.", to, strerror(errno));
    return err;
}

static enum err
remove_one(struct center *c, struct visit *visit, const struct file_all *file)
{
    if (is_place(file->place))
        unlink(arena_printf(c->mem, "%s/%s", visit->to, file->place));
    return OK;
}

void
filestore_remove(struct center *c, const char *folder)
{
    struct visit visit = {.one = remove_one, .to = folder};
    if (visit_all(c, &visit) == OK)
        rmdir(folder);
}

static enum err
count_one(struct center *c, struct visit *visit, const struct file_all *file)
{
    visit->missing += !is_kept(c, visit->from, file);
    return OK;
}

enum err
filestore_missing(struct center *c, int64_t *missing)
{
    struct visit visit = {.one = count_one, .from = filestore_folder(c)};
    enum err err = visit_all(c, &visit);
    *missing = visit.missing;
    return err;
}

enum err
filestore_forget(struct center *c, int64_t id, const char *place, int64_t bytes, int *changed)
{
    enum err err = sql_file_forget(c->db, &(struct sql_file_forget_in){.id = id, .bytes = bytes}, changed);
    return err == OK && *changed ? due_add(c, DUE_FILE, place, c->now_ms) : err;
}

static enum err
tidy_one(struct center *c, const struct file_stale *file)
{
    int changed;
    enum err err = db_begin(c->db);
    return err == OK ? db_end(c->db, filestore_forget(c, file->id, file->place, file->bytes, &changed)) : err;
}

enum err
filestore_tidy(struct center *c)
{
    struct sql_file_stale_in in = {.from_at = c->now_ms - DAY_MS, .to_at = c->now_ms + DAY_MS, .most = ROWS_AT_ONCE};
    struct file_stale *rows;
    size_t count = ROWS_AT_ONCE;
    enum err err = OK;
    while (err == OK && count == ROWS_AT_ONCE) {
        err = sql_file_stale(c->db, c->mem, &in, &rows, &count);
        for (size_t i = 0; err == OK && i < count; i++) {
            err = tidy_one(c, &rows[i]);
            in.id = rows[i].id;
        }
    }
    return err;
}

enum err
filestore_drop(struct center *c, const char *place)
{
    const char *folder = filestore_folder(c), *path = arena_printf(c->mem, "%s/%s", folder, place);
    bool is_gone = !is_place(place) || unlink(path) == 0 || (errno == ENOENT && access(folder, F_OK) == 0);
    if (!is_gone)
        return center_fault(c, ERR_UNAVAILABLE, NULL, "'%s' cannot be removed: %s.", path, strerror(errno));
    return due_done(c, DUE_FILE, place);
}
