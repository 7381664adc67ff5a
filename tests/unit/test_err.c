/* test_err: the codes and statuses that programs of others compare. */
#include "unit.h"

#include "base/err.h"

static void
each_error_has_the_code_and_status_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        enum err err;
        int status;
        const char *code;
    } rows[] = {
        {OK, 200, "ok"},
        {ERR_BAD_PARAMETER, 400, "bad_parameter"},
        {ERR_UNAUTHORIZED, 401, "unauthorized"},
        {ERR_FORBIDDEN, 403, "forbidden"},
        {ERR_NOT_FOUND, 404, "not_found"},
        {ERR_BAD_METHOD, 405, "bad_method"},
        {ERR_CONFLICT, 409, "conflict"},
        {ERR_ALREADY_TAKEN, 409, "already_taken"},
        {ERR_GONE, 410, "gone"},
        {ERR_TOO_LARGE, 413, "too_large"},
        {ERR_BAD_RANGE, 416, "bad_parameter"},
        {ERR_TOO_MANY, 429, "too_many"},
        {ERR_UNAVAILABLE, 503, "unavailable"},
    };
    assert_int_equal(COUNT(rows), ERR_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(rows[i].err, i);
        assert_int_equal(err_status(rows[i].err), rows[i].status);
        assert_string_equal(err_code(rows[i].err), rows[i].code);
    }
}

static void
each_error_says_one_sentence(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_MAX; i++) {
        const char *sentence = err_sentence((enum err)i);
        assert_non_null(sentence);
        CHECK(sentence[0] >= 'A' && sentence[0] <= 'Z', "\"%s\" does not begin like a sentence", sentence);
        CHECK(strchr(sentence, '.') == sentence + strlen(sentence) - 1, "\"%s\" is not one sentence", sentence);
    }
}

static void
each_error_has_a_heading_for_its_page(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_MAX; i++) {
        const char *title = err_title((enum err)i);
        assert_non_null(title);
        CHECK(title[0] >= 'A' && title[0] <= 'Z' && !strchr(title, '.'), "\"%s\" is no heading", title);
    }
}

static void
ask_for_an_unknown_error(void)
{
    volatile int unknown = ERR_MAX;
    err_status((enum err)unknown);
}

static void
an_unknown_error_is_a_programming_error(void **state)
{
    (void)state;
    char said[4096];
    int status = unit_in_child(ask_for_an_unknown_error, said, sizeof said);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_the_code_and_status_of_the_contract),
        cmocka_unit_test(each_error_says_one_sentence),
        cmocka_unit_test(each_error_has_a_heading_for_its_page),
        cmocka_unit_test(an_unknown_error_is_a_programming_error),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
