/* main.c: the one main() of all programs in cgi-bin.
 *
 * Descriptor 0 decides: a listening socket means FastCGI (spawn-fcgi, multiwatch, systemd's StandardInput=socket, mod_fcgid all
 * hand it over there), the CGI environment means one request, anything else is a person, who gets told. Opening a socket of its
 * own was rejected: whoever keeps the programs also has to keep the socket while one is started again. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "io/cgi.h"
#include "io/db.h"
#include "io/fcgi.h"
#include "io/loop.h"
#include "io/settings.h"
#include "io/stop.h"

/* What malloc keeps instead of giving it back: a transaction's pages come and go with every turn, and asking the kernel for them
 * anew took a tenth of the time. */
enum { KEEP_FREE_BYTES = 4 * 1024 * 1024, KEEP_FREE_HELD_BYTES = 512 * 1024, REFUSE_MS = 1000 };

/* PREFORK: from so many bytes on memory goes back when it is freed, and is no part of the heap. The first large file that came in
 * two pieces left 200 KB more there for ever. */
enum { GIVEN_BACK_BYTES = 64 * 1024 };

static void
print_param(FILE *out, const struct param *p)
{
    static const char *const kinds[] = {"text", "line", "whole number", "0 or 1", "file"};
    fprintf(out, "  %-18s %s", p->name, kinds[p->kind]);
    if (p->kind == PARAM_INT)
        fprintf(out, ", %lld to %lld", (long long)p->min, (long long)p->max);
    else if (p->kind == PARAM_TEXT || p->kind == PARAM_LINE)
        fprintf(out, ", up to %lld characters", (long long)p->max);
    fprintf(out, "%s\n                     %s\n", p->is_required ? "; required" : "", p->about == NULL ? "" : p->about);
}

static void
print_help(FILE *out)
{
    bool has_get = service.methods & METHOD_GET, has_post = service.methods & METHOD_POST;
    fprintf(out, "%s: %s\n\n", service.name, service.about);
    fprintf(out, "A program for a web server: FastCGI with a listening socket as descriptor 0, or plain CGI.\n");
    fprintf(out, "Usage: %s [--help | --version]\n\n", service.name);
    fprintf(out, "Methods: %s%s%s\n", has_get ? "GET, HEAD" : "", has_get && has_post ? ", " : "", has_post ? "POST" : "");
    fprintf(out, "Settings: the file named by RTCC_CONF, else /etc/rtcc/rtcc.conf\n");
    if (service.params != NULL && service.params[0].name != NULL)
        fprintf(out, "\nParameters:\n");
    for (const struct param *p = service.params; p != NULL && p->name != NULL; p++)
        print_param(out, p);
}

/* What a person asked; the exit status. */
static int
answer_person(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("%s (rtcc) %s\n", service.name, RTCC_VERSION);
        return 0;
    }
    print_help(stderr);
    return 2;
}

static bool
is_listening(int fd)
{
    int listens = 0;
    socklen_t bytes = sizeof listens;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) == 0 && listens;
}

static void
start_fastcgi(void)
{
    stop_keep();
    if (fcgi_start(STDIN_FILENO) != OK)
        log_fatal("libfcgi does not start");
    stop_listen(); /* after libfcgi has taken the signals for itself */
}

/* Whoever keeps the programs starts this one again, and what it needs may be there then. Whoever asks meanwhile is told so: in
 * the socket's queue he would wait until the web server gives up. */
static void
end_without_database(const struct center *process, const char *why)
{
    log_error("%s", why);
    loop_refuse(&service, process, STDIN_FILENO, REFUSE_MS);
    exit(stop_is_wanted() ? 0 : 1);
}

int
main(int argc, char **argv)
{
    bool is_fastcgi = is_listening(STDIN_FILENO);
    bool is_cgi = !is_fastcgi && getenv("GATEWAY_INTERFACE") != NULL; /* its arguments may be a stranger's query: not looked at */
    log_name(service.name);
    mallopt(M_TRIM_THRESHOLD, service.mode == BATCH ? KEEP_FREE_BYTES : KEEP_FREE_HELD_BYTES);
    if (service.mode == PREFORK)
        mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_BYTES);
    if (!is_cgi && (argc > 1 || !is_fastcgi))
        return answer_person(argc, argv);
    const char *why = NULL;
    struct center process = {.settings = settings_load()};
    if (is_fastcgi)
        start_fastcgi();
    if (db_open(process.settings->state_dir, &process.db, &why) != OK) {
        process.db = NULL;
        if (is_fastcgi)
            end_without_database(&process, why);
        log_error("%s", why);
    }
    if (is_fastcgi)
        loop_run(&service, &process, STDIN_FILENO);
    else
        cgi_run(&service, &process);
    if (process.db != NULL)
        db_close(process.db);
    return 0;
}
