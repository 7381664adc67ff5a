/* load: the benchmark's clients, in one process and one thread. What it is told and what it prints: usage(). */
#include "load.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

void
samples_add(struct samples *s, int64_t ns)
{
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 4096;
        s->ns = realloc(s->ns, s->room * sizeof *s->ns);
        if (!s->ns)
            die("out of memory");
    }
    s->ns[s->count++] = ns;
}

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

double
samples_ms(struct samples *s, double part)
{
    if (s->count == 0)
        return -1;
    qsort(s->ns, s->count, sizeof *s->ns, compare);
    return (double)s->ns[(size_t)((double)(s->count - 1) * part)] / 1e6;
}

/* The first number of schedstat is the time on a processor (ns): finer than the ticks of stat. */
static double
ns_of_threads(const char *pid)
{
    char path[64], text[128];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%.20s/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 0; /* it ended */
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/schedstat", pid, task->d_name);
        FILE *file = fopen(path, "r");
        if (file && fgets(text, sizeof text, file))
            sum += strtod(text, NULL);
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return sum;
}

double
cpu_ms(const char *pids)
{
    char list[16384];
    double ns = 0;
    snprintf(list, sizeof list, "%s", pids ? pids : "");
    for (char *rest = list, *pid; (pid = strsep(&rest, ",")) != NULL;)
        if (*pid)
            ns += ns_of_threads(pid);
    return ns / 1e6;
}

int64_t
mark_ns(const char *at)
{
    return strtoll(at + sizeof MARK - 1, NULL, 10);
}

static int
usage(void)
{
    fputs(
        "usage: load rtcc|nchan|bosh|fossil|chats -p PORT [-n WAITERS] [-c CHANNELS] [-k POSTERS] [-r POSTS A SECOND, 0: flat out]\n"
        "            [-s SECONDS] [-P PID,PID,…] [-f FILE] [-a AFTER]\n"
        "Prints \"held\" when all wait, and at the end one line of JSON. Without posters it only waits.\n"
        "FILE: rtcc: a line \"CONFERENCE TOKEN\" for each waiter, who begins behind the event AFTER; chats: an agent's token a line, and\n"
        "without posters these take WAITERS customers who wait already.\n",
        stderr);
    return 2;
}

static const struct kind *
kind_of(const char *name)
{
    return strcmp(name, "rtcc") == 0     ? &rtcc_kind
           : strcmp(name, "nchan") == 0  ? &nchan_kind
           : strcmp(name, "bosh") == 0   ? &bosh_kind
           : strcmp(name, "fossil") == 0 ? &fossil_kind
                                         : NULL;
}

static int
number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < 0 || value > 1000000)
        die("'%s' is no number", text);
    return (int)value;
}

int
main(int argc, char **argv)
{
    struct plan plan = {.waiters = 1, .channels = 1, .posters = 8, .seconds = 5};
    struct rlimit files;
    if (argc < 2)
        return usage();
    for (int option; (option = getopt(argc - 1, argv + 1, "p:n:c:k:r:s:P:f:a:")) != -1;) {
        switch (option) {
        case 'p':
            plan.port = number(optarg);
            break;
        case 'n':
            plan.waiters = number(optarg);
            break;
        case 'c':
            plan.channels = number(optarg);
            break;
        case 'k':
            plan.posters = number(optarg);
            break;
        case 'r':
            plan.rate = strtod(optarg, NULL);
            break;
        case 's':
            plan.seconds = strtod(optarg, NULL);
            break;
        case 'P':
            plan.pids = optarg;
            break;
        case 'f':
            plan.file = optarg;
            break;
        case 'a':
            plan.cursor = strtoll(optarg, NULL, 10);
            break;
        default:
            return usage();
        }
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    http_start(plan.port);
    if (strcmp(argv[1], "chats") == 0)
        chats(&plan);
    else if (kind_of(argv[1]))
        deliver(kind_of(argv[1]), &plan);
    else
        return usage();
    return 0;
}
