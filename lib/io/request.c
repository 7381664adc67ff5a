/* request.c: everything that came is checked here, once, so that a program gets values that it can use as they are.
 *
 * The fault that is found first is the one that is told: method, then query, then body, then the parameters in the order of the
 * service's table. Telling all faults at once was rejected: the form programs check their fields themselves, to say each beside
 * its field, and for the others one plain sentence is what a person reads. */
#include "io/request.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/settings.h"

const char *
input_get(char *const *params, const char *name)
{
    size_t bytes = strlen(name);
    for (; *params != NULL; params++)
        if (strncmp(*params, name, bytes) == 0 && (*params)[bytes] == '=')
            return *params + bytes + 1;
    return NULL;
}

static const char *
header(const struct request *r, const char *name)
{
    return r->headers == NULL ? NULL : input_get(r->headers, name);
}

static const char *
header_or_empty(const struct request *r, const char *name)
{
    const char *value = header(r, name);
    return value == NULL ? "" : value;
}

size_t
request_body_max(const struct service *s, const struct settings *settings)
{
    return s->mode == PREFORK ? (size_t)settings->file_max_bytes + BODY_MAX_BYTES : BODY_MAX_BYTES;
}

static const struct form no_form;

struct request *
request_new(const struct service *s, const struct center *process, struct arena *mem)
{
    struct center *c = arena_alloc(mem, sizeof *c);
    *c = (struct center){.db = process->db,
        .settings = process->settings,
        .mem = mem,
        .now_ms = clock_wall_ms(),
        .boot_ms = clock_boot_ms()};
    struct request *r = arena_alloc(mem, sizeof *r);
    r->service = s;
    r->c = c;
    r->method = "GET";
    r->path_info = r->remote_addr = r->host = r->body = "";
    r->header = header;
    r->form = &no_form;
    r->status = 200;
    r->out = value_object(mem);
    r->raw = buf_new(mem, ANSWER_MAX_BYTES);
    r->file.fd = -1;
    r->headers_out = buf_new(mem, HEADERS_MAX_BYTES);
    return r;
}

/* ── Accept ── */

/* Whether a media range's parameters say q=0: "not this one" (RFC 9110, 12.4.2). */
static bool
is_weight_zero(const char *at, const char *end)
{
    while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
        for (at++; at < end && (*at == ' ' || *at == '\t'); at++)
            ;
        if (end - at >= 3 && strncasecmp(at, "q=", 2) == 0)
            return at[2] == '0' && strspn(at + 2, "0.") == strcspn(at + 2, ",; \t");
    }
    return false;
}

/* Whether the header names the type itself; wildcards name nothing. */
static bool
accept_names(const char *accept, const char *type)
{
    size_t bytes = strlen(type);
    while (*accept != '\0') {
        accept += strspn(accept, " \t,");
        const char *end = accept + strcspn(accept, ",");
        if (strncasecmp(accept, type, bytes) == 0 && strchr(" \t,;", accept[bytes]) != NULL && !is_weight_zero(accept, end))
            return true;
        accept = end;
    }
    return false;
}

static void
read_accept(struct request *r)
{
    const char *accept = header_or_empty(r, "HTTP_ACCEPT");
    r->is_json_wanted = accept_names(accept, "application/json");
    r->is_page_wanted = !r->is_json_wanted && accept_names(accept, "text/html");
    r->is_xml_wanted =
        !r->is_json_wanted && !r->is_page_wanted && (accept_names(accept, "application/xml") || accept_names(accept, "text/xml"));
}

/* ── what came ── */

static const char *
skip_host_name(const char *host)
{
    if (*host != '[')
        return host + strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    size_t bytes = strspn(host + 1, "0123456789abcdefABCDEF:.");
    return bytes > 1 && host[1 + bytes] == ']' ? host + bytes + 2 : host;
}

