/* answer: what a program filled in, as the bytes of a CGI answer: header lines, an empty line, the body.
 *
 * Every answer, errors too, carries the security headers and Cache-Control: no-store. Errors are told in the form that the
 * client wants: a page if Accept names text/html (and not JSON) or the program writes pages, XML if the program writes XML and
 * JSON is not asked for, or if XML alone is; else JSON. */
#ifndef RTCC_ANSWER_H
#define RTCC_ANSWER_H

#include "io/service.h"

struct answer {
    struct buf bytes;      /* header and body; with a file: the header alone */
    struct body_file file; /* the rest of the body; fd -1: none. Whoever sends it closes it */
};

/* Writes r's answer, or the error err with the sentence of r->c->fault, into out (bytes in r->c->mem). Takes r->file over: it is
 * in out, or closed. Returns err, or ERR_UNAVAILABLE if the answer could not be written (then out tells that). */
must_check enum err answer_write(struct request *r, enum err err, struct answer *out);

#endif
