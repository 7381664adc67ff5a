/* value.c: nodes chained to their parents, a writer that walks them, and a reader by recursive descent.
 *
 * Looking a member up walks the chain: objects here have a dozen members, a hash would cost more than it finds. The reader
 * bounds its depth, so its recursion is bounded too; a state machine with a stack of its own would be longer and no safer. */
#include "base/value.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum { DEPTH_MAX = 32 };

static const int64_t number_limit = INT64_C(1) << 53;

/* ── building ── */

static struct value *
new_value(struct arena *mem, enum value_kind kind)
{
    struct value *node = arena_alloc(mem, sizeof *node);
    node->kind = kind;
    node->mem = mem;
    return node;
}

void
value_add(struct value *parent, const char *name, struct value *child)
{
    assert(parent->kind == (name == NULL ? VALUE_LIST : VALUE_OBJECT));
    assert(child->next == NULL && child != parent);
    child->name = name;
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

static struct value *
add_new(struct value *parent, const char *name, enum value_kind kind)
{
    struct value *child = new_value(parent->mem, kind);
    value_add(parent, name, child);
    return child;
}

struct value *
value_object(struct arena *mem)
{
    return new_value(mem, VALUE_OBJECT);
}

struct value *
value_list(struct arena *mem)
{
    return new_value(mem, VALUE_LIST);
}

struct value *
value_add_object(struct value *parent, const char *name)
{
    return add_new(parent, name, VALUE_OBJECT);
}

struct value *
value_add_list(struct value *parent, const char *name)
{
    return add_new(parent, name, VALUE_LIST);
}

struct value *
value_add_text(struct value *parent, const char *name, const char *text)
{
    struct value *child = add_new(parent, name, text == NULL ? VALUE_NULL : VALUE_TEXT);
    child->text = text;
    return child;
}

struct value *
value_add_int(struct value *parent, const char *name, int64_t number)
{
    struct value *child = add_new(parent, name, VALUE_INT);
    child->number = number;
    return child;
}

struct value *
value_add_flag(struct value *parent, const char *name, bool is_true)
{
    struct value *child = add_new(parent, name, VALUE_FLAG);
    child->number = is_true;
    return child;
}

struct value *
value_add_null(struct value *parent, const char *name)
{
    return add_new(parent, name, VALUE_NULL);
}

struct value *
value_attribute(struct value *parent, const char *name, const char *text)
{
    struct value *child = value_add_text(parent, name, text);
    child->is_attribute = true;
    return child;
}

struct value *
value_attribute_int(struct value *parent, const char *name, int64_t number)
{
    struct value *child = value_add_int(parent, name, number);
    child->is_attribute = true;
    return child;
}

/* ── asking ── */

const struct value *
value_get(const struct value *object, const char *name)
{
    if (object == NULL || object->kind != VALUE_OBJECT)
        return NULL;
    for (const struct value *child = object->first; child != NULL; child = child->next)
        if (strcmp(child->name, name) == 0)
            return child;
    return NULL;
}

const char *
value_get_text(const struct value *object, const char *name)
{
    const struct value *member = value_get(object, name);
    return member != NULL && member->kind == VALUE_TEXT ? member->text : NULL;
}

int64_t
value_get_int(const struct value *object, const char *name, int64_t otherwise)
{
    const struct value *member = value_get(object, name);
    return member != NULL && member->kind == VALUE_INT ? member->number : otherwise;
}

bool
value_is_true(const struct value *value)
{
    if (value == NULL)
        return false;
    switch (value->kind) {
    case VALUE_FLAG:
    case VALUE_INT:
        return value->number != 0;
    case VALUE_TEXT:
        return value->text[0] != '\0';
    case VALUE_LIST:
        return value->first != NULL;
    case VALUE_OBJECT:
        return true;
    case VALUE_NULL:
        break;
    }
    return false;
}

/* ── writing ── */

static void
write_text(const char *text, struct buf *out)
{
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void
write_children(const struct value *parent, struct buf *out)
{
    for (const struct value *child = parent->first; child != NULL; child = child->next) {
        if (child != parent->first)
            buf_byte(out, ',');
        if (child->name != NULL) {
            write_text(child->name, out);
            buf_byte(out, ':');
        }
        value_json(child, out);
    }
}

void
value_json(const struct value *value, struct buf *out)
{
    switch (value->kind) {
    case VALUE_NULL:
        buf_text(out, "null");
        break;
    case VALUE_FLAG:
        buf_text(out, value->number != 0 ? "true" : "false");
        break;
    case VALUE_INT:
        buf_int(out, value->number);
        break;
    case VALUE_TEXT:
        write_text(value->text, out);
        break;
    case VALUE_LIST:
        buf_byte(out, '[');
        write_children(value, out);
        buf_byte(out, ']');
        break;
    case VALUE_OBJECT:
        buf_byte(out, '{');
        write_children(value, out);
        buf_byte(out, '}');
        break;
    }
}

/* ── reading ── */

struct reader {
    struct arena *mem;
    const char *at;
    const char *end;
};

static void
skip_space(struct reader *r)
{
    while (r->at < r->end && memchr(" \t\n\r", *r->at, 4) != NULL)
        r->at++;
}

/* Takes one byte if it is the next. */
static bool
take(struct reader *r, char byte)
{
    if (r->at == r->end || *r->at != byte)
        return false;
    r->at++;
    return true;
}

static bool
take_word(struct reader *r, const char *word)
{
    size_t bytes = strlen(word);
    if ((size_t)(r->end - r->at) < bytes || memcmp(r->at, word, bytes) != 0)
        return false;
    r->at += bytes;
    return true;
}

/* Takes as many digits as there are and says how many. */
static size_t
take_digits(struct reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (size_t)(r->at - start);
}

static bool
read_number(struct reader *r, struct value *out)
{
    const char *start = r->at;
    take(r, '-');
    if (!take(r, '0') && take_digits(r) == 0)
        return false;
    const char *whole_end = r->at;
    if (take(r, '.') && take_digits(r) == 0)
        return false;
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        if (take_digits(r) == 0)
            return false;
    }
    const char *text = arena_strndup(r->mem, start, (size_t)(r->at - start));
    bool is_whole = whole_end == r->at && text_int(text, -number_limit + 1, number_limit - 1, &out->number) == OK;
    out->kind = is_whole ? VALUE_INT : VALUE_NULL;
    return true;
}

/* The four hexadecimal digits behind \u; -1 when they are none. */
static int32_t
read_unit(struct reader *r)
{
    if (r->end - r->at < 4)
        return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char digit = *r->at++;
        char letter = digit | 0x20;
        if (digit >= '0' && digit <= '9')
            unit = unit * 16 + digit - '0';
        else if (letter >= 'a' && letter <= 'f')
            unit = unit * 16 + letter - 'a' + 10;
        else
            return -1;
    }
    return unit;
}

