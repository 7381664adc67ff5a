/* Files of which several pieces come at once, or of which a piece was cut off in the middle of being kept: what was acknowledged stays
 * as it was. */
#include "place.h"

#include "model/file.h"

enum { ROUNDS = 24, SENDERS = 3, LAST_BYTES = 300000 };

/* The first pieces: nothing, or the head of a picture. */
static const char png[] = "\x89PNG\r\n\x1a\n";
enum { PNG_BYTES = sizeof png - 1 };

static struct file_piece
piece(struct installation *p, int round, const char *data, int64_t bytes, int64_t offset)
{
    int64_t first = round % 2 ? PNG_BYTES : 0;
    return (struct file_piece){.nonce = arena_printf(p->c.mem, "r%d", round),
        .name = "a.png",
        .data = data,
        .bytes = bytes,
        .offset = offset,
        .total = first + LAST_BYTES};
}

/* What a sender sends last: of one byte, with a head of its own, by which a file that has nothing else gets its type. */
static char *
last_of(struct installation *p, int number)
{
    static const char *const heads[SENDERS] = {"%PDF-", "GIF8", "OggS"};
    char *data = arena_alloc(p->c.mem, LAST_BYTES);
    memset(data, 'A' + number, LAST_BYTES);
    memcpy(data, heads[number], strlen(heads[number]));
    return data;
}

static const char *const types[SENDERS] = {"application/pdf", "image/gif", "audio/ogg"};

static const char *
won(struct installation *p, int round, int number)
{
    return arena_printf(p->c.mem, "won-%d-%d", round, number);
}

static void
send_last(struct installation *p, int number)
{
    struct member ann;
    place_enter(p);
    MUST(member_find(&p->c, place_number(p, "SELECT id FROM member"), &ann) == OK);
    for (int round = 0; round < ROUNDS; round++) {
        struct file file;
        struct file_piece last = piece(p, round, last_of(p, number), LAST_BYTES, round % 2 ? PNG_BYTES : 0);
        p->c.fault = (struct fault){0};
        enum err err = file_take(&p->c, &ann, &last, &file);
        MUST(err == OK || err == ERR_CONFLICT);
        if (err == OK)
            close(open(arena_printf(p->c.mem, "%s/%s", p->folder, won(p, round, number)), O_CREAT | O_WRONLY, 0600));
    }
    db_close(p->c.db);
}

static void
of_several_last_pieces_at_once_the_acknowledged_one_is_kept(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    p->settings.room_max_bytes = INT64_C(1) << 40;
    for (int round = 0; round < ROUNDS; round++) {
        struct file file;
        struct file_piece first = piece(p, round, png, round % 2 ? PNG_BYTES : 0, 0);
        WELL(p, file_take(&p->c, &ann, &first, &file));
        place_sql(p, "UPDATE file SET member = -member WHERE member > 0"); /* so that not too many are unfinished */
    }
    place_sql(p, "UPDATE file SET member = -member");
    place_together(p, SENDERS, send_last);
    char *kept = arena_alloc(p->c.mem, PNG_BYTES + LAST_BYTES);
    for (int round = 0; round < ROUNDS; round++) {
        int winner = -1, winners = 0, fd = -1;
        int64_t first = round % 2 ? PNG_BYTES : 0;
        for (int number = 0; number < SENDERS; number++)
            if (place_has(p, won(p, round, number))) {
                winner = number;
                winners++;
            }
        CHECK(winners == 1, "round %d: %d were acknowledged", round, winners);
        struct file file;
        int64_t id = place_number(p, arena_printf(p->c.mem, "SELECT id FROM file WHERE nonce = 'r%d'", round));
        WELL(p, file_find(&p->c, id, &file));
        WELL(p, file_open(&p->c, &file, &fd));
        assert_int_equal(read(fd, kept, PNG_BYTES + LAST_BYTES), first + LAST_BYTES);
        close(fd);
        CHECK(memcmp(kept + first, last_of(p, winner), LAST_BYTES) == 0, "round %d: kept is not what %d sent", round, winner);
        CHECK(text_same(file.type, round % 2 ? "image/png" : types[winner]), "round %d: %s", round, file.type);
    }
}

/* ── one after the other ── */

static struct file_piece
fox(const char *data, int64_t offset)
{
    return (struct file_piece){.nonce = "n",
        .name = "fox.txt",
        .data = data,
        .bytes = (int64_t)strlen(data),
        .offset = offset,
        .total = 13};
}

