/* loop.c: the turn.
 *
 * Connections are watched edge-triggered, because a part of a request stays in the kernel's buffer and would report itself again
 * and again; for whoever was busy when something came, epoll is asked to report it again afterwards (CONN_LOOK_AGAIN). A
 * connection is told to epoll only when it has to wait for something: without keep-alive most never are.
 *
 * Rejected: level-triggered with one-shot (a system call more for each request); several threads (the transaction is one);
 * taking all that is ready into one transaction (the first would wait for the last). */
#include "io/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/db.h"
#include "io/fcgi.h"
#include "io/stop.h"

enum { EVENTS_MAX = 256, ACCEPT_MAX = 64, NO_DESCRIPTOR_MS = 100 };

void
loop_close(struct loop *loop, struct conn *conn)
{
    if (conn->state == CONN_PARKED || conn->state == CONN_WOKEN)
        park_forget(loop, conn);
    conn_close(&loop->conns, conn);
}

void
loop_watch(struct loop *loop, struct conn *conn, bool has_output)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = conn};
    bool is_watched = conn->flags & CONN_WATCHED, had_output = conn->flags & CONN_WATCHED_OUTPUT;
    if (is_watched && has_output == had_output && !(conn->flags & CONN_LOOK_AGAIN))
        return;
    if (has_output)
        event.events |= EPOLLOUT;
    conn->flags = (uint8_t)((conn->flags & ~(CONN_WATCHED_OUTPUT | CONN_LOOK_AGAIN)) | CONN_WATCHED |
                            (has_output ? CONN_WATCHED_OUTPUT : 0));
    if (epoll_ctl(loop->epoll, is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, conn->fd, &event) != 0)
        log_error("epoll: a connection cannot be watched (%d)", errno);
}

void
loop_end(struct loop *loop, struct conn *conn, int protocol_status)
{
    send_end(conn->fd, conn->request_id, protocol_status);
    loop_close(loop, conn);
}

/* ── requests ── */

static enum err
take_request(struct conn *conn, struct arena *mem, size_t body_max, struct fcgi_taken *out)
{
    enum err err;
    if (conn->inbox != NULL && conn->inbox->fd >= 0) {
        int file = inbox_take_file(&conn->inbox);
        err = fcgi_take(file, mem, body_max, out);
        if (err == OK)
            close(file);
    } else if (conn->inbox != NULL) {
        err = fcgi_take_kept(conn->inbox->data, conn->inbox->bytes, mem, body_max, out);
        inbox_drop(&conn->inbox);
    } else {
        err = fcgi_take(conn->fd, mem, body_max, out);
        conn->fd = err == OK ? conn->fd : -1;
    }
    return err;
}

/* Whoever asked has gone, and nothing but the answer would come of it. */
static bool
is_for_nobody(const struct loop *loop, const struct conn *conn, const struct job *job)
{
    const struct service *s = loop->service;
    return s->mode != HOLD && !s->is_changing && strcmp(job->r->method, "POST") != 0 && conn_is_left(conn);
}

/* Whatever stands in the way of running it is in job->err. False: the connection is closed. */
static bool
take(struct loop *loop, struct conn *conn, struct job *job)
{
    struct fcgi_taken taken;
    job_begin(job);
    if (conn->flags & CONN_HEAD_LARGE) {
        inbox_drop(&conn->inbox);
        job->r = request_new(loop->service, &loop->process, job->mem);
        job->err = center_fault(job->r->c, ERR_TOO_LARGE, NULL, "The headers of the request are too large.");
        return true;
    }
    bool is_body_refused = conn->flags & (CONN_BODY_LARGE | CONN_NO_ROOM);
    if (take_request(conn, job->mem, is_body_refused ? 0 : loop->body_max, &taken) != OK) {
        loop_close(loop, conn);
        job_end(job);
        return false;
    }
    job_read(job, loop->service, &loop->process, &taken.input);
    if (is_for_nobody(loop, conn, job)) {
        loop_close(loop, conn);
        job_end(job);
        return false;
    }
    if (conn->flags & CONN_NO_ROOM)
        job->err =
            center_fault(job->r->c, ERR_UNAVAILABLE, NULL, "There is no room for so much at the moment; please send it later.");
    if (loop->conns.count > loop->full && job->err == OK) {
        conn->flags &= (uint8_t)~CONN_KEEP;
        job->err = center_fault(job->r->c, ERR_UNAVAILABLE, NULL, "Too many connections are open; please try again in a moment.");
    }
    return true;
}

