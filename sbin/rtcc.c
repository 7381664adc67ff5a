/* rtcc: the administrator's command. Every subcommand is one function in the table at the end; the manual page is rtcc.8. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "io/db.h"
#include "io/http.h"
#include "io/restore.h"
#include "io/secret.h"
#include "io/settings.h"
#include "model/agent.h"
#include "model/due.h"
#include "model/health.h"
#include "model/invitation.h"
#include "model/routing.h"
#include "model/sentform.h"
#include "model/session.h"
#include "model/site.h"
#include "model/vcs.h"

enum { LINE_MAX_BYTES = 1024, RANDOM_PASSWORD_CHARS = 16, WORK_PAUSE_MS = 1000 };

static volatile sig_atomic_t is_stopping;

static void
stop(int signal_number)
{
    (void)signal_number;
    is_stopping = 1;
}

/* ── what every subcommand stands on ── */

static void
center_now(struct center *c)
{
    c->now_ms = clock_wall_ms();
    c->boot_ms = clock_boot_ms();
    c->fault = (struct fault){0};
}

static void
center_open(struct center *c)
{
    const char *why;
    c->settings = settings_load();
    c->mem = arena_new();
    center_now(c);
    if (db_open(c->settings->state_dir, &c->db, &why) != OK)
        log_fatal("%s ('rtcc init' makes the folder and the database)", why);
}

static void
center_close(struct center *c)
{
    db_close(c->db);
    arena_free(c->mem);
}

static int
report(struct center *c, enum err err)
{
    if (err == OK)
        return 0;
    fprintf(stderr, "rtcc: %s\n", c->fault.reason ? c->fault.reason : err_sentence(err));
    return 1;
}

/* One line from stdin, not shown when it is typed. */
static const char *
read_password(struct center *c)
{
    struct termios before, silent;
    char *line = arena_alloc(c->mem, LINE_MAX_BYTES);
    bool is_typed = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_typed) {
        fputs("Password: ", stderr);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    bool is_read = fgets(line, LINE_MAX_BYTES, stdin);
    if (is_typed) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    line[strcspn(line, "\r\n")] = '\0';
    return is_read ? line : "";
}

static bool
has_flag(int argc, char **argv, const char *flag)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], flag) == 0)
            return true;
    return false;
}

/* ── init ── */

static void
make_folder(const char *path)
{
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        log_fatal("%s cannot be made: %s", path, strerror(errno));
}

/* Whether the file has a key of this place; another server's key may only stand there when that is asked for its services. */
static bool
has_valid_key(struct center *c, int fd)
{
    const char *base = c->settings->collaboration_url, *id;
    char *text = arena_alloc(c->mem, LINE_MAX_BYTES);
    bool is_read = pread(fd, text, LINE_MAX_BYTES - 1, 0) > 0;
    text[strcspn(text, "\r\n")] = '\0';
    bool is_ours = text_starts(base, "http://127.") || text_starts(base, "http://localhost");
    return is_read && (!is_ours || key_check(c, text, &id) == OK);
}

