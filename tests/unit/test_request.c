/* What a request is read into: parameters by the table, faults, Accept, cookies, hosts. */
#include "asking.h"

/* ── parameters ── */

static void
every_kind_of_parameter_is_read(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET",
        "QUERY_STRING=name=+A%0an+&&text=+a%0Ab+&phone=+1603&count=-3&flag=Yes&other=1");
    assert_int_equal(err, ERR_BAD_PARAMETER); /* a line with a line break inside */
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET",
        "QUERY_STRING=name=+Ann+&&text=+a%0Ab+&phone=+1603&count=-3&flag=Yes&other=1");
    assert_int_equal(err, OK);
    assert_string_equal(r->args[NAME].text, "Ann");
    assert_string_equal(r->args[TEXT].text, " a\nb ");
    assert_string_equal(r->args[PHONE].text, "+1603");
    assert_int_equal(r->args[COUNT_ARG].number, -3);
    assert_int_equal(r->args[FLAG].number, 1);
    assert_false(r->args[FILE_ARG].is_given);
    assert_string_equal(form_get(r->form, "other"), "1");
}

static void
an_empty_value_is_given_but_has_no_text(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "QUERY_STRING=name=A&phone=+&count=&flag=");
    assert_int_equal(err, OK);
    assert_null(r->args[PHONE].text);
    assert_true(r->args[PHONE].is_given && r->args[COUNT_ARG].is_given && r->args[FLAG].is_given);
    assert_null(r->args[COUNT_ARG].text);
    assert_false(r->args[TEXT].is_given);
}

static void
a_wrong_value_is_told_with_its_parameter_in_one_sentence(void **state)
{
    static const struct {
        const char *query, *parameter, *reason;
    } rows[] = {
        {"QUERY_STRING=", "name", "\"name\" is missing."},
        {"QUERY_STRING=name=+", "name", "\"name\" must not be empty."},
        {"QUERY_STRING=name=%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4", "name", "\"name\" is longer than 5 characters."},
        {"QUERY_STRING=name=a%07", "name", "\"name\" must be one line without control characters."},
        {"QUERY_STRING=name=a&text=b", "text", "\"text\" is shorter than 2 characters."},
        {"QUERY_STRING=name=a&count=10", "count", "\"count\" must be a whole number from -3 to 9."},
        {"QUERY_STRING=name=a&count=1x", "count", "\"count\" must be a whole number from -3 to 9."},
        {"QUERY_STRING=name=a&flag=2", "flag", "\"flag\" must be 1 or 0."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err;
        struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", rows[i].query);
        CHECK(err == ERR_BAD_PARAMETER, "%s: no fault", rows[i].query);
        CHECK(unit_same(r->c->fault.parameter, rows[i].parameter), "%s: blames %s", rows[i].query,
            unit_show(r->c->fault.parameter));
        CHECK(unit_same(r->c->fault.reason, rows[i].reason), "%s: says %s", rows[i].query, unit_show(r->c->fault.reason));
    }
    static const char *const bad[] = {"QUERY_STRING=name=%00", "QUERY_STRING=name=%ff", "QUERY_STRING=name=%4"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        enum err err;
        struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", bad[i]);
        CHECK(err == ERR_BAD_PARAMETER && unit_same(r->c->fault.parameter, "name"), "%s is taken", bad[i]);
    }
}

static void
the_query_counts_before_the_body(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "name=body&text=xyz", &err, "REQUEST_METHOD=POST", "QUERY_STRING=name=query",
        "CONTENT_TYPE=application/x-www-form-urlencoded; charset=utf-8");
    assert_int_equal(err, OK);
    assert_string_equal(r->args[NAME].text, "query");
    assert_string_equal(r->args[TEXT].text, "xyz");
}

