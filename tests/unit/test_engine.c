/* sqlite's memory: its pages lie in the slots that it was given. */
#include "place.h"

static int
pages_now(int what)
{
    int now = -1, most = -1;
    assert_int_equal(sqlite3_status(what, &now, &most, 0), SQLITE_OK);
    return now;
}

static void
the_pages_of_both_files_lie_in_slots_of_our_own(void **state)
{
    struct installation *p = *state;
    int beyond = pages_now(SQLITE_STATUS_PAGECACHE_OVERFLOW);
    for (int i = 0; i < 100; i++)
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "topic %d", i), 5), OK);
    int used = pages_now(SQLITE_STATUS_PAGECACHE_USED);
    CHECK(used > 5 && used < 64, "%d slots are used", used);
    assert_int_equal(pages_now(SQLITE_STATUS_PAGECACHE_OVERFLOW), beyond);
}

static void
a_transaction_that_needs_more_has_it_and_gives_it_back(void **state)
{
    struct installation *p = *state;
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "%d%0900d", i, 0), 5), OK);
    int beyond = pages_now(SQLITE_STATUS_PAGECACHE_OVERFLOW);
    assert_int_equal(db_commit(p->c.db), OK);
    CHECK(beyond > 0, "%d bytes beyond the slots", beyond);
    assert_int_equal(place_topics(p), 300);
    place_close(p);
    assert_int_equal(pages_now(SQLITE_STATUS_PAGECACHE_OVERFLOW), 0);
    assert_int_equal(pages_now(SQLITE_STATUS_PAGECACHE_USED), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {PLACED(the_pages_of_both_files_lie_in_slots_of_our_own),
        PLACED(a_transaction_that_needs_more_has_it_and_gives_it_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
