/* xml: buf's escapes, and the lines broken as the answers of the original product are.
 *
 * libxml2's xmlTextWriter was there before: it took more than a third of all the work of vcs_conf_schedule, the database's
 * included (137,000 instructions for an answer of 1.6 KB), and the lines had to be broken here anyway. What is written is read
 * back by libxml2 in the tests. */
#include "base/xml.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

/* The bytes of the character at `at` if XML 1.0 (2.2) allows it, else 0. */
static size_t
char_bytes(const char *at)
{
    unsigned char lead = (unsigned char)*at;
    if (lead < 0x80)
        return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r';
    size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (strnlen(at, bytes) < bytes || !text_is_utf8(at, bytes))
        return 0;
    return memcmp(at, "\xEF\xBF\xBE", bytes) && memcmp(at, "\xEF\xBF\xBF", bytes) ? bytes : 0;
}

/* The text without what XML cannot hold; nearly always the text itself. */
static const char *
clean(struct arena *mem, const char *text)
{
    const char *from = text;
    while (*from >= ' ' && *from < 0x7F)
        from++;
    for (size_t bytes; *from && (bytes = char_bytes(from)) > 0;)
        from += bytes;
    if (!*from)
        return text;
    char *copy = arena_strdup(mem, text);
    char *to = copy + (from - text);
    while (*from) {
        size_t bytes = char_bytes(from);
        memcpy(to, from, bytes);
        to += bytes;
        from += bytes ? bytes : 1;
    }
    *to = '\0';
    return copy;
}

static bool
is_scalar(const struct value *v)
{
    return v->kind != VALUE_LIST && v->kind != VALUE_OBJECT;
}

static bool
is_content(const struct value *v)
{
    return !v->is_attribute && is_scalar(v) && text_same(v->name, "text");
}

/* A name with a blank or a bracket in it would be markup of its own: names are the programs', never a person's. */
static const char *
checked_name(const char *name)
{
    assert(name && *name && !name[strcspn(name, " \t\r\n<>&\"'=/")]);
    return name;
}

static void
break_line(struct buf *out, int depth)
{
    static const char blanks[] = "\n                                                                ";
    int chars = 1 + 2 * depth;
    buf_bytes(out, blanks, chars < (int)sizeof blanks ? (size_t)chars : sizeof blanks - 1);
}

static void
write_scalar(struct buf *out, const struct value *v, void escape(struct buf *, const char *))
{
    if (v->kind == VALUE_TEXT)
        escape(out, clean(v->mem, v->text));
    else if (v->kind == VALUE_INT)
        buf_int(out, v->number);
    else if (v->kind == VALUE_FLAG)
        buf_text(out, v->number ? "true" : "false");
}

static void
write_attributes(struct buf *out, const struct value *object)
{
    for (const struct value *v = object->first; v; v = v->next) {
        if (!v->is_attribute || v->kind == VALUE_NULL)
            continue;
        buf_byte(out, ' ');
        buf_text(out, checked_name(v->name));
        buf_text(out, "=\"");
        write_scalar(out, v, buf_xml_attribute);
        buf_byte(out, '"');
    }
}

/* Whether it is written as a scalar is, and so read as one: its content is all that it has. */
static bool
is_plain(const struct value *v)
{
    if (v->kind != VALUE_OBJECT)
        return is_scalar(v);
    const struct value *child = v->first;
    while (child && is_content(child))
        child = child->next;
    return child == NULL;
}

/* Whether the children stand on the element's own line: beside text, where a broken line would be content, and for an only child
 * without children. */
static bool
is_on_one_line(const struct value *object, bool has_text)
{
    const struct value *only = NULL;
    size_t children = 0;
    for (const struct value *v = object->first; v; v = v->next)
        if (!v->is_attribute && !is_content(v) && ++children == 1)
            only = v;
    if (only && only->kind == VALUE_LIST && only->first == only->last)
        only = only->first;
    return has_text || (children == 1 && only && is_plain(only));
}

static void write_element(struct buf *out, const char *name, const struct value *v, int depth);

/* Returns whether any was written. */
static bool
write_child(struct buf *out, const char *name, const struct value *v, int depth, bool is_one_line)
{
    if (v->kind != VALUE_LIST) {
        if (!is_one_line)
            break_line(out, depth);
        write_element(out, name, v, depth);
        return true;
    }
    bool any = false;
    for (const struct value *item = v->first; item; item = item->next)
        any |= write_child(out, name, item, depth, is_one_line);
    return any;
}

/* What stands between the tags. */
static void
write_inside(struct buf *out, const struct value *v, int depth)
{
    size_t before = out->len;
    bool any = false;
    if (v->kind != VALUE_OBJECT) {
        write_scalar(out, v, buf_xml);
        return;
    }
    for (const struct value *child = v->first; child; child = child->next)
        if (is_content(child))
            write_scalar(out, child, buf_xml);
    bool is_one_line = is_on_one_line(v, out->len > before);
    for (const struct value *child = v->first; child; child = child->next)
        if (!child->is_attribute && !is_content(child))
            any |= write_child(out, child->name, child, depth + 1, is_one_line);
    if (any && !is_one_line)
        break_line(out, depth);
}

static void
write_element(struct buf *out, const char *name, const struct value *v, int depth)
{
    buf_byte(out, '<');
    buf_text(out, checked_name(name));
    if (v->kind == VALUE_OBJECT)
        write_attributes(out, v);
    buf_byte(out, '>');
    size_t before = out->len;
    write_inside(out, v, depth);
    if (out->len == before && !out->full) {
        out->data[out->len - 1] = '/';
        buf_byte(out, '>');
        return;
    }
    buf_text(out, "</");
    buf_text(out, name);
    buf_byte(out, '>');
}

void
xml_write(const struct value *tree, const char *name, struct buf *out)
{
    assert(tree->kind != VALUE_LIST);
    buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    write_element(out, name, tree, 0);
    buf_byte(out, '\n');
}
