/* center: the one place where a model says why it refused. The sentence is made in the request's arena; a fixed buffer in the
 * struct was rejected, because it cuts what a person should read and costs every request that goes well. */
#include "io/center.h"

#include <stdarg.h>

enum err
center_fault(struct center *c, enum err err, const char *parameter, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    c->fault = (struct fault){.parameter = parameter, .reason = arena_vprintf(c->mem, format, args)};
    va_end(args);
    return err;
}
