/* health.c: see health.h. */
#include "model/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "io/settings.h"
#include "io/space.h"
#include "model/due.h"
#include "model/sentform.h"
#include "model/site.h"
#include "model/vcs.h"
#include "sql.h"

enum { LATE_MS = 60000, WRITE_AGAIN_MS = 1000 };
enum { LONG_AGO_MS = -WRITE_AGAIN_MS }; /* not 0, which is when the machine started */

void
health_add(struct health *h, const char *name, bool is_ok, const char *what, const char *mend)
{
    if (h->count == HEALTH_MOST)
        return;
    h->checks[h->count++] = (struct health_check){.name = name, .is_ok = is_ok, .what = what, .mend = is_ok ? "" : mend};
    h->is_ok &= is_ok;
}

/* A row is changed and changed back, so that a full disk or a read-only place is seen before a customer meets it. Only a COMMIT
 * comes to the disk, and sqlite leaves out a row that is written as it was. Strangers may ask for the status: there is one in a
 * second at most, and between them all is taken back. */
static enum err
write_database(struct center *c)
{
    static int64_t written_ms = LONG_AGO_MS;
    int changed = 0;
    enum err err = db_begin(c->db);
    if (err != OK)
        return err;
    err = sql_site_write(c->db, &(struct sql_site_write_in){.by = 1}, &changed);
    if (err == OK)
        err = sql_site_write(c->db, &(struct sql_site_write_in){.by = -1}, &changed);
    if (err == OK && !changed)
        err = ERR_NOT_FOUND;
    if (err == OK && llabs(c->boot_ms - written_ms) >= WRITE_AGAIN_MS) {
        err = db_commit(c->db);
        written_ms = err == OK ? c->boot_ms : LONG_AGO_MS;
    } else {
        db_rollback(c->db);
    }
    return err;
}

static void
look_at_database(struct center *c, struct health *h)
{
    enum err err = write_database(c);
    if (err == ERR_NOT_FOUND)
        health_add(h, "database", false, "The database has no site yet.", "Run 'rtcc init' as the user of the web server.");
    else
        health_add(h, "database", err == OK, err == OK ? "The database can be written." : "The database cannot be written.",
            arena_printf(c->mem,
                "Look at the log, at the free space and at the owner and mode of %s, and whether somebody holds rtcc.db locked.",
                c->settings->state_dir));
}

/* Not well already when the largest file may be refused: nobody else tells of it. A web server may have it as well meanwhile. */
static void
look_at_disk(struct center *c, struct health *h)
{
    const char *dir = c->settings->state_dir;
    int64_t free_bytes = space_free(dir), least = SPACE_RESERVE_BYTES + 2 * c->settings->file_max_bytes;
    if (free_bytes < 0) {
        health_add(h, "disk", false, arena_printf(c->mem, "%s: %s", dir, strerror(errno)),
            "Make the folder, owned by the web server's user.");
        return;
    }
    health_add(h, "disk", free_bytes >= least,
        arena_printf(c->mem, "%lld MB are free in %s.", (long long)(free_bytes >> 20), dir),
        arena_printf(c->mem,
            "Make room: below %lld MB large files may be refused, below %d MB all files, and messages take what is left.",
            (long long)(least >> 20), SPACE_RESERVE_BYTES >> 20));
}

static void
look_at_files(struct center *c, struct health *h)
{
    const char *dir = arena_printf(c->mem, "%s/files", c->settings->state_dir);
    bool is_ok = access(dir, W_OK | X_OK) == 0;
    health_add(h, "files", is_ok, arena_printf(c->mem, is_ok ? "%s can be written." : "%s cannot be written.", dir),
        "Run 'rtcc init' as the user of the web server.");
}

static void
look_at_pages(struct center *c, struct health *h)
{
    const char *page = arena_printf(c->mem, "%s/templates/conf.html", c->settings->pages_dir);
    bool is_ok = access(page, R_OK) == 0;
    health_add(h, "pages", is_ok,
        arena_printf(c->mem, is_ok ? "The templates are in %s." : "There are no templates in %s.", c->settings->pages_dir),
        "Set pages_dir in rtcc.conf to the folder htdocs.");
}

static void
look_at_key(struct center *c, struct health *h)
{
    const char *path = vcs_key_file(c);
    bool is_ok = access(path, R_OK) == 0;
    health_add(h, "key", is_ok,
        arena_printf(c->mem, is_ok ? "form_submit's API key is in %s." : "form_submit cannot read its API key %s.", path),
        "Run 'rtcc init', or put a key of 'rtcc key add' of the other servers there.");
}

static void
look_at_work(struct center *c, struct health *h)
{
    int64_t count = 0, oldest_ms = 0;
    enum err err = due_waiting(c, &count, &oldest_ms);
    bool is_ok = err == OK && oldest_ms < LATE_MS;
    health_add(h, "work", is_ok,
        arena_printf(c->mem, "%lld pieces of work are due, the oldest for %lld s.", (long long)count,
            (long long)oldest_ms / 1000),
        "Keep 'rtcc work --stay' running, and see that the servers of collaboration_url and queue_url answer.");
}

static void
look_at_forms(struct center *c, struct health *h)
{
    int64_t count = 0, oldest_ms = 0;
    enum err err = sentform_kept(c, &count, &oldest_ms);
    bool is_ok = err == OK && oldest_ms < LATE_MS;
    health_add(h, "forms", is_ok,
        arena_printf(c->mem, "%lld forms are kept and wait for a server, the oldest for %lld s.", (long long)count,
            (long long)oldest_ms / 1000),
        "Start 'rtcc work', which finishes them; where it runs, a server of collaboration_url or queue_url does not answer, or "
        "does not take the key.");
}

void
health_look_around(struct center *c, struct health *h)
{
    look_at_disk(c, h);
    look_at_files(c, h);
    look_at_pages(c, h);
    look_at_key(c, h);
}

void
health_look(struct center *c, struct health *out)
{
    *out = (struct health){.is_ok = true};
    look_at_database(c, out);
    health_look_around(c, out);
    look_at_work(c, out);
    look_at_forms(c, out);
}

enum err
health_count(struct center *c, struct health_numbers *out)
{
    struct health_counts row;
    int64_t oldest_ms;
    enum err err = sql_health_counts(c->db, c->mem, &row);
    if (err == OK)
        err = due_waiting(c, &out->due, &oldest_ms);
    if (err != OK)
        return err;
    out->waiting = row.waiting;
    out->talking = row.talking;
    out->agents_ready = row.agents_ready;
    out->events = row.events;
    return OK;
}
