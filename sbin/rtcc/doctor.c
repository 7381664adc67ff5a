/* doctor.c: what is wrong with this installation, and how to mend it. */
#include "rtcc.h"

#include <stdio.h>

#include "base/text.h"
#include "io/db.h"
#include "io/http.h"
#include "io/settings.h"
#include "model/agent.h"
#include "model/filestore.h"
#include "model/health.h"
#include "model/session.h"
#include "model/vcs.h"

static void
look_at_server(struct center *c, struct health *h, const char *name, const char *base)
{
    struct http_answer answer = {0};
    const char *url = arena_printf(c->mem, "%s/cgi_bin/status", base);
    bool is_ok = http_call(c->mem, url, NULL, NULL, NULL, c->settings->service_ca_file, HTTP_TOTAL_MS, &answer) == OK &&
                 answer.status == 200;
    health_add(h, name, is_ok, arena_printf(c->mem, is_ok ? "%s answers ok." : "%s does not answer ok.", url),
        "See that the web server runs with the file of conf/ and that its log has no error; then the setting of that name in "
        "rtcc.conf.");
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
    struct center c = {0};
    struct health h;
    (void)argc, (void)argv;
    const char *cure, *why = center_try(&c, &cure);
    look_inside(&c, &h, why, cure);
    look_at_server(&c, &h, "collaboration_url", c.settings->collaboration_url);
    look_at_server(&c, &h, "queue_url", c.settings->queue_url);
    look_at_key_there(&c, &h);
    for (int i = 0; i < h.count; i++)
        tell(&h.checks[i]);
    center_close(&c);
    return h.is_ok ? 0 : 1;
}
