/* test_text: small questions about strings. */
#include "unit.h"

#include "base/text.h"

static void
utf8_is_what_rfc_3629_says(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t bytes;
        bool want;
        const char *what;
    } rows[] = {
        {BYTES(""), true, "nothing"},
        {BYTES("plain\t\n\x7F"), true, "ASCII"},
        {BYTES("a\0b"), false, "NUL inside"},
        {BYTES("\0"), false, "NUL alone"},
        {BYTES("\xC2\x80"), true, "U+0080"},
        {BYTES("\xDF\xBF"), true, "U+07FF"},
        {BYTES("\xE0\xA0\x80"), true, "U+0800"},
        {BYTES("\xED\x9F\xBF"), true, "U+D7FF"},
        {BYTES("\xEE\x80\x80"), true, "U+E000"},
        {BYTES("\xEF\xBF\xBF"), true, "U+FFFF"},
        {BYTES("\xF0\x90\x80\x80"), true, "U+10000"},
        {BYTES("\xF4\x8F\xBF\xBF"), true, "U+10FFFF"},
        {BYTES("\xC0\x80"), false, "NUL in two bytes"},
        {BYTES("\xC1\xBF"), false, "overlong U+007F"},
        {BYTES("\xE0\x80\xAF"), false, "overlong '/' in three bytes"},
        {BYTES("\xE0\x9F\xBF"), false, "overlong U+07FF"},
        {BYTES("\xF0\x80\x80\xAF"), false, "overlong '/' in four bytes"},
        {BYTES("\xF0\x8F\xBF\xBF"), false, "overlong U+FFFF"},
        {BYTES("\xED\xA0\x80"), false, "U+D800, the first surrogate"},
        {BYTES("\xED\xBF\xBF"), false, "U+DFFF, the last surrogate"},
        {BYTES("\xED\xA0\xBD\xED\xB8\x80"), false, "a surrogate pair (CESU-8)"},
        {BYTES("\xF4\x90\x80\x80"), false, "U+110000"},
        {BYTES("\xF5\x80\x80\x80"), false, "lead F5"},
        {BYTES("\xF8\x88\x80\x80\x80"), false, "five bytes"},
        {BYTES("\xFE"), false, "FE"},
        {BYTES("\xFF"), false, "FF"},
        {BYTES("\x80"), false, "a continuation alone"},
        {BYTES("\xBF"), false, "the last continuation alone"},
        {BYTES("\xC3"), false, "cut after one of two"},
        {BYTES("\xE2\x82"), false, "cut after two of three"},
        {BYTES("\xF0\x9F\x98"), false, "cut after three of four"},
        {BYTES("\xC3("), false, "ASCII instead of the second byte"},
        {BYTES("\xE2\x82("), false, "ASCII instead of the third byte"},
        {BYTES("\xF0\x9F\x98("), false, "ASCII instead of the fourth byte"},
        {BYTES("\xE2\xC3\xBC"), false, "a lead instead of the second byte"},
        {BYTES("\xF0\x9F\x98\x80\x80"), false, "one continuation too many"},
        {BYTES("Grüße €😀"), true, "two, three and four bytes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *exact = unit_exact(rows[i].data, rows[i].bytes);
        bool got = text_is_utf8(exact, rows[i].bytes);
        unit_free_exact(exact, rows[i].bytes);
        CHECK(got == rows[i].want, "%s was %s", rows[i].what, got ? "taken" : "refused");
    }
}

/* Encodes any number as UTF-8 would, had it no rules. */
static size_t
encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((0xF00 >> bytes) | code);
    return bytes;
}

static void
every_code_point_but_nul_and_surrogates_is_taken(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x200000; code++) {
        char data[4];
        size_t bytes = encode(code, data);
        bool want = code != 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        CHECK(text_is_utf8(data, bytes) == want, "U+%04X was %s", (unsigned)code, want ? "refused" : "taken");
    }
}

static void
chars_are_code_points(void **state)
{
    (void)state;
    assert_int_equal(text_chars(""), 0);
    assert_int_equal(text_chars("abc"), 3);
    assert_int_equal(text_chars("Grüße"), 5);
    assert_int_equal(text_chars("€😀"), 2);
    assert_int_equal(text_chars("e\xCC\x81"), 2);
}

