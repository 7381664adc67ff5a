/* log.c: a line is made on the stack and leaves in one write(2), so that the lines of several processes do not mix and a log
 * line needs no memory. stdio was rejected: under libfcgi stderr may be another stream than descriptor 2. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static const char *name = "rtcc";

void
log_name(const char *program)
{
    name = program;
}

/* Nobody may begin a line or move a terminal's cursor: control characters, U+0080 to U+009F (C2 80 …) as well. */
static void
blank_controls(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++) {
        if (*at == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F)
            at[0] = at[1] = '?';
        if (*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
}

static void
write_line(const char *line, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(STDERR_FILENO, line, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return;
        line += written;
        bytes -= (size_t)written;
    }
}

/* The length of what snprintf wrote into `room` bytes, whatever it wanted to write. */
static size_t
written(int wanted, size_t room)
{
    return wanted < 0 ? 0 : (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static void log_line(const char *level, const char *format, va_list args) like_printf(2, 0);

static void
log_line(const char *level, const char *format, va_list args)
{
    int kept_errno = errno;
    char line[LINE_BYTES];
    size_t room = sizeof line;
    size_t len = written(snprintf(line, room, "%s[%d]: %s: ", name, (int)getpid(), level), room);
    len += written(vsnprintf(line + len, room - len, format, args), room - len);
    blank_controls(line);
    line[len++] = '\n'; /* instead of the NUL */
    write_line(line, len);
    errno = kept_errno; /* a caller may still want to look at it */
}

void
log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("error", format, args);
    va_end(args);
}

void
log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("warning", format, args);
    va_end(args);
}

void
log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("info", format, args);
    va_end(args);
}

void
log_fatal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("fatal", format, args);
    va_end(args);
    exit(1);
}
