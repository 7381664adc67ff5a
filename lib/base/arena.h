/* arena: memory that dies together. Everything made for a request lives in its arena; nobody frees a single piece.
 *
 * No call returns NULL: out of memory ends the process with a line on stderr, and whoever keeps the programs starts it again.
 * Under AddressSanitizer every object gets a block of its own, so that an overrun by one byte is seen. */
#ifndef RTCC_ARENA_H
#define RTCC_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

struct arena;

/* A new, empty arena; arena_free() gives it back. */
struct arena *arena_new(void);
void arena_free(struct arena *mem);

/* Forgets all objects, keeps one block for the next request. */
void arena_reset(struct arena *mem);

/* How much memory it has taken. */
size_t arena_bytes(const struct arena *mem);

/* `bytes` zeroed bytes (0 is allowed), aligned for any type. */
void *arena_alloc(struct arena *mem, size_t bytes);

/* The same with whatever is in them, for who fills them at once: a page that nobody touches costs nothing. */
void *arena_room(struct arena *mem, size_t bytes);

/* `count` zeroed objects of `bytes` each; a product that overflows ends the process. */
void *arena_array(struct arena *mem, size_t count, size_t bytes);

/* Copies, NUL-terminated. arena_strdup(NULL) is NULL. */
char *arena_strdup(struct arena *mem, const char *text);
char *arena_strndup(struct arena *mem, const char *text, size_t bytes);

char *arena_printf(struct arena *mem, const char *format, ...) like_printf(2, 3);
char *arena_vprintf(struct arena *mem, const char *format, va_list args) like_printf(2, 0);

#endif