static void
more_than_256_pairs_are_refused(void **state)
{
    enum err err;
    struct buf query = buf_new(*state, 10000);
    buf_text(&query, "QUERY_STRING=name=a");
    for (int i = 1; i < 256; i++)
        buf_printf(&query, "&p%d=", i);
    MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", buf_str(&query));
    assert_int_equal(err, OK);
    buf_text(&query, "&last=");
    MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", buf_str(&query));
    assert_int_equal(err, ERR_BAD_PARAMETER);
}

static void
a_multipart_body_brings_fields_and_a_file(void **state)
{
    static const char body[] = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAnn\r\n"
                               "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
                               "Content-Type: text/plain\r\n\r\n0123456789\r\n--x--\r\n";
    enum err err;
    struct request *r = MAKE(*state, &json, body, &err, "REQUEST_METHOD=POST", "CONTENT_TYPE=multipart/form-data; boundary=x");
    assert_int_equal(err, OK);
    assert_string_equal(r->args[NAME].text, "Ann");
    assert_non_null(r->args[FILE_ARG].file);
    assert_int_equal(r->args[FILE_ARG].file->bytes, 10);
    assert_memory_equal(r->args[FILE_ARG].file->data, "0123456789", 10);

    static const char large[] =
        "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAnn\r\n"
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n0123456789A\r\n--x--\r\n";
    MAKE(*state, &json, large, &err, "REQUEST_METHOD=POST", "CONTENT_TYPE=multipart/form-data; boundary=x");
    assert_int_equal(err, ERR_TOO_LARGE);
    static const char none[] = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAnn\r\n"
                               "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
    r = MAKE(*state, &json, none, &err, "REQUEST_METHOD=POST", "CONTENT_TYPE=multipart/form-data; boundary=x");
    assert_int_equal(err, OK);
    assert_null(r->args[FILE_ARG].file);
}

static void
a_body_of_another_type_is_refused(void **state)
{
    static const char *const types[] = {"CONTENT_TYPE=text/plain", "CONTENT_TYPE=application/json", "CONTENT_TYPE="};
    for (size_t i = 0; i < COUNT(types); i++) {
        enum err err;
        MAKE(*state, &json, "{\"name\":\"a\"}", &err, "REQUEST_METHOD=POST", "QUERY_STRING=name=a", types[i]);
        assert_int_equal(err, ERR_BAD_PARAMETER);
    }
}

static void
a_request_that_is_too_large_is_413_before_anything_else(void **state)
{
    char *none[] = {(char[]){"REQUEST_METHOD=POST"}, NULL};
    struct input in = {.params = none, .body = "", .is_too_large = true};
    struct request *r = request_new(&json, &process, *state);
    assert_int_equal(request_read(r, &in), ERR_TOO_LARGE);
    assert_true(has(answer_of(r, ERR_TOO_LARGE), "Status: 413 "));
    static const struct service prefork = {.mode = PREFORK};
    assert_int_equal(request_body_max(&json, &settings), BODY_MAX_BYTES);
    assert_int_equal(request_body_max(&prefork, &settings), BODY_MAX_BYTES + 1000);
}

static void
another_method_is_405_with_those_that_are_allowed(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=DELETE", "QUERY_STRING=name=a");
    assert_int_equal(err, ERR_BAD_METHOD);
    assert_true(has(answer_of(r, err), "\r\nAllow: GET, HEAD, POST\r\n"));
    r = MAKE(*state, &xml, "", &err, "REQUEST_METHOD=POST");
    assert_int_equal(err, ERR_BAD_METHOD);
    assert_true(has(answer_of(r, err), "\r\nAllow: GET, HEAD\r\n"));
    r = MAKE(*state, &bare, "", &err, "REQUEST_METHOD=HEAD");
    assert_int_equal(err, ERR_BAD_METHOD);
    request_header(r, "Allow", "POST");
    assert_int_equal(times(answer_of(r, err), "Allow: "), 1);
}

