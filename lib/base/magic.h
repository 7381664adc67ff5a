/* magic: what type a file has by its first bytes. Known are pictures, PDF, audio and video that browsers show by themselves. */
#ifndef RTCC_MAGIC_H
#define RTCC_MAGIC_H

#include <stddef.h>

#define MAGIC_UNKNOWN "application/octet-stream"

/* Looks at the first 16 bytes, or as many as there are. */
const char *magic_type(const char *head, size_t bytes);

#endif
