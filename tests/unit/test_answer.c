/* The bytes that are answered: the form that is wanted, errors, headers, files and ranges of them. */
#include "asking.h"

#include <fcntl.h>

/* ── the form of the answer ── */

static void
a_tree_is_written_as_the_service_and_accept_say(void **state)
{
    static const struct {
        const struct service *service;
        const char *accept, *name, *type, *body;
    } rows[] = {
        {&json, "HTTP_ACCEPT=*/*", "list", "application/json", "{\"n\":1}"},
        {&json, "HTTP_ACCEPT=text/xml", "list", "application/xml", "<n>1</n>"},
        {&json, "HTTP_ACCEPT=text/xml", NULL, "application/json", "{\"n\":1}"},
        {&xml, "HTTP_ACCEPT=*/*", "list", "application/xml", "<n>1</n>"},
        {&xml, "HTTP_ACCEPT=application/json", "list", "application/json", "{\"n\":1}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err;
        struct request *r = MAKE(*state, rows[i].service, "", &err, "REQUEST_METHOD=GET", "QUERY_STRING=name=a", rows[i].accept);
        r->out_name = rows[i].name;
        value_add_int(r->out, "n", 1);
        const char *answer = answer_of(r, err);
        CHECK(has(answer, "Status: 200 OK\r\n") && has(answer, rows[i].type) && has(body_of(answer), rows[i].body), "row %zu: %s",
            i, answer);
    }
}

static void
an_error_has_status_code_parameter_and_reason_in_the_form_that_is_wanted(void **state)
{
    static const struct {
        const struct service *service;
        const char *accept, *body;
    } rows[] = {
        {&json, "HTTP_ACCEPT=*/*", "{\"error\":{\"code\":\"conflict\",\"parameter\":\"reqid\",\"reason\":\"No, twice.\"}}"},
        {&xml, "HTTP_ACCEPT=application/json",
            "{\"error\":{\"code\":\"conflict\",\"parameter\":\"reqid\",\"reason\":\"No, twice.\"}}"},
        {&json, "HTTP_ACCEPT=text/html", "<p>/pages/templates/message: No, twice.</p>"},
        {&page, "HTTP_ACCEPT=*/*", "<p>/pages/templates/message: No, twice.</p>"},
        {&page, "HTTP_ACCEPT=application/json",
            "{\"error\":{\"code\":\"conflict\",\"parameter\":\"reqid\",\"reason\":\"No, twice.\"}}"},
        {&bare, "HTTP_ACCEPT=text/html", "{\"error\":{\"code\":\"conflict\",\"parameter\":\"reqid\",\"reason\":\"No, twice.\"}}"},
    };
    enum err err;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request *r = MAKE(*state, rows[i].service, "", &err, "REQUEST_METHOD=GET", rows[i].accept);
        const char *answer = answer_of(r, center_fault(r->c, ERR_CONFLICT, "reqid", "No, %s.", "twice"));
        CHECK(has(answer, "Status: 409 Conflict\r\n") && strcmp(body_of(answer), rows[i].body) == 0, "row %zu: %s", i, answer);
    }
    struct request *r = MAKE(*state, &xml, "", &err, "REQUEST_METHOD=GET");
    static const char *const parts[] = {"<message type=\"error\">", "<code>not_found</code>", "<parameter>id</parameter>",
        "<reason>None.</reason>", "</message>"};
    const char *at = body_of(answer_of(r, center_fault(r->c, ERR_NOT_FOUND, "id", "None.")));
    for (size_t i = 0; i < COUNT(parts); i++) {
        at = strstr(at, parts[i]);
        CHECK(at != NULL, "%s is not where it belongs", parts[i]);
    }
}

static void
every_answer_carries_the_security_headers_once(void **state)
{
    static const char *const lines[] = {
        ("Content-Security-Policy: default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' blob: data:; "
         "media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
         "frame-ancestors 'self'\r\n"),
        "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: same-origin\r\n", "Cache-Control: no-store\r\n",
        "Content-Length: "};
    for (enum err err = OK; err < ERR_MAX; err++) {
        enum err ignored;
        struct request *r = MAKE(*state, &json, "", &ignored, "REQUEST_METHOD=GET", "HTTP_ACCEPT=text/html");
        r->see_other = err == OK ? "/there" : NULL;
        const char *answer = answer_of(r, err);
        for (size_t i = 0; i < COUNT(lines); i++)
            CHECK(times(answer, lines[i]) == 1, "%s in:\n%s", lines[i], answer);
    }
}

