/* gen.c: makes typed C calls out of the statements in sql/, at build time.
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
#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum { FIELDS_MAX = 48, STATEMENTS_MAX = 400, FILES_MAX = 100, TEXT_MAX = 16384 };

struct field {
    char name[64];
    bool is_text;
};

struct fields {
    int count;
    struct field items[FIELDS_MAX];
};

struct statement {
    char name[64];
    char about[256];
    char kind[8];
    char text[TEXT_MAX];
    struct fields in;
    struct fields out;
    bool is_live;
    bool may_scan;
    const char *file;
    int line;
};

static struct statement *statements;
static int statement_count;
static const struct statement *current;

static _Noreturn void __attribute__((format(printf, 1, 2))) die(const char *format, ...)
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

static char *
read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        die("%s: cannot be read", path);
    char *text = calloc(1, 1 << 20);
    size_t bytes = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    if (bytes == (1 << 20) - 1)
        die("%s: larger than 1 MiB", path);
    return text;
}

static int
is_sql(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return dot && strcmp(dot, ".sql") == 0;
}

/* The paths of folder's .sql files in the order of their names. */
static int
list_files(const char *folder, char *out[FILES_MAX])
{
    struct dirent **found;
    int n = scandir(folder, &found, is_sql, alphasort);
    if (n < 0 || n > FILES_MAX)
        die("%s: no such folder, or more than %d files in it", folder, FILES_MAX);
    for (int i = 0; i < n; i++)
        if (asprintf(&out[i], "%s/%s", folder, found[i]->d_name) < 0)
            die("out of memory");
    return n;
}

static bool
is_live_file(const char *path)
{
    return strncmp(strrchr(path, '/') + 1, "live_", 5) == 0;
}

static void
add_fields(struct fields *to, const char *text)
{
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", text);
    char *rest = copy;
    for (char *part; (part = strsep(&rest, ","));) {
        char type[8], more;
        if (part[strspn(part, " ")] == '\0')
            continue;
        if (to->count == FIELDS_MAX)
            die("more than %d fields", FIELDS_MAX);
        struct field *f = &to->items[to->count++];
        if (sscanf(part, " %63[a-z0-9_] %7[a-z] %c", f->name, type, &more) != 2)
            die("cannot read '%s': want 'name int' or 'name text'", part);
        if (strcmp(type, "int") != 0 && strcmp(type, "text") != 0)
            die("%s is neither int nor text", f->name);
        f->is_text = type[0] == 't';
    }
}

static bool
is_kind(const char *word)
{
    return strcmp(word, "one") == 0 || strcmp(word, "many") == 0 || strcmp(word, "run") == 0 || strcmp(word, "count") == 0;
}

/* One "--   word rest" line below a statement's first. */
static void
header_line(struct statement *s, const char *line)
{
    char word[16] = "", rest[1024] = "";
    sscanf(line, "-- %15s %1023[^\n]", word, rest);
    if (strcmp(word, "in") == 0)
        add_fields(&s->in, rest);
    else if (strcmp(word, "out") == 0)
        add_fields(&s->out, rest);
    else if (strcmp(word, "scan") == 0)
        s->may_scan = true;
    else if (is_kind(word))
        snprintf(s->kind, sizeof s->kind, "%s", word);
    else
        die("header line '%s': want in, out, scan, one, many, run or count", word);
}

static struct statement *
begin_statement(const char *file, int line, const char *text)
{
    if (statement_count == STATEMENTS_MAX)
        die("more than %d statements", STATEMENTS_MAX);
    struct statement *s = &statements[statement_count++];
    s->file = file;
    s->line = line;
    s->is_live = is_live_file(file);
    current = NULL;
    if (sscanf(text, "-- %63[a-z0-9_]: %255[^\n]", s->name, s->about) != 2)
        die("%s:%d: a statement begins with '-- name: what it does'", file, line);
    current = s;
    for (const struct statement *other = statements; other < s; other++)
        if (strcmp(other->name, s->name) == 0)
            die("stands twice, first in %s:%d", other->file, other->line);
    return s;
}

static void
add_text(struct statement *s, const char *line)
{
    size_t have = strlen(s->text);
    if (have + strlen(line) + 2 > sizeof s->text)
        die("longer than %d bytes", TEXT_MAX);
    snprintf(s->text + have, sizeof s->text - have, "%s\n", line);
}

/* Comment lines right after a ';' (or the file's start) open the next statement; a comment after an empty line before any
 * statement is the file's own. */
