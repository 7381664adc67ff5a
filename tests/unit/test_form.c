/* test_form: names and values of queries, bodies and cookies. */
#include "unit.h"

#include "base/form.h"

/* Parses a copy of exactly that size. */
static enum err
parse(struct arena *mem, const char *text, size_t bytes, struct form *form, struct fault *fault)
{
    memset(form, 0, sizeof *form);
    memset(fault, 0, sizeof *fault);
    char *exact = unit_exact(text, bytes);
    enum err err = form_parse(mem, exact, bytes, form, fault);
    unit_free_exact(exact, bytes);
    return err;
}

static void
pairs_are_decoded_in_their_order(void **state)
{
    static const struct {
        const char *text;
        const char *pairs[9]; /* name, value, …, NULL */
    } rows[] = {
        {"", {NULL}},
        {"a=1", {"a", "1", NULL}},
        {"a=1&b=2", {"a", "1", "b", "2", NULL}},
        {"action=add&&vanity=0196199&call_callid=148server",
            {"action", "add", "vanity", "0196199", "call_callid", "148server", NULL}},
        {"&&&", {NULL}},
        {"&a=1&", {"a", "1", NULL}},
        {"a", {"a", "", NULL}},
        {"a=", {"a", "", NULL}},
        {"=v", {"", "v", NULL}},
        {"=", {"", "", NULL}},
        {"a=b=c", {"a", "b=c", NULL}},
        {"a=1;b=2", {"a", "1;b=2", NULL}},
        {"a=1+2", {"a", "1 2", NULL}},
        {"a=1%2B2", {"a", "1+2", NULL}},
        {"phone=+16035551234", {"phone", " 16035551234", NULL}},
        {"a%20b=c%20d", {"a b", "c d", NULL}},
        {"a+b=c", {"a b", "c", NULL}},
        {"a=%26%3D%25", {"a", "&=%", NULL}},
        {"a=%2525", {"a", "%25", NULL}},
        {"a=%c3%BC", {"a", "ü", NULL}},
        {"a=ü", {"a", "ü", NULL}},
        {"a=%c3%a9%C3%AF%6F%79", {"a", "éïoy", NULL}},
        {"a=%0D%0A", {"a", "\r\n", NULL}},
        {"a=1&a=2", {"a", "1", "a", "2", NULL}},
        {"a=%41%42%43", {"a", "ABC", NULL}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form form;
        struct fault fault;
        enum err err = parse(*state, rows[i].text, strlen(rows[i].text), &form, &fault);
        CHECK(err == OK, "\"%s\": %s", rows[i].text, unit_show(fault.reason));
        size_t pair = 0;
        for (const char *const *want = rows[i].pairs; *want != NULL; want += 2, pair++) {
            CHECK(pair < form.count, "\"%s\" gave %zu pairs only", rows[i].text, form.count);
            assert_string_equal(form.pairs[pair].name, want[0]);
            assert_string_equal(form.pairs[pair].value, want[1]);
        }
        CHECK(form.count == pair, "\"%s\" gave %zu pairs", rows[i].text, form.count);
    }
}

static void
what_is_malformed_is_refused_and_names_the_parameter(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
        const char *parameter;
        const char *reason;
    } rows[] = {
        {BYTES("name=%"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=%4"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=%4&x=1"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=%G0"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=%0G"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=%%41"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=% 1"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=%-1"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("a=1&name=%u0041"), "name", "The value of 'name' has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("name=%00"), "name", "The value of 'name' contains a NUL character."},
        {BYTES("name=a%00b"), "name", "The value of 'name' contains a NUL character."},
        {BYTES("name=a\0b"), "name", "The value of 'name' contains a NUL character."},
        {BYTES("name=%C3"), "name", "The value of 'name' is not valid UTF-8."},
        {BYTES("name=%FF"), "name", "The value of 'name' is not valid UTF-8."},
        {BYTES("name=\xFC"), "name", "The value of 'name' is not valid UTF-8."},
        {BYTES("name=%C0%80"), "name", "The value of 'name' is not valid UTF-8."},
        {BYTES("name=%ED%A0%80"), "name", "The value of 'name' is not valid UTF-8."},
        {BYTES("n%61me=%FF"), "name", "The value of 'name' is not valid UTF-8."},
        {BYTES("=%FF"), "", "The value of '' is not valid UTF-8."},
        {BYTES("%ZZ=1"), NULL, "The name or the value of a parameter has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("%"), NULL, "The name or the value of a parameter has a '%' that is not followed by two hexadecimal digits."},
        {BYTES("a%00=1"), NULL, "The name or the value of a parameter contains a NUL character."},
        {BYTES("\xFF=1"), NULL, "The name or the value of a parameter is not valid UTF-8."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form form;
        struct fault fault;
        enum err err = parse(*state, rows[i].text, rows[i].bytes, &form, &fault);
        CHECK(err == ERR_BAD_PARAMETER, "\"%s\" gave %s", rows[i].text, err_code(err));
        CHECK(unit_same(fault.parameter, rows[i].parameter), "\"%s\" named %s", rows[i].text, unit_show(fault.parameter));
        assert_string_equal(fault.reason, rows[i].reason);
    }
}

static void
a_long_name_is_not_repeated(void **state)
{
    for (int bytes = FORM_SHOWN_BYTES; bytes <= FORM_SHOWN_BYTES + 1; bytes++) {
        struct form form;
        struct fault fault;
        char *name = arena_printf(*state, "%0*d", bytes, 0);
        char *text = arena_printf(*state, "%s=%%FF", name);
        assert_int_equal(parse(*state, text, strlen(text), &form, &fault), ERR_BAD_PARAMETER);
        bool is_short = bytes <= FORM_SHOWN_BYTES;
        assert_true(unit_same(fault.parameter, is_short ? name : NULL));
        assert_int_equal(strstr(fault.reason, name) != NULL, is_short);
    }
}

static void
two_hundred_and_fifty_six_pairs_are_taken_and_no_more(void **state)
{
    for (int pairs = 256; pairs <= 257; pairs++) {
        struct form form;
        struct fault fault;
        char *text = arena_strdup(*state, "");
        for (int i = 0; i < pairs; i++)
            text = arena_printf(*state, "%s&p%d=%d&&", text, i, i);
        enum err err = parse(*state, text, strlen(text), &form, &fault);
        assert_int_equal(form.count, 256);
        assert_string_equal(form_get(&form, "p255"), "255");
        assert_int_equal(err, pairs == 256 ? OK : ERR_BAD_PARAMETER);
        assert_true(pairs == 256 || unit_same(fault.reason, "There are more than 256 parameters."));
        assert_null(fault.parameter);
    }
}

static void
the_limit_counts_query_and_body_together(void **state)
{
    struct form form = {0};
    struct fault fault;
    for (int i = 0; i < 256; i++)
        assert_int_equal(form_parse(*state, "a=1", 3, &form, &fault), OK);
    assert_int_equal(form_parse(*state, "&", 1, &form, &fault), OK);
    assert_int_equal(form_parse(*state, "b=1", 3, &form, &fault), ERR_BAD_PARAMETER);
    assert_int_equal(form_add(*state, "b", "1", 1, &form, &fault), ERR_BAD_PARAMETER);
}

static void
of_a_name_given_twice_the_first_counts(void **state)
{
    struct form form = {0};
    struct fault fault;
    assert_int_equal(form_parse(*state, "a=query&c=", 10, &form, &fault), OK);
    assert_int_equal(form_parse(*state, "a=body&b=2&c=3", 14, &form, &fault), OK);
    assert_string_equal(form_get(&form, "a"), "query");
    assert_string_equal(form_get(&form, "b"), "2");
    assert_string_equal(form_get(&form, "c"), "");
    assert_null(form_get(&form, "d"));
    assert_null(form_get(&form, "A"));
    assert_null(form_get(&form, ""));
}

static void
added_pairs_are_copied_and_checked_but_not_decoded(void **state)
{
    struct form form = {0};
    struct fault fault = {0};
    char name[] = "text";
    char value[] = "a+b%20";
    assert_int_equal(form_add(*state, name, value, strlen(value), &form, &fault), OK);
    name[0] = value[0] = '?';
    assert_string_equal(form_get(&form, "text"), "a+b%20");
    assert_int_equal(form_add(*state, "empty", NULL, 0, &form, &fault), OK);
    assert_string_equal(form_get(&form, "empty"), "");
    assert_int_equal(form_add(*state, "nul", "a\0b", 3, &form, &fault), ERR_BAD_PARAMETER);
    assert_string_equal(fault.parameter, "nul");
    assert_string_equal(fault.reason, "The value of 'nul' contains a NUL character.");
    assert_int_equal(form_add(*state, "utf8", "\xFF", 1, &form, &fault), ERR_BAD_PARAMETER);
    assert_string_equal(fault.parameter, "utf8");
    assert_int_equal(form_add(*state, "\xFF", "1", 1, &form, &fault), ERR_BAD_PARAMETER);
    assert_null(fault.parameter);
    assert_int_equal(form.count, 2);
}

static void
a_cookie_is_found_by_its_whole_name(void **state)
{
    static const struct {
        const char *header;
        const char *name;
        const char *want;
    } rows[] = {
        {NULL, "a", NULL},
        {"", "a", NULL},
        {"a=1", "a", "1"},
        {"a=1; b=2", "b", "2"},
        {"a=1;b=2", "b", "2"},
        {"a=1;\t b=2", "b", "2"},
        {"; ;a=1", "a", "1"},
        {"a=1; a=2", "a", "1"},
        {"a=", "a", ""},
        {"a", "a", NULL},
        {"a;b=1", "b", "1"},
        {"aa=1", "a", NULL},
        {"xa=1", "a", NULL},
        {"A=1", "a", NULL},
        {"a=1", "aa", NULL},
        {"b=a=1", "a", NULL},
        {"a=b=c", "a", "b=c"},
        {"a=\"quoted\"", "a", "quoted"},
        {"a=\"\"", "a", ""},
        {"a=\"", "a", "\""},
        {"a=\"half", "a", "\"half"},
        {"a=1 ; b=2", "a", "1"},
        {"a=%41+", "a", "%41+"},
        {"a=\xFF", "a", NULL},
        {"a=\"\xFF\"; b=ok", "b", "ok"},
        {"__Host-rtcc=m_x.y-z_; other=1", "__Host-rtcc", "m_x.y-z_"},
        {"a=1;", "a", "1"},
        {"a=1\t ; b=2", "a", "1"},
        {"a= \t ", "a", ""},
        {"a=; b=2", "a", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = cookie_get(*state, rows[i].header, rows[i].name);
        CHECK(unit_same(got, rows[i].want), "%s of \"%s\" is %s", rows[i].name, unit_show(rows[i].header), unit_show(got));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(pairs_are_decoded_in_their_order),
        UNIT(what_is_malformed_is_refused_and_names_the_parameter),
        UNIT(a_long_name_is_not_repeated),
        UNIT(two_hundred_and_fifty_six_pairs_are_taken_and_no_more),
        UNIT(the_limit_counts_query_and_body_together),
        UNIT(of_a_name_given_twice_the_first_counts),
        UNIT(added_pairs_are_copied_and_checked_but_not_decoded),
        UNIT(a_cookie_is_found_by_its_whole_name),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
