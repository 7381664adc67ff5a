/* The bell wakes who listens, once for many rings, stays an empty file, and survives that its file is replaced. */
#include "unit.h"

#include <poll.h>
#include <sys/stat.h>

#include "io/bell.h"

static char folder[64];
static char file[80];

static void
make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/rtcc-bell-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/bell", folder);
}

static void
remove_folder(void)
{
    unlink(file);
    assert_int_equal(rmdir(folder), 0);
}

/* Whether fd becomes readable; at once if it will, as inotify says so before the ring returns. */
static bool
is_heard(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}

static void
a_ring_wakes_everyone_who_listens(void **state)
{
    (void)state;
    make_folder();
    int a = bell_listen(folder);
    int b = bell_listen(folder);
    assert_true(a >= 0 && b >= 0);
    assert_false(is_heard(a));
    bell_ring(folder);
    assert_true(is_heard(a));
    assert_true(is_heard(b));
    bell_heard(a, folder);
    assert_false(is_heard(a));
    assert_true(is_heard(b));
    close(a);
    close(b);
    remove_folder();
}

static void
many_rings_are_heard_with_one_look(void **state)
{
    (void)state;
    make_folder();
    int fd = bell_listen(folder);
    for (int i = 0; i < 100000; i++)
        bell_ring(folder);
    assert_true(is_heard(fd));
    bell_heard(fd, folder);
    assert_false(is_heard(fd));
    bell_ring(folder);
    assert_true(is_heard(fd));
    struct stat now;
    assert_int_equal(stat(file, &now), 0);
    assert_int_equal(now.st_size, 0);
    close(fd);
    remove_folder();
}

static void
hundreds_of_different_notices_are_heard_with_one_look(void **state)
{
    (void)state;
    make_folder();
    int fd = bell_listen(folder);
    for (int i = 0; i < 300; i++) {
        bell_ring(folder);
        assert_int_equal(chmod(file, 0600), 0);
    }
    bell_heard(fd, folder);
    assert_false(is_heard(fd));
    bell_ring(folder);
    assert_true(is_heard(fd));
    close(fd);
    remove_folder();
}

static void
a_ring_from_another_process_is_heard(void **state)
{
    (void)state;
    make_folder();
    int fd = bell_listen(folder);
    pid_t child = fork();
    if (child == 0) {
        bell_ring(folder);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(is_heard(fd));
    close(fd);
    remove_folder();
}

static void
a_file_put_in_its_place_is_listened_to(void **state)
{
    (void)state;
    make_folder();
    char other[96];
    snprintf(other, sizeof other, "%s.new", file);
    int fd = bell_listen(folder);
    fclose(fopen(other, "w"));
    assert_int_equal(rename(other, file), 0);
    assert_true(is_heard(fd));
    bell_heard(fd, folder);
    assert_false(is_heard(fd));
    bell_ring(folder);
    assert_true(is_heard(fd));
    close(fd);
    remove_folder();
}

static void
a_file_that_was_removed_is_made_again(void **state)
{
    (void)state;
    make_folder();
    int fd = bell_listen(folder);
    assert_int_equal(unlink(file), 0);
    bell_heard(fd, folder);
    bell_heard(fd, folder);
    assert_false(is_heard(fd));
    bell_ring(folder);
    assert_true(is_heard(fd));
    close(fd);
    remove_folder();
}

static void
a_file_that_was_moved_away_rings_no_longer(void **state)
{
    (void)state;
    make_folder();
    char other[96];
    snprintf(other, sizeof other, "%s.old", file);
    int fd = bell_listen(folder);
    assert_int_equal(rename(file, other), 0);
    bell_heard(fd, folder);
    bell_heard(fd, folder);
    FILE *old = fopen(other, "w");
    fputc('!', old);
    fclose(old);
    assert_false(is_heard(fd));
    bell_ring(folder);
    assert_true(is_heard(fd));
    close(fd);
    unlink(other);
    remove_folder();
}

static void
a_link_in_its_place_is_not_written_through(void **state)
{
    (void)state;
    make_folder();
    char target[96];
    snprintf(target, sizeof target, "%s.target", file);
    fclose(fopen(target, "w"));
    assert_int_equal(symlink(target, file), 0);
    bell_ring(folder);
    struct stat now;
    assert_int_equal(stat(target, &now), 0);
    assert_int_equal(now.st_size, 0);
    unlink(target);
    remove_folder();
}

static void
a_folder_that_is_missing_is_silent(void **state)
{
    (void)state;
    bell_ring("/nowhere/at/all");
    assert_int_equal(bell_listen("/nowhere/at/all"), -1);
    char longer[6000];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    bell_ring(longer);
    assert_int_equal(bell_listen(longer), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_wakes_everyone_who_listens),
        cmocka_unit_test(many_rings_are_heard_with_one_look),
        cmocka_unit_test(hundreds_of_different_notices_are_heard_with_one_look),
        cmocka_unit_test(a_ring_from_another_process_is_heard),
        cmocka_unit_test(a_file_put_in_its_place_is_listened_to),
        cmocka_unit_test(a_file_that_was_removed_is_made_again),
        cmocka_unit_test(a_file_that_was_moved_away_rings_no_longer),
        cmocka_unit_test(a_link_in_its_place_is_not_written_through),
        cmocka_unit_test(a_folder_that_is_missing_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
