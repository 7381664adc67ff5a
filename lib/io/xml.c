/* xml: a writer of our own, and libxml2's tree parser with a handler that stops at the first sign of a DTD.
 *
 * Writing: buf's escapes, and the lines broken as the answers of the original product are. libxml2's xmlTextWriter was there
 * before: it took more than a third of all the work of vcs_conf_schedule, the database's included (137,000 instructions for an
 * answer of 1.6 KB), and the lines had to be broken here anyway. What is written is read back by libxml2 in the tests.
 *
 * Reading: the parser is stopped by its callback for a document type declaration, before it has read one entity. Looking for
 * "<!DOCTYPE" in the bytes was rejected (it is blind in UTF-16 and refuses comments), and so was refusing afterwards (the
 * entities in attributes are expanded by then). The document is copied into the arena and freed: 64 KiB at most. */
#include "io/xml.h"

#include <assert.h>
#include <libxml/parser.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

enum { DEPTH_MAX = 32, ENCODED_MAX_BYTES = 4 * XML_MAX_BYTES };

static const char white_space[] = " \t\r\n";

/* ── writing ── */

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

/* ── reading ── */

struct reader {
    struct arena *mem;
    bool is_bad; /* too deep, or a text that is no UTF-8 after all */
};

static void
stop_at_dtd(void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    (void)name, (void)public_id, (void)system_id;
    xmlParserCtxtPtr parser = context;
    parser->wellFormed = 0;
    xmlStopParser(parser);
}

static xmlDocPtr
parse(const char *text, size_t bytes)
{
    int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
#if LIBXML_VERSION >= 21300
    options |= XML_PARSE_NO_XXE;
#endif
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser)
        log_fatal("out of memory");
    parser->sax->internalSubset = stop_at_dtd;
    parser->sax->externalSubset = stop_at_dtd;
    xmlDocPtr doc = xmlCtxtReadMemory(parser, text, (int)bytes, NULL, NULL, options);
    xmlFreeParserCtxt(parser);
    return doc;
}

static const char *
copy(struct reader *r, const xmlChar *text)
{
    const char *chars = (const char *)text;
    r->is_bad |= !text_is_utf8(chars, strlen(chars));
    return arena_strdup(r->mem, chars);
}

/* The name without the prefix of its namespace. A colon that is still in it belongs to no namespace: read once more it would be
 * another name, so such a document is refused. */
static const char *
name_of(struct reader *r, const xmlChar *name)
{
    r->is_bad |= strchr((const char *)name, ':') != NULL;
    return copy(r, name);
}

/* The text directly inside of the element. */
static const char *
own_text(struct reader *r, const xmlNode *element)
{
    struct buf text = buf_new(r->mem, ENCODED_MAX_BYTES);
    for (const xmlNode *node = element->children; node; node = node->next)
        if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
            buf_text(&text, (const char *)node->content);
    r->is_bad |= text.full || !text_is_utf8(buf_str(&text), text.len);
    return buf_str(&text);
}

static const xmlNode *
next_element(const xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

static void
read_attributes(struct reader *r, const xmlNode *element, struct value *object)
{
    for (const xmlAttr *a = element->properties; a; a = a->next) {
        /* without the prefix of their namespaces two can have one name: the first one counts */
        if (value_get(object, (const char *)a->name))
            continue;
        xmlChar *text = xmlNodeListGetString(a->doc, a->children, 1);
        value_attribute(object, name_of(r, a->name), text ? copy(r, text) : "");
        xmlFree(text);
    }
}

static void
read_element(struct reader *r, const xmlNode *element, struct value *object, int depth)
{
    if (depth > DEPTH_MAX) {
        r->is_bad = true;
        return;
    }
    read_attributes(r, element, object);
    const xmlNode *child = next_element(element->children);
    const char *text = own_text(r, element);
    /* between elements white space is layout */
    if (child ? text[strspn(text, white_space)] : *text)
        value_add_text(object, "text", text);
    for (; child && !r->is_bad; child = next_element(child->next)) {
        const char *name = name_of(r, child->name);
        if (child->properties || next_element(child->children))
            read_element(r, child, value_add_object(object, name), depth + 1);
        else if (depth < DEPTH_MAX)
            value_add_text(object, name, own_text(r, child));
        else
            r->is_bad = true;
    }
}

enum err
xml_read(struct arena *mem, const char *text, size_t bytes, const char **name, struct value **out)
{
    xmlDocPtr doc = bytes <= XML_MAX_BYTES ? parse(text, bytes) : NULL;
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    struct reader r = {.mem = mem, .is_bad = !root || doc->intSubset || doc->extSubset};
    if (!r.is_bad) {
        struct value *tree = value_object(mem);
        read_element(&r, root, tree, 1);
        const char *root_name = name_of(&r, root->name);
        if (!r.is_bad) {
            *name = root_name;
            *out = tree;
        }
    }
    xmlFreeDoc(doc);
    return r.is_bad ? ERR_BAD_PARAMETER : OK;
}
