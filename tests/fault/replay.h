/* replay: what a disk may hold after a power cut, from the record that disk.c made (disk.h).
 *
 * What was synced is there. Of what was written since then anything may be there or not: nothing, any part in any order, or any
 * part torn at the borders of its sectors. A name (made, taken away, changed) is there for certain once its folder was synced,
 * whatever was done to the file: file systems differ, and POSIX promises no more. */
#ifndef RTCC_TEST_REPLAY_H
#define RTCC_TEST_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"

enum { SECTOR_BYTES = 512 };

/* What happens to what was not synced. */
enum replay_mode { REPLAY_DROPPED, REPLAY_REORDERED, REPLAY_TORN, REPLAY_MODES, REPLAY_ALL };

/* Which syncs count for nothing, to see that they are needed. */
enum replay_without { WITHOUT_NONE, WITHOUT_WAL, WITHOUT_FOLDERS, WITHOUT_FILES, WITHOUT_ANY };

struct replay;

struct image_file {
    const char *name;
    bool is_folder;
    uint8_t *data;
    size_t bytes;
};

struct image {
    struct image_file *files;
    size_t count;
};

struct replay *replay_open(const char *path, enum replay_without without);

/* The record at a place; NULL behind the last. The first is at replay_begin(), the next at replay_next(). */
const struct disk_record *replay_record(const struct replay *rp, uint64_t place);
uint64_t replay_begin(void);
uint64_t replay_next(const struct replay *rp, uint64_t place);

/* Plays what stands before that place. Only forward. */
void replay_until(struct replay *rp, uint64_t place);

/* What is on the disk when the power goes now; image_free() gives it back. */
struct image replay_cut(const struct replay *rp, enum replay_mode mode, uint64_t seed);
void image_free(struct image *image);

/* A number below `below`, by chance; seed is the generator's state and not 0. */
uint64_t replay_chance(uint64_t *seed, uint64_t below);

#endif