static void
what_is_there_already_is_not_acknowledged_with_other_bytes(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece first = fox("the quick", 0), other = fox("The quick", 0), part = fox("quick", 4), wrong = fox("quack", 4);
    struct file_piece last = fox(" fox", 9), whole = fox("the quick fox", 0), hen = fox("the quick hen", 0);
    WELL(p, file_take(&p->c, &ann, &first, &file));
    WELL(p, file_take(&p->c, &ann, &part, &file));
    assert_int_equal(file.bytes, 9);
    REFUSED(p, file_take(&p->c, &ann, &other, &file), ERR_CONFLICT, "nonce");
    assert_false(p->c.fault.has_offset);
    REFUSED(p, file_take(&p->c, &ann, &wrong, &file), ERR_CONFLICT, "nonce");
    WELL(p, file_take(&p->c, &ann, &last, &file));
    WELL(p, file_take(&p->c, &ann, &whole, &file));
    REFUSED(p, file_take(&p->c, &ann, &hen, &file), ERR_CONFLICT, "nonce");
}

static void
what_a_killed_program_left_behind_the_end_is_written_over(void **state)
{
    struct installation *p = *state;
    struct file file;
    char kept[20];
    int fd = -1;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece first = fox("the quick", 0), last = fox(" fox", 9);
    WELL(p, file_take(&p->c, &ann, &first, &file));
    place_poke(p, arena_printf(p->c.mem, "files/%s", file.place), 9, " hen", 4);
    WELL(p, file_take(&p->c, &ann, &first, &file));
    assert_int_equal(file.bytes, 9);
    WELL(p, file_take(&p->c, &ann, &last, &file));
    WELL(p, file_open(&p->c, &file, &fd));
    assert_int_equal(read(fd, kept, sizeof kept), 13);
    assert_memory_equal(kept, "the quick fox", 13);
    close(fd);
}

static void
an_unfinished_file_whose_bytes_are_lost_begins_again(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece first = fox("the quick", 0), last = fox(" fox", 9);
    for (int is_short = 0; is_short <= 1; is_short++) {
        WELL(p, file_take(&p->c, &ann, &first, &file));
        const char *path = arena_printf(p->c.mem, "%s/files/%s", p->folder, file.place);
        assert_int_equal(is_short ? truncate(path, 8) : unlink(path), 0);
        REFUSED(p, file_take(&p->c, &ann, &last, &file), ERR_CONFLICT, "offset");
        assert_true(p->c.fault.has_offset);
        assert_int_equal(p->c.fault.offset, 0);
        assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 0);
        assert_int_equal(access(path, F_OK), -1);
    }
    WELL(p, file_take(&p->c, &ann, &first, &file));
    WELL(p, file_take(&p->c, &ann, &last, &file));
    assert_true(file.event > 0);
}

static void
is_whole(struct installation *p, const struct file *file, const char *want)
{
    char kept[40] = "";
    int fd = -1;
    WELL(p, file_open(&p->c, file, &fd));
    CHECK(read(fd, kept, sizeof kept - 1) >= 0 && text_same(kept, want), "kept is '%s'", kept);
    close(fd);
}

static void
the_bytes_of_a_whole_file_that_are_lost_are_taken_when_they_come_again(void **state)
{
    struct installation *p = *state;
    struct file file, again;
    int fd = -1;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece whole = fox("the quick fox", 0), last = fox(" fox", 9), hen = fox("The quick hen", 0),
                      pdf = fox("%PDF-quickfox", 0);
    WELL(p, file_take(&p->c, &ann, &whole, &file));
    const char *path = arena_printf(p->c.mem, "%s/files/%s", p->folder, file.place);
    for (int is_short = 0; is_short <= 1; is_short++) {
        assert_int_equal(is_short ? truncate(path, 8) : unlink(path), 0);
        REFUSED(p, file_open(&p->c, &file, &fd), ERR_NOT_FOUND, "id");
        REFUSED(p, file_take(&p->c, &ann, &last, &again), ERR_UNAVAILABLE, NULL);
        REFUSED(p, file_take(&p->c, &ann, &pdf, &again), ERR_CONFLICT, "nonce"); /* what was announced is of another type */
        if (is_short)
            REFUSED(p, file_take(&p->c, &ann, &hen, &again), ERR_CONFLICT, "nonce");
        WELL(p, file_take(&p->c, &ann, &whole, &again));
        assert_int_equal(again.event, file.event);
        is_whole(p, &file, "the quick fox");
        WELL(p, file_take(&p->c, &ann, &last, &again));
        REFUSED(p, file_take(&p->c, &ann, &hen, &again), ERR_CONFLICT, "nonce");
    }
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'file'"), 1);
}

