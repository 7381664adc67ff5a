/* look.c: whether what has come on a connection is a whole request.
 *
 * It is looked at with MSG_PEEK, so that libfcgi, which would wait for the rest, reads nothing that is not there. A request that
 * comes in pieces is taken out of the socket into an inbox: its sender waits for room there.
 *
 * Under PREFORK, where a body may be large and its sender slow, each piece behind the head is looked at once and appended. Others
 * are looked at from their beginning each time: they are small, and come in more than two pieces seldom. */
#include "io/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/log.h"
#include "io/fcgi.h"

/* What has come on the connection that is looked at: what is in its inbox, and behind that what is still in the kernel. */
static uint8_t front_bytes[FCGI_LOOK_MAX_BYTES];

static void
make_ready(struct loop *loop, struct conn *conn, uint8_t flag)
{
    conn->flags = (uint8_t)((conn->flags & ~CONN_HEAD_WHOLE) | flag);
    conn->state = CONN_READY;
    conn_due(&loop->conns, conn, 0);
    ring_add(&loop->conns.ready, &conn->ring);
}

/* Under PREFORK a body has time as long as it comes. */
static void
await_body(struct loop *loop, struct conn *conn)
{
    int64_t silence_ms = loop->now_ms + LOOP_SILENCE_MS, end_ms = conn->begun_ms + LOOP_LARGE_MS;
    conn_due(&loop->conns, conn, silence_ms < end_ms ? silence_ms : end_ms);
}

static void
await_rest(struct loop *loop, struct conn *conn, const struct fcgi_front *front)
{
    bool is_body_next = front->is_head_whole && !(conn->flags & CONN_HEAD_WHOLE);
    if (is_body_next)
        conn->flags |= CONN_HEAD_WHOLE;
    if (front->is_head_whole && loop->service->mode == PREFORK)
        await_body(loop, conn);
    else if (is_body_next || conn->heap_at == 0)
        conn_due(&loop->conns, conn, loop->now_ms + (is_body_next ? LOOP_BODY_MS : LOOP_REQUEST_MS));
}

static void
act_on_front(struct loop *loop, struct conn *conn, const struct fcgi_front *front, bool is_full)
{
    conn->request_id = front->id;
    conn->flags =
        (uint8_t)((conn->flags & (CONN_WATCHED | CONN_WATCHED_OUTPUT | CONN_HEAD_WHOLE)) | (front->keep ? CONN_KEEP : 0));
    switch (front->kind) {
    case FRONT_REQUEST:
        make_ready(loop, conn, 0);
        break;
    case FRONT_TOO_LARGE:
        make_ready(loop, conn, CONN_BODY_LARGE | CONN_LOOK_AGAIN);
        break;
    case FRONT_HEAD_LARGE:
        make_ready(loop, conn, CONN_HEAD_LARGE | CONN_LOOK_AGAIN);
        break;
    case FRONT_ABORT:
        loop_end(loop, conn, FCGI_DONE);
        break;
    case FRONT_BAD_ROLE:
        loop_end(loop, conn, FCGI_BAD_ROLE);
        break;
    case FRONT_PART:
        if (is_full)
            make_ready(loop, conn, CONN_HEAD_LARGE | CONN_LOOK_AGAIN);
        else
            await_rest(loop, conn, front);
        break;
    case FRONT_QUESTION:
    case FRONT_BAD:
        loop_close(loop, conn);
        break;
    }
}

/* A refused body is read to its end when the web server means to use the connection again: it would send the next request, maybe
 * somebody else's, into a connection that is being closed, and a POST is not sent twice. */
static bool
is_read_away(const struct fcgi_front *front, size_t bytes)
{
    return front->kind == FRONT_TOO_LARGE && front->keep && bytes < sizeof front_bytes;
}

/* ── PREFORK: the rest of a body ── */

/* What the head in the box says of the body's bytes, or -1. */
static int64_t
announced_bytes(const struct inbox *box)
{
    struct fcgi_taken taken;
    struct arena *mem = arena_new();
    bool is_taken = fcgi_take_kept(box->data, box->bytes, mem, 0, &taken) == OK;
    arena_free(mem);
    return is_taken ? taken.announced : -1;
}

/* Of a body that will be over the limit nothing need be kept. */
static bool
is_announced_too_large(const struct loop *loop, const struct inbox *box)
{
    return announced_bytes(box) > (int64_t)loop->body_max;
}

/* Asked of a body that is about to become a file: all of it is looked for at once, so that it is refused now and not near its
 * end. */
static bool
finds_room(const struct inbox *box, size_t bytes)
{
    return !inbox_is_outgrown(box, bytes) || inbox_may_become(announced_bytes(box));
}

static enum fcgi_front_kind
look_at_piece(const struct loop *loop, struct inbox *box, size_t bytes, size_t *used)
{
    enum fcgi_front_kind kind = fcgi_look_on(&box->body, front_bytes, bytes, loop->body_max, used);
    bool is_to_be_kept = kind == FRONT_PART || kind == FRONT_REQUEST;
    bool is_padded = box->bytes + *used > 2 * loop->body_max + FCGI_LOOK_MAX_BYTES; /* more records than body */
    if (is_to_be_kept && (is_padded || (inbox_is_outgrown(box, *used) && is_announced_too_large(loop, box))))
        kind = FRONT_TOO_LARGE;
    return kind;
}

