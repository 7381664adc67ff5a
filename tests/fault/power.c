/* power: cuts the power at many moments of a record and looks at what is left.
 *
 *     power RECORD ACKNOWLEDGED FOLDER WITHOUT SEED CUTS FROM TO [KEPT]
 *     power RECORD - FOLDER
 *
 * The second form writes what the disk holds at the end into FOLDER. The first cuts CUTS times between the moments FROM and TO
 * (ns, CLOCK_MONOTONIC), at a record taken by chance; what is not safe then is dropped, reordered or torn, in turn. After each cut
 * the databases are opened as the programs open them, checked, and every line of ACKNOWLEDGED that was heard before the cut is
 * looked for. WITHOUT names syncs that count for nothing. The first KEPT of the images are left below FOLDER, to start programs on.
 * It is started in another boot than the record's (clock.c), as programs are when the power comes back. It prints one line of JSON:
 * how many cuts, what was looked for, and how many of them were corrupt, lost something, could not be opened, or had a file that is
 * not what its row says. */
#include "replay.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "io/db.h"
#include "sql.h"

enum { LINE_MAX_BYTES = 512, VALUES = 4, PATH_BYTES = 4096, SHM_BYTES = 32768 };

/* What has to be there: one row that says 1. */
static const struct promise {
    const char *kind;
    const char *sql;
} promises[] = {
    {"form",
        "SELECT 1 FROM request r JOIN conference c ON c.site = 1 AND c.id = ?2 "
        "JOIN invitation i ON i.site = 1 AND i.conf = c.id AND i.name = r.name "
        "JOIN member m ON m.site = 1 AND m.conf = c.id AND m.role = 'customer' "
        "WHERE r.site = 1 AND r.reqid = ?1 AND c.id = ?2 AND r.is_done = 1 AND r.conf = c.id || 'server' AND length(r.question) = ?3 "
        "AND EXISTS (SELECT 1 FROM event e WHERE e.site = 1 AND e.conf = c.id)"},
    {"kept", "SELECT 1 FROM request r WHERE r.site = 1 AND r.reqid = ?1 AND (r.is_done = 1 "
             "OR EXISTS (SELECT 1 FROM job j WHERE j.site = 1 AND j.kind = 'form' AND j.key = ?1))"},
    {"message",
        "SELECT 1 FROM event WHERE site = 1 AND id = ?1 AND conf = ?2 AND kind = 'message' AND nonce = ?3 AND length(text) = ?4 "
        "AND replace(text, ?3 || ' ', '') = ''"},
    {"accept",
        "SELECT 1 FROM reservation r JOIN invitation i ON i.site = 1 AND i.id = r.invitation "
        "JOIN member m ON m.site = 1 AND m.id = ?3 WHERE r.site = 1 AND r.id = ?1 AND r.state = 'accepted' AND i.conf = ?2 "
        "AND i.agent = r.agent AND i.state IN ('accepted', 'done') "
        "AND m.agent = r.agent AND m.conf = i.conf"},
    {"piece", "SELECT 1 FROM file WHERE site = 1 AND nonce = ?1 AND bytes >= ?2"},
    {"upload",
        "SELECT 1 FROM file f JOIN event e ON e.site = 1 AND e.id = f.event WHERE f.site = 1 AND f.id = ?1 AND e.id = ?2 AND f.nonce = ?3 "
        "AND f.total = ?4 AND f.bytes = f.total AND e.kind = 'file'"},
};

enum { PROMISES = sizeof promises / sizeof *promises };

struct heard {
    int64_t ns;
    int promise;
    char line[LINE_MAX_BYTES];
    const char *values[VALUES];
};

struct run {
    struct replay *rp;
    struct heard *heard;
    size_t heard_count;
    const char *folder;
    uint64_t seed;
    size_t kept;
    long cuts, looked_for, corrupt, lost, lost_rows, hindered, broken_files;
    char first[LINE_MAX_BYTES]; /* what was found first */
};

static void
found(struct run *run, const char *what, const char *which)
{
    if (run->first[0] == '\0')
        snprintf(run->first, sizeof run->first, "cut %ld: %s: %s", run->cuts, what, which);
}

/* ── what was acknowledged ── */

