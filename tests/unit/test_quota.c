/* Uploads that give way to others, and what small files count. */
#include "place.h"

#include "model/file.h"
#include "model/quota.h"

enum { KB = 1024, HOUR_MS = 3600000 };

static struct file_piece
whole(struct installation *p, const char *nonce, int64_t bytes)
{
    return (struct file_piece){.nonce = nonce,
        .name = "a",
        .data = memset(arena_alloc(p->c.mem, (size_t)bytes + 1), 'x', (size_t)bytes + 1),
        .bytes = bytes,
        .total = bytes};
}

static enum err
begin(struct installation *p, const struct member *who, int number, int64_t total)
{
    struct file file;
    struct file_piece piece = whole(p, arena_printf(p->c.mem, "n%d", number), 1);
    piece.total = total;
    return file_take(&p->c, who, &piece, &file);
}

static enum err
send(struct installation *p, const struct member *who, const char *nonce, int64_t bytes)
{
    struct file file;
    struct file_piece piece = whole(p, nonce, bytes);
    return file_take(&p->c, who, &piece, &file);
}

static int64_t
unfinished(struct installation *p)
{
    return place_number(p, "SELECT count(*) FROM file WHERE event = 0");
}

static struct member
sender(struct installation *p)
{
    return place_member(p, place_conference(p).id, "Ann");
}

static void
in_a_full_room_what_is_idle_gives_way_and_no_more_than_is_needed(void **state)
{
    struct installation *p = *state;
    struct member ann = sender(p), guest = place_member(p, ann.conf, "guest"), other = sender(p);
    p->settings.room_max_bytes = 100 * KB;
    WELL(p, begin(p, &guest, 0, 10 * KB));
    WELL(p, begin(p, &guest, 1, 40 * KB));
    WELL(p, begin(p, &guest, 2, 50 * KB));
    WELL(p, begin(p, &other, 0, 90 * KB));
    place_later(p, QUOTA_IDLE_MS - 1);
    REFUSED(p, send(p, &ann, "a", 20 * KB), ERR_TOO_LARGE, "file");
    place_later(p, 1);
    REFUSED(p, send(p, &ann, "a", 100 * KB + 1), ERR_TOO_LARGE, "file");
    assert_int_equal(unfinished(p), 4); /* none in vain */
    WELL(p, send(p, &ann, "a", 20 * KB));
    assert_int_equal(unfinished(p), 3);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file WHERE nonce = 'n2'"), 0); /* the largest */
    assert_int_equal(place_number(p, "SELECT count(*) FROM job WHERE kind = 'file'"), 1); /* its bytes go, too */
    WELL(p, send(p, &ann, "b", 80 * KB));
    assert_int_equal(unfinished(p), 1);
    assert_int_equal(place_number(p, "SELECT sum(total) FROM file WHERE event = 0"), 90 * KB);
    REFUSED(p, send(p, &ann, "c", 1), ERR_TOO_LARGE, "file"); /* what is whole stays */
}

static void
uploads_of_members_who_left_give_way_at_once(void **state)
{
    struct installation *p = *state;
    struct member ann = sender(p), guest = place_member(p, ann.conf, "guest");
    p->settings.room_max_bytes = 100 * KB;
    WELL(p, begin(p, &guest, 0, 90 * KB));
    REFUSED(p, send(p, &ann, "a", 20 * KB), ERR_TOO_LARGE, "file");
    WELL(p, member_leave(&p->c, &guest));
    WELL(p, send(p, &ann, "a", 20 * KB));
    assert_int_equal(unfinished(p), 0);
}

static void
for_what_the_room_cannot_have_none_of_his_own_goes(void **state)
{
    struct installation *p = *state;
    struct member ann = sender(p), guest = place_member(p, ann.conf, "guest");
    p->settings.room_max_bytes = 100 * KB;
    WELL(p, send(p, &guest, "whole", 50 * KB));
    for (int i = 0; i < QUOTA_UNFINISHED_MAX; i++)
        WELL(p, begin(p, &ann, i, 4 * KB));
    REFUSED(p, begin(p, &ann, 10, 60 * KB), ERR_TOO_MANY, NULL); /* none is idle */
    place_later(p, QUOTA_IDLE_MS);
    REFUSED(p, begin(p, &ann, 10, 50 * KB + 1), ERR_TOO_LARGE, "file"); /* if all of them went */
    assert_int_equal(unfinished(p), QUOTA_UNFINISHED_MAX);
    WELL(p, begin(p, &ann, 10, 18 * KB));
    assert_int_equal(unfinished(p), 9); /* 50 + 40 + 18 - 100: two go, and his own is one of them */
    assert_int_equal(place_number(p, "SELECT count(*) FROM file WHERE nonce = 'n0'"), 0);
}