static void
a_changing_program_sends_a_browser_on_and_answers_others(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "QUERY_STRING=name=a", "HTTP_ACCEPT=text/html");
    r->see_other = "/room?x=1";
    const char *answer = answer_of(r, err);
    assert_true(has(answer, "Status: 303 See Other\r\n"));
    assert_true(has(answer, "\r\nLocation: /room?x=1\r\n"));
    assert_true(has(answer, "Content-Length: 0\r\n") && body_of(answer)[0] == '\0');
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "QUERY_STRING=name=a");
    r->see_other = "/room";
    assert_true(has(answer_of(r, err), "Status: 200 OK\r\n"));
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "QUERY_STRING=name=a");
    r->see_other = "/room";
    r->redirect = true;
    assert_true(has(answer_of(r, err), "Status: 303 See Other\r\n"));
}

static void
limits_and_faults_outside_say_when_to_try_again(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    assert_true(has(answer_of(r, ERR_UNAVAILABLE), "\r\nRetry-After: 2\r\n"));
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    assert_true(has(answer_of(r, ERR_TOO_MANY), "\r\nRetry-After: 60\r\n"));
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    r->c->fault.retry_s = 7;
    assert_true(has(answer_of(r, ERR_TOO_MANY), "\r\nRetry-After: 7\r\n"));
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    assert_false(has(answer_of(r, ERR_CONFLICT), "Retry-After"));
}