/* Under a lock, so that several who init at once make one key. */
static enum err
make_service_key(struct center *c)
{
    const char *set = c->settings->service_key_file, *text = "";
    const char *path = set[0] ? set : arena_printf(c->mem, "%s/service.key", c->settings->state_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        log_fatal("%s cannot be written: %s", path, strerror(errno));
    bool is_valid = has_valid_key(c, fd);
    enum err err = is_valid ? OK : key_make(c, "form_submit of this place", &text);
    if (err == OK && !is_valid && (ftruncate(fd, 0) != 0 || dprintf(fd, "%s\n", text) < 0))
        err = ERR_UNAVAILABLE;
    close(fd);
    return err;
}

/* Run as root in a folder of somebody else's, everything made belongs to him. */
static void
hand_over(struct center *c, const char *folder)
{
    struct stat owner;
    DIR *d = geteuid() == 0 && stat(c->settings->state_dir, &owner) == 0 && owner.st_uid != 0 ? opendir(folder) : NULL;
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, "..") != 0 && fchownat(dirfd(d), e->d_name, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
            log_warn("%s/%s keeps its owner: %s", folder, e->d_name, strerror(errno));
    closedir(d);
}

static int
command_init(int argc, char **argv)
{
    struct center c = {0};
    (void)argc, (void)argv;
    const struct settings *set = settings_load();
    make_folder(set->state_dir);
    center_open(&c);
    const char *files = arena_printf(c.mem, "%s/files", set->state_dir);
    make_folder(files);
    enum err err = site_make(&c);
    if (err == OK)
        err = make_service_key(&c);
    hand_over(&c, set->state_dir);
    hand_over(&c, files);
    if (err == OK)
        printf("%s is ready.\n", set->state_dir);
    int status = report(&c, err);
    center_close(&c);
    return status;
}

/* ── agents, keys, topics ── */

static int
agent_add_command(struct center *c, int argc, char **argv)
{
    bool is_random = has_flag(argc, argv, "--random");
    const char *password = is_random ? secret_random_text(c->mem, RANDOM_PASSWORD_CHARS) : read_password(c);
    enum err err = agent_add(c, argv[0], argv[1], argv[2], password);
    if (err == OK && is_random)
        printf("%s\n", password);
    return report(c, err);
}

static int
agent_list_command(struct center *c, int argc, char **argv)
{
    struct agent_list *rows;
    size_t count;
    (void)argc, (void)argv;
    enum err err = agent_list(c, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        printf("%-16s %-10s %-9s %-8s %s\n", rows[i].login, rows[i].role, rows[i].state, rows[i].is_present ? "here" : "away",
            rows[i].name);
    return report(c, err);
}

static int
agent_password_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, agent_set_password(c, argv[0], read_password(c)));
}

static int
agent_skill_command(struct center *c, int argc, char **argv)
{
    int64_t level = 1;
    if (argc > 2 && text_int(argv[2], 1, 10, &level) != OK)
        return report(c, center_fault(c, ERR_BAD_PARAMETER, NULL, "A level is 1 to 10."));
    return report(c, agent_set_skill(c, argv[0], argv[1], level));
}

static int
key_add_command(struct center *c, int argc, char **argv)
{
    const char *text;
    (void)argc;
    enum err err = key_make(c, argv[0], &text);
    if (err == OK)
        printf("%s\n", text);
    return report(c, err);
}

static int
key_list_command(struct center *c, int argc, char **argv)
{
    struct api_key_list *rows;
    size_t count;
    (void)argc, (void)argv;
    enum err err = key_list(c, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        printf("k_%-12s %-8s %s\n", rows[i].id, rows[i].revoked_at ? "revoked" : "valid", rows[i].about);
    return report(c, err);
}

static int
key_revoke_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, key_revoke(c, argv[0]));
}

static int
topic_set_command(struct center *c, int argc, char **argv)
{
    int64_t priority = 5;
    if (argc > 2 && text_int(argv[2], 1, 10, &priority) != OK)
        return report(c, center_fault(c, ERR_BAD_PARAMETER, NULL, "A priority is 1 (first) to 10."));
    return report(c, topic_set(c, argv[0], argv[1], priority));
}

static int
topic_list_command(struct center *c, int argc, char **argv)
{
    struct topic_list *rows;
    size_t count;
    (void)argc, (void)argv;
    enum err err = topic_list(c, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        printf("%-24s priority %-2lld skill %s\n", rows[i].name, (long long)rows[i].priority,
            rows[i].skill[0] ? rows[i].skill : "-");
    return report(c, err);
}

/* ── backup and restore ── */

static int
backup_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    if (access(argv[0], F_OK) == 0)
        return report(c, center_fault(c, ERR_CONFLICT, NULL, "%s stands already; a backup overwrites nothing.", argv[0]));
    return report(c, db_backup(c->db, argv[0]));
}

