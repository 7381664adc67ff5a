/* people.c: who may do what: agents, API keys; and the topics of the form. */
#include "rtcc.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "io/secret.h"
#include "io/settings.h"
#include "model/agent.h"
#include "model/invitation.h"
#include "model/session.h"
#include "model/talk.h"

enum { RANDOM_PASSWORD_CHARS = 16, IMPORT_MOST = 1000, IMPORT_MAX_BYTES = 2 << 20 };

/* As long as this place wants them. */
static const char *
random_password(struct center *c)
{
    size_t least = (size_t)c->settings->password_least;
    return secret_random_text(c->mem, least > RANDOM_PASSWORD_CHARS ? least : RANDOM_PASSWORD_CHARS);
}

int
agent_add_command(struct center *c, int argc, char **argv)
{
    bool is_random = has_flag(argc, argv, "--random");
    const char *password = is_random ? random_password(c) : read_password(c);
    enum err err = agent_add(c, argv[0], argv[1], argv[2], password);
    if (err == OK && is_random)
        printf("%s\n", password);
    return report(c, err);
}

static int
nobody_added(struct center *c, const char *why)
{
    return report(c, center_fault(c, ERR_BAD_PARAMETER, NULL, "Nobody was added, because %s", why));
}

static int
wrong_line(struct center *c, size_t number, const char *sentence)
{
    return nobody_added(c, arena_printf(c->mem, "of line %zu: %s", number, sentence));
}

/* All of stdin; 0, or the exit status. */
static int
read_list(struct center *c, struct buf *list)
{
    char part[8192];
    size_t bytes;
    while ((bytes = fread(part, 1, sizeof part, stdin)) > 0)
        buf_bytes(list, part, bytes);
    if (ferror(stdin))
        return nobody_added(c, "the list cannot be read.");
    if (list->len == 0 && !list->full)
        return nobody_added(c, "the list is empty.");
    return list->full ? nobody_added(c, "the list is too large.") : 0;
}

/* A line in its four parts, with tabs between them, as a spreadsheet gives its cells; false: they are not four, or it has a NUL
 * or another end of line in it. */
static bool
read_newcomer(char *line, size_t bytes, struct newcomer *out)
{
    const char **parts[] = {&out->login, &out->name, &out->role, &out->password};
    if (bytes > 0 && line[bytes - 1] == '\r')
        bytes--;
    line[bytes] = '\0';
    if (strcspn(line, "\r") != bytes)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i] = strsep(&line, "\t");
        if (*parts[i] == NULL)
            return false;
    }
    return line == NULL;
}

/* 0, or the exit status of what was wrong with the list. */
static int
read_newcomers(struct center *c, struct buf *list, struct newcomer *out, size_t *count)
{
    char *line = list->data, *end = list->data + list->len;
    for (*count = 0; line < end; ++*count) {
        char *feed = memchr(line, '\n', (size_t)(end - line)), *stop = feed ? feed : end;
        if (*count == IMPORT_MOST)
            return wrong_line(c, *count + 1, arena_printf(c->mem, "A list has %d lines at most.", IMPORT_MOST));
        if (!read_newcomer(line, (size_t)(stop - line), &out[*count]))
            return wrong_line(c, *count + 1, "A line is login, name, role and password, with tabs between them.");
        line = stop + 1;
    }
    return 0;
}

int
agent_import_command(struct center *c, int argc, char **argv)
{
    struct newcomer *newcomers = arena_array(c->mem, IMPORT_MOST, sizeof *newcomers);
    struct buf list = buf_new(c->mem, IMPORT_MAX_BYTES);
    size_t count = 0, wrong;
    (void)argc, (void)argv;
    int status = read_list(c, &list);
    if (status == 0)
        status = read_newcomers(c, &list, newcomers, &count);
    if (status != 0)
        return status;
    enum err err = agent_add_all(c, newcomers, count, &wrong);
    if (err == OK)
        printf("%zu added\n", count);
    if (err == ERR_BAD_PARAMETER || err == ERR_CONFLICT)
        return wrong_line(c, wrong + 1, c->fault.reason);
    return report(c, err);
}

int
agent_list_command(struct center *c, int argc, char **argv)
{
    struct agent_list *rows;
    size_t count;
    (void)argc, (void)argv;
    enum err err = agent_list(c, &rows, &count);
    for (size_t i = 0; err == OK && i < count; i++)
        printf("%-16s %-10s %-9s %-8s %s\n", rows[i].login, rows[i].role, rows[i].is_disabled ? "disabled" : rows[i].state,
            rows[i].is_present ? "here" : "away", rows[i].name);
    return report(c, err);
}

int
agent_password_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, agent_set_password(c, argv[0], read_password(c)));
}

int
agent_disable_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, talk_disable(c, argv[0]));
}

int
agent_enable_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, talk_enable(c, argv[0]));
}

int
agent_skill_command(struct center *c, int argc, char **argv)
{
    int64_t level = 1;
    if (argc > 2 && text_int(argv[2], 1, 10, &level) != OK)
        return report(c, center_fault(c, ERR_BAD_PARAMETER, NULL, "A level is 1 to 10."));
    return report(c, agent_set_skill(c, argv[0], argv[1], level));
}

int
key_add_command(struct center *c, int argc, char **argv)
{
    const char *text;
    (void)argc;
    enum err err = key_make(c, argv[0], &text);
    if (err == OK)
        printf("%s\n", text);
    return report(c, err);
}

int
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

int
key_revoke_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, key_revoke(c, argv[0]));
}

int
topic_set_command(struct center *c, int argc, char **argv)
{
    int64_t priority = 5;
    if (argc > 2 && text_int(argv[2], 1, 10, &priority) != OK)
        return report(c, center_fault(c, ERR_BAD_PARAMETER, NULL, "A priority is 1 (first) to 10."));
    return report(c, topic_set(c, argv[0], argv[1], priority));
}

int
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
