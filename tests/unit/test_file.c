/* Files that members send each other: whole, in pieces, cut off and resumed; their types and names. */
#include "place.h"

#include <dirent.h>

#include "model/event.h"
#include "model/file.h"

static struct file_piece
whole(const char *nonce, const char *name, const char *data, int64_t bytes)
{
    return (struct file_piece){.nonce = nonce, .name = name, .data = data, .bytes = bytes, .total = bytes};
}

static struct member
sender(struct installation *p)
{
    return place_member(p, place_conference(p).id, "Ann");
}

static const char *
contents(struct installation *p, const struct file *file)
{
    int fd = -1;
    char *data = arena_alloc(p->c.mem, (size_t)file->bytes + 2);
    WELL(p, file_open(&p->c, file, &fd));
    assert_int_equal(read(fd, data, (size_t)file->bytes + 1), file->bytes);
    close(fd);
    return data;
}

static int
files_on_disk(struct installation *p)
{
    int count = 0;
    DIR *d = opendir(arena_printf(p->c.mem, "%s/files", p->folder));
    for (struct dirent *e; (e = readdir(d));)
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

/* ── whole ── */

static void
what_comes_whole_after_the_end_is_refused_and_leaves_nothing(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    struct file_piece piece = whole("n1", "notes.txt", "hello", 5), half = whole("n2", "half.txt", "hel", 3);
    half.total = 5;
    WELL(p, file_take(&p->c, &ann, &half, &file));
    place_sql(p, "UPDATE member SET left_at = 1"); /* it ended while the bytes came */
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_CONFLICT, "conf");
    assert_int_equal(files_on_disk(p), 1);
    half = (struct file_piece){.nonce = "n2", .name = "half.txt", .data = "lo", .bytes = 2, .offset = 3, .total = 5};
    REFUSED(p, file_take(&p->c, &ann, &half, &file), ERR_CONFLICT, "conf");
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'file'"), 0);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 1);
}