static void
read_statements(const char *path)
{
    struct statement *s = NULL;
    bool in_body = true;
    int number = 0;
    char *rest = read_file(path);
    current = NULL;
    for (char *line; (line = strsep(&rest, "\n"));) {
        number++;
        bool is_comment = strncmp(line, "--", 2) == 0;
        if (line[0] == '\0' || strncmp(line, "---", 3) == 0)
            continue;
        if (is_comment && in_body) {
            s = begin_statement(path, number, line);
            in_body = false;
        } else if (is_comment) {
            header_line(s, line);
        } else {
            if (!s)
                die("%s:%d: text before the first statement", path, number);
            in_body = false;
            add_text(s, line);
            in_body = line[strlen(line) - 1] == ';';
        }
    }
}

static sqlite3 *
schema_database(char *const files[], int n, bool is_live)
{
    sqlite3 *db;
    char *why = NULL;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        die("sqlite does not open");
    for (int i = 0; i < n; i++)
        if (is_live_file(files[i]) == is_live && sqlite3_exec(db, read_file(files[i]), NULL, NULL, &why) != SQLITE_OK)
            die("%s: %s", files[i], why);
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
check_fields(sqlite3_stmt *stmt, const struct statement *s)
{
    bool has_site = false;
    for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        if (!name || name[0] != '$')
            die("parameter %d is not written $name", i);
        if (strcmp(name, "$site") == 0)
            has_site = true;
        else if (!has_field(&s->in, name + 1))
            die("%s is not in the header", name);
    }
    if (!has_site)
        die("does not name $site");
    for (int i = 0; i < s->in.count; i++) {
        char name[72];
        snprintf(name, sizeof name, "$%s", s->in.items[i].name);
        if (!sqlite3_bind_parameter_index(stmt, name))
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
check_statement(sqlite3 *db, const struct statement *s)
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

static void
write_struct(FILE *h, const char *name, const char *suffix, const struct fields *fields)
{
    if (fields->count == 0)
        return;
    fprintf(h, "struct %s%s%s {\n", *suffix ? "sql_" : "", name, suffix);
    for (int i = 0; i < fields->count; i++)
        fprintf(h, "    %s%s;\n", fields->items[i].is_text ? "const char *" : "int64_t ", fields->items[i].name);
    fprintf(h, "};\n");
}

static void
write_signature(FILE *f, const struct statement *s)
{
    char k = s->kind[0];
    fprintf(f, "enum err sql_%s(struct db *db", s->name);
    if (s->out.count)
        fprintf(f, ", struct arena *mem");
    if (s->in.count)
        fprintf(f, ", const struct sql_%s_in *in", s->name);
    if (k == 'o')
        fprintf(f, ", struct %s *out", s->name);
    else if (k == 'm')
        fprintf(f, ", struct %s **out, size_t *count", s->name);
    else if (k == 'c')
        fprintf(f, ", int *changed");
    fprintf(f, ")");
}

static void
write_header(FILE *h)
{
    fprintf(h, "/* Made from sql/ by sql/gen.c. */\n#ifndef RTCC_SQL_H\n#define RTCC_SQL_H\n\n#include \"io/db.h\"\n");
    for (int i = 0; i < statement_count; i++) {
        const struct statement *s = &statements[i];
        fprintf(h, "\n/* %s (%s:%d) */\n", s->about, s->file, s->line);
        write_struct(h, s->name, "_in", &s->in);
        write_struct(h, s->name, "", &s->out);
        fprintf(h, "must_check ");
        write_signature(h, s);
        fprintf(h, ";\n");
    }
    fprintf(h, "\n#endif\n");
}

static void
write_string(FILE *c, const char *text)
{
    fputc('"', c);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', c);
        fprintf(c, *text == '\n' ? "\\n\"\n    \"" : "%c", *text);
    }
    fputc('"', c);
}

static void
write_row(FILE *c, const struct statement *s, const char *indent)
{
    for (int i = 0; i < s->out.count; i++) {
        const struct field *f = &s->out.items[i];
        fprintf(c, "%srow.%s = db_column_%s(s, %d%s);\n", indent, f->name, f->is_text ? "text" : "int", i,
            f->is_text ? ", mem" : "");
    }
}

static void
write_body(FILE *c, const struct statement *s)
{
    char k = s->kind[0];
    if (k == 'r' || k == 'c') {
        const char *then = k == 'r' ? "err = OK" : "*changed = db_changes(db, s)";
        fprintf(c, "    if (db_step(db, s, &err) == DB_DONE)\n        %s;\n    return err;\n}\n", then);
        return;
    }
    fprintf(c, "    struct %s row;\n    (void)mem;\n", s->name);
    if (k == 'o') {
        fprintf(c, "    enum db_step step = db_step(db, s, &err);\n    if (step != DB_ROW)\n"
                   "        return step == DB_DONE ? ERR_NOT_FOUND : err;\n");
        write_row(c, s, "    ");
        fprintf(c, "    while (step == DB_ROW)\n        step = db_step(db, s, &err);\n"
                   "    if (step == DB_FAILED)\n        return err;\n    *out = row;\n    return OK;\n}\n");
        return;
    }
    fprintf(c, "    size_t cap = 0, n = 0;\n    struct %s *rows = NULL;\n    while (db_step(db, s, &err) == DB_ROW) {\n",
        s->name);
    write_row(c, s, "        ");
    fprintf(c,
        "        if (n == cap)\n            rows = db_grow(mem, rows, n, &cap, sizeof row);\n        rows[n++] = row;\n    }\n");
    fprintf(c, "    if (err != OK)\n        return err;\n    *out = rows;\n    *count = n;\n    return OK;\n}\n");
}

static void
write_call(FILE *c, const struct statement *s, int number)
{
    fprintf(c, "\n");
    write_signature(c, s);
    fprintf(c, "\n{\n    struct sqlite3_stmt *s;\n    enum err err = db_statement(db, %d, &s);\n", number);
    fprintf(c, "    if (err != OK)\n        return err;\n");
    for (int i = 0; i < s->in.count; i++) {
        const struct field *f = &s->in.items[i];
        fprintf(c, "    db_bind_%s(s, \"$%s\", in->%s);\n", f->is_text ? "text" : "int", f->name, f->name);
    }
    write_body(c, s);
}

static int
version_of(const char *file)
{
    return (int)strtol(strrchr(file, '/') + (is_live_file(file) ? 6 : 1), NULL, 10);
}

/* Before anything is written: half a file would look finished to make. */
static void
check_versions(char *const files[], int n)
{
    int last[2] = {0, 0};
    for (int i = 0; i < n; i++)
        if (version_of(files[i]) != ++last[is_live_file(files[i])])
            die("%s: the schema's files are numbered 1, 2, … without gaps", files[i]);
}

static void
write_schema(FILE *c, const char *name, char *const files[], int n, bool is_live)
{
    fprintf(c, "\nconst struct sql_schema %s[] = {\n", name);
    for (int i = 0; i < n; i++) {
        if (is_live_file(files[i]) != is_live)
            continue;
        fprintf(c, "    {%d,\n    ", version_of(files[i]));
        write_string(c, read_file(files[i]));
        fprintf(c, "},\n");
    }
    fprintf(c, "    {0, NULL},\n};\n");
}

static void
write_source(FILE *c, char *const schemas[], int n)
{
    fprintf(c, "/* Made from sql/ by sql/gen.c. */\n#include \"sql.h\"\n\n#include <string.h>\n\n");
    fprintf(c, "const struct sql_text sql_texts[] = {\n");
    for (int i = 0; i < statement_count; i++) {
        fprintf(c, "    {\"%s\",\n    ", statements[i].name);
        write_string(c, statements[i].text);
        fprintf(c, ", %s},\n", statements[i].is_live ? "true" : "false");
    }
    fprintf(c, "};\n\nconst int sql_count = %d;\n", statement_count);
    write_schema(c, "sql_schema_main", schemas, n, false);
    write_schema(c, "sql_schema_live", schemas, n, true);
    fprintf(c, "\nstatic void *\ndb_grow(struct arena *mem, const void *rows, size_t n, size_t *cap, size_t bytes)\n{\n"
               "    *cap = *cap ? *cap * 2 : 16;\n    void *grown = arena_array(mem, *cap, bytes);\n    if (n)\n"
               "        memcpy(grown, rows, n * bytes);\n    return grown;\n}\n");
    for (int i = 0; i < statement_count; i++)
        write_call(c, &statements[i], i);
}

static FILE *
open_output(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    if (!f)
        die("%s: cannot be written", path);
    return f;
}

int
main(int argc, char **argv)
{
    char *files[FILES_MAX], *schemas[FILES_MAX], schema_folder[1024];
    if (argc != 3)
        die("usage: sql-gen SQL-FOLDER OUTPUT-FOLDER");
    statements = calloc(STATEMENTS_MAX, sizeof *statements);
    snprintf(schema_folder, sizeof schema_folder, "%s/schema", argv[1]);
    int schema_count = list_files(schema_folder, schemas);
    check_versions(schemas, schema_count);
    int file_count = list_files(argv[1], files);
    for (int i = 0; i < file_count; i++)
        read_statements(files[i]);
    current = NULL;
    sqlite3 *databases[] = {schema_database(schemas, schema_count, false), schema_database(schemas, schema_count, true)};
    for (int i = 0; i < statement_count; i++)
        check_statement(databases[statements[i].is_live], &statements[i]);
    current = NULL;
    FILE *h = open_output(argv[2], "sql.h"), *c = open_output(argv[2], "sql.c");
    write_header(h);
    write_source(c, schemas, schema_count);
    return fclose(h) | fclose(c);
}
