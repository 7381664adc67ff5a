/* The BATCH loop from outside: requests that come in pieces, slowly, or too large. */
#include "looped.h"

#include <netinet/in.h>

static struct bytes request;

static void
a_request_in_pieces_is_taken_when_it_is_whole(void **state)
{
    static const char body[] = "text=0123456789";
    struct server server = server_start(&batch, 0);
    int fd = connect_to(server.path);
    (void)state;
    request.len = 0;
    add_request(&request, 9, true, "size=", body, sizeof body - 1, NULL);
    for (size_t at = 0; at < request.len; at += 3) {
        size_t piece = request.len - at < 3 ? request.len - at : 3;
        assert_int_equal(world->answer_calls, 0);
        assert_int_equal(send(fd, request.data + at, piece, MSG_NOSIGNAL), piece);
        usleep(500);
    }
    struct reply reply = read_reply(fd, 2000);
    assert_true(says(&reply, "{\"body\":15}"));
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

static void
a_body_over_the_limit_is_413_at_once_while_it_still_comes(void **state)
{
    struct server server = server_start(&batch, 0);
    int fd = connect_to(server.path);
    static char body[65536];
    (void)state;
    memset(body, 'a', sizeof body);
    request.len = 0;
    add_begin(&request, 3, 1, true);
    add_params(&request, 3, "POST", "", "10000000");
    for (size_t sent = 0; sent <= FCGI_LOOK_MAX_BYTES; sent += 32768)
        add_record(&request, 5, 3, body, 32768, 0);
    send_bytes(fd, &request);
    struct reply reply = read_reply(fd, 1000);
    assert_true(says(&reply, "Status: 413 ") && says(&reply, "\"code\":\"too_large\""));
    for (int i = 0; i < 100; i++) /* the web server has not looked yet: it must not be reset before it can read */
        assert_int_equal(send(fd, request.data, 32768, MSG_NOSIGNAL), 32768);
    shutdown(fd, SHUT_WR);
    assert_true(is_closed(fd, 1000));
    assert_int_equal(world->answer_calls, 0);
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

/* nginx takes the answer's end for leave to use the connection again, whatever the status: then somebody else's request comes on
 * it. In one piece, and in two with the answer owed in between. */
static void
a_kept_connection_is_good_after_a_body_over_the_limit(void **state)
{
    static char body[BODY_MAX_BYTES + 5000];
    struct server server = server_start(&batch, 0);
    (void)state;
    memset(body, 'x', sizeof body);
    for (int pieces = 1; pieces <= 2; pieces++) {
        int fd = connect_to(server.path);
        request.len = 0;
        add_request(&request, 1, true, "", body, sizeof body, NULL);
        size_t last = pieces == 1 ? 0 : 3000;
        assert_int_equal(send(fd, request.data, request.len - last, MSG_NOSIGNAL), request.len - last);
        usleep(pieces == 1 ? 0 : 100000);
        assert_int_equal(send(fd, request.data + request.len - last, last, MSG_NOSIGNAL), last);
        struct reply reply = read_reply(fd, 2000);
        CHECK(says(&reply, "Status: 413 "), "in %d pieces: %s", pieces, reply.data);
        send_request(fd, 2, true, "text=next");
        reply = read_reply(fd, 2000);
        CHECK(says(&reply, "{\"body\":0}") && reply.id == 2, "the next one, after %d pieces: %s", pieces, reply.data);
        close(fd);
    }
    assert_int_equal(server_stop(&server), 0);
}

static void
headers_over_the_limit_are_413_too(void **state)
{
    static char query[FCGI_HEAD_MAX_BYTES + 100];
    struct server server = server_start(&batch, 0);
    int fd = connect_to(server.path);
    (void)state;
    memset(query, 'a', sizeof query - 1);
    send_request(fd, 1, true, query);
    struct reply reply = read_reply(fd, 1000);
    assert_true(says(&reply, "Status: 413 "));
    close(fd);
    assert_int_equal(server_stop(&server), 0);
}

static struct sockaddr_in tcp_address;

/* A server on a TCP port that the system chose. */
static struct server
start_on_tcp(void)
{
    socklen_t bytes = sizeof tcp_address;
    tcp_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct server server = {.folder = "/tmp/rtcc-loop-XXXXXX", .listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(server.listen_fd, (struct sockaddr *)&tcp_address, bytes), 0);
    assert_int_equal(listen(server.listen_fd, 100), 0);
    assert_int_equal(getsockname(server.listen_fd, (struct sockaddr *)&tcp_address, &bytes), 0);
    assert_non_null(mkdtemp(server.folder));
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    server.pid = fork();
    if (server.pid == 0)
        server_child(&batch, &server, 0);
    return server;
}

static int
connect_over_tcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&tcp_address, sizeof tcp_address), 0);
    return fd;
}

