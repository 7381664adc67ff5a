/* text: small questions about strings. Nothing here allocates. */
#ifndef RTCC_TEXT_H
#define RTCC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Whether the bytes are UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing above U+10FFFF, and no NUL. */
bool text_is_utf8(const char *data, size_t bytes);

/* The number of code points in valid UTF-8. */
size_t text_chars(const char *text);

/* The bytes of the first `chars` code points of valid UTF-8; of all of it when there are fewer. */
size_t text_head(const char *text, size_t chars);

/* Whether nobody would see it: NULL, empty, or nothing but white space of any script and characters without a width. */
bool text_is_blank(const char *text);

/* Whether text (UTF-8) holds a control character other than tab, newline and carriage return; with `line`, newline and
 * carriage return count as well. */
bool text_has_control(const char *text, bool line);

/* Puts a space in the place of each control character, tab, newline and carriage return too; text is valid UTF-8. */
void text_blank_controls(char *text);

/* A whole decimal number between min and max, nothing before or behind it but a leading '-'. ERR_BAD_PARAMETER otherwise. */
must_check enum err text_int(const char *text, int64_t min, int64_t max, int64_t *out);

/* Exactly `want` characters out of 0-9. */
bool text_is_digits(const char *text, size_t want);

/* Whether somebody could have written this as an e-mail address: a name, one "@", a host; no blanks, no brackets. */
bool text_is_email(const char *text);

bool text_starts(const char *text, const char *prefix);
bool text_same(const char *a, const char *b);      /* both may be NULL; NULL equals only NULL */
bool text_same_case(const char *a, const char *b); /* ASCII letters without case; neither may be NULL */

/* A number of 64 bits for a text (FNV-1a): spreads well, and protects nothing. */
uint64_t text_number(const char *text);

/* Compares in a time that depends on the lengths alone, for secrets. */
bool text_same_secret(const char *a, const char *b);

#endif
