/* FastCGI records: what stands at the front of a connection, reading a request with libfcgi, the records of an answer. */
#include "records.h"

#include <fcntl.h>

#include "base/clock.h"
#include "io/fcgi.h"

enum { BODY_LIMIT = 65536 };

static struct bytes whole;

static struct fcgi_front
look(size_t bytes)
{
    char *exact = unit_exact((const char *)whole.data, bytes);
    struct fcgi_front front = fcgi_look((uint8_t *)exact, bytes, BODY_LIMIT);
    unit_free_exact(exact, bytes);
    return front;
}

static void
a_request_is_whole_with_its_empty_stdin_and_not_a_byte_before(void **state)
{
    (void)state;
    whole.len = 0;
    add_request(&whole, 258, true, "a=1", "b=2", 3, NULL);
    for (size_t bytes = 0; bytes < whole.len; bytes++)
        CHECK(look(bytes).kind == FRONT_PART, "%zu of %zu bytes", bytes, whole.len);
    struct fcgi_front front = look(whole.len);
    assert_int_equal(front.kind, FRONT_REQUEST);
    assert_int_equal(front.id, 258);
    assert_true(front.keep);
    assert_int_equal(front.bytes, whole.len);
}

static void
the_bytes_of_the_next_request_do_not_count(void **state)
{
    (void)state;
    whole.len = 0;
    add_request(&whole, 1, false, "", "", 0, NULL);
    size_t first = whole.len;
    add_begin(&whole, 1, 1, false);
    struct fcgi_front front = look(whole.len);
    assert_int_equal(front.kind, FRONT_REQUEST);
    assert_false(front.keep);
    assert_int_equal(front.bytes, first);
}

static void
params_may_come_in_many_records_of_any_size(void **state)
{
    uint8_t params[64];
    size_t len = 0;
    (void)state;
    whole.len = 0;
    add_begin(&whole, 7, 1, true);
    add_pair(params, &len, "REQUEST_METHOD", "GET");
    for (size_t i = 0; i < len; i++)
        add_record(&whole, 4, 7, params + i, 1, i % 8);
    add_record(&whole, 4, 7, NULL, 0, 0);
    add_record(&whole, 5, 7, "abc", 3, 255);
    add_record(&whole, 5, 7, NULL, 0, 0);
    assert_int_equal(look(whole.len - 1).kind, FRONT_PART);
    assert_int_equal(look(whole.len).kind, FRONT_REQUEST);
}

static void
a_body_over_the_limit_is_seen_as_soon_as_a_record_says_so(void **state)
{
    static char body[BODY_LIMIT + 1];
    (void)state;
    whole.len = 0;
    add_request(&whole, 1, false, "", body, BODY_LIMIT, NULL);
    assert_int_equal(look(whole.len).kind, FRONT_REQUEST);
    whole.len = 0;
    add_begin(&whole, 1, 1, false);
    add_params(&whole, 1, "POST", "", "65537");
    add_record(&whole, 5, 1, body, 60000, 0);
    size_t fits = whole.len;
    add_record(&whole, 5, 1, body, 5537, 0);
    assert_int_equal(look(fits).kind, FRONT_PART);
    assert_int_equal(look(fits + 7).kind, FRONT_PART);
    assert_int_equal(look(fits + 8).kind, FRONT_TOO_LARGE);
}

static void
variables_over_the_limit_are_refused(void **state)
{
    static char query[FCGI_HEAD_MAX_BYTES + 1];
    (void)state;
    memset(query, 'a', FCGI_HEAD_MAX_BYTES);
    whole.len = 0;
    add_request(&whole, 1, false, query, "", 0, NULL);
    assert_int_equal(look(whole.len).kind, FRONT_HEAD_LARGE);
}

