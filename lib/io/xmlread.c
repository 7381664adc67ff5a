/* xmlread: libxml2's tree parser with a handler that stops at the first sign of a DTD.
 *
 * The parser is stopped by its callback for a document type declaration, before it has read one entity. Looking for
 * "<!DOCTYPE" in the bytes was rejected (it is blind in UTF-16 and refuses comments), and so was refusing afterwards (the
 * entities in attributes are expanded by then). The document is copied into the arena and freed: 64 KiB at most. */
#include "io/xmlread.h"

#include <libxml/parser.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

enum { DEPTH_MAX = 32, ENCODED_MAX_BYTES = 4 * XML_MAX_BYTES }; /* one byte of another encoding becomes three at most */

static const char white_space[] = " \t\r\n";

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
    r->is_bad |= text.full | !text_is_utf8(buf_str(&text), text.len);
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
    struct reader r = {.mem = mem, .is_bad = !root};
    if (!r.is_bad) {
        r.is_bad |= (doc->intSubset != NULL) | (doc->extSubset != NULL); /* it was not stopped after all */
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
