/* magic.c: see magic.h. */
#include "base/magic.h"

#include <string.h>

static const struct magic {
    int at;
    const char *bytes;
    int count;
    const char *type;
} magics[] = {
    {0, "\x89PNG\r\n\x1a\n", 8, "image/png"},
    {0, "\xff\xd8\xff", 3, "image/jpeg"},
    {0, "GIF8", 4, "image/gif"},
    {8, "WEBP", 4, "image/webp"},
    {0, "%PDF-", 5, "application/pdf"},
    {8, "WAVE", 4, "audio/wav"},
    {0, "OggS", 4, "audio/ogg"},
    {0, "ID3", 3, "audio/mpeg"},
    {4, "ftyp", 4, "video/mp4"},
    {0, "\x1a\x45\xdf\xa3", 4, "video/webm"},
};

const char *
magic_type(const char *head, size_t bytes)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];
        if (bytes >= (size_t)(m->at + m->count) && memcmp(head + m->at, m->bytes, (size_t)m->count) == 0)
            return m->type;
    }
    return MAGIC_UNKNOWN;
}