static void
an_empty_file_that_is_lost_comes_again(void **state)
{
    struct installation *p = *state;
    struct file file, again;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece empty = {.nonce = "n", .name = "a", .data = ""};
    WELL(p, file_take(&p->c, &ann, &empty, &file));
    unlink(arena_printf(p->c.mem, "%s/files/%s", p->folder, file.place));
    WELL(p, file_take(&p->c, &ann, &empty, &again));
    is_whole(p, &file, "");
}

static void
a_piece_that_is_there_no_more_is_not_acknowledged(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece first = fox("the quick", 0);
    WELL(p, file_take(&p->c, &ann, &first, &file));
    unlink(arena_printf(p->c.mem, "%s/files/%s", p->folder, file.place));
    REFUSED(p, file_take(&p->c, &ann, &first, &file), ERR_CONFLICT, "offset");
    assert_true(p->c.fault.has_offset);
    assert_int_equal(p->c.fault.offset, 0);
    assert_int_equal(place_number(p, "SELECT count(*) FROM job"), 0);
    WELL(p, file_take(&p->c, &ann, &first, &file));
}

static void
what_cannot_be_read_is_not_the_same(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece whole = fox("the quick fox", 0);
    WELL(p, file_take(&p->c, &ann, &whole, &file));
    const char *files = arena_printf(p->c.mem, "%s/files", p->folder), *away = arena_printf(p->c.mem, "%s/away", p->folder);
    assert_int_equal(rename(files, away), 0); /* a disk that is not mounted */
    REFUSED(p, file_take(&p->c, &ann, &whole, &file), ERR_UNAVAILABLE, NULL);
    assert_int_equal(rename(away, files), 0);
    const char *path = arena_printf(p->c.mem, "%s/%s", files, file.place);
    unlink(path);
    mkdir(path, 0700); /* reading it fails */
    REFUSED(p, file_take(&p->c, &ann, &whole, &file), ERR_UNAVAILABLE, NULL);
}

/* What was announced is answered after the end as before it. */
static void
before_the_end_it_was_whole_and_with_other_bytes_it_was_not(void **state)
{
    struct installation *p = *state;
    struct file file, again;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct file_piece whole = fox("the quick fox", 0), last = fox(" fox", 9), hen = fox("the quick hen", 0), longer = hen,
                      begun = fox("x", 0);
    longer.total++;
    begun.nonce = "begun";
    REFUSED(p, file_before(&p->c, &ann, &whole, &again), ERR_NOT_FOUND, NULL);
    WELL(p, file_take(&p->c, &ann, &whole, &file));
    WELL(p, file_take(&p->c, &ann, &begun, &again));
    WELL(p, file_before(&p->c, &ann, &whole, &again));
    assert_int_equal(again.event, file.event);
    WELL(p, file_before(&p->c, &ann, &last, &again));
    REFUSED(p, file_before(&p->c, &ann, &hen, &again), ERR_CONFLICT, "nonce");
    REFUSED(p, file_before(&p->c, &ann, &longer, &again), ERR_CONFLICT, "nonce");
    REFUSED(p, file_before(&p->c, &ann, &begun, &again), ERR_NOT_FOUND, NULL);
    assert_null(p->c.fault.reason);
    unlink(arena_printf(p->c.mem, "%s/files/%s", p->folder, file.place));
    WELL(p, file_before(&p->c, &ann, &whole, &again));
    is_whole(p, &file, "the quick fox");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(of_several_last_pieces_at_once_the_acknowledged_one_is_kept),
        PLACED(what_is_there_already_is_not_acknowledged_with_other_bytes),
        PLACED(what_a_killed_program_left_behind_the_end_is_written_over),
        PLACED(an_unfinished_file_whose_bytes_are_lost_begins_again),
        PLACED(the_bytes_of_a_whole_file_that_are_lost_are_taken_when_they_come_again),
        PLACED(an_empty_file_that_is_lost_comes_again),
        PLACED(a_piece_that_is_there_no_more_is_not_acknowledged),
        PLACED(what_cannot_be_read_is_not_the_same),
        PLACED(before_the_end_it_was_whole_and_with_other_bytes_it_was_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