static void
accept_decides_between_json_xml_and_page(void **state)
{
    static const struct {
        const char *accept;
        bool is_json, is_page, is_xml;
    } rows[] = {
        {"HTTP_ACCEPT=*/*", false, false, false},
        {"HTTP_ACCEPT=application/json", true, false, false},
        {"HTTP_ACCEPT=text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false, true, false},
        {"HTTP_ACCEPT=text/html, application/json;q=0.1", true, false, false},
        {"HTTP_ACCEPT=text/html,application/json;q=0", false, true, false},
        {"HTTP_ACCEPT=text/html ; level=1 ; q=0.000", false, false, false},
        {"HTTP_ACCEPT=TEXT/HTML", false, true, false},
        {"HTTP_ACCEPT=text/xml", false, false, true},
        {"HTTP_ACCEPT=application/xml", false, false, true},
        {"HTTP_ACCEPT=application/jsonx, text/htm", false, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err;
        struct request *r = MAKE(*state, &xml, "", &err, "REQUEST_METHOD=GET", rows[i].accept);
        CHECK(r->is_json_wanted == rows[i].is_json && r->is_page_wanted == rows[i].is_page && r->is_xml_wanted == rows[i].is_xml,
            "%s", rows[i].accept);
    }
}

/* ── headers ── */

static void
cookies_carry_the_instance_and_the_prefix_over_https(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "HTTP_COOKIE=a=b; rt_agent=one; __Host-rt_agent=two");
    assert_string_equal(request_cookie_get(r, "agent"), "one");
    assert_null(request_cookie_get(r, "other"));
    request_cookie(r, "agent", "xyz", 60);
    assert_string_equal(buf_str(&r->headers_out), "Set-Cookie: rt_agent=xyz; Path=/; Max-Age=60; HttpOnly; SameSite=Lax\r\n");
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "HTTPS=on", "HTTP_COOKIE=a=b; rt_agent=one; __Host-rt_agent=two");
    assert_true(r->is_https);
    assert_string_equal(request_cookie_get(r, "agent"), "two");
    request_cookie(r, "agent", "xyz", -1);
    assert_string_equal(buf_str(&r->headers_out), "Set-Cookie: __Host-rt_agent=xyz; Path=/; HttpOnly; SameSite=Lax; Secure\r\n");
}

static void
the_origin_comes_from_the_setting_or_a_valid_host(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "HTTP_HOST=a.example:8080", "REQUEST_SCHEME=https");
    assert_string_equal(request_origin(r), "https://a.example:8080");
    r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "HTTP_HOST=a.example/\"<");
    assert_string_equal(request_origin(r), "");
    struct settings public = settings;
    public.public_url = "https://b.example//";
    r->c->settings = &public;
    assert_string_equal(request_origin(r), "https://b.example");
}

