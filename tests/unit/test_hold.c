/* The HOLD loop from outside: who waits is told once, whatever happens meanwhile, and waiting costs next to nothing. */
#include "server.h"

enum { KEY, AFTER, WAIT_MS, SIZE, STOP };

static const struct param params[] = {
    [KEY] = {"key", PARAM_INT, true, 0, 1000000, "whose events"},
    [AFTER] = {"after", PARAM_INT, false, 0, 1000000, "the last event that was seen"},
    [WAIT_MS] = {"wait", PARAM_INT, false, 0, 60000, "how long"},
    [SIZE] = {"size", PARAM_INT, false, 0, 100000, "so many bytes more in the answer"},
    [STOP] = {"stop", PARAM_INT, false, 0, 1, "answered when the test says so"},
    {.name = NULL},
};

/* Fills the events of key after `after`; true if there are any. */
static bool
fill(struct request *r, int64_t key, int64_t after)
{
    struct value *ids = value_add_list(r->out, "ids");
    int64_t last = world->last;
    for (int64_t id = after + 1; id <= last; id++)
        if (world->keys[id] == key)
            value_add_int(ids, NULL, id);
    value_add_int(r->out, "key", key);
    value_add_int(r->out, "after", last);
    value_add_text(r->out, "origin", request_origin(r));
    return ids->first != NULL;
}

static enum err
answer(struct request *r)
{
    int64_t key = r->args[KEY].number, after = r->args[AFTER].number;
    struct wait wait = {.key = key, .after = after, .deadline_ms = r->c->boot_ms + r->args[WAIT_MS].number};
    world->answer_calls++;
    while (r->args[STOP].number && world->is_stopped)
        usleep(1000);
    if (r->args[SIZE].number) {
        char *more = arena_alloc(r->c->mem, (size_t)r->args[SIZE].number + 1);
        memset(more, 'x', (size_t)r->args[SIZE].number);
        more[r->args[SIZE].number] = '\0';
        value_add_text(r->out, "more", more);
    }
    if (fill(r, key, after) || r->args[WAIT_MS].number == 0)
        return OK;
    return request_hold(r, &wait);
}

static enum err
wake(struct request *r, struct wait *wait, bool is_late)
{
    if (world->wake_calls++ == 0)
        world->answers_before_wake = world->answer_calls;
    if (fill(r, wait->key, wait->after) || is_late)
        r->is_held = false;
    return OK;
}

static enum err
news(struct center *c, struct news *n)
{
    int64_t last = world->last;
    world->news_calls++;
    for (int64_t id = n->cursor + 1; n->cursor > 0 && id <= last; id++)
        news_add(c, n, world->keys[id]);
    n->cursor = last;
    return OK;
}

static const struct hold hold = {.news = news, .wake = wake};
static const struct service service_held = {.name = "held",
    .methods = METHOD_GET,
    .mode = HOLD,
    .format = FORMAT_JSON,
    .params = params,
    .answer = answer,
    .hold = &hold};

static int
ask_for(const struct server *server, const char *query)
{
    int fd = connect_to(server->path);
    send_request(fd, 1, true, query);
    return fd;
}

static int
ask(const struct server *server, int64_t key, int64_t after, int wait_ms)
{
    char query[80];
    snprintf(query, sizeof query, "key=%lld&after=%lld&wait=%d", (long long)key, (long long)after, wait_ms);
    return ask_for(server, query);
}

static bool
says(const struct reply *reply, const char *part)
{
    return reply->is_ended && strstr(reply->data, part) != NULL;
}

/* ── */

/* How many can wait at once here: ten thousand, unless the system gives a process fewer descriptors. */
static int
most_waiters(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_max < 10200 ? (int)limit.rlim_max - 200 : 10000;
}

