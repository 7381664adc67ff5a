/* outlook: what a customer who comes now may expect: asked of the queuing server, kept in this process for some seconds, so that
 * a page that many look at asks seldom, and a server that is down holds up few. */
#ifndef RTCC_OUTLOOK_H
#define RTCC_OUTLOOK_H

#include "io/center.h"
#include "model/vcs.h"

enum { OUTLOOK_KEPT_MS = 5000 };

/* ERR_UNAVAILABLE: the queuing server does not answer, or did not a few seconds ago. */
must_check enum err outlook_get(struct center *c, struct vcs_standing *out);

#endif
