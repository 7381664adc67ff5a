/* The database when the disk is full, and when many write at once. */
#include "place.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* ── a full disk ── */

static int64_t
fill_until_refused(struct installation *p, enum err *err)
{
    char text[4001];
    int64_t kept = 0;
    memset(text, 'x', 4000);
    text[4000] = '\0';
    for (*err = OK; kept < 100000; kept++) {
        *err = place_topic(p->c.db, arena_printf(p->c.mem, "%06lld %s", (long long)kept, text), 5);
        if (*err != OK)
            break;
    }
    return kept;
}

/* In a process of its own: the disk is full, then it is not. */
static void
meet_a_full_disk(struct installation *p, void (*make_room)(struct installation *p))
{
    enum err err;
    const char *found;
    place_enter(p);
    MUST(site_make(&p->c) == OK);
    int64_t kept = fill_until_refused(p, &err);
    MUST(err == ERR_UNAVAILABLE && kept > 0);
    /* a request in a batch: what its outer transaction lost must not be half kept by the next */
    MUST(db_begin(p->c.db) == OK);
    MUST(db_begin(p->c.db) == OK);
    fill_until_refused(p, &err);
    MUST(db_end(p->c.db, err) == ERR_UNAVAILABLE);
    MUST(db_begin(p->c.db) == ERR_UNAVAILABLE);
    MUST(place_topic(p->c.db, "second of the batch", 5) == ERR_UNAVAILABLE);
    MUST(db_commit(p->c.db) == ERR_UNAVAILABLE);
    MUST(place_topics(p) == kept);
    make_room(p);
    MUST(db_begin(p->c.db) == OK);
    MUST(place_topic(p->c.db, "well again", 5) == OK);
    MUST(db_commit(p->c.db) == OK);
    MUST(place_topics(p) == kept + 1);
    MUST(db_check(p->c.db, p->c.mem, &found) == OK && text_same(found, "ok"));
    db_close(p->c.db);
}

static void
lift_limit(struct installation *p)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    (void)p;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void
with_a_small_limit(struct installation *p, int number)
{
    struct rlimit limit = {2 << 20, RLIM_INFINITY};
    (void)number;
    signal(SIGXFSZ, SIG_IGN);
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    meet_a_full_disk(p, lift_limit);
}

static void
a_file_that_may_not_grow_is_unavailable_keeps_all_it_had_and_is_well_again_with_room(void **state)
{
    place_together(*state, 1, with_a_small_limit);
    assert_string_equal(place_text(*state, "SELECT name FROM topic WHERE name = 'well again'"), "well again");
    assert_null(place_text(*state, "SELECT name FROM topic WHERE name = 'second of the batch'"));
}

static void
enlarge(struct installation *p)
{
    MUST(mount("none", p->folder, "tmpfs", MS_REMOUNT, "size=64m") == 0);
}

static void
on_a_small_disk(struct installation *p, int number)
{
    (void)number;
    MUST(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    MUST(mount("none", p->folder, "tmpfs", 0, "size=3m") == 0);
    meet_a_full_disk(p, enlarge);
}

static bool
may_mount(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : 1);
    waitpid(pid, &status, 0);
    return status == 0;
}

static void
a_full_disk_is_unavailable_keeps_all_it_had_and_is_well_again_with_room(void **state)
{
    if (!may_mount())
        skip(); /* the test above sees the same through a limit */
    place_together(*state, 1, on_a_small_disk);
}

/* ── many who write ── */

enum { WRITERS = 8, BUSY_TEST_MS = 3000 };

static struct {
    _Atomic int64_t commits[WRITERS];
    _Atomic int64_t longest_ms[WRITERS];
    _Atomic int64_t failed;
} * busy;

static void
write_all_the_time(struct installation *p, int number)
{
    place_enter(p);
    int64_t end_ms = clock_boot_ms() + BUSY_TEST_MS;
    for (int64_t now = clock_boot_ms(); now < end_ms;) {
        int64_t id;
        bool is_kept = db_begin(p->c.db) == OK && db_end(p->c.db, site_next_id(&p->c, &id)) == OK;
        int64_t took = clock_boot_ms() - now;
        now += took;
        busy->commits[number] += is_kept;
        busy->failed += !is_kept;
        if (took > busy->longest_ms[number])
            busy->longest_ms[number] = took;
        arena_reset(p->c.mem);
    }
    db_close(p->c.db);
}

static void
eight_who_write_all_the_time_get_their_share_and_none_waits_two_seconds(void **state)
{
    struct installation *p = *state;
    int64_t least = INT64_MAX, most = 0, all = 0, longest_ms = 0;
    busy = mmap(NULL, sizeof *busy, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    place_together(p, WRITERS, write_all_the_time);
    for (int i = 0; i < WRITERS; i++) {
        int64_t got = busy->commits[i], waited_ms = busy->longest_ms[i];
        least = got < least ? got : least;
        most = got > most ? got : most;
        longest_ms = waited_ms > longest_ms ? waited_ms : longest_ms;
        all += got;
    }
    print_message("# %lld commits in %d ms, %lld to %lld each; the longest took %lld ms\n", (long long)all, BUSY_TEST_MS,
        (long long)least, (long long)most, (long long)longest_ms);
    assert_int_equal(busy->failed, 0);
    CHECK(longest_ms < DB_BUSY_MS, "one waited for %lld ms", (long long)longest_ms);
    CHECK(least * 4 >= most, "shares from %lld to %lld", (long long)least, (long long)most);
    assert_int_equal(place_number(p, "SELECT last_id FROM site"), all);
    munmap(busy, sizeof *busy);
}

static void
hold_for_three_seconds(struct installation *p, int number)
{
    place_enter(p);
    if (number == 0) {
        MUST(db_begin(p->c.db) == OK);
        usleep(3000000);
        MUST(db_commit(p->c.db) == OK);
    } else {
        usleep(200000);
        int64_t began = clock_boot_ms();
        MUST(db_begin(p->c.db) == ERR_UNAVAILABLE);
        int64_t took = clock_boot_ms() - began;
        MUST(took >= DB_BUSY_MS && took < DB_BUSY_MS + 400);
        MUST(db_begin(p->c.db) == OK);
        MUST(db_commit(p->c.db) == OK);
    }
    db_close(p->c.db);
}

static void
who_waited_two_seconds_for_the_lock_is_told_unavailable_and_may_ask_again(void **state)
{
    place_together(*state, 3, hold_for_three_seconds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_file_that_may_not_grow_is_unavailable_keeps_all_it_had_and_is_well_again_with_room),
        PLACED(a_full_disk_is_unavailable_keeps_all_it_had_and_is_well_again_with_room),
        PLACED(eight_who_write_all_the_time_get_their_share_and_none_waits_two_seconds),
        PLACED(who_waited_two_seconds_for_the_lock_is_told_unavailable_and_may_ask_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