static void
read_line(struct heard *h)
{
    char *rest = h->line, *word;
    h->line[strcspn(h->line, "\n")] = '\0';
    h->ns = strtoll(strsep(&rest, "\t"), NULL, 10);
    word = strsep(&rest, "\t");
    for (h->promise = 0; strcmp(promises[h->promise].kind, word) != 0; h->promise++)
        assert(h->promise + 1 < PROMISES);
    for (int i = 0; i < VALUES; i++)
        h->values[i] = rest == NULL ? "" : strsep(&rest, "\t");
}

static void
read_heard(struct run *run, const char *path)
{
    char line[LINE_MAX_BYTES];
    size_t room = 65536;
    FILE *file = fopen(path, "re");
    run->heard = calloc(room, sizeof *run->heard);
    assert(file && run->heard);
    while (fgets(line, sizeof line, file) != NULL) {
        struct heard *h = &run->heard[run->heard_count++];
        assert(run->heard_count < room);
        snprintf(h->line, sizeof h->line, "%s", line);
        read_line(h);
    }
    fclose(file);
}

/* ── the image in the file system ── */

static void
write_file(const char *folder, const char *name, const void *data, size_t bytes)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    for (size_t done = 0; done < bytes;) {
        ssize_t n = write(fd, (const char *)data + done, bytes - done);
        assert(n > 0);
        done += (size_t)n;
    }
    close(fd);
}

static void
make_folder(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    mkdir(path, 0700);
}

/* Without is_whole only what the databases need: the bytes of uploads are looked at in memory. */
static void
write_image(const struct image *image, const char *folder, bool is_whole, uint64_t *seed)
{
    static uint8_t shm[SHM_BYTES];
    for (size_t i = 0; is_whole && i < image->count; i++)
        if (image->files[i].is_folder)
            make_folder(folder, image->files[i].name);
    for (size_t i = 0; i < image->count; i++) {
        const struct image_file *f = &image->files[i];
        bool is_shm = strlen(f->name) > 4 && strcmp(f->name + strlen(f->name) - 4, "-shm") == 0;
        if (f->is_folder || is_shm || (!is_whole && strchr(f->name, '/') != NULL))
            continue;
        write_file(folder, f->name, f->data, f->bytes);
    }
    for (size_t i = 0; seed != NULL && i < sizeof shm; i++)
        shm[i] = (uint8_t)replay_chance(seed, 256);
    if (seed != NULL && replay_chance(seed, 2) == 0) {
        write_file(folder, "rtcc.db-shm", shm, sizeof shm);
        write_file(folder, "live.db-shm", shm, sizeof shm);
    }
}

static void
clear(const struct image *image, const char *folder)
{
    static const char *const others[] = {"rtcc.db", "rtcc.db-wal", "rtcc.db-shm", "live.db", "live.db-wal", "live.db-shm",
        "open.lock", "use.lock", "turn.lock", "write.lock", "bell"};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, others[i]);
        unlink(path);
    }
    for (size_t i = 0; i < image->count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, image->files[i].name);
        unlink(path);
    }
}

/* ── looking ── */

/* Whether the statement's first row says that; NULL: whether there is none. */
static bool
says(sqlite3_stmt *s, const char *want)
{
    int result = s == NULL ? SQLITE_ERROR : sqlite3_step(s);
    if (want == NULL)
        return result == SQLITE_DONE;
    return result == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), want) == 0;
}

static bool
says_at_once(sqlite3 *db, const char *sql, const char *want)
{
    sqlite3_stmt *s = NULL;
    sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    bool is_so = says(s, want);
    sqlite3_finalize(s);
    return is_so;
}

static bool
is_kept(sqlite3_stmt *s, const struct heard *h)
{
    for (int i = 0; i < sqlite3_bind_parameter_count(s); i++) {
        const char *value = h->values[i];
        if (value[strspn(value, "0123456789")] == '\0')
            sqlite3_bind_int64(s, i + 1, strtoll(value, NULL, 10));
        else
            sqlite3_bind_text(s, i + 1, value, -1, SQLITE_STATIC);
    }
    bool is_there = says(s, "1");
    sqlite3_reset(s);
    return is_there;
}

