/* outlook.c: see outlook.h. One copy for each process, not in a table: it is a few numbers, and asking four times instead of once
 * in five seconds is cheaper than writing. Under plain CGI a process ends with its answer, so there each page asks. */
#include "model/outlook.h"

static struct {
    struct vcs_standing standing;
    enum err err;
    int64_t until_ms; /* boot clock; 0: nothing is kept */
} kept;

enum err
outlook_get(struct center *c, struct vcs_standing *out)
{
    if (c->boot_ms >= kept.until_ms) {
        kept.err = vcs_standing(c, &kept.standing);
        kept.until_ms = c->boot_ms + OUTLOOK_KEPT_MS;
    }
    *out = kept.standing;
    return kept.err;
}
