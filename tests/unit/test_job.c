/* A batch of requests: one transaction, a savepoint each, and nobody is told what did not come to the disk. The database here is
 * a record of what was asked of it. */
#include "unit.h"

#include <fcntl.h>

#include "io/db.h"
#include "io/job.h"
#include "io/settings.h"

static char asked[1000];
static int depth;
static bool begin_fails, commit_fails, savepoint_fails, release_fails;

static void
note(const char *what)
{
    size_t len = strlen(asked);
    snprintf(asked + len, sizeof asked - len, "%s%s%d", len > 0 ? " " : "", what, depth);
}

enum err
db_begin(struct db *db)
{
    (void)db;
    note("begin");
    if (depth == 0 ? begin_fails : savepoint_fails)
        return ERR_UNAVAILABLE;
    depth++;
    return OK;
}

enum err
db_commit(struct db *db)
{
    (void)db;
    depth--;
    note("commit");
    return (depth == 0 ? commit_fails : release_fails) ? ERR_UNAVAILABLE : OK;
}

void
db_rollback(struct db *db)
{
    (void)db;
    depth--;
    note("rollback");
}

enum err
db_end(struct db *db, enum err err)
{
    if (err == OK)
        return db_commit(db);
    db_rollback(db);
    return err;
}

void
db_read_begin(struct db *db)
{
    (void)db;
    note("look");
}

void
db_read_end(struct db *db)
{
    (void)db;
    note("looked");
}

/* ── */

static const struct param params[] = {
    {"how", PARAM_LINE, true, 0, 20, "ok, bad, page, file"},
    {.name = NULL},
};

static int opened = -1;

static enum err
answer(struct request *r)
{
    const char *how = r->args[0].text;
    note(how);
    request_header(r, "X-Session", "new");
    if (strcmp(how, "page") == 0)
        r->page = "missing";
    if (strcmp(how, "file") == 0)
        r->file = (struct body_file){.fd = opened = open("/dev/null", O_RDONLY), .bytes = 1};
    return strcmp(how, "bad") == 0 ? center_fault(r->c, ERR_CONFLICT, "how", "It is bad.") : OK;
}

static enum err
access_by_header(struct request *r)
{
    return r->header(r, "HTTP_COOKIE") != NULL ? ERR_FORBIDDEN : OK;
}

static const struct service changing =
    {.methods = METHOD_GET, .mode = BATCH, .is_changing = true, .params = params, .access = access_by_header, .answer = answer};
static const struct service reading = {.methods = METHOD_GET, .mode = BATCH, .params = params, .answer = answer};
static const struct service prefork = {.methods = METHOD_GET,
    .mode = PREFORK,
    .is_changing = true,
    .params = params,
    .answer = answer};
static const struct settings settings = {.instance = "rt", .pages_dir = "/nowhere", .public_url = ""};
static const struct center process = {.settings = &settings, .db = (struct db *)&settings /* never looked into */};

/* Runs requests, one for each word; "-" is one without parameters, '!' in front one that may not. */
static struct job *
run(struct arena *mem, const struct service *s, const char *const *words, size_t count)
{
    struct job *jobs = arena_array(mem, count, sizeof *jobs);
    asked[0] = '\0';
    depth = 0;
    for (size_t i = 0; i < count; i++) {
        char **variables = arena_array(mem, 4, sizeof *variables);
        bool is_forbidden = words[i][0] == '!';
        variables[0] = arena_strdup(mem, "REQUEST_METHOD=GET");
        variables[1] = arena_printf(mem, "QUERY_STRING=%s%s", words[i][0] == '-' ? "x=" : "how=", words[i] + is_forbidden);
        variables[2] = is_forbidden ? arena_strdup(mem, "HTTP_COOKIE=a=b") : NULL;
        struct input in = {.params = variables, .body = ""};
        job_begin(&jobs[i]);
        job_read(&jobs[i], s, &process, &in);
    }
    jobs_run(jobs, count);
    return jobs;
}

#define RUN(s, ...)                                                                                                              \
    run(*state, s, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static bool
says(const struct job *job, const char *part)
{
    return strstr(buf_str(&job->answer.bytes), part) != NULL;
}

static void
end(struct job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        job_end(&jobs[i]);
}

static int
setup(void **state)
{
    begin_fails = commit_fails = savepoint_fails = release_fails = false;
    return unit_setup(state);
}

#define JOB(function) cmocka_unit_test_setup_teardown(function, setup, unit_teardown)

static void
a_turn_is_one_transaction_with_a_savepoint_for_each_request(void **state)
{
    struct job *jobs = RUN(&changing, "ok", "bad", "ok");
    assert_string_equal(asked, "begin0 begin1 ok2 commit1 begin1 bad2 rollback1 begin1 ok2 commit1 commit0");
    assert_true(says(&jobs[0], "Status: 200 ") && says(&jobs[1], "Status: 409 ") && says(&jobs[2], "Status: 200 "));
    end(jobs, 3);
}

static void
if_commit_fails_every_request_is_503_and_nothing_of_its_answer_is_left(void **state)
{
    commit_fails = true;
    struct job *jobs = RUN(&changing, "ok", "bad", "file");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jobs[i].err, ERR_UNAVAILABLE);
        assert_true(says(&jobs[i], "Status: 503 ") && says(&jobs[i], "\r\nRetry-After: "));
        assert_false(says(&jobs[i], "X-Session") || says(&jobs[i], "It is bad."));
        assert_int_equal(jobs[i].answer.file.fd, -1);
    }
    assert_int_equal(fcntl(opened, F_GETFD), -1);
    end(jobs, 3);
}

