/* test_value: the tree of an answer, and JSON both ways. */
#include "unit.h"

#include "base/value.h"

static const char *
json_of(struct arena *mem, const struct value *value)
{
    struct buf out = buf_new(mem, 1000000);
    value_json(value, &out);
    assert_false(out.full);
    return buf_str(&out);
}

static enum err
parse(struct arena *mem, const char *json, size_t bytes, struct value **out)
{
    char *exact = unit_exact(json, bytes);
    enum err err = value_parse(mem, exact, bytes, out);
    unit_free_exact(exact, bytes);
    return err;
}

/* ── building and writing ── */

static void
a_tree_is_written_in_the_order_of_its_members(void **state)
{
    struct value *root = value_object(*state);
    value_attribute(root, "type", "reservationless");
    value_attribute_int(root, "id", INT64_C(9007199254740991));
    value_add_text(root, "subject", "say \"hi\" & <go>");
    value_add_text(root, "owner", NULL);
    value_add_flag(root, "live", true);
    value_add_flag(root, "full", false);
    value_add_null(root, "wait_s");
    value_add_int(root, "low", INT64_MIN);
    struct value *list = value_add_list(root, "events");
    value_add_int(list, NULL, 0);
    value_add_text(list, NULL, "");
    value_add_list(list, NULL);
    value_add_object(list, NULL);
    struct value *member = value_add_object(root, "from\n");
    value_add_text(member, "name", "Ann");
    assert_string_equal(json_of(*state, root),
        "{\"type\":\"reservationless\",\"id\":9007199254740991,\"subject\":\"say \\\"hi\\\" & \\u003Cgo\\u003E\","
        "\"owner\":null,\"live\":true,\"full\":false,\"wait_s\":null,\"low\":-9223372036854775808,"
        "\"events\":[0,\"\",[],{}],\"from\\n\":{\"name\":\"Ann\"}}");
}

static void
attributes_are_marked_and_others_are_not(void **state)
{
    struct value *root = value_object(*state);
    assert_true(value_attribute(root, "a", "1")->is_attribute);
    assert_true(value_attribute_int(root, "b", 1)->is_attribute);
    assert_false(value_add_text(root, "c", "1")->is_attribute);
    assert_false(value_add_int(root, "d", 1)->is_attribute);
}

static void
a_finished_tree_can_be_hung_into_another(void **state)
{
    struct value *root = value_object(*state);
    struct value *error = value_object(*state);
    value_add_text(error, "code", "gone");
    value_add(root, "error", error);
    struct value *list = value_list(*state);
    value_add(list, NULL, value_object(*state));
    value_add(list, NULL, value_list(*state));
    value_add(root, "list", list);
    assert_string_equal(json_of(*state, root), "{\"error\":{\"code\":\"gone\"},\"list\":[{},[]]}");
}

static void
texts_are_kept_by_pointer(void **state)
{
    static const char text[] = "text";
    struct value *root = value_object(*state);
    assert_ptr_equal(value_add_text(root, "t", text)->text, text);
    assert_ptr_equal(value_get_text(root, "t"), text);
}

static void
members_are_found_by_name_and_kind(void **state)
{
    struct value *root = value_object(*state);
    value_add_text(root, "text", "first");
    value_add_text(root, "text", "second");
    value_add_int(root, "number", 7);
    value_add_flag(root, "flag", true);
    value_add_text(root, "null", NULL);
    assert_string_equal(value_get_text(root, "text"), "first");
    assert_null(value_get_text(root, "number"));
    assert_null(value_get_text(root, "null"));
    assert_null(value_get_text(root, "none"));
    assert_null(value_get_text(NULL, "text"));
    assert_int_equal(value_get_int(root, "number", -1), 7);
    assert_int_equal(value_get_int(root, "text", -1), -1);
    assert_int_equal(value_get_int(root, "flag", -1), -1);
    assert_int_equal(value_get_int(root, "none", -1), -1);
    assert_int_equal(value_get_int(NULL, "number", -1), -1);
    assert_int_equal(value_get(root, "null")->kind, VALUE_NULL);
    assert_null(value_get(root, "none"));
    assert_null(value_get(value_list(*state), "text"));
    assert_null(value_get(value_get(root, "text"), "text"));
}

