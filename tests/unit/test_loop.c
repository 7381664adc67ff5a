/* The BATCH loop from outside: many at once, requests on kept connections, taken back; clients that read slowly or never; the end. */
#include "looped.h"

static void
one_connection_carries_thousands_of_requests(void **state)
{
    struct server server = server_start(&batch, 0);
    int fd = connect_to(server.path);
    long memory_kb = 0;
    (void)state;
    for (int i = 1; i <= 3000; i++) {
        send_request(fd, i, true, "text=a");
        struct reply reply = read_reply(fd, 2000);
        CHECK(says(&reply, "{\"body\":0}") && reply.id == i, "request %d: %s", i, reply.data);
        if (i == 500)
            memory_kb = server_status(&server, "RssAnon:");
    }
    if (!WITH_ASAN)
        assert_in_range(server_status(&server, "RssAnon:") - memory_kb, 0, 64);
    send_request(fd, 1, false, "text=a");
    struct reply reply = read_reply(fd, 2000);
    assert_true(says(&reply, "{\"body\":0}"));
    assert_true(is_closed(fd, 1500)); /* and no lingering for 2 s */
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

static void
hundreds_at_once_are_all_answered(void **state)
{
    enum { CLIENTS = 500 };
    struct server server = server_start(&batch, 0);
    int fds[CLIENTS];
    (void)state;
    kill(server.pid, SIGSTOP); /* so that they lie there together */
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_to(server.path);
        send_request(fds[i], i + 1, i % 2, "text=a");
    }
    kill(server.pid, SIGCONT);
    for (int i = 0; i < CLIENTS; i++) {
        struct reply reply = read_reply(fds[i], 5000);
        CHECK(says(&reply, "{\"body\":0}") && reply.id == i + 1, "client %d: %s", i, reply.data);
        close(fds[i]);
    }
    assert_int_equal(world->answer_calls, CLIENTS);
    assert_int_equal(server_stop(&server), 0);
}

static void
a_client_that_never_reads_holds_up_nobody(void **state)
{
    struct server server = server_start(&batch, 0);
    int deaf[5];
    (void)state;
    for (int i = 0; i < 5; i++) {
        deaf[i] = connect_to(server.path);
        send_request(deaf[i], 1, true, i % 2 ? "size=3000000" : "file=30000000");
    }
    assert_true(wait_until(&world->answer_calls, 5));
    for (int i = 0; i < 200; i++) {
        int fd = connect_to(server.path);
        send_request(fd, 1, false, "text=a");
        struct reply reply = read_reply(fd, 2000);
        CHECK(says(&reply, "{\"body\":0}"), "request %d: %s", i, reply.data);
        close(fd);
    }
    long cpu = server_cpu(&server);
    usleep(500000);
    assert_in_range(server_cpu(&server) - cpu, 0, 3);
    for (int i = 0; i < 5; i++) { /* and when they read after all, everything is there, and the connection can be used again */
        struct reply reply = read_reply(deaf[i], 2000);
        assert_true(says(&reply, "Status: 200 OK"));
        assert_in_range(reply.len, i % 2 ? 3000000 : 30000000, i % 2 ? 3002000 : 30002000);
        send_request(deaf[i], 2, false, "text=a");
        reply = read_reply(deaf[i], 2000);
        assert_true(says(&reply, "{\"body\":0}") && reply.id == 2);
        close(deaf[i]);
    }
    assert_int_equal(server_stop(&server), 0);
}

static void
what_is_no_request_is_answered_or_closed(void **state)
{
    static const uint8_t filter[] = {1, 1, 0, 5, 0, 8, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0};
    static const char question[] = "\1\x09\0\0\0\x11\0\0\x0f\0FCGI_MPXS_CONNS";
    struct server server = server_start(&batch, 0);
    (void)state;
    int fd = connect_to(server.path);
    assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
    assert_true(is_closed(fd, 1000));
    close(fd);
    fd = connect_to(server.path);
    assert_int_equal(send(fd, filter, sizeof filter, 0), sizeof filter);
    struct reply reply = read_reply(fd, 1000);
    assert_true(reply.is_ended && reply.protocol_status == FCGI_BAD_ROLE && reply.id == 5);
    close(fd);
    fd = connect_to(server.path);
    assert_int_equal(send(fd, question, sizeof question - 1, 0), sizeof question - 1);
    char told[26];
    assert_true(read_exactly(fd, told, sizeof told, 1000));
    assert_memory_equal(told + 10, "FCGI_MPXS_CONNS0", 16);
    send_request(fd, 1, true, "text=a");
    reply = read_reply(fd, 1000);
    assert_true(says(&reply, "{\"body\":0}"));
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

/* A connection that is kept: its first answer is here, so the program has started. */
static int
keep_one(const struct server *server)
{
    int fd = connect_to(server->path);
    send_request(fd, 1, true, "");
    struct reply reply = read_reply(fd, 2000);
    assert_true(says(&reply, "{\"body\":0}"));
    return fd;
}

static void
all_but_these_are_closed(struct server *server, int descriptors)
{
    for (int i = 0; i < 300 && server_descriptors(server) != descriptors; i++)
        usleep(10000);
    assert_int_equal(server_descriptors(server), descriptors);
}

static void
a_request_whose_sender_is_gone_is_still_done(void **state)
{
    struct server server = server_start(&batch, 0);
    (void)state;
    int kept = keep_one(&server), before = server_descriptors(&server);
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 20; i++) {
        int fd = connect_to(server.path);
        send_request(fd, 1, true, "size=100000");
        close(fd);
    }
    kill(server.pid, SIGCONT);
    assert_true(wait_until(&world->answer_calls, 21));
    all_but_these_are_closed(&server, before);
    send_request(kept, 1, true, "");
    struct reply reply = read_reply(kept, 2000);
    assert_true(says(&reply, "{\"body\":0}"));
    close(kept);
    assert_int_equal(server_stop(&server), 0);
}