bool
host_is_valid(const char *host)
{
    const char *at = skip_host_name(host);
    if (at == host || at - host > 255)
        return false;
    if (*at == '\0')
        return true;
    size_t digits = strspn(at + 1, "0123456789");
    return *at == ':' && digits >= 1 && digits <= 5 && at[1 + digits] == '\0';
}

static void
read_headers(struct request *r, char **params)
{
    r->headers = params;
    r->remote_addr = header_or_empty(r, "REMOTE_ADDR");
    r->host = header_or_empty(r, "HTTP_HOST");
    r->is_https = strcasecmp(header_or_empty(r, "HTTPS"), "on") == 0 ||
                  strcmp(header_or_empty(r, "REQUEST_SCHEME"), "https") == 0 ||
                  text_starts(r->c->settings->public_url, "https://");
    read_accept(r);
}

static enum err
read_method(struct request *r)
{
    static const struct {
        const char *name;
        unsigned bit;
    } methods[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_GET}, {"POST", METHOD_POST}};
    const char *method = header_or_empty(r, "REQUEST_METHOD");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i].name) == 0) {
            r->method = methods[i].name;
            if (r->service->methods & methods[i].bit)
                return OK;
        }
    return center_fault(r->c, ERR_BAD_METHOD, NULL, "This address takes only %s requests.",
        r->service->methods == METHOD_GET    ? "GET"
        : r->service->methods == METHOD_POST ? "POST"
                                             : "GET and POST");
}

static enum err
read_path(struct request *r)
{
    const char *path = header_or_empty(r, "PATH_INFO");
    if (!text_is_utf8(path, strlen(path)) || text_has_control(path, true))
        return center_fault(r->c, ERR_BAD_PARAMETER, NULL, "The address is not valid UTF-8.");
    r->path_info = path;
    return OK;
}

/* Whether content_type is `type`, whatever parameters follow. */
static bool
is_type(const char *content_type, const char *type)
{
    size_t bytes = strlen(type);
    return strncasecmp(content_type, type, bytes) == 0 && strchr("; \t", content_type[bytes]) != NULL;
}

static enum err
read_body(struct request *r, const struct input *in, struct form *form, struct multipart *files)
{
    r->body = in->body;
    r->body_bytes = in->body_bytes;
    if (in->body_bytes == 0 || strcmp(r->method, "POST") != 0)
        return OK;
    const char *type = header_or_empty(r, "CONTENT_TYPE");
    if (is_type(type, "multipart/form-data"))
        return multipart_parse(r->c->mem, type, in->body, in->body_bytes, form, files, &r->c->fault);
    if (is_type(type, "application/x-www-form-urlencoded"))
        return form_parse(r->c->mem, in->body, in->body_bytes, form, &r->c->fault);
    return center_fault(r->c, ERR_BAD_PARAMETER, NULL,
        "The body must be application/x-www-form-urlencoded or multipart/form-data.");
}

static enum err
read_form(struct request *r, const struct input *in, struct multipart *files)
{
    struct form *form = arena_alloc(r->c->mem, sizeof *form);
    r->form = form;
    const char *query = header_or_empty(r, "QUERY_STRING");
    enum err err = form_parse(r->c->mem, query, strlen(query), form, &r->c->fault);
    return err == OK ? read_body(r, in, form, files) : err;
}

/* ── arguments ── */

static enum err bad(struct request *r, const struct param *p, const char *format, ...) like_printf(3, 4);

static enum err
bad(struct request *r, const struct param *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(r->c->mem, format, args);
    va_end(args);
    return center_fault(r->c, ERR_BAD_PARAMETER, p->name, "\"%s\" %s.", p->name, what);
}

/* A copy without the white space around it. */
static char *
trimmed(struct arena *mem, const char *text)
{
    static const char space[] = " \t\r\n";
    text += strspn(text, space);
    size_t bytes = strlen(text);
    while (bytes > 0 && strchr(space, text[bytes - 1]) != NULL)
        bytes--;
    return arena_strndup(mem, text, bytes);
}

