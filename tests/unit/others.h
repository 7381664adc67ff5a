/* others.h: the two other servers for the tests of the application server: a small HTTP server in a process of its own that
 * answers well, not at all, slowly, or nonsense. */
#ifndef RTCC_OTHERS_H
#define RTCC_OTHERS_H

#include "place.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "model/sentform.h"

enum program { SCHEDULE, QUEUE, CALL, LIST, PROGRAMS };
enum how {
    AS_ASKED,
    SLOWLY,
    NO_XML,
    AN_ERROR,
    ANOTHER_ROOT,
    WITH_PARTS_MISSING,
    NOT_HTTP,
    WAIT_UNKNOWN,
    ENDED_ONCE,
    NO_KEY,
    TOO_LONG
};

/* What server and test share. */
static struct {
    enum how how[PROGRAMS];
    int asked[PROGRAMS];
    char heard[PROGRAMS][20000];
} * other;

static pid_t server;
static char base[40];

/* ── the server ── */

static const char *const paths[PROGRAMS] = {"/cgi_bin/vcs_conf_schedule", "/cgi_bin/queue", "/cgi_bin/vcs_call", "/cgi_bin/vcs"};

static const char *const good[PROGRAMS] = {
    ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<conference type=\"reservationless\" id=\"148474396310564server\">"
     "<subject>new_conference</subject><access type=\"leader\" siteid=\"0\"><vanity>0196199</vanity></access>"
     "<access type=\"leader\" state=\"active\" siteid=\"0\"><code>0196199</code></access>"
     "<access type=\"participant\" state=\"active\" siteid=\"0\"><code>0196198</code></access></conference>"),
    ("<queue><invitation>12</invitation><position>2</position><wait_s>40</wait_s><waiting>3</waiting><agents>2</agents>"
     "<free>1</free></queue>"),
    ("<call conference=\"148474396310564server\" state=\"joined\"><member id=\"3\" role=\"participant\" token=\"m_3_abc\"/>"
     "<window>http://host/cgi_bin/conf_view?conf=148474396310564server&amp;token=m_3_abc</window></call>"),
    "<conferences/>",
};

static const char *const with_parts_missing[PROGRAMS] = {
    ("<conference id=\"148474396310564server\"><access type=\"leader\"><vanity>0196199</vanity></access>"
     "<access type=\"participant\"><code>0196198</code></access></conference>"),
    "<queue><invitation>12</invitation></queue>",
    "<call state=\"joined\"><member id=\"3\" role=\"participant\"/><window>http://host/</window></call>",
    "<conferences/>",
};

/* As the real ones say it of a conference that has ended. */
static const char *const ended[PROGRAMS] = {
    [QUEUE] = "<message type=\"error\"><code>conflict</code><parameter>conf</parameter><reason>It has ended.</reason></message>",
    [CALL] =
        "<message type=\"error\"><code>not_found</code><parameter>vanity</parameter><reason>No such code.</reason></message>",
};

static inline void
say(int fd, int status, const char *body)
{
    dprintf(fd, "HTTP/1.1 %d Something\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
        status, strlen(body), body);
}

static inline void
answer(int fd, enum program program)
{
    switch (other->how[program]) {
    case SLOWLY:
        usleep(5000000);
        break;
    case NO_XML:
        say(fd, 200, "{\"error\":null}");
        break;
    case AN_ERROR:
        say(fd, 503, "<message type=\"error\"><code>unavailable</code><reason>The disk is full.</reason></message>");
        break;
    case ANOTHER_ROOT:
        say(fd, 200, "<surprise/>");
        break;
    case WITH_PARTS_MISSING:
        say(fd, 200, with_parts_missing[program]);
        break;
    case NOT_HTTP:
        dprintf(fd, "hello?\r\n");
        break;
    case WAIT_UNKNOWN:
        say(fd, 200, "<queue><invitation>12</invitation><position>1</position><wait_s/></queue>");
        break;
    case ENDED_ONCE:
        other->how[program] = AS_ASKED;
        say(fd, program == QUEUE ? 409 : 404, ended[program]);
        break;
    case NO_KEY:
        say(fd, 401, "<message type=\"error\"><code>unauthorized</code><reason>Show a key.</reason></message>");
        break;
    case TOO_LONG:
        dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 100000\r\n\r\n%.8s%99992s",
            good[program], "");
        break;
    case AS_ASKED:
        say(fd, 200, good[program]);
    }
}

/* Head and as much body as its length says. */
static inline bool
hear(int fd, char *request, size_t room)
{
    for (size_t have = 0;;) {
        request[have] = '\0';
        const char *end = strstr(request, "\r\n\r\n"), *length = strstr(request, "Content-Length: ");
        if (end && strlen(end + 4) >= (length ? strtoul(length + 16, NULL, 10) : 0))
            return true;
        ssize_t got = read(fd, request + have, room - 1 - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
}

static inline void
serve(int fd)
{
    static char request[20000];
    if (!hear(fd, request, sizeof request))
        return;
    for (int i = 0; i < PROGRAMS; i++) {
        const char *end = strchr(request, ' ') + 1 + strlen(paths[i]);
        if (text_starts(strchr(request, ' ') + 1, paths[i]) && *end == ' ') {
            other->asked[i]++;
            snprintf(other->heard[i], sizeof other->heard[i], "%s", request);
            answer(fd, i);
        }
    }
}

static inline int
start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    other = mmap(NULL, sizeof *other, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bind(listener, (struct sockaddr *)&address, bytes) || listen(listener, 16) ||
        getsockname(listener, (struct sockaddr *)&address, &bytes))
        return -1;
    snprintf(base, sizeof base, "http://127.0.0.1:%d", ntohs(address.sin_port));
    server = fork();
    if (server == 0) {
        alarm(60);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int fd = accept(listener, NULL, NULL);
            if (fork() == 0) {
                serve(fd);
                _exit(0);
            }
            close(fd);
        }
    }
    close(listener);
    return server > 0 ? 0 : -1;
}

static inline int
stop_server(void **state)
{
    (void)state;
    kill(server, SIGTERM);
    return waitpid(server, NULL, 0) == server ? 0 : -1;
}

/* ── helpers ── */

static inline struct installation *
with_servers(void **state)
{
    struct installation *p = *state;
    memset(other, 0, sizeof *other);
    p->settings.collaboration_url = base;
    p->settings.queue_url = base;
    return p;
}

static inline struct form_entries
entries(void)
{
    return (struct form_entries){.reqid = "r1",
        .name = "Ann Müller",
        .phone = "+16035551234",
        .email = "ann@example.com",
        .topic = "Invoice",
        .question = "Where is\nmy parcel?",
        .language = "de-DE",
        .page = "http://shop/help?a=1&b=2",
        .consent = "yes"};
}

static inline struct sent_form
kept(struct installation *p)
{
    struct sent_form form;
    struct form_entries in = entries();
    WELL(p, sentform_keep(&p->c, &in, &form));
    return form;
}

static inline bool
was_sent(enum program program, const char *pair)
{
    const char *found = strstr(other->heard[program], pair);
    return found && (found[-1] == '&' || found[-1] == '\n') && (found[strlen(pair)] == '&' || found[strlen(pair)] == '\0');
}

#define SENT(program, pair) CHECK(was_sent(program, pair), "%s is not in: %s", pair, other->heard[program])

#endif
