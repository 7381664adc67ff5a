/* settings: rtcc.conf, read once at the start. Every key stands in the table in settings.c with default, bounds, unit and
 * meaning; rtcc.conf.5 is held against it by a test.
 *
 * The file is named by the environment's RTCC_CONF, else it is /etc/rtcc/rtcc.conf; a file named by RTCC_CONF must exist. Lines
 * are "key value", with blanks before them or not; '#' begins a comment at the start of a line. A key without value is empty; a
 * key given twice is a fault. */
#ifndef RTCC_SETTINGS_H
#define RTCC_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

struct settings {
    const char *state_dir;         /* databases, bell, files, keys */
    const char *pages_dir;         /* htdocs: the templates are under it */
    const char *instance;          /* in cookie names: letters, digits, '_' */
    const char *site_name;         /* on pages */
    const char *public_url;        /* "" : from the Host header */
    const char *server_name;       /* ends conference ids */
    const char *owner;             /* default owner of conferences */
    const char *phone_number;      /* to call when all else fails, "" : none */
    const char *collaboration_url; /* where form_submit finds vcs_* ("http://127.0.0.1:8080") */
    const char *queue_url;         /* where form_submit finds queue */
    const char *service_key_file;  /* form_submit's own API key, in plain; "" : state_dir/service.key */
    const char *service_ca_file;   /* who signs the other servers' certificates, PEM; "" : the system's store */
    const char *country;           /* calling code of national numbers, "1" */
    const char *form_required;     /* comma-separated field names */
    const char *consent_text;      /* what a customer agrees to */
    const char *topics;            /* comma-separated, offered in the form; "" : free text */
    const char *opening_hours;     /* base/hours.h; "" : always open */
    const char *time_zone;         /* of these hours and of pages, IANA name; "" : the machine's */
    const char *trusted_hosts;     /* further Host names that count as loopback, comma-separated */
    bool trust_loopback;
    bool limit_exempt;      /* limits by address spare 127.0.0.1 */
    int64_t hold_s;         /* longest hold of a poll */
    int64_t cgi_hold_s;     /* the same under plain CGI */
    int64_t cgi_hold_max;   /* how many polls wait at once there */
    int64_t offer_s;        /* an agent's time to accept */
    int64_t gone_s;         /* no poll for so long: an agent is gone */
    int64_t capacity;       /* conferences at once for a new agent */
    int64_t file_max_bytes; /* of one file */
    int64_t room_max_bytes; /* of all files of one conversation */
    int64_t session_s;      /* an agent's session ends so long after sign-in */
    int64_t password_least; /* characters */
    int64_t password_cost;  /* yescrypt cost, 1 to 11 */
};

/* Reads the file; a wrong line ends the process with a sentence that names file and line. The process's local time is then that
 * of time_zone. */
const struct settings *settings_load(void);

/* The path of the file that it reads. */
const char *settings_file(void);

/* The same from a path, with the sentence returned instead: for tests and rtcc doctor. ERR_NOT_FOUND: there is no such file;
 * ERR_UNAVAILABLE: it cannot be read; ERR_BAD_PARAMETER: a wrong line. */
must_check enum err settings_read(const char *path, struct settings *out, char *why, size_t why_bytes);

/* The same from a text, up to 64 KiB; `file` is what the sentence calls it. The texts live in mem. */
must_check enum err settings_parse(struct arena *mem, const char *file, const char *text, size_t bytes, struct settings *out,
    char *why, size_t why_bytes);

/* Writes every key with its default as a commented file (conf/rtcc.conf is made by it). */
void settings_print_defaults(FILE *out);

/* The i-th key of the table with its meaning, for tests and --help; NULL behind the last. */
const char *settings_key(int i, const char **about);

#endif
