/* range: the part of a file that a client asks for (RFC 9110, 14). */
#ifndef RTCC_RANGE_H
#define RTCC_RANGE_H

#include <stdint.h>

#include "io/service.h"

/* Cuts `file` down to the request's Range and adds Accept-Ranges and Content-Range. Returns the status: 200 (no range that is
 * understood: the whole file), 206, or 416: then the answer is an error, and no header describes the file any more. Only one
 * range of GET is taken; If-Range must be the ETag that stands in r->headers_out. */
int range_cut(struct request *r, struct body_file *file);

#endif