static void
control_characters_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool in_text;
        bool in_line;
    } rows[] = {
        {"", false, false}, {"plain ~ text", false, false}, {"tab\there", false, false}, {"two\nlines", false, true},
        {"two\rlines", false, true}, {"two\r\nlines", false, true}, {"bell\x07", true, true}, {"\x01", true, true},
        {"\x1F", true, true}, {"\x1B[2J", true, true}, {"del\x7F", true, true}, {"\xC2\x80", true, true}, /* U+0080 */
        {"\xC2\x85", true, true},                                                                         /* U+0085, next line */
        {"\xC2\x9F", true, true},                                                                         /* U+009F */
        {"\xC2\xA0", false, false},                                                                       /* U+00A0, a space */
        {"\xC3\x80", false, false},     /* U+00C0: its second byte is no control */
        {"\xE2\x82\x80", false, false}, /* U+2080 */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(text_has_control(rows[i].text, false) == rows[i].in_text, "row %zu as a text", i);
        CHECK(text_has_control(rows[i].text, true) == rows[i].in_line, "row %zu as a line", i);
    }
}

static void
a_blank_stands_in_the_place_of_each_control_character(void **state)
{
    (void)state;
    char every[] = "a\x01"
                   "b\t\r\nc\x7f"
                   "d\xc2\x80\xc2\x9f"
                   "e\xc2\xa0\xc3\xbc\xe2\x82\xac";
    text_blank_controls(every);
    assert_string_equal(every, "a b   c d  e\xc2\xa0\xc3\xbc\xe2\x82\xac");
    assert_false(text_has_control(every, true));
}

static void
whole_numbers_are_read_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max;
        enum err want;
        int64_t number;
    } rows[] = {
        {"0", 0, 10, OK, 0}, {"10", 0, 10, OK, 10}, {"007", 0, 10, OK, 7}, {"-5", -10, 10, OK, -5}, {"-0", 0, 0, OK, 0},
        {"9223372036854775807", INT64_MIN, INT64_MAX, OK, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, OK, INT64_MIN},
        {"9223372036854775808", INT64_MIN, INT64_MAX, ERR_BAD_PARAMETER, 0},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, ERR_BAD_PARAMETER, 0},
        {"99999999999999999999999999", INT64_MIN, INT64_MAX, ERR_BAD_PARAMETER, 0}, {"11", 0, 10, ERR_BAD_PARAMETER, 0},
        {"-1", 0, 10, ERR_BAD_PARAMETER, 0}, {NULL, 0, 10, ERR_BAD_PARAMETER, 0}, {"", 0, 10, ERR_BAD_PARAMETER, 0},
        {"-", -10, 10, ERR_BAD_PARAMETER, 0}, {"--1", -10, 10, ERR_BAD_PARAMETER, 0}, {"+1", 0, 10, ERR_BAD_PARAMETER, 0},
        {" 1", 0, 10, ERR_BAD_PARAMETER, 0}, {"1 ", 0, 10, ERR_BAD_PARAMETER, 0}, {"1\n", 0, 10, ERR_BAD_PARAMETER, 0},
        {"1.0", 0, 10, ERR_BAD_PARAMETER, 0}, {"1e1", 0, 10, ERR_BAD_PARAMETER, 0}, {"0x1", 0, 10, ERR_BAD_PARAMETER, 0},
        {"one", 0, 10, ERR_BAD_PARAMETER, 0}, {"\xD9\xA1", 0, 10, ERR_BAD_PARAMETER, 0}, /* an Arabic one */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t number = 4711;
        enum err err = text_int(rows[i].text, rows[i].min, rows[i].max, &number);
        CHECK(err == rows[i].want, "\"%s\" gave %s", unit_show(rows[i].text), err_code(err));
        assert_int_equal(number, err == OK ? rows[i].number : 4711);
    }
}

static void
digits_are_exactly_as_many_as_wanted(void **state)
{
    (void)state;
    assert_true(text_is_digits("0196199", 7));
    assert_true(text_is_digits("", 0));
    assert_false(text_is_digits("019619", 7));
    assert_false(text_is_digits("01961990", 7));
    assert_false(text_is_digits("019619a", 7));
    assert_false(text_is_digits("0196199a", 7));
    assert_false(text_is_digits("-196199", 7));
    assert_false(text_is_digits("", 1));
}

