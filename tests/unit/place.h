/* place.h: an installation of its own for each test of the models: a folder with a database and a site, settings, and a center
 * whose two clocks stand still until the test moves them.
 *
 * PLACED(function) gives it as *state. What no call of the product would do (a lease of another boot, a lost counter) is planted
 * by place_sql() on a connection of its own. */
#ifndef RTCC_PLACE_H
#define RTCC_PLACE_H

#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/value.h"
#include "io/center.h"
#include "io/db.h"
#include "io/settings.h"
#include "model/agent.h"
#include "model/conference.h"
#include "model/invitation.h"
#include "model/member.h"
#include "model/site.h"
#include "model/talk.h"
#include "sql.h"

struct installation {
    struct center c;
    struct settings settings;
    char folder[48];
};

#define PLACED(function) cmocka_unit_test_setup_teardown(function, place_setup, place_teardown)

/* Fails with the sentence that the model said. */
#define WELL(place, call)                                                                                                        \
    do {                                                                                                                         \
        enum err well_err = (call);                                                                                              \
        CHECK(well_err == OK, "%s: %s (%s)", #call, err_code(well_err), unit_show((place)->c.fault.reason));                     \
    } while (0)

/* The error, its parameter (NULL: none) and the number of the line that expected it. */
#define REFUSED(place, call, want, names)                                                                                        \
    do {                                                                                                                         \
        (place)->c.fault = (struct fault){0};                                                                                    \
        enum err refused_err = (call);                                                                                           \
        CHECK(refused_err == (want), "%s: %s, not %s", #call, err_code(refused_err), err_code(want));                            \
        CHECK(unit_same((place)->c.fault.parameter, names), "%s: names %s", #call, unit_show((place)->c.fault.parameter));       \
    } while (0)

static inline int
place_remove_one(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void
place_remove(const char *folder)
{
    nftw(folder, place_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void
place_open(struct installation *p)
{
    const char *why = "";
    enum err err = db_open(p->folder, &p->c.db, &why);
    CHECK(err == OK, "%s", why);
}

static inline void
place_close(struct installation *p)
{
    if (p->c.db)
        db_close(p->c.db);
    p->c.db = NULL;
}

static inline void place_sql(struct installation *p, const char *sql);

/* Every place of a process has events of its own numbers, as what a model keeps in memory is known by them. */
static inline int
place_number_events(struct installation *p)
{
    static int places;
    places++;
    place_sql(p, arena_printf(p->c.mem, "UPDATE site SET last_event = %d", places * 1000000));
    return 0;
}

static inline int
place_setup(void **state)
{
    char why[200], files[64];
    struct installation *p = calloc(1, sizeof *p);
    *state = p;
    /* in memory, where it can be: a slow disk is not what these tests are about */
    snprintf(p->folder, sizeof p->folder, "%s/rtcc-place-XXXXXX", access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
    p->c = (struct center){.mem = arena_new(), .settings = &p->settings, .now_ms = INT64_C(1700000000000), .boot_ms = 50000000};
    if (!mkdtemp(p->folder) || settings_parse(p->c.mem, "test", "", 0, &p->settings, why, sizeof why) != OK)
        return -1;
    p->settings.state_dir = p->folder;
    p->settings.password_cost = 1;
    snprintf(files, sizeof files, "%s/files", p->folder);
    mkdir(files, 0770);
    place_open(p);
    return site_make(&p->c) == OK ? place_number_events(p) : -1;
}

static inline int
place_teardown(void **state)
{
    struct installation *p = *state;
    place_close(p);
    place_remove(p->folder);
    arena_free(p->c.mem);
    free(p);
    return 0;
}

/* Time goes by, on both clocks. */
static inline void
place_later(struct installation *p, int64_t ms)
{
    p->c.now_ms += ms;
    p->c.boot_ms += ms;
}

/* ── what no call of the product would do ── */

static inline sqlite3 *
place_connection(struct installation *p, const char *name)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(arena_printf(p->c.mem, "%s/%s", p->folder, name), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 3000);
    return db;
}

static inline void
place_sql_on(struct installation *p, const char *name, const char *sql)
{
    sqlite3 *db = place_connection(p, name);
    int result = sqlite3_exec(db, sql, NULL, NULL, NULL);
    CHECK(result == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static inline void
place_sql(struct installation *p, const char *sql)
{
    place_sql_on(p, "rtcc.db", sql);
}

/* The first column of the first row as text; NULL without a row. */
static inline const char *
place_text_on(struct installation *p, const char *name, const char *sql)
{
    sqlite3 *db = place_connection(p, name);
    sqlite3_stmt *s;
    CHECK(sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    const char *text = sqlite3_step(s) == SQLITE_ROW ? arena_strdup(p->c.mem, (const char *)sqlite3_column_text(s, 0)) : NULL;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return text;
}

static inline const char *
place_text(struct installation *p, const char *sql)
{
    return place_text_on(p, "rtcc.db", sql);
}

static inline int64_t
place_number(struct installation *p, const char *sql)
{
    const char *text = place_text(p, sql);
    CHECK(text, "%s: no row", sql);
    return strtoll(text, NULL, 10);
}

/* ── a table to write to ── */

static inline enum err
place_topic(struct db *db, const char *name, int64_t priority)
{
    return sql_topic_set(db, &(struct sql_topic_set_in){.name = name, .skill = "", .priority = priority});
}

static inline int64_t
place_topics(struct installation *p)
{
    return place_number(p, "SELECT count(*) FROM topic");
}

/* ── its files ── */

static inline bool
place_has(struct installation *p, const char *name)
{
    return access(arena_printf(p->c.mem, "%s/%s", p->folder, name), F_OK) == 0;
}

static inline void
place_poke(struct installation *p, const char *name, off_t at, const char *bytes, size_t count)
{
    int fd = open(arena_printf(p->c.mem, "%s/%s", p->folder, name), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, count, at), count);
    close(fd);
}

/* ── people and rooms ── */

/* An agent without a usable password, ready and present. */
static inline struct agent
place_agent(struct installation *p, const char *login)
{
    struct agent agent;
    struct sql_agent_insert_in in =
        {.login = login, .name = login, .role = "agent", .password = "*", .capacity = p->settings.capacity, .at = p->c.now_ms};
    WELL(p, site_next_id(&p->c, &in.id));
    WELL(p, sql_agent_insert(p->c.db, &in));
    WELL(p, agent_find(&p->c, in.id, &agent));
    WELL(p, talk_agent_seen(&p->c, &agent));
    WELL(p, talk_ready(&p->c, &agent));
    WELL(p, agent_find(&p->c, in.id, &agent));
    return agent;
}

static inline struct conference
place_conference(struct installation *p)
{
    struct conference conf;
    struct conference_wish wish = {.account = "local",
        .type = "reservationless",
        .subject = "new_conference",
        .owner = "o",
        .timezone = "",
        .recurrence = "",
        .options = ""};
    WELL(p, conference_schedule(&p->c, &wish, &conf));
    return conf;
}

static inline struct member
place_member(struct installation *p, int64_t conf, const char *name)
{
    struct member member;
    struct member_new who = {.conf = conf, .role = "customer", .name = name};
    WELL(p, talk_join(&p->c, &who, NULL, &member));
    return member;
}

static inline struct invitation_wish
place_wish(int64_t conf)
{
    return (struct invitation_wish){.account = "local",
        .conf = conf,
        .url = "http://host/",
        .subject = "s",
        .topic = "",
        .skill = "",
        .name = "Ann",
        .phone = "",
        .email = "",
        .language = "",
        .page = ""};
}

/* A customer in a room of his own, queued, and offered if somebody is free. */
static inline struct invitation
place_customer(struct installation *p, const char *name)
{
    struct invitation i;
    struct conference conf = place_conference(p);
    struct invitation_wish wish = place_wish(conf.id);
    wish.name = name;
    place_member(p, conf.id, name);
    WELL(p, talk_queue(&p->c, &wish, &i));
    WELL(p, invitation_find(&p->c, i.id, &i));
    return i;
}

/* The newest state of an invitation. */
static inline const char *
place_state(struct installation *p, int64_t invitation)
{
    struct invitation i;
    WELL(p, invitation_find(&p->c, invitation, &i));
    return i.state;
}

/* ── trees ── */

static inline const char *
place_json(struct installation *p, const struct value *tree)
{
    struct buf out = buf_new(p->c.mem, 1 << 20);
    value_json(tree, &out);
    return buf_str(&out);
}

static inline int
place_count(const struct value *list)
{
    int count = 0;
    for (const struct value *v = list->first; v; v = v->next)
        count++;
    return count;
}

/* ── several processes ── */

enum { PROCESSES_MOST = 40 };

/* For the processes: cmocka's own failures would jump into the parent's code. */
#define MUST(condition)                                                                                                          \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                      \
            _exit(3);                                                                                                            \
        }                                                                                                                        \
    } while (0)

/* In such a process: its own connection and memory. */
static inline void
place_enter(struct installation *p)
{
    const char *why;
    MUST(db_open(p->folder, &p->c.db, &why) == OK);
    p->c.mem = arena_new();
}

/* Runs `work` in `count` processes at once, each with a connection of its own; fails unless all end well. The test's own
 * connection is closed meanwhile: sqlite's must not be carried into a child. */
static inline void
place_together(struct installation *p, int count, void (*work)(struct installation *p, int number))
{
    int gate[2];
    pid_t pids[PROCESSES_MOST];
    assert_int_equal(pipe(gate), 0);
    place_close(p);
    fflush(NULL);
    for (int i = 0; i < count; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            char byte;
            close(gate[1]);
            alarm(60);
            ssize_t got = read(gate[0], &byte, 1); /* the end of the pipe is the signal to go */
            work(p, i);
            _exit(got == 0 ? 0 : 1);
        }
    }
    close(gate[0]);
    close(gate[1]);
    int bad = 0;
    for (int i = 0; i < count; i++) {
        int status = -1;
        waitpid(pids[i], &status, 0);
        bad += status != 0;
    }
    place_open(p);
    CHECK(bad == 0, "%d of %d processes failed; see above", bad, count);
}

#endif
