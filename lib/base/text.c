/* text.c: byte by byte and without the C library's locale, which would make the answers depend on the machine. */
#include "base/text.h"

#include <string.h>

/* The bytes of the code point at `at`, or 0 when there is no valid one. The second byte's range is what keeps out longer
 * forms than needed (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4): RFC 3629, 4. */
static size_t
utf8_step(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    if (lead < 0x80)
        return lead == 0 ? 0 : 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (left < bytes || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return bytes;
}

bool
text_is_utf8(const char *data, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)data;
    while (bytes > 0) {
        size_t step = utf8_step(at, bytes);
        if (step == 0)
            return false;
        at += step;
        bytes -= step;
    }
    return true;
}

size_t
text_chars(const char *text)
{
    size_t chars = 0;
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xC0) != 0x80)
            chars++;
    return chars;
}

size_t
text_head(const char *text, size_t chars)
{
    const char *at = text;
    for (; *at != '\0'; at++)
        if (((unsigned char)*at & 0xC0) != 0x80 && chars-- == 0)
            break;
    return (size_t)(at - text);
}

/* The bytes of the white space at `at`, 0: none stands there. */
static size_t
blank_step(const char *at)
{
    static const char *const wide[] = {"\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
        "\u2007", "\u2008", "\u2009", "\u200A", "\u200B", "\u2028", "\u2029", "\u202F", "\u205F", "\u2060", "\u3000", "\uFEFF"};
    if (*at != '\0' && strchr(" \t\r\n\v\f", *at))
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (text_starts(at, wide[i]))
            return strlen(wide[i]);
    return 0;
}

bool
text_is_blank(const char *text)
{
    size_t step;
    while (text && (step = blank_step(text)) > 0)
        text += step;
    return !text || *text == '\0';
}

bool
text_has_control(const char *text, bool line)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '\t' || (!line && (*at == '\n' || *at == '\r')))
            continue;
        /* U+0080 to U+009F are controls too; in UTF-8 they are C2 and their own number. */
        if (*at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] <= 0x9F))
            return true;
    }
    return false;
}

void
text_blank_controls(char *text)
{
    char *to = text;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool is_pair = *at == 0xC2 && at[1] <= 0x9F;
        at += is_pair;
        *to++ = is_pair || *at < 0x20 || *at == 0x7F ? ' ' : (char)*at;
    }
    *to = '\0';
}

enum err
text_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    if (text == NULL)
        return ERR_BAD_PARAMETER;
    bool is_negative = *text == '-';
    if (is_negative)
        text++;
    if (*text == '\0')
        return ERR_BAD_PARAMETER;
    int64_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        int digit = *text - '0';
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, is_negative ? -digit : digit, &number))
            return ERR_BAD_PARAMETER;
    }
    if (*text != '\0' || number < min || number > max)
        return ERR_BAD_PARAMETER;
    *out = number;
    return OK;
}

bool
text_is_digits(const char *text, size_t want)
{
    return strspn(text, "0123456789") == want && text[want] == '\0';
}

bool
text_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    return at && at > text && at[1] && !strchr(at + 1, '@') && !strpbrk(text, " \t\r\n<>\"");
}

bool
text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
text_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static char
lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

bool
text_same_case(const char *a, const char *b)
{
    for (; lower(*a) == lower(*b); a++, b++)
        if (*a == '\0')
            return true;
    return false;
}

bool
text_same_secret(const char *a, const char *b)
{
    size_t a_bytes = strlen(a);
    size_t b_bytes = strlen(b);
    volatile unsigned char differs = a_bytes != b_bytes;
    for (size_t i = 0; i < a_bytes; i++)
        differs |= (unsigned char)(a[i] ^ b[i % (b_bytes + 1)]);
    return differs == 0;
}

uint64_t
text_number(const char *text)
{
    uint64_t number = 14695981039346656037u;
    for (const char *p = text; *p; p++)
        number = (number ^ (unsigned char)*p) * 1099511628211u;
    return number;
}
