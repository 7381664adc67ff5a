/* PREFORK from outside: clients that send or read slowly or never; what is kept of them, where, for how long, and until the end. */
#include "preforked.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

enum { SERVED_MS = 100, SLOW = 40, LARGE_BYTES = 1500000, LIMIT_BYTES = 8 * 1024 * 1024 };

/* Nine of ten: the machine may be busy with other things. */
static void
others_are_served(const struct server *server, int tries)
{
    int late = 0;
    for (int i = 0; i < tries; i++)
        late += ms_of_another(server) > SERVED_MS;
    CHECK(late <= tries / 10, "%d of %d came late", late, tries);
}

/* Each sends the head, and then its body in pieces, small ones and large ones in turn: half of them send what fits into memory. */
static void
slow_bodies_hold_up_nobody_and_come_whole(void **state)
{
    struct server server = server_start(&prefork, 0);
    int fds[SLOW];
    (void)state;
    for (int i = 0; i < SLOW; i++) {
        fds[i] = connect_to(server.path);
        send_upload_head(fds[i], i % 2 ? LARGE_BYTES : 1000);
    }
    others_are_served(&server, 20);
    for (int part = 0; part < 10; part++) {
        for (int i = 0; i < SLOW; i++)
            send_upload_part(fds[i], i % 2 ? LARGE_BYTES / 10 : 100);
        others_are_served(&server, 10);
    }
    assert_int_equal(world->answer_calls, 120);
    if (!WITH_ASAN)
        assert_in_range(server_status(&server, "RssAnon:"), 0, 12000); /* thirty megabytes have come */
    for (int i = 0; i < SLOW; i++)
        send_upload_end(fds[i]);
    for (int i = 0; i < SLOW; i++) {
        struct reply reply = read_reply(fds[i], 5000);
        CHECK(says(&reply, "\"last\":99"), "%d: %s", i, reply.data);
        close(fds[i]);
    }
    assert_int_equal(server_stop(&server), 0); /* the folder is empty, too */
}

