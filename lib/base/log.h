/* log: one line on stderr, where the web server, systemd or a file picks it up.
 *
 * A line is "program[pid]: level: message"; control characters are written as '?', so that nobody forges a line. Never log a
 * token, a password, or what a customer said. */
#ifndef RTCC_LOG_H
#define RTCC_LOG_H

#include "base/err.h"

/* The name that opens every line; kept by pointer. */
void log_name(const char *program);

void log_error(const char *format, ...) like_printf(1, 2);
void log_warn(const char *format, ...) like_printf(1, 2);
void log_info(const char *format, ...) like_printf(1, 2);

/* Says why and ends the program with status 1: for what an administrator must mend before it can start. */
_Noreturn void log_fatal(const char *format, ...) like_printf(1, 2);

#endif
