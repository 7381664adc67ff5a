/* live: the files of live.db after the machine stopped. They are written without fsync, so after a power cut anything may be in
 * them; what they hold is not missed, a database that cannot be opened is. */
#ifndef RTCC_LIVE_H
#define RTCC_LIVE_H

#include <stdbool.h>

/* To be called with open.lock held; in_use is a descriptor of use.lock, which is then locked as shared. Removes live.db if it was
 * last used in another boot of the machine. True when nobody else has the databases open. */
bool live_begin(const char *folder, int in_use);

/* Removes live.db and what belongs to it. Only for who is alone. */
void live_remove(const char *folder);

#endif