/* Who only says that he will send no more waits for his answer. */
static void
what_changes_nothing_is_not_done_for_who_has_gone(void **state)
{
    enum { CLIENTS = 300 };
    struct service reading = batch;
    reading.is_changing = false;
    struct server server = server_start(&reading, 0);
    int fds[CLIENTS], asking = 0;
    (void)state;
    int kept = keep_one(&server), before = server_descriptors(&server);
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_to(server.path);
        if (i % 50 != 1)
            send_request(fds[i], 1, i % 2, "size=100000");
        if (i % 10 == 0)
            shutdown(fds[i], SHUT_WR);
        else
            close(fds[i]);
    }
    kill(server.pid, SIGCONT);
    for (int i = 0; i < CLIENTS; i += 10, asking++) {
        struct reply reply = read_reply(fds[i], 5000);
        CHECK(says(&reply, "Status: 200 OK") && reply.len > 100000, "client %d: %s", i, reply.data);
        close(fds[i]);
    }
    all_but_these_are_closed(&server, before);
    assert_int_equal(world->answer_calls, 1 + asking);
    close(kept);
    assert_int_equal(server_stop(&server), 0);
}

static void
at_the_end_requests_in_hand_and_answers_on_their_way_are_finished(void **state)
{
    struct server server = server_start(&batch, 0);
    int fds[50];
    (void)state;
    int slow = connect_to(server.path);
    send_request(slow, 1, true, "size=1000000");
    assert_true(wait_until(&world->answer_calls, 1));
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 50; i++) {
        fds[i] = connect_to(server.path);
        usleep(100);
    }
    kill(server.pid, SIGCONT);
    usleep(100000); /* they are taken up */
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 50; i++)
        send_request(fds[i], 1, true, "text=a");
    kill(server.pid, SIGTERM);
    kill(server.pid, SIGCONT);
    for (int i = 0; i < 50; i++) {
        struct reply reply = read_reply(fds[i], 3000);
        CHECK(says(&reply, "{\"body\":0}"), "client %d", i);
        close(fds[i]);
    }
    struct reply reply = read_reply(slow, 3000);
    assert_true(reply.is_ended && reply.len > 1000000);
    close(slow);
    assert_int_equal(server_stop(&server), 0);
}

/* A web server that has not seen yet that the program ends. */
static void
at_the_end_a_kept_connection_is_good_for_one_more_request(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct server server = server_start(&batch, 0);
        int fd = connect_to(server.path);
        send_request(fd, 1, true, "");
        assert_true(wait_until(&world->answer_calls, 1)); /* however long it takes to start */
        struct reply reply = read_reply(fd, 1000);
        assert_true(says(&reply, "Status: 200 "));
        kill(server.pid, SIGTERM);
        usleep(20000);
        send_request(fd, 1, true, "");
        reply = read_reply(fd, 1000);
        assert_true(says(&reply, "Status: 200 "));
        assert_true(is_closed(fd, 1000));
        close(fd);
        assert_int_equal(server_stop(&server), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(one_connection_carries_thousands_of_requests),
        UNIT(hundreds_at_once_are_all_answered),
        UNIT(a_client_that_never_reads_holds_up_nobody),
        UNIT(what_is_no_request_is_answered_or_closed),
        UNIT(a_request_whose_sender_is_gone_is_still_done),
        UNIT(what_changes_nothing_is_not_done_for_who_has_gone),
        UNIT(at_the_end_requests_in_hand_and_answers_on_their_way_are_finished),
        UNIT(at_the_end_a_kept_connection_is_good_for_one_more_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