/* What was there before is not looked at again: records of one byte, as a web server makes them for a client that sends so. */
static void
a_body_in_tiny_pieces_costs_no_more_the_longer_it_is(void **state)
{
    enum { BYTES_EACH = 20000 };
    struct server server = server_start(&prefork, 0);
    struct bytes b = {.len = 0};
    long took[2];
    (void)state;
    int fd = connect_to(server.path);
    send_upload_head(fd, BYTES_EACH * 2 + 200000);
    add_record(&b, 5, 1, "c", 1, 0);
    for (int half = 0; half < 2; half++) {
        long before = server_cpu(&server);
        for (int i = 0; i < BYTES_EACH; i++)
            send_all(fd, b.data, b.len);
        took[half] = server_cpu(&server) - before;
        if (half == 0)
            send_upload_part(fd, 200000);
    }
    send_upload_end(fd);
    struct reply reply = read_reply(fd, 5000);
    CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
    CHECK(took[1] <= 2 * took[0] + 20, "%ld0 ms, then %ld0 ms", took[0], took[1]);
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

/* More than one look takes lies there, and nothing comes later that would be a reason to look again. */
static void
a_body_is_read_to_its_end_although_its_sender_sends_no_more(void **state)
{
    enum { BYTES = 250000 };
    struct server server = server_start(&prefork, 0);
    const int large = BYTES;
    int left = 1;
    (void)state;
    ms_of_another(&server);
    int fd = connect_to(server.path);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    send_upload_head(fd, BYTES);
    for (int i = 0; i < 5000 && left > 0; i++, usleep(1000))
        ioctl(fd, SIOCOUTQ, &left);
    assert_int_equal(left, 0);
    kill(server.pid, SIGSTOP);
    fcntl(fd, F_SETFL, O_NONBLOCK); /* rather a failure than a test that hangs */
    send_upload_part(fd, BYTES);
    send_upload_end(fd);
    shutdown(fd, SHUT_WR);
    kill(server.pid, SIGCONT);
    struct reply reply = read_reply(fd, 10000);
    CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

static void
who_reads_nothing_of_a_file_holds_up_nobody(void **state)
{
    enum { DEAF = 20, BYTES = 15000000 };
    struct server server = server_start(&prefork, 0);
    int deaf[DEAF];
    (void)state;
    for (int i = 0; i < DEAF; i++) {
        deaf[i] = connect_to(server.path);
        send_request(deaf[i], 1, false, "size=15000000");
    }
    assert_true(wait_until(&world->answer_calls, DEAF));
    others_are_served(&server, 100);
    long cpu = server_cpu(&server);
    usleep(500000);
    assert_in_range(server_cpu(&server) - cpu, 0, 3);
    for (int i = 0; i < DEAF; i++) { /* and when they read after all, everything is there */
        struct reply reply = read_reply(deaf[i], 2000);
        assert_true(says(&reply, "Status: 200 OK"));
        assert_in_range(reply.len, BYTES, BYTES + 2000);
        close(deaf[i]);
    }
    assert_int_equal(server_stop(&server), 0);
}

static void
a_body_that_is_announced_too_large_is_refused_before_it_comes(void **state)
{
    struct server server = server_start(&prefork, 0);
    (void)state;
    int fd = connect_to(server.path);
    send_upload_head(fd, LIMIT_BYTES + 200000);
    usleep(50000);
    send_upload_part(fd, 2 * FCGI_LOOK_MAX_BYTES);
    struct reply reply = read_reply(fd, 1000);
    CHECK(says(&reply, "Status: 413 "), "%s", reply.data);
    close(fd);
    assert_int_equal(world->answer_calls, 0);
    assert_int_equal(server_stop(&server), 0);
}

/* An upload all but its end; or what was answered instead. */
static struct reply
nearly_all(int fd)
{
    send_upload_head(fd, LIMIT_BYTES);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < LIMIT_BYTES / 32768 && poll(&ready, 1, 0) == 0; i++)
        send_upload_part(fd, 32768);
    return poll(&ready, 1, 50) == 1 ? read_reply(fd, 1000) : (struct reply){.len = 0};
}

static void
large_bodies_take_a_bounded_place(void **state)
{
    struct server server = server_start(&prefork, 0);
    int fds[LOOP_LARGE_MAX + 3], refused = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to(server.path);
        struct reply reply = nearly_all(fds[i]);
        CHECK(reply.len == 0 || says(&reply, "Status: 503 "), "%zu: %s", i, reply.data);
        CHECK(reply.len == 0 || i >= LOOP_LARGE_MAX, "%zu was refused", i);
        refused += reply.len > 0;
    }
    assert_in_range(refused, 1, 3);
    others_are_served(&server, 20);
    if (!WITH_ASAN)
        assert_in_range(server_status(&server, "RssAnon:"), 0, 12000);
    send_upload_end(fds[0]);
    struct reply reply = read_reply(fds[0], 5000);
    CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    usleep(100000);
    int again = connect_to(server.path); /* what was kept is free again */
    assert_int_equal(nearly_all(again).len, 0);
    send_upload_end(again);
    reply = read_reply(again, 5000);
    CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
    close(again);
    assert_int_equal(server_stop(&server), 0);
}

static void
where_no_file_can_be_made_large_bodies_are_503_and_small_ones_pass(void **state)
{
    struct server server = server_start(&prefork, 0);
    char elsewhere[72];
    (void)state;
    ms_of_another(&server); /* it has its database */
    snprintf(elsewhere, sizeof elsewhere, "%s.moved", server.folder);
    assert_int_equal(rename(server.folder, elsewhere), 0);
    snprintf(server.path, sizeof server.path, "%s/socket", elsewhere);
    int fd = connect_to(server.path);
    struct reply reply = nearly_all(fd);
    CHECK(says(&reply, "Status: 503 ") && says(&reply, "\"code\":\"unavailable\""), "%s", reply.data);
    close(fd);
    fd = connect_to(server.path);
    send_upload_head(fd, 1000);
    usleep(20000);
    send_upload_part(fd, 1000);
    send_upload_end(fd);
    reply = read_reply(fd, 1000);
    CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
    close(fd);
    assert_int_equal(rename(elsewhere, server.folder), 0);
    assert_int_equal(server_stop(&server), 0);
}

