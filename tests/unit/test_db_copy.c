/* Copies of the database: made while others write, and put back. */
#include "place.h"

#include <sys/stat.h>

#include "io/restore.h"

static const char *
copy_of(struct installation *p)
{
    const char *copy = arena_printf(p->c.mem, "%s/copy.db", p->folder);
    assert_int_equal(db_backup(p->c.db, copy), OK);
    return copy;
}

static enum err
put_back(struct installation *p, const char *copy, const char **why)
{
    const char *before;
    return restore_copy(p->folder, copy, p->c.mem, why, &before);
}

static void
back_up_while_others_write(struct installation *p, int number)
{
    place_enter(p);
    if (number == 0) {
        usleep(100000);
        for (int i = 0; i < 5; i++)
            MUST(db_backup(p->c.db, arena_printf(p->c.mem, "%s/copy%d", p->folder, i)) == OK);
    }
    for (int i = 0; number > 0 && i < 300; i++) {
        MUST(db_begin(p->c.db) == OK);
        MUST(place_topic(p->c.db, arena_printf(p->c.mem, "%d %d a", number, i), 5) == OK);
        MUST(place_topic(p->c.db, arena_printf(p->c.mem, "%d %d b", number, i), 5) == OK);
        MUST(db_commit(p->c.db) == OK);
    }
    db_close(p->c.db);
}

static void
a_copy_made_while_others_write_is_whole(void **state)
{
    struct installation *p = *state;
    place_together(p, 3, back_up_while_others_write);
    assert_int_equal(place_topics(p), 1200);
    for (int i = 0; i < 5; i++) {
        sqlite3 *db = place_connection(p, arena_printf(p->c.mem, "copy%d", i));
        sqlite3_stmt *s;
        assert_int_equal(
            sqlite3_prepare_v2(db, "SELECT count(*) % 2, (SELECT * FROM pragma_quick_check) FROM topic", -1, &s, NULL),
            SQLITE_OK);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(s, 0), 0);
        assert_string_equal((const char *)sqlite3_column_text(s, 1), "ok");
        sqlite3_finalize(s);
        sqlite3_close(db);
    }
}

static void
a_copy_does_not_replace_a_file_that_is_there(void **state)
{
    struct installation *p = *state;
    const char *copy = copy_of(p);
    assert_int_equal(db_backup(p->c.db, copy), ERR_UNAVAILABLE);
    assert_int_equal(db_backup(p->c.db, arena_printf(p->c.mem, "%s/none/copy", p->folder)), ERR_UNAVAILABLE);
}

static void
a_copy_put_back_has_its_rows_moves_the_counters_on_and_keeps_the_old_database(void **state)
{
    struct installation *p = *state;
    int64_t id;
    const char *why = "";
    int64_t events = place_number(p, "SELECT last_event FROM site");
    assert_int_equal(place_topic(p->c.db, "in the copy", 5), OK);
    assert_int_equal(site_next_id(&p->c, &id), OK);
    const char *copy = copy_of(p);
    assert_int_equal(place_topic(p->c.db, "after the copy", 5), OK);
    place_close(p);
    assert_int_equal(put_back(p, copy, &why), OK);
    place_open(p);
    assert_string_equal(place_text(p, "SELECT group_concat(name) FROM topic"), "in the copy");
    assert_int_equal(place_number(p, "SELECT last_id FROM site"), id + RESTORE_GAP);
    assert_int_equal(place_number(p, "SELECT last_event FROM site"), events + RESTORE_GAP);
    assert_false(place_has(p, "restore"));
    place_close(p);
    assert_int_equal(
        rename(arena_printf(p->c.mem, "%s/rtcc.db.before", p->folder), arena_printf(p->c.mem, "%s/rtcc.db", p->folder)), 0);
    place_open(p);
    assert_int_equal(place_topics(p), 2);
}

static void
after_a_restore_there_is_a_write_ahead_log_again(void **state)
{
    struct installation *p = *state;
    const char *why = "", *copy = copy_of(p);
    place_close(p);
    assert_int_equal(put_back(p, copy, &why), OK);
    place_open(p);
    assert_int_equal(place_topic(p->c.db, "a", 5), OK);
    assert_string_equal(place_text(p, "PRAGMA journal_mode"), "wal");
}

/* A program of its own was killed behind its COMMIT: what it wrote is in the log. */
static void
kill_a_writer(struct installation *p)
{
    place_close(p);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        place_enter(p);
        MUST(place_topic(p->c.db, "acknowledged", 5) == OK);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
}

