/* PREFORK from outside: large bodies, connections closed at once, processes that share the work. */
#include "preforked.h"

static void
a_body_of_megabytes_is_read_and_the_connection_closed_at_once(void **state)
{
    struct server server = server_start(&prefork, 0);
    (void)state;
    for (int i = 0; i < 5; i++) {
        int fd = connect_to(server.path);
        send_upload(fd, 7000000);
        struct reply reply = read_reply(fd, 5000);
        CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
        assert_true(is_closed(fd, 1500)); /* although it asked to keep it, and without lingering for 2 s */
        close(fd);
    }
    assert_int_equal(server_stop(&server), 0);
}

static void
a_body_over_the_limit_is_413_and_the_answer_is_not_lost(void **state)
{
    struct server server = server_start(&prefork, 0);
    (void)state;
    int64_t start_ms = clock_boot_ms();
    for (int i = 0; i < 3; i++) {
        int fd = connect_to(server.path);
        send_upload(fd, 9000000);
        struct reply reply = read_reply(fd, 5000);
        CHECK(says(&reply, "Status: 413 "), "%s", reply.data);
        close(fd);
    }
    assert_in_range(clock_boot_ms() - start_ms, 0, 8000);
    assert_int_equal(world->answer_calls, 0);
    assert_int_equal(server_stop(&server), 0);
}

