/* arena.c: a chain of blocks, each larger than the one before; an object is cut from the newest block.
 *
 * The first block is kept over a reset, so that a usual request never reaches malloc; the larger ones go back, so that one
 * great request does not make the process great for ever. What is left at the end of a block is wasted: looking through
 * older blocks for room was rejected, it costs more than it saves. */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#if defined(__SANITIZE_ADDRESS__)
#define ONE_OBJECT_A_BLOCK true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_OBJECT_A_BLOCK true
#endif
#endif
#ifndef ONE_OBJECT_A_BLOCK
#define ONE_OBJECT_A_BLOCK false
#endif

enum { FIRST_BYTES = 64 * 1024, LARGEST_BYTES = 1024 * 1024, SHORT_BYTES = 256 };

struct block {
    struct block *older;
    size_t bytes;
    size_t used; /* always a multiple of the alignment, or bytes */
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *newest;
};

static void *
must_malloc(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL)
        log_fatal("out of memory: %zu bytes were asked for", bytes);
    return memory;
}

struct arena *
arena_new(void)
{
    struct arena *mem = must_malloc(sizeof *mem);
    mem->newest = NULL;
    return mem;
}

/* Frees block and all that are older, but for `kept`, which is the oldest or NULL. */
static void
free_blocks(struct block *block, const struct block *kept)
{
    while (block != kept) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
}

void
arena_free(struct arena *mem)
{
    if (mem == NULL)
        return;
    free_blocks(mem->newest, NULL);
    free(mem);
}

void
arena_reset(struct arena *mem)
{
    struct block *first = mem->newest;
    while (first != NULL && first->older != NULL)
        first = first->older;
    if (first != NULL && (ONE_OBJECT_A_BLOCK || first->bytes > FIRST_BYTES))
        first = NULL;
    free_blocks(mem->newest, first);
    mem->newest = first;
    if (first != NULL)
        first->used = 0;
}

/* A new newest block with room for at least `bytes`. */
static struct block *
add_block(struct arena *mem, size_t bytes)
{
    size_t room = mem->newest == NULL ? FIRST_BYTES : mem->newest->bytes * 2;
    if (room > LARGEST_BYTES)
        room = LARGEST_BYTES;
    if (room < bytes || ONE_OBJECT_A_BLOCK)
        room = bytes;
    size_t total;
    if (__builtin_add_overflow(room, sizeof(struct block), &total))
        log_fatal("out of memory: %zu bytes were asked for", bytes);
    struct block *block = must_malloc(total);
    *block = (struct block){.older = mem->newest, .bytes = room};
    mem->newest = block;
    return block;
}

/* How much of the block an object takes, so that the next one is aligned. */
static size_t
rounded_up(size_t bytes, size_t most)
{
    size_t over = bytes % alignof(max_align_t);
    size_t pad = over == 0 ? 0 : alignof(max_align_t) - over;
    return pad > most - bytes ? most : bytes + pad;
}

size_t
arena_bytes(const struct arena *mem)
{
    size_t bytes = 0;
    for (const struct block *block = mem->newest; block != NULL; block = block->older)
        bytes += block->bytes;
    return bytes;
}

void *
arena_room(struct arena *mem, size_t bytes)
{
    struct block *block = mem->newest;
    if (block == NULL || ONE_OBJECT_A_BLOCK || block->bytes - block->used < bytes)
        block = add_block(mem, bytes);
    void *object = block->data + block->used;
    block->used += rounded_up(bytes, block->bytes - block->used);
    return object;
}

void *
arena_alloc(struct arena *mem, size_t bytes)
{
    return memset(arena_room(mem, bytes), 0, bytes);
}

void *
arena_array(struct arena *mem, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        log_fatal("out of memory: %zu objects of %zu bytes were asked for", count, bytes);
    return arena_alloc(mem, total);
}

char *
arena_strdup(struct arena *mem, const char *text)
{
    return text == NULL ? NULL : arena_strndup(mem, text, strlen(text));
}

char *
arena_strndup(struct arena *mem, const char *text, size_t bytes)
{
    char *copy = arena_room(mem, bytes + 1);
    if (bytes > 0)
        memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    return copy;
}

char *
arena_printf(struct arena *mem, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(mem, format, args);
    va_end(args);
    return text;
}

/* First into a short text of the stack, which nearly all fit in: printing twice, to count and to write, takes twice as long. */
char *
arena_vprintf(struct arena *mem, const char *format, va_list args)
{
    assert(format != NULL);
    char first[SHORT_BYTES];
    va_list again;
    va_copy(again, args);
    int bytes = vsnprintf(first, sizeof first, format, args);
    assert(bytes >= 0);
    char *text = arena_room(mem, (size_t)bytes + 1);
    if (bytes < SHORT_BYTES)
        memcpy(text, first, (size_t)bytes + 1);
    else
        vsnprintf(text, (size_t)bytes + 1, format, again);
    va_end(again);
    return text;
}