/* Writes a code point as UTF-8 and returns its bytes. Half a surrogate pair comes out as the three bytes that the check of
 * the whole text refuses. */
static size_t
put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(leads[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3F));
    return more + 1;
}

/* Reads what follows a \u, with the second half of a pair if there is one. Never more bytes than the escape had. */
static bool
read_code_point(struct reader *r, char *out, size_t *len)
{
    int32_t code = read_unit(r);
    if (code < 0)
        return false;
    if (code >= 0xD800 && code <= 0xDBFF && take_word(r, "\\u")) {
        int32_t low = read_unit(r);
        if (low < 0xDC00 || low > 0xDFFF)
            return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    *len += put_utf8((uint32_t)code, out + *len);
    return true;
}

static bool
read_escape(struct reader *r, char *out, size_t *len)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    if (take(r, 'u'))
        return read_code_point(r, out, len);
    const char *found = r->at == r->end ? NULL : memchr(names, *r->at, sizeof names - 1);
    if (found == NULL)
        return false;
    r->at++;
    out[(*len)++] = bytes[found - names];
    return true;
}

/* Reads a string whose first quote is the next byte. */
static bool
read_text(struct reader *r, const char **out)
{
    if (!take(r, '"'))
        return false;
    /* The next quote bounds the text unless it is escaped; then look on. */
    const char *close = r->at;
    while (close < r->end && *close != '"')
        close += *close == '\\' && r->end - close > 1 ? 2 : 1;
    char *text = arena_alloc(r->mem, (size_t)(close - r->at) + 1);
    size_t len = 0;
    while (r->at < close) {
        if ((unsigned char)*r->at < 0x20)
            return false;
        if (!take(r, '\\'))
            text[len++] = *r->at++;
        else if (!read_escape(r, text, &len))
            return false;
    }
    *out = text;
    return take(r, '"') && text_is_utf8(text, len);
}

static bool read_value(struct reader *r, int depth, struct value **out);

/* Reads the members up to and with the closing bracket; the opening one was taken. */
static bool
read_children(struct reader *r, int depth, struct value *parent)
{
    char close = parent->kind == VALUE_LIST ? ']' : '}';
    if (depth > DEPTH_MAX)
        return false;
    skip_space(r);
    if (take(r, close))
        return true;
    do {
        const char *name = NULL;
        skip_space(r);
        if (parent->kind == VALUE_OBJECT) {
            if (!read_text(r, &name))
                return false;
            skip_space(r);
            if (!take(r, ':'))
                return false;
        }
        struct value *child;
        if (!read_value(r, depth, &child))
            return false;
        value_add(parent, name, child);
        skip_space(r);
    } while (take(r, ','));
    return take(r, close);
}

static bool
read_value(struct reader *r, int depth, struct value **out)
{
    skip_space(r);
    struct value *node = new_value(r->mem, VALUE_NULL);
    *out = node;
    if (take_word(r, "null"))
        return true;
    bool is_true = take_word(r, "true");
    if (is_true || take_word(r, "false")) {
        node->kind = VALUE_FLAG;
        node->number = is_true;
        return true;
    }
    if (r->at < r->end && *r->at == '"') {
        node->kind = VALUE_TEXT;
        return read_text(r, &node->text);
    }
    if (take(r, '[') || take(r, '{')) {
        node->kind = r->at[-1] == '[' ? VALUE_LIST : VALUE_OBJECT;
        return read_children(r, depth + 1, node);
    }
    return read_number(r, node);
}

enum err
value_parse(struct arena *mem, const char *json, size_t bytes, struct value **out)
{
    struct reader r = {mem, json, json + bytes};
    struct value *root;
    if (!read_value(&r, 0, &root))
        return ERR_BAD_PARAMETER;
    skip_space(&r);
    if (r.at != r.end)
        return ERR_BAD_PARAMETER;
    *out = root;
    return OK;
}
