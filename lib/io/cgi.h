/* cgi: one request as plain CGI (RFC 3875): environment, stdin, stdout. */
#ifndef RTCC_CGI_H
#define RTCC_CGI_H

#include "io/service.h"

/* Serves the request of this process. Without process->db the answer is 503. */
void cgi_run(const struct service *s, const struct center *process);

#endif
