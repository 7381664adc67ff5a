/* phone.c: see phone.h. A library that knows every country's plan (libphonenumber) would be C++ and 8 MB; the carrier refuses
 * what does not exist anyway, and what may be dialled is decided where it is dialled. */
#include "model/phone.h"

#include <string.h>

#include "base/text.h"
#include "io/settings.h"

enum { KEPT = 64 };

/* Digits, and one leading '+'. "(0)" is how many write the trunk 0 that goes without the country. False for any other
 * character. */
static bool
keep_digits(const char *text, char out[KEPT])
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        bool is_sign = *p == '+' && n == 0;
        if (text_starts(p, "(0)")) {
            p += 2;
            continue;
        }
        if (strchr(" .-/()", *p) && !is_sign)
            continue;
        if ((!is_sign && (*p < '0' || *p > '9')) || n + 1 == KEPT)
            return false;
        out[n++] = *p;
    }
    out[n] = '\0';
    return true;
}

/* North America's trunk prefix is a 1, which no area code begins with; elsewhere it is a 0. */
static bool
has_trunk(struct center *c, const char *digits)
{
    return digits[0] == (text_same(c->settings->country, "1") ? '1' : '0');
}

static const char *
with_country(struct center *c, const char *text, const char *digits)
{
    if (digits[0] == '+')
        return digits;
    if (text[0] == ' ')
        return arena_printf(c->mem, "+%s", digits);
    if (text_starts(digits, "00"))
        return arena_printf(c->mem, "+%s", digits + 2);
    return arena_printf(c->mem, "+%s%s", c->settings->country, digits + has_trunk(c, digits));
}

enum err
phone_normalise(struct center *c, const char *text, const char **out)
{
    char digits[KEPT];
    bool is_kept = keep_digits(text, digits) && digits[0];
    const char *phone = is_kept ? with_country(c, text, digits) : "";
    size_t count = strlen(phone) - is_kept;
    if (!is_kept || count < PHONE_DIGITS_LEAST || count > PHONE_DIGITS_MOST || phone[1] == '0')
        return center_fault(c, ERR_BAD_PARAMETER, "phone", "Enter a phone number, for example +1 603 555 1234.");
    *out = arena_strdup(c->mem, phone);
    return OK;
}

const char *
phone_hidden(struct center *c, const char *phone)
{
    size_t count = strlen(phone);
    char *out = arena_strdup(c->mem, phone);
    for (size_t i = 0; i + 2 < count; i++)
        out[i] = '*';
    return out;
}
