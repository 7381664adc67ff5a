/* people.c: who may do what: agents, API keys; and the topics of the form. */
#include "rtcc.h"

#include <stdio.h>

#include "base/text.h"
#include "io/secret.h"
#include "model/agent.h"
#include "model/invitation.h"
#include "model/session.h"

enum { RANDOM_PASSWORD_CHARS = 16 };

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

int
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

int
agent_password_command(struct center *c, int argc, char **argv)
{
    (void)argc;
    return report(c, agent_set_password(c, argv[0], read_password(c)));
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
