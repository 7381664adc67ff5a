/* center: the one place where a model says why it refused. The sentence is made in the request's arena; a fixed buffer in the
 * struct was rejected, because it cuts what a person should read and costs every request that goes well. */
#include "io/center.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

enum err
center_fault(struct center *c, enum err err, const char *parameter, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    c->fault = (struct fault){.parameter = parameter, .reason = arena_vprintf(c->mem, format, args)};
    va_end(args);
    return err;
}

enum err
center_check_name(struct center *c, const char *parameter, const char *what, const char *text)
{
    bool is_readable = text_is_utf8(text, strlen(text)) && !text_has_control(text, true) && !strchr(text, '\t');
    if (is_readable && text[strspn(text, " ")] != '\0' && text_chars(text) <= CENTER_NAME_CHARS)
        return OK;
    return center_fault(c, ERR_BAD_PARAMETER, parameter, "%s has 1 to %d characters in UTF-8, none of them a control character.",
        what, CENTER_NAME_CHARS);
}
