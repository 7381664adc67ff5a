/* prefork.c: accept, read, run, answer, close. The processes are made by whoever keeps the programs (multiwatch, systemd,
 * mod_fcgid), so that a process that dies is made again by the same hand.
 *
 * Every connection is closed after its answer: a kept one would pin a process to one idle connection of the web server. Time
 * limits are those of the socket, and an alarm for the request as a whole. Rejected: looking at large bodies before reading as
 * the loop does (they do not fit into the kernel's buffer), and libfcgi's own accept, which waits without a limit. */
#include "io/prefork.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/fcgi.h"
#include "io/job.h"
#include "io/send.h"
#include "io/stop.h"

enum { PART_MS = 2 };

/* REQUEST as soon as the variables are there and in order (the body may still come), or what is wrong: PART if they do not come
 * in time. libfcgi believes their lengths, so it gets none that were not looked at. */
static struct fcgi_front
wait_for_head(int fd)
{
    static uint8_t bytes[FCGI_LOOK_MAX_BYTES];
    struct pollfd ready = {.fd = fd, .events = POLLIN | POLLRDHUP};
    struct fcgi_front front = {.kind = FRONT_PART};
    int64_t end_ms = clock_boot_ms() + PREFORK_SILENCE_MS, left_ms;
    while ((left_ms = end_ms - clock_boot_ms()) > 0 && poll(&ready, 1, (int)left_ms) > 0) {
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
        if (got <= 0)
            break;
        front = fcgi_look(bytes, (size_t)got, SIZE_MAX);
        if (front.kind == FRONT_QUESTION && send_reply(fd, front.bytes))
            continue;
        if (front.kind == FRONT_PART && front.is_head_whole)
            front.kind = FRONT_REQUEST;
        if (front.kind != FRONT_PART || (ready.revents & (POLLRDHUP | POLLHUP)) || (size_t)got == sizeof bytes)
            break;
        usleep(PART_MS * 1000); /* a part of a head, which a web server does not send: poll() would return at once */
    }
    return front;
}

static void
set_limits(int fd)
{
    const struct timeval silence = {.tv_sec = PREFORK_SILENCE_MS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence);
}

static enum err
take(int fd, struct arena *mem, size_t body_max, struct fcgi_taken *out)
{
    alarm(PREFORK_REQUEST_S);
    enum err err = fcgi_take(fd, mem, body_max, out);
    alarm(0);
    return err;
}

/* What still comes of a refused request is read away, else closing would reset the connection and the answer with it. */
static void
drain(int fd)
{
    char bytes[16384];
    int64_t end_ms = clock_boot_ms() + PREFORK_DRAIN_MS;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    shutdown(fd, SHUT_WR);
    for (;;) {
        int64_t left_ms = end_ms - clock_boot_ms();
        if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) <= 0 || recv(fd, bytes, sizeof bytes, 0) <= 0)
            return;
    }
}

static void
answer(int fd, uint16_t id, struct job *job)
{
    struct outbox *rest = NULL;
    bool is_refused = job->err == ERR_TOO_LARGE;
    jobs_run(job, 1);
    if (send_answer(fd, id, &job->answer, job->mem, &rest) == SENT_PART)
        send_drop(rest);
    if (is_refused)
        drain(fd);
    close(fd);
}

static void
serve(const struct service *s, const struct center *process, int fd)
{
    struct job job;
    struct fcgi_taken taken;
    struct fcgi_front front = wait_for_head(fd);
    job_begin(&job);
    set_limits(fd);
    if (front.kind == FRONT_HEAD_LARGE) {
        job.r = request_new(s, process, job.mem);
        job.err = center_fault(job.r->c, ERR_TOO_LARGE, NULL, "The headers of the request are too large.");
        answer(fd, front.id, &job);
    } else if (front.kind != FRONT_REQUEST) {
        if (front.kind == FRONT_BAD_ROLE)
            send_end(fd, front.id, FCGI_BAD_ROLE);
        close(fd);
    } else if (take(fd, job.mem, request_body_max(s, process->settings), &taken) == OK) {
        job_read(&job, s, process, &taken.input);
        answer(fd, taken.id, &job);
    }
    job_end(&job);
}

void
prefork_run(const struct service *s, const struct center *process, int listen_fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listen_fd, &event) != 0)
        log_fatal("epoll cannot be used (%d)", errno);
    while (!stop_is_wanted()) {
        if (epoll_pwait(epoll, &event, 1, -1, stop_mask()) <= 0)
            continue;
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC); /* the listening socket does not block: another was quicker */
        if (fd >= 0)
            serve(s, process, fd);
        else if (errno == EMFILE || errno == ENFILE)
            log_fatal("no descriptor left");
    }
    close(epoll);
}

static enum err
refuse(struct request *r)
{
    return center_fault(r->c, ERR_UNAVAILABLE, NULL, "Nothing can be read or kept at the moment; please try again soon.");
}

void
prefork_refuse(const struct service *s, const struct center *process, int listen_fd, int64_t ms)
{
    struct service refusing = *s;
    int64_t end_ms = clock_boot_ms() + ms, left_ms;
    refusing.mode = PREFORK;
    refusing.access = NULL;
    refusing.answer = refuse;
    while (!stop_is_wanted() && (left_ms = end_ms - clock_boot_ms()) > 0) {
        struct timespec wait = {left_ms / 1000, left_ms % 1000 * 1000000};
        struct pollfd ready = {.fd = listen_fd, .events = POLLIN};
        int fd = ppoll(&ready, 1, &wait, stop_mask()) > 0 ? accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            serve(&refusing, process, fd);
    }
}
