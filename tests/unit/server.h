/* server.h: a loop in a process of its own, on a unix socket, for the tests; `world` is what it and the test share. */
#ifndef RTCC_SERVER_H
#define RTCC_SERVER_H

#include "records.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "io/bell.h"
#include "io/db.h"
#include "io/fcgi.h"
#include "io/loop.h"
#include "io/settings.h"
#include "io/stop.h"

enum { EVENTS_MAX_OF_WORLD = 40000 };

/* Events as a conference has them: number i concerns keys[i]. */
struct world {
    _Atomic int64_t last;
    _Atomic int64_t keys[EVENTS_MAX_OF_WORLD];
    _Atomic int64_t news_calls;
    _Atomic int64_t wake_calls;
    _Atomic int64_t answer_calls;
    _Atomic int64_t answers_before_wake; /* as many had been answered when the first was woken */
    _Atomic int64_t is_stopped;          /* who asks with `stop` is not answered as long */
};

static struct world *world;

struct server {
    pid_t pid;
    char folder[64];
    char path[80];
    int listen_fd;
};

static const struct settings server_settings = {.instance = "rt",
    .pages_dir = "/nowhere",
    .site_name = "",
    .public_url = "",
    .phone_number = "",
    .file_max_bytes = 8 * 1024 * 1024,
    .cgi_hold_s = 1,
    .cgi_hold_max = 90};

static inline void
server_child(const struct service *s, const struct server *server, rlim_t descriptors)
{
    const char *why;
    struct center process = {.settings = &server_settings};
    struct rlimit limit = {descriptors, descriptors};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that failed does not stop its server */
    if (descriptors > 0)
        setrlimit(RLIMIT_NOFILE, &limit);
    stop_keep();
    if (fcgi_start(server->listen_fd) != OK || db_open(server->folder, &process.db, &why) != OK)
        _exit(9);
    stop_listen();
    loop_run(s, &process, server->listen_fd);
    _exit(0);
}

/* descriptors: RLIMIT_NOFILE of the server, 0 as it is here. */
static inline struct server
server_start(const struct service *s, rlim_t descriptors)
{
    struct server server = {.folder = "/tmp/rtcc-loop-XXXXXX"};
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_non_null(mkdtemp(server.folder));
    snprintf(server.path, sizeof server.path, "%s/socket", server.folder);
    server.listen_fd = listen_at(server.path);
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(world, MAP_FAILED);
    fflush(NULL);
    server.pid = fork();
    if (server.pid == 0)
        server_child(s, &server, descriptors);
    assert_true(server.pid > 0);
    return server;
}

/* With the files in it; 0 if it is gone. */
static inline int
remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return rmdir(folder);
}

/* Asks it to end; its wait status. */
static inline int
server_stop(struct server *server)
{
    int status = -1;
    kill(server->pid, SIGTERM);
    for (int i = 0; i < 400 && waitpid(server->pid, &status, WNOHANG) == 0; i++)
        usleep(10000);
    if (status == -1)
        kill(server->pid, SIGKILL);
    close(server->listen_fd);
    munmap(world, sizeof *world);
    assert_int_equal(remove_folder(server->folder), 0);
    return status;
}

/* A number behind `name` in /proc/PID/status. */
static inline long
server_status(const struct server *server, const char *name)
{
    char path[40], line[200];
    long number = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)server->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            number = strtol(line + strlen(name) + 1, NULL, 10);
    fclose(file);
    return number;
}

/* Clock ticks (10 ms) of CPU so far. */
static inline long
server_cpu(const struct server *server)
{
    char path[40];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)server->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int found = fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(file);
    assert_int_equal(found, 2);
    return (long)(user + system);
}

static inline int
server_descriptors(const struct server *server)
{
    char path[60];
    int count = 0;
    for (int fd = 0; fd < 20000; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)server->pid, fd);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            count++;
        else if (fd > 400)
            break;
    }
    return count;
}

/* Until *counter is at least `want`; false after 5 s. */
static inline bool
wait_until(const _Atomic int64_t *counter, int64_t want)
{
    for (int i = 0; i < 5000 && *counter < want; i++)
        usleep(1000);
    return *counter >= want;
}

static inline void
happen(int64_t key)
{
    int64_t id = world->last + 1;
    assert_true(id < EVENTS_MAX_OF_WORLD);
    world->keys[id] = key;
    world->last = id;
}

#endif
