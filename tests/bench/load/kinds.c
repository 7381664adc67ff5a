/* kinds.c: how one waits and posts at rtcc, at nchan and in fossil's chat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static void
ready_at_once(struct waiter *w)
{
    waiter_ready(w);
}

static void
on_post(struct connection *c, const struct answer *a)
{
    if (a->status / 100 != 2)
        die("a post was answered with %d: %.300s", a->status, a->body);
    post_taken(c->owner, c->sent_ns);
}

static void
poster_ready_at_once(struct poster *p)
{
    p->connection->on_answer = on_post;
    poster_ready(p);
}

/* ── rtcc ── */

static void
rtcc_poll(struct waiter *w)
{
    http_send(w->connection,
        "GET /cgi_bin/conf_poll?conf=%s&token=%s&after=%ld&wait=25 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n",
        w->channel->conf, w->token, (long)w->cursor);
}

static void
rtcc_answered(struct waiter *w, const struct answer *a)
{
    const char *after = strstr(a->body, "\"after\":");
    if (!after)
        die("a poll's answer has no cursor: %.300s", a->body);
    w->cursor = strtol(after + 8, NULL, 10);
}

static void
rtcc_post(struct poster *p, const struct channel *to, int64_t now)
{
    static int64_t nonce;
    char body[512];
    int bytes = snprintf(body, sizeof body, "conf=%s&token=%s&kind=message&nonce=%ld&text=" MARK "%ld@", to->conf, to->token,
        (long)(now + nonce++), (long)now);
    http_send(p->connection,
        "POST /cgi_bin/conf_post HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
        bytes, body);
}

const struct kind rtcc_kind = {.prepare = ready_at_once,
    .poll = rtcc_poll,
    .answered = rtcc_answered,
    .prepare_poster = poster_ready_at_once,
    .post = rtcc_post};

/* ── nchan: a message's time and tag are the cursor ── */

struct nchan_cursor {
    char time[64];
    char tag[64];
};

static void
nchan_poll(struct waiter *w)
{
    struct nchan_cursor *at = w->own;
    if (!at)
        http_send(w->connection, "GET /sub/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", w->channel->conf);
    else
        http_send(w->connection, "GET /sub/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-Modified-Since: %s\r\nIf-None-Match: %s\r\n\r\n",
            w->channel->conf, at->time, at->tag);
}

static void
copy_header(const char *head, const char *name, char out[64])
{
    const char *line = strcasestr(head, name);
    if (!line)
        die("an answer of nchan has no %s", name);
    line += strlen(name);
    line += strspn(line, ": ");
    snprintf(out, 64, "%.*s", (int)strcspn(line, "\r\n"), line);
}

static void
nchan_answered(struct waiter *w, const struct answer *a)
{
    if (a->status != 200)
        return; /* the wait is over: the same again */
    if (!w->own)
        w->own = calloc(1, sizeof(struct nchan_cursor));
    struct nchan_cursor *at = w->own;
    copy_header(a->head, "\nLast-Modified", at->time);
    copy_header(a->head, "\nEtag", at->tag);
}

static void
nchan_post(struct poster *p, const struct channel *to, int64_t now)
{
    char body[64];
    int bytes = snprintf(body, sizeof body, MARK "%ld@", (long)now);
    http_send(p->connection, "POST /pub/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s", to->conf, bytes, body);
}

const struct kind nchan_kind = {.prepare = ready_at_once,
    .poll = nchan_poll,
    .answered = nchan_answered,
    .prepare_poster = poster_ready_at_once,
    .post = nchan_post};

/* ── fossil: one room for all; the last message's number is the cursor ── */

static void
fossil_poll(struct waiter *w)
{
    http_send(w->connection, "GET /chat-poll?name=%ld HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (long)w->cursor);
}

static void
fossil_answered(struct waiter *w, const struct answer *a)
{
    for (const char *at = a->body; (at = strstr(at, "\"msgid\":")) != NULL;) {
        at += sizeof "\"msgid\":" - 1;
        w->cursor = strtol(at, NULL, 10);
    }
}

static void
fossil_post(struct poster *p, const struct channel *to, int64_t now)
{
    char body[64];
    (void)to;
    int bytes = snprintf(body, sizeof body, "msg=" MARK "%ld@", (long)now);
    http_send(p->connection,
        "POST /chat-send HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: %d\r\n\r\n%s",
        bytes, body);
}

const struct kind fossil_kind = {.prepare = ready_at_once,
    .poll = fossil_poll,
    .answered = fossil_answered,
    .prepare_poster = poster_ready_at_once,
    .post = fossil_post};
