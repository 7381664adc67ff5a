/* deliver.c: waiters that poll, posters that post, and how long a message is on its way. Posts go to the channels in turn; a
 * waiter polls again as soon as it has its answer, as a page does. Every accepted post has to reach every waiter of its channel:
 * a run in which one is missing or doubled has no figures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { AT_ONCE = 200 };
static const int64_t second_ns = 1000000000;

static const struct kind *kind;
static struct channel *channels;
static struct waiter *waiters;
static int waiter_count, ready_waiters, channel_count, next_channel, poster_count, first_idle, idle_count;
static struct poster **idle; /* a ring */
static struct samples ways, posts;
static int64_t accepted, expected, delivered;
static bool is_posting_over, is_all_delivered, is_flat_out, is_step_over, is_never;

static void
on_poll(struct connection *c, const struct answer *a)
{
    struct waiter *w = c->owner;
    int64_t now = now_ns();
    if (a->status != 200 && a->status != 304 && a->status != 408)
        die("a poll was answered with %d: %.300s", a->status, a->body);
    for (const char *at = a->body; (at = strstr(at, MARK)) != NULL; at += sizeof MARK - 1) {
        samples_add(&ways, now - mark_ns(at));
        delivered++;
    }
    is_all_delivered = is_posting_over && delivered >= expected;
    kind->answered(w, a);
    kind->poll(w);
}

void
waiter_ready(struct waiter *w)
{
    w->connection->on_answer = on_poll;
    w->connection->owner = w;
    kind->poll(w);
    is_step_over = ++ready_waiters == waiter_count || ready_waiters % AT_ONCE == 0;
}

static void
post_next(void)
{
    struct channel *to = &channels[next_channel++ % channel_count];
    struct poster *p = idle[first_idle++ % poster_count];
    idle_count--;
    expected += to->fan_out;
    kind->post(p, to, now_ns());
}

void
poster_ready(struct poster *p)
{
    idle[(first_idle + idle_count++) % poster_count] = p;
    is_step_over = true;
}

void
post_taken(struct poster *p, int64_t sent_ns)
{
    samples_add(&posts, now_ns() - sent_ns);
    accepted++;
    poster_ready(p);
    if (is_flat_out && !is_posting_over)
        post_next();
}

/* Some at a time, so that no listening queue runs over. */
static void
prepare(const struct plan *plan)
{
    for (int i = 0; i < waiter_count; i++) {
        is_step_over = false;
        waiters[i].connection = http_connect(NULL, &waiters[i]);
        kind->prepare(&waiters[i]);
        if ((i + 1) % AT_ONCE == 0 || i + 1 == waiter_count)
            http_run(now_ns() + 30 * second_ns, &is_step_over);
    }
    if (ready_waiters < waiter_count)
        die("only %d of %d waiters could be prepared", ready_waiters, waiter_count);
    poster_count = plan->posters;
    idle = calloc((size_t)poster_count + 1, sizeof *idle);
    for (int i = 0; i < plan->posters; i++) {
        struct poster *p = calloc(1, sizeof *p);
        is_step_over = false;
        p->connection = http_connect(NULL, p);
        kind->prepare_poster(p);
        if (!is_step_over)
            http_run(now_ns() + 10 * second_ns, &is_step_over);
    }
    http_run(now_ns() + 2 * second_ns, &is_never); /* until all of them wait */
    puts("held");
    fflush(stdout);
}

static void
post_at_rate(const struct plan *plan)
{
    int64_t start = now_ns(), end = start + (int64_t)(plan->seconds * second_ns), due = start;
    for (int64_t n = 1; due < end; n++) {
        http_run(due, &is_never);
        if (idle_count == 0)
            die("%d posters are too few for %g posts a second", plan->posters, plan->rate);
        post_next();
        due = start + (int64_t)(n * second_ns / plan->rate);
    }
}

static void
post_flat_out(const struct plan *plan)
{
    is_flat_out = true;
    int64_t end = now_ns() + (int64_t)(plan->seconds * second_ns);
    while (idle_count > 0)
        post_next();
    http_run(end, &is_never);
}

static void
read_waiters(const struct plan *plan)
{
    FILE *file = plan->file ? fopen(plan->file, "r") : NULL;
    char conf[256], token[256];
    waiter_count = plan->waiters;
    channel_count = plan->channels;
    channels = calloc((size_t)channel_count, sizeof *channels);
    waiters = calloc((size_t)waiter_count, sizeof *waiters);
    for (int i = 0; i < waiter_count; i++) {
        struct waiter *w = &waiters[i];
        w->channel = &channels[(int64_t)i * channel_count / waiter_count];
        snprintf(conf, sizeof conf, "c%d", (int)(w->channel - channels));
        token[0] = '\0';
        if (file && fscanf(file, "%255s %255s", conf, token) != 2)
            die("%s has too few lines", plan->file);
        w->token = strdup(token);
        w->cursor = plan->cursor;
        if (w->channel->fan_out++ == 0) {
            w->channel->conf = strdup(conf);
            w->channel->token = w->token;
        }
    }
    if (file)
        fclose(file);
}

void
deliver(const struct kind *which, const struct plan *plan)
{
    kind = which;
    read_waiters(plan);
    prepare(plan);
    double cpu_before = cpu_ms(plan->pids);
    int64_t start = now_ns();
    if (plan->rate > 0)
        post_at_rate(plan);
    else if (plan->posters > 0)
        post_flat_out(plan);
    else
        http_run(start + (int64_t)(plan->seconds * second_ns), &is_never);
    double took_s = (double)(now_ns() - start) / second_ns;
    is_posting_over = true;
    is_all_delivered = delivered >= expected;
    http_run(now_ns() + 10 * second_ns, &is_all_delivered);
    http_run(now_ns() + second_ns / 5, &is_never); /* for what should not come */
    double cpu = cpu_ms(plan->pids) - cpu_before;
    if (delivered != expected)
        die("%ld messages should have come and %ld came", (long)expected, (long)delivered);
    printf("{\"posts\":%ld,\"deliveries\":%ld,\"seconds\":%.3f,\"per_s\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
           "\"post_p50_ms\":%.3f,\"post_p99_ms\":%.3f,\"cpu_ms\":%.1f}\n",
        (long)accepted, (long)delivered, took_s, (double)accepted / took_s, samples_ms(&ways, 0.5), samples_ms(&ways, 0.99),
        samples_ms(&posts, 0.5), samples_ms(&posts, 0.99), cpu);
}