static void
drain(struct loop *loop, struct conn *conn)
{
    static char bytes[65536];
    ssize_t got;
    while ((got = recv(conn->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        ;
    if (got == 0 || errno != EAGAIN)
        loop_close(loop, conn);
}

/* The connection after its answer. */
static void
go_on(struct loop *loop, struct conn *conn)
{
    conn->state = CONN_READING;
    conn->inbox = NULL;
    if (conn->flags & (CONN_HEAD_LARGE | CONN_BODY_LARGE | CONN_NO_ROOM)) {
        conn->state = CONN_DRAINING;
        shutdown(conn->fd, SHUT_WR);
        conn_due(&loop->conns, conn, loop->now_ms + LOOP_DRAIN_MS);
        loop_watch(loop, conn, false);
        return;
    }
    if (!(conn->flags & CONN_KEEP) || loop->is_stopping) {
        loop_close(loop, conn);
        return;
    }
    conn_due(&loop->conns, conn, 0);
    loop_watch(loop, conn, false);
}

void
loop_answer(struct loop *loop, struct conn *conn, struct job *job)
{
    struct outbox *rest = NULL;
    conn->state = CONN_READING;
    conn->inbox = NULL;
    switch (send_answer(conn->fd, conn->request_id, &job->answer, job->mem, &rest)) {
    case SENT_ALL:
        go_on(loop, conn);
        break;
    case SENT_PART:
        conn->state = CONN_SENDING;
        conn->rest = rest;
        ring_add(&loop->conns.sending, &conn->ring);
        conn_due(&loop->conns, conn, loop->now_ms + LOOP_SEND_MS);
        loop_watch(loop, conn, true);
        break;
    case SENT_FAILED:
        loop_close(loop, conn);
        break;
    }
}

/* It may wait while it is served, and others must not wait for its transaction. */
static bool
is_one_at_a_time(const struct loop *loop)
{
    return loop->service->mode == PREFORK;
}

/* Nothing is committed for several together. */
static bool
is_only_looking(const struct loop *loop)
{
    return loop->service->mode == HOLD || (loop->service->mode == BATCH && !loop->service->is_changing);
}

/* Gives how many were run; *bytes grows by their answers. */
static size_t
run_some(struct loop *loop, size_t *bytes)
{
    struct job jobs[LOOP_TURN_MAX];
    struct conn *conns[LOOP_TURN_MAX];
    size_t count = 0, most = is_one_at_a_time(loop) ? 1 : is_only_looking(loop) ? LOOP_LOOK_MAX : LOOP_TURN_MAX;
    while (count < most && !ring_is_empty(&loop->conns.ready)) {
        struct conn *conn = (struct conn *)loop->conns.ready.next;
        ring_take(&conn->ring);
        if (take(loop, conn, &jobs[count]))
            conns[count++] = conn;
    }
    if (count > 0 && loop->service->mode == HOLD)
        park_expect(loop);
    if (count > 0)
        jobs_run(jobs, count);
    for (size_t i = 0; i < count; i++) {
        *bytes += jobs[i].answer.bytes.len;
        if (jobs[i].r->is_held)
            park_add(loop, conns[i], jobs[i].r);
        else
            loop_answer(loop, conns[i], &jobs[i]);
        job_end(&jobs[i]);
    }
    return count;
}

/* Long answers to a few must not keep waiting those who are woken in the same turn. */
static void
run_ready(struct loop *loop)
{
    size_t bytes = 0, all = 0, count;
    do {
        count = run_some(loop, &bytes);
        all += count;
    } while (is_only_looking(loop) && count > 0 && all < LOOP_TURN_MAX && bytes < LOOP_TURN_BYTES);
    loop->asked_ms = all > 0 ? loop->now_ms : loop->asked_ms;
    if (all > 0 && is_one_at_a_time(loop))
        loop->listen_again_ms = 0;
}

/* ── events ── */

static void
stop_listening(struct loop *loop)
{
    if (loop->is_listening)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->listen_fd, NULL);
    loop->is_listening = false;
}

static void
listen_again(struct loop *loop)
{
    /* EPOLLEXCLUSIVE: of several processes of a program one is woken for a connection */
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = &loop->listen_fd};
    bool has_room = loop->conns.count < loop->full + LOOP_SPARE_DESCRIPTORS / 3;
    if (loop->is_listening || loop->is_stopping || !has_room || loop->now_ms < loop->listen_again_ms)
        return;
    loop->is_listening = epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->listen_fd, &event) == 0;
}

