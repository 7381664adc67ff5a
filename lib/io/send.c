/* send.c: a usual answer is one buffer with all its records and one send(); nothing is kept. What is left is copied out of the
 * request's arena, so that the arena goes back at once; a file is read piece by piece when the socket has taken the one before.
 *
 * Rejected: writev() over the answer and separate record heads, which saves one copy of about 1 KB and needs a list to be kept;
 * sendfile(), which cannot put a record head in front of each piece without a further call for each. */
#include "io/send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "io/fcgi.h"

struct outbox {
    struct body_file file; /* fd -1: all of it is in data */
    uint16_t id;
    size_t bytes;
    size_t at;
    size_t cap;
    char data[];
};

enum { TURN_PIECES = 16 };           /* of a file before it is others' turn, about a megabyte */
enum { RECORDS_EXTRA_BYTES = 4096 }; /* record heads of the largest answer, and its end */

static size_t kept_bytes;

/* Moves *at on; false if the other side is gone. That the socket is full is no error: *at stays below bytes. */
static bool
push(int fd, const char *data, size_t bytes, size_t *at)
{
    ssize_t sent = 0;
    if (*at == bytes)
        return true;
    do
        sent = send(fd, data + *at, bytes - *at, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK;
    *at += (size_t)sent;
    return true;
}

/* NULL: too much is kept already. */
static struct outbox *
keep(uint16_t id, const char *data, size_t bytes, struct body_file file)
{
    size_t cap = file.fd >= 0 && bytes < FCGI_RECORD_MAX_BYTES ? FCGI_RECORD_MAX_BYTES : bytes;
    cap += FCGI_RECORD_HEAD_BYTES + FCGI_END_BYTES;
    if (kept_bytes + cap > SEND_KEPT_MAX_BYTES)
        return NULL;
    struct outbox *box = malloc(sizeof *box + cap);
    if (box == NULL)
        log_fatal("out of memory: %zu bytes were asked for", cap);
    *box = (struct outbox){.file = file, .id = id, .bytes = bytes, .cap = cap};
    memcpy(box->data, data, bytes);
    kept_bytes += cap;
    return box;
}

void
send_drop(struct outbox *rest)
{
    kept_bytes -= rest->cap;
    if (rest->file.fd >= 0)
        close(rest->file.fd);
    free(rest);
}

static enum sent
send_bytes(int fd, uint16_t id, const struct buf *bytes, struct body_file *file, struct outbox **rest)
{
    size_t at = 0;
    if (!push(fd, bytes->data, bytes->len, &at))
        return SENT_FAILED;
    if (at == bytes->len && file->fd < 0)
        return SENT_ALL;
    struct outbox *box = keep(id, bytes->data + at, bytes->len - at, *file);
    if (box == NULL)
        return SENT_FAILED;
    file->fd = -1;
    enum sent sent = at == bytes->len ? send_rest(fd, box) : SENT_PART;
    if (sent == SENT_PART)
        *rest = box;
    else
        send_drop(box);
    return sent;
}

enum sent
send_answer(int fd, uint16_t id, struct answer *answer, struct arena *mem, struct outbox **rest)
{
    struct buf records = buf_new(mem, answer->bytes.len + answer->bytes.len / 1024 + RECORDS_EXTRA_BYTES);
    fcgi_stdout(&records, id, answer->bytes.data, answer->bytes.len);
    if (answer->file.fd < 0)
        fcgi_end(&records, id, FCGI_DONE);
    return send_bytes(fd, id, &records, &answer->file, rest);
}

/* The next piece of the file as a record, or the end. False if the file is shorter than was promised. */
static bool
refill(struct outbox *box)
{
    struct body_file *file = &box->file;
    size_t want = file->bytes < FCGI_RECORD_MAX_BYTES ? (size_t)file->bytes : FCGI_RECORD_MAX_BYTES;
    ssize_t got = pread(file->fd, box->data + FCGI_RECORD_HEAD_BYTES, want, file->offset);
    if (got <= 0) {
        log_warn("a file ended %lld bytes before its end", (long long)file->bytes);
        return false;
    }
    uint8_t head[FCGI_RECORD_HEAD_BYTES];
    fcgi_head(head, box->id, (size_t)got);
    memcpy(box->data, head, sizeof head);
    box->at = 0;
    box->bytes = sizeof head + (size_t)got;
    file->offset += got;
    file->bytes -= got;
    return true;
}

static void
refill_end(struct outbox *box)
{
    fcgi_end_bytes((uint8_t *)box->data, box->id, FCGI_DONE);
    box->at = 0;
    box->bytes = FCGI_END_BYTES;
    close(box->file.fd);
    box->file.fd = -1;
}

enum sent
send_rest(int fd, struct outbox *rest)
{
    for (int i = 0; i < TURN_PIECES; i++) {
        if (!push(fd, rest->data, rest->bytes, &rest->at))
            return SENT_FAILED;
        if (rest->at < rest->bytes)
            return SENT_PART;
        if (rest->file.fd < 0)
            return SENT_ALL;
        if (rest->file.bytes == 0)
            refill_end(rest);
        else if (!refill(rest))
            return SENT_FAILED;
    }
    return SENT_PART;
}

bool
send_end(int fd, uint16_t id, int protocol_status)
{
    uint8_t end[FCGI_END_BYTES];
    size_t at = 0;
    fcgi_end_bytes(end, id, protocol_status);
    return push(fd, (const char *)end, sizeof end, &at) && at == sizeof end;
}

bool
send_reply(int fd, size_t bytes)
{
    uint8_t record[FCGI_RECORD_HEAD_BYTES + 65535 + 255], reply[FCGI_REPLY_MAX_BYTES];
    size_t at = 0;
    if (bytes > sizeof record || recv(fd, record, bytes, MSG_DONTWAIT) != (ssize_t)bytes)
        return false;
    size_t reply_bytes = fcgi_reply(reply, record, bytes);
    return push(fd, (const char *)reply, reply_bytes, &at) && at == reply_bytes;
}