static void
what_is_not_a_request_of_a_responder_is_told_apart(void **state)
{
    static const struct {
        const char *name;
        uint8_t data[48];
        size_t len;
        enum fcgi_front_kind kind;
    } rows[] = {
        {"another version", {2, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0}, 16, FRONT_BAD},
        {"HTTP", "GET / HTTP/1.0\r\n\r\n", 18, FRONT_BAD},
        {"params without a beginning", {1, 4, 0, 1, 0, 0, 0, 0}, 8, FRONT_BAD},
        {"a beginning of another length", {1, 1, 0, 1, 0, 7, 1, 0, 0, 1, 0}, 16, FRONT_BAD},
        {"a beginning with padding", {1, 1, 0, 1, 0, 8, 8, 0, 0, 1, 0}, 24, FRONT_BAD},
        {"an end of the variables with padding",
            {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 0, 8, 0, 1, 99, 0, 0, 0, 0, 0, 0}, 32, FRONT_BAD},
        {"an end of the body with padding",
            {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 1, 0, 0}, 33, FRONT_BAD},
        {"an authorizer", {1, 1, 0, 1, 0, 8, 0, 0, 0, 2, 0}, 16, FRONT_BAD_ROLE},
        {"a filter", {1, 1, 0, 1, 0, 8, 0, 0, 0, 3, 0}, 16, FRONT_BAD_ROLE},
        {"a second beginning", {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 8, 0, 0}, 24, FRONT_BAD},
        {"another id", {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 2, 0, 0, 0, 0}, 24, FRONT_BAD},
        {"stdin before params", {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 0, 0}, 24, FRONT_BAD},
        {"params after their end",
            {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 0, 0, 0, 1, 4, 0, 1, 0, 1, 0, 0}, 32, FRONT_BAD},
        {"data of a filter", {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 8, 0, 1, 0, 0, 0, 0}, 24, FRONT_BAD},
        {"taken back", {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1, 0, 0, 0, 0}, 24, FRONT_ABORT},
        {"variables longer than their record",
            {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 3, 0, 0, 1, 1, 'a', 1, 4, 0, 1, 0, 0, 0, 0}, 35,
            FRONT_BAD},
        {"variables of two gigabytes",
            {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 5, 0, 0, 0xff, 0xff, 0xff, 0xff, 1}, 29, FRONT_BAD},
        {"a question within a request", {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0}, 24, FRONT_BAD},
        {"a question", {1, 9, 0, 0, 0, 0, 0, 0}, 8, FRONT_QUESTION},
        {"half a question", {1, 9, 0, 0, 0, 2, 0, 0, 1}, 9, FRONT_PART},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fcgi_front front = fcgi_look(rows[i].data, rows[i].len, BODY_LIMIT);
        CHECK(front.kind == rows[i].kind, "%s: %d", rows[i].name, front.kind);
    }
    assert_true(fcgi_is_abort((const uint8_t[]){1, 2, 1, 2, 0, 0, 0, 0}, 8, 258));
    assert_false(fcgi_is_abort((const uint8_t[]){1, 2, 1, 2, 0, 0, 0, 0}, 8, 259));
    assert_false(fcgi_is_abort((const uint8_t[]){1, 2, 1, 2, 0, 0, 0, 0}, 7, 258));
    assert_false(fcgi_is_abort((const uint8_t[]){1, 1, 1, 2, 0, 0, 0, 0}, 8, 258));
}

/* What fcgi_look_on() says of the records behind the head, which come in pieces of `step` bytes; *used: up to where. */
static enum fcgi_front_kind
look_on(size_t head_bytes, size_t step, size_t *used)
{
    struct fcgi_body body = {.id = 1};
    enum fcgi_front_kind kind = FRONT_PART;
    for (*used = head_bytes; kind == FRONT_PART && *used < whole.len;) {
        size_t bytes = whole.len - *used < step ? whole.len - *used : step, piece;
        char *exact = unit_exact((const char *)whole.data + *used, bytes);
        kind = fcgi_look_on(&body, (uint8_t *)exact, bytes, BODY_LIMIT, &piece);
        unit_free_exact(exact, bytes);
        assert_true(piece == bytes || kind != FRONT_PART);
        *used += piece;
    }
    return kind;
}

