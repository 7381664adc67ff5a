/* xmlread: reading the XML of other servers, by libxml2: at most 64 KiB, no network, no entities, and a document with a DTD is
 * refused. */
#ifndef RTCC_XMLREAD_H
#define RTCC_XMLREAD_H

#include "base/arena.h"
#include "base/value.h"

enum { XML_MAX_BYTES = 65536 };

/* Reads a document into the tree that xml_write() would write: attributes and elements become members (attributes marked),
 * repeated elements several members of one name, an element without children its text, the content beside attributes "text".
 * The root is always an object; prefixes of namespaces are dropped. *name is the root's. ERR_BAD_PARAMETER: not well-formed,
 * too large, deeper than 32, or with a DTD. */
must_check enum err xml_read(struct arena *mem, const char *text, size_t bytes, const char **name, struct value **out);

#endif
