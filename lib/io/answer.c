/* answer.c: status line, headers, and the body by what the program filled: file, raw bytes, page, else the tree as JSON or XML.
 *
 * The body is built first, because its length stands in the head, and is then copied behind it. Chunked answers were rejected:
 * FastCGI has its own framing, and the web server wants a Content-Length to answer HEAD and to keep its connection. */
#include "io/answer.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xml.h"
#include "io/range.h"
#include "io/settings.h"

enum { HEAD_MAX_BYTES = HEADERS_MAX_BYTES * 2, RETRY_UNAVAILABLE_S = 2, RETRY_TOO_MANY_S = 60 };

static const char json_type[] = "application/json";
static const char xml_type[] = "application/xml; charset=utf-8";
static const char page_type[] = "text/html; charset=utf-8";
static const char security_headers[] =
    "Content-Security-Policy: default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Cache-Control: no-store\r\n";

struct body {
    struct buf bytes;
    const char *type; /* NULL: none */
    int status;
};

static const char *
status_words(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {206, "Partial Content"},
        {303, "See Other"}, {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
        {404, "Not Found"}, {405, "Method Not Allowed"}, {409, "Conflict"}, {410, "Gone"}, {413, "Content Too Large"},
        {416, "Range Not Satisfiable"}, {429, "Too Many Requests"}, {503, "Service Unavailable"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].status == status)
            return table[i].words;
    return "Status";
}

/* ── the body ── */

static enum err
write_page(struct request *r, const char *page, const struct value *tree, struct body *body)
{
    body->type = page_type;
    if (r->service->render == NULL) {
        log_error("page %s: the program's table names no render", page);
        return ERR_UNAVAILABLE;
    }
    const char *folder = arena_printf(r->c->mem, "%s/templates", r->c->settings->pages_dir);
    return r->service->render(r->c->mem, folder, page, tree, &body->bytes);
}

static void
write_tree(const struct value *tree, const char *xml_name, struct body *body)
{
    body->type = xml_name == NULL ? json_type : xml_type;
    if (xml_name == NULL)
        value_json(tree, &body->bytes);
    else
        xml_write(tree, xml_name, &body->bytes);
}

/* What the program filled, on OK. */
static enum err
write_filled(struct request *r, struct body *body)
{
    bool is_xml = r->is_xml_wanted || (r->service->format == FORMAT_XML && !r->is_json_wanted);
    bool is_nothing = r->page == NULL && r->out->first == NULL && r->content_type != NULL; /* an empty text is an answer too */
    bool is_raw = r->raw.len > 0 || r->raw.full || is_nothing;
    body->status = r->status;
    if (r->see_other != NULL && (r->redirect || r->is_page_wanted)) {
        body->status = 303;
        request_header(r, "Location", r->see_other);
    } else if (is_raw) {
        body->type = "application/octet-stream";
        body->bytes = r->raw;
    } else if (r->page != NULL) {
        enum err err = write_page(r, r->page, r->out, body);
        if (err != OK)
            return err;
    } else {
        write_tree(r->out, is_xml ? r->out_name : NULL, body);
    }
    if (body->type != NULL && r->content_type != NULL)
        body->type = r->content_type;
    return body->bytes.full ? ERR_UNAVAILABLE : OK;
}

/* ── errors ── */

static const char *
fault_reason(const struct request *r, enum err err)
{
    return r->c->fault.reason == NULL ? err_sentence(err) : r->c->fault.reason;
}

static bool
write_message_page(struct request *r, enum err err, struct body *body)
{
    bool is_page = r->is_page_wanted || (r->service->format == FORMAT_PAGE && !r->is_json_wanted && !r->is_xml_wanted);
    if (!is_page || r->service->render == NULL)
        return false;
    bool is_post = strcmp(r->method, "POST") == 0;
    struct value *tree = value_object(r->c->mem);
    value_add_int(tree, "status", err_status(err));
    value_add_text(tree, "code", err_code(err));
    value_add_text(tree, "title", err_title(err));
    value_add_text(tree, "parameter", r->c->fault.parameter);
    value_add_text(tree, "reason", fault_reason(r, err));
    value_add_text(tree, "back", r->service->back ? r->service->back(r) : NULL);
    value_add_text(tree, "back_text", r->service->back_text);
    value_add_text(tree, "site_name", r->c->settings->site_name);
    value_add_text(tree, "phone_number", r->c->settings->phone_number);
    value_add_flag(tree, "is_unsent", err == ERR_UNAVAILABLE && is_post);
    value_add_flag(tree, "is_unread", err == ERR_UNAVAILABLE && !is_post);
    return write_page(r, "message", tree, body) == OK && !body->bytes.full;
}

static void
write_message(struct request *r, enum err err, struct body *body)
{
    bool is_xml = r->is_xml_wanted || (r->service->format == FORMAT_XML && !r->is_json_wanted);
    struct value *tree = value_object(r->c->mem);
    if (is_xml)
        value_attribute(tree, "type", "error");
    struct value *message = is_xml ? tree : value_add_object(tree, "error");
    value_add_text(message, "code", err_code(err));
    value_add_text(message, "parameter", r->c->fault.parameter);
    value_add_text(message, "reason", fault_reason(r, err));
    if (r->c->fault.has_offset)
        value_add_int(message, "offset", r->c->fault.offset);
    write_tree(tree, is_xml ? "message" : NULL, body);
}

