/* records.h: the web server's side of FastCGI for the tests of the loops: requests as records, and reading answers. */
#ifndef RTCC_RECORDS_H
#define RTCC_RECORDS_H

#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

struct bytes {
    uint8_t data[200000];
    size_t len;
};

static inline void
add_record(struct bytes *b, int type, int id, const void *content, size_t len, size_t padding)
{
    const uint8_t head[8] = {1, (uint8_t)type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(len >> 8), (uint8_t)len,
        (uint8_t)padding};
    assert_true(b->len + 8 + len + padding <= sizeof b->data);
    memcpy(b->data + b->len, head, 8);
    if (len > 0)
        memcpy(b->data + b->len + 8, content, len);
    memset(b->data + b->len + 8 + len, 0, padding);
    b->len += 8 + len + padding;
}

static inline void
add_begin(struct bytes *b, int id, int role, bool keep)
{
    const uint8_t body[8] = {0, (uint8_t)role, keep};
    add_record(b, 1, id, body, 8, 0);
}

/* One name and value, in a buffer of its own. */
static inline void
add_pair(uint8_t *out, size_t *len, const char *name, const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    out[(*len)++] = (uint8_t)name_len;
    if (value_len > 127) {
        out[(*len)++] = (uint8_t)(0x80 | value_len >> 24);
        out[(*len)++] = (uint8_t)(value_len >> 16);
        out[(*len)++] = (uint8_t)(value_len >> 8);
    }
    out[(*len)++] = (uint8_t)value_len;
    memcpy(out + *len, name, name_len);
    *len += name_len;
    memcpy(out + *len, value, value_len);
    *len += value_len;
}

static inline void
add_params(struct bytes *b, int id, const char *method, const char *query, const char *length)
{
    uint8_t params[100000];
    size_t len = 0;
    add_pair(params, &len, "REQUEST_METHOD", method);
    add_pair(params, &len, "QUERY_STRING", query);
    add_pair(params, &len, "CONTENT_LENGTH", length);
    add_pair(params, &len, "CONTENT_TYPE", "application/x-www-form-urlencoded");
    add_pair(params, &len, "HTTP_HOST", "shop.example");
    for (size_t at = 0; at < len; at += 60000)
        add_record(b, 4, id, params + at, len - at < 60000 ? len - at : 60000, 3);
    add_record(b, 4, id, NULL, 0, 0);
}

/* A whole request; length NULL: that of the body. */
static inline void
add_request(struct bytes *b, int id, bool keep, const char *query, const char *body, size_t body_len, const char *length)
{
    char said[24];
    snprintf(said, sizeof said, "%zu", body_len);
    add_begin(b, id, 1, keep);
    add_params(b, id, body_len > 0 ? "POST" : "GET", query, length == NULL ? said : length);
    for (size_t at = 0; at < body_len; at += 32768)
        add_record(b, 5, id, body + at, body_len - at < 32768 ? body_len - at : 32768, 0);
    add_record(b, 5, id, NULL, 0, 0);
}

/* What came back for one request. */
struct reply {
    bool is_ended; /* END_REQUEST came; else the connection was closed or the time is over */
    int protocol_status;
    int id;
    size_t len;
    char data[4000]; /* the beginning of STDOUT */
};

static inline bool
read_exactly(int fd, void *to, size_t len, int timeout_ms)
{
    for (size_t at = 0; at < len;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, timeout_ms) <= 0)
            return false;
        ssize_t got = recv(fd, (char *)to + at, len - at, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static inline struct reply
read_reply(int fd, int timeout_ms)
{
    struct reply r = {.len = 0};
    uint8_t head[8], content[65536 + 256];
    while (!r.is_ended && read_exactly(fd, head, 8, timeout_ms)) {
        size_t len = (size_t)(head[4] << 8 | head[5]);
        if (!read_exactly(fd, content, len + head[6], timeout_ms))
            break;
        r.id = head[2] << 8 | head[3];
        r.is_ended = head[1] == 3;
        if (r.is_ended)
            r.protocol_status = content[4];
        if (head[1] == 6) {
            size_t room = r.len < sizeof r.data - 1 ? sizeof r.data - 1 - r.len : 0;
            memcpy(r.data + (room > 0 ? r.len : 0), content, len < room ? len : room);
            r.len += len;
        }
    }
    r.data[r.len < sizeof r.data ? r.len : sizeof r.data - 1] = '\0';
    return r;
}

/* Whether the other side closed, within the time. */
static inline bool
is_closed(int fd, int timeout_ms)
{
    char byte;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, timeout_ms) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static inline int
listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4096), 0);
    return fd;
}

static inline int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void
send_bytes(int fd, const struct bytes *b)
{
    assert_int_equal(send(fd, b->data, b->len, MSG_NOSIGNAL), b->len);
}

static inline void
send_request(int fd, int id, bool keep, const char *query)
{
    static struct bytes b;
    b.len = 0;
    add_request(&b, id, keep, query, "", 0, NULL);
    send_bytes(fd, &b);
}

#endif
