/* fuzz_cookie: the first line of the input is the cookie's name, the rest the header. A value is text, has no semicolon and
 * stands in the header behind its name. */
#include "fuzz.h"

#include "base/form.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    const char *text = (const char *)data;
    const char *line_end = bytes == 0 ? NULL : memchr(text, '\n', bytes);
    size_t name_bytes = line_end == NULL ? bytes : (size_t)(line_end - text);
    size_t rest = line_end == NULL ? bytes : name_bytes + 1;
    char *name = arena_strndup(mem, text, name_bytes);
    char *header = arena_strndup(mem, text + rest, bytes - rest);
    const char *value = cookie_get(mem, header, name);
    if (value != NULL) {
        MUST_BE_TEXT(value);
        MUST(strchr(value, ';') == NULL);
        MUST(strstr(header, arena_printf(mem, "%s=%s", name, value)) != NULL ||
             strstr(header, arena_printf(mem, "%s=\"%s\"", name, value)) != NULL);
    }
    MUST(cookie_get(mem, NULL, name) == NULL);
    MUST_BE_THRIFTY(mem, bytes);
    arena_free(mem);
    return 0;
}
