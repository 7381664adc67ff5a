/* doctor.c: what is wrong with this installation, and how to mend it. */
#include "rtcc.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "io/db.h"
#include "io/http.h"
#include "io/settings.h"
#include "model/agent.h"
#include "model/filestore.h"
#include "model/health.h"
#include "model/session.h"
#include "model/vcs.h"

/* Whether systemd runs here and has our units. */
static bool
has_units(void)
{
    static const char *const units[] = {"/usr/lib/systemd/system/rtcc.target", "/etc/systemd/system/rtcc.target",
        "/usr/local/lib/systemd/system/rtcc.target"};
    bool is_there = false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        is_there |= access(units[i], F_OK) == 0;
    return is_there && access("/run/systemd/system", F_OK) == 0;
}

static void
look_at_server(struct center *c, struct health *h, const char *name, const char *base)
{
    struct http_answer answer = {0};
    const char *what, *url = arena_printf(c->mem, "%s/cgi_bin/status", base);
    enum err err = http_call(c->mem, url, NULL, NULL, NULL, c->settings->service_ca_file, HTTP_TOTAL_MS, &answer);
    bool is_ok = err == OK && answer.status == 200;
    if (err == OK)
        what = arena_printf(c->mem, is_ok ? "%s answers ok." : "%s does not answer ok, but with status %d.", url, answer.status);
    else
        what = arena_printf(c->mem, "%s does not answer ok: %s.", url, answer.fault ? answer.fault : "too much");
    health_add(h, name, is_ok, what,
        has_units()
            ? "Start the programs: systemctl start rtcc.target; why one ends: journalctl -u 'rtcc@*'. See that the web server "
              "runs with the file of conf/, and is what the setting of that name in rtcc.conf says."
            : "See that the web server runs with the file of conf/, and the programs, where it does not start them itself; "
              "then the setting of that name in rtcc.conf.");
}

/* What the programs read besides the database, each for itself. */
static void
look_at_readable(struct center *c, struct health *h)
{
    const char *file = settings_file(), *authority = c->settings->service_ca_file;
    bool is_there = access(file, F_OK) == 0 || errno != ENOENT, is_read = !is_there || access(file, R_OK) == 0;
    bool is_known = access(authority, R_OK) == 0;
    health_add(h, "settings", is_read,
        is_there ? arena_printf(c->mem, is_read ? "%s can be read." : "%s cannot be read.", file)
                 : arena_printf(c->mem, "There is no %s: each has its default.", file),
        arena_printf(c->mem, "Let the programs' user read it: chmod 644 %s", file));
    if (authority[0])
        health_add(h, "service_ca_file", is_known,
            arena_printf(c->mem, is_known ? "%s can be read." : "%s cannot be read.", authority),
            "Let the programs' user read it, and enter each folder above it.");
}

/* The servers must know the key that form_submit shows them: a database that was put back may not. */
static void
look_at_key_there(struct center *c, struct health *h)
{
    enum err err = vcs_check_key(c);
    if (err != OK && err != ERR_UNAUTHORIZED)
        health_add(h, "service key", false, "Whether the servers take form_submit's key is not known: one does not answer.",
            "See that both servers answer, as the lines above say; then run 'rtcc doctor' again.");
    else
        health_add(h, "service key", err == OK,
            err == OK ? "The servers take form_submit's key." : "A server does not take form_submit's key.",
            arena_printf(c->mem,
                "Run 'rtcc init' where the servers' database is, which mends it or says how; or put a key of 'rtcc key add' of "
                "theirs into %s.",
                vcs_key_file(c)));
}

static void
look_at_agents(struct center *c, struct health *h)
{
    struct agent_list *rows;
    size_t count = 0, enabled = 0;
    enum err err = agent_list(c, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        enabled += !rows[i].is_disabled;
    health_add(h, "agents", enabled > 0, arena_printf(c->mem, "%zu people can sign in.", enabled),
        count == 0 ? "Add one: rtcc agent add LOGIN NAME agent" : "Let one in again: rtcc agent enable LOGIN");
}

static void
look_at_integrity(struct center *c, struct health *h)
{
    const char *found = NULL;
    bool is_ok = db_check(c->db, c->mem, &found) == OK && text_same(found, "ok");
    health_add(h, "integrity", is_ok,
        is_ok ? "The database is whole." : arena_printf(c->mem, "The database says: %s", found ? found : "-"),
        "Stop the programs and restore the last backup: rtcc restore FILE");
}

static void
look_at_missing_files(struct center *c, struct health *h)
{
    int64_t missing;
    const char *dir = filestore_folder(c);
    if (filestore_missing(c, &missing) != OK)
        return; /* what the database said about itself is told already */
    health_add(h, "sent files", missing == 0,
        missing ? arena_printf(c->mem, "%lld files that the database knows are not in %s.", (long long)missing, dir)
                : arena_printf(c->mem, "All are in %s.", dir),
        "Copy them from a backup: they lie in the folder FILE.files beside its FILE.");
}

/* Without a database there is still something to see: what does not need it. */
static void
look_inside(struct center *c, struct health *h, const char *why, const char *cure)
{
    *h = (struct health){.is_ok = true};
    if (why) {
        health_look_around(c, h); /* a full disk first: it is why nothing else goes */
        health_add(h, "database", false, arena_printf(c->mem, "It cannot be opened: %s.", why), cure);
        return;
    }
    health_look(c, h);
    look_at_integrity(c, h);
    look_at_missing_files(c, h);
    look_at_agents(c, h);
}

static void
tell(const struct health_check *check)
{
    printf("%-7s %-18s %s\n", check->is_ok ? "ok" : "NOT OK", check->name, check->what);
    if (!check->is_ok)
        printf("%-7s %-18s → %s\n", "", "", check->mend);
}

int
command_doctor(int argc, char **argv)
{
    struct center c = {.settings = settings_load()};
    struct health h;
    const char *cure;
    bool is_other = !has_flag(argc, argv, "--as-me") && user_become(c.settings);
    const char *why = center_try(&c, &cure);
    look_inside(&c, &h, why, cure);
    if (is_other)
        health_add(&h, "user", true, arena_printf(c.mem, "This looks as %s, as whom the programs run here.", user_name()), "");
    look_at_readable(&c, &h);
    look_at_server(&c, &h, "collaboration_url", c.settings->collaboration_url);
    look_at_server(&c, &h, "queue_url", c.settings->queue_url);
    look_at_key_there(&c, &h);
    for (int i = 0; i < h.count; i++)
        tell(&h.checks[i]);
    center_close(&c);
    return h.is_ok ? 0 : 1;
}
