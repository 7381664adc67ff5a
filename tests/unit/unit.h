/* unit.h: what every unit test starts with: cmocka, which needs its four headers first, and a few helpers.
 *
 * A test is a function whose name is a sentence; UNIT(function) gives it an arena of its own as *state. */
#ifndef RTCC_UNIT_H
#define RTCC_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"

/* AddressSanitizer has a malloc of its own: nothing can be said about memory then. */
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A literal with its length, for texts that hold NUL. */
#define BYTES(literal) (literal), (sizeof(literal) - 1)

/* Fails with a sentence of its own: tables say which row it was. cmocka leaves a message out of its TAP, so it goes to stderr. */
#define CHECK(condition, ...)                                                                                                    \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            fprintf(stderr, "# " __VA_ARGS__);                                                                                   \
            fputc('\n', stderr);                                                                                                 \
            fail_msg(__VA_ARGS__);                                                                                               \
        }                                                                                                                        \
    } while (0)

#define UNIT(function) cmocka_unit_test_setup_teardown(function, unit_setup, unit_teardown)

static inline int
unit_setup(void **state)
{
    *state = arena_new();
    return 0;
}

static inline int
unit_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

/* Equal, where NULL equals only NULL. */
static inline bool
unit_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* For a message. */
static inline const char *
unit_show(const char *text)
{
    return text == NULL ? "(null)" : text;
}

/* The bytes in a heap block of exactly their size, so that AddressSanitizer sees whoever reads on. The caller frees. */
static inline char *
unit_exact(const char *data, size_t bytes)
{
    char *copy = malloc(bytes == 0 ? 1 : bytes);
    assert_non_null(copy);
    if (bytes > 0)
        memcpy(copy, data, bytes);
    return bytes == 0 ? copy + 1 : copy;
}

static inline void
unit_free_exact(char *copy, size_t bytes)
{
    free(bytes == 0 ? copy - 1 : copy);
}

/* Runs `child` in a process of its own; returns its wait status, and in `said` what it wrote on stderr. */
static inline int
unit_in_child(void (*child)(void), char *said, size_t room)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        child();
        _exit(0);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t got; len < room - 1 && (got = read(ends[0], said + len, room - 1 - len)) > 0;)
        len += (size_t)got;
    said[len] = '\0';
    close(ends[0]);
    int status = -1;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

#endif