static void
stop_listening_until(struct loop *loop, int64_t again_ms)
{
    loop->listen_again_ms = again_ms;
    stop_listening(loop);
}

/* The next connection; NULL if there is none or it cannot be taken. */
static struct conn *
accept_one(struct loop *loop)
{
    if (loop->conns.count >= loop->full + LOOP_SPARE_DESCRIPTORS / 3) {
        stop_listening(loop); /* the rest waits in the kernel's queue: a ready descriptor that cannot be taken would spin */
        return NULL;
    }
    int fd = accept4(loop->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_warn("no descriptor left for a new connection");
            stop_listening_until(loop, loop->now_ms + NO_DESCRIPTOR_MS);
        }
        return NULL;
    }
    struct conn *conn = conn_new(&loop->conns, fd);
    conn->begun_ms = loop->now_ms;
    conn_due(&loop->conns, conn, loop->now_ms + LOOP_REQUEST_MS);
    look_front(loop, conn);
    if (conn->state == CONN_READING)
        loop_watch(loop, conn, false);
    return conn;
}

/* PREFORK: one, if no request is in hand; and while its own is about to come others are left to other processes, because a
 * connection cannot be given away any more. */
static void
accept_next(struct loop *loop)
{
    struct conn *conn = ring_is_empty(&loop->conns.ready) ? accept_one(loop) : NULL;
    if (conn != NULL && conn->state == CONN_READING)
        stop_listening_until(loop, loop->now_ms + LOOP_SETTLE_MS);
}

static void
accept_all(struct loop *loop)
{
    for (int i = 0; i < ACCEPT_MAX && accept_one(loop) != NULL; i++)
        ;
}

static void
go_on_sending(struct loop *loop, struct conn *conn)
{
    struct outbox *rest = conn->rest;
    enum sent sent = send_rest(conn->fd, rest);
    if (sent == SENT_PART) {
        conn_due(&loop->conns, conn, loop->now_ms + LOOP_SEND_MS);
        conn->flags |= CONN_LOOK_AGAIN; /* the socket may take more: then epoll says so again */
        loop_watch(loop, conn, true);
    } else if (sent == SENT_FAILED) {
        loop_close(loop, conn);
    } else {
        send_drop(rest);
        ring_take(&conn->ring);
        go_on(loop, conn);
    }
}

static bool
is_more_there(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void
on_conn(struct loop *loop, struct conn *conn, uint32_t events)
{
    bool is_left = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (events & (EPOLLIN | EPOLLRDHUP))
        conn->flags |= CONN_LOOK_AGAIN; /* for when it is done with what it has in hand */
    switch ((enum conn_state)conn->state) {
    case CONN_READING:
        look_front(loop, conn);
        if (is_left && conn->state == CONN_READING && !is_more_there(conn->fd)) /* nothing more will come */
            loop_close(loop, conn);
        else if (is_left && conn->state == CONN_READY)
            conn->flags |= CONN_LOOK_AGAIN;
        break;
    case CONN_PARKED:
    case CONN_WOKEN:
        look_parked(loop, conn, events);
        break;
    case CONN_SENDING:
        if (events & (EPOLLHUP | EPOLLERR))
            loop_close(loop, conn);
        else if (events & EPOLLOUT)
            go_on_sending(loop, conn);
        break;
    case CONN_DRAINING:
        drain(loop, conn);
        break;
    case CONN_READY:
    case CONN_CLOSED:
        break;
    }
}

static void
on_due(struct loop *loop)
{
    struct conn *conn;
    while ((conn = conns_first_due(&loop->conns)) != NULL && conn->due_ms <= loop->now_ms) {
        if (conn->state == CONN_PARKED)
            park_wake(loop, conn);
        else
            loop_close(loop, conn);
    }
}

/* ── turns ── */

static int
milliseconds_to_wait(const struct loop *loop)
{
    const struct conn *first = conns_first_due(&loop->conns);
    int64_t until = INT64_MAX;
    if (!ring_is_empty(&loop->conns.ready) || !ring_is_empty(&loop->conns.woken))
        return 0;
    if (first != NULL)
        until = first->due_ms;
    if (loop->service->mode == HOLD && loop->tick_ms < until)
        until = loop->tick_ms;
    if (!loop->is_listening && loop->listen_again_ms > loop->now_ms && loop->listen_again_ms < until)
        until = loop->listen_again_ms;
    if (loop->end_ms < until)
        until = loop->end_ms;
    if (until == INT64_MAX)
        return -1;
    int64_t wait = until - clock_boot_ms();
    return wait < 0 ? 0 : wait > INT_MAX ? INT_MAX : (int)wait;
}

static void
turn(struct loop *loop, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_pwait(loop->epoll, events, EVENTS_MAX, wait_ms, stop_mask());
    loop->now_ms = clock_boot_ms();
    loop->is_called = false;
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &loop->listen_fd)
            loop->is_called = true;
        else if (events[i].data.ptr == &loop->bell)
            loop->is_rung = true;
        else
            on_conn(loop, events[i].data.ptr, events[i].events);
    }
    if (loop->is_called && is_one_at_a_time(loop))
        accept_next(loop);
    else if (loop->is_called)
        accept_all(loop);
    run_ready(loop);
    on_due(loop);
    if (loop->service->mode == HOLD)
        park_turn(loop);
    conns_sweep(&loop->conns);
    listen_again(loop);
    db_tend(loop->process.db);
}

