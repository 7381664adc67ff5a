/* Work that is due: claimed once, given back when its lease runs out, tried again ever later. */
#include "place.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "model/due.h"
#include "model/sentform.h"

static struct due
claimed(struct installation *p)
{
    struct due due;
    WELL(p, due_claim(&p->c, &due));
    return due;
}

static bool
is_nothing_due(struct installation *p)
{
    struct due due;
    return due_claim(&p->c, &due) == ERR_NOT_FOUND;
}

static void
work_is_claimed_when_it_is_due_in_the_order_of_its_time(void **state)
{
    struct installation *p = *state;
    WELL(p, due_add(&p->c, "form", "later", p->c.now_ms + 2000));
    WELL(p, due_add(&p->c, "form", "sooner", p->c.now_ms + 1000));
    WELL(p, due_add(&p->c, "form", "sooner", p->c.now_ms)); /* noted already: stays */
    assert_true(is_nothing_due(p));
    place_later(p, 1000);
    struct due due = claimed(p);
    assert_string_equal(due.kind, "form");
    assert_string_equal(due.key, "sooner");
    assert_int_equal(due.attempts, 1);
    assert_true(is_nothing_due(p));
    place_later(p, 1000);
    assert_string_equal(claimed(p).key, "later");
}

static void
what_is_done_is_not_claimed_again(void **state)
{
    struct installation *p = *state;
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    WELL(p, due_add(&p->c, "mail", "a", p->c.now_ms));
    WELL(p, due_done(&p->c, "form", "a"));
    WELL(p, due_done(&p->c, "form", "a"));
    assert_string_equal(claimed(p).kind, "mail");
    assert_true(is_nothing_due(p));
}

static void
a_lease_that_ran_out_gives_the_work_back(void **state)
{
    struct installation *p = *state;
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    assert_int_equal(claimed(p).attempts, 1);
    place_later(p, 4999);
    assert_true(is_nothing_due(p));
    place_later(p, 1);
    struct due again = claimed(p);
    assert_string_equal(again.key, "a");
    assert_int_equal(again.attempts, 2);
}

static void
all_of_a_kind_can_be_hurried(void **state)
{
    struct installation *p = *state;
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    struct due first = claimed(p);
    WELL(p, due_later(&p->c, &first, "unavailable"));
    WELL(p, due_add(&p->c, "form", "b", p->c.now_ms + 5000));
    int changed = 7;
    WELL(p, due_hurry(&p->c, "mail", &changed));
    assert_int_equal(changed, 0);
    assert_true(is_nothing_due(p));
    WELL(p, due_hurry(&p->c, "form", &changed));
    assert_int_equal(changed, 2);
    assert_string_not_equal(claimed(p).key, claimed(p).key);
    assert_true(is_nothing_due(p));
}

static void
hurried_forms_come_in_the_order_in_which_they_were_sent(void **state)
{
    struct installation *p = *state;
    const char *names[] = {"fourth", "second", "first", "fifth", "third", "seventh", "sixth"};
    static const int ages_ms[] = {7000, 4000000, 4000001, 6999, 3999999, 7200000,
        7200001}; /* for the last two the clock was set */
    static const int boot_ms[] = {0, 0, 0, 0, 0, 2000, 1000};
    for (size_t i = 0; i < COUNT(names); i++) {
        place_sql(p,
            arena_printf(p->c.mem,
                "INSERT INTO request (site, reqid, digest, name, phone, email, topic, question, language, page, consent, created_at, "
                "boot, boot_ms) VALUES (1, '%s', '', '', '', '', '', '', '', '', '', %lld, '%s', %d)",
                names[i], (long long)(p->c.now_ms - ages_ms[i]), boot_ms[i] ? clock_boot_id() : "another", boot_ms[i]));
        WELL(p, due_add(&p->c, "form", names[i], p->c.now_ms + 1000 + (int64_t)i));
    }
    WELL(p, sentform_hurry(&p->c));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(claimed(p).key,
            ((const char *[]){"first", "second", "third", "fourth", "fifth", "sixth", "seventh"})[i]);
}

static void
a_clock_that_was_set_back_two_hours_holds_up_no_work(void **state)
{
    struct installation *p = *state;
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms + 5000));
    assert_true(is_nothing_due(p));
    p->c.now_ms -= 7200000;
    assert_string_equal(claimed(p).key, "a");
}

