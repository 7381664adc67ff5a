/* file_get: gives a file of a conference to a member of it. */
#include "io/service.h"

#include "base/text.h"
#include "model/file.h"
#include "page/access.h"
#include "page/template.h"

enum { ID };

static const struct param params[] = {
    [ID] = {"id", PARAM_INT, true, 1, 9007199254740991, "the file's, from its event"},
    {"token", PARAM_LINE, false, 0, 80, "the member's, unless a header or cookie carries it"},
    {.name = NULL},
};

/* A name may hold anything: the plain form gets ASCII, the other one is percent-encoded (RFC 6266, 4.3; RFC 8187). Of a character
 * that is four bytes the one has four, the other twelve. */
enum { DISPOSITION_MAX_BYTES = FILE_NAME_CHARS * (4 + 12) + 64 };

static const char *
disposition(struct request *r, const struct file *file)
{
    struct buf b = buf_new(r->c->mem, DISPOSITION_MAX_BYTES);
    buf_printf(&b, "%s; filename=\"", file_may_be_shown(file->type) ? "inline" : "attachment");
    for (const char *p = file->name; *p; p++)
        buf_byte(&b, (unsigned char)*p < 0x80 && *p != '"' && *p != '\\' && *p != '%' ? *p : '_');
    buf_text(&b, "\"; filename*=UTF-8''");
    buf_url(&b, file->name);
    return buf_str(&b);
}

/* Whoever is not in the file's conference, or had left it by then, gets the same answer as for a file that does not exist. */
static enum err
find(struct request *r, struct file *file)
{
    enum err err = file_find(r->c, r->args[ID].number, file);
    bool is_there = err == OK;
    if (is_there || err == ERR_NOT_FOUND)
        err = access_member_of(r, is_there ? file->conf : 0);
    int64_t until = err == OK ? r->caller->member.left_event : 0;
    return until && file->event > until ? access_member_of(r, 0) : err;
}

static enum err
answer(struct request *r)
{
    struct file file;
    enum err err = find(r, &file);
    if (err == OK)
        err = file_open(r->c, &file, &r->file.fd);
    if (err != OK)
        return err;
    r->file.bytes = file.total;
    r->content_type = file.type;
    request_header(r, "Content-Disposition", disposition(r, &file));
    request_header(r, "ETag", arena_printf(r->c->mem, "\"%lld\"", (long long)file.id));
    return OK;
}

const struct service service = {
    .name = "file_get",
    .about = "gives a file of a conference",
    .methods = METHOD_GET,
    .mode = PREFORK,
    .format = FORMAT_JSON,
    .params = params,
    .answer = answer,
    .render = template_render,
};
