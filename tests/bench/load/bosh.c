/* bosh.c: a Jabber server's web clients (XEP-0124, XEP-0206): anonymous sessions that long-poll. A session takes six requests to
 * make; then an empty body waits, and a message is sent in a body of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define HOST "bench.localhost"
#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' rid='%ld' "

/* A server may hold the first of two requests: who posts has a second connection for the next one. */
struct session {
    struct connection *main, *other;
    int64_t rid;
    int step;
    char sid[128];
    char jid[256];
    int64_t full_ns; /* when the post was sent after which both connections waited; 0: one is free */
    void (*done)(struct session *);
    void *owner;
};

static void
send_body(struct session *s, struct connection *c, const char *attributes, const char *inside)
{
    char body[4096];
    int bytes = s->sid[0] ? snprintf(body, sizeof body, BODY "sid='%s' %s>%s</body>", (long)s->rid, s->sid, attributes, inside)
                          : snprintf(body, sizeof body, BODY "%s>%s</body>", (long)s->rid, attributes, inside);
    s->rid++;
    http_send(c, "POST /http-bind HTTP/1.1\r\nHost: " HOST "\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", bytes,
        body);
}

/* The value of name='…' or name="…". */
static void
copy_attribute(const char *body, const char *name, char *out, size_t room)
{
    const char *at = body;
    size_t length = strlen(name);
    while ((at = strstr(at, name)) != NULL && !(at[length] == '=' && (at[-1] == ' ')))
        at += length;
    if (!at)
        die("the session has no %s: %.400s", name, body);
    at += length + 1;
    snprintf(out, room, "%.*s", (int)strcspn(at + 1, at[0] == '\'' ? "'" : "\""), at + 1);
}

static void
copy_jid(const char *body, char *out, size_t room)
{
    const char *at = strstr(body, "<jid>");
    if (!at)
        die("no Jabber id: %.400s", body);
    snprintf(out, room, "%.*s", (int)strcspn(at + 5, "<"), at + 5);
}

static void
on_step(struct connection *c, const struct answer *a)
{
    struct session *s = c->owner;
    if (a->status != 200)
        die("a session was answered with %d: %.300s", a->status, a->body);
    switch (s->step++) {
    case 0:
        copy_attribute(a->body, "sid", s->sid, sizeof s->sid);
        send_body(s, c, "", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
        return;
    case 1:
        if (!strstr(a->body, "success")) { /* the features came by themselves */
            s->step--;
            send_body(s, c, "", "");
            return;
        }
        send_body(s, c, "xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh' to='" HOST "' xml:lang='en'", "");
        return;
    case 2:
        send_body(s, c, "", "<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        return;
    case 3:
        copy_jid(a->body, s->jid, sizeof s->jid);
        send_body(s, c, "",
            "<iq type='set' id='s' xmlns='jabber:client'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
        return;
    default:
        s->done(s);
    }
}

static struct session *
begin(struct connection *c, void (*done)(struct session *), void *owner)
{
    static int64_t first_rid = 1000000;
    struct session *s = calloc(1, sizeof *s);
    s->main = c;
    s->rid = first_rid += 1000000;
    s->done = done;
    s->owner = owner;
    c->on_answer = on_step;
    c->owner = s;
    send_body(s, c, "to='" HOST "' wait='60' hold='1' ver='1.6' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'",
        "");
    return s;
}

static void
session_waits(struct session *s)
{
    struct waiter *w = s->owner;
    w->channel->conf = s->jid;
    waiter_ready(w);
}

static void
prepare(struct waiter *w)
{
    w->own = begin(w->connection, session_waits, w);
}

static void
poll(struct waiter *w)
{
    send_body(w->own, w->connection, "", "");
}

static void
answered(struct waiter *w, const struct answer *a)
{
    (void)w;
    if (strstr(a->body, "type='terminate'") || strstr(a->body, "type=\"terminate\""))
        die("the server ended a session: %.300s", a->body);
}

static void
session_posts(struct session *s)
{
    struct poster *p = s->owner;
    p->own = s;
    poster_ready(p);
}

static void
prepare_poster(struct poster *p)
{
    struct session *s = begin(p->connection, session_posts, p);
    s->other = http_connect(NULL, NULL);
}

static void
on_free(struct connection *c, const struct answer *a)
{
    struct session *s = c->owner;
    int64_t sent_ns = s->full_ns;
    (void)a;
    s->full_ns = 0;
    if (sent_ns)
        post_taken(s->owner, sent_ns);
}

/* The server holds each request until the next one comes: the two connections take turns, and one of them has to be free. */
static void
post(struct poster *p, const struct channel *to, int64_t now)
{
    struct session *s = p->own;
    char message[512];
    struct connection *c = s->main->is_waiting ? s->other : s->main;
    c->on_answer = on_free;
    c->owner = s;
    snprintf(message, sizeof message, "<message xmlns='jabber:client' to='%s' type='chat'><body>" MARK "%ld@</body></message>",
        to->conf, (long)now);
    send_body(s, c, "", message);
    if (s->main->is_waiting && s->other->is_waiting)
        s->full_ns = now;
    else
        post_taken(p, now);
}

const struct kind bosh_kind = {.prepare = prepare,
    .poll = poll,
    .answered = answered,
    .prepare_poster = prepare_poster,
    .post = post};
