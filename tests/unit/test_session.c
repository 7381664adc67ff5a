/* Signing in and out, HTTP Basic. */
#include "place.h"

#include <sys/mman.h>
#include <time.h>

#include "model/limit.h"
#include "model/session.h"

static void
hire(struct installation *p, const char *login)
{
    WELL(p, agent_add(&p->c, login, login, "agent", "right password"));
}

static const char *
signed_in(struct installation *p, const char *login)
{
    struct agent agent;
    const char *token;
    WELL(p, session_open(&p->c, login, "right password", &agent, &token));
    assert_string_equal(agent.login, login);
    return token;
}

/* ── signing in ── */

static void
the_right_password_opens_a_session_of_which_only_the_hash_is_kept(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    hire(p, "anna");
    const char *token = signed_in(p, "anna"), *other = signed_in(p, "anna");
    assert_true(text_starts(token, "a_"));
    assert_int_equal(strlen(token), 45);
    assert_string_not_equal(token, other);
    WELL(p, session_agent(&p->c, token, &agent));
    assert_string_equal(agent.login, "anna");
    assert_int_equal(place_number(p, "SELECT count(*) FROM session"), 2);
    assert_int_equal(place_number(p, "SELECT length(hash) FROM session"), 43);
    assert_int_equal(place_number(p, arena_printf(p->c.mem, "SELECT count(*) FROM session WHERE instr(hash, '%s')", token + 2)),
        0);
}

static void
wrong_unknown_and_disabled_get_one_answer(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    const char *token = "as it was";
    hire(p, "anna");
    hire(p, "dora");
    place_sql(p, "UPDATE agent SET is_disabled = 1 WHERE login = 'dora'");
    static const char *const tries[][2] = {{"anna", "wrong password"}, {"anna", ""}, {"nobody", "right password"},
        {"dora", "right password"}, {"", ""}, {"ANNA", "right password"}};
    for (size_t i = 0; i < COUNT(tries); i++) {
        REFUSED(p, session_open(&p->c, tries[i][0], tries[i][1], &agent, &token), ERR_UNAUTHORIZED, NULL);
        assert_string_equal(p->c.fault.reason, "Login or password is wrong.");
    }
    assert_string_equal(token, "as it was");
    assert_int_equal(place_number(p, "SELECT count(*) FROM session"), 0);
}