/* A sender with a small buffer waits until what it has sent is taken; with a large one all of it may lie there at once. */
static void
the_largest_request_comes_whole_over_both_kinds_of_sockets(void **state)
{
    static char body[BODY_MAX_BYTES], query[FCGI_HEAD_MAX_BYTES - 1000];
    (void)state;
    memset(body, 'a', sizeof body);
    memcpy(body, "other=", 6);
    memset(query, 'q', sizeof query - 1);
    for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
        struct server server = is_tcp ? start_on_tcp() : server_start(&batch, 0);
        for (int i = 0; i < 4; i++) { /* the first is small: when it is answered, the listening socket is prepared */
            int fd = is_tcp ? connect_over_tcp() : connect_to(server.path);
            const int small = 4096;
            if (i >= 2)
                setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
            request.len = 0;
            add_request(&request, 1, true, query, body, i == 0 ? 0 : sizeof body, NULL);
            send_bytes(fd, &request);
            struct reply reply = read_reply(fd, 3000);
            CHECK(says(&reply, i == 0 ? "{\"body\":0}" : "{\"body\":106496}"), "request %d, tcp %d: %s", i, is_tcp, reply.data);
            close(fd);
        }
        assert_int_equal(server_stop(&server), 0);
    }
}

static void
parts_of_requests_take_a_bounded_memory(void **state)
{
    enum { CLIENTS = INBOX_KEPT_MAX_BYTES / BODY_MAX_BYTES + 8 };
    static char body[BODY_MAX_BYTES];
    struct server server = server_start(&batch, 0);
    int fds[CLIENTS], closed = 0;
    (void)state;
    request.len = 0;
    add_request(&request, 1, false, "", body, sizeof body, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_to(server.path);
        send(fds[i], request.data, request.len - 1, MSG_NOSIGNAL); /* all but its last byte */
    }
    int last = connect_to(server.path);
    send_request(last, 1, false, "text=a");
    struct reply reply = read_reply(last, 3000);
    assert_true(says(&reply, "{\"body\":0}"));
    close(last);
    if (!WITH_ASAN)
        assert_in_range(server_status(&server, "RssAnon:"), 0, INBOX_KEPT_MAX_BYTES / 1024 + 8192);
    for (int i = 0; i < CLIENTS; i++) {
        closed += is_closed(fds[i], 0);
        close(fds[i]);
    }
    assert_in_range(closed, 1, 16);      /* those for whom there was no room */
    int again = connect_to(server.path); /* what was kept is free again */
    const int small = 4096;
    setsockopt(again, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    send_bytes(again, &request);
    reply = read_reply(again, 3000);
    assert_true(says(&reply, "\"error\"")); /* the body is NULs */
    close(again);
    assert_int_equal(server_stop(&server), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_request_in_pieces_is_taken_when_it_is_whole),
        UNIT(a_body_over_the_limit_is_413_at_once_while_it_still_comes),
        UNIT(a_kept_connection_is_good_after_a_body_over_the_limit),
        UNIT(headers_over_the_limit_are_413_too),
        UNIT(the_largest_request_comes_whole_over_both_kinds_of_sockets),
        UNIT(parts_of_requests_take_a_bounded_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