static void
a_whole_file_is_kept_and_the_room_hears_of_it(void **state)
{
    struct installation *p = *state;
    struct file file, found;
    struct member ann = sender(p);
    struct file_piece piece = whole("n1", "notes.txt", "hello", 5);
    WELL(p, file_take(&p->c, &ann, &piece, &file));
    assert_int_equal(file.bytes, 5);
    assert_int_equal(file.total, 5);
    assert_int_equal(file.conf, ann.conf);
    assert_string_equal(contents(p, &file), "hello");
    assert_string_equal(place_text(p, "SELECT data FROM event WHERE kind = 'file'"),
        arena_printf(p->c.mem,
            "{\"file\":{\"id\":%lld,\"name\":\"notes.txt\",\"type\":\"application/octet-stream\",\"bytes\":5,"
            "\"url\":\"/cgi_bin/file_get?id=%lld\"}}",
            (long long)file.id, (long long)file.id));
    assert_int_equal(place_number(p, "SELECT id FROM event WHERE kind = 'file'"), file.event);
    WELL(p, file_find(&p->c, file.id, &found));
    assert_string_equal(found.place, file.place);
    REFUSED(p, file_find(&p->c, file.id + 100, &found), ERR_NOT_FOUND, "id");
    struct stat s;
    assert_int_equal(stat(arena_printf(p->c.mem, "%s/files/%s", p->folder, file.place), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_null(strstr(file.place, "notes"));
}

static void
the_same_file_again_is_the_same_and_announced_once(void **state)
{
    struct installation *p = *state;
    struct file first, again;
    struct member ann = sender(p), bob = place_member(p, ann.conf, "Bob");
    struct file_piece piece = whole("n1", "notes.txt", "hello", 5);
    WELL(p, file_take(&p->c, &ann, &piece, &first));
    WELL(p, file_take(&p->c, &ann, &piece, &again));
    assert_int_equal(again.id, first.id);
    assert_int_equal(again.event, first.event);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'file'"), 1);
    assert_int_equal(files_on_disk(p), 1);
    WELL(p, file_take(&p->c, &bob, &piece, &again));
    assert_int_not_equal(again.id, first.id);
}

static void
an_empty_file_is_a_file(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    struct file_piece piece = whole("n1", "empty", "", 0);
    WELL(p, file_take(&p->c, &ann, &piece, &file));
    assert_int_equal(file.total, 0);
    assert_true(file.event > 0);
}

/* ── in pieces ── */

static const char text[] = "The quick brown fox jumps over the lazy dog";
enum { TEXT_BYTES = sizeof text - 1 };

static struct file_piece
part(int64_t from, int64_t bytes)
{
    return (struct file_piece){.nonce = "n1",
        .name = "fox.txt",
        .data = text + from,
        .bytes = bytes,
        .offset = from,
        .total = TEXT_BYTES};
}

static void
pieces_come_together_and_the_last_announces_the_file(void **state)
{
    struct installation *p = *state;
    struct file file, found;
    struct member ann = sender(p);
    for (int64_t from = 0; from < TEXT_BYTES; from += 10) {
        struct file_piece piece = part(from, TEXT_BYTES - from < 10 ? TEXT_BYTES - from : 10);
        WELL(p, file_take(&p->c, &ann, &piece, &file));
        assert_int_equal(file.bytes, piece.offset + piece.bytes);
        assert_int_equal(file.event > 0, file.bytes == TEXT_BYTES);
        if (!file.event)
            REFUSED(p, file_find(&p->c, file.id, &found), ERR_NOT_FOUND, "id");
        struct file again; /* its answer was lost: sent again */
        WELL(p, file_take(&p->c, &ann, &piece, &again));
        assert_int_equal(again.bytes, file.bytes);
        assert_int_equal(again.event, file.event);
    }
    assert_string_equal(contents(p, &file), text);
    assert_int_equal(files_on_disk(p), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'file'"), 1);
}

static void
a_piece_that_does_not_fit_is_told_where_to_go_on(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    struct file_piece first = part(0, 10);
    static const int64_t offsets[][2] = {{20, 10}, {11, 10}, {5, 10}, {9, 2}};
    struct file_piece early = part(10, 10);
    REFUSED(p, file_take(&p->c, &ann, &early, &file), ERR_CONFLICT, "offset");
    assert_true(p->c.fault.has_offset);
    assert_int_equal(p->c.fault.offset, 0);
    WELL(p, file_take(&p->c, &ann, &first, &file));
    for (size_t i = 0; i < COUNT(offsets); i++) {
        struct file_piece piece = part(offsets[i][0], offsets[i][1]);
        REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_CONFLICT, "offset");
        assert_true(p->c.fault.has_offset);
        assert_int_equal(p->c.fault.offset, 10);
    }
    struct file_piece other = part(10, 10);
    other.total++;
    REFUSED(p, file_take(&p->c, &ann, &other, &file), ERR_CONFLICT, "offset");
    struct file_piece rest = part(10, TEXT_BYTES - 10);
    WELL(p, file_take(&p->c, &ann, &rest, &file));
    assert_string_equal(contents(p, &file), text);
}

static void
of_two_who_send_the_same_piece_at_once_one_is_told_where_to_go_on(void **state)
{
    struct installation *p = *state;
    struct file file;
    int changed = 77;
    struct member ann = sender(p);
    struct file_piece first = part(0, 10);
    WELL(p, file_take(&p->c, &ann, &first, &file));
    struct sql_file_grow_in in = {.id = file.id, .had = 0, .bytes = 10};
    assert_int_equal(sql_file_grow(p->c.db, &in, &changed), OK);
    assert_int_equal(changed, 0);
}

static void
send_all_pieces(struct installation *p, int number)
{
    struct member ann;
    (void)number;
    place_enter(p);
    MUST(member_find(&p->c, place_number(p, "SELECT id FROM member"), &ann) == OK);
    for (int64_t from = 0; from < TEXT_BYTES;) {
        struct file file;
        struct file_piece piece = part(from, TEXT_BYTES - from < 4 ? TEXT_BYTES - from : 4);
        p->c.fault = (struct fault){0};
        enum err err = file_take(&p->c, &ann, &piece, &file);
        MUST(err == OK || (err == ERR_CONFLICT && p->c.fault.has_offset));
        from = err == OK ? file.bytes : p->c.fault.offset;
    }
    db_close(p->c.db);
}

static void
four_processes_with_the_same_nonce_make_one_file(void **state)
{
    struct installation *p = *state;
    struct file file;
    sender(p);
    place_together(p, 4, send_all_pieces);
    WELL(p, file_find(&p->c, place_number(p, "SELECT id FROM file"), &file));
    assert_string_equal(contents(p, &file), text);
    assert_int_equal(files_on_disk(p), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'file'"), 1);
}

static void
what_is_over_the_limit_is_refused_before_a_byte_is_kept(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    p->settings.file_max_bytes = 3 << 20;
    struct file_piece piece = {.nonce = "n1", .name = "x", .data = "hello", .bytes = 5, .total = (3 << 20) + 1};
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_TOO_LARGE, "file");
    assert_string_equal(p->c.fault.reason, "A file may have 3 MB at most.");
    piece.total = 4;
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_BAD_PARAMETER, "total");
    piece.total = 5;
    piece.offset = 1;
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_BAD_PARAMETER, "total");
    assert_int_equal(files_on_disk(p), 0);
}

