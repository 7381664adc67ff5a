/* gen.h: what the three parts of the generator share (gen.c tells what it is for): read.c reads statements, check.c holds them
 * against the schema, write.c writes the calls. All of it ends the process with one sentence at the first fault, so nothing is
 * freed and nothing returns an error. */
#ifndef RTCC_GEN_H
#define RTCC_GEN_H

#include <stdbool.h>

enum { FIELDS_MAX = 48, STATEMENTS_MAX = 400, FILES_MAX = 100, TEXT_MAX = 16384 };

struct field {
    char name[64];
    bool is_text;
    int at; /* of a parameter: its number in the statement */
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
    int site_at;
    bool is_live;
    bool may_scan;
    const char *file;
    int line;
};

/* The schema's files in the order of their numbers. */
struct schema {
    int count;
    char *files[FILES_MAX];
};

extern struct statement *statements;
extern int statement_count;
extern const struct statement *current; /* whose place and name a fault is told with; NULL: none */

_Noreturn void __attribute__((format(printf, 1, 2))) die(const char *format, ...);

char *read_file(const char *path);

/* The paths of folder's .sql files in the order of their names. */
int list_files(const char *folder, char *out[FILES_MAX]);

/* Whether a file's statements run on live.db. */
bool is_live_file(const char *path);

/* The number that a schema file's name begins with. */
int version_of(const char *file);

void read_statements(const char *path);

void read_schema(const char *folder, struct schema *out);

/* Finds the numbers of the parameters, too. */
void check_statements(const struct schema *schema);

/* sql.h and sql.c. Only after every check: half a file would look finished to make. */
void write_calls(const char *folder, const struct schema *schema);

#endif
