/* multipart: the parts of a multipart/form-data body (RFC 7578) that lies in memory as a whole. */
#ifndef RTCC_MULTIPART_H
#define RTCC_MULTIPART_H

#include <stddef.h>

#include "base/arena.h"
#include "base/form.h"

/* Parts of every kind, those that are passed over too: whoever sends more costs no memory for them. */
enum { MULTIPART_FILES_MAX = 8, MULTIPART_PARTS_MAX = FORM_MAX + MULTIPART_FILES_MAX };

/* A part that came with a file name. `data` points into the body and is not copied. */
struct multipart_file {
    const char *field;
    const char *filename; /* as sent, valid UTF-8 without NUL; still not to be trusted as a path */
    const char *type;     /* the part's Content-Type, or "application/octet-stream" */
    const char *data;
    size_t bytes;
};

struct multipart {
    size_t count;
    struct multipart_file files[MULTIPART_FILES_MAX];
};

/* Reads `body` with the boundary that `content_type` (the whole header) names: plain fields go to `form`, files to `out`
 * (the caller zeroes both first). A file field that was left empty is passed over.
 * ERR_BAD_PARAMETER: no boundary, a part without a name, one that never ends or whose headers have over 16 KB, more than
 * MULTIPART_PARTS_MAX parts, or what form.h refuses. What it takes of mem is bounded by the plain fields and, a few times over,
 * by the headers: 264 parts of 16 KB. */
must_check enum err multipart_parse(struct arena *mem, const char *content_type, const char *body, size_t bytes,
    struct form *form, struct multipart *out, struct fault *fault);

#endif
