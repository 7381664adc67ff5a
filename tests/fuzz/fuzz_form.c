/* fuzz_form: any bytes as an urlencoded text. What was taken is text, and encoded again it is taken as the same. */
#include "fuzz.h"

#include "base/form.h"

static void
must_come_back(struct arena *mem, const struct form *form)
{
    struct buf b = buf_new(mem, 1 << 24);
    for (size_t i = 0; i < form->count; i++) {
        buf_byte(&b, '&');
        buf_url(&b, form->pairs[i].name);
        buf_byte(&b, '=');
        buf_url(&b, form->pairs[i].value);
    }
    MUST(!b.full);
    struct form again = {0};
    struct fault fault;
    MUST(form_parse(mem, buf_str(&b), b.len, &again, &fault) == OK);
    MUST(again.count == form->count);
    for (size_t i = 0; i < form->count; i++) {
        MUST(strcmp(again.pairs[i].name, form->pairs[i].name) == 0);
        MUST(strcmp(again.pairs[i].value, form->pairs[i].value) == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    struct form form = {0};
    struct fault fault = {0};
    enum err err = form_parse(mem, (const char *)data, bytes, &form, &fault);
    MUST(err == OK || err == ERR_BAD_PARAMETER);
    MUST(form.count <= FORM_MAX);
    for (size_t i = 0; i < form.count; i++) {
        MUST_BE_TEXT(form.pairs[i].name);
        MUST_BE_TEXT(form.pairs[i].value);
        MUST(form_get(&form, form.pairs[i].name) != NULL);
    }
    if (err == OK)
        must_come_back(mem, &form);
    else
        fuzz_must_explain(&fault);
    MUST_BE_THRIFTY(mem, bytes);
    arena_free(mem);
    return 0;
}
