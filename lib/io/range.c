/* range.c: one range, "bytes=a-b", "bytes=a-" or "bytes=-n". Several ranges in one answer (multipart/byteranges) were rejected:
 * the standard allows a server to send the whole file then, and players of audio and video ask for one. */
#include "io/range.h"

#include <string.h>

#include "base/text.h"

/* Reads the digits at *at and moves behind them; false if there are none or too many. */
static bool
read_number(const char **at, int64_t *out)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 18)
        return false;
    *out = 0;
    for (; digits > 0; digits--, (*at)++)
        *out = *out * 10 + (**at - '0');
    return true;
}

/* First and last byte, -1 where nothing stands; false when it is no single range. */
static bool
read_range(const char *text, int64_t *first, int64_t *last)
{
    *first = *last = -1;
    if (!text_starts(text, "bytes="))
        return false;
    text += strlen("bytes=");
    bool has_first = read_number(&text, first);
    if (*text++ != '-')
        return false;
    bool has_last = read_number(&text, last);
    return (has_first || has_last) && *text == '\0' && (!has_first || !has_last || *first <= *last);
}

/* If-Range: only the same version may be cut. */
static bool
is_same_version(struct request *r)
{
    const char *version = r->header(r, "HTTP_IF_RANGE");
    if (version == NULL)
        return true;
    const char *line = arena_printf(r->c->mem, "ETag: %s\r\n", version);
    const char *found = strstr(buf_str(&r->headers_out), line);
    return version[0] == '"' && found != NULL && (found == r->headers_out.data || found[-1] == '\n');
}

int
range_cut(struct request *r, struct body_file *file)
{
    const char *range = r->header(r, "HTTP_RANGE");
    int64_t first, last, whole = file->bytes;
    request_header(r, "Accept-Ranges", "bytes");
    if (range == NULL || strcmp(r->method, "GET") != 0 || !read_range(range, &first, &last) || !is_same_version(r))
        return 200;
    if (first < 0) { /* the last so many */
        first = last > whole ? 0 : whole - last;
        last = whole - 1;
    } else if (last < 0 || last >= whole) {
        last = whole - 1;
    }
    if (first > last) {
        r->headers_out = buf_new(r->c->mem, HEADERS_MAX_BYTES);
        request_header(r, "Content-Range", arena_printf(r->c->mem, "bytes */%lld", (long long)whole));
        return 416;
    }
    file->offset += first;
    file->bytes = last - first + 1;
    request_header(r, "Content-Range",
        arena_printf(r->c->mem, "bytes %lld-%lld/%lld", (long long)first, (long long)last, (long long)whole));
    return 206;
}