/* Somebody may be in the middle of a large body or file. */
static bool
may_be_large(const struct loop *loop)
{
    return is_one_at_a_time(loop) && loop->end_ms == INT64_MAX; /* loop_refuse() takes and gives none */
}

static bool
is_finished(const struct loop *loop)
{
    const struct conns *cs = &loop->conns;
    if (may_be_large(loop))
        return cs->count == 0;
    if (!ring_is_empty(&cs->ready) || !ring_is_empty(&cs->woken) || !ring_is_empty(&cs->sending))
        return false;
    return cs->count == 0 || clock_boot_ms() - loop->asked_ms >= LOOP_QUIET_MS;
}

/* What has arrived is served, who waits is told to come back, what is being sent is sent. The web server may just be writing on a
 * connection that it keeps: ending now would fail its request, and a POST is not sent twice. Each connection is closed behind
 * its next answer, so there is soon nothing to wait for. */
static void
finish(struct loop *loop)
{
    const struct conns *cs = &loop->conns;
    int64_t end_ms = (loop->asked_ms = clock_boot_ms()) + (may_be_large(loop) ? LOOP_STOP_LARGE_MS : LOOP_STOP_MS);
    stop_listening(loop);
    loop->is_stopping = true;
    park_wake_all(loop);
    turn(loop, 0);
    while (!is_finished(loop) && (!ring_is_empty(&cs->ready) || clock_boot_ms() < end_ms))
        turn(loop, ring_is_empty(&cs->ready) && ring_is_empty(&cs->woken) ? 20 : 0);
}

static void
run_until(const struct service *s, const struct center *process, int listen_fd, int64_t end_ms)
{
    struct loop loop = {.service = s, .process = *process, .listen_fd = listen_fd, .bell = -1, .end_ms = end_ms};
    conns_init(&loop.conns);
    loop.body_max = request_body_max(s, process->settings);
    loop.full = conns_most(LOOP_SPARE_DESCRIPTORS);
    if (is_one_at_a_time(&loop)) {
        loop.full /= 2; /* a body that comes and a file that goes have a descriptor besides */
        if (process->db != NULL)
            inbox_use_files(db_folder(process->db), LOOP_LARGE_MAX * (uint64_t)loop.body_max);
    }
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop.epoll < 0)
        log_fatal("epoll cannot be used (%d)", errno);
    loop.now_ms = clock_boot_ms();
    if (s->mode == HOLD)
        park_start(&loop);
    listen_again(&loop);
    while (!stop_is_wanted() && loop.now_ms < end_ms)
        turn(&loop, milliseconds_to_wait(&loop));
    finish(&loop);
    conns_end(&loop.conns);
}

void
loop_run(const struct service *s, const struct center *process, int listen_fd)
{
    run_until(s, process, listen_fd, INT64_MAX);
}

static enum err
refuse(struct request *r)
{
    return center_fault(r->c, ERR_UNAVAILABLE, NULL, "Nothing can be read or kept at the moment; please try again soon.");
}

void
loop_refuse(const struct service *s, const struct center *process, int listen_fd, int64_t ms)
{
    struct service refusing = *s;
    refusing.mode = PREFORK;
    refusing.access = NULL;
    refusing.answer = refuse;
    run_until(&refusing, process, listen_fd, clock_boot_ms() + ms);
}
