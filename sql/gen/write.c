/* write.c: the statements as typed calls in C. */
#include "gen.h"

#include <stdio.h>
#include <string.h>

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
    fprintf(h, "/* Made from sql/ by sql/gen. */\n#ifndef RTCC_SQL_H\n#define RTCC_SQL_H\n\n#include \"io/db.h\"\n");
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
        fprintf(c, "    db_bind_%s(s, %d, in->%s);\n", f->is_text ? "text" : "int", f->at, f->name);
    }
    write_body(c, s);
}

static void
write_schema(FILE *c, const char *name, const struct schema *schema, bool is_live)
{
    fprintf(c, "\nconst struct sql_schema %s[] = {\n", name);
    for (int i = 0; i < schema->count; i++) {
        if (is_live_file(schema->files[i]) != is_live)
            continue;
        fprintf(c, "    {%d,\n    ", version_of(schema->files[i]));
        write_string(c, read_file(schema->files[i]));
        fprintf(c, "},\n");
    }
    fprintf(c, "    {0, NULL},\n};\n");
}

static void
write_source(FILE *c, const struct schema *schema)
{
    fprintf(c, "/* Made from sql/ by sql/gen. */\n#include \"sql.h\"\n\n#include <string.h>\n\n#include \"io/schema.h\"\n\n");
    fprintf(c, "const struct sql_text sql_texts[] = {\n");
    for (int i = 0; i < statement_count; i++) {
        fprintf(c, "    {\"%s\",\n    ", statements[i].name);
        write_string(c, statements[i].text);
        fprintf(c, ", %d, %s},\n", statements[i].site_at, statements[i].is_live ? "true" : "false");
    }
    fprintf(c, "};\n\nconst int sql_count = %d;\n", statement_count);
    write_schema(c, "sql_schema_main", schema, false);
    write_schema(c, "sql_schema_live", schema, true);
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

void
write_calls(const char *folder, const struct schema *schema)
{
    FILE *h = open_output(folder, "sql.h"), *c = open_output(folder, "sql.c");
    write_header(h);
    write_source(c, schema);
    if (fclose(h) | fclose(c))
        die("%s: cannot be written", folder);
}
