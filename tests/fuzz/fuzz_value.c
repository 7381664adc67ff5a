/* fuzz_value: any bytes as JSON. What was taken is written, and what was written is taken as the same tree. */
#include "fuzz.h"

#include "base/value.h"

static void
must_be_the_same(const struct value *a, const struct value *b)
{
    MUST(a->kind == b->kind && a->number == b->number);
    MUST((a->name == NULL) == (b->name == NULL));
    if (a->name != NULL) {
        MUST_BE_TEXT(a->name);
        MUST(strcmp(a->name, b->name) == 0);
    }
    if (a->kind == VALUE_TEXT) {
        MUST_BE_TEXT(a->text);
        MUST(strcmp(a->text, b->text) == 0);
    }
    MUST(a->number > -(INT64_C(1) << 53) && a->number < INT64_C(1) << 53);
    const struct value *mine = a->first;
    const struct value *other = b->first;
    for (; mine != NULL && other != NULL; mine = mine->next, other = other->next)
        must_be_the_same(mine, other);
    MUST(mine == NULL && other == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    struct value *value = NULL;
    enum err err = value_parse(mem, (const char *)data, bytes, &value);
    MUST(err == OK || err == ERR_BAD_PARAMETER);
    MUST((err == OK) == (value != NULL));
    if (err == OK) {
        struct buf json = buf_new(mem, 1 << 24);
        struct value *again = NULL;
        value_json(value, &json);
        MUST(!json.full && text_is_utf8(json.data, json.len));
        MUST(strpbrk(json.data, "<>") == NULL); /* so it can stand in a page */
        MUST(value_parse(mem, json.data, json.len, &again) == OK);
        must_be_the_same(value, again);
    }
    MUST_BE_THRIFTY(mem, bytes);
    arena_free(mem);
    return 0;
}
