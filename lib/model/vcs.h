/* vcs: the application server's calls to the two other servers (patent, steps 4 to 7): HTTP there, XML back.
 *
 * Each call carries the request's id, so that repeating it after a fault changes nothing. ERR_UNAVAILABLE: the server is down,
 * slow or answers nonsense, or the key's file is there and cannot be read; the log says which. While somebody waits (c->until_ms)
 * a server that was silent just now is not asked again for SILENCE_MS, so that not all processes wait for it at once; `rtcc work`
 * tries all the time. */
#ifndef RTCC_VCS_H
#define RTCC_VCS_H

#include <stdint.h>

#include "io/center.h"
#include "sql.h"

enum { SILENCE_MS = 3000 };

struct vcs_conference {
    const char *id;     /* on the wire */
    const char *leader; /* codes */
    const char *participant;
};

/* Where form_submit's own API key stands, in plain. */
const char *vcs_key_file(struct center *c);

/* The VCS XML service call: a new conference. */
must_check enum err vcs_schedule(struct center *c, const struct sent_form *form, struct vcs_conference *out);

/* Assembles the invitation's URL and forwards it to the queue. position 0: not waiting; wait_s -1: unknown. ERR_GONE: the
 * conference has ended. */
must_check enum err vcs_invite(struct center *c, const struct sent_form *form, const struct vcs_conference *conf,
    int64_t *position, int64_t *wait_s);

/* What whoever came now would find at the queue; wait_s -1: unknown. */
struct vcs_standing {
    int64_t waiting;
    int64_t wait_s;
    int64_t agents; /* ready and there … */
    int64_t free;   /* … and without work */
};

/* Asks the queuing server for it, for a second at most: nobody's form waits longer for it. */
must_check enum err vcs_standing(struct center *c, struct vcs_standing *out);

/* Whether both servers take form_submit's key: asks for what changes nothing. ERR_UNAUTHORIZED: one of them does not.
 * ERR_UNAVAILABLE: one does not answer, or nonsense, and none refuses the key. */
must_check enum err vcs_check_key(struct center *c);

/* Joins the customer to his room: his token and the room's URL. ERR_GONE: the conference has ended. */
must_check enum err vcs_connect(struct center *c, const struct sent_form *form, const struct vcs_conference *conf,
    const char **token, const char **window);

#endif
