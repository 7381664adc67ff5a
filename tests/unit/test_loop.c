/* The BATCH loop from outside: requests in pieces, on kept connections, taken back, too large; clients that read slowly or
 * never. */
#include "server.h"

#include <netinet/in.h>

enum { SIZE, FILE_BYTES };

static const struct param params[] = {
    [SIZE] = {"size", PARAM_INT, false, 0, 4000000, "bytes of the answer"},
    [FILE_BYTES] = {"file", PARAM_INT, false, 0, 40000000, "bytes of a file as the answer"},
    {"text", PARAM_TEXT, false, 0, 110000, "anything"},
    {.name = NULL},
};

static enum err
answer(struct request *r)
{
    world->answer_calls++;
    for (int64_t i = 0; i < r->args[SIZE].number; i++)
        buf_byte(&r->raw, (char)('a' + i % 26));
    if (r->args[FILE_BYTES].text != NULL) {
        r->file.fd = memfd_create("file", MFD_CLOEXEC);
        r->file.bytes = r->args[FILE_BYTES].number;
        if (ftruncate(r->file.fd, r->file.bytes) != 0)
            return ERR_UNAVAILABLE;
    }
    value_add_int(r->out, "body", (int64_t)r->body_bytes);
    return OK;
}

static const struct service batch = {.name = "batch",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .answer = answer};

static bool
says(const struct reply *reply, const char *part)
{
    return reply->is_ended && strstr(reply->data, part) != NULL;
}

static struct bytes request;

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
    if (!IS_SANITIZED)
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
a_part_of_a_head_holds_up_nobody_and_is_dropped_after_ten_seconds(void **state)
{
    struct server server = server_start(&batch, 0);
    int fds[6];
    (void)state;
    request.len = 0;
    add_request(&request, 9, true, "size=", "", 0, NULL);
    const size_t cuts[] = {0, 1, 8, 20, request.len - 17, request.len - 9};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        fds[i] = connect_to(server.path);
        assert_int_equal(send(fds[i], request.data, cuts[i], MSG_NOSIGNAL), cuts[i]);
    }
    int kept = connect_to(server.path); /* and the second request of a connection */
    send_request(kept, 1, true, "text=a");
    struct reply first = read_reply(kept, 1000);
    assert_true(says(&first, "{\"body\":0}"));
    assert_int_equal(send(kept, request.data, request.len - 9, MSG_NOSIGNAL), request.len - 9);
    int other = connect_to(server.path);
    int64_t start_ms = clock_boot_ms();
    int64_t answered = 1;
    for (; clock_boot_ms() - start_ms < 8000; answered++) {
        send_request(other, 1, true, "text=a");
        struct reply reply = read_reply(other, 1000);
        CHECK(says(&reply, "{\"body\":0}"), "request %lld was held up", (long long)answered);
        usleep(500000);
    }
    for (size_t i = 0; i < COUNT(cuts); i++)
        CHECK(!is_closed(fds[i], 0), "%zu bytes: dropped too early", cuts[i]);
    for (size_t i = 0; i < COUNT(cuts); i++)
        CHECK(is_closed(fds[i], 5000), "%zu bytes: kept", cuts[i]);
    assert_true(is_closed(kept, 1000));
    assert_in_range(clock_boot_ms() - start_ms, 9900, 13000);
    send_request(other, 1, true, "text=a"); /* a kept connection may be idle for longer than that */
    struct reply reply = read_reply(other, 1000);
    assert_true(says(&reply, "{\"body\":0}"));
    assert_int_equal(world->answer_calls, answered + 1);
    assert_int_equal(server_stop(&server), 0);
    for (size_t i = 0; i < COUNT(cuts); i++)
        close(fds[i]);
    close(kept);
    close(other);
}

/* A web server that passes a slow client on: the head at once, the body bit by bit. */
static void
a_body_may_take_thirty_seconds_from_when_the_head_is_there(void **state)
{
    struct server server = server_start(&batch, 0);
    (void)state;
    request.len = 0;
    add_request(&request, 9, true, "", "text=abcdefghijklmnopqrstuvwxyz", 31, NULL);
    int slow = connect_to(server.path), never = connect_to(server.path);
    int64_t start_ms = clock_boot_ms();
    const size_t body = 8 + 31 + 8; /* with the heads of its two records */
    assert_int_equal(send(never, request.data, request.len - body, MSG_NOSIGNAL), request.len - body);
    for (size_t at = 0; at < request.len;) {
        size_t bytes = at == 0 ? request.len - body : 4;
        bytes = bytes < request.len - at ? bytes : request.len - at;
        assert_int_equal(send(slow, request.data + at, bytes, MSG_NOSIGNAL), bytes);
        at += bytes;
        usleep(1000000);
    }
    struct reply reply = read_reply(slow, 1000);
    assert_true(clock_boot_ms() - start_ms > LOOP_REQUEST_MS);
    assert_true(says(&reply, "{\"body\":31}"));
    assert_false(is_closed(never, 0));
    assert_true(is_closed(never, LOOP_BODY_MS));
    assert_in_range(clock_boot_ms() - start_ms, LOOP_BODY_MS - 100, LOOP_BODY_MS + 3000);
    close(never);
    close(slow);
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

static void
a_request_whose_sender_is_gone_is_still_done(void **state)
{
    struct server server = server_start(&batch, 0);
    (void)state;
    int kept = connect_to(server.path);
    send_request(kept, 1, true, "");
    struct reply reply = read_reply(kept, 2000);
    assert_true(says(&reply, "{\"body\":0}"));
    int before = server_descriptors(&server);
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 20; i++) {
        int fd = connect_to(server.path);
        send_request(fd, 1, true, "size=100000");
        close(fd);
    }
    kill(server.pid, SIGCONT);
    assert_true(wait_until(&world->answer_calls, 21));
    for (int i = 0; i < 300 && server_descriptors(&server) != before; i++)
        usleep(10000);
    assert_int_equal(server_descriptors(&server), before);
    send_request(kept, 1, true, "");
    reply = read_reply(kept, 2000);
    assert_true(says(&reply, "{\"body\":0}"));
    close(kept);
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
    if (!IS_SANITIZED)
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
        UNIT(a_request_in_pieces_is_taken_when_it_is_whole),
        UNIT(a_part_of_a_head_holds_up_nobody_and_is_dropped_after_ten_seconds),
        UNIT(a_body_may_take_thirty_seconds_from_when_the_head_is_there),
        UNIT(a_client_that_never_reads_holds_up_nobody),
        UNIT(a_body_over_the_limit_is_413_at_once_while_it_still_comes),
        UNIT(a_kept_connection_is_good_after_a_body_over_the_limit),
        UNIT(headers_over_the_limit_are_413_too),
        UNIT(what_is_no_request_is_answered_or_closed),
        UNIT(a_request_whose_sender_is_gone_is_still_done),
        UNIT(the_largest_request_comes_whole_over_both_kinds_of_sockets),
        UNIT(parts_of_requests_take_a_bounded_memory),
        UNIT(at_the_end_requests_in_hand_and_answers_on_their_way_are_finished),
        UNIT(at_the_end_a_kept_connection_is_good_for_one_more_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
