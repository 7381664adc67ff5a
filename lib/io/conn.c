/* conn.c: connections come from blocks of 64 and are used again, never freed: what was parked once is no higher next time.
 *
 * The heap gives exact deadlines at 8 bytes each; a wheel of lists was rejected, it wakes the process for every slot or is late.
 * The table grows by doubling when there are two for each bucket. */
#include "io/conn.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

enum { BLOCK_CONNS = 64, TABLE_FIRST = 256, HEAP_FIRST = 256 };

static_assert(sizeof(struct wait) == 48, "what a program may keep of a parked request");
static_assert(sizeof(struct conn) <= 96, "with its places in heap and table a parked request stays below 128 bytes");

static void *
must_realloc(void *memory, size_t count, size_t bytes)
{
    memory = reallocarray(memory, count, bytes);
    if (memory == NULL)
        log_fatal("out of memory: %zu objects of %zu bytes were asked for", count, bytes);
    return memory;
}

/* ── rings ── */

void
ring_init(struct ring *head)
{
    head->next = head->prev = head;
}

bool
ring_is_empty(const struct ring *head)
{
    return head->next == head;
}

void
ring_take(struct ring *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    ring_init(link);
}

void
ring_add(struct ring *head, struct ring *link)
{
    ring_take(link);
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* ── connections ── */

void
conns_init(struct conns *cs)
{
    *cs = (struct conns){.table_size = TABLE_FIRST, .heap_cap = HEAP_FIRST};
    ring_init(&cs->ready);
    ring_init(&cs->woken);
    ring_init(&cs->sending);
    ring_init(&cs->closed);
    ring_init(&cs->free);
    cs->heap = must_realloc(NULL, cs->heap_cap, sizeof *cs->heap);
    cs->table = must_realloc(NULL, cs->table_size, sizeof *cs->table);
    for (size_t i = 0; i < cs->table_size; i++)
        ring_init(&cs->table[i]);
}

void
conns_end(struct conns *cs)
{
    free(cs->heap);
    free(cs->table);
}

/* Blocks live as long as the process, like its loop; the chain keeps them known. */
static struct block {
    struct block *next;
    struct conn conns[BLOCK_CONNS];
} * blocks;

static void
add_block(struct conns *cs)
{
    struct block *block = must_realloc(NULL, 1, sizeof *block);
    block->next = blocks;
    blocks = block;
    for (size_t i = 0; i < BLOCK_CONNS; i++) {
        ring_init(&block->conns[i].ring);
        ring_add(&cs->free, &block->conns[i].ring);
    }
}

struct conn *
conn_new(struct conns *cs, int fd)
{
    if (ring_is_empty(&cs->free))
        add_block(cs);
    struct conn *conn = (struct conn *)cs->free.next;
    ring_take(&conn->ring);
    *conn = (struct conn){.fd = fd, .state = CONN_READING};
    ring_init(&conn->ring);
    cs->count++;
    return conn;
}

void
conn_close(struct conns *cs, struct conn *conn)
{
    assert(conn->state != CONN_CLOSED);
    if (conn->state == CONN_PARKED)
        conn_unpark(cs, conn);
    if (conn->state == CONN_SENDING)
        send_drop(conn->rest);
    if (conn->state == CONN_READING || conn->state == CONN_READY)
        inbox_drop(&conn->inbox);
    conn_due(cs, conn, 0);
    if (conn->fd >= 0)
        close(conn->fd);
    conn->state = CONN_CLOSED;
    ring_add(&cs->closed, &conn->ring);
    cs->count--;
}

void
conns_sweep(struct conns *cs)
{
    while (!ring_is_empty(&cs->closed))
        ring_add(&cs->free, cs->closed.next);
}

bool
conn_is_left(const struct conn *conn)
{
    struct pollfd look = {.fd = conn->fd}; /* a hang-up is told unasked */
    return poll(&look, 1, 0) == 1;
}

/* ── heap ── */

static void
heap_put(struct conns *cs, size_t at, struct conn *conn)
{
    cs->heap[at] = conn;
    conn->heap_at = (uint32_t)at;
}

/* Lets conn, which stands at `at`, move up and down to where it belongs. */
static void
heap_settle(struct conns *cs, size_t at, struct conn *conn)
{
    for (; at > 1 && cs->heap[at / 2]->due_ms > conn->due_ms; at /= 2)
        heap_put(cs, at, cs->heap[at / 2]);
    for (;;) {
        size_t below = at * 2;
        if (below < cs->heap_count && cs->heap[below + 1]->due_ms < cs->heap[below]->due_ms)
            below++;
        if (below > cs->heap_count || cs->heap[below]->due_ms >= conn->due_ms)
            break;
        heap_put(cs, at, cs->heap[below]);
        at = below;
    }
    heap_put(cs, at, conn);
}

static void
heap_remove(struct conns *cs, struct conn *conn)
{
    size_t at = conn->heap_at;
    struct conn *last = cs->heap[cs->heap_count--];
    conn->heap_at = 0;
    if (last != conn)
        heap_settle(cs, at, last);
}

void
conn_due(struct conns *cs, struct conn *conn, int64_t due_ms)
{
    conn->due_ms = due_ms;
    if (due_ms == 0) {
        if (conn->heap_at != 0)
            heap_remove(cs, conn);
        return;
    }
    if (conn->heap_at == 0) {
        if (cs->heap_count + 1 >= cs->heap_cap)
            cs->heap = must_realloc(cs->heap, cs->heap_cap *= 2, sizeof *cs->heap);
        heap_put(cs, ++cs->heap_count, conn);
    }
    heap_settle(cs, conn->heap_at, conn);
}

struct conn *
conns_first_due(const struct conns *cs)
{
    return cs->heap_count > 0 ? cs->heap[1] : NULL;
}

/* ── table ── */

struct ring *
conns_bucket(struct conns *cs, int64_t key)
{
    uint64_t mixed = (uint64_t)key * 0x9e3779b97f4a7c15u; /* Fibonacci hashing: keys are often consecutive */
    return &cs->table[(mixed >> 32) & (cs->table_size - 1)];
}

static void
grow_table(struct conns *cs)
{
    struct ring *old = cs->table;
    size_t old_size = cs->table_size;
    cs->table_size *= 2;
    cs->table = must_realloc(NULL, cs->table_size, sizeof *cs->table);
    for (size_t i = 0; i < cs->table_size; i++)
        ring_init(&cs->table[i]);
    for (size_t i = 0; i < old_size; i++)
        while (!ring_is_empty(&old[i])) {
            struct conn *conn = (struct conn *)old[i].next;
            ring_add(conns_bucket(cs, conn->wait.key), &conn->ring);
        }
    free(old);
}

void
conn_park(struct conns *cs, struct conn *conn)
{
    if (cs->parked >= cs->table_size * 2)
        grow_table(cs);
    conn->state = CONN_PARKED;
    cs->parked++;
    ring_add(conns_bucket(cs, conn->wait.key), &conn->ring);
}

void
conn_unpark(struct conns *cs, struct conn *conn)
{
    assert(conn->state == CONN_PARKED);
    ring_take(&conn->ring);
    cs->parked--;
}

/* ── how many ── */

size_t
conns_most(size_t spare)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024 - spare;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 2 * spare ? limit.rlim_cur - spare : limit.rlim_cur / 2;
}