static void
a_missing_credential_is_challenged_but_never_with_basic_in_a_browser(void **state)
{
    static const struct {
        const struct service *service;
        const char *accept, *line;
    } rows[] = {
        {&json, "HTTP_ACCEPT=*/*", "WWW-Authenticate: Bearer realm=\"rt\"\r\n"},
        {&xml, "HTTP_ACCEPT=*/*", "WWW-Authenticate: Basic realm=\"rt\"\r\n"},
        {&xml, "HTTP_ACCEPT=text/html", "WWW-Authenticate: Bearer realm=\"rt\"\r\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err;
        struct request *r = MAKE(*state, rows[i].service, "", &err, "REQUEST_METHOD=GET", rows[i].accept);
        CHECK(has(answer_of(r, ERR_UNAUTHORIZED), rows[i].line), "row %zu", i);
    }
}

static void
head_is_get_without_the_body(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=HEAD", "QUERY_STRING=name=a");
    value_add_int(r->out, "n", 1);
    const char *answer = answer_of(r, err);
    assert_true(has(answer, "Content-Length: 7\r\n"));
    assert_string_equal(body_of(answer), "");
}

static void
a_page_that_cannot_be_written_is_503_as_is_an_answer_over_its_limit(void **state)
{
    enum err err;
    struct answer answer;
    struct request *r = MAKE(*state, &page, "", &err, "REQUEST_METHOD=GET");
    r->page = "broken";
    assert_int_equal(answer_write(r, OK, &answer), ERR_UNAVAILABLE);
    assert_true(has(buf_str(&answer.bytes), "Status: 503 "));
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    r->raw = buf_new(*state, 3);
    buf_text(&r->raw, "four");
    assert_int_equal(answer_write(r, OK, &answer), ERR_UNAVAILABLE);
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    for (int i = 0; i < 100; i++)
        request_header(r, "X-Long", "0123456789012345678901234567890123456789");
    assert_int_equal(answer_write(r, OK, &answer), ERR_UNAVAILABLE);
}

static void
raw_bytes_and_an_empty_text_are_answers(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    buf_bytes(&r->raw, BYTES("a\0b"));
    r->content_type = "text/csv";
    struct answer answer;
    assert_int_equal(answer_write(r, OK, &answer), OK);
    assert_memory_equal(answer.bytes.data + answer.bytes.len - 7, "\r\n\r\na\0b", 7);
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    r->content_type = "text/csv";
    const char *empty = answer_of(r, OK);
    assert_true(has(empty, "Content-Type: text/csv\r\nContent-Length: 0\r\n"));
}

/* ── files ── */

static void
a_range_of_a_file_is_cut_out(void **state)
{
    static const struct {
        const char *range, *if_range;
        const char *status, *line;
        int64_t offset, bytes;
    } rows[] = {
        {"X=", "X=", "200 OK", "Accept-Ranges: bytes\r\n", 5, 100},
        {"HTTP_RANGE=bytes=0-0", "X=", "206 ", "Content-Range: bytes 0-0/100\r\n", 5, 1},
        {"HTTP_RANGE=bytes=10-19", "X=", "206 ", "Content-Range: bytes 10-19/100\r\n", 15, 10},
        {"HTTP_RANGE=bytes=90-", "X=", "206 ", "Content-Range: bytes 90-99/100\r\n", 95, 10},
        {"HTTP_RANGE=bytes=90-400", "X=", "206 ", "Content-Range: bytes 90-99/100\r\n", 95, 10},
        {"HTTP_RANGE=bytes=-5", "X=", "206 ", "Content-Range: bytes 95-99/100\r\n", 100, 5},
        {"HTTP_RANGE=bytes=-500", "X=", "206 ", "Content-Range: bytes 0-99/100\r\n", 5, 100},
        {"HTTP_RANGE=bytes=100-", "X=", "416 ", "Content-Range: bytes */100\r\n", 0, 0},
        {"HTTP_RANGE=bytes=-0", "X=", "416 ", "Content-Range: bytes */100\r\n", 0, 0},
        {"HTTP_RANGE=bytes=90-99999999999999999999", "X=", "206 ", "Content-Range: bytes 90-99/100\r\n", 95, 10},
        {"HTTP_RANGE=bytes=99999999999999999999-", "X=", "416 ", "Content-Range: bytes */100\r\n", 0, 0},
        {"HTTP_RANGE=bytes=9-8", "X=", "200 OK", "", 5, 100},
        {"HTTP_RANGE=bytes=-", "X=", "200 OK", "", 5, 100},
        {"HTTP_RANGE=bytes=1-2,4-5", "X=", "200 OK", "", 5, 100},
        {"HTTP_RANGE=lines=1-2", "X=", "200 OK", "", 5, 100},
        {"HTTP_RANGE=bytes=1-2", "HTTP_IF_RANGE=\"v1\"", "206 ", "", 6, 2},
        {"HTTP_RANGE=bytes=1-2", "HTTP_IF_RANGE=\"v\"", "200 OK", "", 5, 100},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err;
        struct answer answer;
        struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", rows[i].range, rows[i].if_range);
        request_header(r, "ETag", "\"v1\"");
        r->file = (struct body_file){.fd = open("/dev/null", O_RDONLY), .offset = 5, .bytes = 100};
        bool is_there = rows[i].bytes > 0;
        assert_int_equal(answer_write(r, OK, &answer), is_there ? OK : ERR_BAD_RANGE);
        const char *head = buf_str(&answer.bytes);
        CHECK(has(head, rows[i].status) && has(head, rows[i].line), "%s: %s", rows[i].range, head);
        CHECK((answer.file.fd >= 0) == is_there, "%s: file", rows[i].range);
        CHECK(is_there == !has(head, "The file has 100 bytes and no such part.") && is_there == has(head, "ETag"), "%s: %s",
            rows[i].range, head);
        CHECK(!is_there || (answer.file.offset == rows[i].offset && answer.file.bytes == rows[i].bytes),
            "%s: %lld bytes from %lld", rows[i].range, (long long)answer.file.bytes, (long long)answer.file.offset);
        CHECK(!is_there || has(head, arena_printf(*state, "Content-Length: %lld\r\n", (long long)rows[i].bytes)), "%s: length",
            rows[i].range);
        close(answer.file.fd);
    }
}

static void
the_file_of_an_answer_that_became_an_error_is_closed(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET");
    int fd = open("/dev/null", O_RDONLY);
    r->file = (struct body_file){.fd = fd, .bytes = 1};
    assert_true(has(answer_of(r, ERR_GONE), "Status: 410 Gone\r\n"));
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=HEAD");
    fd = open("/dev/null", O_RDONLY);
    r->file = (struct body_file){.fd = fd, .bytes = 1};
    assert_true(has(answer_of(r, OK), "Content-Length: 1\r\n"));
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_tree_is_written_as_the_service_and_accept_say),
        UNIT(an_error_has_status_code_parameter_and_reason_in_the_form_that_is_wanted),
        UNIT(every_answer_carries_the_security_headers_once),
        UNIT(a_changing_program_sends_a_browser_on_and_answers_others),
        UNIT(limits_and_faults_outside_say_when_to_try_again),
        UNIT(a_missing_credential_is_challenged_but_never_with_basic_in_a_browser),
        UNIT(head_is_get_without_the_body),
        UNIT(a_page_that_cannot_be_written_is_503_as_is_an_answer_over_its_limit),
        UNIT(raw_bytes_and_an_empty_text_are_answers),
        UNIT(a_range_of_a_file_is_cut_out),
        UNIT(the_file_of_an_answer_that_became_an_error_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