/* The next piece of the body is in front_bytes. False if there is nothing more to be read for now: it is ready or closed. */
static bool
add_piece(struct loop *loop, struct conn *conn, size_t bytes)
{
    size_t used;
    struct fcgi_front front = {.id = conn->request_id, .is_head_whole = true};
    front.kind = look_at_piece(loop, conn->inbox, bytes, &used);
    bool is_kept = finds_room(conn->inbox, used) && inbox_add(&conn->inbox, front_bytes, used);
    if (!is_kept && (front.kind == FRONT_PART || front.kind == FRONT_REQUEST)) {
        log_warn("a large body is refused: too much comes at once, or there is no room for it on the disk");
        make_ready(loop, conn, CONN_NO_ROOM | CONN_LOOK_AGAIN);
        return false;
    }
    act_on_front(loop, conn, &front, false);
    return front.kind == FRONT_PART;
}

/* One piece, then it is others' turn: epoll tells of what is still there again. */
static void
look_on(struct loop *loop, struct conn *conn)
{
    ssize_t got = recv(conn->fd, front_bytes, sizeof front_bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        loop_close(loop, conn);
    } else if (add_piece(loop, conn, (size_t)got)) {
        conn->flags |= CONN_LOOK_AGAIN;
        loop_watch(loop, conn, false);
    }
}

/* The head is whole and in the box, with the beginning of the body. */
static void
begin_body(struct loop *loop, struct conn *conn, const struct fcgi_front *front)
{
    size_t used;
    struct inbox *box = conn->inbox;
    box->is_body = true;
    box->body = (struct fcgi_body){.id = front->id};
    fcgi_look_on(&box->body, box->data + front->head_bytes, box->bytes - front->head_bytes, loop->body_max, &used);
    await_rest(loop, conn, front);
    look_on(loop, conn);
}

/* ── all ── */

/* How much of what is shown goes out of the socket now. A part does, and whatever comes after a part; but nothing behind the
 * request's end. */
static size_t
bytes_to_keep(const struct fcgi_front *front, size_t kept, size_t shown, bool is_large)
{
    bool is_part = front->kind == FRONT_PART && front->id != 0;
    if (kept == 0 && !is_part && !is_large)
        return 0;
    return (front->kind == FRONT_REQUEST ? front->bytes : shown) - kept;
}

/* Takes the next bytes out of the socket, which front_bytes shows behind those that were taken before: a web server waits until
 * its socket is nearly empty before it sends on, and would wait for ever. False: the connection is closed. */
static bool
keep(struct loop *loop, struct conn *conn, size_t kept, size_t bytes)
{
    bool is_kept = inbox_add(&conn->inbox, front_bytes + kept, bytes);
    if (!is_kept)
        log_warn("too many requests come in pieces at once");
    if (is_kept && recv(conn->fd, front_bytes + kept, bytes, MSG_DONTWAIT) == (ssize_t)bytes)
        return true;
    loop_close(loop, conn);
    return false;
}

static void
take_front(struct loop *loop, struct conn *conn, const struct fcgi_front *front, size_t bytes)
{
    if (front->kind == FRONT_PART && front->is_head_whole && loop->service->mode == PREFORK) {
        conn->request_id = front->id;
        begin_body(loop, conn, front);
    } else {
        act_on_front(loop, conn, front, bytes == sizeof front_bytes);
    }
}

/* What has come on a connection that has no request in hand. Nothing behind a whole request is taken. */
void
look_front(struct loop *loop, struct conn *conn)
{
    if (conn->inbox != NULL && conn->inbox->is_body) {
        look_on(loop, conn);
        return;
    }
    for (;;) {
        size_t kept = conn->inbox == NULL ? 0 : conn->inbox->bytes;
        if (kept > 0)
            memcpy(front_bytes, conn->inbox->data, kept);
        ssize_t got = recv(conn->fd, front_bytes + kept, sizeof front_bytes - kept, MSG_PEEK | MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            loop_close(loop, conn);
            return;
        }
        size_t bytes = kept + (size_t)got;
        struct fcgi_front front = fcgi_look(front_bytes, bytes, loop->body_max);
        front.keep &= loop->service->mode != PREFORK;
        bool is_large = is_read_away(&front, bytes);
        if (is_large)
            front = fcgi_look(front_bytes, bytes, sizeof front_bytes);
        if (front.kind != FRONT_QUESTION) {
            size_t to_keep = bytes_to_keep(&front, kept, bytes, is_large);
            if (to_keep == 0 || keep(loop, conn, kept, to_keep))
                take_front(loop, conn, &front, bytes);
            return;
        }
        if (!send_reply(conn->fd, front.bytes)) { /* someone who asks and asks and never reads */
            loop_close(loop, conn);
            return;
        }
    }
}

void
look_parked(struct loop *loop, struct conn *conn, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        loop_close(loop, conn);
        return;
    }
    uint8_t head[FCGI_RECORD_HEAD_BYTES];
    ssize_t got = recv(conn->fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0 && fcgi_is_abort(head, (size_t)got, conn->request_id))
        loop_end(loop, conn, FCGI_DONE);
}