static void
each_hears_once(const struct server *server, const int *fds, int count)
{
    int64_t wakes = world->wake_calls;
    for (int i = 0; i < count; i++)
        happen(1000 + i);
    bell_ring(server->folder);
    for (int i = 0; i < count; i++) {
        char want[60];
        struct reply reply = read_reply(fds[i], 10000);
        snprintf(want, sizeof want, "\"ids\":[%d],\"key\":%d,", i + 2, 1000 + i);
        CHECK(says(&reply, want), "waiter %d: %s", i, reply.data);
    }
    assert_int_equal(world->wake_calls - wakes, count);
    for (int i = 0; i < count; i++) {
        char byte;
        assert_int_equal(recv(fds[i], &byte, 1, MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
    }
}

static void
ten_thousand_wait_within_256_bytes_each_without_cpu_and_each_hears_once(void **state)
{
    enum { WARM = 64 };
    struct server server = server_start(&service_held, 0);
    int count = most_waiters(), *fds = arena_array(*state, (size_t)count, sizeof *fds);
    happen(0);
    for (int i = 0; i < WARM; i++)
        close(ask(&server, 1, 1, 60000));
    assert_true(wait_until(&world->answer_calls, WARM));
    usleep(100000);
    long before_kb = server_status(&server, "RssAnon:");
    for (int i = 0; i < count; i++)
        fds[i] = ask(&server, 1000 + i, 1, 60000);
    assert_true(wait_until(&world->answer_calls, WARM + count));
    usleep(200000);
    long each = (server_status(&server, "RssAnon:") - before_kb) * 1024 / count;
    print_message("%d wait, each takes %ld bytes\n", count, each);
    if (!WITH_ASAN)
        assert_in_range(each, 1, 256);
    long cpu = server_cpu(&server);
    usleep(2000000);
    assert_in_range(server_cpu(&server) - cpu, 0, 4); /* 2 % of the time at most; seen: 0 */
    each_hears_once(&server, fds, count);
    for (int i = 0; i < count; i++)
        close(fds[i]);
    assert_int_equal(server_stop(&server), 0);
}

static void
a_waiter_keeps_its_host_and_is_answered_in_time_without_news(void **state)
{
    struct server server = server_start(&service_held, 0);
    (void)state;
    happen(0);
    close(ask(&server, 1, 1, 60000));
    assert_true(wait_until(&world->answer_calls, 1)); /* how long it takes to start is not asked */
    int64_t start_ms = clock_boot_ms();
    int fd = ask(&server, 5, 1, 300);
    struct reply reply = read_reply(fd, 5000);
    int64_t took_ms = clock_boot_ms() - start_ms;
    assert_true(says(&reply, "\"ids\":[],\"key\":5,"));
    assert_true(says(&reply, "\"origin\":\"http://shop.example\""));
    assert_in_range(took_ms, 299, 900);
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

static void
only_those_are_woken_whom_the_news_concern(void **state)
{
    struct server server = server_start(&service_held, 0);
    int fds[100];
    (void)state;
    happen(0);
    for (int i = 0; i < 100; i++)
        fds[i] = ask(&server, i / 10, 1, 60000);
    assert_true(wait_until(&world->answer_calls, 100));
    happen(7);
    happen(7);
    bell_ring(server.folder);
    for (int i = 70; i < 80; i++) {
        struct reply reply = read_reply(fds[i], 5000);
        CHECK(says(&reply, "\"ids\":[2,3],\"key\":7,"), "%d: %s", i, reply.data);
    }
    assert_int_equal(world->wake_calls, 10);
    for (int i = 0; i < 100; i++)
        close(fds[i]);
    assert_int_equal(server_stop(&server), 0);
}

/* All of it lies there when the loop's next turn begins: the news, and more long answers than one turn gives. */
static void
who_is_woken_does_not_wait_for_all_long_answers_that_are_asked_for(void **state)
{
    enum { LONG = 50000, ASKING = 40, IN_TURN = LOOP_TURN_BYTES / LONG + LOOP_LOOK_MAX };
    struct server server = server_start(&service_held, 0);
    int fds[ASKING];
    (void)state;
    happen(0);
    int waiter = ask(&server, 7, 1, 60000);
    assert_true(wait_until(&world->answer_calls, 1));
    world->is_stopped = 1;
    int stopping = ask_for(&server, "key=1&wait=0&stop=1");
    assert_true(wait_until(&world->answer_calls, 2));
    for (int i = 0; i < ASKING; i++)
        fds[i] = ask_for(&server, "key=1&wait=0&size=50000");
    happen(7);
    bell_ring(server.folder);
    world->is_stopped = 0;
    struct reply reply = read_reply(waiter, 5000);
    assert_true(says(&reply, "\"ids\":[2],\"key\":7,"));
    CHECK(world->answers_before_wake <= 2 + IN_TURN, "%d were answered before", (int)world->answers_before_wake);
    for (int i = 0; i < ASKING; i++) {
        reply = read_reply(fds[i], 5000);
        assert_true(reply.is_ended && reply.len > LONG);
        close(fds[i]);
    }
    close(waiter);
    close(stopping);
    assert_int_equal(server_stop(&server), 0);
}

/* The tick alone would take half a second each time, ten in all. */
static void
the_bell_brings_news_at_once(void **state)
{
    enum { TIMES = 20 };
    struct server server = server_start(&service_held, 0);
    int64_t waited_ms = 0;
    (void)state;
    happen(0);
    for (int i = 0; i < TIMES; i++) {
        int fd = ask(&server, 5, world->last, 60000);
        assert_true(wait_until(&world->answer_calls, i + 1));
        usleep(50000);
        int64_t start_ms = clock_boot_ms();
        happen(5);
        bell_ring(server.folder);
        struct reply reply = read_reply(fd, 3000);
        waited_ms += clock_boot_ms() - start_ms;
        assert_true(says(&reply, "\"ids\":["));
        close(fd);
    }
    assert_in_range(waited_ms, 0, 2000);
    assert_int_equal(server_stop(&server), 0);
}

static void
news_come_within_a_second_or_so_when_the_bell_is_cut(void **state)
{
    struct server server = server_start(&service_held, 0);
    (void)state;
    happen(0);
    int fd = ask(&server, 5, 1, 60000);
    assert_true(wait_until(&world->answer_calls, 1));
    happen(5);
    struct reply reply = read_reply(fd, 1500);
    assert_true(says(&reply, "\"ids\":[2]"));
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

/* Many clients poll again and again with their cursor while events come; each hears each of its events once. */
static void
poll_through(const struct server *server, bool is_rung)
{
    enum { CLIENTS = 40, EVENTS = 2000 };
    static int64_t heard[EVENTS + 2];
    int64_t after[CLIENTS], total = 0;
    struct pollfd fds[CLIENTS];
    memset(heard, 0, sizeof heard);
    happen(-1);
    for (int i = 0; i < CLIENTS; i++) {
        after[i] = 1;
        fds[i] = (struct pollfd){.fd = ask(server, i, 1, 700), .events = POLLIN};
    }
    for (int64_t made = 0, turns = 0; total < EVENTS && turns < 40000; turns++) {
        for (int i = 0; i < 5 && made < EVENTS; i++, made++)
            happen((made * 7919) % CLIENTS);
        if (is_rung)
            bell_ring(server->folder);
        assert_true(poll(fds, CLIENTS, made < EVENTS ? 1 : 100) >= 0);
        for (int i = 0; i < CLIENTS; i++) {
            if (!(fds[i].revents & POLLIN))
                continue;
            struct reply reply = read_reply(fds[i].fd, 1000);
            const char *at = strstr(reply.data, "\"ids\":[");
            assert_true(reply.is_ended && at != NULL);
            for (at += 7; *at >= '0' && *at <= '9'; at += *at == ',') {
                int64_t id = strtoll(at, (char **)&at, 10);
                assert_int_equal(world->keys[id], i);
                heard[id]++;
                total++;
            }
            after[i] = strtoll(strstr(reply.data, "\"after\":") + 8, NULL, 10);
            char query[80];
            snprintf(query, sizeof query, "key=%d&after=%lld&wait=700", i, (long long)after[i]);
            send_request(fds[i].fd, 1, true, query);
        }
    }
    for (int id = 2; id < EVENTS + 2; id++)
        CHECK(heard[id] == 1, "event %d was heard %lld times", id, (long long)heard[id]);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i].fd);
}

static void
polls_with_a_cursor_hear_everything_once_with_the_bell_and_without(void **state)
{
    (void)state;
    for (int is_rung = 0; is_rung < 2; is_rung++) {
        struct server server = server_start(&service_held, 0);
        poll_through(&server, is_rung);
        assert_int_equal(server_stop(&server), 0);
    }
}

static void
a_client_that_leaves_frees_its_place_at_once(void **state)
{
    struct server server = server_start(&service_held, 0);
    int fds[200];
    (void)state;
    happen(0);
    /* half of them leave in the moment in which they ask, on a connection that was used before */
    for (int i = 0; i < 200; i++) {
        fds[i] = ask(&server, 3, 0, 0);
        struct reply reply = read_reply(fds[i], 2000);
        assert_true(reply.is_ended);
    }
    int with = server_descriptors(&server);
    for (int i = 0; i < 200; i++) {
        send_request(fds[i], 1, true, "key=3&after=1&wait=60000");
        if (i % 2)
            close(fds[i]);
    }
    assert_true(wait_until(&world->answer_calls, 400));
    for (int i = 0; i < 200; i += 2)
        close(fds[i]);
    for (int i = 0; i < 100 && server_descriptors(&server) > with - 200; i++)
        usleep(10000);
    assert_int_equal(server_descriptors(&server), with - 200);
    int half = ask(&server, 3, 1, 60000); /* over TCP one who left may be seen only so */
    assert_true(wait_until(&world->answer_calls, 401));
    shutdown(half, SHUT_WR);
    assert_true(is_closed(half, 1000));
    close(half);
    assert_int_equal(server_stop(&server), 0);
}

static void
a_request_taken_back_is_ended(void **state)
{
    static struct bytes abort_record;
    struct server server = server_start(&service_held, 0);
    (void)state;
    happen(0);
    int fd = ask(&server, 3, 1, 60000);
    assert_true(wait_until(&world->answer_calls, 1));
    add_record(&abort_record, 2, 1, NULL, 0, 0);
    send_bytes(fd, &abort_record);
    struct reply reply = read_reply(fd, 1000);
    assert_true(reply.is_ended && reply.len == 0);
    assert_true(is_closed(fd, 1000));
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

static void
at_the_end_all_who_wait_are_answered_and_the_status_is_0_within_2_s(void **state)
{
    enum { WAITERS = 2000 };
    static int fds[WAITERS];
    struct server server = server_start(&service_held, 0);
    (void)state;
    happen(0);
    for (int i = 0; i < WAITERS; i++)
        fds[i] = ask(&server, i, 1, 60000);
    assert_true(wait_until(&world->answer_calls, WAITERS));
    int idle = connect_to(server.path);
    int64_t start_ms = clock_boot_ms();
    assert_int_equal(server_stop(&server), 0);
    assert_in_range(clock_boot_ms() - start_ms, 0, 2000);
    for (int i = 0; i < WAITERS; i++) {
        struct reply reply = read_reply(fds[i], 100);
        CHECK(says(&reply, "\"ids\":[]"), "waiter %d: %s", i, reply.data);
        close(fds[i]);
    }
    close(idle);
}

static void
above_the_limit_of_descriptors_it_says_503_and_does_not_spin(void **state)
{
    enum { LIMIT = 300, FULL = LIMIT - LOOP_SPARE_DESCRIPTORS, CLIENTS = 280 };
    struct server server = server_start(&service_held, LIMIT);
    int fds[CLIENTS], held = 0, refused = 0, queued = 0;
    (void)state;
    happen(0);
    for (int i = 0; i < FULL; i++)
        fds[i] = ask(&server, 5, 1, 60000);
    assert_true(wait_until(&world->answer_calls, FULL));
    for (int i = FULL; i < CLIENTS; i++) {
        fds[i] = connect_to(server.path); /* they ask nothing yet: nothing can be refused */
        usleep(1000);
    }
    long cpu = server_cpu(&server);
    usleep(1000000);
    assert_in_range(server_cpu(&server) - cpu, 0, 10);
    for (int i = FULL; i < CLIENTS; i++)
        send_request(fds[i], 1, true, "key=5&after=1&wait=60000");
    for (int i = FULL; i < CLIENTS; i++) {
        struct reply reply = read_reply(fds[i], 1500);
        refused += says(&reply, "Status: 503") && says(&reply, "\r\nRetry-After: ");
        queued += !reply.is_ended;
        close(fds[i]);
    }
    print_message("%d were refused, %d parked\n", refused, queued);
    assert_in_range(refused, CLIENTS - FULL - 1, CLIENTS - FULL); /* the last one may fit when the others were closed */
    happen(5);
    bell_ring(server.folder);
    for (int i = 0; i < FULL; i++) {
        struct reply reply = read_reply(fds[i], 2000);
        held += says(&reply, "\"ids\":[2]");
        close(fds[i]);
    }
    assert_int_equal(held, FULL);
    int again = ask(&server, 5, 1, 100);
    struct reply reply = read_reply(again, 2000);
    assert_true(says(&reply, "\"ids\":[2]"));
    close(again);
    assert_int_equal(server_stop(&server), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(ten_thousand_wait_within_256_bytes_each_without_cpu_and_each_hears_once),
        UNIT(a_waiter_keeps_its_host_and_is_answered_in_time_without_news),
        UNIT(only_those_are_woken_whom_the_news_concern),
        UNIT(who_is_woken_does_not_wait_for_all_long_answers_that_are_asked_for),
        UNIT(the_bell_brings_news_at_once),
        UNIT(news_come_within_a_second_or_so_when_the_bell_is_cut),
        UNIT(polls_with_a_cursor_hear_everything_once_with_the_bell_and_without),
        UNIT(a_client_that_leaves_frees_its_place_at_once),
        UNIT(a_request_taken_back_is_ended),
        UNIT(at_the_end_all_who_wait_are_answered_and_the_status_is_0_within_2_s),
        UNIT(above_the_limit_of_descriptors_it_says_503_and_does_not_spin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
