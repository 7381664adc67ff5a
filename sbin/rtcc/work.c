/* work.c: what is due: once, or for ever beside the programs. */
#include "rtcc.h"

#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "model/due.h"
#include "model/filestore.h"
#include "model/limit.h"
#include "model/routing.h"
#include "model/sentform.h"

enum { WORK_PAUSE_MS = 1000, TIDY_MS = 3600000 };

static volatile sig_atomic_t is_stopping;

static void
stop(int signal_number)
{
    (void)signal_number;
    is_stopping = 1;
}

static enum err
do_piece(struct center *c, const struct due *due)
{
    struct sent_form form;
    if (text_same(due->kind, DUE_FORM))
        return sentform_finish(c, due->key, &form);
    if (text_same(due->kind, DUE_FILE))
        return filestore_drop(c, due->key);
    log_error("work of an unknown kind '%s': this program is older than the database", due->kind);
    return ERR_UNAVAILABLE;
}

/* A piece that had not worked before has: the others of its kind need not wait. */
static void
hurry(struct center *c, const char *kind)
{
    int changed;
    enum err err = text_same(kind, DUE_FORM) ? sentform_hurry(c) : due_hurry(c, kind, &changed);
    if (err != OK)
        log_warn("what waits like the last '%s' keeps waiting", kind);
}

/* Returns the number of pieces tried. */
static int
work_once(struct center *c)
{
    struct due due;
    int tried = 0;
    center_now(c);
    if (routing_tick(c) != OK)
        log_warn("routing could not look at what is due");
    while (!is_stopping && due_claim(c, &due) == OK) {
        enum err err = do_piece(c, &due);
        center_now(c);
        if (err == OK && due.attempts > 1)
            hurry(c, due.kind);
        if (err != OK && due_later(c, &due, err_code(err)) != OK)
            log_warn("%s '%s' could not be put off; its lease will run out", due.kind, due.key);
        tried++;
        arena_reset(c->mem);
    }
    arena_reset(c->mem);
    return tried;
}

/* Gives the time. */
static int64_t
tidy(struct center *c)
{
    if (limit_tidy(c) != OK)
        log_warn("what no limit counts any more could not be cleared away");
    if (filestore_tidy(c) != OK)
        log_warn("files of which only a part came could not be cleared away");
    return c->boot_ms;
}

int
work_command(struct center *c, int argc, char **argv)
{
    bool stays = has_flag(argc, argv, "--stay");
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    int64_t tidied_ms = tidy(c);
    for (work_once(c); stays && !is_stopping; work_once(c)) {
        usleep(WORK_PAUSE_MS * 1000);
        if (c->boot_ms - tidied_ms >= TIDY_MS)
            tidied_ms = tidy(c);
    }
    return 0;
}
