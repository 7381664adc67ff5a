/* fuzz_head: the input is the value of a header: of Authorization, and of Range. What comes of it is text that encodes to the same
 * again, and a range that is one. */
#include "fuzz.h"

#include "base/head.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The base64 of RFC 4648, 4, as the client of a test would write it, without padding. */
static const char *
encoded(struct arena *mem, const char *text, size_t bytes)
{
    struct buf out = buf_new(mem, 2 * bytes + 4);
    for (size_t bit = 0; bit < 8 * bytes; bit += 6) {
        unsigned two =
            (unsigned)(unsigned char)text[bit / 8] << 8 | (bit / 8 + 1 < bytes ? (unsigned char)text[bit / 8 + 1] : 0u);
        buf_byte(&out, digits[two >> (10 - bit % 8) & 63]);
    }
    return buf_str(&out);
}

static void
check_basic(struct arena *mem, const char *header)
{
    struct head_pair *pair = head_basic(mem, header);
    if (pair == NULL)
        return;
    MUST_BE_TEXT(pair->name);
    MUST_BE_TEXT(pair->password);
    MUST(strchr(pair->name, ':') == NULL);
    const char *both = arena_printf(mem, "%s:%s", pair->name, pair->password), *again = encoded(mem, both, strlen(both));
    size_t all_but_last = strlen(again) - 1; /* of the last digit some bits are nobody's */
    MUST(strncmp(header + strlen("Basic "), again, all_but_last) == 0);
    size_t count = strspn(header + strlen("Basic "), digits), rest = count - strlen(again); /* six bits may be no byte */
    MUST(rest <= 1);
}

static void
check_range(const char *header)
{
    int64_t first, last;
    if (!head_range(header, &first, &last))
        return;
    MUST(first >= -1 && last >= -1 && (first >= 0 || last >= 0));
    MUST(first < 0 || last < 0 || first <= last);
    MUST(strspn(header + strlen("bytes="), "0123456789-") == strlen(header + strlen("bytes=")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    const char *header = arena_strndup(mem, (const char *)data, bytes);
    check_basic(mem, header);
    check_range(header);
    MUST_BE_THRIFTY(mem, bytes);
    arena_free(mem);
    return 0;
}
