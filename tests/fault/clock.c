/* clock: stands between the programs and the clock on the wall (LD_PRELOAD), which then goes RTCC_CLOCK's seconds before or after the
 * real one: a file with one int64_t, which the test changes while they run. The boot's clock goes on, as it does when somebody
 * sets the time.
 *
 * Rejected: libfaketime. It shares a named semaphore among the processes, which the end of any fork takes away, and the next
 * program then does not start; seen on a busy machine. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_s;

__attribute__((constructor)) static void
start(void)
{
    const char *path = getenv("RTCC_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof *ahead_s, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        ahead_s = mapped;
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && clock == CLOCK_REALTIME && ahead_s != NULL)
        now->tv_sec += *ahead_s;
    return failed;
}