static int64_t
time_of(struct installation *p, const char *login)
{
    struct agent agent;
    const char *token;
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    enum err err = session_open(&p->c, login, "wrong password", &agent, &token);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_int_equal(err, ERR_UNAUTHORIZED);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static void
an_unknown_login_takes_as_long_as_a_known_one_from_the_first_time_on(void **state)
{
    struct installation *p = *state;
    p->settings.password_cost = 5;
    hire(p, "anna");
    int64_t unknown_us = time_of(p, "nobody"), known_us = time_of(p, "anna");
    CHECK(unknown_us > known_us / 2 && unknown_us < known_us * 3 / 2, "unknown %lld us, known %lld us", (long long)unknown_us,
        (long long)known_us);
}

static void
after_five_wrong_passwords_the_right_one_is_refused_for_a_quarter_of_an_hour(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    const char *token;
    p->c.now_ms = INT64_C(1700000100000);
    assert_int_equal(p->c.now_ms % 900000, 0);
    hire(p, "anna");
    hire(p, "bert");
    for (int i = 0; i < 5; i++)
        REFUSED(p, session_open(&p->c, "anna", "wrong password", &agent, &token), ERR_UNAUTHORIZED, NULL);
    REFUSED(p, session_open(&p->c, "anna", "right password", &agent, &token), ERR_TOO_MANY, NULL);
    assert_int_equal(p->c.fault.retry_s, 900);
    signed_in(p, "bert");
    place_later(p, 900000);
    signed_in(p, "anna");
}

static void
a_right_password_forgets_the_wrong_ones(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    const char *token;
    hire(p, "anna");
    for (int i = 0; i < 12; i++) {
        REFUSED(p, session_open(&p->c, "anna", "wrong password", &agent, &token), ERR_UNAUTHORIZED, NULL);
        if (i % 4 == 3)
            signed_in(p, "anna");
    }
}

/* What came out, of all processes. */
static struct counts {
    int wrong, too_many, right, other;
} * counts;

static void
count(enum err err)
{
    int *which = err == ERR_UNAUTHORIZED ? &counts->wrong
                 : err == ERR_TOO_MANY   ? &counts->too_many
                 : err == OK             ? &counts->right
                                         : &counts->other;
    __atomic_add_fetch(which, 1, __ATOMIC_SEQ_CST);
}

static void
try_five_times(struct installation *p, const char *password)
{
    struct agent agent;
    const char *token;
    int64_t base = p->c.boot_ms;
    place_enter(p);
    for (int i = 0; i < 5; i++) {
        p->c.boot_ms = base + (i * 7 + getpid() * 13) % 100;
        count(session_open(&p->c, "anna", password, &agent, &token));
    }
    db_close(p->c.db);
}

static void
try_wrong(struct installation *p, int number)
{
    (void)number;
    try_five_times(p, "wrong password");
}

static void
try_right(struct installation *p, int number)
{
    (void)number;
    try_five_times(p, "right password");
}

static void
of_many_tries_at_once_five_are_looked_at_and_many_right_ones_are_all_right(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    const char *token;
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(counts, MAP_FAILED);
    p->settings.password_cost = 3; /* long enough for others to come in between */
    hire(p, "anna");
    place_together(p, 8, try_right);
    assert_int_equal(counts->right, 40);
    place_together(p, 8, try_wrong);
    CHECK(counts->wrong == 5 && counts->too_many == 35 && counts->other == 0, "%d were looked at, %d were too many, %d others",
        counts->wrong, counts->too_many, counts->other);
    REFUSED(p, session_open(&p->c, "anna", "right password", &agent, &token), ERR_TOO_MANY, NULL);
    munmap(counts, sizeof *counts);
}

static void
whoever_cannot_be_counted_is_not_looked_at(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    const char *token;
    hire(p, "anna");
    p->settings.state_dir = "/nonexistent";
    REFUSED(p, session_open(&p->c, "anna", "right password", &agent, &token), ERR_UNAVAILABLE, NULL);
}

/* ── sessions ── */

static void
a_session_ends_after_its_time_and_is_swept_at_the_next_sign_in(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    hire(p, "anna");
    const char *token = signed_in(p, "anna");
    place_later(p, p->settings.session_s * 1000 - 1);
    WELL(p, session_agent(&p->c, token, &agent));
    place_later(p, 1);
    REFUSED(p, session_agent(&p->c, token, &agent), ERR_UNAUTHORIZED, NULL);
    signed_in(p, "anna");
    assert_int_equal(place_number(p, "SELECT count(*) FROM session"), 1);
}

static void
what_is_no_session_or_a_disabled_agents_is_refused(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    hire(p, "anna");
    const char *token = signed_in(p, "anna");
    const char *const wrong[] = {"", "a_", token + 2, arena_printf(p->c.mem, "%sx", token),
        "a_0000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        REFUSED(p, session_agent(&p->c, wrong[i], &agent), ERR_UNAUTHORIZED, NULL);
    place_sql(p, "UPDATE agent SET is_disabled = 1");
    REFUSED(p, session_agent(&p->c, token, &agent), ERR_UNAUTHORIZED, NULL);
    REFUSED(p, session_close(&p->c, token), ERR_UNAUTHORIZED, NULL);
}

static void
signing_out_of_the_last_session_makes_him_not_ready(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    hire(p, "anna");
    const char *first = signed_in(p, "anna"), *second = signed_in(p, "anna");
    WELL(p, session_agent(&p->c, first, &agent));
    WELL(p, talk_agent_seen(&p->c, &agent));
    WELL(p, talk_ready(&p->c, &agent));
    struct invitation i = place_customer(p, "Ann");
    assert_string_equal(i.state, "offered");
    WELL(p, session_close(&p->c, first));
    REFUSED(p, session_agent(&p->c, first, &agent), ERR_UNAUTHORIZED, NULL);
    WELL(p, session_agent(&p->c, second, &agent));
    assert_true(agent_is_ready(&agent));
    WELL(p, session_close(&p->c, second));
    WELL(p, agent_find(&p->c, agent.id, &agent));
    assert_false(agent_is_ready(&agent));
    assert_string_equal(agent.reason, "signed_out");
    assert_string_equal(place_state(p, i.id), "queued");
    REFUSED(p, session_close(&p->c, second), ERR_UNAUTHORIZED, NULL);
}

static void
a_sessions_number_is_its_own_and_below_two_to_the_53(void **state)
{
    struct installation *p = *state;
    int64_t one = session_serial(&p->c, "a_one"), two = session_serial(&p->c, "a_two");
    assert_int_equal(one, session_serial(&p->c, "a_one"));
    assert_int_not_equal(one, two);
    assert_in_range(one, 1, (INT64_C(1) << 53) - 1);
    assert_in_range(two, 1, (INT64_C(1) << 53) - 1);
}

/* ── HTTP Basic ── */

static void
basic_needs_the_right_password_and_remembers_it_for_five_minutes(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    hire(p, "anna");
    REFUSED(p, session_basic(&p->c, "127.0.0.1", "anna", "wrong password", &agent), ERR_UNAUTHORIZED, NULL);
    REFUSED(p, session_basic(&p->c, "127.0.0.1", "nobody", "right password", &agent), ERR_UNAUTHORIZED, NULL);
    WELL(p, session_basic(&p->c, "127.0.0.1", "anna", "right password", &agent));
    assert_string_equal(agent.login, "anna");
    for (int i = 0; i < 6; i++) /* now the limit is used up, which does not touch what is remembered */
        assert_int_not_equal(session_basic(&p->c, "127.0.0.1", "anna", "wrong password", &agent), OK);
    WELL(p, session_basic(&p->c, "127.0.0.1", "anna", "right password", &agent));
    REFUSED(p, session_basic(&p->c, "127.0.0.1", "ann", "aright password", &agent), ERR_UNAUTHORIZED, NULL);
    p->c.boot_ms += 299999;
    WELL(p, session_basic(&p->c, "127.0.0.1", "anna", "right password", &agent));
    p->c.boot_ms++;
    REFUSED(p, session_basic(&p->c, "127.0.0.1", "anna", "right password", &agent), ERR_TOO_MANY, NULL);
}

static void
a_remembered_password_that_was_changed_or_disabled_meanwhile_is_wrong(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    hire(p, "bert");
    WELL(p, session_basic(&p->c, "127.0.0.1", "bert", "right password", &agent));
    WELL(p, agent_set_password(&p->c, "bert", "another password"));
    REFUSED(p, session_basic(&p->c, "127.0.0.1", "bert", "right password", &agent), ERR_UNAUTHORIZED, NULL);
    WELL(p, session_basic(&p->c, "127.0.0.1", "bert", "another password", &agent));
    place_sql(p, "UPDATE agent SET is_disabled = 1");
    REFUSED(p, session_basic(&p->c, "127.0.0.1", "bert", "another password", &agent), ERR_UNAUTHORIZED, NULL);
}

static void
after_five_wrong_passwords_from_an_address_no_login_is_looked_at_but_what_is_remembered(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    hire(p, "anna");
    hire(p, "bert");
    WELL(p, session_basic(&p->c, "192.0.2.7", "anna", "right password", &agent));
    for (int i = 0; i < 9; i++) {
        const char *login = arena_printf(p->c.mem, "invented%d", i);
        REFUSED(p, session_basic(&p->c, "192.0.2.7", login, "x", &agent), i < 5 ? ERR_UNAUTHORIZED : ERR_TOO_MANY, NULL);
    }
    assert_int_equal(p->c.fault.retry_s, 60);
    REFUSED(p, session_basic(&p->c, "192.0.2.7", "bert", "right password", &agent), ERR_TOO_MANY, NULL);
    WELL(p, session_basic(&p->c, "192.0.2.7", "anna", "right password", &agent));
    WELL(p, session_basic(&p->c, "192.0.2.8", "bert", "right password", &agent));
    signed_in(p, "bert"); /* signing in is not concerned */
    place_later(p, 60000);
    WELL(p, session_basic(&p->c, "192.0.2.7", "bert", "right password", &agent));
}

static int64_t
rates(struct installation *p)
{
    return strtoll(place_text_on(p, "live.db", "SELECT count(*) FROM rate"), NULL, 10);
}

static void
of_invented_logins_from_everywhere_ten_in_ten_seconds_are_looked_at_and_leave_a_row(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    static const char *const from[] = {"192.0.2.%d", "127.0.0.1"}; /* the spared one is spared the limit of one address only */
    hire(p, "anna");
    hire(p, "bert");
    WELL(p, session_basic(&p->c, "198.51.100.1", "anna", "right password", &agent));
    WELL(p, session_basic(&p->c, "127.0.0.1", "anna", "right password", &agent));
    for (size_t k = 0; k < COUNT(from); k++) {
        int64_t before = rates(p);
        for (int i = 0; i < 60; i++) {
            const char *address = k ? from[k] : arena_printf(p->c.mem, "192.0.2.%d", i);
            enum err err = session_basic(&p->c, address, arena_printf(p->c.mem, "invented%d", i), "x", &agent);
            CHECK(err == (i < 10 ? ERR_UNAUTHORIZED : ERR_TOO_MANY), "%s, %d: %s", address, i, err_code(err));
        }
        assert_in_range(rates(p) - before, 0, 21); /* of each its login and its address, and the site's */
        REFUSED(p, session_basic(&p->c, "192.0.2.200", "bert", "right password", &agent), ERR_TOO_MANY, NULL);
        REFUSED(p, session_basic(&p->c, "127.0.0.1", "bert", "right password", &agent), ERR_TOO_MANY, NULL);
        REFUSED(p, session_basic(&p->c, "198.51.100.1", "bert", "wrong password", &agent), ERR_UNAUTHORIZED, NULL);
        place_later(p, 900000);
    }
    for (int i = 0; i < 10; i++)
        REFUSED(p, session_basic(&p->c, "127.0.0.1", arena_printf(p->c.mem, "invented%d", i), "x", &agent), ERR_UNAUTHORIZED,
            NULL);
    WELL(p, session_basic(&p->c, "198.51.100.1", "bert", "right password", &agent)); /* was right before */
}

static void
what_is_longer_than_any_login_or_password_is_wrong_and_leaves_nothing(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    char login[LOGIN_CHARS + 2], password[PASSWORD_CHARS + 2];
    memset(login, 'l', sizeof login - 1);
    memset(password, 'p', sizeof password - 1);
    login[sizeof login - 1] = password[sizeof password - 1] = '\0';
    for (int i = 0; i < 30; i++) {
        REFUSED(p, session_basic(&p->c, "192.0.2.7", login, "x", &agent), ERR_UNAUTHORIZED, NULL);
        REFUSED(p, session_basic(&p->c, "192.0.2.7", "anna", password, &agent), ERR_UNAUTHORIZED, NULL);
    }
    assert_int_equal(rates(p), 0);
}

/* ── without a database ── */

static void
without_its_tables_everything_is_unavailable(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    const char *token, *id;
    hire(p, "anna");
    place_sql(p, "ALTER TABLE session RENAME TO hidden");
    REFUSED(p, session_open(&p->c, "anna", "right password", &agent, &token), ERR_UNAVAILABLE, NULL);
    REFUSED(p, session_agent(&p->c, "a_x", &agent), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE agent RENAME TO hidden_agent");
    REFUSED(p, session_open(&p->c, "anna", "right password", &agent, &token), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE api_key RENAME TO hidden_key");
    REFUSED(p, key_check(&p->c, "k_a.b", &id), ERR_UNAVAILABLE, NULL);
    REFUSED(p, key_make(&p->c, "the shop", &id), ERR_UNAVAILABLE, NULL);
    place_sql_on(p, "live.db", "ALTER TABLE rate RENAME TO hidden");
    REFUSED(p, session_basic(&p->c, "127.0.0.1", "anna", "right password", &agent), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(the_right_password_opens_a_session_of_which_only_the_hash_is_kept),
        PLACED(an_unknown_login_takes_as_long_as_a_known_one_from_the_first_time_on),
        PLACED(wrong_unknown_and_disabled_get_one_answer),
        PLACED(after_five_wrong_passwords_the_right_one_is_refused_for_a_quarter_of_an_hour),
        PLACED(a_right_password_forgets_the_wrong_ones),
        PLACED(of_many_tries_at_once_five_are_looked_at_and_many_right_ones_are_all_right),
        PLACED(whoever_cannot_be_counted_is_not_looked_at),
        PLACED(a_session_ends_after_its_time_and_is_swept_at_the_next_sign_in),
        PLACED(what_is_no_session_or_a_disabled_agents_is_refused),
        PLACED(signing_out_of_the_last_session_makes_him_not_ready),
        PLACED(a_sessions_number_is_its_own_and_below_two_to_the_53),
        PLACED(basic_needs_the_right_password_and_remembers_it_for_five_minutes),
        PLACED(a_remembered_password_that_was_changed_or_disabled_meanwhile_is_wrong),
        PLACED(after_five_wrong_passwords_from_an_address_no_login_is_looked_at_but_what_is_remembered),
        PLACED(of_invented_logins_from_everywhere_ten_in_ten_seconds_are_looked_at_and_leave_a_row),
        PLACED(what_is_longer_than_any_login_or_password_is_wrong_and_leaves_nothing),
        PLACED(without_its_tables_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
