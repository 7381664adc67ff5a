/* check.c: each statement is prepared against the schema: names, parameters, columns, plan. */
#include "gen.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

static sqlite3 *
schema_database(const struct schema *schema, bool is_live)
{
    sqlite3 *db;
    char *why = NULL;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        die("sqlite does not open");
    for (int i = 0; i < schema->count; i++) {
        const char *file = schema->files[i];
        if (is_live_file(file) == is_live && sqlite3_exec(db, read_file(file), NULL, NULL, &why) != SQLITE_OK)
            die("%s: %s", file, why);
    }
    return db;
}

static bool
has_field(const struct fields *fields, const char *name)
{
    for (int i = 0; i < fields->count; i++)
        if (strcmp(fields->items[i].name, name) == 0)
            return true;
    return false;
}

static void
check_fields(sqlite3_stmt *stmt, struct statement *s)
{
    for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        if (!name || name[0] != '$')
            die("parameter %d is not written $name", i);
        if (strcmp(name, "$site") == 0)
            s->site_at = i;
        else if (!has_field(&s->in, name + 1))
            die("%s is not in the header", name);
    }
    if (!s->site_at)
        die("does not name $site");
    for (int i = 0; i < s->in.count; i++) {
        char name[72];
        snprintf(name, sizeof name, "$%s", s->in.items[i].name);
        s->in.items[i].at = sqlite3_bind_parameter_index(stmt, name);
        if (!s->in.items[i].at)
            die("the header's %s is not in the statement", name);
    }
    if (sqlite3_column_count(stmt) != s->out.count)
        die("gives %d columns, the header names %d", sqlite3_column_count(stmt), s->out.count);
    for (int i = 0; i < s->out.count; i++)
        if (strcmp(sqlite3_column_name(stmt, i), s->out.items[i].name) != 0)
            die("column %d is %s, the header says %s", i + 1, sqlite3_column_name(stmt, i), s->out.items[i].name);
    bool has_rows = strcmp(s->kind, "one") == 0 || strcmp(s->kind, "many") == 0;
    if (has_rows != (s->out.count > 0))
        die("kind '%s' with %d columns", s->kind, s->out.count);
}

/* A scan, or a search by the site alone, unless its index holds only some rows. */
static bool
reads_all(sqlite3 *db, const char *step)
{
    sqlite3_stmt *found;
    if (strncmp(step, "SCAN", 4) == 0)
        return strncmp(step, "SCAN CONSTANT", 13) != 0 && strncmp(step, "SCAN (subquery", 14) != 0;
    char *sql = sqlite3_mprintf("SELECT %Q LIKE '%%(site=?)' AND NOT EXISTS (SELECT 1 FROM sqlite_master m, "
                                "pragma_index_list(m.name) i WHERE i.partial AND %Q LIKE '%% ' || i.name || ' (%%')",
        step, step);
    if (sqlite3_prepare_v2(db, sql, -1, &found, NULL) != SQLITE_OK || sqlite3_step(found) != SQLITE_ROW)
        die("cannot read the plan: %s", sqlite3_errmsg(db));
    bool is_all = sqlite3_column_int(found, 0);
    sqlite3_finalize(found);
    return is_all;
}

static void
check_plan(sqlite3 *db, const struct statement *s)
{
    sqlite3_stmt *plan;
    if (sqlite3_prepare_v2(db, sqlite3_mprintf("EXPLAIN QUERY PLAN %s", s->text), -1, &plan, NULL) != SQLITE_OK)
        die("%s", sqlite3_errmsg(db));
    while (!s->may_scan && sqlite3_step(plan) == SQLITE_ROW)
        if (reads_all(db, (const char *)sqlite3_column_text(plan, 3)))
            die("reads a whole table: %s", (const char *)sqlite3_column_text(plan, 3));
    sqlite3_finalize(plan);
}

static void
check_statement(sqlite3 *db, struct statement *s)
{
    sqlite3_stmt *stmt;
    const char *tail;
    current = s;
    if (s->kind[0] == '\0')
        die("has no kind: one, many, run or count");
    if (sqlite3_prepare_v2(db, s->text, -1, &stmt, &tail) != SQLITE_OK)
        die("%s", sqlite3_errmsg(db));
    if (tail[strspn(tail, " \n")] != '\0')
        die("is more than one statement");
    check_fields(stmt, s);
    check_plan(db, s);
    sqlite3_finalize(stmt);
}

void
check_statements(const struct schema *schema)
{
    current = NULL;
    sqlite3 *databases[] = {schema_database(schema, false), schema_database(schema, true)};
    for (int i = 0; i < statement_count; i++)
        check_statement(databases[statements[i].is_live], &statements[i]);
    current = NULL;
}
