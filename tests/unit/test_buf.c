/* test_buf: a text that grows, its limit, and what each context escapes. */
#include "unit.h"

#include "base/buf.h"

typedef void escape_fn(struct buf *b, const char *text);

struct row {
    const char *text;
    const char *want;
};

static void
check_rows(struct arena *mem, escape_fn *escape, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf b = buf_new(mem, 1000);
        buf_text(&b, "<");
        escape(&b, rows[i].text);
        const char *got = buf_str(&b) + 1;
        CHECK(strcmp(got, rows[i].want) == 0, "\"%s\" became \"%s\", not \"%s\"", unit_show(rows[i].text), got, rows[i].want);
        assert_int_equal(b.len, strlen(rows[i].want) + 1);
        assert_false(b.full);
    }
}

static void
html_escapes_what_ends_a_text_or_an_attribute(void **state)
{
    static const struct row rows[] = {
        {NULL, ""},
        {"", ""},
        {"plain", "plain"},
        {"<b>", "&lt;b&gt;"},
        {"a & b", "a &amp; b"},
        {"&amp;", "&amp;amp;"},
        {"\"'", "&quot;&#39;"},
        {"x<", "x&lt;"},
        {"Grüße €😀", "Grüße €😀"},
        {"a\n\tb", "a\n\tb"},
    };
    check_rows(*state, buf_html, rows, COUNT(rows));
}

static void
url_keeps_only_unreserved_characters(void **state)
{
    static const struct row rows[] = {
        {NULL, ""},
        {"", ""},
        {"azAZ09-._~", "azAZ09-._~"},
        {"a b", "a%20b"},
        {"a+b&c=d", "a%2Bb%26c%3Dd"},
        {"http://host/?q#f", "http%3A%2F%2Fhost%2F%3Fq%23f"},
        {"%", "%25"},
        {"ü", "%C3%BC"},
        {"\x01\x7F", "%01%7F"},
        {"@[`{/:!*'()", "%40%5B%60%7B%2F%3A%21%2A%27%28%29"},
    };
    check_rows(*state, buf_url, rows, COUNT(rows));
}

static void
json_escapes_quotes_controls_and_what_a_page_would_see(void **state)
{
    static const struct row rows[] = {
        {NULL, ""},
        {"", ""},
        {"plain / text", "plain / text"},
        {"say \"hi\"", "say \\\"hi\\\""},
        {"C:\\dir", "C:\\\\dir"},
        {"a\nb\rc\td", "a\\nb\\rc\\td"},
        {"\x01\x08\x0C\x1F", "\\u0001\\u0008\\u000C\\u001F"},
        {"</script>", "\\u003C/script\\u003E"},
        {"a&b", "a&b"},
        {"\x7F", "\x7F"},
        {"ü€😀", "ü€😀"},
    };
    check_rows(*state, buf_json, rows, COUNT(rows));
}

static void
an_unwritten_buffer_is_an_empty_text(void **state)
{
    struct buf b = buf_new(*state, 10);
    assert_string_equal(buf_str(&b), "");
    buf_text(&b, NULL);
    assert_string_equal(buf_str(&b), "");
    buf_text(&b, "");
    assert_string_equal(buf_str(&b), "");
    buf_printf(&b, "%s", "");
    assert_string_equal(buf_str(&b), "");
    buf_bytes(&b, NULL, 0);
    assert_int_equal(b.len, 0);
    assert_false(b.full);
}

static void
it_grows_and_keeps_all_that_was_written(void **state)
{
    struct buf b = buf_new(*state, 1000000);
    for (int i = 0; i < 20000; i++) {
        buf_byte(&b, (char)('a' + i % 26));
        buf_printf(&b, "%d", i % 10);
        assert_int_equal(b.data[b.len], '\0');
    }
    assert_int_equal(b.len, 40000);
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(b.data[i * 2], 'a' + i % 26);
        assert_int_equal(b.data[i * 2 + 1], '0' + i % 10);
    }
}

static void
one_write_may_be_longer_than_all_before(void **state)
{
    struct buf b = buf_new(*state, 100000);
    buf_text(&b, "short");
    buf_text(&b, arena_printf(*state, "%*d", 99000, 7));
    assert_false(b.full);
    assert_int_equal(b.len, 99005);
    assert_memory_equal(b.data, "short ", 6);
    assert_string_equal(b.data + b.len - 2, " 7");
}

static void
bytes_may_hold_nul(void **state)
{
    struct buf b = buf_new(*state, 10);
    buf_bytes(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(buf_str(&b), "a\0b\0", 4);
}

static void
exactly_the_limit_fits(void **state)
{
    static const size_t limits[] = {0, 1, 255, 256, 257, 1000};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct buf b = buf_new(*state, limits[i]);
        for (size_t k = 0; k < limits[i]; k++)
            buf_byte(&b, 'x');
        CHECK(!b.full && b.len == limits[i], "limit %zu: %zu were taken", limits[i], b.len);
        buf_byte(&b, 'y');
        CHECK(b.full && b.len == limits[i], "limit %zu: one more was taken", limits[i]);
        assert_null(strchr(buf_str(&b), 'y'));
    }
}

static void
a_write_over_the_limit_writes_nothing_and_nothing_follows(void **state)
{
    struct buf b = buf_new(*state, 8);
    buf_text(&b, "12345");
    buf_text(&b, "6789");
    assert_true(b.full);
    assert_string_equal(buf_str(&b), "12345");
    buf_text(&b, "6");
    buf_byte(&b, '6');
    buf_printf(&b, "%d", 6);
    buf_html(&b, "6");
    buf_url(&b, "6");
    buf_json(&b, "6");
    assert_string_equal(buf_str(&b), "12345");
    assert_int_equal(b.len, 5);
}

static void
printf_over_the_limit_writes_nothing(void **state)
{
    struct buf b = buf_new(*state, 5);
    buf_printf(&b, "%s", "abc");
    buf_printf(&b, "%d", 123);
    assert_true(b.full);
    assert_string_equal(buf_str(&b), "abc");
}

static void
an_escaped_text_over_the_limit_leaves_no_part(void **state)
{
    static escape_fn *const escapes[] = {buf_html, buf_url, buf_json};
    static const char *const texts[] = {"long<", "<<", "a<bcdefgh"};
    for (size_t i = 0; i < COUNT(escapes); i++)
        for (size_t k = 0; k < COUNT(texts); k++) {
            struct buf b = buf_new(*state, 7);
            buf_text(&b, "123");
            escapes[i](&b, texts[k]);
            CHECK(b.full && strcmp(buf_str(&b), "123") == 0, "\"%s\" left \"%s\"", texts[k], buf_str(&b));
            assert_int_equal(b.len, 3);
        }
    struct buf fresh = buf_new(*state, 2);
    buf_html(&fresh, "<");
    assert_true(fresh.full);
    assert_string_equal(buf_str(&fresh), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(html_escapes_what_ends_a_text_or_an_attribute),
        UNIT(url_keeps_only_unreserved_characters),
        UNIT(json_escapes_quotes_controls_and_what_a_page_would_see),
        UNIT(an_unwritten_buffer_is_an_empty_text),
        UNIT(it_grows_and_keeps_all_that_was_written),
        UNIT(one_write_may_be_longer_than_all_before),
        UNIT(bytes_may_hold_nul),
        UNIT(exactly_the_limit_fits),
        UNIT(a_write_over_the_limit_writes_nothing_and_nothing_follows),
        UNIT(printf_over_the_limit_writes_nothing),
        UNIT(an_escaped_text_over_the_limit_leaves_no_part),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