static void
truth_is_that_of_a_template(void **state)
{
    struct value *list = value_list(*state);
    assert_false(value_is_true(NULL));
    assert_false(value_is_true(list));
    assert_false(value_is_true(value_add_null(list, NULL)));
    assert_true(value_is_true(list));
    assert_true(value_is_true(value_add_flag(list, NULL, true)));
    assert_false(value_is_true(value_add_flag(list, NULL, false)));
    assert_true(value_is_true(value_add_int(list, NULL, -1)));
    assert_false(value_is_true(value_add_int(list, NULL, 0)));
    assert_true(value_is_true(value_add_text(list, NULL, "0")));
    assert_false(value_is_true(value_add_text(list, NULL, "")));
    assert_true(value_is_true(value_add_object(list, NULL)));
}

static void
name_a_list_element(void)
{
    struct arena *mem = arena_new();
    value_add_int(value_list(mem), "name", 1);
}

static void
add_a_member_without_name(void)
{
    struct arena *mem = arena_new();
    value_add_int(value_object(mem), NULL, 1);
}

static void
add_to_a_text(void)
{
    struct arena *mem = arena_new();
    struct value *text = value_add_text(value_list(mem), NULL, "text");
    value_add_int(text, NULL, 1);
}

static void
names_belong_to_objects_and_only_to_objects(void **state)
{
    (void)state;
    static void (*const wrongs[])(void) = {name_a_list_element, add_a_member_without_name, add_to_a_text};
    for (size_t i = 0; i < COUNT(wrongs); i++) {
        char said[4096];
        int status = unit_in_child(wrongs[i], said, sizeof said);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "wrong %zu passed: %d", i, status);
    }
}

static void
a_buffer_too_small_is_full(void **state)
{
    struct value *root = value_object(*state);
    value_add_text(root, "name", "a text that is longer than the buffer");
    struct buf out = buf_new(*state, 20);
    value_json(root, &out);
    assert_true(out.full);
}

/* ── reading ── */

