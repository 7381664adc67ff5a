/* The schema: what the databases of earlier programs hold is there when newer ones open them. */
#include "place.h"

#include <glob.h>

#include "io/schema.h"

/* A database as the first programs made it, with a row in each of its tables. */
static const char rows_of_first_form[] =
    "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
    "INSERT INTO site VALUES (1, 'key', 90, 80, 70, 1);"
    "INSERT INTO conference VALUES (1, 555, 'scheduled', 'subject', 'owner', 'local', 'r1', 'd1', 1000, 'talking', 'Europe/Berlin',"
    "    2, 3, 4, 'D-WE', 'webinar_mode=1', 5, 6, 0);"
    "INSERT INTO agent VALUES (1, 7, 'anna', 'Anna', 'agent', 'hash', 'ready', '', 'notready', 3, '+49301234', 1, 8, 0, 9);"
    "INSERT INTO member VALUES (1, 10, 555, 'agent', 1, 'Anna', 7, 'agent:anna', 'r2', 11, 12);"
    "INSERT INTO event VALUES (1, 13, 555, 14, 10, 'message', 'all', 0, 'text', '\"data\":1', 'n1');"
    "INSERT INTO event VALUES (1, 14, 555, 14, 10, 'left', 'all', 0, '', '', NULL);"
    "INSERT INTO event VALUES (1, 15, 0, 16, 0, 'offer', 'agent', 7, '', '', NULL);"
    "INSERT INTO agent_skill VALUES (1, 7, 'german', 2);"
    "INSERT INTO topic VALUES (1, 'Bills', 'german', 3);"
    "INSERT INTO session VALUES (1, 'h1', 7, 17, 18);"
    "INSERT INTO api_key VALUES (1, 'k1', 'h2', 'about', 19, 20);"
    "INSERT INTO invitation VALUES (1, 21, 555, 'http://x/', 'local', 'r3', 'd3', 'subject', 'Bills', 'german', 5, 'Ann', '+1603',"
    "    'a@example.com', 'en', 'page', 'offered', 2, 0, 22, 0, 0);"
    "INSERT INTO reservation VALUES (1, 23, 21, 7, 2, 'pending', 24, 25, 'boot', 26, 0);"
    "INSERT INTO decision VALUES (1, 27, 555, 21, 28, 7, 'offered', 'longest idle');"
    "INSERT INTO file VALUES (1, 29, 555, 10, 'n2', 'place', 'a.txt', 'text/plain', 30, 31, 0, 32);"
    "INSERT INTO request VALUES (1, 'r4', 'd4', 'Ann', '+1603', '', 'Bills', 'Why?', 'en', '', 'yes', '555', 't', 'w', 2, 60, 0, 33);"
    "INSERT INTO job VALUES (1, 34, 'form', 'r4', 35, 'boot', 36, 2, 'down');"
    "PRAGMA user_version = 1;";

static const char *const tables[] = {"site", "conference", "agent", "member", "event", "agent_skill", "topic", "session",
    "api_key", "invitation", "reservation", "decision", "file", "request"};

static const char *
dump(struct installation *p, const char *table)
{
    const char *columns = place_text(p,
        arena_printf(p->c.mem,
            "SELECT group_concat('ifnull(' || name || ', ''-'')', ' || ''|'' || ') FROM pragma_table_info('%s')", table));
    return place_text(p,
        arena_printf(p->c.mem, "SELECT group_concat(r, ';') FROM (SELECT %s AS r FROM %s ORDER BY 1)", columns, table));
}

static int
files_of(const char *pattern)
{
    glob_t found;
    int count = glob(pattern, 0, NULL, &found) == 0 ? (int)found.gl_pathc : 0;
    globfree(&found);
    return count;
}

/* What columns that came later hold in the rows that were there: member 10 has left with event 14. */
static const char *
since_then(const char *table)
{
    return text_same(table, "member") ? "|0|14" : text_same(table, "request") ? "||0" : "";
}

static void
every_row_of_the_first_form_is_there_after_the_upgrade(void **state)
{
    struct installation *p = *state;
    const char *before[COUNT(tables)], *found;
    place_close(p);
    place_remove(p->folder);
    mkdir(p->folder, 0770);
    assert_int_equal(sql_schema_main[0].version, 1);
    place_sql(p, sql_schema_main[0].text);
    place_sql(p, rows_of_first_form);
    for (size_t i = 0; i < COUNT(tables); i++)
        before[i] = dump(p, tables[i]);
    place_open(p);
    for (size_t i = 0; i < COUNT(tables); i++)
        CHECK(before[i] && unit_same(arena_printf(p->c.mem, "%s%s", before[i], since_then(tables[i])), dump(p, tables[i])),
            "%s: %s", tables[i], unit_show(dump(p, tables[i])));
    assert_string_equal(dump(p, "job"), "1|form|r4|35|boot|36|2|down"); /* a number of its own is gone */
    assert_int_equal(place_number(p, "PRAGMA user_version"), schema_newest(sql_schema_main));
    assert_int_equal(schema_newest(sql_schema_main), files_of("sql/schema/0*.sql")); /* where the tests run from */
    assert_int_equal(schema_newest(sql_schema_live), files_of("sql/schema/live_0*.sql"));
    assert_int_equal(place_number(p, "SELECT count(*) FROM sqlite_schema WHERE sql GLOB '*old_*'"), 0);
    assert_int_equal(db_check(p->c.db, p->c.mem, &found), OK);
    assert_string_equal(found, "ok");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {PLACED(every_row_of_the_first_form_is_there_after_the_upgrade)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