/* Where the second look begins again it says what the first would say of all. */
static void
a_body_is_looked_at_piece_by_piece_as_it_is_as_a_whole(void **state)
{
    static char body[BODY_LIMIT + 1];
    static const struct {
        const char *name;
        size_t body_bytes;
        size_t padding;
        uint8_t tail[24];
        size_t tail_bytes;
    } rows[] = {
        {"whole", 5000, 0, {1, 5, 0, 1, 0, 0, 0, 0}, 8},
        {"whole, with padding", 5000, 7, {1, 5, 0, 1, 0, 0, 0, 0}, 8},
        {"all but a byte of padding", 5000, 7, {1, 5, 0, 1, 0, 1, 2, 0, 'a', 0}, 10},
        {"an end with padding", 5000, 7, {1, 5, 0, 1, 0, 0, 2, 0, 0, 0}, 10},
        {"with more behind it", 5000, 0, {1, 5, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1}, 12},
        {"the largest", BODY_LIMIT, 0, {1, 5, 0, 1, 0, 0, 0, 0}, 8},
        {"too large", BODY_LIMIT, 0, {1, 5, 0, 1, 0, 1, 0, 0, 'a'}, 9},
        {"taken back", 5000, 3, {1, 2, 0, 1, 0, 0, 0, 0}, 8},
        {"half taken back", 5000, 3, {1, 2, 0, 1, 0, 2, 0, 0, 0}, 9},
        {"variables again", 10, 0, {1, 4, 0, 1, 0, 0, 0, 0}, 8},
        {"another id", 10, 0, {1, 5, 0, 2, 0, 0, 0, 0}, 8},
        {"another version", 10, 0, {2, 5, 0, 1, 0, 0, 0, 0}, 8},
        {"a question", 10, 0, {1, 9, 0, 0, 0, 0, 0, 0}, 8},
        {"nothing yet", 0, 0, {0}, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        whole.len = 0;
        add_begin(&whole, 1, 1, false);
        add_params(&whole, 1, "POST", "", "5000");
        size_t head_bytes = whole.len, used;
        for (size_t at = 0; at < rows[i].body_bytes; at += 4096)
            add_record(&whole, 5, 1, body, rows[i].body_bytes - at < 4096 ? rows[i].body_bytes - at : 4096, rows[i].padding);
        memcpy(whole.data + whole.len, rows[i].tail, rows[i].tail_bytes);
        whole.len += rows[i].tail_bytes;
        struct fcgi_front front = look(whole.len);
        assert_int_equal(front.head_bytes, head_bytes);
        const size_t steps[] = {1, 3, 8, 1000, sizeof whole.data};
        for (size_t n = 0; n < COUNT(steps); n++) {
            enum fcgi_front_kind kind = look_on(head_bytes, steps[n], &used);
            CHECK(kind == front.kind, "%s, in steps of %zu: %d, not %d", rows[i].name, steps[n], kind, front.kind);
            CHECK(kind != FRONT_REQUEST || used == front.bytes, "%s, in steps of %zu: %zu bytes", rows[i].name, steps[n], used);
        }
    }
}

/* ── reading ── */

static int ends[2]; /* the web server's, ours */

static void
make_ends(bool is_blocking)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    if (!is_blocking)
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
}