static void
json_is_read_and_written_back(void **state)
{
    static const struct {
        const char *json;
        const char *want; /* NULL: the same */
    } rows[] = {
        {"null", NULL},
        {"true", NULL},
        {"false", NULL},
        {"0", NULL},
        {"-1", NULL},
        {"\"\"", NULL},
        {"[]", NULL},
        {"{}", NULL},
        {"[[],{},[{}]]", NULL},
        {"{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"e\"}", NULL},
        {" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n", "{\"a\":[1,2],\"b\":{}}"},
        {"{\"a\":1,\"a\":2}", NULL},
        {"{\"\":1}", NULL},
        {"{\"\\u0061\":1}", "{\"a\":1}"},
        {"-0", "0"},
        {"9007199254740991", NULL},
        {"-9007199254740991", NULL},
        {"9007199254740992", "null"},
        {"-9007199254740992", "null"},
        {"9007199254740993", "null"},
        {"123456789012345678901234567890", "null"},
        {"1.5", "null"},
        {"1.0", "null"},
        {"-0.0", "null"},
        {"1e3", "null"},
        {"1E+3", "null"},
        {"1e-3", "null"},
        {"0e0", "null"},
        {"1.25e10", "null"},
        {"1e400", "null"},
        {"[0.5,1]", "[null,1]"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\u0008\\u000C\\n\\r\\t\""},
        {"\"\\u0041\\u00fc\\u00FC\\u20aC\"", "\"Aüü€\""},
        {"\"\\ud83d\\ude00\"", "\"😀\""},
        {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""},
        {"\"\\ud7ff\\ue000\\uffff\"", "\"\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\""},
        {"\"\\u007f\\u0080\\u07ff\\u0800\"", "\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\""},
        {"\"\\\\u0041\"", NULL},
        {"\"\\u0039\\u00e9\\u00AF\"", "\"9é¯\""},
        {"\"\x7F\"", NULL},
        {"\"Grüße €😀\"", NULL},
        {"\"a\\\\\"", NULL},
        {"\"\\\\\\\"\"", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value *value = NULL;
        enum err err = parse(*state, rows[i].json, strlen(rows[i].json), &value);
        CHECK(err == OK, "%s was refused", rows[i].json);
        const char *got = json_of(*state, value);
        CHECK(strcmp(got, rows[i].want == NULL ? rows[i].json : rows[i].want) == 0, "%s became %s", rows[i].json, got);
    }
}

static const struct {
    const char *json;
    size_t bytes;
} no_json[] = {
    {BYTES("")},
    {BYTES(" ")},
    {BYTES("nul")},
    {BYTES("nulL")},
    {BYTES("True")},
    {BYTES("tru")},
    {BYTES("nullx")},
    {BYTES("null null")},
    {BYTES("null\0")},
    {BYTES("\xEF\xBB\xBFnull")},
    {BYTES("//c\nnull")},
    {BYTES("\vnull")},
    {BYTES("undefined")},
    {BYTES("NaN")},
    {BYTES("Infinity")},
    {BYTES("'a'")},
    /* numbers */
    {BYTES("-")},
    {BYTES("+1")},
    {BYTES("01")},
    {BYTES("-01")},
    {BYTES("00")},
    {BYTES("1.")},
    {BYTES(".5")},
    {BYTES("1e")},
    {BYTES("1e+")},
    {BYTES("1e+-1")},
    {BYTES("1.e1")},
    {BYTES("1.5.5")},
    {BYTES("0x10")},
    {BYTES("1_000")},
    {BYTES("- 1")},
    {BYTES("--1")},
    /* lists and objects */
    {BYTES("[")},
    {BYTES("]")},
    {BYTES("[1")},
    {BYTES("[1,")},
    {BYTES("[1,]")},
    {BYTES("[,1]")},
    {BYTES("[,]")},
    {BYTES("[1 2]")},
    {BYTES("[1}")},
    {BYTES("[1]]")},
    {BYTES("[\"a\":1]")},
    {BYTES("{")},
    {BYTES("}")},
    {BYTES("{\"a\"")},
    {BYTES("{\"a\":")},
    {BYTES("{\"a\":}")},
    {BYTES("{\"a\":1")},
    {BYTES("{\"a\":1,")},
    {BYTES("{\"a\":1,}")},
    {BYTES("{,}")},
    {BYTES("{\"a\"}")},
    {BYTES("{\"a\" 1}")},
    {BYTES("{\"a\"::1}")},
    {BYTES("{\"a\":1 \"b\":2}")},
    {BYTES("{\"a\":1]")},
    {BYTES("{a:1}")},
    {BYTES("{1:1}")},
    {BYTES("{null:1}")},
    {BYTES("{\"\xFF\":1}")},
    /* strings */
    {BYTES("\"")},
    {BYTES("\"a")},
    {BYTES("\"\\")},
    {BYTES("\"\\\"")},
    {BYTES("\"a\\\\\\\"")},
    {BYTES("\"\\x41\"")},
    {BYTES("\"\\'\"")},
    {BYTES("\"\\\0\"")},
    {BYTES("\"\\U0041\"")},
    {BYTES("\"a\nb\"")},
    {BYTES("\"a\tb\"")},
    {BYTES("\"\x1F\"")},
    {BYTES("\"a\0b\"")},
    {BYTES("\"\\u0000\"")},
    {BYTES("\"\\u\"")},
    {BYTES("\"\\u1\"")},
    {BYTES("\"\\u12\"")},
    {BYTES("\"\\u123\"")},
    {BYTES("\"\\u123")},
    {BYTES("\"\\u")},
    {BYTES("\"\\u12G4\"")},
    {BYTES("\"\\u 123\"")},
    {BYTES("\"\\u+123\"")},
    {BYTES("\"\\u00\\u0041\"")},
    {BYTES("\"\\ud800\"")},
    {BYTES("\"\\udbff\"")},
    {BYTES("\"\\udc00\"")},
    {BYTES("\"\\udfff\"")},
    {BYTES("\"\\ud800x\"")},
    {BYTES("\"\\ud800\\n\"")},
    {BYTES("\"\\ud800\\u0041\"")},
    {BYTES("\"\\ud800\\ud800\"")},
    {BYTES("\"\\ude00\\ud83d\"")},
    {BYTES("\"\\ud83d\\u\"")},
    {BYTES("\"\\ud83d\\ude0\"")},
    {BYTES("\"\\ud83d\\")},
    {BYTES("\"\xFF\"")},
    {BYTES("\"\xC0\x80\"")},
    {BYTES("\"\xED\xA0\x80\"")},
    {BYTES("\"\xC3\"")},
    {BYTES("\"\xED\xA0\xBD\\ude00\"")},
};

static void
what_is_no_json_is_refused(void **state)
{
    for (size_t i = 0; i < COUNT(no_json); i++) {
        struct value *value = NULL;
        CHECK(parse(*state, no_json[i].json, no_json[i].bytes, &value) == ERR_BAD_PARAMETER, "row %zu, %s, was taken", i,
            no_json[i].json);
        assert_null(value);
    }
}

/* `depth` lists around nothing, or that many objects. */
static char *
nested(struct arena *mem, size_t depth, bool of_objects)
{
    struct buf b = buf_new(mem, 1000000);
    for (size_t i = 0; i + 1 < depth; i++)
        buf_text(&b, of_objects ? "{\"a\":" : "[");
    buf_text(&b, of_objects ? "{}" : "[]");
    for (size_t i = 0; i + 1 < depth; i++)
        buf_text(&b, of_objects ? "}" : "]");
    return arena_strdup(mem, buf_str(&b));
}

static void
thirty_two_levels_are_read_and_no_more(void **state)
{
    static const struct {
        size_t depth;
        enum err want;
    } rows[] = {{1, OK}, {32, OK}, {33, ERR_BAD_PARAMETER}, {100000, ERR_BAD_PARAMETER}};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int of_objects = 0; of_objects <= 1; of_objects++) {
            struct value *value;
            char *json = nested(*state, rows[i].depth, of_objects);
            CHECK(parse(*state, json, strlen(json), &value) == rows[i].want, "depth %zu", rows[i].depth);
            assert_true(rows[i].want != OK || unit_same(json_of(*state, value), json));
        }
}

static void
what_was_read_lives_on_its_own(void **state)
{
    char json[] = "{\"name\":\"Ann\",\"id\":3}";
    struct value *value;
    assert_int_equal(value_parse(*state, json, strlen(json), &value), OK);
    memset(json, '?', sizeof json);
    assert_string_equal(value_get_text(value, "name"), "Ann");
    assert_int_equal(value_get_int(value, "id", 0), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_tree_is_written_in_the_order_of_its_members),
        UNIT(attributes_are_marked_and_others_are_not),
        UNIT(a_finished_tree_can_be_hung_into_another),
        UNIT(texts_are_kept_by_pointer),
        UNIT(members_are_found_by_name_and_kind),
        UNIT(truth_is_that_of_a_template),
        UNIT(names_belong_to_objects_and_only_to_objects),
        UNIT(a_buffer_too_small_is_full),
        UNIT(json_is_read_and_written_back),
        UNIT(what_is_no_json_is_refused),
        UNIT(thirty_two_levels_are_read_and_no_more),
        UNIT(what_was_read_lives_on_its_own),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
