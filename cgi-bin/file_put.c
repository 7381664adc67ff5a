/* file_put: a member sends a file into a conference, whole or in pieces that can be resumed. */
#include "io/service.h"

#include "base/text.h"
#include "io/secret.h"
#include "model/event.h"
#include "model/file.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

enum { CONF, NONCE, FILE_PART, OFFSET, TOTAL, PART };

static const struct param params[] = {
    [CONF] = {"conf", PARAM_LINE, true, 0, 80, "the conference's id"},
    [NONCE] = {"nonce", PARAM_LINE, false, 0, NONCE_CHARS,
        "the client's own; needed for pieces, joins them; the same again answers the first event"},
    [FILE_PART] = {"file", PARAM_FILE, true, 0, 0, "the bytes, multipart/form-data"},
    [OFFSET] = {"offset", PARAM_INT, false, 0, 9007199254740991, "where this piece belongs; default 0"},
    [TOTAL] = {"total", PARAM_INT, false, 1, 9007199254740991, "bytes of the whole file; default: this piece is all"},
    [PART] = {"part", PARAM_LINE, false, 0, 8, "where a browser without JavaScript goes back to: write, page"},
    {"token", PARAM_LINE, false, 0, 80, "the member's, unless a header or cookie carries it"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a cookie"},
    {.name = NULL},
};

/* After the end what was whole before it is still answered: the answer may have been lost. */
static enum err
take(struct request *r, const struct file_piece *piece, struct file *file)
{
    enum err err = access_check_there(r);
    if (err == OK)
        return file_take(r->c, &r->caller->member, piece, file);
    if (err != ERR_CONFLICT)
        return err;
    enum err before = file_before(r->c, &r->caller->member, piece, file);
    return before == ERR_NOT_FOUND ? err : before;
}

static enum err
answer(struct request *r)
{
    struct file file;
    const struct multipart_file *sent = r->args[FILE_PART].file;
    struct file_piece piece = {.nonce = r->args[NONCE].text ? r->args[NONCE].text : secret_random_text(r->c->mem, 22),
        .name = sent->filename,
        .data = sent->data,
        .bytes = (int64_t)sent->bytes,
        .offset = r->args[OFFSET].number,
        .total = r->args[TOTAL].text ? r->args[TOTAL].number : r->args[OFFSET].number + (int64_t)sent->bytes};
    if (text_chars(sent->filename) > FILE_NAME_CHARS)
        return center_fault(r->c, ERR_BAD_PARAMETER, "file", "A file's name may have %d characters at most.", FILE_NAME_CHARS);
    if (!r->args[NONCE].text && (piece.offset != 0 || piece.total != piece.bytes))
        return center_fault(r->c, ERR_BAD_PARAMETER, "nonce", "A file that comes in pieces needs a nonce, which joins them.");
    enum err err = show_check_part(r);
    if (err != OK)
        return err;
    show_go(r, show_room(r, r->args[CONF].text, r->args[PART].text));
    err = take(r, &piece, &file);
    if (err != OK)
        return err;
    if (file.event)
        value_add_int(r->out, "event", file.event);
    value_add_text(r->out, "file", arena_printf(r->c->mem, "%lld", (long long)file.id));
    value_add_int(r->out, "offset", file.bytes);
    return OK;
}

const struct service service = {
    .name = "file_put",
    .about = "takes a file into a conference",
    .methods = METHOD_POST,
    .mode = PREFORK,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .access = access_room,
    .answer = answer,
    .render = template_render,
    .back = show_back,
};
