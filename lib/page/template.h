/* template: pages from HTML files and value trees.
 *
 *   {{name}}                  the text or number of that name, escaped for HTML; there is no raw form
 *   {{name|url}}              escaped as a value in a query
 *   {{name|tel}}              a telephone number as a "tel:" address has it: digits and "+" alone
 *   {{#name}}…{{/name}}       for each element of a list; once for an object or a true value; the element is looked in first
 *   {{^name}}…{{/name}}       when it is absent, false, 0, "" or an empty list
 *   {{.}}                     the element itself, in a list of texts
 *   {{>part}}                 the template called part, here (depth at most 8)
 *   {{! a comment }}
 * A name that no object around knows is a fault of the page (ERR_UNAVAILABLE, and the log names file, line and name), so a
 * misspelt field is seen by the first test; {{#}} and {{^}} may ask for absent names, a null is written as nothing, a flag as
 * true or false. Inside {{#}} of a text or number, {{.}} is that. Sections nest up to 32 deep.
 * Files are <folder>/NAME.html (a-z and '_'), UTF-8, up to 256 KiB, kept until they change on the disk. */
#ifndef RTCC_TEMPLATE_H
#define RTCC_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/value.h"

/* Renders folder/NAME.html with the members of tree, behind what out holds already; look at out->full afterwards.
 * ERR_UNAVAILABLE: a file is missing or malformed, or a name unknown; the log says which and where, and out is as before. */
must_check enum err template_render(struct arena *mem, const char *folder, const char *name, const struct value *tree,
    struct buf *out);

#endif
