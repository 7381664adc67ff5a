/* What files may take: of one member, of one room, and for how long when they do not come to their end. */
#include "place.h"

#include "model/due.h"
#include "model/file.h"
#include "model/filestore.h"
#include "model/quota.h"

enum { DAY_MS = 86400000 };

static struct file_piece
begun(struct installation *p, int number)
{
    return (
        struct file_piece){.nonce = arena_printf(p->c.mem, "n%d", number), .name = "a", .data = "hel", .bytes = 3, .total = 5};
}

static struct file_piece
ended(struct installation *p, int number)
{
    struct file_piece piece = begun(p, number);
    piece.data = "lo";
    piece.bytes = 2;
    piece.offset = 3;
    return piece;
}

static struct member
sender(struct installation *p)
{
    return place_member(p, place_conference(p).id, "Ann");
}

/* Does what is due; gives how much that was. */
static int
work(struct installation *p)
{
    struct due due;
    int count = 0;
    for (; due_claim(&p->c, &due) == OK; count++) {
        assert_string_equal(due.kind, DUE_FILE);
        WELL(p, filestore_drop(&p->c, due.key));
    }
    return count;
}

static bool
is_on_disk(struct installation *p, const struct file *file)
{
    return place_has(p, arena_printf(p->c.mem, "files/%s", file->place));
}

/* ── how much ── */

static void
ten_files_of_a_member_are_unfinished_at_most(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p), bob = place_member(p, ann.conf, "Bob");
    struct file_piece piece, again = begun(p, 3), end = ended(p, 3);
    for (int i = 0; i < QUOTA_UNFINISHED_MAX; i++) {
        piece = begun(p, i);
        WELL(p, file_take(&p->c, &ann, &piece, &file));
    }
    piece = begun(p, 10);
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_TOO_MANY, NULL);
    assert_string_equal(p->c.fault.reason,
        "10 files of yours are on their way. Send one of them to its end first, or try again in a minute.");
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 10);
    WELL(p, file_take(&p->c, &ann, &again, &file)); /* what is there goes on */
    struct file_piece whole = {.nonce = "whole", .name = "a", .data = "hello", .bytes = 5, .total = 5};
    WELL(p, file_take(&p->c, &ann, &whole, &file)); /* what comes at once never is unfinished */
    WELL(p, file_take(&p->c, &bob, &piece, &file)); /* nor are they others' */
    WELL(p, file_take(&p->c, &ann, &end, &file));
    WELL(p, file_take(&p->c, &ann, &piece, &file));
}

static void
who_begins_more_gives_up_the_one_that_is_idle_for_longest(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct due due;
    struct member ann = sender(p);
    struct file_piece piece, more = begun(p, 10), another = begun(p, 11);
    for (int i = 0; i < QUOTA_UNFINISHED_MAX; i++) {
        piece = begun(p, i);
        WELL(p, file_take(&p->c, &ann, &piece, &file));
        place_later(p, i ? 0 : 1); /* the first is the oldest */
    }
    const char *place = place_text(p, "SELECT place FROM file ORDER BY id LIMIT 1");
    place_later(p, QUOTA_IDLE_MS - 2);
    REFUSED(p, file_take(&p->c, &ann, &more, &file), ERR_TOO_MANY, NULL);
    place_later(p, 1);
    WELL(p, file_take(&p->c, &ann, &more, &file));
    REFUSED(p, file_take(&p->c, &ann, &another, &file), ERR_TOO_MANY, NULL); /* the others are a moment younger */
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), QUOTA_UNFINISHED_MAX);
    WELL(p, due_claim(&p->c, &due));
    assert_string_equal(due.kind, DUE_FILE);
    assert_string_equal(due.key, place);
    WELL(p, filestore_drop(&p->c, due.key));
    struct file_piece end = ended(p, 0); /* whoever goes on all the same begins anew */
    REFUSED(p, file_take(&p->c, &ann, &end, &file), ERR_CONFLICT, "offset");
    assert_int_equal(p->c.fault.offset, 0);
}

static void
begin_many(struct installation *p, int number)
{
    struct member ann;
    place_enter(p);
    MUST(member_find(&p->c, place_number(p, "SELECT id FROM member"), &ann) == OK);
    for (int i = 0; i < QUOTA_UNFINISHED_MAX; i++) {
        struct file file;
        struct file_piece piece = begun(p, number * 100 + i);
        enum err err = file_take(&p->c, &ann, &piece, &file);
        MUST(err == OK || err == ERR_TOO_MANY);
    }
    db_close(p->c.db);
}

static void
four_processes_at_once_begin_ten_as_well(void **state)
{
    struct installation *p = *state;
    sender(p);
    place_together(p, 4, begin_many);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), QUOTA_UNFINISHED_MAX);
}

static void
the_files_of_a_room_have_a_limit_to_the_byte(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p), bob = place_member(p, ann.conf, "Bob"), other = sender(p);
    struct file_piece first = begun(p, 1), second = begun(p, 2), end = ended(p, 2);
    p->settings.room_max_bytes = QUOTA_FILE_LEAST_BYTES + QUOTA_FILE_LEAST_BYTES;
    WELL(p, file_take(&p->c, &ann, &first, &file));
    WELL(p, file_take(&p->c, &bob, &second, &file));
    struct file_piece more = {.nonce = "more", .name = "a", .data = "x", .bytes = 1, .total = 1};
    REFUSED(p, file_take(&p->c, &ann, &more, &file), ERR_TOO_LARGE, "file");
    p->settings.room_max_bytes = (3 << 20) + 2 * QUOTA_FILE_LEAST_BYTES - 1;
    more.total = 3 << 20;
    REFUSED(p, file_take(&p->c, &bob, &more, &file), ERR_TOO_LARGE, "file");
    assert_string_equal(p->c.fault.reason, "The files of one conversation may have 3 MB together; this one is too much.");
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 2);
    WELL(p, file_take(&p->c, &bob, &end, &file)); /* what was begun has its place */
    WELL(p, file_take(&p->c, &other, &more, &file));
}

