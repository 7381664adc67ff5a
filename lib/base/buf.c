/* buf.c: doubles its room inside the arena; what it leaves behind goes with the arena and is less than what it holds.
 * A chain of pieces would copy less, but every reader wants one text in the end.
 *
 * The escaping calls share one loop: runs of harmless bytes are copied whole, every other byte is replaced by what the
 * context's function says. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_BYTES = 256, ESCAPE_BYTES = 8 };

static const char hex[] = "0123456789ABCDEF";

struct buf
buf_new(struct arena *mem, size_t max_bytes)
{
    assert(max_bytes < PTRDIFF_MAX);
    return (struct buf){.mem = mem, .max = max_bytes};
}

/* has_room() when what is there does not do. */
static bool
add_room(struct buf *b, size_t bytes)
{
    if (b->full || bytes > b->max - b->len) {
        b->full = true;
        return false;
    }
    size_t need = b->len + bytes + 1;
    size_t cap = b->cap == 0 ? FIRST_BYTES : b->cap * 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    if (cap < need)
        cap = need;
    char *data = arena_room(b->mem, cap);
    if (b->len > 0)
        memcpy(data, b->data, b->len);
    b->data = data;
    b->cap = cap;
    return true;
}

/* Makes room for `bytes` more and the NUL; false when that is over the limit, or something was before. */
static inline bool
has_room(struct buf *b, size_t bytes)
{
    return (!b->full && bytes < b->cap - b->len) || add_room(b, bytes);
}

void
buf_bytes(struct buf *b, const void *data, size_t bytes)
{
    if (!has_room(b, bytes))
        return;
    if (bytes > 0)
        memcpy(b->data + b->len, data, bytes);
    b->len += bytes;
    b->data[b->len] = '\0';
}

void
buf_text(struct buf *b, const char *text)
{
    if (text != NULL)
        buf_bytes(b, text, strlen(text));
}

void
buf_byte(struct buf *b, char byte)
{
    buf_bytes(b, &byte, 1);
}

/* First into the room that is there, which is nearly always enough. */
void
buf_printf(struct buf *b, const char *format, ...)
{
    size_t room = b->full ? 0 : b->cap - b->len;
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(room == 0 ? NULL : b->data + b->len, room, format, args);
    va_end(args);
    assert(bytes >= 0);
    bool fits = (size_t)bytes < room;
    if (!fits && room > 0)
        b->data[b->len] = '\0';
    if (!has_room(b, (size_t)bytes))
        return;
    if (!fits) {
        va_start(args, format);
        vsnprintf(b->data + b->len, (size_t)bytes + 1, format, args);
        va_end(args);
    }
    b->len += (size_t)bytes;
}

/* What stands for `byte` in a context, NULL when it may stand for itself; `room` is for those that must be made. */
typedef const char *escape_fn(unsigned char byte, char room[ESCAPE_BYTES]);

/* Inline, so that each context's switch becomes part of its own loop: a call for every byte took four times as long. */
static inline __attribute__((always_inline)) void
add_escaped(struct buf *b, const char *text, escape_fn *escape)
{
    if (text == NULL || b->full)
        return;
    char room[ESCAPE_BYTES];
    size_t before = b->len;
    const char *run = text;
    const char *at = text;
    for (; *at != '\0'; at++) {
        const char *instead = escape((unsigned char)*at, room);
        if (instead == NULL)
            continue;
        buf_bytes(b, run, (size_t)(at - run));
        buf_text(b, instead);
        run = at + 1;
    }
    buf_bytes(b, run, (size_t)(at - run));
    /* One call is one write: over the limit it leaves nothing, not a part. */
    if (b->full && b->data != NULL) {
        b->len = before;
        b->data[before] = '\0';
    }
}

static const char *
escape_html(unsigned char byte, char room[ESCAPE_BYTES])
{
    (void)room;
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static const char *
escape_url(unsigned char byte, char room[ESCAPE_BYTES])
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    if (is_letter || (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL)
        return NULL;
    room[0] = '%';
    room[1] = hex[byte >> 4];
    room[2] = hex[byte & 15];
    room[3] = '\0';
    return room;
}

static const char *
escape_json(unsigned char byte, char room[ESCAPE_BYTES])
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (byte >= 0x20 && byte != '<' && byte != '>')
        return NULL;
    memcpy(room, "\\u00", 4);
    room[4] = hex[byte >> 4];
    room[5] = hex[byte & 15];
    room[6] = '\0';
    return room;
}

static const char *
escape_xml(unsigned char byte, char room[ESCAPE_BYTES])
{
    (void)room;
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

static const char *
escape_xml_attribute(unsigned char byte, char room[ESCAPE_BYTES])
{
    switch (byte) {
    case '"':
        return "&quot;";
    case '\n':
        return "&#10;";
    case '\t':
        return "&#9;";
    default:
        return escape_xml(byte, room);
    }
}

void
buf_html(struct buf *b, const char *text)
{
    add_escaped(b, text, escape_html);
}

void
buf_url(struct buf *b, const char *text)
{
    add_escaped(b, text, escape_url);
}

void
buf_json(struct buf *b, const char *text)
{
    add_escaped(b, text, escape_json);
}

void
buf_xml(struct buf *b, const char *text)
{
    add_escaped(b, text, escape_xml);
}

void
buf_xml_attribute(struct buf *b, const char *text)
{
    add_escaped(b, text, escape_xml_attribute);
}

/* By hand, because printf's way takes ten times as long and answers are full of numbers. */
void
buf_int(struct buf *b, int64_t number)
{
    char digits[20];
    size_t count = 0;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[sizeof digits - ++count] = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        digits[sizeof digits - ++count] = '-';
    buf_bytes(b, digits + sizeof digits - count, count);
}

const char *
buf_str(const struct buf *b)
{
    return b->data == NULL ? "" : b->data;
}
