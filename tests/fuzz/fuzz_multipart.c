/* fuzz_multipart: the first line of the input is the Content-Type, the rest the body. Files lie inside of the body, none
 * contains its delimiter, and everything else is text. */
#include "fuzz.h"

#include "base/multipart.h"

static void
must_lie_inside(const struct multipart_file *file, const char *body, size_t bytes)
{
    MUST_BE_TEXT(file->field);
    MUST_BE_TEXT(file->filename);
    MUST_BE_TEXT(file->type);
    MUST(!text_has_control(file->type, true));
    MUST(file->data >= body && file->data <= body + bytes);
    MUST(file->bytes <= (size_t)(body + bytes - file->data));
    /* What follows is the delimiter. */
    MUST((size_t)(body + bytes - file->data) - file->bytes >= 4);
    MUST(memcmp(file->data + file->bytes, "\r\n--", 4) == 0);
}

static void
parse(struct arena *mem, const char *type, const char *body, size_t bytes)
{
    struct form form = {0};
    struct multipart files = {0};
    struct fault fault = {0};
    enum err err = multipart_parse(mem, type, body, bytes, &form, &files, &fault);
    MUST(err == OK || err == ERR_BAD_PARAMETER);
    MUST(form.count <= FORM_MAX && files.count <= MULTIPART_FILES_MAX);
    for (size_t i = 0; i < form.count; i++) {
        MUST_BE_TEXT(form.pairs[i].name);
        MUST_BE_TEXT(form.pairs[i].value);
    }
    for (size_t i = 0; i < files.count; i++)
        must_lie_inside(&files.files[i], body, bytes);
    if (err != OK)
        fuzz_must_explain(&fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    const char *text = (const char *)data;
    const char *line_end = bytes == 0 ? NULL : memchr(text, '\n', bytes);
    size_t type_bytes = line_end == NULL ? bytes : (size_t)(line_end - text);
    size_t rest = line_end == NULL ? bytes : type_bytes + 1;
    parse(mem, arena_strndup(mem, text, type_bytes), text + rest, bytes - rest);
    MUST_BE_WITHIN(mem, bytes, 8); /* a value or a name is copied a few times, and nothing else is */
    arena_free(mem);
    return 0;
}