/* A piece comes while others are given up: as if it came between the looking and the forgetting. */
static void
when_a_piece_comes_just_then_another_gives_way_or_none(void **state)
{
    struct installation *p = *state;
    struct member ann = sender(p), guest = place_member(p, ann.conf, "guest");
    p->settings.room_max_bytes = 100 * KB;
    WELL(p, begin(p, &guest, 0, 50 * KB));
    WELL(p, begin(p, &guest, 1, 30 * KB));
    WELL(p, begin(p, &guest, 2, 20 * KB));
    place_later(p, QUOTA_IDLE_MS);
    place_sql(p, "CREATE TRIGGER goes_on BEFORE DELETE ON file WHEN old.nonce = 'n1' BEGIN SELECT raise(IGNORE); END");
    REFUSED(p, send(p, &ann, "a", 80 * KB), ERR_TOO_LARGE, "file"); /* two would do, but one of them goes on */
    assert_int_equal(unfinished(p), 3);
    WELL(p, send(p, &ann, "a", 60 * KB)); /* instead of that one the next */
    assert_int_equal(unfinished(p), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file WHERE nonce = 'n1'"), 1);
}

static void
a_clock_that_was_set_back_makes_idle(void **state)
{
    struct installation *p = *state;
    struct member ann = sender(p);
    for (int i = 0; i < QUOTA_UNFINISHED_MAX; i++) {
        WELL(p, begin(p, &ann, i, 5));
        place_later(p, i == 0);
    }
    p->c.now_ms -= QUOTA_IDLE_MS - 1; /* by less than it takes to be idle: other programs have a clock, too */
    REFUSED(p, begin(p, &ann, 10, 5), ERR_TOO_MANY, NULL);
    p->c.now_ms -= 2 * HOUR_MS;
    WELL(p, begin(p, &ann, 10, 5));
    assert_int_equal(unfinished(p), QUOTA_UNFINISHED_MAX);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file WHERE nonce = 'n0'"), 0);
    WELL(p, begin(p, &ann, 11, 5)); /* one more of before the clock was set, not the one of after it */
    assert_int_equal(place_number(p, "SELECT count(*) FROM file WHERE nonce IN ('n1', 'n10')"), 1);
    p->settings.room_max_bytes = QUOTA_UNFINISHED_MAX * QUOTA_FILE_LEAST_BYTES;
    WELL(p, send(p, &ann, "a", 1));
}

static void
a_file_counts_four_kilobytes_at_least(void **state)
{
    struct installation *p = *state;
    struct member ann = sender(p);
    p->settings.room_max_bytes = 4 * 4096;
    for (int i = 0; i < 3; i++)
        WELL(p, send(p, &ann, arena_printf(p->c.mem, "a%d", i), i));
    REFUSED(p, send(p, &ann, "b", 4097), ERR_TOO_LARGE, "file");
    WELL(p, send(p, &ann, "b", 4096));
    REFUSED(p, send(p, &ann, "c", 0), ERR_TOO_LARGE, "file");
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 4);
}

static void
send_little(struct installation *p, int number)
{
    struct member ann;
    place_enter(p);
    MUST(member_find(&p->c, place_number(p, "SELECT id FROM member"), &ann) == OK);
    for (int i = 0; i < 10; i++) {
        enum err err = send(p, &ann, arena_printf(p->c.mem, "n%d-%d", number, i), 1);
        MUST(err == OK || err == ERR_TOO_LARGE);
    }
    db_close(p->c.db);
}

static void
four_processes_at_once_send_as_many_small_files_as_there_is_room_for(void **state)
{
    struct installation *p = *state;
    sender(p);
    p->settings.room_max_bytes = 15 * 4096;
    place_together(p, 4, send_little);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 15);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(in_a_full_room_what_is_idle_gives_way_and_no_more_than_is_needed),
        PLACED(uploads_of_members_who_left_give_way_at_once),
        PLACED(for_what_the_room_cannot_have_none_of_his_own_goes),
        PLACED(when_a_piece_comes_just_then_another_gives_way_or_none),
        PLACED(a_clock_that_was_set_back_makes_idle),
        PLACED(a_file_counts_four_kilobytes_at_least),
        PLACED(four_processes_at_once_send_as_many_small_files_as_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
