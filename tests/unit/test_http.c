/* The calls to other servers, against small servers in processes of their own on 127.0.0.1: one that answers as its path says,
 * one that never accepts, and one behind a certificate that nobody signed. */
#include "unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "io/http.h"

static int port;
static pid_t server;

/* ── the server ── */

static void
say(int fd, const char *text)
{
    for (size_t left = strlen(text); left;) {
        ssize_t sent = write(fd, text, left);
        if (sent <= 0)
            _exit(0);
        text += sent;
        left -= (size_t)sent;
    }
}

static void
answer(int fd, const char *head, const char *body)
{
    char line[300];
    snprintf(line, sizeof line, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", head, strlen(body));
    say(fd, line);
    say(fd, body);
}

static void
answer_10_mb(int fd, bool is_chunked)
{
    static char chunk[65537];
    memset(chunk, 'x', 65536);
    say(fd, is_chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       : "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n");
    for (int i = 0; i < 160; i++) {
        if (is_chunked)
            say(fd, "10000\r\n");
        say(fd, chunk);
        if (is_chunked)
            say(fd, "\r\n");
    }
    say(fd, is_chunked ? "0\r\n\r\n" : "");
}

/* A byte now and then: neither the connection nor the answer ever stands still. */
static void
answer_slowly(int fd)
{
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        say(fd, "x");
        usleep(100000);
    }
}

static void
answer_as_path_says(int fd, const char *path, const char *request, int count)
{
    static char exact[65538];
    char text[8000];
    if (!strncmp(path, "/echo", 5)) {
        snprintf(text, sizeof text, "request %d on this connection\n%s", count, request);
        answer(fd, "200 OK\r\nContent-Type: text/plain; charset=utf-8", text);
    } else if (!strcmp(path, "/moved")) {
        answer(fd, "302 Found\r\nLocation: /echo", "elsewhere");
    } else if (!strcmp(path, "/busy")) {
        answer(fd, "503 Service Unavailable\r\nContent-Type: text/xml", "<message/>");
    } else if (!strcmp(path, "/full") || !strcmp(path, "/over")) {
        memset(exact, 'x', path[1] == 'f' ? 65536 : 65537);
        answer(fd, "200 OK", exact);
    } else if (!strcmp(path, "/big") || !strcmp(path, "/chunked")) {
        answer_10_mb(fd, path[1] == 'c');
    } else if (!strcmp(path, "/slow")) {
        answer_slowly(fd);
    } else if (!strcmp(path, "/close")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        _exit(0);
    } else {
        say(fd, "220 this is not HTTP\r\n");
        _exit(0);
    }
}

