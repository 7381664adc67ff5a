/* sqlite's log: a commit moves nothing of it, who tends moves all, and it begins anew. */
#include "place.h"

#include "io/wal.h"

enum { PAGE_BYTES = 4096, FRAME_BYTES = PAGE_BYTES + 24, PER_PROCESS = 1500, PROCESSES = 4 };

static int64_t
bytes_of(struct installation *p, const char *name)
{
    struct stat s;
    assert_int_equal(stat(arena_printf(p->c.mem, "%s/%s", p->folder, name), &s), 0);
    return s.st_size;
}

static int64_t
pages_in_log(struct installation *p)
{
    return bytes_of(p, "rtcc.db-wal") / FRAME_BYTES;
}

/* Commits of a page and more until the log has so many. */
static void
write_until(struct installation *p, int64_t pages)
{
    for (int i = 0; pages_in_log(p) < pages; i++)
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "%lld %05d %0900d", (long long)pages, i, 0), 5), OK);
}

static void
who_tends_moves_the_log_and_it_begins_anew(void **state)
{
    struct installation *p = *state;
    int64_t empty = bytes_of(p, "rtcc.db");
    write_until(p, WAL_DUE_PAGES - 10);
    db_tend(p->c.db);
    assert_int_equal(bytes_of(p, "rtcc.db"), empty); /* it is not worth it yet */
    write_until(p, WAL_DUE_PAGES + 10);
    assert_int_equal(bytes_of(p, "rtcc.db"), empty); /* and no commit did it */
    db_tend(p->c.db);
    assert_true(bytes_of(p, "rtcc.db") > empty + 100 * PAGE_BYTES);
    int64_t pages = pages_in_log(p);
    for (int i = 0; i < 100; i++)
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "after %d", i), 5), OK);
    assert_int_equal(pages_in_log(p), pages);
}

/* A reader that still needs the log is no reason to fail, nor to try at each turn. */
static void
what_a_reader_needs_is_moved_another_time(void **state)
{
    struct installation *p = *state;
    place_close(p); /* the last to leave moves all */
    place_open(p);
    sqlite3 *reader = place_connection(p, "rtcc.db");
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM topic", NULL, NULL, NULL), SQLITE_OK);
    int64_t empty = bytes_of(p, "rtcc.db");
    write_until(p, WAL_DUE_PAGES + 10);
    db_tend(p->c.db);
    assert_int_equal(bytes_of(p, "rtcc.db"), empty);
    sqlite3_close(reader);
    write_until(p, 2 * WAL_DUE_PAGES + 50);
    db_tend(p->c.db);
    assert_true(bytes_of(p, "rtcc.db") > empty + 100 * PAGE_BYTES);
}

static void
who_writes_without_tending_moves_it_late(void **state)
{
    struct installation *p = *state;
    write_until(p, WAL_LATE_PAGES);
    int64_t pages = pages_in_log(p);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "after %d", i), 5), OK);
    CHECK(pages_in_log(p) < pages + 100, "%lld pages", (long long)pages_in_log(p));
}

static void
write_and_tend(struct installation *p, int number)
{
    place_enter(p);
    for (int i = 0; i < PER_PROCESS; i++) {
        MUST(place_topic(p->c.db, arena_printf(p->c.mem, "%d %05d %0900d", number, i, 0), 5) == OK);
        db_tend(p->c.db);
    }
    db_close(p->c.db);
}

/* All of them write while one moves; the log stays small, and nothing is lost. */
static void
many_write_while_one_moves(void **state)
{
    struct installation *p = *state;
    sqlite3 *holds = place_connection(p, "rtcc.db");
    assert_int_equal(sqlite3_exec(holds, "SELECT count(*) FROM topic", NULL, NULL, NULL), SQLITE_OK);
    place_together(p, PROCESSES, write_and_tend);
    CHECK(pages_in_log(p) < WAL_LATE_PAGES, "%lld pages of some %d", (long long)pages_in_log(p), PROCESSES * PER_PROCESS * 2);
    assert_int_equal(place_topics(p), PROCESSES * PER_PROCESS);
    sqlite3_close(holds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {PLACED(who_tends_moves_the_log_and_it_begins_anew),
        PLACED(what_a_reader_needs_is_moved_another_time), PLACED(who_writes_without_tending_moves_it_late),
        PLACED(many_write_while_one_moves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
