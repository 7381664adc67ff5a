/* front: what the form says about this hour: open, busy or closed, and how long it may take. */
#ifndef RTCC_FRONT_H
#define RTCC_FRONT_H

#include "io/service.h"

/* Adds to r->out either `closed` {opens_text, hours_text} or `now` {tone, word, text}. `text` is "" when the queuing server does
 * not say how long it may take: then the form is shown without. */
void front_show(struct request *r);

#endif
