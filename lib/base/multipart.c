/* multipart.c: cuts the body at its delimiters, then reads the headers of each piece.
 *
 * A delimiter is CR LF "--" boundary, then blanks and CR LF, or "--" and the end: a line that only begins like one is data, so
 * that a boundary may be the beginning of another's. Each piece starts at the CR LF that ends its delimiter's line: then
 * the headers, even when there are none, end at the first CR LF CR LF.
 * A machine that reads byte by byte, for bodies that come in pieces, was rejected: great files come by offset. */
#include "base/multipart.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum {
    BOUNDARY_MAX_BYTES = 70, /* RFC 2046, 5.1.1 */
    HEAD_MAX_BYTES = 16384,  /* of a part: what nginx and Apache take for a line of a request's own head */
};

struct span {
    const char *at;
    const char *end;
};

struct reader {
    struct arena *mem;
    struct span rest; /* what was not yet read */
    const char *delimiter;
    size_t delimiter_bytes;
    bool is_last; /* the delimiter read last was the closing one */
};

static enum err
refuse(const char *parameter, const char *reason, struct fault *fault)
{
    bool is_shown = parameter != NULL && strlen(parameter) <= FORM_SHOWN_BYTES;
    *fault = (struct fault){.parameter = is_shown ? parameter : NULL, .reason = reason};
    return ERR_BAD_PARAMETER;
}

static const char *
skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static const char *
find_any(struct span in, const char *bytes)
{
    const char *at = in.at;
    while (at < in.end && strchr(bytes, *at) == NULL)
        at++;
    return at;
}

/* ── header lines ── */

/* Of a quoted text: a backslash counts only before '"' and '\', because some browsers sent whole Windows paths. */
static bool
is_escaped(const char *at, const char *end)
{
    return *at == '\\' && end - at > 1 && (at[1] == '"' || at[1] == '\\');
}

/* Moves behind the token or the quoted text at in->at; gives it as it stands there, without its quotes. */
static struct span
take_value(struct span *in, bool is_quoted)
{
    const char *start = in->at;
    if (!is_quoted) {
        in->at = find_any(*in, "; \t");
        return (struct span){start, in->at};
    }
    const char *end = ++start;
    while (end < in->end && *end != '"')
        end += is_escaped(end, in->end) ? 2 : 1;
    in->at = end;
    return (struct span){start, end};
}

static const char *
copy_value(struct arena *mem, struct span value, bool is_quoted)
{
    char *text = arena_alloc(mem, (size_t)(value.end - value.at) + 1), *out = text;
    for (; value.at < value.end; value.at++) {
        value.at += is_quoted && is_escaped(value.at, value.end);
        *out++ = *value.at;
    }
    return text;
}

static bool
is_named(struct span word, const char *name)
{
    size_t bytes = (size_t)(word.end - word.at);
    return bytes == strlen(name) && strncasecmp(word.at, name, bytes) == 0;
}

/* The parameter of a header like `form-data; name="x"`, without NUL inside; NULL if it is not there. Only that one is copied:
 * there may be many of two letters, and an object of an arena is larger than they are. */
static const char *
header_parameter(struct arena *mem, struct span header, const char *name)
{
    header.at = find_any(header, ";");
    while (header.at < header.end) {
        const char *start = skip_blanks(header.at + 1, header.end);
        header.at = start;
        header.at = find_any(header, "=; \t");
        bool is_wanted = is_named((struct span){start, header.at}, name);
        header.at = skip_blanks(header.at, header.end);
        if (header.at < header.end && *header.at == '=') {
            header.at = skip_blanks(header.at + 1, header.end);
            bool is_quoted = header.at < header.end && *header.at == '"';
            struct span value = take_value(&header, is_quoted);
            if (is_wanted)
                return copy_value(mem, value, is_quoted);
        }
        header.at = find_any(header, ";");
    }
    return NULL;
}