/* "+1603…" in a query arrives as " 1603…". */
static const char *
plus_again(struct request *r, const struct param *p, const char *value, char *line)
{
    bool is_plus = strcmp(p->name, "phone") == 0 && value[0] == ' ' && line[0] >= '0' && line[0] <= '9';
    return is_plus ? arena_printf(r->c->mem, "+%s", line) : line;
}

static enum err
check_length(struct request *r, const struct param *p, const char *text)
{
    int64_t chars = (int64_t)text_chars(text);
    if (chars > p->max)
        return bad(r, p, "is longer than %lld characters", (long long)p->max);
    if (chars < p->min)
        return bad(r, p, "is shorter than %lld characters", (long long)p->min);
    return OK;
}

static enum err
read_flag(struct request *r, const struct param *p, struct arg *arg)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_same_case(arg->text, words[i])) {
            arg->number = i % 2;
            return OK;
        }
    return bad(r, p, "must be 1 or 0");
}

static enum err
read_value(struct request *r, const struct param *p, const char *value, struct arg *arg)
{
    char *line = trimmed(r->c->mem, value);
    arg->is_given = true;
    arg->text = p->kind == PARAM_TEXT ? value : line;
    if (arg->text[0] == '\0') {
        arg->text = NULL;
        return p->is_required ? bad(r, p, "must not be empty") : OK;
    }
    if (p->kind == PARAM_INT)
        return text_int(line, p->min, p->max, &arg->number) == OK
                   ? OK
                   : bad(r, p, "must be a whole number from %lld to %lld", (long long)p->min, (long long)p->max);
    if (p->kind == PARAM_FLAG)
        return read_flag(r, p, arg);
    if (p->kind == PARAM_LINE && text_has_control(line, true))
        return bad(r, p, "must be one line without control characters");
    if (p->kind == PARAM_LINE)
        arg->text = plus_again(r, p, value, line);
    return check_length(r, p, arg->text);
}

/* A browser sends an empty part without a file name when no file was chosen: that is none. */
static const struct multipart_file *
find_file(const struct multipart *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct multipart_file *file = &files->files[i];
        if (strcmp(file->field, name) == 0 && (file->bytes > 0 || file->filename[0] != '\0'))
            return file;
    }
    return NULL;
}

static enum err
read_arg(struct request *r, const struct param *p, const struct multipart *files, struct arg *arg)
{
    const char *value = p->kind == PARAM_FILE ? NULL : form_get(r->form, p->name);
    if (value != NULL)
        return read_value(r, p, value, arg);
    if (p->kind == PARAM_FILE) {
        arg->file = find_file(files, p->name);
        arg->is_given = arg->file != NULL;
        if (arg->file != NULL && p->max > 0 && arg->file->bytes > (size_t)p->max)
            return center_fault(r->c, ERR_TOO_LARGE, p->name, "\"%s\" is larger than %lld bytes.", p->name, (long long)p->max);
    }
    return p->is_required && !arg->is_given ? bad(r, p, "is missing") : OK;
}

static enum err
read_args(struct request *r, const struct multipart *files)
{
    enum err err = OK;
    const struct param *p = r->service->params;
    for (size_t i = 0; err == OK && p != NULL && p[i].name != NULL; i++) {
        assert(i < PARAMS_MAX);
        err = read_arg(r, &p[i], files, &r->args[i]);
    }
    return err;
}

enum err
request_read(struct request *r, const struct input *in)
{
    struct multipart *files = arena_alloc(r->c->mem, sizeof *files);
    read_headers(r, in->params);
    enum err err = read_method(r);
    if (in->is_too_large)
        return center_fault(r->c, ERR_TOO_LARGE, NULL, "The request is larger than the %zu bytes that are taken here.",
            request_body_max(r->service, r->c->settings));
    if (err == OK)
        err = read_path(r);
    if (err == OK)
        err = read_form(r, in, files);
    return err == OK ? read_args(r, files) : err;
}
