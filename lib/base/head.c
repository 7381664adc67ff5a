/* head.c: see head.h. libcrypto's base64 was rejected: it takes blanks, and what is not whole. */
#include "base/head.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* ── Basic ── */

static int
base64_digit(char ch)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = ch ? strchr(digits, ch) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes what is base64 of text; gives how many bytes that is, and where it ends. */
static size_t
decode(const char **text, char *out)
{
    unsigned bits = 0;
    int count = 0;
    size_t n = 0;
    const char *p = *text;
    for (; base64_digit(*p) >= 0; p++) {
        bits = bits << 6 | (unsigned)base64_digit(*p);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[n++] = (char)(bits >> count);
        }
    }
    *text = p;
    return n;
}

struct head_pair *
head_basic(struct arena *mem, const char *header)
{
    if (header == NULL || strncasecmp(header, "Basic ", 6) != 0)
        return NULL;
    const char *text = header + 6;
    char *out = arena_alloc(mem, strlen(text) + 1);
    size_t bytes = decode(&text, out);
    bool is_whole = text[strspn(text, "=")] == '\0';
    char *colon = is_whole && text_is_utf8(out, bytes) ? strchr(out, ':') : NULL;
    if (colon == NULL)
        return NULL;
    *colon = '\0';
    struct head_pair *pair = arena_alloc(mem, sizeof *pair);
    *pair = (struct head_pair){.name = out, .password = colon + 1};
    return pair;
}

/* ── Range ── */

/* Reads the digits at *at and moves behind them; false if there are none. */
static bool
read_number(const char **at, int64_t *out)
{
    const char *begin = *at;
    int64_t number = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, **at - '0', &number))
            number = INT64_MAX;
    if (*at != begin)
        *out = number;
    return *at != begin;
}

bool
head_range(const char *header, int64_t *first, int64_t *last)
{
    *first = *last = -1;
    if (!text_starts(header, "bytes="))
        return false;
    const char *at = header + strlen("bytes=");
    bool has_first = read_number(&at, first);
    if (*at++ != '-')
        return false;
    bool has_last = read_number(&at, last);
    return (has_first || has_last) && *at == '\0' && (!has_first || !has_last || *first <= *last);
}
