/* disk: stands between the programs and the disk (LD_PRELOAD): writes down what they do to the files below a folder, and refuses
 * it as a disk would that is full, read-only or broken.
 *
 * RTCC_DISK names the file that disk.h describes, RTCC_DISK_FOLDER the folder. Files elsewhere, and what libc writes by itself
 * (FILE, dprintf), are not seen: whoever plays the record compares its end with the folder, so that nothing is missed unnoticed.
 * What is mapped (sqlite's -shm) is not seen either; no engine trusts it after a power cut.
 *
 * Rejected: FUSE (not in every container), ptrace (slow), device mapper (not in every kernel, and only root may). */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 65536, SECOND_NS = 1000000000 };

static struct disk_head *head;
static const char *folder = "";
static size_t folder_bytes;
static uint64_t inode_of[FILES_MAX]; /* by descriptor; 0: not below the folder */
static uint64_t stream;              /* of chance, where it stands */
static uint32_t storm;               /* in which it was begun */

/* The system's own function of that name. */
#define REAL(name)                                                                                                               \
    __extension__({                                                                                                              \
        static __typeof__(&name) found;                                                                                          \
        if (found == NULL)                                                                                                       \
            *(void **)&found = dlsym(RTLD_NEXT, #name);                                                                          \
        found;                                                                                                                   \
    })

__attribute__((constructor)) static void
start(void)
{
    const char *path = getenv("RTCC_DISK"), *below = getenv("RTCC_DISK_FOLDER");
    int fd = path != NULL && below != NULL ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    void *mapped = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    REAL(close)(fd);
    if (mapped == MAP_FAILED)
        return;
    head = mapped;
    folder = below;
    folder_bytes = strlen(below);
}

/* The name below the folder, "" for the folder itself, NULL for what is elsewhere. */
static const char *
name_below(const char *path)
{
    if (head == NULL || strncmp(path, folder, folder_bytes) != 0)
        return NULL;
    return path[folder_bytes] == '/' ? path + folder_bytes + 1 : path[folder_bytes] == '\0' ? "" : NULL;
}

static uint64_t
inode_below(int fd)
{
    return head != NULL && fd >= 0 && fd < FILES_MAX ? inode_of[fd] : 0;
}

/* ── the record ── */

/* Returns its place. */
static uint64_t
note(enum disk_kind kind, uint64_t inode, uint64_t at, const void *data, size_t bytes)
{
    struct timespec now;
    if (!head->is_recording)
        return 0;
    size_t whole = (sizeof(struct disk_record) + bytes + 8) & ~(size_t)7; /* and a NUL, for names */
    clock_gettime(CLOCK_MONOTONIC, &now); /* before the place is taken: what a client heard before that has an earlier one */
    uint64_t place = __atomic_fetch_add(&head->next, whole, __ATOMIC_SEQ_CST);
    if (place + whole > head->bytes) {
        fprintf(stderr, "disk: the record is full\n");
        abort();
    }
    struct disk_record *r = (struct disk_record *)((char *)head + place);
    *r = (struct disk_record){.kind = kind,
        .bytes = (uint32_t)bytes,
        .ns = now.tv_sec * (int64_t)SECOND_NS + now.tv_nsec,
        .inode = inode,
        .at = at};
    memcpy(r->data, data, bytes);
    return place;
}

/* ── what the disk is like ── */

static uint64_t
name_of_program(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *p = program_invocation_short_name; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    return hash | 1;
}

/* How many processes of this program have drawn before this one. */
static uint64_t
place_in_program(uint64_t program)
{
    for (size_t i = 0; i < DISK_PROGRAMS; i++) {
        uint64_t there = 0;
        if (__atomic_compare_exchange_n(&head->drawn[i].program, &there, program, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
            there == program)
            return __atomic_fetch_add(&head->drawn[i].processes, 1, __ATOMIC_SEQ_CST);
    }
    fprintf(stderr, "disk: too many programs\n");
    abort();
}

static uint64_t
mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* A number below 1,000, by chance (xorshift: with rand_r one refusal brings the next). */
static uint32_t
per_mille(void)
{
    if (storm != head->storm) {
        uint64_t program = name_of_program();
        storm = head->storm;
        stream = mixed(mixed(head->seed + program) + place_in_program(program)) | 1;
    }
    stream ^= stream << 13;
    stream ^= stream >> 7;
    stream ^= stream << 17;
    return (uint32_t)((stream >> 32) % 1000);
}

/* Whether the disk says no; errno then says why. */
static bool
is_refused(bool is_growing)
{
    int error = 0;
    switch ((enum disk_mode)head->mode) {
    case DISK_WELL:
        break;
    case DISK_FULL:
        error = is_growing ? ENOSPC : 0;
        break;
    case DISK_READ_ONLY:
        error = EROFS;
        break;
    case DISK_BROKEN:
        error = per_mille() < head->per_mille ? EIO : 0;
        break;
    }
    if (error == 0)
        return false;
    __atomic_fetch_add(&head->refused, 1, __ATOMIC_SEQ_CST);
    errno = error;
    return true;
}

static bool
is_beyond(int fd, off_t end)
{
    struct stat st;
    return fstat(fd, &st) == 0 && end > st.st_size;
}

/* ── files ── */

static int
open_below(const char *name, const char *path, int flags, mode_t mode)
{
    struct stat st;
    bool is_new = (flags & O_CREAT) && lstat(path, &st) != 0;
    bool is_changing = is_new || (flags & (O_ACCMODE | O_TRUNC)) != 0;
    if (is_new && is_refused(true))
        return -1;
    if (is_changing && !is_new && head->mode == DISK_READ_ONLY && is_refused(false))
        return -1;
    int fd = REAL(open)(path, flags, mode);
    if (fd < 0 || fd >= FILES_MAX || fstat(fd, &st) != 0)
        return fd;
    inode_of[fd] = st.st_ino;
    size_t bytes = strlen(name);
    bool has_slash = bytes > 0 && name[bytes - 1] == '/'; /* a folder may be named so */
    note(DISK_OPEN, st.st_ino, (flags & O_TRUNC) != 0, name, bytes - has_slash);
    return fd;
}

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    const char *name = name_below(path);
    return name == NULL ? REAL(open)(path, flags, mode) : open_below(name, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int
close(int fd)
{
    if (fd >= 0 && fd < FILES_MAX)
        inode_of[fd] = 0;
    return REAL(close)(fd);
}

ssize_t
pwrite(int fd, const void *data, size_t bytes, off_t at)
{
    uint64_t inode = inode_below(fd);
    if (inode != 0 && is_refused(is_beyond(fd, at + (off_t)bytes)))
        return -1;
    ssize_t done = REAL(pwrite)(fd, data, bytes, at);
    if (inode != 0 && done > 0)
        note(DISK_WRITE, inode, (uint64_t)at, data, (size_t)done);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t at) __attribute__((alias("pwrite")));

ssize_t
write(int fd, const void *data, size_t bytes)
{
    uint64_t inode = inode_below(fd);
    off_t at = inode == 0 ? 0 : lseek(fd, 0, SEEK_CUR);
    if (inode != 0 && is_refused(is_beyond(fd, at + (off_t)bytes)))
        return -1;
    ssize_t done = REAL(write)(fd, data, bytes);
    if (inode != 0 && done > 0)
        note(DISK_WRITE, inode, (uint64_t)at, data, (size_t)done);
    return done;
}

int
ftruncate(int fd, off_t bytes)
{
    uint64_t inode = inode_below(fd);
    if (inode != 0 && is_refused(is_beyond(fd, bytes)))
        return -1;
    int status = REAL(ftruncate)(fd, bytes);
    if (inode != 0 && status == 0)
        note(DISK_CUT, inode, (uint64_t)bytes, "", 0);
    return status;
}

int ftruncate64(int fd, off_t bytes) __attribute__((alias("ftruncate")));

static int
sync_below(int fd, uint64_t inode, int (*sync)(int))
{
    if (head->mode == DISK_BROKEN && is_refused(false))
        return -1;
    uint64_t begin = note(DISK_SYNC_BEGIN, inode, 0, "", 0);
    int status = head->sync_us > 0 ? usleep(head->sync_us) : sync(fd);
    if (status == 0)
        note(DISK_SYNC_END, inode, begin, "", 0);
    return status;
}

int
fsync(int fd)
{
    uint64_t inode = inode_below(fd);
    return inode == 0 ? REAL(fsync)(fd) : sync_below(fd, inode, REAL(fsync));
}

int
fdatasync(int fd)
{
    uint64_t inode = inode_below(fd);
    return inode == 0 ? REAL(fdatasync)(fd) : sync_below(fd, inode, REAL(fdatasync));
}

/* ── names ── */

int
unlink(const char *path)
{
    const char *name = name_below(path);
    if (name != NULL && head->mode == DISK_READ_ONLY && is_refused(false))
        return -1;
    int status = REAL(unlink)(path);
    if (name != NULL && status == 0)
        note(DISK_UNLINK, 0, 0, name, strlen(name));
    return status;
}

int
rename(const char *old, const char *new)
{
    char both[2 * PATH_MAX];
    const char *from = name_below(old), *to = name_below(new);
    if (to != NULL && is_refused(false))
        return -1;
    int status = REAL(rename)(old, new);
    if (status == 0 && from != NULL && to != NULL)
        note(DISK_RENAME, 0, 0, both, (size_t)snprintf(both, sizeof both, "%s%c%s", to, 0, from));
    return status;
}

int
mkdir(const char *path, mode_t mode)
{
    struct stat st;
    const char *name = name_below(path);
    if (name != NULL && lstat(path, &st) != 0 && is_refused(true))
        return -1;
    int status = REAL(mkdir)(path, mode);
    if (name != NULL && status == 0 && lstat(path, &st) == 0)
        note(DISK_MKDIR, st.st_ino, 0, name, strlen(name));
    return status;
}
