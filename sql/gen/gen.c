/* gen: makes typed C calls out of the statements in sql/, at build time.
 *
 * A statement begins with a comment:
 *
 *     -- conf_by_code: the live conference that a code opens.
 *     --   in  code int
 *     --   out id int, subject text
 *     --   one
 *     SELECT id, subject FROM conference WHERE site = $site AND code = $code AND ended_at = 0;
 *
 * and becomes sql_conf_by_code() with `struct sql_conf_by_code_in` and, for its rows, `struct conf_by_code`. Kinds: `one`
 * (ERR_NOT_FOUND without a row), `many` (an array), `run` (no rows), `count` (how many rows changed). `in` and `out` may go on
 * over several lines, each opened by the word. Every statement is prepared against the schema here: a wrong table, a column or
 * parameter that the header does not name, a forgotten $site, or a plan that reads a whole table stops the build; a scan that is
 * meant says `--   scan why`. Files named live_* run on live.db. Rejected: awk (cannot ask sqlite), types guessed from the schema
 * (RETURNING and expressions have none). */
#include "gen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct statement *current;

void
die(const char *format, ...)
{
    if (current)
        fprintf(stderr, "%s:%d: %s: ", current->file, current->line, current->name);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

int
main(int argc, char **argv)
{
    struct schema schema;
    char *files[FILES_MAX];
    if (argc != 3)
        die("usage: sql-gen SQL-FOLDER OUTPUT-FOLDER");
    read_schema(argv[1], &schema);
    int count = list_files(argv[1], files);
    for (int i = 0; i < count; i++)
        read_statements(files[i]);
    check_statements(&schema);
    write_calls(argv[2], &schema);
    return 0;
}