/* Reads one request whole: head and as much body as its Content-Length says. False at the end of the connection. */
static bool
hear(int fd, char request[6000])
{
    size_t have = 0;
    for (;;) {
        request[have] = '\0';
        const char *head_end = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        size_t body = head_end && length ? strtoul(length + 16, NULL, 10) : 0;
        if (head_end && strlen(head_end + 4) >= body)
            return true;
        ssize_t got = read(fd, request + have, 5999 - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
}

static void
serve_connection(int fd)
{
    char request[6000];
    for (int count = 1; hear(fd, request); count++) {
        char path[100];
        if (sscanf(request, "%*s %99[^ ?]", path) == 1)
            answer_as_path_says(fd, path, request, count);
    }
    _exit(0);
}

static int
listen_somewhere(int backlog, int *out_port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

static int
start_server(void **state)
{
    (void)state;
    int listener = listen_somewhere(16, &port);
    server = fork();
    if (server == 0) {
        signal(SIGCHLD, SIG_IGN);
        alarm(120);
        for (;;) {
            int fd = accept(listener, NULL, NULL);
            if (fork() == 0) {
                alarm(20);
                serve_connection(fd);
            }
            close(fd);
        }
    }
    close(listener);
    return server > 0 ? 0 : -1;
}

static int
stop_server(void **state)
{
    (void)state;
    kill(server, SIGTERM);
    return waitpid(server, NULL, 0) == server ? 0 : -1;
}

/* ── the tests ── */

static const char *
url_of(struct arena *mem, const char *path)
{
    return arena_printf(mem, "http://127.0.0.1:%d%s", port, path);
}

static enum err
get(struct arena *mem, const char *path, struct http_answer *out)
{
    return http_call(mem, url_of(mem, path), NULL, NULL, NULL, NULL, HTTP_TOTAL_MS, out);
}

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
a_get_carries_path_query_accept_and_bearer(void **state)
{
    struct http_answer got;
    assert_int_equal(
        http_call(*state, url_of(*state, "/echo?a=b&&c=d"), NULL, "k_secret", "application/json", NULL, HTTP_TOTAL_MS, &got), OK);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.content_type, "text/plain; charset=utf-8");
    assert_int_equal(got.bytes, strlen(got.body));
    assert_non_null(strstr(got.body, "GET /echo?a=b&&c=d HTTP/1.1\r\n"));
    assert_non_null(strstr(got.body, "\r\nAuthorization: Bearer k_secret\r\n"));
    assert_non_null(strstr(got.body, "\r\nAccept: application/json\r\n"));
}

static void
a_post_carries_its_body_as_a_form(void **state)
{
    struct http_answer got;
    assert_int_equal(http_call(*state, url_of(*state, "/echo"), "name=Ann&phone=1", NULL, NULL, NULL, HTTP_TOTAL_MS, &got), OK);
    assert_non_null(strstr(got.body, "POST /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(got.body, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(got.body, "\r\n\r\nname=Ann&phone=1"));
    assert_int_equal(http_call(*state, url_of(*state, "/echo"), "", NULL, NULL, NULL, HTTP_TOTAL_MS, &got), OK);
    assert_non_null(strstr(got.body, "POST /echo HTTP/1.1\r\n"));
}

static void
what_one_call_sends_the_next_does_not(void **state)
{
    struct http_answer got;
    assert_int_equal(http_call(*state, url_of(*state, "/echo"), "a=b", "k_secret", "text/html", NULL, HTTP_TOTAL_MS, &got), OK);
    assert_int_equal(get(*state, "/echo", &got), OK);
    assert_non_null(strstr(got.body, "GET /echo"));
    assert_null(strstr(got.body, "k_secret"));
    assert_null(strstr(got.body, "text/html"));
    assert_null(strstr(got.body, "a=b"));
}

static void
the_connection_is_kept_for_the_next_call(void **state)
{
    struct http_answer first;
    struct http_answer second;
    assert_int_equal(get(*state, "/echo", &first), OK);
    assert_int_equal(get(*state, "/echo", &second), OK);
    long count = strtol(first.body + strlen("request "), NULL, 10);
    assert_int_equal(strtol(second.body + strlen("request "), NULL, 10), count + 1);
}

static void
call_and_be_the_first(void)
{
    struct arena *mem = arena_new();
    struct http_answer got;
    _exit(get(mem, "/echo", &got) == OK && !strncmp(got.body, "request 1 ", 10) ? 3 : 4);
}

static void
a_forked_process_makes_its_own_connection(void **state)
{
    struct http_answer got;
    assert_int_equal(get(*state, "/echo", &got), OK);
    char said[500];
    int status = unit_in_child(call_and_be_the_first, said, sizeof said);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(get(*state, "/echo", &got), OK);
    assert_null(strstr(got.body, "request 1 "));
}

static void
any_status_is_an_answer(void **state)
{
    struct http_answer got;
    assert_int_equal(get(*state, "/busy", &got), OK);
    assert_int_equal(got.status, 503);
    assert_string_equal(got.content_type, "text/xml");
    assert_string_equal(got.body, "<message/>");
}

static void
a_redirect_is_not_followed(void **state)
{
    struct http_answer got;
    assert_int_equal(get(*state, "/moved", &got), OK);
    assert_int_equal(got.status, 302);
    assert_string_equal(got.body, "elsewhere");
    assert_string_equal(got.content_type, "");
}

/* The server hears at all of loopback's names: without the look at the address the call would succeed. */
static void
a_call_looks_at_the_address_not_at_its_name(void **state)
{
    static const char *const names[] = {"0.0.0.0", "0", "0x0.0", "[::ffff:0.0.0.0]"};
    struct http_answer got;
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *url = arena_printf(*state, "http://%s:%d/echo", names[i], port);
        assert_int_equal(http_call(*state, url, NULL, NULL, NULL, NULL, HTTP_TOTAL_MS, &got), ERR_UNAVAILABLE);
    }
    const char *url = arena_printf(*state, "http://localhost:%d/echo", port);
    assert_int_equal(http_call(*state, url, NULL, NULL, NULL, NULL, HTTP_TOTAL_MS, &got), OK);
}

static void
an_answer_of_64_kib_is_whole_and_one_byte_more_is_refused(void **state)
{
    struct http_answer got = {.status = 7};
    assert_int_equal(get(*state, "/over", &got), ERR_TOO_LARGE);
    assert_int_equal(got.status, 200);
    assert_int_equal(get(*state, "/full", &got), OK);
    assert_int_equal(got.bytes, 65536);
    assert_int_equal(strlen(got.body), 65536);
}

static void
an_answer_of_10_mb_is_given_up_early(void **state)
{
    struct http_answer got;
    int64_t from = now_ms();
    assert_int_equal(get(*state, "/big", &got), ERR_TOO_LARGE);
    assert_int_equal(get(*state, "/chunked", &got), ERR_TOO_LARGE);
    assert_in_range(now_ms() - from, 0, 1000);
}

static void
an_answer_that_never_ends_is_given_up_after_3_seconds(void **state)
{
    struct http_answer got;
    int64_t from = now_ms();
    assert_int_equal(get(*state, "/slow", &got), ERR_UNAVAILABLE);
    assert_in_range(now_ms() - from, 2900, 3900);
}

static void
a_server_that_does_not_accept_is_given_up_after_1_second(void **state)
{
    int deaf_port;
    int deaf = listen_somewhere(0, &deaf_port);
    int fillers[4];
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)deaf_port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < COUNT(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    struct http_answer got;
    int64_t from = now_ms();
    const char *url = arena_printf(*state, "http://127.0.0.1:%d/", deaf_port);
    assert_int_equal(http_call(*state, url, NULL, NULL, NULL, NULL, HTTP_TOTAL_MS, &got), ERR_UNAVAILABLE);
    assert_in_range(now_ms() - from, 900, 1900);
    for (size_t i = 0; i < COUNT(fillers); i++)
        close(fillers[i]);
    close(deaf);
}

static void
a_broken_answer_is_no_answer(void **state)
{
    struct http_answer got;
    assert_int_equal(get(*state, "/garbage", &got), ERR_UNAVAILABLE);
    assert_int_equal(get(*state, "/close", &got), ERR_UNAVAILABLE);
    assert_int_equal(get(*state, "/echo", &got), OK);
}

static void
other_protocols_are_refused(void **state)
{
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/",
        "smtp://127.0.0.1/", "127.0.0.1:port", ""};
    struct http_answer got;
    for (size_t i = 0; i < COUNT(urls); i++)
        CHECK(http_call(*state, urls[i], NULL, NULL, NULL, NULL, HTTP_TOTAL_MS, &got) == ERR_UNAVAILABLE, "taken: %s", urls[i]);
}

static void
a_proxy_in_the_environment_is_ignored(void **state)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    struct http_answer got;
    for (size_t i = 0; i < COUNT(names); i++)
        setenv(names[i], "http://127.0.0.1:1", 1);
    assert_int_equal(get(*state, "/echo", &got), OK);
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
}

static void
call_a_closed_port(void)
{
    struct arena *mem = arena_new();
    struct http_answer got;
    const char *url = "http://127.0.0.1:1/cgi_bin/queue?name=Ann&phone=555";
    _exit(http_call(mem, url, NULL, "k_secret", NULL, NULL, HTTP_TOTAL_MS, &got) == ERR_UNAVAILABLE ? 3 : 4);
}

static void
the_log_names_the_server_and_keeps_the_query_to_itself(void **state)
{
    (void)state;
    char said[500];
    int status = unit_in_child(call_a_closed_port, said, sizeof said);
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_non_null(strstr(said, "http://127.0.0.1:1/cgi_bin/queue: "));
    assert_null(strstr(said, "Ann"));
    assert_null(strstr(said, "k_secret"));
}

/* ── a certificate that nobody signed ── */

static char folder[] = "/tmp/rtcc-http-XXXXXX";
static char secure_url[60];

/* Starts the openssl command in the folder; it says nothing, and ends after 20 s whatever happens. */
static pid_t
openssl(char *const *arguments)
{
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 0);
        dup2(nothing, 1);
        dup2(nothing, 2);
        alarm(20);
        if (chdir(folder) == 0)
            execvp("openssl", arguments);
        _exit(127);
    }
    return child;
}

