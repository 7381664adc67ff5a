/* How long the BATCH loop waits for the parts of a request: nearly all of it is waiting. */
#include "looped.h"

static struct bytes request;

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_part_of_a_head_holds_up_nobody_and_is_dropped_after_ten_seconds),
        UNIT(a_body_may_take_thirty_seconds_from_when_the_head_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
