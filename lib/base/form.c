/* form.c: one pass over the text; each part is decoded into the arena and checked before it is kept.
 * Decoding in place would spare the copies, but a body is also what errors and logs may want to look at: it stays as it came. */
#include "base/form.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

static enum err
refuse(struct arena *mem, const char *name, const char *what, struct fault *fault)
{
    if (name != NULL && strlen(name) <= FORM_SHOWN_BYTES)
        *fault = (struct fault){.parameter = name, .reason = arena_printf(mem, "The value of '%s' %s.", name, what)};
    else
        *fault = (struct fault){.reason = arena_printf(mem, "The name or the value of a parameter %s.", what)};
    return ERR_BAD_PARAMETER;
}

/* Why these bytes are no text, as the rest of a sentence; NULL when they are. */
static const char *
fault_of(const char *data, size_t bytes)
{
    if (text_is_utf8(data, bytes))
        return NULL;
    return memchr(data, '\0', bytes) != NULL ? "contains a NUL character" : "is not valid UTF-8";
}

static int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Decodes into a fresh text; returns why it cannot be taken, as fault_of does. */
static const char *
decode(struct arena *mem, const char *at, size_t bytes, const char **out)
{
    const char *end = at + bytes;
    char *text = arena_alloc(mem, bytes + 1);
    size_t len = 0;
    for (; at < end; at++) {
        if (*at != '%') {
            text[len++] = *at == '+' ? ' ' : *at;
            continue;
        }
        if (end - at < 3 || hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0)
            return "has a '%' that is not followed by two hexadecimal digits";
        text[len++] = (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
        at += 2;
    }
    *out = text;
    return fault_of(text, len);
}

static enum err
keep(const char *name, const char *value, struct form *form, struct fault *fault)
{
    static_assert(FORM_MAX == 256, "the sentence says the number");
    if (form->count == FORM_MAX) {
        *fault = (struct fault){.reason = "There are more than 256 parameters."};
        return ERR_BAD_PARAMETER;
    }
    form->pairs[form->count++] = (struct form_pair){name, value};
    return OK;
}

static enum err
parse_part(struct arena *mem, const char *part, size_t bytes, struct form *form, struct fault *fault)
{
    const char *equals = memchr(part, '=', bytes);
    size_t name_bytes = equals == NULL ? bytes : (size_t)(equals - part);
    const char *name;
    const char *what = decode(mem, part, name_bytes, &name);
    if (what != NULL)
        return refuse(mem, NULL, what, fault);
    if (equals == NULL)
        return keep(name, "", form, fault);
    const char *value;
    what = decode(mem, equals + 1, bytes - name_bytes - 1, &value);
    if (what != NULL)
        return refuse(mem, name, what, fault);
    return keep(name, value, form, fault);
}

enum err
form_parse(struct arena *mem, const char *text, size_t bytes, struct form *form, struct fault *fault)
{
    while (bytes > 0) {
        const char *ampersand = memchr(text, '&', bytes);
        size_t part = ampersand == NULL ? bytes : (size_t)(ampersand - text);
        if (part > 0) {
            enum err err = parse_part(mem, text, part, form, fault);
            if (err != OK)
                return err;
        }
        size_t step = ampersand == NULL ? part : part + 1;
        text += step;
        bytes -= step;
    }
    return OK;
}

enum err
form_add(struct arena *mem, const char *name, const char *value, size_t value_bytes, struct form *form, struct fault *fault)
{
    const char *what = fault_of(name, strlen(name));
    if (what != NULL)
        return refuse(mem, NULL, what, fault);
    what = fault_of(value, value_bytes);
    if (what != NULL)
        return refuse(mem, arena_strdup(mem, name), what, fault);
    return keep(arena_strdup(mem, name), arena_strndup(mem, value, value_bytes), form, fault);
}

const char *
form_get(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->pairs[i].name, name) == 0)
            return form->pairs[i].value;
    return NULL;
}

/* The value of one cookie-pair, without blanks and quotes around it. */
static const char *
cookie_value(struct arena *mem, const char *value, size_t bytes)
{
    while (bytes > 0 && (value[bytes - 1] == ' ' || value[bytes - 1] == '\t'))
        bytes--;
    if (bytes >= 2 && value[0] == '"' && value[bytes - 1] == '"') {
        value++;
        bytes -= 2;
    }
    return text_is_utf8(value, bytes) ? arena_strndup(mem, value, bytes) : NULL;
}

const char *
cookie_get(struct arena *mem, const char *header, const char *name)
{
    size_t name_bytes = strlen(name);
    while (header != NULL && *header != '\0') {
        header += strspn(header, " \t;");
        size_t pair = strcspn(header, ";");
        if (pair > name_bytes && header[name_bytes] == '=' && memcmp(header, name, name_bytes) == 0)
            return cookie_value(mem, header + name_bytes + 1, pair - name_bytes - 1);
        header += pair;
    }
    return NULL;
}
