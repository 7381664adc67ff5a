/* The database: opening, statements, transactions, what is on the disk when, the bell. */
#include "place.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>

#include "io/bell.h"
#include "io/schema.h"
#include "model/invitation.h"

/* ── what is asked of the disk: sqlite calls these instead of libc's ── */

static int syncs_main;
static int syncs_live;
static int next_sync_fails;

static int
sync_one(int fd, long call)
{
    char path[200], name[40];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(name, path, sizeof path - 1);
    path[bytes > 0 ? bytes : 0] = '\0';
    syncs_main += strstr(path, "/rtcc.db") != NULL;
    syncs_live += strstr(path, "/live.db") != NULL;
    if (next_sync_fails) {
        next_sync_fails = 0;
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int
fsync(int fd)
{
    return sync_one(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
    return sync_one(fd, SYS_fdatasync);
}

/* ── opening ── */

static void
open_and_write(struct installation *p, int number)
{
    place_enter(p);
    MUST(site_make(&p->c) == OK);
    MUST(place_topic(p->c.db, arena_printf(p->c.mem, "topic %d", number), 5) == OK);
    db_close(p->c.db);
}

static void
forty_processes_on_an_empty_place_make_its_schema_once(void **state)
{
    struct installation *p = *state;
    place_close(p);
    place_remove(p->folder);
    mkdir(p->folder, 0770);
    place_together(p, 40, open_and_write);
    assert_int_equal(place_topics(p), 40);
    assert_int_equal(place_number(p, "SELECT count(*) FROM site"), 1);
    assert_int_equal(place_number(p, "PRAGMA user_version"), schema_newest(sql_schema_main));
    assert_string_equal(place_text(p, "PRAGMA journal_mode"), "wal");
}

static struct installation *newer;

static void
open_newer(void)
{
    struct db *db;
    const char *why;
    _exit(db_open(newer->folder, &db, &why) == OK ? 10 : 11);
}

static void
a_schema_newer_than_the_program_ends_it_with_a_sentence(void **state)
{
    char said[1000];
    newer = *state;
    place_close(newer);
    place_poke(newer, "rtcc.db", 60, "\0\0\x27\x0f", 4); /* user_version, in the file's header */
    int status = unit_in_child(open_newer, said, sizeof said);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "ended with %d", status);
    int newest = schema_newest(sql_schema_main);
    CHECK(strstr(said, arena_printf(newer->c.mem, "schema 9999, this program knows %d: install the newer programs", newest)),
        "said: %s", said);
    place_poke(newer, "rtcc.db", 60, (char[]){0, 0, 0, (char)newest}, 4);
    place_open(newer);
}

static void
a_place_that_cannot_be_used_is_told_with_its_name(void **state)
{
    struct installation *p = *state;
    struct db *db = NULL;
    const char *why = "";
    assert_int_equal(db_open(arena_printf(p->c.mem, "%s/nowhere", p->folder), &db, &why), ERR_UNAVAILABLE);
    assert_null(db);
    CHECK(strstr(why, "/nowhere cannot be used: No such file or directory"), "%s", why);
    mkdir(arena_printf(p->c.mem, "%s/odd", p->folder), 0770);
    mkdir(arena_printf(p->c.mem, "%s/odd/rtcc.db", p->folder), 0770);
    assert_int_equal(db_open(arena_printf(p->c.mem, "%s/odd", p->folder), &db, &why), ERR_UNAVAILABLE);
    CHECK(strstr(why, "unable to open database file"), "%s", why);
}

static void
a_file_that_is_no_database_is_not_opened(void **state)
{
    struct installation *p = *state;
    struct db *db = NULL;
    const char *why = "";
    place_close(p);
    place_poke(p, "rtcc.db", 0, "this was a database once", 24);
    assert_int_equal(db_open(p->folder, &db, &why), ERR_UNAVAILABLE);
    CHECK(strstr(why, "file is not a database"), "%s", why);
    place_poke(p, "rtcc.db", 0, "SQLite format 3\0\x10\0\x02\x02\0\x40\x20\x20", 24);
    place_open(p);
}

static void
the_folder_is_the_one_that_was_given(void **state)
{
    struct installation *p = *state;
    assert_string_equal(db_folder(p->c.db), p->folder);
}

/* ── statements ── */

static void
a_statement_gives_all_rows_in_order_and_texts_whole(void **state)
{
    struct installation *p = *state;
    struct topic_list *rows;
    size_t count = 0;
    for (int i = 0; i < 100; i++)
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "%02d Grüße 'and\" more", i), 1 + i % 10), OK);
    assert_int_equal(sql_topic_list(p->c.db, p->c.mem, &rows, &count), OK);
    assert_int_equal(count, 100);
    for (int i = 0; i < 100; i++) {
        assert_string_equal(rows[i].name, arena_printf(p->c.mem, "%02d Grüße 'and\" more", i));
        assert_int_equal(rows[i].priority, 1 + i % 10);
    }
}

