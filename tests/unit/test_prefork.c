/* PREFORK from outside: large bodies, connections closed at once, clients that stop in the middle. */
#include "server.h"

static const struct param params[] = {
    {"file", PARAM_FILE, false, 0, 0, "a file"},
    {"size", PARAM_INT, false, 0, 40000000, "bytes of the answer"},
    {.name = NULL},
};

static enum err
answer(struct request *r)
{
    world->answer_calls++;
    value_add_int(r->out, "body", (int64_t)r->body_bytes);
    value_add_int(r->out, "pid", getpid());
    if (r->args[0].file != NULL)
        value_add_int(r->out, "last", r->args[0].file->data[r->args[0].file->bytes - 1]);
    if (r->args[1].text != NULL) {
        r->file.fd = memfd_create("file", MFD_CLOEXEC);
        r->file.bytes = r->args[1].number;
        if (ftruncate(r->file.fd, r->file.bytes) != 0)
            return ERR_UNAVAILABLE;
    }
    return OK;
}

static const struct service prefork = {.name = "prefork",
    .methods = METHOD_GET | METHOD_POST,
    .mode = PREFORK,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .answer = answer};

static bool
says(const struct reply *reply, const char *part)
{
    return reply->is_ended && strstr(reply->data, part) != NULL;
}

static void
send_all(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

/* A multipart upload of `len` bytes in records of 32 KiB. */
static void
send_upload(int fd, size_t len)
{
    static const char before[] = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    static const char after[] = "\r\n--x--\r\n";
    static struct bytes b;
    static char content[32768];
    uint8_t pairs[400];
    size_t used = 0;
    char length[24];
    memset(content, 'c', sizeof content);
    snprintf(length, sizeof length, "%zu", len + sizeof before - 1 + sizeof after - 1);
    add_pair(pairs, &used, "REQUEST_METHOD", "POST");
    add_pair(pairs, &used, "CONTENT_TYPE", "multipart/form-data; boundary=x");
    add_pair(pairs, &used, "CONTENT_LENGTH", length);
    b.len = 0;
    add_begin(&b, 1, 1, true);
    add_record(&b, 4, 1, pairs, used, 0);
    add_record(&b, 4, 1, NULL, 0, 0);
    add_record(&b, 5, 1, before, sizeof before - 1, 0);
    send_all(fd, b.data, b.len);
    for (size_t at = 0; at < len; at += sizeof content) {
        b.len = 0;
        add_record(&b, 5, 1, content, len - at < sizeof content ? len - at : sizeof content, 0);
        send_all(fd, b.data, b.len);
    }
    b.len = 0;
    add_record(&b, 5, 1, after, sizeof after - 1, 0);
    add_record(&b, 5, 1, NULL, 0, 0);
    send_all(fd, b.data, b.len);
}

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

static void
a_client_that_stops_and_stays_is_given_up_after_ten_seconds(void **state)
{
    struct server server = server_start(&prefork, 0);
    static struct bytes b;
    (void)state;
    add_request(&b, 1, true, "", "text=abc", 8, NULL);
    int stuck = connect_to(server.path), deaf = connect_to(server.path), next = connect_to(server.path);
    send_all(stuck, b.data, b.len - 9);
    send_request(deaf, 1, false, "size=30000000");
    send_request(next, 1, false, "");
    int64_t start_ms = clock_boot_ms();
    struct reply reply = read_reply(next, 40000);
    assert_true(says(&reply, "{\"body\":0,"));
    assert_in_range(clock_boot_ms() - start_ms, 19000, 30000); /* ten for the silence, ten for the one who does not read */
    assert_true(is_closed(stuck, 100));
    close(stuck);
    close(deaf);
    close(next);
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
        UNIT(a_client_that_stops_and_stays_is_given_up_after_ten_seconds),
        UNIT(several_processes_share_the_work_and_end_when_they_are_told),
        UNIT(who_is_told_to_end_while_he_starts_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
