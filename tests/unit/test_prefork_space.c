/* PREFORK from outside, where the disk is nearly full: what large bodies leave of it while they come. */
#include "preforked.h"

#include <sys/statvfs.h>

enum { RESERVE = 100 << 20, BODY_BYTES = 1 << 20, AROUND_BYTES = sizeof upload_before + sizeof upload_after - 2 };

static int64_t *free_bytes; /* of the test's and the program's disk */

/* In the place of libc's. */
int
statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    *out = (struct statvfs){.f_frsize = 1, .f_bavail = (fsblkcnt_t)*free_bytes};
    return 0;
}

static struct server
start_with(int64_t bytes)
{
    free_bytes = mmap(NULL, sizeof *free_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(free_bytes, MAP_FAILED);
    *free_bytes = bytes;
    return server_start(&prefork, 0);
}

static void
is_refused(int fd)
{
    struct reply reply = read_reply(fd, 5000);
    CHECK(says(&reply, "Status: 503 ") && says(&reply, "There is no room for so much at the moment"), "%s", reply.data);
    close(fd);
}

static void
passes(const struct server *server, size_t bytes)
{
    int fd = connect_to(server->path);
    send_upload(fd, bytes);
    struct reply reply = read_reply(fd, 5000);
    CHECK(says(&reply, "\"last\":99"), "%s", reply.data);
    close(fd);
}

static void
a_body_for_which_there_is_no_room_is_refused_before_it_comes(void **state)
{
    struct server server = start_with(RESERVE + BODY_BYTES + AROUND_BYTES - 1);
    (void)state;
    int fd = connect_to(server.path);
    send_upload_head(fd, BODY_BYTES);
    usleep(20000);
    send_upload_part(fd, BODY_BYTES / 4);
    is_refused(fd);
    passes(&server, 1000);
    *free_bytes += 1;
    passes(&server, BODY_BYTES);
    assert_int_equal(server_stop(&server), 0);
}

static void
one_that_others_leave_no_room_is_refused_in_the_middle(void **state)
{
    struct server server = start_with(INT64_C(2) * RESERVE);
    (void)state;
    int fd = connect_to(server.path);
    send_upload_head(fd, BODY_BYTES);
    usleep(20000);
    send_upload_part(fd, BODY_BYTES / 2);
    usleep(50000);
    *free_bytes = RESERVE + 1;
    send_upload_part(fd, BODY_BYTES / 4);
    is_refused(fd);
    passes(&server, 1000);
    assert_int_equal(server_stop(&server), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_body_for_which_there_is_no_room_is_refused_before_it_comes),
        UNIT(one_that_others_leave_no_room_is_refused_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