static int
command_restore(int argc, char **argv)
{
    const struct settings *set = settings_load();
    struct arena *mem = arena_new();
    const char *why;
    (void)argc;
    bool is_restored = restore_copy(set->state_dir, argv[0], mem, &why) == OK;
    if (is_restored)
        hand_over(&(struct center){.settings = set, .mem = mem}, set->state_dir);
    if (is_restored)
        printf("%s is in its place; the database of before is %s/rtcc.db.before.\n", argv[0], set->state_dir);
    else
        fprintf(stderr, "rtcc: nothing was restored: %s\n", why);
    arena_free(mem);
    return is_restored ? 0 : 1;
}

/* ── work ── */

static enum err
do_piece(struct center *c, const struct due *due)
{
    struct sent_form form;
    if (text_same(due->kind, "form"))
        return sentform_finish(c, due->key, &form);
    log_error("work of an unknown kind '%s': this program is older than the database", due->kind);
    return ERR_UNAVAILABLE;
}

/* Returns the number of pieces tried. */
static int
work_once(struct center *c)
{
    struct due due;
    int tried = 0;
    center_now(c);
    if (routing_tick(c) != OK)
        log_warn("routing could not look at what is due");
    while (!is_stopping && due_claim(c, &due) == OK) {
        enum err err = do_piece(c, &due);
        center_now(c);
        if (err != OK && due_later(c, &due, err_code(err)) != OK)
            log_warn("%s '%s' could not be put off; its lease will run out", due.kind, due.key);
        tried++;
        arena_reset(c->mem);
    }
    arena_reset(c->mem);
    return tried;
}

static int
work_command(struct center *c, int argc, char **argv)
{
    bool stays = has_flag(argc, argv, "--stay");
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    for (work_once(c); stays && !is_stopping; work_once(c))
        usleep(WORK_PAUSE_MS * 1000);
    return 0;
}

/* ── doctor ── */

static void
look_at_server(struct center *c, struct health *h, const char *name, const char *base)
{
    struct http_answer answer = {0};
    const char *url = arena_printf(c->mem, "%s/cgi_bin/status", base);
    bool is_ok = http_call(c->mem, url, NULL, NULL, NULL, &answer) == OK && answer.status == 200;
    health_add(h, name, is_ok, arena_printf(c->mem, is_ok ? "%s answers ok." : "%s does not answer ok.", url),
        "See that the web server runs with the file of conf/ and that its log has no error; then the setting of that name in "
        "rtcc.conf.");
}

/* The servers must know the key that form_submit shows them: a database that was put back may not. */
static void
look_at_key_there(struct center *c, struct health *h)
{
    enum err err = vcs_check_key(c);
    health_add(h, "service key", err == OK,
        err == OK ? "The servers take form_submit's key." : "The servers do not take form_submit's key.",
        "Run 'rtcc init' where the servers' database is, or put a key of 'rtcc key add' of theirs into the file.");
}

static void
look_at_agents(struct center *c, struct health *h)
{
    struct agent_list *rows;
    size_t count = 0;
    bool is_ok = agent_list(c, &rows, &count) == OK && count > 0;
    health_add(h, "agents", is_ok, arena_printf(c->mem, "%zu people can sign in.", count),
        "Add one: rtcc agent add LOGIN NAME agent");
}

static void
look_at_integrity(struct center *c, struct health *h)
{
    const char *found = NULL;
    bool is_ok = db_check(c->db, c->mem, &found) == OK && text_same(found, "ok");
    health_add(h, "integrity", is_ok,
        is_ok ? "The database is whole." : arena_printf(c->mem, "The database says: %s", found ? found : "-"),
        "Stop the programs and restore the last backup: rtcc restore FILE");
}

static int
doctor_command(struct center *c, int argc, char **argv)
{
    struct health h;
    (void)argc, (void)argv;
    health_look(c, &h);
    look_at_integrity(c, &h);
    look_at_agents(c, &h);
    look_at_server(c, &h, "collaboration_url", c->settings->collaboration_url);
    look_at_server(c, &h, "queue_url", c->settings->queue_url);
    look_at_key_there(c, &h);
    for (int i = 0; i < h.count; i++) {
        printf("%-7s %-18s %s\n", h.checks[i].is_ok ? "ok" : "NOT OK", h.checks[i].name, h.checks[i].what);
        if (!h.checks[i].is_ok)
            printf("%-7s %-18s → %s\n", "", "", h.checks[i].mend);
    }
    return h.is_ok ? 0 : 1;
}