static void
at_the_end_who_is_quick_is_finished_and_who_is_not_is_cut_off(void **state)
{
    struct server server = server_start(&prefork, 0);
    (void)state;
    int sender = connect_to(server.path), reader = connect_to(server.path), never = connect_to(server.path);
    send_upload_head(sender, LARGE_BYTES);
    send_upload_part(sender, LARGE_BYTES / 2);
    send_upload_head(never, LARGE_BYTES);
    send_request(reader, 1, false, "size=15000000");
    assert_true(wait_until(&world->answer_calls, 1));
    int64_t start_ms = clock_boot_ms();
    kill(server.pid, SIGTERM);
    usleep(LOOP_STOP_MS * 1000 + 300000); /* more than other programs give */
    send_upload_part(sender, LARGE_BYTES / 2);
    send_upload_end(sender);
    struct reply reply = read_reply(sender, 1000);
    CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
    reply = read_reply(reader, 1000);
    assert_true(reply.is_ended && reply.len > 15000000);
    assert_true(is_closed(never, LOOP_STOP_LARGE_MS));
    assert_in_range(clock_boot_ms() - start_ms, LOOP_STOP_LARGE_MS - 100, LOOP_STOP_LARGE_MS + 2000);
    close(sender);
    close(reader);
    close(never);
    assert_int_equal(server_stop(&server), 0);
}

/* A program without its database: a process that ends by itself. */
static struct server
start_refusing(int64_t ms)
{
    struct server server = server_start(&prefork, 0);
    kill(server.pid, SIGKILL);
    assert_int_equal(waitpid(server.pid, NULL, 0), server.pid);
    server.pid = fork();
    if (server.pid == 0) {
        const struct center process = {.settings = &server_settings};
        stop_keep();
        if (fcgi_start(server.listen_fd) != OK)
            _exit(9);
        stop_listen();
        loop_refuse(&prefork, &process, server.listen_fd, ms);
        _exit(0);
    }
    return server;
}

static void
without_a_database_everybody_is_told_so_whoever_is_slow(void **state)
{
    struct server server = start_refusing(1500);
    int status = -1;
    (void)state;
    int64_t start_ms = clock_boot_ms();
    int slow = connect_to(server.path);
    send_upload_head(slow, LARGE_BYTES);
    for (int i = 0; i < 20; i++) {
        int fd = connect_to(server.path);
        send_request(fd, 1, false, "");
        struct reply reply = read_reply(fd, 1000);
        CHECK(says(&reply, "Status: 503 ") && says(&reply, "\"code\":\"unavailable\""), "%s", reply.data);
        close(fd);
    }
    int large = connect_to(server.path);
    struct reply reply = nearly_all(large);
    CHECK(says(&reply, "Status: 503 "), "%s", reply.data);
    assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
    assert_int_equal(status, 0);
    assert_in_range(clock_boot_ms() - start_ms, 1400, 4000);
    close(slow);
    close(large);
    close(server.listen_fd);
    assert_int_equal(remove_folder(server.folder), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(slow_bodies_hold_up_nobody_and_come_whole),
        UNIT(a_body_in_tiny_pieces_costs_no_more_the_longer_it_is),
        UNIT(a_body_is_read_to_its_end_although_its_sender_sends_no_more),
        UNIT(who_reads_nothing_of_a_file_holds_up_nobody),
        UNIT(a_body_that_is_announced_too_large_is_refused_before_it_comes),
        UNIT(large_bodies_take_a_bounded_place),
        UNIT(where_no_file_can_be_made_large_bodies_are_503_and_small_ones_pass),
        UNIT(at_the_end_who_is_quick_is_finished_and_who_is_not_is_cut_off),
        UNIT(without_a_database_everybody_is_told_so_whoever_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