static int
hex_digit(char ch)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = ch ? strchr(digits, ch | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Browsers write '"', CR and LF in a name as %22, %0D and %0A (WHATWG HTML, multipart/form-data encoding), and '%' as it is: so
 * nothing else is an escape. NULL stays NULL. */
static const char *
unescaped_name(struct arena *mem, const char *name)
{
    if (name == NULL)
        return NULL;
    char *text = arena_strdup(mem, name), *out = text;
    for (const char *at = name; *at != '\0'; at++) {
        int high = *at == '%' ? hex_digit(at[1]) : -1, low = high < 0 ? -1 : hex_digit(at[2]);
        int byte = low < 0 ? -1 : high << 4 | low;
        bool is_escape = byte == '"' || byte == '\r' || byte == '\n';
        *out++ = is_escape ? (char)byte : *at;
        at += is_escape ? 2 : 0;
    }
    *out = '\0';
    return text;
}

/* What stands before the parameters ("form-data"). */
static const char *
header_value(struct arena *mem, struct span header)
{
    const char *start = skip_blanks(header.at, header.end);
    header.at = start;
    return arena_strndup(mem, start, (size_t)(find_any(header, "; \t") - start));
}

/* Finds a line "Name: value" in a block of lines that each begin with CR LF. */
static bool
find_header(struct span block, const char *name, struct span *out)
{
    while (block.at < block.end) {
        const char *line = block.at + 2;
        const char *next = memmem(line, (size_t)(block.end - line), "\r\n", 2);
        block.at = next == NULL ? block.end : next;
        const char *colon = memchr(line, ':', (size_t)(block.at - line));
        if (colon == NULL || !is_named((struct span){line, colon}, name))
            continue;
        *out = (struct span){colon + 1, block.at};
        return true;
    }
    return false;
}

/* ── delimiters ── */

/* Where the delimiter ends whose "--boundary" ends at `at`: at the CR LF of its line, or at the end of the body. NULL when
 * this is no delimiter. */
static const char *
delimiter_end(const char *at, const char *end, bool *is_last)
{
    *is_last = end - at >= 2 && memcmp(at, "--", 2) == 0;
    at = skip_blanks(*is_last ? at + 2 : at, end);
    bool is_line = end - at >= 2 && memcmp(at, "\r\n", 2) == 0;
    return is_line || (at == end && *is_last) ? at : NULL;
}

/* Moves behind the next delimiter; `piece` is what was before it. */
static bool
next_piece(struct reader *r, struct span *piece)
{
    const char *at = r->rest.at;
    while ((at = memmem(at, (size_t)(r->rest.end - at), r->delimiter, r->delimiter_bytes)) != NULL) {
        const char *behind = delimiter_end(at + r->delimiter_bytes, r->rest.end, &r->is_last);
        if (behind != NULL) {
            *piece = (struct span){r->rest.at, at};
            r->rest.at = behind;
            return true;
        }
        at += r->delimiter_bytes;
    }
    return false;
}

/* Moves behind the first delimiter. The body may begin with it, then without CR LF; what stands before it says nothing. */
static bool
skip_preamble(struct reader *r)
{
    struct span preamble;
    const char *line = r->delimiter + 2;
    size_t line_bytes = r->delimiter_bytes - 2;
    const char *behind = NULL;
    if ((size_t)(r->rest.end - r->rest.at) >= line_bytes && memcmp(r->rest.at, line, line_bytes) == 0)
        behind = delimiter_end(r->rest.at + line_bytes, r->rest.end, &r->is_last);
    if (behind == NULL)
        return next_piece(r, &preamble);
    r->rest.at = behind;
    return true;
}

static enum err
open_reader(struct reader *r, const char *content_type, struct fault *fault)
{
    if (content_type == NULL)
        return refuse(NULL, "The request does not say what kind of body it has.", fault);
    struct span header = {content_type, content_type + strlen(content_type)};
    if (!text_same_case(header_value(r->mem, header), "multipart/form-data"))
        return refuse(NULL, "The body of the request is not multipart/form-data.", fault);
    const char *boundary = header_parameter(r->mem, header, "boundary");
    if (boundary == NULL || *boundary == '\0' || strlen(boundary) > BOUNDARY_MAX_BYTES)
        return refuse(NULL, "The request does not name the boundary between the parts of its body.", fault);
    r->delimiter = arena_printf(r->mem, "\r\n--%s", boundary);
    r->delimiter_bytes = strlen(r->delimiter);
    return OK;
}

/* ── parts ── */

/* The part's type, when it is one that may be repeated to others. */
static const char *
type_of(struct arena *mem, struct span headers)
{
    struct span header;
    if (!find_header(headers, "Content-Type", &header))
        return "application/octet-stream";
    const char *start = skip_blanks(header.at, header.end);
    const char *type = arena_strndup(mem, start, (size_t)(header.end - start));
    bool is_text = *type != '\0' && text_is_utf8(type, strlen(type)) && !text_has_control(type, true);
    return is_text ? type : "application/octet-stream";
}

static enum err
add_file(struct multipart *out, struct multipart_file file, struct fault *fault)
{
    /* A browser sends a file field that was left empty as a file without name and content. */
    if (*file.filename == '\0' && file.bytes == 0)
        return OK;
    if (!text_is_utf8(file.field, strlen(file.field)))
        return refuse(NULL, "The name of a part is not valid UTF-8.", fault);
    if (!text_is_utf8(file.filename, strlen(file.filename)))
        return refuse(file.field, "The name of the file is not valid UTF-8.", fault);
    static_assert(MULTIPART_FILES_MAX == 8, "the sentence says the number");
    if (out->count == MULTIPART_FILES_MAX)
        return refuse(file.field, "There are more than 8 files in one request.", fault);
    out->files[out->count++] = file;
    return OK;
}

static enum err
read_part(struct reader *r, struct span piece, struct form *form, struct multipart *out, struct fault *fault)
{
    const char *blank = memmem(piece.at, (size_t)(piece.end - piece.at), "\r\n\r\n", 4);
    if (blank == NULL)
        return refuse(NULL, "The headers of a part do not end.", fault);
    if (blank - piece.at > HEAD_MAX_BYTES)
        return refuse(NULL, "The headers of a part are too long.", fault);
    struct span headers = {piece.at, blank};
    if (memchr(headers.at, '\0', (size_t)(headers.end - headers.at)) != NULL)
        return refuse(NULL, "The headers of a part contain a NUL character.", fault);
    struct span header;
    const char *name = NULL;
    bool is_found = find_header(headers, "Content-Disposition", &header);
    if (is_found && text_same_case(header_value(r->mem, header), "form-data"))
        name = unescaped_name(r->mem, header_parameter(r->mem, header, "name"));
    if (name == NULL)
        return refuse(NULL, "A part of the body has no name.", fault);
    const char *data = blank + 4;
    size_t bytes = (size_t)(piece.end - data);
    const char *filename = unescaped_name(r->mem, header_parameter(r->mem, header, "filename"));
    if (filename == NULL)
        return form_add(r->mem, name, data, bytes, form, fault);
    return add_file(out, (struct multipart_file){name, filename, type_of(r->mem, headers), data, bytes}, fault);
}

enum err
multipart_parse(struct arena *mem, const char *content_type, const char *body, size_t bytes, struct form *form,
    struct multipart *out, struct fault *fault)
{
    struct reader r = {.mem = mem, .rest = {body, body + bytes}};
    enum err err = open_reader(&r, content_type, fault);
    if (err != OK)
        return err;
    struct span piece;
    bool is_open = bytes > 0 && skip_preamble(&r);
    static_assert(MULTIPART_PARTS_MAX == 264, "the sentence says the number");
    for (int parts = 0; is_open && !r.is_last; parts++) {
        is_open = next_piece(&r, &piece);
        if (is_open && parts == MULTIPART_PARTS_MAX)
            return refuse(NULL, "There are more than 264 parts in one request.", fault);
        err = is_open ? read_part(&r, piece, form, out, fault) : OK;
        if (err != OK)
            return err;
    }
    if (is_open)
        return OK;
    return refuse(NULL, "The body of the request ends before its last part does.", fault);
}
