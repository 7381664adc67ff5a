/* range.c: one range, "bytes=a-b", "bytes=a-" or "bytes=-n". Several ranges in one answer (multipart/byteranges) were rejected:
 * the standard allows a server to send the whole file then, and players of audio and video ask for one. */
#include "io/range.h"

#include <string.h>

#include "base/head.h"

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
    if (range == NULL || strcmp(r->method, "GET") != 0 || !head_range(range, &first, &last) || !is_same_version(r))
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
