/* alone: one at a time, among all programs of a folder, for what must not be done twice at once in the name of somebody: a
 * password that is tried while another try of the same account has not been counted yet.
 *
 * Whoever dies lets go of it. Different names do not wait for each other. */
#ifndef RTCC_ALONE_H
#define RTCC_ALONE_H

#include <stdint.h>

/* Waits until nobody else in the folder has the name, for `ms` at most. Gives what alone_give() takes, or -1: somebody kept it
 * for so long, or the folder cannot be written. */
int alone_take(const char *folder, const char *name, int64_t ms);

/* Gives it back; nothing for -1. */
void alone_give(int taken);

#endif
