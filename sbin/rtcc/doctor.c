/* doctor.c: what is wrong with this installation, and how to mend it. */
#include "rtcc.h"

#include <stdio.h>

#include "base/text.h"
#include "io/db.h"
#include "io/http.h"
#include "io/settings.h"
#include "model/agent.h"
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
    health_add(h, "service key", err == OK,
        err == OK ? "The servers take form_submit's key." : "The servers do not take form_submit's key.",
        "Run 'rtcc init' where the servers' database is, or put a key of 'rtcc key add' of theirs into the file.");
}

static void
look_at_agents(struct center *c, struct health *h)
{
    struct agent_list *rows;
    size_t count = 0;
    bool is_ok = agent_list(c, &rows, &count) == OK && count > 0;
    health_add(h, "agents", is_ok, arena_printf(c->mem, "%zu people can sign in.", count),
        "Add one: rtcc agent add LOGIN NAME agent");
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

int
doctor_command(struct center *c, int argc, char **argv)
{
    struct health h;
    (void)argc, (void)argv;
    health_look(c, &h);
    look_at_integrity(c, &h);
    look_at_agents(c, &h);
    look_at_server(c, &h, "collaboration_url", c->settings->collaboration_url);
    look_at_server(c, &h, "queue_url", c->settings->queue_url);
    look_at_key_there(c, &h);
    for (int i = 0; i < h.count; i++) {
        printf("%-7s %-18s %s\n", h.checks[i].is_ok ? "ok" : "NOT OK", h.checks[i].name, h.checks[i].what);
        if (!h.checks[i].is_ok)
            printf("%-7s %-18s → %s\n", "", "", h.checks[i].mend);
    }
    return h.is_ok ? 0 : 1;
}
