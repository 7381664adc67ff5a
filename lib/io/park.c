/* park.c: requests that wait for news. A parked request is a struct conn and nothing else; what it needs to be answered is made
 * again when it is woken.
 *
 * Nothing is missed between a program's look at the database and its being parked: both happen in one thread, and news() is
 * asked afterwards from where it stood before. One news() for all that changed and a table by key, instead of asking for each
 * waiter, so that ten thousand who wait cost nothing while others write.
 *
 * Woken requests are taken in slices: a message to nine hundred must not keep new requests waiting until the last has it, nor
 * one to few whose pages are long. Rejected: slices of time, which are others under every load.
 *
 * A process in which nobody waits does not listen to the bell: of the programs that hold, most messages concern one, and waking
 * the others for each took them from the processor just when that one needed it. */
#include "io/loop.h"

#include <stdlib.h>
#include <string.h>

#include <sys/epoll.h>

#include "base/log.h"
#include "io/bell.h"
#include "io/db.h"
#include "io/seat.h"

/* ── what is kept ── */

static uint16_t
host_keep(struct loop *loop, const char *name)
{
    uint16_t empty = 0;
    if (!host_is_valid(name))
        return 0;
    for (uint16_t i = 1; i < LOOP_HOSTS_MAX; i++) {
        struct host *host = &loop->hosts[i];
        if (host->used > 0 && strcmp(host->name, name) == 0) {
            host->used++;
            return i;
        }
        if (host->used == 0)
            empty = i;
    }
    if (empty == 0) /* over sixty names at once: then links are made without a host */
        return 0;
    loop->hosts[empty].name = strdup(name);
    loop->hosts[empty].used = loop->hosts[empty].name != NULL;
    return loop->hosts[empty].used ? empty : 0;
}

void
park_forget(struct loop *loop, struct conn *conn)
{
    struct host *host = &loop->hosts[conn->host];
    if (conn->host != 0 && --host->used == 0) {
        free(host->name);
        host->name = NULL;
    }
    conn->host = 0;
}

static uint8_t
traits_of(const struct request *r)
{
    return (uint8_t)((r->is_https ? TRAIT_HTTPS : 0) | (r->is_json_wanted ? TRAIT_JSON : 0) |
                     (r->is_page_wanted ? TRAIT_PAGE : 0) | (r->is_xml_wanted ? TRAIT_XML : 0) |
                     (strcmp(r->method, "HEAD") == 0 ? TRAIT_HEAD : 0) | (strcmp(r->method, "POST") == 0 ? TRAIT_POST : 0));
}

static void
restore(const struct loop *loop, const struct conn *conn, struct request *r)
{
    const char *host = loop->hosts[conn->host].name;
    r->host = host == NULL ? "" : arena_strdup(r->c->mem, host);
    r->is_https = conn->traits & TRAIT_HTTPS;
    r->is_json_wanted = conn->traits & TRAIT_JSON;
    r->is_page_wanted = conn->traits & TRAIT_PAGE;
    r->is_xml_wanted = conn->traits & TRAIT_XML;
    r->method = conn->traits & TRAIT_HEAD ? "HEAD" : conn->traits & TRAIT_POST ? "POST" : "GET";
    r->wait = conn->wait;
}

static void
put(struct loop *loop, struct conn *conn, const struct wait *wait)
{
    conn->wait = *wait;
    conn_park(&loop->conns, conn);
    conn_due(&loop->conns, conn, wait->deadline_ms > 0 ? wait->deadline_ms : 1);
    if (loop->is_stopping)
        park_wake(loop, conn);
}

void
park_add(struct loop *loop, struct conn *conn, const struct request *r)
{
    struct wait wait = r->wait;
    wait.parked_ms = loop->now_ms;
    conn->host = host_keep(loop, r->host);
    conn->traits = traits_of(r);
    put(loop, conn, &wait);
    loop_watch(loop, conn, false);
}

/* ── waking ── */

void
park_wake(struct loop *loop, struct conn *conn)
{
    conn_unpark(&loop->conns, conn);
    conn_due(&loop->conns, conn, 0);
    conn->state = CONN_WOKEN;
    ring_add(&loop->conns.woken, &conn->ring);
}

void
park_wake_all(struct loop *loop)
{
    for (size_t i = 0; i < loop->conns.table_size; i++)
        while (!ring_is_empty(&loop->conns.table[i]))
            park_wake(loop, (struct conn *)loop->conns.table[i].next);
}

static void
wake_key(struct loop *loop, int64_t key)
{
    struct ring *bucket = conns_bucket(&loop->conns, key), *next;
    for (struct ring *at = bucket->next; at != bucket; at = next) {
        struct conn *conn = (struct conn *)at;
        next = at->next;
        if (conn->wait.key == key)
            park_wake(loop, conn);
    }
}