static void
no_row_is_not_found_and_a_broken_rule_is_a_conflict(void **state)
{
    struct installation *p = *state;
    struct topic_read row = {.priority = 77};
    int changed = 77;
    assert_int_equal(sql_topic_read(p->c.db, p->c.mem, &(struct sql_topic_read_in){.name = "none"}, &row), ERR_NOT_FOUND);
    assert_int_equal(row.priority, 77);
    assert_int_equal(place_topic(p->c.db, "eleven", 11), ERR_CONFLICT);
    assert_int_equal(sql_agent_set_present(p->c.db, &(struct sql_agent_set_present_in){.id = 5, .is_present = 1}, &changed), OK);
    assert_int_equal(changed, 0);
    assert_int_equal(place_topic(p->c.db, "ten", 10), OK);
}

static void
a_table_that_is_not_there_is_unavailable_and_the_next_statement_works(void **state)
{
    struct installation *p = *state;
    place_sql(p, "ALTER TABLE topic RENAME TO hidden");
    assert_int_equal(place_topic(p->c.db, "a", 5), ERR_UNAVAILABLE);
    place_sql(p, "ALTER TABLE hidden RENAME TO topic");
    assert_int_equal(place_topic(p->c.db, "a", 5), OK);
    assert_int_equal(place_topics(p), 1);
}

/* ── transactions ── */

static void
nothing_is_seen_by_others_before_the_outer_commit(void **state)
{
    struct installation *p = *state;
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(place_topic(p->c.db, "outer", 5), OK);
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(place_topic(p->c.db, "inner", 5), OK);
    assert_int_equal(db_commit(p->c.db), OK);
    assert_int_equal(place_topics(p), 0);
    assert_int_equal(db_commit(p->c.db), OK);
    assert_int_equal(place_topics(p), 2);
}

/* As this connection sees them; place_topics() has one of its own. */
static size_t
topics_seen(struct installation *p)
{
    struct topic_list *rows;
    size_t count = 0;
    assert_int_equal(topic_list(&p->c, &rows, &count), OK);
    return count;
}

static void
reads_of_one_look_see_the_same_until_something_is_written(void **state)
{
    struct installation *p = *state;
    struct db *other;
    const char *why;
    assert_int_equal(db_open(db_folder(p->c.db), &other, &why), OK);
    db_read_begin(p->c.db);
    assert_int_equal(topics_seen(p), 0);
    assert_int_equal(place_topic(other, "theirs", 5), OK);
    assert_int_equal(topics_seen(p), 0);
    db_read_end(p->c.db);
    assert_int_equal(topics_seen(p), 1);
    db_read_begin(p->c.db);
    assert_int_equal(topics_seen(p), 1);
    assert_int_equal(place_topic(other, "theirs, too", 5), OK);
    assert_int_equal(place_topic(p->c.db, "ours", 5), OK); /* on what is, not on what was */
    assert_int_equal(topics_seen(p), 3);
    db_read_end(p->c.db);
    assert_int_equal(topics_seen(p), 3);
    db_close(other);
}

static void
an_inner_rollback_undoes_the_inner_alone(void **state)
{
    struct installation *p = *state;
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(place_topic(p->c.db, "outer", 5), OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_begin(p->c.db), OK);
        assert_int_equal(db_begin(p->c.db), OK);
        assert_int_equal(place_topic(p->c.db, "innermost", 5), OK);
        assert_int_equal(db_end(p->c.db, OK), OK);
        assert_int_equal(db_end(p->c.db, ERR_CONFLICT), ERR_CONFLICT);
    }
    assert_int_equal(place_topic(p->c.db, "behind", 5), OK);
    assert_int_equal(db_end(p->c.db, OK), OK);
    assert_string_equal(place_text(p, "SELECT group_concat(name) FROM (SELECT name FROM topic ORDER BY name)"), "behind,outer");
}

static void
an_outer_rollback_undoes_what_the_inner_kept(void **state)
{
    struct installation *p = *state;
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(place_topic(p->c.db, "inner", 5), OK);
    assert_int_equal(db_commit(p->c.db), OK);
    db_rollback(p->c.db);
    assert_int_equal(place_topics(p), 0);
    assert_int_equal(place_topic(p->c.db, "alone", 5), OK);
    assert_int_equal(place_topics(p), 1);
}

static void
a_commit_that_the_disk_refuses_keeps_nothing_and_the_next_one_works(void **state)
{
    struct installation *p = *state;
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(place_topic(p->c.db, "lost", 5), OK);
    next_sync_fails = 1;
    assert_int_equal(db_commit(p->c.db), ERR_UNAVAILABLE);
    assert_int_equal(next_sync_fails, 0);
    assert_int_equal(place_topics(p), 0);
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(place_topic(p->c.db, "kept", 5), OK);
    assert_int_equal(db_commit(p->c.db), OK);
    place_close(p);
    place_open(p);
    assert_string_equal(place_text(p, "SELECT group_concat(name) FROM topic"), "kept");
}

/* ── the disk ── */

