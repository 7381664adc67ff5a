/* rtcc: the administrator's command. Every subcommand is one function, named in the table and kept in rtcc/; the manual page is
 * rtcc.8. */
#include "rtcc/rtcc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "io/settings.h"
#include "model/invitation.h"
#include "model/session.h"

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
    int least, most;  /* arguments, without the flag … */
    const char *flag; /* … that may stand behind them; NULL: none */
    const char *about;
    int (*run)(struct center *c, int argc, char **argv); /* with the database open … */
    int (*run_alone)(int argc, char **argv);             /* … or without */
} commands[] = {
    {"init", "", 0, 0, NULL, "makes the folder, the database and form_submit's key", NULL, command_init},
    {"agent add", "LOGIN NAME ROLE [--random]", 3, 3, "--random",
        "adds an agent, supervisor or admin; the password comes from stdin", agent_add_command, NULL},
    {"agent import", "", 0, 0, NULL, "adds everybody of a list from stdin: login, name, role, password, with tabs between them",
        agent_import_command, NULL},
    {"agent list", "", 0, 0, NULL, "lists everybody", agent_list_command, NULL},
    {"agent password", "LOGIN", 1, 1, NULL, "sets a password from stdin; all his sessions end", agent_password_command, NULL},
    {"agent disable", "LOGIN", 1, 1, NULL, "keeps him out, until enabled again; all his sessions end", agent_disable_command,
        NULL},
    {"agent enable", "LOGIN", 1, 1, NULL, "lets him in again", agent_enable_command, NULL},
    {"agent skill", "LOGIN SKILL [LEVEL]", 2, 3, NULL, "gives an agent a skill, level 1 to 10", agent_skill_command, NULL},
    {"key add", "ABOUT", 1, 1, NULL, "makes an API key and prints it, once", key_add_command, NULL},
    {"key list", "", 0, 0, NULL, "lists the API keys", key_list_command, NULL},
    {"key revoke", "ID", 1, 1, NULL, "makes an API key open nothing", key_revoke_command, NULL},
    {"topic set", "NAME SKILL [PRIORITY]", 2, 3, NULL, "what a topic of the form needs ('' for no skill); priority 1 goes first",
        topic_set_command, NULL},
    {"topic list", "", 0, 0, NULL, "lists the topics", topic_list_command, NULL},
    {"backup", "FILE", 1, 1, NULL, "writes a whole copy while the programs run, sent files beside it", backup_command, NULL},
    {"restore", "FILE", 1, 1, NULL, "puts a copy in the database's place; the programs must be stopped", NULL, command_restore},
    {"work", "[--stay]", 0, 0, "--stay", "does what is due; with --stay for ever", work_command, NULL},
    {"doctor", "[--as-me]", 0, 0, "--as-me", "says what is wrong here and how to mend it; root looks as the programs' user", NULL,
        command_doctor},
    {"settings", "", 0, 0, NULL, "prints every setting with its default and meaning", NULL, command_settings},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
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

/* Whether these can be the command's arguments: a flag that it does not know would otherwise be obeyed as nothing. */
static bool
takes(const struct command *cmd, int argc, char **argv)
{
    if (cmd->flag && argc > 0 && strcmp(argv[argc - 1], cmd->flag) == 0)
        argc--;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "--", 2) == 0)
            return false;
    return argc >= cmd->least && argc <= cmd->most;
}

int
main(int argc, char **argv)
{
    struct center c = {0};
    log_name("rtcc");
    umask(0027);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("rtcc (rtcc) %s\n", RTCC_VERSION) < 0;
    for (const struct command *cmd = commands; cmd->words; cmd++) {
        int words = words_of(cmd, argc - 1, argv + 1);
        if (words == 0)
            continue;
        argc -= 1 + words, argv += 1 + words;
        if (!takes(cmd, argc, argv))
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
