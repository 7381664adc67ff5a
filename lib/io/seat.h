/* seat: a place to wait in, where each poll that waits costs a process and a thread of the web server: plain CGI, mod_fcgid.
 *
 * All programs of a folder share the seats, so that of the web server's threads some are always left for what does not wait. A
 * process has one seat at most, and none when it has ended, however it ended. */
#ifndef RTCC_SEAT_H
#define RTCC_SEAT_H

#include <stdbool.h>
#include <stdint.h>

enum { SEATS_MAX = 1000 };

/* Whether this process has a seat, now or already: one of the first `most` of the folder, 0 to SEATS_MAX. Does not wait. Where
 * the folder cannot be written there are none. */
bool seat_take(const char *folder, int64_t most);

/* Gives it back; nothing when there is none. */
void seat_leave(void);

#endif