static int
command_settings(int argc, char **argv)
{
    (void)argc, (void)argv;
    settings_print_defaults(stdout);
    return 0;
}

/* ── the table ── */

static const struct command {
    const char *words; /* one or two */
    const char *args;
    int least; /* arguments */
    const char *about;
    int (*run)(struct center *c, int argc, char **argv); /* with the database open … */
    int (*run_alone)(int argc, char **argv);             /* … or without */
} commands[] = {
    {"init", "", 0, "makes the folder, the database and form_submit's key", NULL, command_init},
    {"agent add", "LOGIN NAME ROLE [--random]", 3, "adds an agent, supervisor or admin; the password comes from stdin",
        agent_add_command, NULL},
    {"agent list", "", 0, "lists everybody", agent_list_command, NULL},
    {"agent password", "LOGIN", 1, "sets a password from stdin; all his sessions end", agent_password_command, NULL},
    {"agent skill", "LOGIN SKILL [LEVEL]", 2, "gives an agent a skill, level 1 to 10", agent_skill_command, NULL},
    {"key add", "ABOUT", 1, "makes an API key and prints it, once", key_add_command, NULL},
    {"key list", "", 0, "lists the API keys", key_list_command, NULL},
    {"key revoke", "ID", 1, "makes an API key open nothing", key_revoke_command, NULL},
    {"topic set", "NAME SKILL [PRIORITY]", 2, "what a topic of the form needs ('' for no skill); priority 1 goes first",
        topic_set_command, NULL},
    {"topic list", "", 0, "lists the topics", topic_list_command, NULL},
    {"backup", "FILE", 1, "writes a whole copy of the database while the programs run", backup_command, NULL},
    {"restore", "FILE", 1, "puts a copy in the database's place; the programs must be stopped", NULL, command_restore},
    {"work", "[--stay]", 0, "does what is due; with --stay for ever", work_command, NULL},
    {"doctor", "", 0, "says what is wrong here and how to mend it", doctor_command, NULL},
    {"settings", "", 0, "prints every setting with its default and meaning", NULL, command_settings},
    {NULL, NULL, 0, NULL, NULL, NULL},
};

static int
usage(FILE *to, int status)
{
    fputs("usage: rtcc COMMAND …      (settings: RTCC_CONF=file, else /etc/rtcc/rtcc.conf; manual: rtcc(8))\n", to);
    for (const struct command *cmd = commands; cmd->words; cmd++)
        fprintf(to, "  rtcc %-14s %-28s %s\n", cmd->words, cmd->args, cmd->about);
    return status;
}

/* How many of the arguments are the command's words; 0: it is another command. */
static int
words_of(const struct command *cmd, int argc, char **argv)
{
    char two[LINE_MAX_BYTES];
    if (argc >= 1 && strcmp(cmd->words, argv[0]) == 0)
        return 1;
    if (argc < 2)
        return 0;
    snprintf(two, sizeof two, "%s %s", argv[0], argv[1]);
    return strcmp(cmd->words, two) == 0 ? 2 : 0;
}

int
main(int argc, char **argv)
{
    struct center c = {0};
    log_name("rtcc");
    umask(0027);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    for (const struct command *cmd = commands; cmd->words; cmd++) {
        int words = words_of(cmd, argc - 1, argv + 1);
        if (words == 0)
            continue;
        argc -= 1 + words, argv += 1 + words;
        if (argc < cmd->least)
            return usage(stderr, 2);
        if (cmd->run_alone)
            return cmd->run_alone(argc, argv);
        center_open(&c);
        int status = cmd->run(&c, argc, argv);
        center_close(&c);
        return status;
    }
    return usage(stderr, 2);
}