/* ── how long ── */

static void
what_nobody_went_on_with_for_a_day_is_removed_and_begins_again(void **state)
{
    struct installation *p = *state;
    struct file left, gone_on, complete, file;
    struct member ann = sender(p);
    struct file_piece a = begun(p, 1), b = begun(p, 2), whole = begun(p, 3), end = ended(p, 1), middle = ended(p, 2);
    whole.total = 3;
    middle.bytes = 1;
    WELL(p, file_take(&p->c, &ann, &a, &left));
    WELL(p, file_take(&p->c, &ann, &b, &gone_on));
    WELL(p, file_take(&p->c, &ann, &whole, &complete));
    place_later(p, DAY_MS);
    WELL(p, filestore_tidy(&p->c));
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 3);
    WELL(p, file_take(&p->c, &ann, &middle, &gone_on));
    place_later(p, 1);
    WELL(p, filestore_tidy(&p->c));
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 2);
    CHECK(is_on_disk(p, &left), "the bytes go after the row");
    assert_int_equal(work(p), 1);
    assert_false(is_on_disk(p, &left));
    assert_true(is_on_disk(p, &gone_on) && is_on_disk(p, &complete));
    assert_int_equal(work(p), 0);
    REFUSED(p, file_take(&p->c, &ann, &end, &file), ERR_CONFLICT, "offset");
    assert_true(p->c.fault.has_offset);
    assert_int_equal(p->c.fault.offset, 0);
    WELL(p, file_take(&p->c, &ann, &a, &file));
    WELL(p, file_take(&p->c, &ann, &end, &file));
    assert_true(file.event > 0);
}

static void
many_are_removed_at_once_and_those_of_a_clock_that_was_ahead(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    struct file_piece piece = begun(p, 1);
    WELL(p, file_take(&p->c, &ann, &piece, &file));
    place_sql(p, "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1100) "
                 "INSERT INTO file SELECT site, id + i, conf, member, 'm' || i, 'p' || i, name, type, bytes, total, event, "
                 "created_at FROM file, n");
    place_sql(p, arena_printf(p->c.mem, "UPDATE file SET created_at = created_at + %d WHERE nonce = 'n1'", 3 * DAY_MS));
    WELL(p, filestore_tidy(&p->c));
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 1100);
    place_later(p, DAY_MS + 1);
    WELL(p, filestore_tidy(&p->c));
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 0);
    assert_int_equal(work(p), 1101);
    assert_false(is_on_disk(p, &file));
}

static void
a_folder_that_is_away_keeps_the_work_due(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    struct file_piece piece = begun(p, 1);
    const char *files = arena_printf(p->c.mem, "%s/files", p->folder), *away = arena_printf(p->c.mem, "%s/away", p->folder);
    WELL(p, file_take(&p->c, &ann, &piece, &file));
    place_later(p, DAY_MS + 1);
    WELL(p, filestore_tidy(&p->c));
    assert_int_equal(rename(files, away), 0);
    REFUSED(p, filestore_drop(&p->c, file.place), ERR_UNAVAILABLE, NULL);
    assert_int_equal(place_number(p, "SELECT count(*) FROM job"), 1);
    assert_int_equal(rename(away, files), 0);
    WELL(p, filestore_drop(&p->c, file.place));
    WELL(p, filestore_drop(&p->c, file.place)); /* again, as after a crash before it was noted as done */
    assert_int_equal(place_number(p, "SELECT count(*) FROM job"), 0);
}

static void
nothing_outside_of_the_folder_is_removed(void **state)
{
    struct installation *p = *state;
    WELL(p, filestore_drop(&p->c, "../rtcc.db"));
    WELL(p, filestore_drop(&p->c, ""));
    assert_true(place_has(p, "rtcc.db") && place_has(p, "files"));
}

static void
a_database_that_refuses_keeps_row_and_bytes(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    struct file_piece piece = begun(p, 1);
    WELL(p, file_take(&p->c, &ann, &piece, &file));
    place_later(p, DAY_MS + 1);
    place_sql(p, "ALTER TABLE job RENAME TO hidden");
    REFUSED(p, filestore_tidy(&p->c), ERR_UNAVAILABLE, NULL);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 1);
    assert_true(is_on_disk(p, &file));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(ten_files_of_a_member_are_unfinished_at_most),
        PLACED(who_begins_more_gives_up_the_one_that_is_idle_for_longest),
        PLACED(four_processes_at_once_begin_ten_as_well),
        PLACED(the_files_of_a_room_have_a_limit_to_the_byte),
        PLACED(what_nobody_went_on_with_for_a_day_is_removed_and_begins_again),
        PLACED(many_are_removed_at_once_and_those_of_a_clock_that_was_ahead),
        PLACED(a_folder_that_is_away_keeps_the_work_due),
        PLACED(nothing_outside_of_the_folder_is_removed),
        PLACED(a_database_that_refuses_keeps_row_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
