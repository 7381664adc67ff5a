/* schema.c: see schema.h. */
#include "io/schema.h"

#include <stdio.h>

#include <sqlite3.h>

static bool
run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

int
schema_version(sqlite3 *db)
{
    sqlite3_stmt *s;
    int version = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return version;
}

int
schema_newest(const struct sql_schema *schema)
{
    int version = 0;
    for (; schema->version; schema++)
        version = schema->version;
    return version;
}

bool
schema_apply(sqlite3 *db, const struct sql_schema *schema)
{
    int have = schema_version(db);
    if (have < 0 || !run(db, "BEGIN IMMEDIATE"))
        return false;
    for (; schema->version; schema++) {
        char pragma[48];
        if (schema->version <= have)
            continue;
        snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", schema->version);
        if (!run(db, schema->text) || !run(db, pragma))
            return false;
    }
    return run(db, "COMMIT");
}
