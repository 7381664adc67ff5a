/* XML as we write it, to the letter of the wire contract, and as we read it, from friends and from enemies. */
#include "unit.h"

#include <time.h>

#include "base/xml.h"
#include "io/xmlread.h"

/* ── writing ── */

static const char *
written(struct arena *mem, const struct value *tree, const char *name)
{
    struct buf out = buf_new(mem, 1000000);
    xml_write(tree, name, &out);
    assert_false(out.full);
    return buf_str(&out);
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static struct value *
access_of(struct value *list, const char *type, const char *state)
{
    struct value *item = value_add_object(list, NULL);
    value_attribute(item, "type", type);
    if (state)
        value_attribute(item, "state", state);
    value_attribute_int(item, "siteid", 0);
    return item;
}

static struct value *
conference(struct arena *mem)
{
    struct value *c = value_object(mem);
    value_attribute(c, "type", "reservationless");
    value_attribute(c, "id", "148474396310564server");
    value_add_text(c, "subject", "new_conference");
    value_add_text(c, "owner", "user1@domain.com");
    value_add_text(c, "join_url_root", "/call/");
    struct value *list = value_add_list(c, "access");
    value_add_text(access_of(list, "leader", NULL), "vanity", "0196199");
    value_add_text(access_of(list, "leader", "active"), "code", "0196199");
    value_add_text(access_of(list, "participant", "active"), "code", "0196198");
    return c;
}

static void
the_answer_of_the_patent_is_written_to_the_letter(void **state)
{
    assert_string_equal(written(*state, conference(*state), "conference"),
        HEAD "<conference type=\"reservationless\" id=\"148474396310564server\">\n"
             "  <subject>new_conference</subject>\n"
             "  <owner>user1@domain.com</owner>\n"
             "  <join_url_root>/call/</join_url_root>\n"
             "  <access type=\"leader\" siteid=\"0\"><vanity>0196199</vanity></access>\n"
             "  <access type=\"leader\" state=\"active\" siteid=\"0\"><code>0196199</code></access>\n"
             "  <access type=\"participant\" state=\"active\" siteid=\"0\"><code>0196198</code></access>\n"
             "</conference>\n");
}

static void
values_of_every_kind_have_their_form(void **state)
{
    struct value *tree = value_object(*state);
    value_add_int(tree, "number", -9007199254740991);
    value_add_flag(tree, "yes", true);
    value_add_flag(tree, "no", false);
    value_add_null(tree, "nothing");
    value_add_text(tree, "empty", "");
    value_add_object(tree, "object");
    value_add_list(tree, "list");
    struct value *list = value_add_list(tree, "word");
    value_add_text(list, NULL, "one");
    value_add_text(value_add_list(list, NULL), NULL, "two");
    value_add_text(value_add_object(tree, "deep"), "text", "content");
    assert_string_equal(written(*state, tree, "a"), HEAD "<a>\n"
                                                         "  <number>-9007199254740991</number>\n"
                                                         "  <yes>true</yes>\n"
                                                         "  <no>false</no>\n"
                                                         "  <nothing/>\n"
                                                         "  <empty/>\n"
                                                         "  <object/>\n"
                                                         "  <word>one</word>\n"
                                                         "  <word>two</word>\n"
                                                         "  <deep>content</deep>\n"
                                                         "</a>\n");
}

static void
an_empty_tree_is_an_empty_element(void **state)
{
    assert_string_equal(written(*state, value_object(*state), "conferences"), HEAD "<conferences/>\n");
    struct value *tree = value_object(*state);
    value_add_list(tree, "conference");
    value_attribute(tree, "nothing", NULL);
    assert_string_equal(written(*state, tree, "conferences"), HEAD "<conferences/>\n");
}

static void
markup_in_values_is_escaped(void **state)
{
    struct value *tree = value_object(*state);
    value_attribute(tree, "quote", "a\"b'c<d>&e\n\tf");
    value_add_text(tree, "window", "http://h/cgi_bin/conf_view?conf=ID&token=<m_1>]]>");
    value_add_text(tree, "letters", "Grüße, 日本 😀");
    value_attribute(tree, "letter", "ü");
    assert_string_equal(written(*state, tree, "a"),
        HEAD "<a quote=\"a&quot;b'c&lt;d&gt;&amp;e&#10;&#9;f\" letter=\"ü\">\n"
             "  <window>http://h/cgi_bin/conf_view?conf=ID&amp;token=&lt;m_1&gt;]]&gt;</window>\n"
             "  <letters>Grüße, 日本 😀</letters>\n"
             "</a>\n");
}

static void
characters_that_xml_does_not_know_are_left_out(void **state)
{
    struct value *tree = value_object(*state);
    value_attribute(tree, "bell", "\x01\x07ring\x1F");
    value_add_text(tree, "a", "one\x0Btwo\tthree\xEF\xBF\xBE\xEF\xBF\xBF");
    value_add_text(tree, "b",
        "\xFF\xC3"
        "broken\xE2\x82");
    value_add_text(tree, "c", "\x02");
    value_add_text(tree, "d", "de\x7Fl\r\n");
    assert_string_equal(written(*state, tree, "x"), HEAD "<x bell=\"ring\">\n  <a>onetwo\tthree</a>\n  <b>broken</b>\n  <c/>\n"
                                                         "  <d>de\x7Fl&#13;\n</d>\n</x>\n");
}

/* Read again it is the same text, so it must be written the same way. */
static void
an_object_that_is_all_content_is_written_as_a_text_is(void **state)
{
    struct value *object = value_object(*state), *text = value_object(*state), *empty = value_object(*state);
    value_add_text(value_add_object(object, "a"), "text", "hello");
    value_add_text(text, "a", "hello");
    assert_string_equal(written(*state, object, "b"), HEAD "<b><a>hello</a></b>\n");
    assert_string_equal(written(*state, text, "b"), written(*state, object, "b"));
    value_add_object(empty, "a");
    assert_string_equal(written(*state, empty, "b"), HEAD "<b><a/></b>\n");
    value_attribute(value_add_object(empty, "c"), "d", "e");
    assert_string_equal(written(*state, empty, "b"), HEAD "<b>\n  <a/>\n  <c d=\"e\"/>\n</b>\n");
}

static void
a_list_has_a_line_for_each_of_its_elements(void **state)
{
    struct value *tree = value_object(*state);
    struct value *list = value_add_list(tree, "b");
    value_add_text(list, NULL, "1");
    assert_string_equal(written(*state, tree, "a"), HEAD "<a><b>1</b></a>\n");
    value_add_text(list, NULL, "2");
    assert_string_equal(written(*state, tree, "a"), HEAD "<a>\n  <b>1</b>\n  <b>2</b>\n</a>\n");
}

static void
an_element_far_inside_is_indented_no_further(void **state)
{
    struct value *tree = value_object(*state);
    struct value *inner = tree;
    for (int i = 0; i < 40; i++) {
        value_add_text(inner, "t", "x");
        inner = value_add_object(inner, "a");
    }
    value_add_text(inner, "b", "1");
    const char *text = written(*state, tree, "a");
    assert_non_null(strstr(text, "<b>1</b>"));
    assert_null(strstr(text, "                                                                   ")); /* 67 blanks */
}

static void
beside_text_no_white_space_is_added(void **state)
{
    struct value *tree = value_object(*state);
    value_add_text(value_add_object(tree, "b"), "c", "x");
    value_add_text(tree, "d", "y");
    value_add_text(tree, "text", "word");
    assert_string_equal(written(*state, tree, "a"), HEAD "<a>word<b><c>x</c></b><d>y</d></a>\n");
}

static void
a_buffer_that_is_too_small_is_full(void **state)
{
    struct buf out = buf_new(*state, 100);
    xml_write(conference(*state), "conference", &out);
    assert_true(out.full);
    assert_true(out.len <= 100);
}

static void
write_a_name_with_a_blank(void)
{
    struct arena *mem = arena_new();
    struct buf out = buf_new(mem, 1000);
    struct value *tree = value_object(mem);
    value_add_text(tree, "a b=\"\"", "x");
    xml_write(tree, "a", &out);
}

static void
a_name_that_is_markup_is_a_programming_error(void **state)
{
    (void)state;
    char said[500];
    int status = unit_in_child(write_a_name_with_a_blank, said, sizeof said);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ── reading ── */

static enum err
read_bytes(struct arena *mem, const char *text, size_t bytes, const char **name, struct value **out)
{
    char *exact = unit_exact(text, bytes);
    enum err err = xml_read(mem, exact, bytes, name, out);
    unit_free_exact(exact, bytes);
    return err;
}

static const struct value *
read_text(struct arena *mem, const char *text)
{
    const char *name = NULL;
    struct value *tree = NULL;
    CHECK(read_bytes(mem, text, strlen(text), &name, &tree) == OK, "refused: %s", text);
    assert_non_null(name);
    return tree;
}

static void
assert_refused(struct arena *mem, const char *text, size_t bytes)
{
    const char *name = "before";
    struct value *tree = NULL;
    CHECK(read_bytes(mem, text, bytes, &name, &tree) == ERR_BAD_PARAMETER, "taken: %.200s", text);
    assert_string_equal(name, "before");
    assert_null(tree);
}

static void
what_we_write_we_read_and_write_again(void **state)
{
    const char *text = written(*state, conference(*state), "conference");
    const char *name;
    struct value *tree;
    assert_int_equal(read_bytes(*state, text, strlen(text), &name, &tree), OK);
    assert_string_equal(name, "conference");
    assert_string_equal(value_get_text(tree, "id"), "148474396310564server");
    assert_true(value_get(tree, "id")->is_attribute);
    assert_string_equal(value_get_text(tree, "owner"), "user1@domain.com");
    assert_false(value_get(tree, "owner")->is_attribute);
    const struct value *access = value_get(tree, "access");
    assert_string_equal(value_get_text(access, "vanity"), "0196199");
    assert_string_equal(value_get_text(access->next->next, "type"), "participant");
    assert_string_equal(value_get_text(access->next->next, "code"), "0196198");
    assert_string_equal(written(*state, tree, name), text);
}

static void
content_is_found_as_text(void **state)
{
    const struct value *tree =
        read_text(*state, "<a x='1' e=''> <!-- no --> <b y='2'>be<!-- -->side</b><c>in<![CDATA[<si>]]>de</c><d/><?p i?> </a>");
    assert_string_equal(value_get_text(tree, "x"), "1");
    assert_string_equal(value_get_text(tree, "e"), "");
    assert_string_equal(value_get_text(value_get(tree, "b"), "text"), "beside");
    assert_string_equal(value_get_text(tree, "c"), "in<si>de");
    assert_string_equal(value_get_text(tree, "d"), "");
    assert_null(value_get(tree, "text"));
    assert_string_equal(value_get_text(read_text(*state, "<a>&lt;&#x20AC;&amp;</a>"), "text"), "<€&");
    assert_string_equal(value_get_text(read_text(*state, "<a> one <b/>two</a>"), "text"), " one two");
    assert_null(read_text(*state, "<a/>")->first);
}

static void
prefixes_are_dropped_and_the_first_of_two_attributes_counts(void **state)
{
    const struct value *tree = read_text(*state, "<s:a xmlns:s='urn:s' s:id='1' id='2'><s:b>x</s:b></s:a>");
    assert_string_equal(value_get_text(tree, "id"), "1");
    assert_null(value_get(tree, "id")->next->next);
    assert_string_equal(value_get_text(tree, "b"), "x");
}

static void
other_encodings_become_utf_8(void **state)
{
    assert_string_equal(value_get_text(read_text(*state, "<?xml version='1.0' encoding='ISO-8859-1'?><a>Gr\xFC\xDF"
                                                         "e</a>"),
                            "text"),
        "Grüße");
    static const char utf16[] = "\xFF\xFE<\0a\0>\0\xFC\0<\0/\0a\0>\0";
    const char *name;
    struct value *tree;
    assert_int_equal(read_bytes(*state, BYTES(utf16), &name, &tree), OK);
    assert_string_equal(value_get_text(tree, "text"), "ü");
}

static void
what_is_not_well_formed_is_refused(void **state)
{
    static const char *const texts[] = {"", " ", "text", "<", "<a", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a b='1' b='2'/>",
        "<a>&nbsp;</a>", "<a>&#0;</a>", "<a>&#x1;</a>", "<a>\x01</a>", "<a>\xFF</a>", "<a>\xC0\x80</a>", "<a>\xED\xA0\x80</a>",
        "<a>]]></a>", "<a>< /a>", "<u:c/>", "<a><u:c/></a>", "<a xmlns:s='urn:s' s:xml:lang='de'/>",
        "<?xml version='1.0' encoding='nonsense'?><a/>x", "{\"a\":1}"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_refused(*state, texts[i], strlen(texts[i]));
    static const char nul[] = "<a>x\0y</a>";
    assert_refused(*state, BYTES(nul));
}

static void
a_document_with_a_dtd_is_refused(void **state)
{
    static const char *const texts[] = {"<!DOCTYPE a><a/>", "<!DOCTYPE a []><a/>",
        "<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'a.dtd'><a/>", "<!DOCTYPE a PUBLIC '-//x' 'http://127.0.0.1:1/a.dtd'><a/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a b='&x;'/>",
        "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'> %x;]><a/>", "<!DOCTYPE a [<!ATTLIST a b CDATA 'default'>]><a/>",
        "<!DOCTYPE a [<!ELEMENT a ANY>"};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_refused(*state, texts[i], strlen(texts[i]));
    static const char utf16[] = "\xFF\xFE<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0a\0>\0<\0a\0/\0>\0";
    assert_refused(*state, BYTES(utf16));
    assert_string_equal(value_get_text(read_text(*state, "<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]></a>"), "text"),
        "<!DOCTYPE a>");
}

static void
a_billion_laughs_are_refused_at_once(void **state)
{
    struct buf text = buf_new(*state, XML_MAX_BYTES);
    buf_text(&text, "<!DOCTYPE a [<!ENTITY e0 'ha'>");
    for (int i = 1; i < 30; i++)
        buf_printf(&text, "<!ENTITY e%d '&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;'>", i, i - 1, i - 1, i - 1, i - 1,
            i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    buf_text(&text, "]><a b='&e29;'>&e29;</a>");
    assert_false(text.full);
    clock_t from = clock();
    assert_refused(*state, buf_str(&text), text.len);
    assert_true(clock() - from < CLOCKS_PER_SEC / 10);
}

static const char *
padded(struct arena *mem, size_t bytes)
{
    char *text = arena_alloc(mem, bytes + 1);
    memset(text, 'x', bytes);
    memcpy(text, "<a>", 3);
    memcpy(text + bytes - 4, "</a>", 4);
    return text;
}

static void
a_document_of_64_kib_is_read_and_one_byte_more_is_refused(void **state)
{
    assert_int_equal(strlen(value_get_text(read_text(*state, padded(*state, 65536)), "text")), 65536 - 7);
    assert_refused(*state, padded(*state, 65537), 65537);
    assert_refused(*state, padded(*state, 66560), 66560);
}

static const char *
nested(struct arena *mem, int depth)
{
    struct buf text = buf_new(mem, XML_MAX_BYTES);
    for (int i = 0; i < depth; i++)
        buf_text(&text, "<a>");
    for (int i = 0; i < depth; i++)
        buf_text(&text, "</a>");
    assert_false(text.full);
    return buf_str(&text);
}

static void
depth_32_is_read_and_33_is_refused(void **state)
{
    read_text(*state, nested(*state, 32));
    static const int depths[] = {33, 34, 255, 256, 257, 9000};
    for (size_t i = 0; i < COUNT(depths); i++)
        assert_refused(*state, nested(*state, depths[i]), strlen(nested(*state, depths[i])));
}

static void
depth_is_counted_with_attributes_too(void **state)
{
    const char *text = nested(*state, 33);
    struct buf with = buf_new(*state, XML_MAX_BYTES);
    for (; *text; text++) {
        buf_byte(&with, *text);
        if (text[0] == '<' && text[1] == 'a') {
            buf_text(&with, "a x='1'");
            text++;
        }
    }
    assert_refused(*state, buf_str(&with), with.len);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(the_answer_of_the_patent_is_written_to_the_letter),
        UNIT(values_of_every_kind_have_their_form),
        UNIT(an_empty_tree_is_an_empty_element),
        UNIT(markup_in_values_is_escaped),
        UNIT(characters_that_xml_does_not_know_are_left_out),
        UNIT(an_object_that_is_all_content_is_written_as_a_text_is),
        UNIT(a_list_has_a_line_for_each_of_its_elements),
        UNIT(an_element_far_inside_is_indented_no_further),
        UNIT(beside_text_no_white_space_is_added),
        UNIT(a_buffer_that_is_too_small_is_full),
        UNIT(a_name_that_is_markup_is_a_programming_error),
        UNIT(what_we_write_we_read_and_write_again),
        UNIT(content_is_found_as_text),
        UNIT(prefixes_are_dropped_and_the_first_of_two_attributes_counts),
        UNIT(other_encodings_become_utf_8),
        UNIT(what_is_not_well_formed_is_refused),
        UNIT(a_document_with_a_dtd_is_refused),
        UNIT(a_billion_laughs_are_refused_at_once),
        UNIT(a_document_of_64_kib_is_read_and_one_byte_more_is_refused),
        UNIT(depth_32_is_read_and_33_is_refused),
        UNIT(depth_is_counted_with_attributes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