static void
a_request_is_taken_with_variables_and_body_and_the_connection_stays_open(void **state)
{
    struct fcgi_taken taken;
    static char body[60000];
    memset(body, 'b', sizeof body);
    make_ends(false);
    for (int i = 0; i < 3; i++) {
        whole.len = 0;
        add_request(&whole, 300 + i, i < 2, "name=%C3%A4&x", body, i == 0 ? 0 : sizeof body, i == 2 ? "" : NULL);
        send_bytes(ends[0], &whole);
        assert_int_equal(fcgi_take(ends[1], *state, BODY_LIMIT, &taken), OK);
        assert_int_equal(taken.id, 300 + i);
        assert_int_equal(taken.keep, i < 2);
        assert_int_equal(taken.announced, i == 0 ? 0 : i == 1 ? (int64_t)sizeof body : -1);
        assert_string_equal(input_get(taken.input.params, "QUERY_STRING"), "name=%C3%A4&x");
        assert_string_equal(input_get(taken.input.params, "REQUEST_METHOD"), i == 0 ? "GET" : "POST");
        assert_null(input_get(taken.input.params, "REQUEST"));
        assert_int_equal(taken.input.body_bytes, i == 0 ? 0 : sizeof body);
        assert_memory_equal(taken.input.body, body, taken.input.body_bytes);
        assert_int_equal(taken.input.body[taken.input.body_bytes], 0);
    }
    assert_int_equal(send(ends[1], "x", 1, MSG_NOSIGNAL), 1);
    close(ends[0]);
    close(ends[1]);
}

static void
a_body_over_the_limit_is_told_without_being_read(void **state)
{
    static char body[20000];
    struct fcgi_taken taken;
    const char *const lengths[] = {NULL, ""};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        make_ends(false);
        whole.len = 0;
        add_request(&whole, 1, true, "", body, sizeof body, lengths[i]);
        send_bytes(ends[0], &whole);
        assert_int_equal(fcgi_take(ends[1], *state, 9999, &taken), OK);
        assert_true(taken.input.is_too_large);
        assert_int_equal(taken.input.body_bytes, 0);
        close(ends[0]);
        close(ends[1]);
    }
}

static void
a_request_that_is_not_whole_is_refused_at_once_and_its_descriptor_closed(void **state)
{
    struct fcgi_taken taken;
    whole.len = 0;
    add_request(&whole, 1, true, "a=1", "body", 4, NULL);
    const size_t cuts[] = {0, 5, 20, 100, whole.len - 10, whole.len - 1};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        make_ends(false);
        assert_int_equal(send(ends[0], whole.data, cuts[i], 0), cuts[i]);
        int64_t start_ms = clock_boot_ms();
        enum err err = fcgi_take(ends[1], *state, BODY_LIMIT, &taken);
        CHECK(err != OK, "%zu bytes were taken for a request", cuts[i]);
        CHECK(clock_boot_ms() - start_ms < 1000, "%zu bytes: lingered", cuts[i]);
        assert_int_equal(fcntl(ends[1], F_GETFD), -1);
        close(ends[0]);
    }
}

static void
a_body_of_another_length_than_announced_is_refused(void **state)
{
    const char *const lengths[] = {"3", "5", "0"};
    struct fcgi_taken taken;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        make_ends(false);
        whole.len = 0;
        add_request(&whole, 1, true, "", "body", 4, lengths[i]);
        send_bytes(ends[0], &whole);
        CHECK(fcgi_take(ends[1], *state, BODY_LIMIT, &taken) == ERR_BAD_PARAMETER, "length %s", lengths[i]);
        close(ends[0]);
    }
}

static void
a_request_that_was_read_before_is_taken_in_the_same_way(void **state)
{
    struct fcgi_taken taken;
    static char body[100000];
    memset(body, 'b', sizeof body);
    whole.len = 0;
    add_request(&whole, 7, true, "a=1", body, sizeof body, NULL);
    int free_fd = dup(0);
    close(free_fd);
    assert_int_equal(fcgi_take_kept(whole.data, whole.len, *state, sizeof body, &taken), OK);
    assert_true(taken.id == 7 && taken.keep && !taken.input.is_too_large);
    assert_string_equal(input_get(taken.input.params, "QUERY_STRING"), "a=1");
    assert_int_equal(taken.input.body_bytes, sizeof body);
    assert_memory_equal(taken.input.body, body, sizeof body);
    assert_int_equal(fcgi_take_kept(whole.data, whole.len - 5000, *state, 0, &taken), OK);
    assert_true(taken.input.is_too_large);
    assert_int_not_equal(fcgi_take_kept(whole.data, 100, *state, sizeof body, &taken), OK);
    assert_int_equal(fcntl(free_fd, F_GETFD), -1); /* no descriptor is left behind */
}