static void
what_a_killed_program_had_written_is_in_the_old_database_that_a_restore_keeps(void **state)
{
    struct installation *p = *state;
    const char *why = "", *copy = copy_of(p);
    kill_a_writer(p);
    assert_int_equal(put_back(p, copy, &why), OK);
    place_open(p);
    assert_int_equal(place_topics(p), 0);
    sqlite3 *before = place_connection(p, "rtcc.db.before");
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(before, "SELECT name FROM topic", -1, &s, NULL), SQLITE_OK);
    CHECK(sqlite3_step(s) == SQLITE_ROW, "the old database has lost what was in its write-ahead log");
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "acknowledged");
    sqlite3_finalize(s);
    sqlite3_close(before);
}

static void
and_is_there_again_when_that_one_is_put_back(void **state)
{
    struct installation *p = *state;
    const char *why = "", *copy = copy_of(p), *before = arena_printf(p->c.mem, "%s/rtcc.db.before", p->folder);
    kill_a_writer(p);
    assert_int_equal(put_back(p, copy, &why), OK);
    assert_true(place_has(p, "rtcc.db.before-wal"));
    assert_int_equal(put_back(p, before, &why), OK);
    place_open(p);
    assert_string_equal(place_text(p, "SELECT group_concat(name) FROM topic"), "acknowledged");
    assert_true(place_has(p, "rtcc.db.before-wal")); /* what was put back is kept as it was */
}

static void
nothing_is_put_back_while_a_program_runs(void **state)
{
    struct installation *p = *state;
    const char *why = "", *copy = copy_of(p);
    assert_true(db_is_in_use(p->folder));
    assert_int_equal(put_back(p, copy, &why), ERR_CONFLICT);
    assert_string_equal(why, "the programs are running: stop them first");
    place_close(p);
    assert_false(db_is_in_use(p->folder));
    place_open(p);
}

static void
a_folder_that_is_not_there_is_not_in_use(void **state)
{
    struct installation *p = *state;
    const char *why = "", *before, *nowhere = arena_printf(p->c.mem, "%s/nowhere", p->folder);
    assert_false(db_is_in_use(nowhere));
    assert_int_equal(restore_copy(nowhere, copy_of(p), p->c.mem, &why, &before), ERR_UNAVAILABLE);
    CHECK(strstr(why, "No such file or directory"), "%s", why);
}

static void
a_damaged_or_missing_copy_leaves_the_database_as_it_is(void **state)
{
    struct installation *p = *state;
    const char *why = "";
    for (int i = 0; i < 200; i++)
        assert_int_equal(place_topic(p->c.db, arena_printf(p->c.mem, "%d%0900d", i, 0), 5), OK);
    const char *copy = copy_of(p);
    char junk[5000];
    memset(junk, 0x5a, sizeof junk);
    struct stat of_copy;
    assert_int_equal(stat(copy, &of_copy), 0);
    place_close(p);
    place_poke(p, "copy.db", of_copy.st_size / 2 / 4096 * 4096, junk, sizeof junk); /* among the topics */
    assert_int_equal(put_back(p, copy, &why), ERR_UNAVAILABLE);
    CHECK(strstr(why, "the copy is damaged"), "%s", why);
    assert_int_equal(put_back(p, arena_printf(p->c.mem, "%s/none", p->folder), &why), ERR_UNAVAILABLE);
    CHECK(strstr(why, "none cannot be copied: No such file or directory"), "%s", why);
    assert_int_equal(put_back(p, arena_printf(p->c.mem, "%s/files", p->folder), &why), ERR_UNAVAILABLE);
    assert_false(place_has(p, "restore"));
    assert_false(place_has(p, "rtcc.db.before"));
    place_open(p);
    assert_int_equal(place_topics(p), 200);
}

