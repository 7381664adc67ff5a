/* What the loop does with parked requests, with a clock that the test sets: places, failing news, slices, hosts. */
#include "records.h"

#include <sys/epoll.h>

#include "io/loop.h"
#include "io/settings.h"

static const struct settings settings = {.instance = "rt", .pages_dir = "/nowhere", .public_url = ""};
static int64_t news_keys[1000];
static size_t news_count;
static bool news_fail, places_moved;
static struct place places_now[4];
static size_t places_count;
static int news_calls, places_calls, wake_calls, late_calls, tick_calls;
static bool has_answer;
static const char *long_text; /* in the answer as well; NULL: null */

static enum err
news(struct center *c, struct news *n)
{
    news_calls++;
    if (news_fail)
        return ERR_UNAVAILABLE;
    for (size_t i = 0; i < news_count; i++)
        news_add(c, n, news_keys[i]);
    n->cursor = 1;
    n->places_changed = places_moved;
    return OK;
}

static enum err
wake(struct request *r, struct wait *wait, bool is_late)
{
    wake_calls++;
    late_calls += is_late;
    wait->after++;
    if (has_answer || is_late) {
        r->is_held = false;
        value_add_text(r->out, "origin", request_origin(r));
        value_add_int(r->out, "after", wait->after);
        value_add_text(r->out, "more", long_text);
    }
    return OK;
}

static enum err
places(struct center *c, struct places *out)
{
    (void)c;
    places_calls++;
    *out = (struct places){places_count, places_now};
    return OK;
}

static enum err
tick(struct center *c)
{
    (void)c;
    tick_calls++;
    return OK;
}

static const struct hold hold = {.news = news, .wake = wake, .places = places, .tick = tick};
static const struct service service_held = {.methods = METHOD_GET, .mode = HOLD, .hold = &hold};

static struct loop *loop;

static int
setup(void **state)
{
    unit_setup(state);
    news_count = places_count = 0;
    news_fail = places_moved = has_answer = false;
    long_text = NULL;
    news_calls = places_calls = wake_calls = late_calls = tick_calls = 0;
    loop = calloc(1, sizeof *loop);
    *loop = (struct loop){.service = &service_held,
        .process.settings = &settings,
        .bell = -1,
        .listen_fd = -1,
        .epoll = epoll_create1(0),
        .now_ms = 1000000,
        .is_news_known = true};
    loop->tick_ms = loop->now_ms + 1000;
    conns_init(&loop->conns);
    return 0;
}

static int
teardown(void **state)
{
    close(loop->epoll);
    free(loop->conns.heap);
    free(loop->conns.table);
    free(loop);
    return unit_teardown(state);
}

/* A request parked for key; returns the client's end. */
static int
park(struct arena *mem, int64_t key, int32_t place, const char *host)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct conn *conn = conn_new(&loop->conns, ends[1]);
    struct request *r = request_new(&service_held, &loop->process, mem);
    r->host = host;
    r->wait = (struct wait){.key = key, .place = place, .deadline_ms = loop->now_ms + 100000};
    conn->request_id = 1;
    park_add(loop, conn, r);
    return ends[0];
}

static void
pass(int64_t ms)
{
    loop->now_ms += ms;
    park_turn(loop);
    conns_sweep(&loop->conns);
}

/* ── */

static void
a_better_place_ends_a_wait_only_after_15_s(void **state)
{
    int front = park(*state, 7, 2, ""), back = park(*state, 8, 5, ""), outside = park(*state, 9, 0, "");
    has_answer = places_moved = true;
    places_now[0] = (struct place){7, 1};
    places_now[1] = (struct place){8, 5};
    places_now[2] = (struct place){9, 3};
    places_count = 3;
    pass(1000);
    assert_int_equal(places_calls, 1);
    places_moved = false; /* nothing moves any more, but the question is still open */
    for (int i = 0; i < 13; i++)
        pass(1000);
    assert_int_equal(wake_calls, 0);
    assert_int_equal(places_calls, 14);
    pass(1000);
    assert_int_equal(wake_calls, 1);
    struct reply reply = read_reply(front, 1000);
    assert_true(reply.is_ended);
    pass(1000);
    assert_int_equal(places_calls, 15);
    assert_int_equal(wake_calls, 1);
    close(front);
    close(back);
    close(outside);
}