static void
an_email_address_has_a_name_one_at_and_a_host(void **state)
{
    (void)state;
    static const char *const good[] = {"a@b", "ann.o'neil+x@mail.example.com", "ü@ü.example"};
    static const char *const bad[] = {"", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "<a@b>", "\"a\"@b"};
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(text_is_email(good[i]), "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(!text_is_email(bad[i]), "%s", bad[i]);
}

static void
texts_are_compared(void **state)
{
    (void)state;
    assert_true(text_starts("m_abc", "m_"));
    assert_true(text_starts("m_", "m_"));
    assert_true(text_starts("abc", ""));
    assert_false(text_starts("m", "m_"));
    assert_false(text_starts("k_abc", "m_"));
    assert_true(text_same("a", "a"));
    assert_true(text_same(NULL, NULL));
    assert_false(text_same("a", NULL));
    assert_false(text_same(NULL, ""));
    assert_false(text_same("a", "A"));
    assert_false(text_same("a", "ab"));
    assert_true(text_same_case("Content-Type", "content-TYPE"));
    assert_true(text_same_case("AMZ", "amz"));
    assert_true(text_same_case("", ""));
    assert_false(text_same_case("abc", "abcd"));
    assert_false(text_same_case("abcd", "abc"));
    assert_false(text_same_case("@", "`"));
    assert_false(text_same_case("[", "{"));
    assert_false(text_same_case("Ü", "ü"));
}

static void
secrets_are_compared_to_the_last_byte(void **state)
{
    (void)state;
    assert_true(text_same_secret("", ""));
    assert_true(text_same_secret("m_0123456789abcdef", "m_0123456789abcdef"));
    assert_false(text_same_secret("m_0123456789abcdef", "m_0123456789abcdeF"));
    assert_false(text_same_secret("x_0123456789abcdef", "m_0123456789abcdef"));
    assert_false(text_same_secret("abc", "abcabc"));
    assert_false(text_same_secret("abcabc", "abc"));
    assert_false(text_same_secret("a", ""));
    assert_false(text_same_secret("", "a"));
    /* Lengths that differ by 256, whose difference would be lost in a byte. */
    char longer[300];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_false(text_same_secret(longer, longer + 256));
    assert_false(text_same_secret(longer + 256, longer));
}

static void
a_head_ends_between_characters(void **state)
{
    (void)state;
    assert_int_equal(text_head("", 3), 0);
    assert_int_equal(text_head("abc", 0), 0);
    assert_int_equal(text_head("abc", 2), 2);
    assert_int_equal(text_head("abc", 4), 3);
    assert_int_equal(text_head("ä漢x", 1), 2);
    assert_int_equal(text_head("ä漢x", 2), 5);
    assert_int_equal(text_head("x\U0001F600", 2), 5);
}

static void
white_space_of_any_script_is_blank(void **state)
{
    (void)state;
    static const char *const blanks[] = {"", " \t\r\n\v\f", "\u00A0", "\u2000\u2005\u200A", " \u202F\n\u205F ",
        "\u3000\u200B\uFEFF"};
    static const char *const texts[] = {"x", " x", "\u00A0x", "\u00A1", "\u200Bä", "漢", "\u2010", "0", "-"};
    assert_true(text_is_blank(NULL));
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        assert_true(text_is_blank(blanks[i]));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(text_is_blank(texts[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(utf8_is_what_rfc_3629_says),
        UNIT(every_code_point_but_nul_and_surrogates_is_taken),
        UNIT(chars_are_code_points),
        UNIT(a_head_ends_between_characters),
        UNIT(white_space_of_any_script_is_blank),
        UNIT(control_characters_are_found),
        UNIT(a_blank_stands_in_the_place_of_each_control_character),
        UNIT(whole_numbers_are_read_and_nothing_else),
        UNIT(digits_are_exactly_as_many_as_wanted),
        UNIT(an_email_address_has_a_name_one_at_and_a_host),
        UNIT(texts_are_compared),
        UNIT(secrets_are_compared_to_the_last_byte),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
