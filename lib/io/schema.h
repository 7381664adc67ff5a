/* schema: brings a database's tables up to what this program knows, by the texts of sql/schema. */
#ifndef RTCC_SCHEMA_H
#define RTCC_SCHEMA_H

#include <stdbool.h>

struct sqlite3;

struct sql_schema {
    int version;
    const char *text;
};
extern const struct sql_schema sql_schema_main[]; /* ascending, ended by version 0 */
extern const struct sql_schema sql_schema_live[];

/* What the database is at (PRAGMA user_version; 0: empty); below 0 when it cannot be read. */
int schema_version(struct sqlite3 *db);

/* The newest of them. */
int schema_newest(const struct sql_schema *schema);

/* Applies what it lacks, in one transaction. False: sqlite3_errmsg() says why. */
bool schema_apply(struct sqlite3 *db, const struct sql_schema *schema);

#endif
