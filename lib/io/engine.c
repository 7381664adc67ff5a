/* engine.c: a single thread, and memory that stays what it is.
 *
 * Every commit of another program makes sqlite forget the pages that it has read. By itself it then gives them back to malloc as
 * one block of 87 KB and asks for the next, and where something lies in the way the heap grows by as much (processes were seen to
 * grow in such steps, 6 % in half an hour of load). So the pages of both files lie in slots of our own; what a
 * large transaction needs beyond them comes from malloc, a page at a time. Rejected: as many slots as the caches may have pages,
 * for sqlite touches all of them at once, which is a megabyte for each process. */
#include "io/engine.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "base/log.h"

enum { PAGE_BYTES = 4096, SLOTS = 64 };

static void
give_slots(void)
{
    static void *slots;
    int head_bytes;
    if (slots != NULL || sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &head_bytes) != SQLITE_OK)
        return;
    int slot_bytes = (PAGE_BYTES + head_bytes + 7) / 8 * 8;
    slots = malloc((size_t)slot_bytes * SLOTS);
    if (slots == NULL)
        log_fatal("out of memory: %d pages were asked for", SLOTS);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, slots, slot_bytes, SLOTS);
}

void
engine_set_up(void)
{
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD); /* as every program is: no locks among threads, no counts of memory */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1); /* what a savepoint may undo stays in memory, not in a file of /var/tmp */
    give_slots();
}
