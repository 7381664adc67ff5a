/* xml: reading the answers of other servers, by libxml2, and writing our own.
 *
 * Reading: at most 64 KiB, no network, no entities, and a document with a DTD is refused. */
#ifndef RTCC_XML_H
#define RTCC_XML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/value.h"

enum { XML_MAX_BYTES = 65536 };

/* Writes tree as an XML 1.0 document (UTF-8, two spaces of indent) with the root element `name`: members marked as attributes
 * become attributes, lists become repeated elements of their name, null becomes an empty element, a member called "text" the
 * element's content. An element whose only child has no children stands on one line with it. Characters that XML 1.0 does not
 * allow are left out.
 * tree is no list, and names are XML names: programs make them. */
void xml_write(const struct value *tree, const char *name, struct buf *out);

/* Reads a document into the tree that xml_write() would write: attributes and elements become members (attributes marked),
 * repeated elements several members of one name, an element without children its text, the content beside attributes "text".
 * The root is always an object; prefixes of namespaces are dropped. *name is the root's. ERR_BAD_PARAMETER: not well-formed,
 * too large, deeper than 32, or with a DTD. */
must_check enum err xml_read(struct arena *mem, const char *text, size_t bytes, const char **name, struct value **out);

#endif
