/* What must hold for a place to serve, and what is said when it does not. */
#include "place.h"

#include <sys/resource.h>

#include "model/due.h"
#include "model/health.h"

/* A place where everything holds. */
static struct installation *
well_kept(void **state)
{
    struct installation *p = *state;
    const char *templates = arena_printf(p->c.mem, "%s/templates", p->folder);
    const char *paths[] = {arena_printf(p->c.mem, "%s/conf.html", templates),
        arena_printf(p->c.mem, "%s/service.key", p->folder)};
    mkdir(templates, 0770);
    p->settings.pages_dir = p->folder;
    for (size_t i = 0; i < COUNT(paths); i++)
        close(open(paths[i], O_WRONLY | O_CREAT, 0660));
    return p;
}

static const struct health_check *
check(struct installation *p, const char *name, struct health *h)
{
    health_look(&p->c, h);
    for (int i = 0; i < h->count; i++)
        if (text_same(h->checks[i].name, name))
            return &h->checks[i];
    fail_msg("there is no check %s", name);
    return NULL;
}

/* Only this check is bad, it says this and how to mend it. */
static void
is_bad(struct installation *p, const char *name, const char *what, const char *mend)
{
    struct health h;
    const struct health_check *found = check(p, name, &h);
    assert_false(h.is_ok);
    assert_false(found->is_ok);
    CHECK(strstr(found->what, what), "%s says: %s", name, found->what);
    CHECK(strstr(found->mend, mend), "%s is mended by: %s", name, found->mend);
    for (int i = 0; i < h.count; i++)
        CHECK(&h.checks[i] == found || h.checks[i].is_ok, "%s: %s", h.checks[i].name, h.checks[i].what);
}

static void
a_well_kept_place_is_well(void **state)
{
    struct installation *p = well_kept(state);
    struct health h;
    static const char *const names[] = {"database", "disk", "files", "pages", "key", "work", "forms"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct health_check *found = check(p, names[i], &h);
        CHECK(found->is_ok && found->mend[0] == '\0' && found->what[0], "%s: %s", names[i], found->what);
    }
    assert_true(h.is_ok);
    assert_int_equal(h.count, COUNT(names));
}

static void
looking_changes_nothing(void **state)
{
    struct installation *p = well_kept(state);
    struct health h;
    int64_t before = place_number(p, "SELECT last_id FROM site");
    for (int i = 0; i < 5; i++)
        health_look(&p->c, &h);
    assert_int_equal(place_number(p, "SELECT last_id FROM site"), before);
}

static void
each_fault_is_seen_and_told_with_its_mending(void **state)
{
    struct installation *p = well_kept(state);
    const char *file = arena_printf(p->c.mem, "%s/files", p->folder);
    rmdir(file);
    is_bad(p, "files", "files cannot be written", "'rtcc init'");
    mkdir(file, 0770);
    unlink(arena_printf(p->c.mem, "%s/templates/conf.html", p->folder));
    is_bad(p, "pages", "There are no templates in", "pages_dir");
    close(open(arena_printf(p->c.mem, "%s/templates/conf.html", p->folder), O_WRONLY | O_CREAT, 0660));
    unlink(arena_printf(p->c.mem, "%s/service.key", p->folder));
    is_bad(p, "key", "cannot read its API key", "'rtcc key add'");
    p->settings.service_key_file = arena_printf(p->c.mem, "%s/rtcc.db", p->folder);
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    place_later(p, 60000);
    is_bad(p, "work", "1 pieces of work are due, the oldest for 60 s", "'rtcc work --stay'");
    WELL(p, due_done(&p->c, "form", "a"));
    struct health h;
    health_look(&p->c, &h);
    assert_true(h.is_ok);
}

static void
a_database_that_cannot_be_written_or_has_no_site_is_seen(void **state)
{
    struct installation *p = well_kept(state);
    place_sql(p, "ALTER TABLE site RENAME TO hidden");
    is_bad(p, "database", "cannot be written", p->folder);
    place_sql(p, "ALTER TABLE hidden RENAME TO site");
    place_sql(p, "DELETE FROM site");
    is_bad(p, "database", "has no site yet", "'rtcc init'");
}

