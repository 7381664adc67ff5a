/* xml: libxml2's writer, so that every escape is its own, and its tree parser with a handler that stops at the first sign of
 * a DTD.
 *
 * Writing: the writer's own indenting is off; the lines are broken here, because it knows no element that stands on one line
 * with its only child, as the answers of the original product are written. The writer puts its bytes straight into the buffer.
 *
 * Reading: the parser is stopped by its callback for a document type declaration, before it has read one entity. Looking for
 * "<!DOCTYPE" in the bytes was rejected (it is blind in UTF-16 and refuses comments), and so was refusing afterwards (the
 * entities in attributes are expanded by then). The document is copied into the arena and freed: 64 KiB at most. */
#include "io/xml.h"

#include <assert.h>
#include <inttypes.h>
#include <libxml/parser.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

enum { DEPTH_MAX = 32, ENCODED_MAX_BYTES = 4 * XML_MAX_BYTES };

static const char white_space[] = " \t\r\n";

/* ── writing ── */

static int
put_bytes(void *user, const char *data, int bytes)
{
    buf_bytes(user, data, (size_t)bytes);
    return bytes;
}

/* The bytes of the character at `at` if XML 1.0 (2.2) allows it, else 0. */
static size_t
char_bytes(const char *at)
{
    unsigned char lead = (unsigned char)*at;
    if (lead < 0x80)
        return lead >= 0x20 || strchr("\t\n\r", lead);
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
    while (*from && char_bytes(from))
        from += char_bytes(from);
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

/* A scalar as text: "" for null. */
static const char *
scalar_text(const struct value *v)
{
    switch (v->kind) {
    case VALUE_TEXT:
        return clean(v->mem, v->text);
    case VALUE_INT:
        return arena_printf(v->mem, "%" PRId64, v->number);
    case VALUE_FLAG:
        return v->number ? "true" : "false";
    default:
        return "";
    }
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
static const xmlChar *
checked_name(const char *name)
{
    assert(name && *name && !strpbrk(name, " \t\r\n<>&\"'=/"));
    return BAD_CAST name;
}

static void
break_line(xmlTextWriterPtr writer, int depth)
{
    static const char blanks[] = "\n                                                                ";
    int chars = 1 + 2 * depth;
    xmlTextWriterWriteRawLen(writer, BAD_CAST blanks, chars < (int)sizeof blanks ? chars : (int)sizeof blanks - 1);
}

static void
write_text(xmlTextWriterPtr writer, const struct value *v)
{
    const char *text = scalar_text(v);
    if (*text) /* else libxml2 writes <a></a> for an empty element */
        xmlTextWriterWriteString(writer, BAD_CAST text);
}

/* The attributes and the text of the element; returns whether its children stand on its own line: beside text, where a broken
 * line would be content, and for an only child without children. */
static bool
write_own(xmlTextWriterPtr writer, const struct value *object)
{
    const struct value *only = NULL;
    size_t children = 0;
    for (const struct value *v = object->first; v; v = v->next) {
        if (v->is_attribute && v->kind != VALUE_NULL)
            xmlTextWriterWriteAttribute(writer, checked_name(v->name), BAD_CAST scalar_text(v));
        else if (!v->is_attribute && !is_content(v) && ++children == 1)
            only = v;
    }
    bool has_text = false;
    for (const struct value *v = object->first; v; v = v->next) {
        if (is_content(v)) {
            write_text(writer, v);
            has_text |= *scalar_text(v) != '\0';
        }
    }
    if (only && only->kind == VALUE_LIST && only->first == only->last)
        only = only->first;
    return has_text || (children == 1 && only && is_scalar(only));
}

static void write_element(xmlTextWriterPtr writer, const char *name, const struct value *v, int depth);

/* Returns whether any was written. */
static bool
write_child(xmlTextWriterPtr writer, const char *name, const struct value *v, int depth, bool is_one_line)
{
    if (v->kind != VALUE_LIST) {
        if (!is_one_line)
            break_line(writer, depth);
        write_element(writer, name, v, depth);
        return true;
    }
    bool any = false;
    for (const struct value *item = v->first; item; item = item->next)
        any |= write_child(writer, name, item, depth, is_one_line);
    return any;
}

static void
write_element(xmlTextWriterPtr writer, const char *name, const struct value *v, int depth)
{
    xmlTextWriterStartElement(writer, checked_name(name));
    if (v->kind == VALUE_OBJECT) {
        bool is_one_line = write_own(writer, v);
        bool any = false;
        for (const struct value *child = v->first; child; child = child->next)
            if (!child->is_attribute && !is_content(child))
                any |= write_child(writer, child->name, child, depth + 1, is_one_line);
        if (any && !is_one_line)
            break_line(writer, depth);
    } else {
        write_text(writer, v);
    }
    xmlTextWriterEndElement(writer);
}

void
xml_write(const struct value *tree, const char *name, struct buf *out)
{
    assert(tree->kind != VALUE_LIST);
    xmlOutputBufferPtr output = xmlOutputBufferCreateIO(put_bytes, NULL, out, NULL);
    xmlTextWriterPtr writer = output ? xmlNewTextWriter(output) : NULL;
    if (!writer || xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL) < 0)
        log_fatal("out of memory");
    write_element(writer, name, tree, 0);
    xmlTextWriterEndDocument(writer);
    xmlFreeTextWriter(writer);
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
        value_attribute(object, copy(r, a->name), text ? copy(r, text) : "");
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
        const char *name = copy(r, child->name);
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
        const char *root_name = copy(&r, root->name);
        if (!r.is_bad) {
            *name = root_name;
            *out = tree;
        }
    }
    xmlFreeDoc(doc);
    return r.is_bad ? ERR_BAD_PARAMETER : OK;
}
