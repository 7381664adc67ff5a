/* An answer on its way: what goes at once, what is kept, and that a file leaves others their turn. */
#include "records.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "io/fcgi.h"
#include "io/send.h"

enum { FILE_BYTES = 30000000, TURN_MAX_BYTES = 2 * 1024 * 1024 };

/* Reads until the end, and ends with 0 if so many bytes came. */
static pid_t
reader_of(int fd, int other)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    close(other);
    struct reply reply = read_reply(fd, 5000);
    _exit(reply.is_ended && reply.len == FILE_BYTES + 4 ? 0 : 1);
}

/* The socket blocks, so it is never full: whatever ends the turn is no limit of the reader's. */
static void
a_file_whose_reader_is_quick_goes_in_turns(void **state)
{
    int ends[2], status, turns = 1;
    struct outbox *rest = NULL;
    struct answer answer = {.bytes = buf_new(*state, 100),
        .file = {.fd = memfd_create("file", MFD_CLOEXEC), .bytes = FILE_BYTES}};
    buf_text(&answer.bytes, "text");
    assert_int_equal(ftruncate(answer.file.fd, FILE_BYTES), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid_t reader = reader_of(ends[0], ends[1]);
    enum sent sent = send_answer(ends[1], 1, &answer, *state, &rest);
    assert_int_equal(answer.file.fd, -1);
    for (; sent == SENT_PART; turns++)
        sent = send_rest(ends[1], rest);
    assert_int_equal(sent, SENT_ALL);
    assert_in_range(turns, FILE_BYTES / TURN_MAX_BYTES, FILE_BYTES / FCGI_RECORD_MAX_BYTES);
    send_drop(rest);
    close(ends[1]);
    close(ends[0]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(a_file_whose_reader_is_quick_goes_in_turns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