static void
places_are_not_asked_when_nobody_waits_or_nothing_moved(void **state)
{
    pass(1000);
    assert_int_equal(places_calls, 0);
    int fd = park(*state, 7, 2, "");
    pass(1000);
    assert_int_equal(places_calls, 0);
    assert_int_equal(tick_calls, 2);
    close(fd);
}

static void
while_nobody_waits_news_are_not_asked_for_and_nothing_is_missed_afterwards(void **state)
{
    int bell[2];
    assert_int_equal(pipe(bell), 0);
    loop->bell = bell[0];
    loop->is_deaf = false;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop->bell};
    assert_int_equal(epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->bell, &event), 0);
    pass(1000);
    pass(1000);
    assert_true(loop->is_deaf && tick_calls == 2 && news_calls == 0);
    assert_int_equal(write(bell[1], "x", 1), 1);
    assert_int_equal(epoll_wait(loop->epoll, &event, 1, 0), 0);
    park_expect(loop); /* as before each turn's requests: the cursor is taken before they look */
    assert_int_equal(news_calls, 1);
    int fd = park(*state, 7, 0, "");
    assert_int_equal(epoll_wait(loop->epoll, &event, 1, 0), 1); /* what rang meanwhile is still there */
    park_expect(loop);
    assert_int_equal(news_calls, 1);
    pass(1000);
    assert_true(!loop->is_deaf && news_calls == 2);
    close(fd);
    close(bell[0]);
    close(bell[1]);
}

static void
a_waiter_without_news_for_him_goes_on_with_what_he_learned(void **state)
{
    int fd = park(*state, 7, 0, "");
    news_keys[0] = 7;
    news_count = 1;
    loop->bell = -1;
    for (int i = 0; i < 3; i++)
        pass(1000);
    assert_int_equal(wake_calls, 3);
    assert_int_equal(loop->conns.parked, 1);
    has_answer = true;
    pass(1000);
    struct reply reply = read_reply(fd, 1000);
    assert_non_null(strstr(reply.data, "\"after\":4"));
    assert_int_equal(loop->conns.parked, 0);
    close(fd);
}

static void
who_was_parked_before_the_first_news_is_looked_at_when_they_are_known(void **state)
{
    loop->is_news_known = false;
    news_fail = true;
    int fd = park(*state, 7, 0, "");
    pass(1000);
    pass(1000);
    assert_int_equal(wake_calls, 0);
    news_fail = false;
    pass(1000);
    assert_int_equal(wake_calls, 1);
    pass(1000);
    assert_int_equal(wake_calls, 1);
    close(fd);
}

static void
many_who_are_woken_are_taken_in_slices(void **state)
{
    enum { WAITERS = 2 * LOOP_WAKE_MAX + 10 };
    int fds[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        fds[i] = park(*state, 7, 0, "");
    news_keys[0] = 7;
    news_count = 1;
    has_answer = true;
    pass(1000);
    assert_int_equal(wake_calls, LOOP_WAKE_MAX);
    news_count = 0;
    pass(0);
    assert_int_equal(wake_calls, 2 * LOOP_WAKE_MAX);
    pass(0);
    assert_int_equal(wake_calls, WAITERS);
    for (int i = 0; i < WAITERS; i++) {
        struct reply reply = read_reply(fds[i], 1000);
        assert_true(reply.is_ended);
        close(fds[i]);
    }
}

static void
long_answers_make_slices_short(void **state)
{
    enum { WAITERS = 20, CHARS = 60000, IN_SLICE = LOOP_TURN_BYTES / CHARS + 1 };
    int fds[WAITERS];
    char *text = arena_alloc(*state, CHARS + 1);
    memset(text, 'x', CHARS);
    for (int i = 0; i < WAITERS; i++)
        fds[i] = park(*state, 7, 0, "");
    news_keys[0] = 7;
    news_count = 1;
    has_answer = true;
    long_text = text;
    pass(1000);
    assert_int_equal(wake_calls, IN_SLICE);
    news_count = 0;
    pass(0);
    assert_int_equal(wake_calls, 2 * IN_SLICE);
    pass(0);
    assert_int_equal(wake_calls, WAITERS);
    for (int i = 0; i < WAITERS; i++)
        close(fds[i]);
}

static void
hosts_are_kept_while_someone_waits_and_a_flood_of_them_harms_nobody(void **state)
{
    int fds[200], known = park(*state, 7, 0, "shop.example"), wrong = park(*state, 7, 0, "a b");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++)
            fds[i] = park(*state, 1000 + i, 0, arena_printf(*state, "h%d-%d.example", round, i));
        news_count = 200;
        for (int i = 0; i < 200; i++)
            news_keys[i] = 1000 + i;
        has_answer = true;
        pass(1000);
        int with_host = 0;
        for (int i = 0; i < 200; i++) {
            struct reply reply = read_reply(fds[i], 1000);
            bool is_own = strstr(reply.data, arena_printf(*state, "\"http://h%d-%d.example\"", round, i)) != NULL;
            CHECK(reply.is_ended && (is_own || strstr(reply.data, "\"origin\":\"\"") != NULL), "%d: %s", i, reply.data);
            with_host += is_own;
            close(fds[i]);
        }
        assert_int_equal(with_host, LOOP_HOSTS_MAX - 2); /* 0 is none, one is in use */
    }
    news_keys[0] = 7;
    news_count = 1;
    pass(1000);
    struct reply reply = read_reply(known, 1000);
    assert_non_null(strstr(reply.data, "\"http://shop.example\""));
    reply = read_reply(wrong, 1000);
    assert_non_null(strstr(reply.data, "\"origin\":\"\""));
    for (int i = 0; i < LOOP_HOSTS_MAX; i++)
        assert_null(loop->hosts[i].name);
    close(known);
    close(wrong);
}

