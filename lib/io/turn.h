/* turn: who writes next. The programs' writers come one after the other, in about the order in which they asked, and wait in the
 * kernel meanwhile: sqlite's own way is to sleep and look again, which costs each a sleep and may starve one for seconds.
 *
 * Whoever dies lets go of it. It orders only those who ask here; sqlite's own locks protect the database. */
#ifndef RTCC_TURN_H
#define RTCC_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct turn {
    int next; /* descriptors: turn.lock, held by the one who waits for the other … */
    int now;  /* … write.lock, held by the one whose turn it is */
};

/* Opens both files in a folder, and makes them. False: errno says why; what is open is to be closed all the same. */
bool turn_open(struct turn *turn, const char *folder);

/* Uses SIGALRM, whose handler it sets. False: it did not come until the boot's clock showed until_ms. */
bool turn_take(struct turn *turn, int64_t until_ms);

void turn_give(struct turn *turn);

void turn_close(struct turn *turn);

#endif
