/* test_arena: memory that dies together. */
#include "unit.h"

#include <malloc.h>
#include <stdalign.h>

/* So that a malloc of too much answers NULL under the sanitizer as well. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void
every_object_is_zeroed_also_after_a_reset(void **state)
{
    struct arena *mem = *state;
    static const char zero[1000];
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 100; i++) {
            char *object = arena_alloc(mem, sizeof zero);
            assert_memory_equal(object, zero, sizeof zero);
            memset(object, 0xAA, sizeof zero);
        }
        arena_reset(mem);
    }
}

static void
every_object_is_aligned_for_any_type(void **state)
{
    for (size_t bytes = 0; bytes < 200; bytes++) {
        uintptr_t at = (uintptr_t)arena_alloc(*state, bytes);
        CHECK(at != 0 && at % alignof(max_align_t) == 0, "%zu bytes were put at %#zx", bytes, (size_t)at);
    }
}

static void
objects_of_all_sizes_do_not_touch_each_other(void **state)
{
    enum { OBJECTS = 400 };
    unsigned char *objects[OBJECTS];
    size_t sizes[OBJECTS];
    for (size_t i = 0; i < OBJECTS; i++) {
        sizes[i] = i * i % 7919 + (i % 50 == 0 ? 200000 : 0);
        objects[i] = arena_alloc(*state, sizes[i]);
        memset(objects[i], (int)(i & 0xFF), sizes[i]);
    }
    for (size_t i = 0; i < OBJECTS; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            CHECK(objects[i][k] == (i & 0xFF), "byte %zu of object %zu was overwritten", k, i);
}

static void
an_array_holds_count_times_bytes(void **state)
{
    int64_t *numbers = arena_array(*state, 1000, sizeof *numbers);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(numbers[i], 0);
        numbers[i] = i;
    }
    assert_non_null(arena_array(*state, 0, 8));
    assert_int_equal(numbers[999], 999);
}

static void
copies_are_whole_and_end_with_nul(void **state)
{
    struct arena *mem = *state;
    assert_null(arena_strdup(mem, NULL));
    assert_string_equal(arena_strdup(mem, ""), "");
    const char *text = "a text";
    char *copy = arena_strdup(mem, text);
    assert_string_equal(copy, text);
    assert_ptr_not_equal(copy, text);
    assert_string_equal(arena_strndup(mem, "cut here", 3), "cut");
    assert_string_equal(arena_strndup(mem, NULL, 0), "");
    assert_memory_equal(arena_strndup(mem, "a\0b", 3), "a\0b\0", 4);
}

/* A block that is used again has what was in it before. */
static void
a_copy_ends_where_its_text_ends_also_in_used_memory(void **state)
{
    struct arena *mem = *state;
    for (int i = 0; i < 3; i++) {
        arena_reset(mem);
        assert_string_equal(arena_strndup(mem, "cut here", 3), "cut");
        assert_string_equal(arena_printf(mem, "%s", "short"), "short");
        arena_reset(mem);
        memset(arena_room(mem, 4096), 'x', 4096);
    }
}

static void
printf_makes_a_text_of_any_length(void **state)
{
    struct arena *mem = *state;
    assert_string_equal(arena_printf(mem, "%s is %d", "this", 7), "this is 7");
    assert_string_equal(arena_printf(mem, "%s", ""), "");
    char *text = arena_printf(mem, "%*d", 100000, 5);
    assert_int_equal(strlen(text), 100000);
    assert_int_equal(text[99999], '5');
}

static void
a_reset_gives_great_blocks_back(void **state)
{
    if (WITH_ASAN)
        skip(); /* the sanitizer has a malloc of its own, which does not count */
    struct arena *mem = *state;
    arena_alloc(mem, 1);
    arena_reset(mem);
    struct mallinfo2 before = mallinfo2();
    size_t little = arena_bytes(mem);
    for (int i = 0; i < 64; i++)
        arena_alloc(mem, 1024 * 1024);
    assert_in_range(arena_bytes(mem), little + 64 * 1024 * 1024, little + 80 * 1024 * 1024);
    assert_true(mallinfo2().hblkhd + mallinfo2().uordblks > before.hblkhd + before.uordblks + 60 * 1024 * 1024);
    arena_reset(mem);
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(after.hblkhd + after.uordblks, before.hblkhd + before.uordblks);
}

