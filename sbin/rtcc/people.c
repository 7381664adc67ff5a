/* people.c: who may do what: agents, API keys; and the topics of the form. */
#include "rtcc.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/secret.h"
#include "model/agent.h"
#include "model/invitation.h"
#include "model/session.h"

enum { RANDOM_PASSWORD_CHARS = 16, IMPORT_MOST = 1000 };

int
agent_add_command(struct center *c, int argc, char **argv)
{
    bool is_random = has_flag(argc, argv, "--random");
    const char *password = is_random ? secret_random_text(c->mem, RANDOM_PASSWORD_CHARS) : read_password(c);
    enum err err = agent_add(c, argv[0], argv[1], argv[2], password);
    if (err == OK && is_random)
        printf("%s\n", password);
    return report(c, err);
}

/* A line of the list in its four parts, with tabs between them, as a spreadsheet gives its cells; false: they are not four. A
 * line without its end is the last one, or too long, or has a NUL. */
static bool
read_newcomer(char *line, struct newcomer *out)
{
    const char **parts[] = {&out->login, &out->name, &out->role, &out->password};
    if (strchr(line, '\n') == NULL && !feof(stdin))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i] = strsep(&line, "\t");
        if (*parts[i] == NULL)
            return false;
    }
    return line == NULL;
}

/* What was wrong with a line of the list. */
static int
report_line(struct center *c, size_t number, const char *sentence)
{
    return report(c, center_fault(c, ERR_BAD_PARAMETER, NULL, "Line %zu: %s Nobody was added.", number, sentence));
}

int
agent_import_command(struct center *c, int argc, char **argv)
{
    struct newcomer *list = arena_array(c->mem, IMPORT_MOST, sizeof *list);
    size_t count = 0, wrong;
    char line[LINE_MAX_BYTES];
    (void)argc, (void)argv;
    for (; fgets(line, sizeof line, stdin); count++) {
        if (count == IMPORT_MOST)
            return report_line(c, count + 1, "A list has 1000 lines at most.");
        if (!read_newcomer(arena_strdup(c->mem, line), &list[count]))
            return report_line(c, count + 1, "A line is login, name, role and password, with tabs between them.");
    }
    enum err err = agent_add_all(c, list, count, &wrong);
    if (err == OK)
        printf("%zu added\n", count);
    if (err == ERR_BAD_PARAMETER || err == ERR_CONFLICT)
        return report_line(c, wrong + 1, c->fault.reason);
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
    return report(c, agent_set_disabled(c, argv[0], true));
}

int
agent_enable_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, agent_set_disabled(c, argv[0], false));
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