static void
look_for_promises(struct run *run, sqlite3 *db, int64_t cut_ns)
{
    long lost_before = run->lost_rows;
    sqlite3_stmt *statements[PROMISES] = {NULL};
    for (int i = 0; i < PROMISES; i++)
        sqlite3_prepare_v2(db, promises[i].sql, -1, &statements[i], NULL);
    for (size_t i = 0; i < run->heard_count; i++) {
        const struct heard *h = &run->heard[i];
        if (h->ns >= cut_ns)
            continue;
        run->looked_for++;
        if (is_kept(statements[h->promise], h))
            continue;
        run->lost_rows++;
        found(run, promises[h->promise].kind, h->values[0]);
    }
    for (int i = 0; i < PROMISES; i++)
        sqlite3_finalize(statements[i]);
    run->lost += run->lost_rows > lost_before;
}

static const struct image_file *
file_at(const struct image *image, const char *place)
{
    for (size_t i = 0; i < image->count; i++)
        if (strncmp(image->files[i].name, "files/", 6) == 0 && strcmp(image->files[i].name + 6, place) == 0)
            return &image->files[i];
    return NULL;
}

/* The tests' uploads are called "SEED.bin", and SEED says each of their bytes. */
static bool
is_as_sent(const struct image_file *f, const char *name, int64_t bytes)
{
    uint32_t seed = (uint32_t)strtoul(name, NULL, 10);
    if (f == NULL || f->bytes < (size_t)bytes)
        return false;
    for (int64_t i = 0; i < bytes; i++)
        if (f->data[i] != (uint8_t)((seed * 2654435761u + (uint32_t)i * 40503u) >> 8))
            return false;
    return true;
}

static void
look_at_files(struct run *run, sqlite3 *db, const struct image *image)
{
    sqlite3_stmt *s;
    bool is_broken = sqlite3_prepare_v2(db, "SELECT place, name, bytes FROM file", -1, &s, NULL) != SQLITE_OK;
    while (!is_broken && sqlite3_step(s) == SQLITE_ROW) {
        const char *place = (const char *)sqlite3_column_text(s, 0), *name = (const char *)sqlite3_column_text(s, 1);
        is_broken = !is_as_sent(file_at(image, place), name, sqlite3_column_int64(s, 2));
        if (is_broken)
            found(run, file_at(image, place) == NULL ? "a file is gone" : "a file is not whole", name);
    }
    sqlite3_finalize(s);
    run->broken_files += is_broken;
}

