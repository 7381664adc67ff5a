/* A disk that is nearly full, as the programs see it: what files leave of it. */
#include "place.h"

#include <sys/statvfs.h>

#include "model/event.h"
#include "model/file.h"
#include "model/health.h"
#include "model/sentform.h"

enum { MB = 1 << 20, RESERVE = 100 * MB };

static int64_t free_bytes;

/* In the place of libc's. */
int
statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    *out = (struct statvfs){.f_frsize = 1, .f_bavail = (fsblkcnt_t)free_bytes};
    return 0;
}

static enum err
take(struct installation *p, const struct member *who, const char *nonce, int64_t offset, int64_t total)
{
    struct file file;
    struct file_piece piece = {.nonce = nonce, .name = "a", .data = "hello", .bytes = 5, .offset = offset, .total = total};
    return file_take(&p->c, who, &piece, &file);
}

static bool
is_empty(struct installation *p)
{
    bool is_gone = rmdir(arena_printf(p->c.mem, "%s/files", p->folder)) == 0;
    return is_gone && mkdir(arena_printf(p->c.mem, "%s/files", p->folder), 0770) == 0;
}

static void
a_file_leaves_a_hundred_megabytes_and_what_is_still_to_come_counts(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    free_bytes = RESERVE + 4;
    REFUSED(p, take(p, &ann, "a", 0, 5), ERR_UNAVAILABLE, NULL);
    assert_string_equal(p->c.fault.reason,
        "There is no room for more files here at the moment. Messages arrive all the same; send the file later.");
    assert_int_equal(p->c.fault.retry_s, 60);
    assert_true(is_empty(p));
    assert_int_equal(place_number(p, "SELECT count(*) FROM file"), 0);
    free_bytes = RESERVE + 9;
    WELL(p, take(p, &ann, "a", 0, 5));
    REFUSED(p, take(p, &ann, "b", 0, 10), ERR_UNAVAILABLE, NULL);
    free_bytes = RESERVE + 10;
    WELL(p, take(p, &ann, "b", 0, 10));
    WELL(p, take(p, &ann, "b", 5, 10));
}

static void
the_next_piece_is_refused_as_well_and_goes_on_when_there_is_room(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    free_bytes = RESERVE + 10;
    WELL(p, take(p, &ann, "a", 0, 10));
    free_bytes = RESERVE + 4;
    REFUSED(p, take(p, &ann, "a", 5, 10), ERR_UNAVAILABLE, NULL);
    assert_int_equal(place_number(p, "SELECT bytes FROM file"), 5);
    WELL(p, take(p, &ann, "a", 0, 10)); /* what is there needs none */
    free_bytes = RESERVE + 5;
    WELL(p, take(p, &ann, "a", 5, 10));
    assert_int_equal(place_number(p, "SELECT count(*) FROM file WHERE event <> 0"), 1);
}

static void
messages_go_on(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    struct event_new message = {.conf = ann.conf, .member = ann.id, .kind = "message", .audience = TO_ALL, .text = "hello"};
    struct form_entries entries = {"r1", "Ann", "", "", "", "Why?", "", "", ""};
    struct sent_form form;
    int64_t id;
    free_bytes = 0;
    WELL(p, event_add(&p->c, &message, &id));
    WELL(p, sentform_keep(&p->c, &entries, &form));
    place_customer(p, "Bob");
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE text = 'hello'"), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM request"), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM invitation"), 1);
}

static void
status_says_it_before_the_largest_file_is_refused(void **state)
{
    struct installation *p = *state;
    p->settings.file_max_bytes = 20 * MB;
    for (int is_ok = 0; is_ok <= 1; is_ok++) {
        struct health h = {.is_ok = true};
        free_bytes = INT64_C(140) * MB - 1 + is_ok;
        health_look_around(&p->c, &h);
        assert_string_equal(h.checks[0].name, "disk");
        assert_int_equal(h.checks[0].is_ok, is_ok);
        assert_string_equal(h.checks[0].what, arena_printf(p->c.mem, "%d MB are free in %s.", 139 + is_ok, p->folder));
        assert_string_equal(h.checks[0].mend, is_ok ? ""
                                                    : "Make room: below 140 MB large files may be refused, below 100 MB all "
                                                      "files, and messages take what is left.");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_file_leaves_a_hundred_megabytes_and_what_is_still_to_come_counts),
        PLACED(the_next_piece_is_refused_as_well_and_goes_on_when_there_is_room),
        PLACED(messages_go_on),
        PLACED(status_says_it_before_the_largest_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