/* A request for what the loop itself asks the program. */
static struct request *
begin(struct loop *loop, struct job *job)
{
    job_begin(job);
    job->r = request_new(loop->service, &loop->process, job->mem);
    return job->r;
}

static void
ask_news(struct loop *loop)
{
    struct job job;
    struct center *c = begin(loop, &job)->c;
    loop->news.count = loop->news.cap = 0;
    loop->news.places_changed = false;
    db_read_begin(loop->process.db);
    if (loop->service->hold->news(c, &loop->news) == OK) {
        if (!loop->is_news_known) /* who was parked before may have missed something */
            park_wake_all(loop);
        loop->is_news_known = true;
        loop->are_places_due |= loop->news.places_changed;
    }
    db_read_end(loop->process.db);
    for (size_t i = 0; i < loop->news.count; i++)
        wake_key(loop, loop->news.keys[i]);
    loop->news.keys = NULL;
    job_end(&job);
}

void
park_expect(struct loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop->bell};
    if (!loop->is_deaf)
        return;
    loop->is_deaf = false;
    if (loop->bell >= 0)
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->bell, &event);
    ask_news(loop);
}

static void
be_deaf(struct loop *loop)
{
    if (!loop->is_deaf && loop->bell >= 0)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->bell, NULL);
    loop->is_deaf = true;
    loop->news = (struct news){.is_begun = false};
    loop->is_news_known = loop->are_places_due = false;
}

/* Whoever moved up, unless he was told a moment ago: then the question stays open. */
static void
wake_moved(struct loop *loop, int64_t key, int32_t place)
{
    struct ring *bucket = conns_bucket(&loop->conns, key), *next;
    for (struct ring *at = bucket->next; at != bucket; at = next) {
        struct conn *conn = (struct conn *)at;
        next = at->next;
        if (conn->wait.key != key || place >= conn->wait.place)
            continue;
        if (loop->now_ms - conn->wait.parked_ms >= LOOP_PLACE_MS)
            park_wake(loop, conn);
        else
            loop->are_places_due = true;
    }
}

static void
ask_places(struct loop *loop)
{
    struct job job;
    struct places places = {0};
    struct center *c = begin(loop, &job)->c;
    if (loop->service->hold->places(c, &places) == OK) {
        loop->are_places_due = false;
        for (size_t i = 0; i < places.count; i++)
            wake_moved(loop, places.items[i].key, places.items[i].place);
    }
    job_end(&job);
}

static void
tick(struct loop *loop)
{
    const struct hold *hold = loop->service->hold;
    struct job job;
    loop->tick_ms = loop->now_ms + LOOP_TICK_MS;
    if (hold->tick != NULL) {
        enum err err = hold->tick(begin(loop, &job)->c);
        job_end(&job);
        if (err != OK)
            log_warn("what was due could not be done: %s", err_code(err));
    }
    if (loop->conns.parked == 0 && ring_is_empty(&loop->conns.woken)) {
        be_deaf(loop);
        return;
    }
    ask_news(loop);
    if (hold->places != NULL && loop->are_places_due)
        ask_places(loop);
}

/* Gives the bytes that it was answered with. */
static size_t
look_at(struct loop *loop, struct conn *conn)
{
    struct job job;
    struct request *r = begin(loop, &job);
    restore(loop, conn, r);
    ring_take(&conn->ring);
    job_wake(&job, loop->is_stopping || loop->now_ms >= conn->wait.deadline_ms);
    if (r->is_held) {
        put(loop, conn, &r->wait);
    } else {
        park_forget(loop, conn);
        loop_answer(loop, conn, &job);
    }
    size_t bytes = job.answer.bytes.len;
    job_end(&job);
    return bytes;
}

static void
look_at_some(struct loop *loop)
{
    size_t bytes = 0;
    db_read_begin(loop->process.db);
    for (int i = 0; i < LOOP_WAKE_MAX && bytes < LOOP_TURN_BYTES && !ring_is_empty(&loop->conns.woken); i++)
        bytes += look_at(loop, (struct conn *)loop->conns.woken.next);
    db_read_end(loop->process.db);
}

void
park_start(struct loop *loop)
{
    loop->bell = bell_listen(db_folder(loop->process.db));
    if (loop->bell < 0)
        log_warn("the bell cannot be heard: news come up to a second late");
    loop->is_deaf = true;
    tick(loop);
}

void
park_turn(struct loop *loop)
{
    if (loop->is_rung)
        bell_heard(loop->bell, db_folder(loop->process.db));
    if (loop->now_ms >= loop->tick_ms)
        tick(loop);
    else if (loop->is_rung)
        ask_news(loop);
    loop->is_rung = false;
    if (!ring_is_empty(&loop->conns.woken))
        look_at_some(loop);
    if (loop->conns.parked == 0 && ring_is_empty(&loop->conns.woken))
        seat_leave();
}
