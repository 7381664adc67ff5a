/* disk: what disk.c, in the programs, and those who test them have in common: one file that all of them map.
 *
 * It begins with the head, of which the test sets what the disk is like, and goes on with a record of everything that was done to
 * the files below the folder, in the order in which it was done. The order is that of the places in the file: whoever writes takes
 * his place after the system call; a sync takes one before and one after, and covers what stands before the first.
 *
 * Which writes a broken disk refuses is drawn from a seed. Each process has a stream of its own, named by its program and by how
 * many of that program drew before: so what one draws does not depend on how quick the others are. */
#ifndef RTCC_TEST_DISK_H
#define RTCC_TEST_DISK_H

#include <stdint.h>

enum disk_mode {
    DISK_WELL,
    DISK_FULL,      /* nothing grows, nothing is made */
    DISK_READ_ONLY, /* nothing is changed */
    DISK_BROKEN,    /* EIO for some of the writes, by chance */
};

enum { DISK_PROGRAMS = 60 }; /* so many can be told apart; with them the head has 1,024 bytes */

struct disk_head {
    _Atomic uint64_t next; /* where the next record goes */
    uint64_t bytes;        /* of the whole file */
    uint32_t mode;         /* enum disk_mode */
    uint32_t per_mille;    /* of the writes of a broken disk that are refused */
    uint32_t sync_us;      /* not 0: a sync takes so long and is not passed on to the kernel */
    uint32_t is_recording;
    _Atomic uint64_t refused; /* how often the disk said no */
    uint64_t seed;
    uint32_t storm; /* counts how often it became broken; each time all streams begin anew */
    uint32_t unused;
    uint64_t unused_too; /* 64 bytes up to here */
    struct {
        _Atomic uint64_t program;   /* a hash of its name; 0: free */
        _Atomic uint64_t processes; /* of it have drawn since then */
    } drawn[DISK_PROGRAMS];
};

enum disk_kind {
    DISK_OPEN,       /* name; at: 1 if it was cut to nothing */
    DISK_WRITE,      /* at; the bytes */
    DISK_CUT,        /* at: its new length */
    DISK_SYNC_BEGIN, /* */
    DISK_SYNC_END,   /* at: the place of its beginning */
    DISK_UNLINK,     /* name */
    DISK_RENAME,     /* the new name, NUL, the old one */
    DISK_MKDIR,      /* name */
};

struct disk_record {
    uint32_t kind;
    uint32_t bytes; /* of the data behind it; a NUL follows, and the next record at a multiple of 8 */
    int64_t ns;     /* CLOCK_MONOTONIC */
    uint64_t inode;
    uint64_t at;
    char data[];
};

#endif
