/* http.c: see http.h. One buffer for all that comes, because nearly every answer comes whole: ten thousand waiting connections
 * then cost the generator next to nothing beside the server that is measured. */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, ANSWER_MAX = 4 * 1024 * 1024, REQUEST_MAX = 8192, PER_ADDRESS = 10000 };

static int epoll, server_port, connection_count;
static char buffer[ANSWER_MAX + 1];

void
die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

int64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void
http_start(int port)
{
    server_port = port;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        die("no epoll: %s", strerror(errno));
}

struct connection *
http_connect(void (*on_answer)(struct connection *, const struct answer *), void *owner)
{
    struct connection *c = calloc(1, sizeof *c);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;
    if (!c)
        die("out of memory");
    c->on_answer = on_answer;
    c->owner = owner;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(connection_count++ / PER_ADDRESS));
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connection %d: %s", connection_count, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll: %s", strerror(errno));
    return c;
}

void
http_send(struct connection *c, const char *format, ...)
{
    static char request[REQUEST_MAX];
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(request, sizeof request, format, args);
    va_end(args);
    if (c->is_waiting || bytes < 0 || bytes >= REQUEST_MAX)
        die("a request too many or too long");
    c->is_waiting = true;
    c->sent_ns = now_ns();
    if (send(c->fd, request, (size_t)bytes, MSG_NOSIGNAL) != bytes)
        die("a request could not be sent: %s", strerror(errno));
}

/* The bytes of a whole answer at the start of `text`, with where its body begins; 0: not whole yet. */
static size_t
whole(const char *text, size_t bytes, size_t *body_at)
{
    const char *end = memmem(text, bytes, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *body_at = (size_t)(end - text) + 4;
    size_t length = 0;
    for (const char *line = text; line < end; line = (const char *)memchr(line, '\n', (size_t)(end + 4 - line)) + 1)
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtoul(line + 15, NULL, 10);
        else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0)
            die("an answer in chunks is not understood here");
    return bytes - *body_at >= length ? *body_at + length : 0;
}

static void
give(struct connection *c, size_t bytes, size_t body_at)
{
    struct answer answer = {.status = (int)strtol(buffer + sizeof "HTTP/1.1", NULL, 10),
        .head = buffer,
        .body = buffer + body_at};
    buffer[body_at - 1] = '\0';
    buffer[bytes] = '\0';
    c->is_waiting = false;
    c->on_answer(c, &answer);
}

static void
keep(struct connection *c, size_t bytes)
{
    c->part = realloc(c->part, bytes);
    if (!c->part)
        die("out of memory");
    memcpy(c->part, buffer, bytes);
    c->part_bytes = bytes;
}

static void
on_input(struct connection *c)
{
    size_t had = c->part_bytes, body_at;
    if (had > 0)
        memcpy(buffer, c->part, had);
    ssize_t got = recv(c->fd, buffer + had, ANSWER_MAX - had, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        die("the server closed a connection (%s)", got < 0 ? strerror(errno) : "in order");
    if (!c->is_waiting)
        die("the server sent what nobody had asked for");
    size_t bytes = whole(buffer, had + (size_t)got, &body_at);
    if (bytes == 0) {
        keep(c, had + (size_t)got);
        return;
    }
    free(c->part);
    c->part = NULL;
    c->part_bytes = 0;
    give(c, bytes, body_at);
}

void
http_run(int64_t until_ns, const bool *is_done)
{
    struct epoll_event events[EVENTS_MAX];
    while (!*is_done) {
        int64_t left_ns = until_ns - now_ns();
        if (left_ns <= 0)
            return;
        struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        int count = epoll_pwait2(epoll, events, EVENTS_MAX, &left, NULL);
        for (int i = 0; i < count; i++)
            on_input(events[i].data.ptr);
    }
}
