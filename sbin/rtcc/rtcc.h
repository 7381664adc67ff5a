/* rtcc.h: what the parts of the administrator's command share. A subcommand gets its arguments without its own words, returns the
 * exit status, and tells what went wrong on stderr in one sentence. */
#ifndef RTCC_RTCC_H
#define RTCC_RTCC_H

#include <stdbool.h>

#include "base/err.h"
#include "io/center.h"

enum { LINE_MAX_BYTES = 1024 };

/* Reads the settings and opens the database; without them the process ends with a sentence. */
void center_open(struct center *c);

/* The same without an end, with c->settings where they are read already: NULL, or why the database cannot be opened; then c has
 * none, and *cure says what to do. */
const char *center_try(struct center *c, const char **cure);

/* From root to the programs' user, for the rest of the process: whom state_dir belongs to, else its parent, else www-data. False:
 * it was not root, or there is no such user. */
bool user_become(const struct settings *set);
const char *user_name(void); /* "" where it did not */

void center_close(struct center *c);

/* Now is now, and nothing has gone wrong yet. */
void center_now(struct center *c);

/* The exit status for an error, which is told. */
int report(struct center *c, enum err err);

/* One line from stdin, not shown when it is typed. */
const char *read_password(struct center *c);

/* As whom Debian's web servers, and so the programs, run. */
extern const char web_user[];

/* Run as root in a folder of somebody else's, everything made there belongs to him. */
void hand_over(struct center *c, const char *folder);

/* The key with which form_submit calls the other servers, in its file: made where there is none, given another secret where it
 * was this database's own, or is_own says so; else left as it is. Says on stdout which of these. */
must_check enum err service_key_make(struct center *c, bool is_own);

/* Whether the key in the file is, or was, this database's: then no other server's. */
bool service_key_is_own(struct center *c);

bool has_flag(int argc, char **argv, const char *flag);

/* The subcommands, with the database open … */
int agent_add_command(struct center *c, int argc, char **argv);
int agent_import_command(struct center *c, int argc, char **argv);
int agent_list_command(struct center *c, int argc, char **argv);
int agent_password_command(struct center *c, int argc, char **argv);
int agent_disable_command(struct center *c, int argc, char **argv);
int agent_enable_command(struct center *c, int argc, char **argv);
int agent_skill_command(struct center *c, int argc, char **argv);
int key_add_command(struct center *c, int argc, char **argv);
int key_list_command(struct center *c, int argc, char **argv);
int key_revoke_command(struct center *c, int argc, char **argv);
int topic_set_command(struct center *c, int argc, char **argv);
int topic_list_command(struct center *c, int argc, char **argv);
int backup_command(struct center *c, int argc, char **argv);
int work_command(struct center *c, int argc, char **argv);

/* … and without. */
int command_init(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_doctor(int argc, char **argv);

#endif
