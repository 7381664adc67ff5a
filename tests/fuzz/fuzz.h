/* fuzz.h: what every fuzz target starts with. A target is built with clang -fsanitize=fuzzer,address,undefined together with
 * lib/base; corpus/NAME holds what it starts from. */
#ifndef RTCC_FUZZ_H
#define RTCC_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* What must hold for every input; the fuzzer keeps the input that breaks it. */
#define MUST(condition)                                                                                                          \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                                       \
            abort();                                                                                                             \
        }                                                                                                                        \
    } while (0)

#define MUST_BE_TEXT(text) MUST((text) != NULL && text_is_utf8((text), strlen(text)))

/* What a parser takes grows as its input does, with what the target itself makes of it: a whole copy for each small part would be a
 * gigabyte for a hundred kilobytes. */
#define MUST_BE_THRIFTY(mem, bytes) MUST_BE_WITHIN(mem, bytes, 512)
#define MUST_BE_WITHIN(mem, bytes, times) MUST(arena_bytes(mem) <= (times) * (bytes) + 65536)

/* A refusal has a sentence; what it names is text. */
static inline void
fuzz_must_explain(const struct fault *fault)
{
    MUST_BE_TEXT(fault->reason);
    MUST(fault->reason[0] != '\0' && strlen(fault->reason) < 200);
    MUST(fault->parameter == NULL || text_is_utf8(fault->parameter, strlen(fault->parameter)));
}

#endif