/* ── types and names ── */

static void
the_type_is_found_in_the_first_bytes_not_in_the_name(void **state)
{
    static const struct {
        const char *data;
        int64_t bytes;
        const char *type;
    } rows[] = {
        {BYTES("\x89PNG\r\n\x1a\n0000"), "image/png"},
        {BYTES("\xff\xd8\xff\xe0 jfif"), "image/jpeg"},
        {BYTES("GIF89a..."), "image/gif"},
        {BYTES("RIFF0000WEBPVP8 "), "image/webp"},
        {BYTES("%PDF-1.7\n"), "application/pdf"},
        {BYTES("RIFF0000WAVEfmt "), "audio/wav"},
        {BYTES("OggS\0\2"), "audio/ogg"},
        {BYTES("ID3\4\0"), "audio/mpeg"},
        {BYTES("\0\0\0\x18"
               "ftypmp42"),
            "video/mp4"},
        {BYTES("\x1a\x45\xdf\xa3 matroska"), "video/webm"},
        {BYTES("<html><script>alert(1)</script>"), "application/octet-stream"},
        {BYTES("<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>"), "application/octet-stream"},
        {BYTES("MZ\x90\0"), "application/octet-stream"},
        {BYTES("\x89PNG"), "application/octet-stream"},
        {BYTES("RIFF0000WEB"), "application/octet-stream"},
        {BYTES(" %PDF-1.7"), "application/octet-stream"},
        {BYTES(""), "application/octet-stream"},
    };
    struct installation *p = *state;
    struct member ann = sender(p);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct file file;
        struct file_piece piece = whole(arena_printf(p->c.mem, "n%zu", i), "picture.html", rows[i].data, rows[i].bytes);
        WELL(p, file_take(&p->c, &ann, &piece, &file));
        CHECK(text_same(file.type, rows[i].type), "row %zu is %s", i, file.type);
        CHECK(file_may_be_shown(file.type) == !text_same(rows[i].type, "application/octet-stream"), "row %zu", i);
    }
}

static void
the_type_is_right_when_the_first_bytes_come_one_by_one(void **state)
{
    static const char png[] = "\x89PNG\r\n\x1a\n0000";
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    for (int64_t i = 0; i < 12; i++) {
        struct file_piece piece = {.nonce = "n", .name = "a.png", .data = png + i, .bytes = 1, .offset = i, .total = 12};
        WELL(p, file_take(&p->c, &ann, &piece, &file));
    }
    assert_string_equal(file.type, "image/png");
}