static void
call_securely(void)
{
    struct arena *mem = arena_new();
    struct http_answer got;
    _exit(http_call(mem, secure_url, NULL, NULL, NULL, NULL, HTTP_TOTAL_MS, &got) == ERR_UNAVAILABLE ? 3 : 4);
}

static bool
is_listening(int at_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)at_port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 500; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int refused = connect(fd, (struct sockaddr *)&address, sizeof address);
        close(fd);
        if (!refused)
            return true;
        usleep(10000);
    }
    return false;
}

static void
a_certificate_that_nobody_signed_is_refused(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    char *make[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
        "key", "-out", "cert", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", NULL};
    int status;
    pid_t maker = openssl(make);
    assert_int_equal(waitpid(maker, &status, 0), maker);
    CHECK(WEXITSTATUS(status) == 0, "this test needs the command openssl");
    int secure_port;
    close(listen_somewhere(1, &secure_port));
    char accept_at[30];
    snprintf(accept_at, sizeof accept_at, "127.0.0.1:%d", secure_port);
    snprintf(secure_url, sizeof secure_url, "https://%s/", accept_at);
    char *serve[] = {"openssl", "s_server", "-accept", accept_at, "-cert", "cert", "-key", "key", "-www", NULL};
    pid_t secure = openssl(serve);
    assert_true(is_listening(secure_port));
    char said[500];
    status = unit_in_child(call_securely, said, sizeof said);
    kill(secure, SIGKILL);
    waitpid(secure, NULL, 0);
    unlink(arena_printf(*state, "%s/key", folder));
    unlink(arena_printf(*state, "%s/cert", folder));
    rmdir(folder);
    assert_int_equal(WEXITSTATUS(status), 3);
    CHECK(strstr(said, "certificate"), "the certificate was never asked for: %s", said);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_get_carries_path_query_accept_and_bearer),
        UNIT(a_post_carries_its_body_as_a_form),
        UNIT(what_one_call_sends_the_next_does_not),
        UNIT(the_connection_is_kept_for_the_next_call),
        UNIT(a_forked_process_makes_its_own_connection),
        UNIT(any_status_is_an_answer),
        UNIT(a_redirect_is_not_followed),
        UNIT(a_call_looks_at_the_address_not_at_its_name),
        UNIT(an_answer_of_64_kib_is_whole_and_one_byte_more_is_refused),
        UNIT(an_answer_of_10_mb_is_given_up_early),
        UNIT(an_answer_that_never_ends_is_given_up_after_3_seconds),
        UNIT(a_server_that_does_not_accept_is_given_up_after_1_second),
        UNIT(a_broken_answer_is_no_answer),
        UNIT(other_protocols_are_refused),
        UNIT(a_proxy_in_the_environment_is_ignored),
        UNIT(the_log_names_the_server_and_keeps_the_query_to_itself),
        UNIT(a_certificate_that_nobody_signed_is_refused),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