/* What the boot before left in live.db is not there any more; it can be used. */
static bool
is_live_anew(struct db *db, const char *folder)
{
    char path[PATH_BYTES];
    sqlite3 *raw;
    int64_t now_ms = clock_boot_ms();
    snprintf(path, sizeof path, "%s/live.db", folder);
    bool is_empty = sqlite3_open_v2(path, &raw, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                    says_at_once(raw, "SELECT 1 FROM presence UNION ALL SELECT 1 FROM typing UNION ALL SELECT 1 FROM rate", NULL);
    sqlite3_close(raw);
    enum err err = sql_presence_seen(db, &(struct sql_presence_seen_in){.agent = 1, .boot = clock_boot_id(), .boot_ms = now_ms});
    if (err == OK)
        err = sql_typing_note(db, &(struct sql_typing_note_in){.conf = 1, .member = 1, .boot_ms = now_ms});
    if (err == OK)
        err = sql_rate_forget_old(db, &(struct sql_rate_forget_old_in){.now = now_ms});
    return is_empty && err == OK;
}

/* Both databases as the programs have them: opened, and live.db in use. */
static struct db *
open_as_programs_do(struct run *run)
{
    struct db *db;
    const char *why = "";
    if (db_open(run->folder, &db, &why) != OK) {
        run->hindered++;
        found(run, "cannot be opened", why);
        return NULL;
    }
    if (!is_live_anew(db, run->folder)) {
        run->hindered++;
        found(run, "hinders the programs", "live.db");
    }
    return db;
}

static void
look(struct run *run, const struct image *image, int64_t cut_ns)
{
    char path[PATH_BYTES];
    sqlite3 *raw;
    struct db *db = open_as_programs_do(run);
    snprintf(path, sizeof path, "%s/rtcc.db", run->folder);
    bool is_well = sqlite3_open_v2(path, &raw, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                   says_at_once(raw, "PRAGMA integrity_check", "ok") && says_at_once(raw, "PRAGMA foreign_key_check", NULL);
    if (!is_well) {
        run->corrupt++;
        found(run, "corrupt", sqlite3_errmsg(raw));
    } else {
        look_for_promises(run, raw, cut_ns);
        look_at_files(run, raw, image);
    }
    sqlite3_close(raw);
    if (db != NULL)
        db_close(db);
}

/* ── the cuts ── */

static void
keep_image(struct run *run, const struct image *image)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s/cut%ld", run->folder, run->cuts);
    make_folder(run->folder, folder + strlen(run->folder) + 1);
    write_image(image, folder, true, NULL);
}

static void
cut(struct run *run, uint64_t place, size_t every)
{
    const struct disk_record *next = replay_record(run->rp, place);
    enum replay_mode mode = (enum replay_mode)(run->cuts % REPLAY_MODES);
    replay_until(run->rp, place);
    struct image image = replay_cut(run->rp, mode, run->seed + (uint64_t)run->cuts * 7919);
    write_image(&image, run->folder, false, &run->seed);
    look(run, &image, next->ns);
    clear(&image, run->folder);
    if (every > 0 && (size_t)run->cuts % every == 0)
        keep_image(run, &image);
    image_free(&image);
    run->cuts++;
}

static int
by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void
cut_often(struct run *run, size_t cuts, int64_t from_ns, int64_t to_ns)
{
    size_t count = 0, room = 1u << 20;
    uint64_t *places = calloc(room, sizeof *places), *chosen = calloc(cuts, sizeof *chosen);
    assert(places && chosen);
    const struct disk_record *r;
    for (uint64_t p = replay_begin(); (r = replay_record(run->rp, p)) != NULL && count < room; p = replay_next(run->rp, p))
        if (r->ns >= from_ns && r->ns <= to_ns)
            places[count++] = p;
    assert(count > 0 && count < room);
    for (size_t i = 0; i < cuts; i++)
        chosen[i] = places[replay_chance(&run->seed, count)];
    qsort(chosen, cuts, sizeof *chosen, by_place);
    for (size_t i = 0; i < cuts; i++)
        cut(run, chosen[i], run->kept > 0 ? (cuts + run->kept - 1) / run->kept : 0);
    free(places);
    free(chosen);
}

static int
write_end(const char *record, const char *folder)
{
    struct replay *rp = replay_open(record, WITHOUT_NONE);
    uint64_t place = replay_begin();
    while (replay_record(rp, place) != NULL)
        place = replay_next(rp, place);
    replay_until(rp, place);
    struct image image = replay_cut(rp, REPLAY_ALL, 1);
    write_image(&image, folder, true, NULL);
    image_free(&image);
    return 0;
}

int
main(int argc, char **argv)
{
    static const char *const withouts[] = {"none", "wal", "folders", "files", "any"};
    int without = 0;
    if (argc == 4)
        return write_end(argv[1], argv[3]);
    assert(argc == 9 || argc == 10);
    while (strcmp(withouts[without], argv[4]) != 0)
        assert(++without <= WITHOUT_ANY);
    struct run run = {.rp = replay_open(argv[1], (enum replay_without)without),
        .folder = argv[3],
        .seed = strtoull(argv[5], NULL, 10) * 2 + 1,
        .kept = argc == 10 ? strtoull(argv[9], NULL, 10) : 0};
    read_heard(&run, argv[2]);
    cut_often(&run, strtoull(argv[6], NULL, 10), strtoll(argv[7], NULL, 10), strtoll(argv[8], NULL, 10));
    for (char *p = run.first; *p != '\0'; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
            *p = ' ';
    printf(
        "{\"cuts\":%ld,\"looked_for\":%ld,\"corrupt\":%ld,\"lost\":%ld,\"lost_rows\":%ld,\"hindered\":%ld,\"broken_files\":%ld,"
        "\"first\":\"%s\"}\n",
        run.cuts, run.looked_for, run.corrupt, run.lost, run.lost_rows, run.hindered, run.broken_files, run.first);
    free(run.heard);
    return 0;
}