static void
a_name_loses_its_folders_and_what_would_break_a_header(void **state)
{
    static const char *const names[][2] = {{"photo.jpg", "photo.jpg"}, {"C:\\Users\\Ann\\photo.jpg", "photo.jpg"},
        {"../../etc/passwd", "passwd"}, {"/etc/", "file"}, {"", "file"}, {"a\r\nSet-Cookie: x", "a__Set-Cookie: x"},
        {"say \"hello\".txt", "say \"hello\".txt"}, {"Grüße 😀.txt", "Grüße 😀.txt"}, {"a\x7f\x01.txt", "a__.txt"}};
    struct installation *p = *state;
    struct member ann = sender(p);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct file file;
        struct file_piece piece = whole(arena_printf(p->c.mem, "n%zu", i), names[i][0], "x", 1);
        WELL(p, file_take(&p->c, &ann, &piece, &file));
        CHECK(text_same(file.name, names[i][1]), "row %zu became '%s'", i, file.name);
    }
}

/* ── the disk ── */

static void
a_disk_that_refuses_is_unavailable_and_leaves_no_row(void **state)
{
    struct installation *p = *state;
    struct file file;
    int fd = 77;
    struct member ann = sender(p);
    struct file_piece piece = whole("n1", "notes.txt", "hello", 5);
    rmdir(arena_printf(p->c.mem, "%s/files", p->folder));
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_UNAVAILABLE, NULL);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 0);
    mkdir(arena_printf(p->c.mem, "%s/files", p->folder), 0770);
    WELL(p, file_take(&p->c, &ann, &piece, &file));
    unlink(arena_printf(p->c.mem, "%s/files/%s", p->folder, file.place));
    REFUSED(p, file_open(&p->c, &file, &fd), ERR_NOT_FOUND, "id");
    rmdir(arena_printf(p->c.mem, "%s/files", p->folder));
    REFUSED(p, file_open(&p->c, &file, &fd), ERR_UNAVAILABLE, NULL);
}

static void
a_database_that_refuses_leaves_no_bytes(void **state)
{
    struct installation *p = *state;
    struct file file;
    struct member ann = sender(p);
    struct file_piece piece = whole("n1", "notes.txt", "hello", 5);
    place_sql(p, "ALTER TABLE event RENAME TO hidden");
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_UNAVAILABLE, NULL);
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 0);
    CHECK(files_on_disk(p) == 0, "%d files that no row knows", files_on_disk(p));
    place_sql(p, "ALTER TABLE site RENAME TO hidden_site");
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE file RENAME TO hidden_file");
    REFUSED(p, file_take(&p->c, &ann, &piece, &file), ERR_UNAVAILABLE, NULL);
    REFUSED(p, file_find(&p->c, 1, &file), ERR_UNAVAILABLE, NULL);
    assert_int_equal(files_on_disk(p), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(what_comes_whole_after_the_end_is_refused_and_leaves_nothing),
        PLACED(a_whole_file_is_kept_and_the_room_hears_of_it),
        PLACED(the_same_file_again_is_the_same_and_announced_once),
        PLACED(an_empty_file_is_a_file),
        PLACED(pieces_come_together_and_the_last_announces_the_file),
        PLACED(a_piece_that_does_not_fit_is_told_where_to_go_on),
        PLACED(of_two_who_send_the_same_piece_at_once_one_is_told_where_to_go_on),
        PLACED(four_processes_with_the_same_nonce_make_one_file),
        PLACED(what_is_over_the_limit_is_refused_before_a_byte_is_kept),
        PLACED(the_type_is_found_in_the_first_bytes_not_in_the_name),
        PLACED(the_type_is_right_when_the_first_bytes_come_one_by_one),
        PLACED(a_name_loses_its_folders_and_what_would_break_a_header),
        PLACED(a_disk_that_refuses_is_unavailable_and_leaves_no_row),
        PLACED(a_database_that_refuses_leaves_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
