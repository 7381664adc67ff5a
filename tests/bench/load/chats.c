/* chats.c: customers send the form one after the other, agents hold polls, are offered, accept and end at once. A chat has started
 * when an agent's open poll has brought the offer; then its customer sends the next form. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { AGENTS_MAX = 256, CUSTOMERS_MAX = 256, OFFERED = 1024, ID_CHARS = 96 };
static const int64_t second_ns = 1000000000;

static struct agent {
    struct connection *poll, *act;
    char token[128];
    char conf[ID_CHARS]; /* what he does now */
    bool is_ending;
    int64_t free_ns; /* when he asked to end what he did; 0: he has not, yet */
    long after;
    struct {
        long reservation;
        char conf[ID_CHARS];
    } todo[OFFERED]; /* a ring of offers to accept */
    int first, count;
    long last_reservation;
} agents[AGENTS_MAX];

static struct customer {
    struct connection *connection;
    char conf[ID_CHARS]; /* "": the form is not answered yet */
    int64_t sent_ns;
} customers[CUSTOMERS_MAX];

/* Offers that came before the form's own answer. */
static struct {
    char conf[ID_CHARS];
    int64_t at_ns;
} offered[OFFERED];
static int next_offered, agent_count;
static struct samples starts, forms, pauses;
static bool is_over, is_never;
static long started, ended, most;

static void
send_form(struct customer *c)
{
    static const char body[] = "name=Ann&phone=%2B16035551234&question=It+does+not+work.";
    c->conf[0] = '\0';
    c->sent_ns = now_ns();
    http_send(c->connection,
        "POST /cgi_bin/form_submit HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof body - 1, body);
}

static void
chat_started(struct customer *c, int64_t at_ns)
{
    samples_add(&starts, at_ns - c->sent_ns);
    started++;
    if (!is_over)
        send_form(c);
}

/* The value of "name":"…" behind `at`. */
static void
copy_text(const char *at, const char *name, char out[ID_CHARS])
{
    const char *value = strstr(at, name);
    if (!value)
        die("an answer has no %s: %.300s", name, at);
    value += strlen(name);
    snprintf(out, ID_CHARS, "%.*s", (int)strcspn(value, "\""), value);
}

static void
on_form(struct connection *connection, const struct answer *a)
{
    struct customer *c = connection->owner;
    if (a->status != 200)
        die("a form was answered with %d: %.300s", a->status, a->body);
    samples_add(&forms, now_ns() - c->sent_ns);
    copy_text(a->body, "\"conference\":\"", c->conf);
    for (int i = 0; i < OFFERED; i++)
        if (strcmp(offered[i].conf, c->conf) == 0) {
            chat_started(c, offered[i].at_ns);
            return;
        }
}

static void
on_offer(const char *conf, int64_t at_ns)
{
    for (int i = 0; i < CUSTOMERS_MAX; i++)
        if (customers[i].connection && strcmp(customers[i].conf, conf) == 0) {
            chat_started(&customers[i], at_ns);
            return;
        }
    snprintf(offered[next_offered % OFFERED].conf, ID_CHARS, "%s", conf);
    offered[next_offered++ % OFFERED].at_ns = at_ns;
}

/* ── agents ── */

static void
act(struct agent *g, const char *format, ...)
{
    char body[512];
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(body, sizeof body, format, args);
    va_end(args);
    http_send(g->act,
        "POST /cgi_bin/agent_act HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer %s\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
        g->token, bytes, body);
}

static void
accept_next(struct agent *g)
{
    if (g->act->is_waiting || g->count == 0)
        return;
    int i = g->first++ % OFFERED;
    g->count--;
    g->is_ending = false;
    snprintf(g->conf, sizeof g->conf, "%s", g->todo[i].conf);
    act(g, "action=accept&reservation=%ld", g->todo[i].reservation);
}

static void
on_act(struct connection *c, const struct answer *a)
{
    struct agent *g = c->owner;
    if (a->status != 200)
        die("an agent was answered with %d: %.300s", a->status, a->body);
    if (!g->is_ending) {
        g->is_ending = true;
        g->free_ns = now_ns();
        act(g, "action=end&conf=%s", g->conf);
        return;
    }
    ended++;
    is_over |= ended == most;
    if (!is_over)
        accept_next(g);
}

static void
poll(struct agent *g)
{
    http_send(g->poll,
        "GET /cgi_bin/agent_poll?after=%ld&wait=25 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        "Authorization: Bearer %s\r\n\r\n",
        g->after, g->token);
}

static void
on_poll(struct connection *c, const struct answer *a)
{
    struct agent *g = c->owner;
    int64_t now = now_ns();
    if (a->status != 200)
        die("an agent's poll was answered with %d: %.300s", a->status, a->body);
    const char *after = strstr(a->body, "\"after\":"), *offers = strstr(a->body, "\"offers\":[");
    if (!after || !offers)
        die("not the answer of agent_poll: %.300s", a->body);
    g->after = strtol(after + 8, NULL, 10);
    const char *offer = strstr(offers, "\"reservation\":");
    long reservation = offer ? strtol(offer + 14, NULL, 10) : 0;
    if (reservation > g->last_reservation) {
        int i = (g->first + g->count++) % OFFERED;
        if (g->free_ns)
            samples_add(&pauses, now - g->free_ns);
        g->last_reservation = g->todo[i].reservation = reservation;
        copy_text(offer, "\"conference\":\"", g->todo[i].conf);
        on_offer(g->todo[i].conf, now);
        accept_next(g);
    }
    poll(g);
}

static void
read_agents(const char *path)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        die("the agents' tokens cannot be read");
    while (agent_count < AGENTS_MAX && fscanf(file, "%127s", agents[agent_count].token) == 1)
        agent_count++;
    fclose(file);
}

void
chats(const struct plan *plan)
{
    read_agents(plan->file);
    most = plan->posters > 0 ? -1 : plan->waiters;
    for (int i = 0; i < agent_count; i++) {
        agents[i].poll = http_connect(on_poll, &agents[i]);
        agents[i].act = http_connect(on_act, &agents[i]);
        poll(&agents[i]);
    }
    if (plan->posters > 0)
        http_run(now_ns() + 2 * second_ns, &is_never);
    double cpu_before = cpu_ms(plan->pids);
    int64_t start = now_ns();
    for (int i = 0; i < plan->posters && i < CUSTOMERS_MAX; i++) {
        customers[i].connection = http_connect(on_form, &customers[i]);
        send_form(&customers[i]);
    }
    http_run(start + (int64_t)(plan->seconds * second_ns), &is_over);
    double took_s = (double)(now_ns() - start) / second_ns;
    is_over = true;
    long counted = plan->posters > 0 ? started : ended; /* without customers: those who waited already */
    double cpu = cpu_ms(plan->pids) - cpu_before;
    is_never = false;
    if (plan->posters > 0)
        http_run(now_ns() + second_ns, &is_never);
    if (plan->posters > 0 && ended < counted - agent_count)
        die("%ld chats were started and only %ld ended", counted, ended);
    printf("{\"chats\":%ld,\"seconds\":%.3f,\"per_s\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"form_p50_ms\":%.3f,"
           "\"form_p99_ms\":%.3f,\"offer_p50_ms\":%.3f,\"cpu_ms_each\":%.3f}\n",
        counted, took_s, (double)counted / took_s, samples_ms(&starts, 0.5), samples_ms(&starts, 0.99), samples_ms(&forms, 0.5),
        samples_ms(&forms, 0.99), samples_ms(&pauses, 0.5), cpu / (double)counted);
}
