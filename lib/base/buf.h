/* buf: a text that grows at its end, up to a limit that everyone must name.
 *
 * Invariants: data[len] is NUL whenever data is not NULL; len <= max. A write over the limit writes nothing,
 * sets `full`, and all later writes do nothing: look at `full` once, at the end.
 * The name of the call is the context: buf_text adds as it is; buf_html, buf_url, buf_json, buf_xml and buf_xml_attribute
 * escape. */
#ifndef RTCC_BUF_H
#define RTCC_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct buf {
    char *data;
    size_t len;
    size_t max;
    bool full;
    size_t cap;        /* private */
    struct arena *mem; /* private */
};

/* An empty buffer of at most max_bytes, that lives in mem. */
struct buf buf_new(struct arena *mem, size_t max_bytes);

void buf_bytes(struct buf *b, const void *data, size_t bytes);
void buf_text(struct buf *b, const char *text); /* NULL adds nothing */
void buf_byte(struct buf *b, char byte);
void buf_printf(struct buf *b, const char *format, ...) like_printf(2, 3);

/* Text in HTML, as content or inside a quoted attribute: & < > " ' are escaped. */
void buf_html(struct buf *b, const char *text);

/* A value in a query: all but unreserved characters (RFC 3986, 2.3) become %XX. */
void buf_url(struct buf *b, const char *text);

/* The inside of a JSON string (RFC 8259, 7), without the quotes. Also escapes < and >, so that no answer looks like markup; not
 * &, so that addresses stay readable. */
void buf_json(struct buf *b, const char *text);

/* Content of an XML element (XML 1.0, 2.4): & < > and, which a reader would make a line feed of, CR. Characters that XML cannot
 * hold must be left out before. */
void buf_xml(struct buf *b, const char *text);

/* The inside of a quoted attribute (XML 1.0, 3.3.3): also the quotation mark, and line feed and tab, of which a reader would
 * make blanks. */
void buf_xml_attribute(struct buf *b, const char *text);

/* A whole number. */
void buf_int(struct buf *b, int64_t number);

/* The text so far; "" when nothing was written. Valid until the next write. */
const char *buf_str(const struct buf *b);

#endif
