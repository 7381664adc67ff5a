/* test_multipart: bodies as browsers, curl and nobody with good intentions send them. */
#include "unit.h"

#include <malloc.h>

#include "base/buf.h"
#include "base/multipart.h"

#define TYPE "multipart/form-data; boundary=XyZ"
#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_AS(field, filename) "Content-Disposition: form-data; name=\"" field "\"; filename=\"" filename "\"\r\n"

struct answer {
    struct form form;
    struct multipart files;
    struct fault fault;
    char *body; /* of exactly its size; the files point into it */
    size_t bytes;
};

static enum err
parse(struct arena *mem, const char *type, const char *body, size_t bytes, struct answer *out)
{
    memset(out, 0, sizeof *out);
    out->body = unit_exact(body, bytes);
    out->bytes = bytes;
    return multipart_parse(mem, type, out->body, bytes, &out->form, &out->files, &out->fault);
}

static void
drop(struct answer *answer)
{
    unit_free_exact(answer->body, answer->bytes);
}

struct row {
    const char *what;
    const char *body;
    size_t bytes;
    const char *value; /* of the field "a"; NULL: there is none */
};

static void
fields_are_read_up_to_their_delimiter(void **state)
{
    static const struct row rows[] = {
        {"one field", BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ--\r\n"), "1"},
        {"no line end after the last delimiter", BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ--"), "1"},
        {"an empty value", BYTES("--XyZ\r\n" FIELD("a") "\r\n--XyZ--\r\n"), ""},
        {"no parts at all", BYTES("--XyZ--\r\n"), NULL},
        {"a line before the parts", BYTES("This is MIME.\r\n--XyZ\r\n" FIELD("a") "1\r\n--XyZ--\r\n"), "1"},
        {"an empty line before the parts", BYTES("\r\n--XyZ\r\n" FIELD("a") "1\r\n--XyZ--\r\n"), "1"},
        {"something after the parts", BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ--\r\nbye\r\n--XyZ\r\n" FIELD("a") "2"), "1"},
        {"blanks behind the delimiters", BYTES("--XyZ \t\r\n" FIELD("a") "1\r\n--XyZ-- \r\n"), "1"},
        {"lines in the value", BYTES("--XyZ\r\n" FIELD("a") "1\r\n2\n3\r\n\r\n--XyZ--\r\n"), "1\r\n2\n3\r\n"},
        {"a bare CR before the delimiter", BYTES("--XyZ\r\n" FIELD("a") "1\r\r\n--XyZ--\r\n"), "1\r"},
        {"the delimiter without its line", BYTES("--XyZ\r\n" FIELD("a") "x--XyZ--\r\n--XyZ--\r\n"), "x--XyZ--"},
        {"the delimiter after a bare LF", BYTES("--XyZ\r\n" FIELD("a") "x\n--XyZ\r\n--XyZ--\r\n"), "x\n--XyZ"},
        {"a longer boundary", BYTES("--XyZ\r\n" FIELD("a") "x\r\n--XyZZ\r\n--XyZ--\r\n"), "x\r\n--XyZZ"},
        {"a longer closing one", BYTES("--XyZ\r\n" FIELD("a") "x\r\n--XyZ--1\r\n--XyZ--\r\n"), "x\r\n--XyZ--1"},
        {"one dash only", BYTES("--XyZ\r\n" FIELD("a") "x\r\n--XyZ-\r\n--XyZ--\r\n"), "x\r\n--XyZ-"},
        {"a delimiter ended by LF", BYTES("--XyZ\r\n" FIELD("a") "x\r\n--XyZ\ny\r\n--XyZ--\r\n"), "x\r\n--XyZ\ny"},
        {"a shorter boundary", BYTES("--XyZ\r\n" FIELD("a") "x\r\n--Xy\r\n--XyZ--\r\n"), "x\r\n--Xy"},
        {"another case", BYTES("--XyZ\r\n" FIELD("a") "x\r\n--xyz\r\n--XyZ--\r\n"), "x\r\n--xyz"},
        {"dashes on their own", BYTES("--XyZ\r\n" FIELD("a") "\r\n--\r\n--XyZ--\r\n"), "\r\n--"},
        {"it begins like the first delimiter", BYTES("--XyZZ\r\n--XyZ\r\n" FIELD("a") "1\r\n--XyZ--\r\n"), "1"},
        {"an empty line in the value", BYTES("--XyZ\r\n" FIELD("a") "\r\n\r\n\r\n--XyZ--\r\n"), "\r\n\r\n"},
        {"nothing is decoded", BYTES("--XyZ\r\n" FIELD("a") "a+b%20&c=d\r\n--XyZ--\r\n"), "a+b%20&c=d"},
        {"of two the first counts", BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ\r\n" FIELD("a") "2\r\n--XyZ--\r\n"), "1"},
        {"another field first", BYTES("--XyZ\r\n" FIELD("b") "1\r\n--XyZ\r\n" FIELD("a") "2\r\n--XyZ--\r\n"), "2"},
        {"UTF-8", BYTES("--XyZ\r\n" FIELD("a") "Grüße\r\n--XyZ--\r\n"), "Grüße"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer;
        enum err err = parse(*state, TYPE, rows[i].body, rows[i].bytes, &answer);
        const char *got = form_get(&answer.form, "a");
        CHECK(err == OK, "%s: %s", rows[i].what, unit_show(answer.fault.reason));
        CHECK(unit_same(got, rows[i].value), "%s: it was \"%s\"", rows[i].what, unit_show(got));
        assert_int_equal(answer.files.count, 0);
        drop(&answer);
    }
}

static void
names_and_headers_come_in_many_forms(void **state)
{
    static const struct {
        const char *headers;
        const char *name;
    } rows[] = {
        {"Content-Disposition: form-data; name=\"n\"", "n"},
        {"content-disposition: FORM-DATA; NAME=\"n\"", "n"},
        {"Content-Disposition:form-data;name=\"n\"", "n"},
        {"Content-Disposition:  form-data ;  name = \"n\" ", "n"},
        {"Content-Disposition:\tform-data;\tname=n", "n"},
        {"Content-Disposition: form-data; name=n; x=y", "n"},
        {"Content-Disposition: form-data; x=y; name=n", "n"},
        {"Content-Disposition: form-data; name=n; name=m", "n"},
        {"Content-Disposition: form-data; x=\"; name=m\"; name=n", "n"},
        {"Content-Disposition: form-data; x=\"\\\"; name=m\"; name=n", "n"},
        {"Content-Disposition: form-data; x; name=n", "n"},
        {"Content-Disposition: form-data;; name=n", "n"},
        {"Content-Disposition: form-data; filenam=x; name=n", "n"},
        {"Content-Disposition: form-data; filename*=UTF-8''x; name=n", "n"},
        {"Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=\"n\"", "n"},
        {"Content-Disposition: form-data; name=\"n\"\r\nContent-Type: text/plain", "n"},
        {"X: Content-Disposition: form-data; name=\"m\"\r\nContent-Disposition: form-data; name=\"n\"", "n"},
        {"no colon\r\nContent-Disposition: form-data; name=\"n\"", "n"},
        {"Content-Disposition: form-data; name=\"\"", ""},
        {"Content-Disposition: form-data; name=\"a;b=c\"", "a;b=c"},
        {"Content-Disposition: form-data; name=\"a\\\"b\"", "a\"b"},
        {"Content-Disposition: form-data; name=\"a\\\\\"", "a\\"},
        {"Content-Disposition: form-data; name=\"a\\b\"", "a\\b"},
        {"Content-Disposition: form-data; name=\"a%22b\"", "a\"b"},
        {"Content-Disposition: form-data; name=\"open", "open"},
        {"Content-Disposition: form-data; name=\"open\\", "open\\"},
        {"Content-Disposition: form-data; name=\"ü\"", "ü"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer;
        char *body = arena_printf(*state, "--XyZ\r\n%s\r\n\r\nvalue\r\n--XyZ--\r\n", rows[i].headers);
        enum err err = parse(*state, TYPE, body, strlen(body), &answer);
        CHECK(err == OK, "%s: %s", rows[i].headers, unit_show(answer.fault.reason));
        assert_int_equal(answer.form.count, 1);
        CHECK(unit_same(answer.form.pairs[0].name, rows[i].name), "%s: \"%s\"", rows[i].headers, answer.form.pairs[0].name);
        assert_string_equal(answer.form.pairs[0].value, "value");
        drop(&answer);
    }
}

static void
files_point_into_the_body(void **state)
{
    static const char body[] =
        "--XyZ\r\n" FIELD("conf") "148server\r\n"
                                  "--XyZ\r\n" FILE_AS("file", "a.bin") "Content-Type: image/png\r\n\r\n"
                                                                       "\x89PNG\r\n\0\xFF--XyZ\r\n"
                                                                       "--XyZ\r\n" FILE_AS("second", "b") "\r\n\r\n"
                                                                                                          "--XyZ--\r\n";
    struct answer answer;
    assert_int_equal(parse(*state, TYPE, BYTES(body), &answer), OK);
    assert_string_equal(form_get(&answer.form, "conf"), "148server");
    assert_int_equal(answer.form.count, 1);
    assert_int_equal(answer.files.count, 2);
    const struct multipart_file *file = &answer.files.files[0];
    assert_string_equal(file->field, "file");
    assert_string_equal(file->filename, "a.bin");
    assert_string_equal(file->type, "image/png");
    assert_int_equal(file->bytes, 13);
    assert_memory_equal(file->data, "\x89PNG\r\n\0\xFF--XyZ", 13);
    assert_true(file->data > answer.body && file->data + file->bytes < answer.body + answer.bytes);
    file++;
    assert_string_equal(file->field, "second");
    assert_string_equal(file->filename, "b");
    assert_string_equal(file->type, "application/octet-stream");
    assert_int_equal(file->bytes, 0);
    drop(&answer);
}

static void
file_names_and_types_are_taken_as_sent(void **state)
{
    static const struct {
        const char *headers;
        const char *filename;
        const char *type;
    } rows[] = {
        {FILE_AS("f", "a.txt") "Content-Type: text/plain; charset=utf-8", "a.txt", "text/plain; charset=utf-8"},
        {FILE_AS("f", "a.txt") "Content-Type:", "a.txt", "application/octet-stream"},
        {FILE_AS("f", "a.txt") "Content-Type: text/\xFF", "a.txt", "application/octet-stream"},
        {FILE_AS("f", "a.txt") "Content-Type: text/a\nb", "a.txt", "application/octet-stream"},
        {FILE_AS("f", "a.txt") "X: y", "a.txt", "application/octet-stream"},
        {FILE_AS("f", "C:\\dir\\file.txt") "X: y", "C:\\dir\\file.txt", "application/octet-stream"},
        {FILE_AS("f", "say \\\"hi\\\".txt") "X: y", "say \"hi\".txt", "application/octet-stream"},
        {FILE_AS("f", "../../etc/passwd") "X: y", "../../etc/passwd", "application/octet-stream"},
        {FILE_AS("f", "Grüße 😀.txt") "X: y", "Grüße 😀.txt", "application/octet-stream"},
        {FILE_AS("f", "") "X: y", "", "application/octet-stream"},
        {"Content-Disposition: form-data; filename=plain.txt; name=f", "plain.txt", "application/octet-stream"},
        {"Content-Disposition: form-data; name=\"f\"; filename=\"a %22b%22.txt\"", "a \"b\".txt", "application/octet-stream"},
        {"Content-Disposition: form-data; name=\"f\"; filename=\"1%0D%0a2\"", "1\r\n2", "application/octet-stream"},
        {"Content-Disposition: form-data; name=\"f\"; filename=\"100%25 %2 %zz %41%\"", "100%25 %2 %zz %41%",
            "application/octet-stream"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer;
        char *body = arena_printf(*state, "--XyZ\r\n%s\r\n\r\ndata\r\n--XyZ--\r\n", rows[i].headers);
        enum err err = parse(*state, TYPE, body, strlen(body), &answer);
        CHECK(err == OK, "%s: %s", rows[i].headers, unit_show(answer.fault.reason));
        assert_int_equal(answer.files.count, 1);
        assert_string_equal(answer.files.files[0].filename, rows[i].filename);
        assert_string_equal(answer.files.files[0].type, rows[i].type);
        assert_int_equal(answer.files.files[0].bytes, 4);
        drop(&answer);
    }
}

static void
a_file_field_left_empty_is_passed_over(void **state)
{
    static const char body[] = "--XyZ\r\n" FILE_AS("file", "") "Content-Type: application/octet-stream\r\n\r\n\r\n--XyZ--\r\n";
    struct answer answer;
    assert_int_equal(parse(*state, TYPE, BYTES(body), &answer), OK);
    assert_int_equal(answer.files.count, 0);
    assert_int_equal(answer.form.count, 0);
    drop(&answer);
}

static void
the_boundary_is_read_from_the_header(void **state)
{
    static const struct {
        const char *type;
        const char *boundary;
        enum err want;
    } rows[] = {
        {"multipart/form-data; boundary=b", "b", OK},
        {"Multipart/Form-Data;BOUNDARY=b", "b", OK},
        {"multipart/form-data; charset=utf-8; boundary=b", "b", OK},
        {"multipart/form-data; boundary=\"b\"", "b", OK},
        {"multipart/form-data; boundary=\"a b;c=d\"", "a b;c=d", OK},
        {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW", OK},
        {"multipart/form-data; boundary=b; x=y", "b", OK},
        {"multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890",
            "1234567890123456789012345678901234567890123456789012345678901234567890", OK},
        {"multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
            "12345678901234567890123456789012345678901234567890123456789012345678901", ERR_BAD_PARAMETER},
        {NULL, "b", ERR_BAD_PARAMETER},
        {"", "", ERR_BAD_PARAMETER},
        {"multipart/form-data", "", ERR_BAD_PARAMETER},
        {"multipart/form-data;", "", ERR_BAD_PARAMETER},
        {"multipart/form-data; boundary", "", ERR_BAD_PARAMETER},
        {"multipart/form-data; boundary=", "", ERR_BAD_PARAMETER},
        {"multipart/form-data; boundary=\"\"", "", ERR_BAD_PARAMETER},
        {"multipart/form-data; xboundary=b", "b", ERR_BAD_PARAMETER},
        {"multipart/mixed; boundary=b", "b", ERR_BAD_PARAMETER},
        {"application/x-www-form-urlencoded; boundary=b", "b", ERR_BAD_PARAMETER},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer;
        char *body = arena_printf(*state, "--%s\r\n" FIELD("a") "1\r\n--%s--\r\n", rows[i].boundary, rows[i].boundary);
        enum err err = parse(*state, rows[i].type, body, strlen(body), &answer);
        CHECK(err == rows[i].want, "%s: %s", unit_show(rows[i].type), unit_show(answer.fault.reason));
        CHECK(unit_same(form_get(&answer.form, "a"), err == OK ? "1" : NULL), "%s", unit_show(rows[i].type));
        assert_int_equal(err != OK, answer.fault.reason != NULL);
        drop(&answer);
    }
}

#define ENDS "The body of the request ends before its last part does."
#define HEADERS "The headers of a part do not end."
#define NAMELESS "A part of the body has no name."

static void
what_is_malformed_is_refused_with_a_sentence(void **state)
{
    static const struct {
        const char *body;
        size_t bytes;
        const char *parameter;
        const char *reason;
    } rows[] = {
        {BYTES(""), NULL, ENDS},
        {BYTES("-"), NULL, ENDS},
        {BYTES("--"), NULL, ENDS},
        {BYTES("--XyZ"), NULL, ENDS},
        {BYTES("--XyZ-"), NULL, ENDS},
        {BYTES("--XyZ\r"), NULL, ENDS},
        {BYTES("--XyZ\r\n"), NULL, ENDS},
        {BYTES("--XyZ\n--XyZ--\n"), NULL, ENDS},
        {BYTES("a=1&b=2"), NULL, ENDS},
        {BYTES("x--XyZ\r\n" FIELD("a") "1"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1\r\n"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ-"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ\r\n"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1\n--XyZ--\r\n"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1--XyZ--\r\n"), NULL, ENDS},
        {BYTES("--XyZ\r\n" FIELD("a") "1\r\n--XyZ\r\n" FIELD("b") "2"), NULL, ENDS},
        {BYTES("--XyZ\r\n--XyZ--\r\n"), NULL, HEADERS},
        {BYTES("--XyZ\r\n\r\n--XyZ--\r\n"), NULL, HEADERS},
        {BYTES("--XyZ\r\nContent-Disposition: form-data; name=a\r\n--XyZ--\r\n"), NULL, HEADERS},
        {BYTES("--XyZ\r\nContent-Disposition: form-data; name=a\n\n1\r\n--XyZ--\r\n"), NULL, HEADERS},
        {BYTES("--XyZ\r\n\r\n1\r\n--XyZ--\r\n"), NULL, NAMELESS},
        {BYTES("--XyZ\r\nContent-Type: text/plain\r\n\r\n1\r\n--XyZ--\r\n"), NULL, NAMELESS},
        {BYTES("--XyZ\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XyZ--\r\n"), NULL, NAMELESS},
        {BYTES("--XyZ\r\nContent-Disposition: form-data; name\r\n\r\n1\r\n--XyZ--\r\n"), NULL, NAMELESS},
        {BYTES("--XyZ\r\nContent-Disposition: form-data; filename=\"x\"\r\n\r\n1\r\n--XyZ--\r\n"), NULL, NAMELESS},
        {BYTES("--XyZ\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--XyZ--\r\n"), NULL, NAMELESS},
        {BYTES("--XyZ\r\nContent-Dispositio: form-data; name=\"a\"\r\n\r\n1\r\n--XyZ--\r\n"), NULL, NAMELESS},
        {BYTES("--XyZ\r\nX: y\0z\r\n" FIELD("a") "1\r\n--XyZ--\r\n"), NULL, "The headers of a part contain a NUL character."},
        {BYTES("--XyZ\r\n" FIELD("a") "1\0002\r\n--XyZ--\r\n"), "a", "The value of 'a' contains a NUL character."},
        {BYTES("--XyZ\r\n" FIELD("a") "\xFC\r\n--XyZ--\r\n"), "a", "The value of 'a' is not valid UTF-8."},
        {BYTES("--XyZ\r\n" FIELD("\xFC") "1\r\n--XyZ--\r\n"), NULL, "The name or the value of a parameter is not valid UTF-8."},
        {BYTES("--XyZ\r\n" FILE_AS("a", "\xFC") "\r\n1\r\n--XyZ--\r\n"), "a", "The name of the file is not valid UTF-8."},
        {BYTES("--XyZ\r\n" FILE_AS("\xFC", "b") "\r\n1\r\n--XyZ--\r\n"), NULL, "The name of a part is not valid UTF-8."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer;
        enum err err = parse(*state, TYPE, rows[i].body, rows[i].bytes, &answer);
        CHECK(err == ERR_BAD_PARAMETER, "row %zu, \"%s\": %s", i, rows[i].body, err_code(err));
        CHECK(unit_same(answer.fault.reason, rows[i].reason), "row %zu: %s", i, unit_show(answer.fault.reason));
        CHECK(unit_same(answer.fault.parameter, rows[i].parameter), "row %zu named %s", i, unit_show(answer.fault.parameter));
        drop(&answer);
    }
}

static void
a_long_field_name_is_not_repeated(void **state)
{
    for (int bytes = FORM_SHOWN_BYTES; bytes <= FORM_SHOWN_BYTES + 1; bytes++) {
        struct answer answer;
        char *name = arena_printf(*state, "%0*d", bytes, 0);
        char *body = arena_printf(*state, "--XyZ\r\n" FILE_AS("%s", "\xFF") "\r\n1\r\n--XyZ--", name);
        assert_int_equal(parse(*state, TYPE, body, strlen(body), &answer), ERR_BAD_PARAMETER);
        assert_true(unit_same(answer.fault.parameter, bytes <= FORM_SHOWN_BYTES ? name : NULL));
        drop(&answer);
    }
}

/* A body of that many parts, with or without a file name. */
static char *
many_parts(struct arena *mem, int parts, const char *filename)
{
    char *body = arena_strdup(mem, "");
    for (int i = 0; i < parts; i++)
        body = arena_printf(mem, "%s--XyZ\r\nContent-Disposition: form-data; name=p%d%s\r\n\r\n%d\r\n", body, i, filename, i);
    return arena_printf(mem, "%s--XyZ--\r\n", body);
}

static void
eight_files_and_256_fields_are_taken_and_no_more(void **state)
{
    static const struct {
        int parts;
        const char *filename;
        enum err want;
        const char *parameter;
    } rows[] = {
        {8, "; filename=x", OK, NULL},
        {9, "; filename=x", ERR_BAD_PARAMETER, "p8"},
        {256, "", OK, NULL},
        {257, "", ERR_BAD_PARAMETER, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer;
        char *body = many_parts(*state, rows[i].parts, rows[i].filename);
        enum err err = parse(*state, TYPE, body, strlen(body), &answer);
        CHECK(err == rows[i].want, "%d parts: %s", rows[i].parts, err_code(err));
        CHECK(unit_same(answer.fault.parameter, rows[i].parameter), "%d parts named %s", rows[i].parts,
            unit_show(answer.fault.parameter));
        drop(&answer);
    }
}

static void
every_cut_of_a_body_is_refused(void **state)
{
    static const char body[] = "--XyZ\r\n" FIELD("a") "1\r\n--XyZ\r\n" FILE_AS("f", "x") "\r\n\r\n--Xy\r\n--XyZ--";
    for (size_t bytes = 0; bytes < sizeof body; bytes++) {
        struct answer answer;
        enum err err = parse(*state, TYPE, body, bytes, &answer);
        CHECK(err == (bytes == sizeof body - 1 ? OK : ERR_BAD_PARAMETER), "%zu bytes: %s", bytes, err_code(err));
        drop(&answer);
    }
}

/* Whoever sends `piece` again and again in the headers of a part. */
static enum err
parse_long_head(struct arena *mem, const char *piece, size_t bytes, struct answer *out)
{
    struct buf body = buf_new(mem, bytes + 100);
    buf_text(&body, "--XyZ\r\nContent-Disposition: form-data; name=\"a\"");
    size_t begin = strlen("--XyZ");
    while (body.len + strlen(piece) - begin <= bytes)
        buf_text(&body, piece);
    while (body.len - begin < bytes)
        buf_text(&body, " ");
    buf_text(&body, "\r\n\r\n1\r\n--XyZ--\r\n");
    return parse(mem, TYPE, buf_str(&body), body.len, out);
}

static void
the_headers_of_a_part_have_sixteen_kilobytes_at_most(void **state)
{
    struct answer answer;
    assert_int_equal(parse_long_head(*state, ";b=\"\"", 16384, &answer), OK);
    assert_string_equal(form_get(&answer.form, "a"), "1");
    drop(&answer);
    assert_int_equal(parse_long_head(*state, ";b=\"\"", 16385, &answer), ERR_BAD_PARAMETER);
    assert_string_equal(answer.fault.reason, "The headers of a part are too long.");
    drop(&answer);
}

static size_t
memory_taken(void)
{
    struct mallinfo2 all = mallinfo2();
    return all.hblkhd + all.uordblks;
}

static void
headers_take_about_as_much_memory_as_they_are_long(void **state)
{
    (void)state;
    if (WITH_ASAN)
        skip();
    static const char *const pieces[] = {";b=\"\"", ";b=", ";", "\r\nB: c", "\r\n", ";name=\"", ";filename=\"%22", ";b=\"\\\""};
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct arena *mem = arena_new();
        struct answer answer;
        size_t before = memory_taken();
        enum err err = parse_long_head(mem, pieces[i], 16384, &answer);
        CHECK(memory_taken() - before < 1024 * 1024, "'%s': %zu KB (%s)", pieces[i], (memory_taken() - before) / 1024,
            err_code(err));
        drop(&answer);
        arena_free(mem);
    }
}

/* `parts` parts with such a head, and `bytes` of it in each. */
static enum err
parse_parts(struct arena *mem, int parts, const char *end, size_t bytes, struct answer *out)
{
    struct buf body = buf_new(mem, (size_t)parts * (bytes + 200) + 100);
    for (int i = 0; i < parts; i++) {
        buf_text(&body, "--XyZ\r\nContent-Disposition: form-data; name=f");
        for (size_t n = 0; n < bytes; n += 4)
            buf_text(&body, ";a=b");
        buf_text(&body, end);
        buf_text(&body, "\r\n\r\n\r\n");
    }
    buf_text(&body, "--XyZ--\r\n");
    return parse(mem, TYPE, buf_str(&body), body.len, out);
}

static void
parts_of_every_kind_are_counted_together(void **state)
{
    struct answer answer;
    assert_int_equal(parse_parts(*state, 264, ";filename=\"\"", 0, &answer), OK);
    assert_int_equal(answer.files.count, 0);
    drop(&answer);
    assert_int_equal(parse_parts(*state, 265, ";filename=\"\"", 0, &answer), ERR_BAD_PARAMETER);
    assert_string_equal(answer.fault.reason, "There are more than 264 parts in one request.");
    assert_null(answer.fault.parameter);
    drop(&answer);
}

/* What an object of two letters takes is more than they are long. */
static void
many_long_heads_take_no_more_memory_than_they_are_long(void **state)
{
    static const struct {
        int parts;
        const char *end;
    } rows[] = {{264, ";filename=\"\""}, {1314, ";filename=\"\""}, {256, ""}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *mem = arena_new(), *parsed = arena_new();
        struct answer answer;
        enum err err = parse_parts(mem, rows[i].parts, rows[i].end, 16000, &answer);
        assert_int_equal(err, rows[i].parts > 264 ? ERR_BAD_PARAMETER : OK);
        memset(&answer.form, 0, sizeof answer.form);
        memset(&answer.files, 0, sizeof answer.files);
        err = multipart_parse(parsed, TYPE, answer.body, answer.bytes, &answer.form, &answer.files, &answer.fault);
        CHECK(arena_bytes(parsed) < 1024 * 1024, "%d parts: %zu KB (%s)", rows[i].parts, arena_bytes(parsed) / 1024,
            err_code(err));
        drop(&answer);
        arena_free(parsed);
        arena_free(mem);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(fields_are_read_up_to_their_delimiter),
        UNIT(names_and_headers_come_in_many_forms),
        UNIT(files_point_into_the_body),
        UNIT(file_names_and_types_are_taken_as_sent),
        UNIT(a_file_field_left_empty_is_passed_over),
        UNIT(the_boundary_is_read_from_the_header),
        UNIT(what_is_malformed_is_refused_with_a_sentence),
        UNIT(a_long_field_name_is_not_repeated),
        UNIT(eight_files_and_256_fields_are_taken_and_no_more),
        UNIT(every_cut_of_a_body_is_refused),
        UNIT(the_headers_of_a_part_have_sixteen_kilobytes_at_most),
        UNIT(headers_take_about_as_much_memory_as_they_are_long),
        UNIT(parts_of_every_kind_are_counted_together),
        UNIT(many_long_heads_take_no_more_memory_than_they_are_long),
    };
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
