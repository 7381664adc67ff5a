/* read.c: the files of sql/ and sql/schema/, and the statements with their headers. */
#include "gen.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct statement *statements;
int statement_count;

/* ── files ── */

char *
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

int
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

bool
is_live_file(const char *path)
{
    return strncmp(strrchr(path, '/') + 1, "live_", 5) == 0;
}

int
version_of(const char *file)
{
    return (int)strtol(strrchr(file, '/') + (is_live_file(file) ? 6 : 1), NULL, 10);
}

void
read_schema(const char *folder, struct schema *out)
{
    int last[2] = {0, 0};
    char path[1024];
    snprintf(path, sizeof path, "%s/schema", folder);
    out->count = list_files(path, out->files);
    for (int i = 0; i < out->count; i++)
        if (version_of(out->files[i]) != ++last[is_live_file(out->files[i])])
            die("%s: the schema's files are numbered 1, 2, … without gaps", out->files[i]);
}

/* ── statements ── */

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
    if (!statements)
        statements = calloc(STATEMENTS_MAX, sizeof *statements);
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
void
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