/* ── the structures below ── */

static void
the_heap_gives_the_earliest_first_whatever_is_changed_in_between(void **state)
{
    enum { CONNS = 3000 };
    static struct conn *conns[CONNS];
    unsigned seed = 1;
    (void)state;
    for (int i = 0; i < CONNS; i++)
        conns[i] = conn_new(&loop->conns, -1);
    for (int i = 0; i < 3 * CONNS; i++) {
        seed = seed * 1103515245 + 12345;
        conn_due(&loop->conns, conns[i % CONNS], seed >> 16 & 1 ? 1 + (seed >> 17) : 0);
    }
    int64_t last = 0;
    size_t expected = 0, count = 0;
    for (int i = 0; i < CONNS; i++)
        expected += conns[i]->heap_at != 0;
    for (struct conn *conn; (conn = conns_first_due(&loop->conns)) != NULL; count++) {
        assert_true(conn->due_ms >= last);
        last = conn->due_ms;
        conn_due(&loop->conns, conn, 0);
    }
    assert_int_equal(count, expected);
    assert_true(expected > CONNS / 3);
}

static void
the_table_finds_everyone_by_key_while_it_grows_and_shrinks(void **state)
{
    enum { CONNS = 5000 };
    static struct conn *conns[CONNS];
    (void)state;
    for (int i = 0; i < CONNS; i++) {
        conns[i] = conn_new(&loop->conns, -1);
        conns[i]->wait.key = i * 1000003LL;
        conn_park(&loop->conns, conns[i]);
    }
    for (int i = 0; i < CONNS; i += 2)
        conn_close(&loop->conns, conns[i]);
    assert_int_equal(loop->conns.parked, CONNS / 2);
    assert_int_equal(loop->conns.count, CONNS / 2);
    for (int i = 0; i < CONNS; i++) {
        struct ring *bucket = conns_bucket(&loop->conns, i * 1000003LL);
        int found = 0;
        for (struct ring *at = bucket->next; at != bucket; at = at->next)
            found += at == &conns[i]->ring;
        assert_int_equal(found, i % 2);
    }
    conns_sweep(&loop->conns);
    bool is_used_again = false;
    for (int i = 0; i < 64; i++) /* what is left of the last block comes first */
        is_used_again |= conn_new(&loop->conns, -1) == conns[0];
    assert_true(is_used_again);
}

#define PARK(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PARK(a_better_place_ends_a_wait_only_after_15_s),
        PARK(places_are_not_asked_when_nobody_waits_or_nothing_moved),
        PARK(while_nobody_waits_news_are_not_asked_for_and_nothing_is_missed_afterwards),
        PARK(a_waiter_without_news_for_him_goes_on_with_what_he_learned),
        PARK(who_was_parked_before_the_first_news_is_looked_at_when_they_are_known),
        PARK(many_who_are_woken_are_taken_in_slices),
        PARK(long_answers_make_slices_short),
        PARK(hosts_are_kept_while_someone_waits_and_a_flood_of_them_harms_nobody),
        PARK(the_heap_gives_the_earliest_first_whatever_is_changed_in_between),
        PARK(the_table_finds_everyone_by_key_while_it_grows_and_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