static void
a_database_that_another_holds_is_seen(void **state)
{
    struct installation *p = well_kept(state);
    sqlite3 *other = place_connection(p, "rtcc.db");
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    is_bad(p, "database", "cannot be written", p->folder);
    sqlite3_close(other);
}

/* In a process of its own: what is in the way is a limit of the process. */
static void
look_without_room(struct installation *p, bool has_looked)
{
    struct health h;
    struct rlimit limit = {1, RLIM_INFINITY};
    place_enter(p);
    signal(SIGXFSZ, SIG_IGN);
    MUST(!has_looked || check(p, "database", &h)->is_ok);
    place_later(p, has_looked ? 1000 : 0);
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    for (int i = 0; i < 2; i++) {
        const struct health_check *found = check(p, "database", &h);
        MUST(!found->is_ok && strstr(found->mend, "free space"));
    }
    limit.rlim_cur = RLIM_INFINITY;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    MUST(check(p, "database", &h)->is_ok);
    db_close(p->c.db);
}

static void
look_again(struct installation *p, int number)
{
    (void)number;
    look_without_room(p, true);
}

static void
look_first(struct installation *p, int number)
{
    (void)number;
    p->c.boot_ms = 0;
    look_without_room(p, false);
}

static void
a_disk_that_takes_nothing_more_is_seen_and_then_that_it_does(void **state)
{
    place_together(well_kept(state), 1, look_again);
}

static void
it_is_seen_at_once_when_the_machine_has_just_started(void **state)
{
    place_together(well_kept(state), 1, look_first);
}

static void
a_folder_that_is_gone_is_seen(void **state)
{
    struct installation *p = well_kept(state);
    struct health h;
    p->settings.state_dir = "/nowhere/at/all";
    const struct health_check *found = check(p, "disk", &h);
    assert_false(found->is_ok);
    assert_string_equal(found->what, "/nowhere/at/all: No such file or directory");
}

static void
more_checks_than_there_is_room_for_are_left_out(void **state)
{
    struct health h = {.is_ok = true};
    (void)state;
    for (int i = 0; i < HEALTH_MOST + 3; i++)
        health_add(&h, "x", true, "what", "mend");
    assert_int_equal(h.count, HEALTH_MOST);
    assert_true(h.is_ok);
}

static void
the_numbers_for_monitoring_are_those_of_the_place(void **state)
{
    struct installation *p = *state;
    struct health_numbers n;
    struct member member;
    struct invitation i;
    struct reservation_of_agent held;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "first");
    place_customer(p, "second");
    assert_int_equal(sql_reservation_of_agent(p->c.db, p->c.mem, &(struct sql_reservation_of_agent_in){.agent = anna.id}, &held),
        OK);
    WELL(p, talk_accept(&p->c, &anna, held.id, &i, &member));
    WELL(p, due_add(&p->c, "form", "a", p->c.now_ms));
    WELL(p, health_count(&p->c, &n));
    assert_int_equal(n.waiting, 1);
    assert_int_equal(n.talking, 1);
    assert_int_equal(n.agents_ready, 1);
    assert_int_equal(n.due, 1);
    assert_int_equal(n.events, place_number(p, "SELECT max(id) FROM event"));
    place_sql(p, "ALTER TABLE job RENAME TO hidden");
    REFUSED(p, health_count(&p->c, &n), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE site RENAME TO hidden_site");
    REFUSED(p, health_count(&p->c, &n), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_well_kept_place_is_well),
        PLACED(looking_changes_nothing),
        PLACED(each_fault_is_seen_and_told_with_its_mending),
        PLACED(a_database_that_cannot_be_written_or_has_no_site_is_seen),
        PLACED(a_database_that_another_holds_is_seen),
        PLACED(a_disk_that_takes_nothing_more_is_seen_and_then_that_it_does),
        PLACED(it_is_seen_at_once_when_the_machine_has_just_started),
        PLACED(a_folder_that_is_gone_is_seen),
        PLACED(more_checks_than_there_is_room_for_are_left_out),
        PLACED(the_numbers_for_monitoring_are_those_of_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
