/* Copies of files: on one file system a second name, across two the bytes; half a copy is none. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/folder.h"

enum { LARGE = 200000 };

static const char *
place(struct arena *mem, const char *top)
{
    char *folder = arena_printf(mem, "%s/rtcc-folder-XXXXXX", top);
    assert_non_null(mkdtemp(folder));
    return folder;
}

static const char *
write_file(struct arena *mem, const char *folder, const char *name, char fill)
{
    const char *path = arena_printf(mem, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < LARGE; i++)
        fputc(fill + i % 7, file);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void
clear(struct arena *mem, const char *folder)
{
    unlink(arena_printf(mem, "%s/from", folder));
    unlink(arena_printf(mem, "%s/to", folder));
    unlink(arena_printf(mem, "%s/lock", folder));
    assert_int_equal(rmdir(folder), 0); /* and nothing else was in it */
}

static bool
is_same(const char *a, const char *b)
{
    static char one[LARGE + 1], other[LARGE + 1];
    FILE *first = fopen(a, "r"), *second = fopen(b, "r");
    assert_true(first != NULL && second != NULL);
    size_t bytes = fread(one, 1, sizeof one, first), others = fread(other, 1, sizeof other, second);
    fclose(first);
    fclose(second);
    return bytes == LARGE && others == LARGE && memcmp(one, other, LARGE) == 0;
}

static ino_t
number_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_ino;
}

static void
a_copy_has_its_own_bytes_and_takes_the_place_of_what_was_there(void **state)
{
    const char *folder = place(*state, "/tmp"), *from = write_file(*state, folder, "from", 'a');
    const char *to = write_file(*state, folder, "to", 'n');
    assert_int_equal(folder_copy(from, to), OK);
    assert_true(is_same(from, to) && number_of(from) != number_of(to));
    assert_int_equal(folder_copy(arena_printf(*state, "%s/none", folder), to), ERR_UNAVAILABLE);
    assert_int_equal(errno, ENOENT);
    assert_true(is_same(from, to));
    assert_int_equal(folder_copy(from, arena_printf(*state, "%s/no/folder", folder)), ERR_UNAVAILABLE);
    assert_int_equal(errno, ENOENT);
    clear(*state, folder);
}

static void
put_makes_a_second_name_or_a_copy_and_never_half_of_one(void **state)
{
    const char *folder = place(*state, "/tmp"), *other = place(*state, "/dev/shm");
    const char *from = write_file(*state, folder, "from", 'a'), *to = arena_printf(*state, "%s/to", folder);
    const char *away = write_file(*state, other, "to", 'n');
    assert_int_equal(folder_put(from, to), OK);
    assert_int_equal(number_of(from), number_of(to));
    assert_int_equal(folder_put(from, away), OK);
    assert_true(is_same(from, away));
    assert_int_equal(folder_put(folder, away), ERR_UNAVAILABLE); /* opens, and cannot be read */
    assert_int_equal(access(away, F_OK), -1);
    assert_int_equal(folder_put(from, arena_printf(*state, "%s/no/folder", folder)), ERR_UNAVAILABLE);
    clear(*state, folder);
    clear(*state, other);
}

static void
a_lock_is_one_s_until_he_closes_it(void **state)
{
    const char *folder = place(*state, "/tmp");
    int one = folder_lock(folder, "lock", LOCK_EX | LOCK_NB), open = folder_lock(folder, "lock", LOCK_UN);
    assert_true(one >= 0 && open >= 0);
    assert_int_equal(folder_lock(folder, "lock", LOCK_EX | LOCK_NB), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    close(one);
    int two = folder_lock(folder, "lock", LOCK_EX | LOCK_NB);
    assert_true(two >= 0);
    close(two);
    close(open);
    assert_int_equal(folder_lock(arena_printf(*state, "%s/no", folder), "lock", LOCK_UN), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(folder_lock(folder, arena_printf(*state, "%05000d", 0), LOCK_UN), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    clear(*state, folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_copy_has_its_own_bytes_and_takes_the_place_of_what_was_there),
        UNIT(put_makes_a_second_name_or_a_copy_and_never_half_of_one),
        UNIT(a_lock_is_one_s_until_he_closes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
