/* value: a tree of named values: what a program answers, whoever writes it down afterwards.
 *
 * The same tree becomes JSON (here), XML (base/xml.h) or a page (page/template.h), so that no program knows more than
 * its meaning. Objects keep the order in which members were added. Members marked as attributes are XML attributes and
 * ordinary JSON members. All nodes live in the arena; texts are kept by pointer, not copied. */
#ifndef RTCC_VALUE_H
#define RTCC_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum value_kind { VALUE_NULL, VALUE_FLAG, VALUE_INT, VALUE_TEXT, VALUE_LIST, VALUE_OBJECT };

struct value {
    enum value_kind kind;
    bool is_attribute;
    int64_t number;      /* INT; FLAG: 0 or 1 */
    const char *text;    /* TEXT */
    const char *name;    /* as a member of an object */
    struct value *first; /* LIST, OBJECT: the first child … */
    struct value *last;  /* … and the last */
    struct value *next;  /* the next child of the same parent */
    struct arena *mem;
};

/* A new root. */
struct value *value_object(struct arena *mem);
struct value *value_list(struct arena *mem);

/* Adds a member to an object (name not NULL), or an element to a list (name NULL); returns the new node.
 * A NULL text becomes null. */
struct value *value_add_object(struct value *parent, const char *name);
struct value *value_add_list(struct value *parent, const char *name);
struct value *value_add_text(struct value *parent, const char *name, const char *text);
struct value *value_add_int(struct value *parent, const char *name, int64_t number);
struct value *value_add_flag(struct value *parent, const char *name, bool is_true);
struct value *value_add_null(struct value *parent, const char *name);

/* Hangs a finished tree (of the same arena, without a parent) under parent. */
void value_add(struct value *parent, const char *name, struct value *child);

/* The same as value_add_text and value_add_int; in XML an attribute of the parent. */
struct value *value_attribute(struct value *parent, const char *name, const char *text);
struct value *value_attribute_int(struct value *parent, const char *name, int64_t number);

/* The member of that name, or NULL (also when object is NULL or no object). */
const struct value *value_get(const struct value *object, const char *name);

/* The text of the member, or NULL when there is none or it is no text. */
const char *value_get_text(const struct value *object, const char *name);

/* The number of the member, or `otherwise`. */
int64_t value_get_int(const struct value *object, const char *name, int64_t otherwise);

/* Whether a template's section would show it: not null, not false, not 0, not "", not an empty list. */
bool value_is_true(const struct value *value);

/* Writes JSON (RFC 8259), without white space. */
void value_json(const struct value *value, struct buf *out);

/* Reads one JSON text: depth at most 32, whole numbers below 2^53 only (others become null), strings checked as UTF-8
 * without NUL. ERR_BAD_PARAMETER on anything else. */
must_check enum err value_parse(struct arena *mem, const char *json, size_t bytes, struct value **out);

#endif