static void
what_is_no_request_is_answered_or_closed(void **state)
{
    static const uint8_t filter[] = {1, 1, 0, 5, 0, 8, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0};
    static const uint8_t gigabytes[] = {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 5, 0, 0, 0xff, 0xff, 0xff,
        0xff, 1};
    static const char question[] = "\1\x09\0\0\0\x11\0\0\x0f\0FCGI_MPXS_CONNS";
    static char query[FCGI_HEAD_MAX_BYTES + 100];
    struct server server = server_start(&prefork, 0);
    char told[26];
    (void)state;
    int fd = connect_to(server.path);
    send_all(fd, gigabytes, sizeof gigabytes);
    assert_true(is_closed(fd, 1000));
    close(fd);
    fd = connect_to(server.path);
    send_all(fd, filter, sizeof filter);
    struct reply reply = read_reply(fd, 1000);
    assert_true(reply.is_ended && reply.protocol_status == FCGI_BAD_ROLE && reply.id == 5);
    close(fd);
    fd = connect_to(server.path);
    send_all(fd, question, sizeof question - 1);
    assert_true(read_exactly(fd, told, sizeof told, 1000));
    assert_memory_equal(told + 10, "FCGI_MPXS_CONNS0", 16);
    send_request(fd, 1, true, "");
    reply = read_reply(fd, 1000);
    assert_true(says(&reply, "{\"body\":0,"));
    close(fd);
    memset(query, 'a', sizeof query - 1);
    fd = connect_to(server.path);
    send_request(fd, 1, true, query);
    reply = read_reply(fd, 1000);
    assert_true(says(&reply, "Status: 413 "));
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

static void
a_client_that_stops_in_the_middle_and_leaves_costs_no_time(void **state)
{
    struct server server = server_start(&prefork, 0);
    static struct bytes b;
    (void)state;
    add_request(&b, 1, true, "", "text=abc", 8, NULL);
    int64_t start_ms = clock_boot_ms();
    for (size_t cut = 0; cut < b.len; cut += 9) {
        int fd = connect_to(server.path);
        send_all(fd, b.data, cut);
        close(fd);
    }
    int fd = connect_to(server.path);
    send_request(fd, 1, false, "");
    struct reply reply = read_reply(fd, 5000);
    assert_true(says(&reply, "{\"body\":0,"));
    assert_in_range(clock_boot_ms() - start_ms, 0, 5000);
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

/* The process that answers a request on a connection whose first bytes, if any, are sent already. */
static int64_t
pid_of_answer(int fd)
{
    struct reply reply = read_reply(fd, 2000);
    const char *pid = strstr(reply.data, "\"pid\":");
    assert_true(says(&reply, "{\"body\":0,"));
    assert_non_null(pid);
    close(fd);
    return strtoll(pid + 6, NULL, 10);
}

/* While one is kept waiting for the rest of a request, the other answers. */
static bool
are_two_at_work(const struct server *server)
{
    struct bytes request = {.len = 0};
    add_request(&request, 1, false, "", "", 0, NULL);
    int slow = connect_to(server->path);
    send_all(slow, request.data, 20);
    int quick = connect_to(server->path);
    send_bytes(quick, &request);
    int64_t pid = pid_of_answer(quick);
    send_all(slow, request.data + 20, request.len - 20);
    return pid_of_answer(slow) != pid;
}

static void
several_processes_share_the_work_and_end_when_they_are_told(void **state)
{
    struct server server = server_start(&prefork, 0);
    pid_t more = fork();
    bool both_answered = false;
    (void)state;
    if (more == 0)
        server_child(&prefork, &server, 0);
    for (int i = 0; i < 100 && !both_answered; i++)
        both_answered = are_two_at_work(&server);
    assert_true(both_answered);
    int status = -1;
    int64_t start_ms = clock_boot_ms();
    kill(more, SIGTERM);
    assert_int_equal(waitpid(more, &status, 0), more);
    assert_int_equal(status, 0);
    assert_int_equal(server_stop(&server), 0);
    assert_in_range(clock_boot_ms() - start_ms, 0, 2000);
}

/* Both were taken before they were whole, and become so together. */
static void
who_is_served_first_does_not_wait_for_the_next(void **state)
{
    struct server server = server_start(&prefork, 0);
    struct bytes request[2] = {{.len = 0}, {.len = 0}};
    int fds[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        add_request(&request[i], 1, false, i == 0 ? "" : "ms=3000", "", 0, NULL);
        fds[i] = connect_to(server.path);
        send_all(fds[i], request[i].data, 20);
        usleep(50000);
    }
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 2; i++)
        send_all(fds[i], request[i].data + 20, request[i].len - 20);
    kill(server.pid, SIGCONT);
    for (int i = 0; i < 2; i++) {
        struct reply reply = read_reply(fds[i], i == 0 ? 1500 : 6000);
        CHECK(says(&reply, "{\"body\":0,"), "%d: %s", i, reply.data);
        close(fds[i]);
    }
    assert_int_equal(server_stop(&server), 0);
}

/* Two who come at the same moment: the process that is woken for the first must not take the second as well, before it knows that
 * it has something to do. */
static void
while_one_waits_another_takes_what_comes(void **state)
{
    enum { TRIES = 20 };
    struct server server = server_start(&prefork, 0);
    pid_t more = fork();
    int held_up = 0;
    (void)state;
    if (more == 0)
        server_child(&prefork, &server, 0);
    usleep(300000); /* both listen */
    for (int i = 0; i < TRIES; i++) {
        int waiting = connect_to(server.path), quick = connect_to(server.path);
        send_request(waiting, 1, false, "ms=200");
        send_request(quick, 1, false, "");
        struct reply reply = read_reply(quick, 100);
        held_up += !reply.is_ended;
        reply = read_reply(waiting, 1000);
        assert_true(says(&reply, "{\"body\":0,"));
        close(waiting);
        close(quick);
    }
    CHECK(held_up <= TRIES / 4, "%d of %d were held up", held_up, TRIES);
    kill(more, SIGTERM);
    assert_int_equal(waitpid(more, NULL, 0), more);
    assert_int_equal(server_stop(&server), 0);
}

/* libfcgi takes SIGTERM for itself at its start: a wish that came in between was forgotten, and the process stayed for ever. */
static void
who_is_told_to_end_while_he_starts_ends(void **state)
{
    struct server server = server_start(&prefork, 0);
    (void)state;
    for (int i = 0; i < 100; i++) {
        int status = -1;
        pid_t starting = fork();
        if (starting == 0)
            server_child(&prefork, &server, 0);
        usleep((useconds_t)i * 50);
        kill(starting, SIGTERM);
        for (int n = 0; n < 500 && waitpid(starting, &status, WNOHANG) == 0; n++)
            usleep(10000);
        if (status == -1)
            kill(starting, SIGKILL);
        CHECK(status == 0 || status == SIGTERM, "told after %d us: %d", i * 50, status);
    }
    assert_int_equal(server_stop(&server), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_body_of_megabytes_is_read_and_the_connection_closed_at_once),
        UNIT(a_body_over_the_limit_is_413_and_the_answer_is_not_lost),
        UNIT(what_is_no_request_is_answered_or_closed),
        UNIT(a_client_that_stops_in_the_middle_and_leaves_costs_no_time),
        UNIT(who_is_served_first_does_not_wait_for_the_next),
        UNIT(while_one_waits_another_takes_what_comes),
        UNIT(several_processes_share_the_work_and_end_when_they_are_told),
        UNIT(who_is_told_to_end_while_he_starts_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