static void
an_address_is_our_own_by_its_host_and_port(void **state)
{
    static const struct {
        const char *base, *host, *port, *public_url;
        bool is_own;
    } cases[] = {
        {"http://127.0.0.1", "HTTP_HOST=127.0.0.1", "SERVER_PORT=80", "", true},
        {"http://127.0.0.1:80", "HTTP_HOST=localhost", "SERVER_PORT=80", "", true},
        {"http://localhost:8080", "HTTP_HOST=127.1.2.3:8080", "SERVER_PORT=8080", "", true},
        {"http://127.0.0.1:8081", "HTTP_HOST=127.0.0.1:8080", "SERVER_PORT=8080", "", false},
        {"http://127.0.0.1:8080", "HTTP_HOST=127.0.0.1", "SERVER_PORT=80", "", false},
        {"http://127.0.0.1", "HTTP_HOST=localhost:8080", "SERVER_PORT=80", "", true}, /* a port that is forwarded */
        {"http://127.0.0.1:8080", "HTTP_HOST=a.example", "SERVER_PORT=80", "", true}, /* who could not follow it */
        {"http://127.0.0.1:8080", "HTTP_HOST=127.0.0.1:8443", "HTTPS=on", "", true},  /* the port for plain http is not known */
        {"http://127.0.0.1:8080", "HTTP_HOST=127.0.0.1:81", "SERVER_PORT=81", "http://127.0.0.1:81",
            true}, /* a proxy before it */
        {"http://127.0.0.1:8080", "HTTP_HOST=127.0.0.1:81", "X=parked", "", true},
        {"http://localhost.example.com", "HTTP_HOST=a.example", "SERVER_PORT=80", "", false},
        {"http://127.example.com", "HTTP_HOST=a.example", "SERVER_PORT=80", "", false},
        {"http://collab.localhost", "HTTP_HOST=a.example", "SERVER_PORT=80", "", false},
        {"http://127.0.0.1:99999", "HTTP_HOST=a.example", "SERVER_PORT=80", "", false},
        {"https://127.0.0.1", "HTTP_HOST=127.0.0.1", "HTTPS=on", "", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err err;
        struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", cases[i].host, cases[i].port);
        struct settings set = settings;
        set.collaboration_url = cases[i].base;
        set.public_url = cases[i].public_url;
        r->c->settings = &set;
        const char *url = arena_printf(*state, "%s/cgi_bin/conf_view?conf=1", cases[i].base), *path = request_own_path(r, url);
        CHECK((path != NULL) == cases[i].is_own, "%zu: %s", i, path ? path : "not our own");
        if (path != NULL)
            assert_string_equal(path, "/cgi_bin/conf_view?conf=1");
        else
            assert_string_equal(request_outward(r, url), url);
        assert_null(request_own_path(r, arena_printf(*state, "%s0/x", cases[i].base)));
    }
}

static void
a_host_is_a_name_or_an_address_with_an_optional_port(void **state)
{
    static const char *const good[] = {"a", "a.b-c.example", "127.0.0.1:80", "[::1]", "[::1]:65535", "x_y"};
    static const char *const bad[] = {"", ":80", "a:", "a:123456", "a b", "a/b", "[]", "[::1", "::1", "a:80x", "a@b", "a\r\nb"};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(host_is_valid(good[i]), "%s is refused", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(!host_is_valid(bad[i]), "%s is taken", bad[i]);
}

static void
add_forged_header(void)
{
    struct request *r = request_new(&json, &process, arena_new());
    request_header(r, "X-Name", "a\r\nX-Other: b");
}

static void
a_line_break_in_a_header_ends_the_program(void **state)
{
    char said[1000];
    (void)state;
    int status = unit_in_child(add_forged_header, said, sizeof said);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
the_path_behind_the_program_is_checked(void **state)
{
    enum err err;
    struct request *r = MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "QUERY_STRING=name=a", "PATH_INFO=/1234567");
    assert_int_equal(err, OK);
    assert_string_equal(r->path_info, "/1234567");
    MAKE(*state, &json, "", &err, "REQUEST_METHOD=GET", "QUERY_STRING=name=a", "PATH_INFO=/\xff");
    assert_int_equal(err, ERR_BAD_PARAMETER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_kind_of_parameter_is_read),
        UNIT(an_empty_value_is_given_but_has_no_text),
        UNIT(a_wrong_value_is_told_with_its_parameter_in_one_sentence),
        UNIT(the_query_counts_before_the_body),
        UNIT(more_than_256_pairs_are_refused),
        UNIT(a_multipart_body_brings_fields_and_a_file),
        UNIT(a_body_of_another_type_is_refused),
        UNIT(a_request_that_is_too_large_is_413_before_anything_else),
        UNIT(another_method_is_405_with_those_that_are_allowed),
        UNIT(accept_decides_between_json_xml_and_page),
        UNIT(cookies_carry_the_instance_and_the_prefix_over_https),
        UNIT(the_origin_comes_from_the_setting_or_a_valid_host),
        UNIT(an_address_is_our_own_by_its_host_and_port),
        UNIT(a_host_is_a_name_or_an_address_with_an_optional_port),
        UNIT(a_line_break_in_a_header_ends_the_program),
        UNIT(the_path_behind_the_program_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