static void
a_lease_is_on_the_boot_clock_and_ends_with_its_boot(void **state)
{
    struct installation *p = *state;
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    claimed(p);
    p->c.now_ms += 7200000;
    assert_true(is_nothing_due(p));
    place_sql(p, "UPDATE job SET boot = 'another'");
    assert_string_equal(claimed(p).key, "a");
}

static void
what_fails_is_tried_again_after_1_2_4_5_and_5_seconds(void **state)
{
    struct installation *p = *state;
    static const int64_t pauses_ms[] = {1000, 2000, 4000, 5000, 5000, 5000};
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    for (size_t i = 0; i < COUNT(pauses_ms); i++) {
        struct due due = claimed(p);
        assert_int_equal(due.attempts, i + 1);
        WELL(p, due_later(&p->c, &due, "unavailable"));
        place_later(p, pauses_ms[i] - 1);
        CHECK(is_nothing_due(p), "due too soon after try %zu", i + 1);
        place_later(p, 1);
    }
    assert_string_equal(place_text(p, "SELECT last_error FROM job"), "unavailable");
}

static void
how_much_waits_and_for_how_long_is_counted(void **state)
{
    struct installation *p = *state;
    int64_t count = 77, oldest_ms = 77;
    WELL(p, due_waiting(&p->c, &count, &oldest_ms));
    assert_int_equal(count, 0);
    assert_int_equal(oldest_ms, 0);
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    WELL(p, due_add(&p->c, "form", "b", p->c.now_ms + 1000));
    WELL(p, due_add(&p->c, "form", "c", p->c.now_ms + 60000));
    place_later(p, 3000);
    WELL(p, due_waiting(&p->c, &count, &oldest_ms));
    assert_int_equal(count, 2);
    assert_int_equal(oldest_ms, 3000);
}

enum { PIECES = 200 };
static _Atomic int *claims;

static void
claim_all(struct installation *p, int number)
{
    struct due due;
    (void)number;
    place_enter(p);
    while (due_claim(&p->c, &due) == OK) {
        claims[strtol(due.key, NULL, 10)]++;
        MUST(due_done(&p->c, due.kind, due.key) == OK);
    }
    db_close(p->c.db);
}

static void
six_processes_claim_each_piece_once(void **state)
{
    struct installation *p = *state;
    claims = mmap(NULL, PIECES * sizeof *claims, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(db_begin(p->c.db), OK);
    for (int i = 0; i < PIECES; i++)
        WELL(p, due_add(&p->c, "form", arena_printf(p->c.mem, "%d", i), p->c.now_ms));
    assert_int_equal(db_commit(p->c.db), OK);
    place_together(p, 6, claim_all);
    for (int i = 0; i < PIECES; i++)
        CHECK(claims[i] == 1, "piece %d was claimed %d times", i, claims[i]);
    munmap(claims, PIECES * sizeof *claims);
}

static void
without_its_table_everything_is_unavailable(void **state)
{
    struct installation *p = *state;
    struct due due = {.kind = "form", .key = "a", .attempts = 1};
    int64_t count, oldest_ms;
    place_sql(p, "ALTER TABLE job RENAME TO hidden");
    REFUSED(p, due_add(&p->c, "form", "a", 0), ERR_UNAVAILABLE, NULL);
    REFUSED(p, due_claim(&p->c, &due), ERR_UNAVAILABLE, NULL);
    REFUSED(p, due_later(&p->c, &due, ""), ERR_UNAVAILABLE, NULL);
    REFUSED(p, due_done(&p->c, "form", "a"), ERR_UNAVAILABLE, NULL);
    REFUSED(p, due_waiting(&p->c, &count, &oldest_ms), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(work_is_claimed_when_it_is_due_in_the_order_of_its_time),
        PLACED(what_is_done_is_not_claimed_again),
        PLACED(a_lease_that_ran_out_gives_the_work_back),
        PLACED(all_of_a_kind_can_be_hurried),
        PLACED(hurried_forms_come_in_the_order_in_which_they_were_sent),
        PLACED(a_clock_that_was_set_back_two_hours_holds_up_no_work),
        PLACED(a_lease_is_on_the_boot_clock_and_ends_with_its_boot),
        PLACED(what_fails_is_tried_again_after_1_2_4_5_and_5_seconds),
        PLACED(how_much_waits_and_for_how_long_is_counted),
        PLACED(six_processes_claim_each_piece_once),
        PLACED(without_its_table_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