static void
a_great_first_object_is_given_back_as_well(void **state)
{
    if (WITH_ASAN)
        skip();
    struct arena *mem = *state;
    struct mallinfo2 before = mallinfo2();
    arena_alloc(mem, 8 * 1024 * 1024);
    arena_reset(mem);
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(after.hblkhd + after.uordblks, before.hblkhd + before.uordblks);
}

static void
a_usual_request_reuses_the_kept_block(void **state)
{
    if (WITH_ASAN)
        skip(); /* every object has a block of its own, none is kept */
    struct arena *mem = *state;
    void *first = arena_alloc(mem, 100);
    arena_alloc(mem, 5000);
    arena_reset(mem);
    assert_ptr_equal(arena_alloc(mem, 200), first);
}

static void
freeing_no_arena_does_nothing(void **state)
{
    (void)state;
    arena_free(NULL);
    arena_free(arena_new());
}

static volatile size_t asked_bytes;

static void
ask_for_too_much(void)
{
    arena_alloc(arena_new(), asked_bytes);
}

static void
ask_for_an_array_that_overflows(void)
{
    arena_array(arena_new(), asked_bytes, 16);
}

static void
out_of_memory_ends_the_process_with_a_line(void **state)
{
    (void)state;
    char said[8192];
    static const size_t rows[] = {SIZE_MAX, SIZE_MAX - 16, SIZE_MAX / 2 - 4096, SIZE_MAX / 4};
    for (size_t i = 0; i < COUNT(rows); i++) {
        asked_bytes = rows[i];
        int status = unit_in_child(ask_for_too_much, said, sizeof said);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%zu bytes: wait status %d", rows[i], status);
        CHECK(strstr(said, "out of memory") != NULL, "%zu bytes: it said \"%s\"", rows[i], said);
    }
    asked_bytes = SIZE_MAX / 8;
    int status = unit_in_child(ask_for_an_array_that_overflows, said, sizeof said);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_non_null(strstr(said, "out of memory"));
}

static void
write_one_byte_too_far(void)
{
    struct arena *mem = arena_new();
    arena_alloc(mem, 40);
    volatile char *object = arena_alloc(mem, 3);
    arena_alloc(mem, 40);
    object[3] = 1;
}

static void
use_after_a_reset(void)
{
    struct arena *mem = arena_new();
    volatile char *object = arena_alloc(mem, 3);
    arena_reset(mem);
    object[0] = 1;
}

static void
the_sanitizer_sees_an_overrun_by_one_byte_and_a_use_after_reset(void **state)
{
    (void)state;
    if (!WITH_ASAN)
        skip();
    char said[16384];
    int status = unit_in_child(write_one_byte_too_far, said, sizeof said);
    assert_int_not_equal(status, 0);
    assert_non_null(strstr(said, "heap-buffer-overflow"));
    status = unit_in_child(use_after_a_reset, said, sizeof said);
    assert_int_not_equal(status, 0);
    assert_non_null(strstr(said, "heap-use-after-free"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_object_is_zeroed_also_after_a_reset),
        UNIT(every_object_is_aligned_for_any_type),
        UNIT(objects_of_all_sizes_do_not_touch_each_other),
        UNIT(an_array_holds_count_times_bytes),
        UNIT(copies_are_whole_and_end_with_nul),
        UNIT(a_copy_ends_where_its_text_ends_also_in_used_memory),
        UNIT(printf_makes_a_text_of_any_length),
        UNIT(a_reset_gives_great_blocks_back),
        UNIT(a_great_first_object_is_given_back_as_well),
        UNIT(a_usual_request_reuses_the_kept_block),
        UNIT(freeing_no_arena_does_nothing),
        UNIT(out_of_memory_ends_the_process_with_a_line),
        UNIT(the_sanitizer_sees_an_overrun_by_one_byte_and_a_use_after_reset),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
