/* The generator of the typed calls (sql/gen), run as the build runs it: on a folder of statements, good and bad. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

static char folder[] = "/tmp/rtcc-gen-XXXXXX";

static const char schema[] =
    "CREATE TABLE site (id INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;\n"
    "CREATE TABLE room (site INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT, PRIMARY KEY (site, id)) STRICT;\n"
    "CREATE INDEX room_nameless ON room (site) WHERE name = '';\n";
static const char live_schema[] =
    "CREATE TABLE rate (site INTEGER NOT NULL, bucket TEXT NOT NULL, PRIMARY KEY (site, bucket)) STRICT;\n";

/* ── running it ── */

static const char *
path(struct arena *mem, const char *name)
{
    return arena_printf(mem, "%s/%s", folder, name);
}

static void
write_file(struct arena *mem, const char *name, const char *text)
{
    FILE *f = fopen(path(mem, name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static const char *
read_text(struct arena *mem, const char *name)
{
    char *text = arena_alloc(mem, 65536);
    FILE *f = fopen(path(mem, name), "r");
    if (!f)
        return NULL;
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    return text;
}

static char *const *command;

static void
run_command(void)
{
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(command[0], command);
    _exit(127);
}

static int
run(char *const arguments[], char *said, size_t room)
{
    command = arguments;
    int status = unit_in_child(run_command, said, room);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The generator lies beside the folder of this test. */
static int
generate(struct arena *mem, char *said, size_t room)
{
    char self[4000] = "";
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(bytes > 0);
    *strrchr(self, '/') = '\0';
    *strrchr(self, '/') = '\0';
    char *arguments[] = {arena_printf(mem, "%s/sql-gen", self), arena_printf(mem, "%s/sql", folder),
        arena_printf(mem, "%s/out", folder), NULL};
    return run(arguments, said, room);
}

static int
begin(void **state)
{
    *state = arena_new();
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    mkdir(path(*state, "sql"), 0770);
    mkdir(path(*state, "sql/schema"), 0770);
    mkdir(path(*state, "out"), 0770);
    write_file(*state, "sql/schema/001_base.sql", schema);
    write_file(*state, "sql/schema/live_001_base.sql", live_schema);
    return 0;
}

static int
remove_one(const char *name, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(name);
}

static int
end(void **state)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_free(*state);
    return 0;
}

#define GENERATED(function) cmocka_unit_test_setup_teardown(function, begin, end)

/* The build must stop, say exactly this, and leave nothing behind that looks finished. */
static void
stops(void **state, const char *statements, const char *want)
{
    char said[2000];
    write_file(*state, "sql/room.sql", statements);
    int status = generate(*state, said, sizeof said);
    const char *expected = arena_printf(*state, "%s/sql/%s\n", folder, want);
    CHECK(status == 1, "status %d: %s", status, said);
    CHECK(strcmp(said, expected) == 0, "said: %swant: %s", said, expected);
    assert_null(read_text(*state, "out/sql.c"));
    assert_null(read_text(*state, "out/sql.h"));
}

/* ── good statements ── */

static const char good[] =
    "--- Rooms.\n\n"
    "-- room_add: a new room.\n--   in  id int, name text\n--   run\n"
    "INSERT INTO room (site, id, name) VALUES ($site, $id, $name);\n\n"
    "-- room_read: one room.\n--   in  id int\n--   out id int, name text\n--   one\n"
    "SELECT id, name FROM room WHERE site = $site AND id = $id;\n\n"
    "-- room_list: all rooms, with a \"quoted\" word.\n--   out id int,\n--   out name text\n--   many\n"
    "SELECT id, name\nFROM room\n    WHERE site = $site AND id > 0 AND name <> '\"\\';\n\n"
    "-- room_drop: fewer rooms.\n--   in  least int\n--   count\n"
    "DELETE FROM room WHERE site = $site AND id >= $least;\n\n"
    "-- room_find: a room by its name; there are only few.\n--   in  name text\n--   out id int\n--   many\n"
    "--   scan a dozen rooms\nSELECT id FROM room WHERE name = $name AND $site > 0;\n";

static int
compile(struct arena *mem, const char *program, char *said, size_t room)
{
    write_file(mem, "out/use.c", program);
    CHECK(access("lib/io/db.h", R_OK) == 0, "this test is run from the root of the tree");
    char *arguments[] = {"cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Ilib", arena_printf(mem, "-I%s/out", folder), "-r",
        "-o", arena_printf(mem, "%s/out/use.o", folder), arena_printf(mem, "%s/out/sql.c", folder),
        arena_printf(mem, "%s/out/use.c", folder), NULL};
    return run(arguments, said, room);
}

static const char typed[] =
    "#include \"sql.h\"\n"
    "enum err use(struct db *db, struct arena *mem);\n"
    "enum err use(struct db *db, struct arena *mem)\n{\n"
    "    struct room_read room;\n    struct room_list *rooms;\n    size_t count;\n    int changed;\n"
    "    enum err err = sql_room_add(db, &(struct sql_room_add_in){.id = INT64_MAX, .name = \"a\"});\n"
    "    if (err == OK)\n        err = sql_room_read(db, mem, &(struct sql_room_read_in){.id = 1}, &room);\n"
    "    if (err == OK)\n        err = sql_room_list(db, mem, &rooms, &count);\n"
    "    if (err == OK)\n        err = sql_room_drop(db, &(struct sql_room_drop_in){.least = room.id}, &changed);\n"
    "    return err == OK && changed && rooms[0].name == room.name ? OK : err;\n}\n";

static void
a_statement_becomes_a_typed_call_that_compiles(void **state)
{
    char said[4000];
    write_file(*state, "sql/room.sql", good);
    assert_int_equal(generate(*state, said, sizeof said), 0);
    assert_string_equal(said, "");
    int status = compile(*state, typed, said, sizeof said);
    CHECK(status == 0, "%s", said);
}

static void
a_call_with_a_value_of_the_wrong_kind_or_without_looking_at_its_error_does_not_compile(void **state)
{
    static const char *const wrong[] = {"return sql_room_add(db, &(struct sql_room_add_in){.id = \"a\"})",
        "return sql_room_add(db, &(struct sql_room_add_in){.nmae = \"a\"})",
        "return sql_room_drop(db, &(struct sql_room_read_in){.id = 1}, 0)", "return sql_room_nothing(db)",
        "sql_room_add(db, &(struct sql_room_add_in){.id = 1})"};
    char said[4000];
    write_file(*state, "sql/room.sql", good);
    assert_int_equal(generate(*state, said, sizeof said), 0);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *program = arena_printf(*state,
            "#include \"sql.h\"\nenum err use(struct db *db);\nenum err use(struct db *db)\n{\n"
            "    %s;\n    return OK;\n}\n",
            wrong[i]);
        CHECK(compile(*state, program, said, sizeof said) == 1, "compiled: %s", wrong[i]);
        CHECK(strstr(said, "use.c:5:"), "%s: %s", wrong[i], said);
    }
}

static void
the_header_says_what_each_call_does_and_where_it_stands(void **state)
{
    char said[4000];
    write_file(*state, "sql/room.sql", good);
    assert_int_equal(generate(*state, said, sizeof said), 0);
    const char *h = read_text(*state, "out/sql.h");
    assert_non_null(strstr(h, arena_printf(*state, "/* all rooms, with a \"quoted\" word. (%s/sql/room.sql:14) */", folder)));
    assert_non_null(
        strstr(h, "struct room_list {\n    int64_t id;\n    const char *name;\n};\n"
                  "must_check enum err sql_room_list(struct db *db, struct arena *mem, struct room_list **out, size_t *count);"));
}

static void
files_of_passing_things_run_on_the_live_database(void **state)
{
    char said[4000];
    write_file(*state, "sql/room.sql", good);
    write_file(*state, "sql/live_rate.sql",
        "-- rate_add: one more.\n--   in bucket text\n--   run\nINSERT INTO rate (site, bucket) VALUES ($site, $bucket);\n");
    assert_int_equal(generate(*state, said, sizeof said), 0);
    const char *c = read_text(*state, "out/sql.c");
    assert_non_null(
        strstr(c, "{\"rate_add\",\n    \"INSERT INTO rate (site, bucket) VALUES ($site, $bucket);\\n\"\n    \"\", 1, true},"));
    assert_non_null(strstr(c, "const struct sql_schema sql_schema_live[] = {\n    {1,\n    \"CREATE TABLE rate"));
    assert_non_null(strstr(c, "const int sql_count = 6;"));
    unlink(path(*state, "out/sql.c"));
    unlink(path(*state, "out/sql.h"));
    stops(state, "-- rate_no: of the other file.\n--   run\nDELETE FROM rate WHERE site = $site;\n",
        "room.sql:1: rate_no: no such table: rate");
}

/* ── planted faults ── */

static void
a_wrong_column_or_table_stops_the_build(void **state)
{
    stops(state,
        "-- ok: fine.\n--   run\nDELETE FROM room WHERE site = $site AND id = 1;\n\n"
        "-- bad: a column that is not there.\n--   out colour text\n--   many\nSELECT colour FROM room WHERE site = $site;\n",
        "room.sql:5: bad: no such column: colour");
    stops(state, "-- bad: a table that is not there.\n--   run\nDELETE FROM rooms WHERE site = $site;\n",
        "room.sql:1: bad: no such table: rooms");
    stops(state, "-- bad: no sql at all.\n--   run\nDELET FROM room;\n", "room.sql:1: bad: near \"DELET\": syntax error");
}

static void
columns_that_the_header_does_not_name_or_names_otherwise_stop_the_build(void **state)
{
    stops(state, "-- bad: x.\n--   out id int\n--   many\nSELECT id, name FROM room WHERE site = $site;\n",
        "room.sql:1: bad: gives 2 columns, the header names 1");
    stops(state, "-- bad: x.\n--   out name text, id int\n--   many\nSELECT id, name FROM room WHERE site = $site;\n",
        "room.sql:1: bad: column 1 is id, the header says name");
    stops(state, "-- bad: x.\n--   out id int\n--   run\nSELECT id FROM room WHERE site = $site;\n",
        "room.sql:1: bad: kind 'run' with 1 columns");
    stops(state, "-- bad: x.\n--   one\nDELETE FROM room WHERE site = $site AND id = 1;\n",
        "room.sql:1: bad: kind 'one' with 0 columns");
}

static void
an_unknown_or_forgotten_parameter_stops_the_build(void **state)
{
    stops(state, "-- bad: x.\n--   in  id int\n--   run\nDELETE FROM room WHERE site = $site AND id = $number;\n",
        "room.sql:1: bad: $number is not in the header");
    stops(state, "-- bad: x.\n--   in  id int, name text\n--   run\nDELETE FROM room WHERE site = $site AND id = $id;\n",
        "room.sql:1: bad: the header's $name is not in the statement");
    stops(state, "-- bad: x.\n--   run\nDELETE FROM room WHERE site = $site AND id = ?;\n",
        "room.sql:1: bad: parameter 2 is not written $name");
    stops(state, "-- bad: x.\n--   run\nDELETE FROM room WHERE site = $site AND id = :id;\n",
        "room.sql:1: bad: parameter 2 is not written $name");
}

static void
a_statement_without_its_site_stops_the_build(void **state)
{
    stops(state, "-- bad: x.\n--   in  id int\n--   run\nDELETE FROM room WHERE site = 1 AND id = $id;\n",
        "room.sql:1: bad: does not name $site");
}

static void
reading_a_whole_table_stops_the_build(void **state)
{
    stops(state,
        "-- bad: x.\n--   in  name text\n--   out id int\n--   many\nSELECT id FROM room WHERE $site > 0 AND name = $name;\n",
        "room.sql:1: bad: reads a whole table: SCAN room");
    stops(state, "-- bad: x.\n--   run\nUPDATE room SET name = '' WHERE name = $site;\n",
        "room.sql:1: bad: reads a whole table: SCAN room");
    stops(state,
        "-- bad: x.\n--   out id int\n--   many\nSELECT id FROM room WHERE site = $site AND id = 1\n"
        "    AND EXISTS (SELECT 1 FROM room r WHERE r.name = room.name);\n",
        "room.sql:1: bad: reads a whole table: SCAN r");
}

static void
reading_all_rows_of_a_site_is_the_same_unless_an_index_holds_only_some_or_it_is_meant(void **state)
{
    char said[2000];
    stops(state, "-- bad: x.\n--   out id int\n--   many\nSELECT id FROM room WHERE site = $site ORDER BY id;\n",
        "room.sql:1: bad: reads a whole table: SEARCH room USING COVERING INDEX sqlite_autoindex_room_1 (site=?)");
    write_file(*state, "sql/room.sql",
        "-- few: x.\n--   out id int\n--   many\nSELECT id FROM room WHERE site = $site AND name = '';\n\n"
        "-- all: x.\n--   scan all are wanted\n--   out id int\n--   many\nSELECT id FROM room WHERE site = $site;\n");
    int status = generate(*state, said, sizeof said);
    CHECK(status == 0, "%s", said);
}

static void
two_statements_under_one_name_stop_the_build(void **state)
{
    stops(state, "-- bad: x.\n--   run\nDELETE FROM room WHERE site = $site AND id = 1;\nDELETE FROM site WHERE id = $site;\n",
        "room.sql:1: bad: is more than one statement");
}

static void
a_header_that_cannot_be_read_stops_the_build(void **state)
{
    stops(state, "-- bad: x.\nDELETE FROM room WHERE site = $site AND id = 1;\n",
        "room.sql:1: bad: has no kind: one, many, run or count");
    stops(state, "-- bad: x.\n--   sometimes\nDELETE FROM room WHERE site = $site AND id = 1;\n",
        "room.sql:1: bad: header line 'sometimes': want in, out, scan, one, many, run or count");
    stops(state, "-- bad: x.\n--   in id int text\n--   run\nDELETE FROM room WHERE site = $site AND id = $id;\n",
        "room.sql:1: bad: cannot read 'id int text': want 'name int' or 'name text'");
    stops(state, "-- bad: x.\n--   in id blob\n--   run\nDELETE FROM room WHERE site = $site AND id = $id;\n",
        "room.sql:1: bad: id is neither int nor text");
    stops(state, "-- ok: fine.\n--   run\nDELETE FROM room WHERE site = $site AND id = 1;\n\n-- Bad name\nDELETE FROM room;\n",
        "room.sql:5: a statement begins with '-- name: what it does'");
    write_file(*state, "sql/early.sql", "-- ok: fine.\n--   run\nDELETE FROM room WHERE site = $site AND id = 1;\n");
    stops(state, "DELETE FROM room;\n", "room.sql:1: text before the first statement");
}

static void
a_name_that_stands_twice_stops_the_build(void **state)
{
    write_file(*state, "sql/a.sql", "-- same: x.\n--   run\nDELETE FROM room WHERE site = $site AND id = 1;\n");
    stops(state, "\n-- same: x.\n--   run\nDELETE FROM room WHERE site = $site AND id = 1;\n",
        arena_printf(*state, "room.sql:2: same: stands twice, first in %s/sql/a.sql:1", folder));
}

static void
a_gap_in_the_numbers_of_the_schema_stops_the_build(void **state)
{
    write_file(*state, "sql/schema/003_later.sql", "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;\n");
    stops(state, good, "schema/003_later.sql: the schema's files are numbered 1, 2, … without gaps");
    unlink(path(*state, "sql/schema/003_later.sql"));
    write_file(*state, "sql/schema/live_003_later.sql", "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;\n");
    stops(state, good, "schema/live_003_later.sql: the schema's files are numbered 1, 2, … without gaps");
    unlink(path(*state, "sql/schema/live_003_later.sql"));
    write_file(*state, "sql/schema/001_twice.sql", "CREATE TABLE twice (id INTEGER PRIMARY KEY) STRICT;\n");
    stops(state, good, "schema/001_twice.sql: the schema's files are numbered 1, 2, … without gaps");
}

static void
a_fault_in_the_schema_stops_the_build(void **state)
{
    write_file(*state, "sql/schema/002_more.sql", "CREATE TABLE room (id INTEGER);\n");
    stops(state, good, "schema/002_more.sql: table room already exists");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        GENERATED(a_statement_becomes_a_typed_call_that_compiles),
        GENERATED(a_call_with_a_value_of_the_wrong_kind_or_without_looking_at_its_error_does_not_compile),
        GENERATED(the_header_says_what_each_call_does_and_where_it_stands),
        GENERATED(files_of_passing_things_run_on_the_live_database),
        GENERATED(a_wrong_column_or_table_stops_the_build),
        GENERATED(columns_that_the_header_does_not_name_or_names_otherwise_stop_the_build),
        GENERATED(an_unknown_or_forgotten_parameter_stops_the_build),
        GENERATED(a_statement_without_its_site_stops_the_build),
        GENERATED(reading_a_whole_table_stops_the_build),
        GENERATED(reading_all_rows_of_a_site_is_the_same_unless_an_index_holds_only_some_or_it_is_meant),
        GENERATED(two_statements_under_one_name_stop_the_build),
        GENERATED(a_header_that_cannot_be_read_stops_the_build),
        GENERATED(a_name_that_stands_twice_stops_the_build),
        GENERATED(a_gap_in_the_numbers_of_the_schema_stops_the_build),
        GENERATED(a_fault_in_the_schema_stops_the_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
