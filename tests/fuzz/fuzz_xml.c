/* fuzz_xml: any bytes as a document. What was taken is text, has no DTD and no more than 32 levels, and what is written from it
 * reads as the same document again. */
#include "fuzz.h"

#include "base/xml.h"
#include "io/xmlread.h"

static int
levels(const struct value *v)
{
    MUST(!v->name || text_is_utf8(v->name, strlen(v->name)));
    MUST(v->kind != VALUE_TEXT || text_is_utf8(v->text, strlen(v->text)));
    int deepest = 0;
    for (const struct value *child = v->first; child; child = child->next) {
        int depth = levels(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return v->is_attribute ? 0 : 1 + deepest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    const char *name = NULL;
    struct value *tree = NULL;
    enum err err = xml_read(mem, (const char *)data, bytes, &name, &tree);
    MUST(err == OK || err == ERR_BAD_PARAMETER);
    MUST((err == OK) == (tree != NULL) && (err == OK) == (name != NULL));
    if (err == OK) {
        MUST(bytes <= XML_MAX_BYTES);
        MUST(levels(tree) <= 33); /* the content of the innermost element may be a member of its own */
        struct buf once = buf_new(mem, 1 << 24);
        xml_write(tree, name, &once);
        MUST(!once.full && text_is_utf8(once.data, once.len));
        /* an element called "text" and content are one member: such a document becomes simpler */
        if (once.len <= XML_MAX_BYTES && !memmem(once.data, once.len, "<text", 5)) {
            MUST(xml_read(mem, once.data, once.len, &name, &tree) == OK);
            struct buf twice = buf_new(mem, 1 << 24);
            xml_write(tree, name, &twice);
            MUST(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
        }
    }
    MUST_BE_THRIFTY(mem, bytes);
    arena_free(mem);
    return 0;
}