static const char *
file_with(struct installation *p, const char *name, const char *text)
{
    const char *path = arena_printf(p->c.mem, "%s/%s", p->folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

/* A database as any other program of sqlite makes it. */
static const char *
foreign_copy(struct installation *p, const char *name, const char *sql)
{
    sqlite3 *db = place_connection(p, name);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    return arena_printf(p->c.mem, "%s/%s", p->folder, name);
}

static void
what_is_no_database_of_ours_is_not_put_back(void **state)
{
    struct installation *p = *state;
    const char *why = "";
    assert_int_equal(place_topic(p->c.db, "ours", 5), OK);
    place_close(p);
    const char *const copies[] = {file_with(p, "empty", ""), file_with(p, "one", "x"),
        file_with(p, "junk", arena_printf(p->c.mem, "%05000d", 0)), foreign_copy(p, "notes", "CREATE TABLE note (text TEXT)"),
        foreign_copy(p, "numbered", "CREATE TABLE note (text TEXT); PRAGMA user_version = 1"),
        foreign_copy(p, "siteless", "CREATE TABLE site (last_event INTEGER, last_id INTEGER); PRAGMA user_version = 1")};
    for (size_t i = 0; i < COUNT(copies); i++) {
        assert_int_equal(put_back(p, copies[i], &why), ERR_UNAVAILABLE);
        CHECK(text_starts(why, arena_printf(p->c.mem, "%s is no database of rtcc", copies[i])), "%s", why);
        assert_false(place_has(p, "restore"));
        assert_false(place_has(p, "rtcc.db.before"));
    }
    place_open(p);
    assert_string_equal(place_text(p, "SELECT group_concat(name) FROM topic"), "ours");
}

static void
every_restore_keeps_its_old_database_under_a_name_of_its_own(void **state)
{
    struct installation *p = *state;
    const char *why = "", *before, *copy = copy_of(p);
    const char *const names[] = {"rtcc.db.before", "rtcc.db.before.2", "rtcc.db.before.4"};
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(place_topic(p->c.db, names[i], 5), OK);
        place_close(p);
        file_with(p, "rtcc.db.before.3-wal", "of a restore that was killed");
        assert_int_equal(restore_copy(p->folder, copy, p->c.mem, &why, &before), OK);
        assert_string_equal(before, arena_printf(p->c.mem, "%s/%s", p->folder, names[i]));
        place_open(p);
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        place_close(p);
        assert_int_equal(put_back(p, arena_printf(p->c.mem, "%s/%s", p->folder, names[i]), &why), OK);
        place_open(p);
        assert_string_equal(place_text(p, "SELECT group_concat(name) FROM topic"), names[i]);
    }
}

static void
what_an_earlier_restore_left_lying_about_does_no_harm(void **state)
{
    struct installation *p = *state;
    const char *why = "", *copy = copy_of(p);
    assert_int_equal(place_topic(p->c.db, "of another database", 5), OK);
    mkdir(arena_printf(p->c.mem, "%s/restore", p->folder), 0770);
    assert_int_equal(
        link(arena_printf(p->c.mem, "%s/rtcc.db-wal", p->folder), arena_printf(p->c.mem, "%s/restore/rtcc.db-wal", p->folder)),
        0);
    place_close(p);
    assert_int_equal(put_back(p, copy, &why), OK);
    place_open(p);
    assert_int_equal(place_topics(p), 0);
}

static void
a_check_finds_rows_that_point_to_nothing(void **state)
{
    struct installation *p = *state;
    const char *found = NULL;
    assert_int_equal(db_check(p->c.db, p->c.mem, &found), OK);
    assert_string_equal(found, "ok");
    place_sql(p, "INSERT INTO member (site, id, conf, role, is_leader, name, joined_at) VALUES (1, 1, 5, 'customer', 0, '', 1)");
    assert_int_equal(db_check(p->c.db, p->c.mem, &found), OK);
    assert_string_equal(found, "a row of member points to nothing");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_copy_made_while_others_write_is_whole),
        PLACED(a_copy_does_not_replace_a_file_that_is_there),
        PLACED(a_copy_put_back_has_its_rows_moves_the_counters_on_and_keeps_the_old_database),
        PLACED(after_a_restore_there_is_a_write_ahead_log_again),
        PLACED(what_a_killed_program_had_written_is_in_the_old_database_that_a_restore_keeps),
        PLACED(and_is_there_again_when_that_one_is_put_back),
        PLACED(nothing_is_put_back_while_a_program_runs),
        PLACED(a_folder_that_is_not_there_is_not_in_use),
        PLACED(a_damaged_or_missing_copy_leaves_the_database_as_it_is),
        PLACED(what_is_no_database_of_ours_is_not_put_back),
        PLACED(every_restore_keeps_its_old_database_under_a_name_of_its_own),
        PLACED(what_an_earlier_restore_left_lying_about_does_no_harm),
        PLACED(a_check_finds_rows_that_point_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