/* Unless the program knows better. */
static void
add_header(struct request *r, const char *name, const char *value)
{
    const char *lines = arena_printf(r->c->mem, "\n%s", buf_str(&r->headers_out));
    if (strstr(lines, arena_printf(r->c->mem, "\n%s: ", name)) == NULL)
        request_header(r, name, value);
}

static void
add_error_headers(struct request *r, enum err err)
{
    bool has_get = r->service->methods & METHOD_GET, has_post = r->service->methods & METHOD_POST;
    if (err == ERR_BAD_METHOD)
        add_header(r, "Allow", has_get && has_post ? "GET, HEAD, POST" : has_get ? "GET, HEAD" : "POST");
    if (err == ERR_UNAUTHORIZED) {
        /* Basic only where a client of the original product may wait to be asked; a browser would open its own window */
        bool is_basic = r->service->format == FORMAT_XML && !r->is_page_wanted;
        add_header(r, "WWW-Authenticate",
            arena_printf(r->c->mem, "%s realm=\"%s\"", is_basic ? "Basic" : "Bearer", r->c->settings->instance));
    }
    if (err == ERR_TOO_MANY || err == ERR_UNAVAILABLE) {
        int usual_s = err == ERR_TOO_MANY ? RETRY_TOO_MANY_S : RETRY_UNAVAILABLE_S;
        int retry_s = r->c->fault.retry_s > 0 ? r->c->fault.retry_s : usual_s;
        add_header(r, "Retry-After", arena_printf(r->c->mem, "%d", retry_s));
    }
}

static void
write_error(struct request *r, enum err err, struct body *body)
{
    body->status = err_status(err);
    if (!write_message_page(r, err, body)) {
        body->bytes = buf_new(r->c->mem, ANSWER_MAX_BYTES);
        write_message(r, err, body);
    }
    add_error_headers(r, err);
}

/* ── all together ── */

static void
write_head(struct request *r, const struct body *body, int64_t body_bytes, struct buf *out)
{
    buf_printf(out, "Status: %d %s\r\n", body->status, status_words(body->status));
    if (body->type != NULL)
        buf_printf(out, "Content-Type: %s\r\n", body->type);
    buf_printf(out, "Content-Length: %lld\r\n", (long long)body_bytes);
    buf_text(out, security_headers);
    buf_bytes(out, buf_str(&r->headers_out), r->headers_out.len);
    buf_text(out, "\r\n");
}

static void
close_file(struct body_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct body_file){.fd = -1};
}

static enum err
cut_file(struct request *r)
{
    int64_t whole = r->file.bytes;
    if (r->status == 200)
        r->status = range_cut(r, &r->file);
    if (r->status == 416)
        return center_fault(r->c, ERR_BAD_RANGE, NULL, "The file has %lld bytes and no such part.", (long long)whole);
    return OK;
}

static void
write_file(struct request *r, struct answer *out)
{
    struct body body = {.type = r->content_type == NULL ? "application/octet-stream" : r->content_type, .status = r->status};
    out->file = r->file;
    r->file = (struct body_file){.fd = -1};
    write_head(r, &body, out->file.bytes, &out->bytes);
    if (strcmp(r->method, "HEAD") == 0 || out->file.bytes == 0)
        close_file(&out->file);
}

enum err
answer_write(struct request *r, enum err err, struct answer *out)
{
    *out = (struct answer){.bytes = buf_new(r->c->mem, ANSWER_MAX_BYTES + HEAD_MAX_BYTES), .file.fd = -1};
    bool is_file = err == OK && r->file.fd >= 0 && !r->headers_out.full;
    if (is_file)
        err = cut_file(r);
    if (is_file && err == OK) {
        write_file(r, out);
        return OK;
    }
    close_file(&r->file);
    struct body body = {.bytes = buf_new(r->c->mem, ANSWER_MAX_BYTES)};
    if (err == OK) {
        err = r->headers_out.full ? ERR_UNAVAILABLE : write_filled(r, &body);
        if (r->headers_out.full || body.bytes.full)
            log_error("an answer was over its limit of %d bytes (headers: %d)", ANSWER_MAX_BYTES, HEADERS_MAX_BYTES);
    }
    if (err != OK) {
        if (r->headers_out.full)
            r->headers_out = buf_new(r->c->mem, HEADERS_MAX_BYTES);
        body = (struct body){.bytes = buf_new(r->c->mem, ANSWER_MAX_BYTES)};
        write_error(r, err, &body);
    }
    write_head(r, &body, (int64_t)body.bytes.len, &out->bytes);
    if (strcmp(r->method, "HEAD") != 0)
        buf_bytes(&out->bytes, buf_str(&body.bytes), body.bytes.len);
    assert(!out->bytes.full);
    return err;
}