static void
a_commit_is_on_the_disk_when_it_returns(void **state)
{
    struct installation *p = *state;
    for (int i = 0; i < 20; i++) {
        syncs_main = 0;
        assert_int_equal(db_begin(p->c.db), OK);
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "%d", i), 5), OK);
        assert_int_equal(syncs_main, 0);
        assert_int_equal(db_commit(p->c.db), OK);
        assert_in_range(syncs_main, 1, 10);
    }
    syncs_main = 0;
    assert_int_equal(place_topic(p->c.db, "alone", 5), OK);
    assert_in_range(syncs_main, 1, 10);
}

static void
what_may_be_lost_never_waits_for_the_disk(void **state)
{
    struct installation *p = *state;
    syncs_main = syncs_live = 0;
    for (int i = 0; i < 3000; i++)
        assert_int_equal(sql_presence_seen(p->c.db, &(struct sql_presence_seen_in){.agent = i, .boot = "b", .boot_ms = i}), OK);
    assert_int_equal(syncs_live, 0);
    assert_int_equal(syncs_main, 0);
    assert_true(place_has(p, "live.db-wal"));
}

static void
both_files_use_a_write_ahead_log(void **state)
{
    struct installation *p = *state;
    static const char *const names[] = {"rtcc.db", "live.db"};
    for (size_t i = 0; i < COUNT(names); i++) {
        unsigned char version[2] = {0};
        int fd = open(arena_printf(p->c.mem, "%s/%s", p->folder, names[i]), O_RDONLY);
        assert_int_equal(pread(fd, version, 2, 18), 2); /* the file format's read and write version: 2 is WAL */
        close(fd);
        CHECK(version[0] == 2 && version[1] == 2, "%s has version %d %d", names[i], version[0], version[1]);
    }
}

static void
a_row_that_points_to_nothing_is_refused(void **state)
{
    struct installation *p = *state;
    struct sql_member_insert_in in = {.id = 1, .conf = 5, .role = "customer", .name = "", .at = 1};
    assert_int_equal(sql_member_insert(p->c.db, &in), ERR_CONFLICT);
}

/* ── the bell ── */

static bool
has_rung(struct installation *p, int bell)
{
    struct pollfd ready = {.fd = bell, .events = POLLIN};
    bool rang = poll(&ready, 1, 50) == 1;
    bell_heard(bell, p->folder);
    return rang;
}

static void
the_bell_rings_after_the_outer_commit_only(void **state)
{
    struct installation *p = *state;
    int bell = bell_listen(p->folder);
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(db_begin(p->c.db), OK);
    db_ring_after_commit(p->c.db);
    assert_int_equal(place_topic(p->c.db, "a", 5), OK);
    assert_int_equal(db_commit(p->c.db), OK);
    assert_false(has_rung(p, bell));
    assert_int_equal(db_commit(p->c.db), OK);
    assert_true(has_rung(p, bell));
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(db_commit(p->c.db), OK);
    assert_false(has_rung(p, bell));
    db_ring_after_commit(p->c.db);
    assert_true(has_rung(p, bell));
    close(bell);
}

static void
what_was_not_kept_does_not_ring(void **state)
{
    struct installation *p = *state;
    int bell = bell_listen(p->folder);
    assert_int_equal(db_begin(p->c.db), OK);
    db_ring_after_commit(p->c.db);
    db_rollback(p->c.db);
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(db_commit(p->c.db), OK);
    assert_false(has_rung(p, bell));
    assert_int_equal(db_begin(p->c.db), OK);
    db_ring_after_commit(p->c.db);
    assert_int_equal(place_topic(p->c.db, "lost", 5), OK);
    next_sync_fails = 1;
    assert_int_equal(db_commit(p->c.db), ERR_UNAVAILABLE);
    assert_false(has_rung(p, bell));
    close(bell);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(forty_processes_on_an_empty_place_make_its_schema_once),
        PLACED(a_schema_newer_than_the_program_ends_it_with_a_sentence),
        PLACED(a_place_that_cannot_be_used_is_told_with_its_name),
        PLACED(a_file_that_is_no_database_is_not_opened),
        PLACED(the_folder_is_the_one_that_was_given),
        PLACED(a_statement_gives_all_rows_in_order_and_texts_whole),
        PLACED(no_row_is_not_found_and_a_broken_rule_is_a_conflict),
        PLACED(a_table_that_is_not_there_is_unavailable_and_the_next_statement_works),
        PLACED(nothing_is_seen_by_others_before_the_outer_commit),
        PLACED(reads_of_one_look_see_the_same_until_something_is_written),
        PLACED(an_inner_rollback_undoes_the_inner_alone),
        PLACED(an_outer_rollback_undoes_what_the_inner_kept),
        PLACED(a_commit_that_the_disk_refuses_keeps_nothing_and_the_next_one_works),
        PLACED(a_commit_is_on_the_disk_when_it_returns),
        PLACED(what_may_be_lost_never_waits_for_the_disk),
        PLACED(both_files_use_a_write_ahead_log),
        PLACED(a_row_that_points_to_nothing_is_refused),
        PLACED(the_bell_rings_after_the_outer_commit_only),
        PLACED(what_was_not_kept_does_not_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