/* ── writing ── */

static void
an_answer_is_stdout_records_an_empty_one_and_the_end(void **state)
{
    struct buf out = buf_new(*state, 300000);
    static char text[100000];
    memset(text, 't', sizeof text);
    fcgi_stdout(&out, 258, text, sizeof text);
    fcgi_end(&out, 258, FCGI_DONE);
    static const uint8_t first[] = {1, 6, 1, 2, 0xff, 0xf8, 0, 0, 't'};
    static const uint8_t second[] = {1, 6, 1, 2, 0x86, 0xa8, 0, 0, 't'};
    static const uint8_t end[] = {1, 6, 1, 2, 0, 0, 0, 0, 1, 3, 1, 2, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(out.len, sizeof text + 16 + FCGI_END_BYTES);
    assert_int_equal(sizeof end, FCGI_END_BYTES);
    assert_memory_equal(out.data, first, sizeof first);
    assert_memory_equal(out.data + 8 + 65528, second, sizeof second);
    assert_memory_equal(out.data + 16 + sizeof text, end, sizeof end);
}

static void
a_management_record_is_answered(void **state)
{
    static const char ask[] = "\1\x09\0\0\0\x21\0\0\x0e\0FCGI_MAX_CONNS\x0f\0FCGI_MPXS_CONNS";
    static const char told[] = "\1\x0a\0\0\0\x12\0\0\x0f\1FCGI_MPXS_CONNS0";
    static const char other[] = "\1\x0b\0\0\0\x08\0\0\x63\0\0\0\0\0\0\0";
    uint8_t out[FCGI_REPLY_MAX_BYTES];
    (void)state;
    assert_int_equal(fcgi_reply(out, (const uint8_t *)BYTES(ask)), sizeof told - 1);
    assert_memory_equal(out, told, sizeof told - 1);
    assert_int_equal(fcgi_reply(out, (const uint8_t *)BYTES("\1\x63\0\0\0\0\0\0")), sizeof other - 1);
    assert_memory_equal(out, other, sizeof other - 1);
    assert_int_equal(fcgi_reply(out, (const uint8_t *)BYTES("\1\x09\0\0\0\4\0\0\x7f\0ab")), 8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_request_is_whole_with_its_empty_stdin_and_not_a_byte_before),
        UNIT(the_bytes_of_the_next_request_do_not_count),
        UNIT(params_may_come_in_many_records_of_any_size),
        UNIT(a_body_over_the_limit_is_seen_as_soon_as_a_record_says_so),
        UNIT(variables_over_the_limit_are_refused),
        UNIT(what_is_not_a_request_of_a_responder_is_told_apart),
        UNIT(a_body_is_looked_at_piece_by_piece_as_it_is_as_a_whole),
        UNIT(a_request_is_taken_with_variables_and_body_and_the_connection_stays_open),
        UNIT(a_body_over_the_limit_is_told_without_being_read),
        UNIT(a_request_that_is_not_whole_is_refused_at_once_and_its_descriptor_closed),
        UNIT(a_request_that_was_read_before_is_taken_in_the_same_way),
        UNIT(a_body_of_another_length_than_announced_is_refused),
        UNIT(an_answer_is_stdout_records_an_empty_one_and_the_end),
        UNIT(a_management_record_is_answered),
    };
    assert_int_equal(fcgi_start(STDIN_FILENO), OK); /* here no socket: only what is for libfcgi counts */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
