/* phone: telephone numbers as people write them, and as the product keeps them: E.164, "+" and 7 to 15 digits (ITU-T E.164,
 * 6). */
#ifndef RTCC_PHONE_H
#define RTCC_PHONE_H

#include <stdint.h>

#include "io/center.h"

enum { PHONE_CHARS = 32, PHONE_DIGITS_LEAST = 7, PHONE_DIGITS_MOST = 15 };

/* Spaces, dots, hyphens, slashes, brackets and "(0)" fall away; "00" means "+"; a leading space means "+" (that is what "+" in a
 * query becomes); without either the site's country is put before, and one trunk prefix (0; 1 in North America) falls away.
 * ERR_BAD_PARAMETER names `phone`. */
must_check enum err phone_normalise(struct center *c, const char *text, const char **out);

/* What others than staff and its owner see: all but the last two digits hidden. */
const char *phone_hidden(struct center *c, const char *phone);

#endif
