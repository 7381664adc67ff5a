/* xml: a tree of values as an XML document. Reading one is io/xmlread.h: that is libxml2's, which only those programs carry that
 * read. */
#ifndef RTCC_XML_H
#define RTCC_XML_H

#include "base/buf.h"
#include "base/value.h"

/* Writes tree as an XML 1.0 document (UTF-8, two spaces of indent) with the root element `name`: members marked as attributes
 * become attributes, lists become repeated elements of their name, null becomes an empty element, a member called "text" the
 * element's content. An element whose only child has no children stands on one line with it. Characters that XML 1.0 does not
 * allow are left out.
 * tree is no list, and names are XML names: programs make them. */
void xml_write(const struct value *tree, const char *name, struct buf *out);

#endif
