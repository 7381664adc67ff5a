/* live.db after the machine stopped: what is in it may be lost, but never hinders the programs. */
#include "place.h"

static void
remember(struct installation *p)
{
    struct sql_presence_seen_in in = {.agent = 7, .boot = "boot", .boot_ms = 1};
    assert_int_equal(sql_presence_seen(p->c.db, &in), OK);
}

static bool
is_remembered(struct installation *p)
{
    struct presence_read row;
    enum err err = sql_presence_read(p->c.db, p->c.mem, &(struct sql_presence_read_in){.agent = 7}, &row);
    assert_true(err == OK || err == ERR_NOT_FOUND);
    return err == OK;
}

static void
write_over(struct installation *p, const char *name, const char *text, off_t at)
{
    int fd = open(arena_printf(p->c.mem, "%s/%s", p->folder, name), O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
    close(fd);
}

static void
what_may_be_lost_is_kept_while_the_machine_runs(void **state)
{
    struct installation *p = *state;
    remember(p);
    place_close(p);
    place_open(p);
    assert_true(is_remembered(p));
}

static void
what_may_be_lost_is_forgotten_when_the_machine_has_started_anew(void **state)
{
    struct installation *p = *state;
    remember(p);
    place_close(p);
    write_over(p, "use.lock", "another", 0);
    place_open(p);
    assert_false(is_remembered(p));
    remember(p);
    place_close(p);
    place_open(p);
    assert_true(is_remembered(p)); /* from now on this is its boot */
}

static void
a_damage_that_opening_does_not_see_goes_with_the_boot(void **state)
{
    struct installation *p = *state;
    remember(p);
    place_close(p);
    write_over(p, "live.db", "no page of a database", 4096);
    write_over(p, "use.lock", "another", 0);
    place_open(p);
    remember(p);
    assert_true(is_remembered(p));
}

static void
a_live_db_that_cannot_be_opened_is_made_anew(void **state)
{
    struct installation *p = *state;
    remember(p);
    place_close(p);
    write_over(p, "live.db", "This is no database.", 0);
    place_open(p);
    assert_false(is_remembered(p));
    remember(p);
    assert_true(is_remembered(p));
}

static void
a_live_db_that_somebody_has_open_is_left_alone(void **state)
{
    struct installation *p = *state;
    struct db *second;
    const char *why;
    remember(p);
    write_over(p, "use.lock", "another", 0);
    assert_int_equal(db_open(p->folder, &second, &why), OK);
    assert_true(is_remembered(p));
    db_close(second);
    assert_string_equal(place_text_on(p, "live.db", "SELECT count(*) FROM presence"), "1");
}

static void
the_main_database_is_never_made_anew(void **state)
{
    struct installation *p = *state;
    const char *why;
    place_close(p);
    write_over(p, "rtcc.db", "This is no database.", 0);
    write_over(p, "use.lock", "another", 0);
    assert_int_equal(db_open(p->folder, &p->c.db, &why), ERR_UNAVAILABLE);
    p->c.db = NULL;
    assert_non_null(strstr(why, "not a database"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(what_may_be_lost_is_kept_while_the_machine_runs),
        PLACED(what_may_be_lost_is_forgotten_when_the_machine_has_started_anew),
        PLACED(a_damage_that_opening_does_not_see_goes_with_the_boot),
        PLACED(a_live_db_that_cannot_be_opened_is_made_anew),
        PLACED(a_live_db_that_somebody_has_open_is_left_alone),
        PLACED(the_main_database_is_never_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