static void
if_the_database_stays_busy_no_program_is_asked(void **state)
{
    begin_fails = true;
    struct job *jobs = RUN(&changing, "ok", "-", "ok");
    assert_string_equal(asked, "begin0");
    assert_true(says(&jobs[0], "Status: 503 ") && says(&jobs[1], "Status: 400 ") && says(&jobs[2], "Status: 503 "));
    end(jobs, 3);
}

static void
a_savepoint_that_fails_is_503_for_one_request_alone(void **state)
{
    release_fails = true;
    struct job *jobs = RUN(&changing, "ok", "bad");
    assert_true(says(&jobs[0], "Status: 503 ") && says(&jobs[1], "Status: 409 "));
    end(jobs, 2);
    release_fails = false;
    savepoint_fails = true;
    jobs = RUN(&changing, "ok", "ok");
    assert_string_equal(asked, "begin0 begin1 begin1 commit0");
    assert_true(says(&jobs[0], "Status: 503 ") && says(&jobs[1], "Status: 503 "));
    end(jobs, 2);
}

static void
a_single_request_is_a_transaction_without_a_savepoint(void **state)
{
    struct job *jobs = RUN(&changing, "ok");
    assert_string_equal(asked, "begin0 ok1 commit0");
    assert_true(says(&jobs[0], "Status: 200 "));
    end(jobs, 1);
    jobs = RUN(&changing, "bad");
    assert_string_equal(asked, "begin0 bad1 rollback0");
    assert_true(says(&jobs[0], "Status: 409 "));
    end(jobs, 1);
    commit_fails = true;
    jobs = RUN(&changing, "file");
    assert_true(says(&jobs[0], "Status: 503 ") && !says(&jobs[0], "X-Session"));
    assert_int_equal(jobs[0].answer.file.fd, -1);
    assert_int_equal(fcntl(opened, F_GETFD), -1);
    end(jobs, 1);
}

static void
malformed_and_forbidden_requests_change_nothing(void **state)
{
    struct job *jobs = RUN(&changing, "-", "!ok", "!ok");
    assert_string_equal(asked, "begin0 begin1 rollback1 begin1 rollback1 commit0");
    assert_true(says(&jobs[0], "Status: 400 ") && says(&jobs[1], "Status: 403 ") && says(&jobs[2], "Status: 403 "));
    end(jobs, 3);
    jobs = RUN(&changing, "-", "!ok");
    assert_string_equal(asked, "begin0 rollback0");
    assert_true(says(&jobs[0], "Status: 400 ") && says(&jobs[1], "Status: 403 "));
    end(jobs, 2);
    jobs = RUN(&changing, "-");
    assert_string_equal(asked, "");
    end(jobs, 1);
}

static void
a_page_that_cannot_be_written_undoes_its_request(void **state)
{
    struct job *jobs = RUN(&changing, "page", "ok");
    assert_string_equal(asked, "begin0 begin1 page2 rollback1 begin1 ok2 commit1 commit0");
    assert_true(says(&jobs[0], "Status: 503 ") && says(&jobs[1], "Status: 200 "));
    end(jobs, 2);
    jobs = RUN(&changing, "page");
    assert_string_equal(asked, "begin0 page1 rollback0");
    assert_true(says(&jobs[0], "Status: 503 "));
    end(jobs, 1);
}

static void
who_changes_nothing_or_may_wait_gets_no_transaction(void **state)
{
    struct job *jobs = RUN(&reading, "ok", "bad");
    assert_string_equal(asked, "look0 ok0 bad0 looked0");
    end(jobs, 2);
    jobs = RUN(&prefork, "ok");
    assert_string_equal(asked, "ok0");
    end(jobs, 1);
}

static void
prepare_to_answer(struct request *r)
{
    note("prepare");
    r->proof = (const struct proof *)r; /* what it leaves behind is there when the program is asked */
}

static enum err
answer_prepared(struct request *r)
{
    assert_ptr_equal(r->proof, r);
    return answer(r);
}

static void
what_takes_long_is_done_for_all_before_any_transaction(void **state)
{
    struct service s = changing;
    s.prepare = prepare_to_answer;
    s.answer = answer_prepared;
    struct job *jobs = RUN(&s, "ok", "-", "ok");
    assert_string_equal(asked, "prepare0 prepare0 begin0 begin1 ok2 commit1 begin1 ok2 commit1 commit0");
    end(jobs, 3);
    s.is_changing = false;
    jobs = RUN(&s, "ok");
    assert_string_equal(asked, "prepare0 look0 ok0 looked0");
    end(jobs, 1);
    s.mode = PREFORK;
    jobs = RUN(&s, "ok");
    assert_string_equal(asked, "prepare0 ok0");
    end(jobs, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB(a_turn_is_one_transaction_with_a_savepoint_for_each_request),
        JOB(if_commit_fails_every_request_is_503_and_nothing_of_its_answer_is_left),
        JOB(if_the_database_stays_busy_no_program_is_asked),
        JOB(a_savepoint_that_fails_is_503_for_one_request_alone),
        JOB(a_single_request_is_a_transaction_without_a_savepoint),
        JOB(malformed_and_forbidden_requests_change_nothing),
        JOB(a_page_that_cannot_be_written_undoes_its_request),
        JOB(who_changes_nothing_or_may_wait_gets_no_transaction),
        JOB(what_takes_long_is_done_for_all_before_any_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
