/* Plain CGI: environment and stdin become a request, stdout the answer; a poll holds for the setting's time at most. */
#include "server.h"

#include "io/cgi.h"

static const struct param params[] = {
    {"wait", PARAM_INT, false, 0, 60000, "how long"},
    {"file", PARAM_INT, false, 0, 10000000, "bytes of a file as the answer"},
    {"text", PARAM_TEXT, false, 0, 100000, "anything"},
    {.name = NULL},
};

static enum err
answer(struct request *r)
{
    struct wait wait = {.key = 7, .deadline_ms = r->c->boot_ms + r->args[0].number};
    if (r->args[1].text != NULL) {
        r->file.fd = memfd_create("file", MFD_CLOEXEC);
        r->file.bytes = r->args[1].number;
        if (ftruncate(r->file.fd, r->file.bytes) != 0)
            return ERR_UNAVAILABLE;
    }
    value_add_text(r->out, "text", r->args[2].text);
    return r->args[0].number > 0 ? request_hold(r, &wait) : OK;
}

static enum err
wake(struct request *r, struct wait *wait, bool is_late)
{
    world->wake_calls++;
    if (world->last == 0 && !is_late)
        return OK;
    r->is_held = false;
    value_add_int(r->out, "event", world->last);
    value_add_int(r->out, "key", wait->key);
    return OK;
}

static const struct hold hold = {.wake = wake};
static const struct service held = {.name = "held",
    .methods = METHOD_GET | METHOD_POST,
    .mode = HOLD,
    .format = FORMAT_JSON,
    .params = params,
    .answer = answer,
    .hold = &hold};
static const struct service batch = {.name = "batch",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .is_changing = true,
    .format = FORMAT_JSON,
    .params = params,
    .answer = answer};

static char folder[] = "/tmp/rtcc-cgi-XXXXXX";

static void
child(const struct service *s, bool has_db)
{
    const char *why;
    struct center process = {.settings = &server_settings};
    if (has_db && db_open(folder, &process.db, &why) != OK)
        _exit(9);
    cgi_run(s, &process);
    _exit(0);
}

/* Starts a CGI process; `out` is where its answer can be read. */
static pid_t
start(const struct service *s, bool has_db, const char *query, const char *length, const char *body, int *out)
{
    int in_ends[2], out_ends[2];
    assert_int_equal(pipe(in_ends), 0);
    assert_int_equal(pipe(out_ends), 0);
    setenv("REQUEST_METHOD", body == NULL ? "GET" : "POST", 1);
    setenv("QUERY_STRING", query, 1);
    setenv("CONTENT_TYPE", "application/x-www-form-urlencoded", 1);
    setenv("CONTENT_LENGTH", length, 1);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in_ends[0], STDIN_FILENO);
        dup2(out_ends[1], STDOUT_FILENO);
        close(in_ends[1]);
        close(out_ends[0]);
        child(s, has_db);
    }
    close(in_ends[0]);
    close(out_ends[1]);
    if (body != NULL)
        assert_int_equal(write(in_ends[1], body, strlen(body)), strlen(body));
    close(in_ends[1]);
    *out = out_ends[0];
    return pid;
}

/* All of the answer up to `room`; the rest is counted only. */
static size_t
finish(pid_t pid, int out, char *said, size_t room)
{
    static char more[65536];
    size_t len = 0;
    int status = -1;
    for (ssize_t got; (got = read(out, more, sizeof more)) > 0; len += (size_t)got)
        if (len < room - 1)
            memcpy(said + len, more, len + (size_t)got < room ? (size_t)got : room - 1 - len);
    said[len < room ? len : room - 1] = '\0';
    close(out);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return len;
}

static size_t
call(const struct service *s, bool has_db, const char *query, const char *length, const char *body, char said[4000])
{
    int out;
    pid_t pid = start(s, has_db, query, length, body, &out);
    return finish(pid, out, said, 4000);
}

static bool
has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* ── */

static void
a_request_is_read_from_environment_and_stdin(void **state)
{
    char said[4000];
    (void)state;
    call(&batch, true, "wait=0", "8", "text=a+b", said);
    assert_true(strncmp(said, "Status: 200 OK\r\n", 16) == 0 && has(said, "\r\n\r\n{\"text\":\"a b\"}"));
    call(&batch, true, "text=c", "", NULL, said);
    assert_true(has(said, "\r\n\r\n{\"text\":\"c\"}"));
}

static void
a_body_that_is_too_short_or_too_large_is_refused(void **state)
{
    char said[4000];
    (void)state;
    call(&batch, true, "", "9", "text=a+b", said);
    assert_true(has(said, "Status: 400 "));
    call(&batch, true, "", "-9", "text=a+b", said);
    assert_true(has(said, "Status: 400 "));
    char over[24];
    snprintf(over, sizeof over, "%d", BODY_MAX_BYTES + 1);
    call(&batch, true, "", over, "text=a+b", said);
    assert_true(has(said, "Status: 413 "));
    call(&batch, true, "", "99999999999999999999", "text=a+b", said);
    assert_true(has(said, "Status: 413 "));
}

static void
without_a_database_the_answer_is_503(void **state)
{
    char said[4000];
    (void)state;
    call(&batch, false, "text=c", "", NULL, said);
    assert_true(has(said, "Status: 503 ") && has(said, "\r\nRetry-After: "));
}

static void
a_file_is_written_whole(void **state)
{
    char said[4000];
    (void)state;
    size_t len = call(&batch, true, "file=5000000", "", NULL, said);
    assert_true(has(said, "Content-Length: 5000000\r\n"));
    assert_int_equal(len, 5000000 + (size_t)(strstr(said, "\r\n\r\n") + 4 - said));
}

static void
a_poll_ends_with_the_setting_although_it_asked_for_more(void **state)
{
    char said[4000];
    (void)state;
    int64_t start_ms = clock_boot_ms();
    call(&held, true, "wait=30000", "", NULL, said);
    assert_in_range(clock_boot_ms() - start_ms, 1000, 2500);
    assert_true(has(said, "\"event\":0,\"key\":7}"));
    start_ms = clock_boot_ms();
    call(&held, true, "wait=200", "", NULL, said);
    assert_in_range(clock_boot_ms() - start_ms, 200, 900);
}

static void
a_poll_ends_with_the_bell(void **state)
{
    char said[4000];
    int out;
    (void)state;
    world->wake_calls = 0;
    pid_t pid = start(&held, true, "wait=30000", "", NULL, &out);
    assert_true(wait_until(&world->wake_calls, 1));
    usleep(20000);
    int64_t start_ms = clock_boot_ms();
    world->last = 5;
    bell_ring(folder);
    finish(pid, out, said, sizeof said);
    assert_in_range(clock_boot_ms() - start_ms, 0, 500);
    assert_true(has(said, "\"event\":5,"));
    world->last = 0;
}

static int
teardown(void **state)
{
    (void)state;
    return remove_folder(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_request_is_read_from_environment_and_stdin),
        UNIT(a_body_that_is_too_short_or_too_large_is_refused),
        UNIT(without_a_database_the_answer_is_503),
        UNIT(a_file_is_written_whole),
        UNIT(a_poll_ends_with_the_setting_although_it_asked_for_more),
        UNIT(a_poll_ends_with_the_bell),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return cmocka_run_group_tests(tests, NULL, teardown);
}
