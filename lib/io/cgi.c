/* cgi.c: the same job as in the loops, from the environment to stdout.
 *
 * A held request waits here with nothing else to do, so it asks wake() after each ring and each second; news() would only tell
 * whom among many it concerns. It holds for the setting cgi_hold_s at most, and only where it finds a seat, as each costs a
 * process, and often a thread of the web server. */
#include "io/cgi.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "io/bell.h"
#include "io/db.h"
#include "io/job.h"
#include "io/seat.h"
#include "io/settings.h"

enum { TICK_MS = 1000, DRAIN_MS = 2000, PIECE_BYTES = 65536 };

/* False if stdin ends before `bytes`. */
static bool
read_stdin(char *to, size_t bytes)
{
    while (bytes > 0) {
        ssize_t got = read(STDIN_FILENO, to, bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        bytes -= (size_t)got;
    }
    return true;
}

/* What still comes of a refused body is read away: a web server that cannot get rid of it drops the answer too. */
static void
drain_stdin(void)
{
    char piece[PIECE_BYTES];
    int64_t end_ms = clock_boot_ms() + DRAIN_MS, left_ms;
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    while ((left_ms = end_ms - clock_boot_ms()) > 0 && poll(&ready, 1, (int)left_ms) > 0)
        if (read(STDIN_FILENO, piece, sizeof piece) <= 0)
            return;
}

/* A body in chunks has no length beforehand: then it is what comes until stdin ends. */
static bool
read_to_end(struct arena *mem, size_t body_max, struct input *in)
{
    ssize_t got = 1;
    struct buf body = buf_new(mem, body_max + PIECE_BYTES);
    char *piece = arena_room(mem, PIECE_BYTES);
    while (got > 0 && body.len <= body_max) {
        got = read(STDIN_FILENO, piece, PIECE_BYTES);
        if (got > 0)
            buf_bytes(&body, piece, (size_t)got);
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    in->is_too_large = body.len > body_max;
    if (in->is_too_large) {
        drain_stdin();
        return true;
    }
    in->body_bytes = body.len;
    in->body = buf_str(&body);
    return got == 0;
}

/* False if there is less than CONTENT_LENGTH says, or it is no length. */
static bool
read_input(struct arena *mem, size_t body_max, struct input *in)
{
    const char *text = getenv("CONTENT_LENGTH");
    *in = (struct input){.params = environ, .body = ""};
    if (text == NULL || *text == '\0')
        return getenv("HTTP_TRANSFER_ENCODING") == NULL || read_to_end(mem, body_max, in);
    if (strspn(text, "0123456789") != strlen(text))
        return false;
    in->is_too_large = strlen(text) > 18 || strtoull(text, NULL, 10) > body_max;
    if (in->is_too_large) {
        drain_stdin();
        return true;
    }
    in->body_bytes = strtoull(text, NULL, 10);
    char *body = arena_room(mem, in->body_bytes + 1);
    body[in->body_bytes] = '\0';
    in->body = body;
    return read_stdin(body, in->body_bytes);
}

static bool
write_all(const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(STDOUT_FILENO, data, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data += written;
        bytes -= (size_t)written;
    }
    return true;
}

static void
write_answer(const struct answer *answer)
{
    char piece[PIECE_BYTES];
    struct body_file file = answer->file;
    bool is_open = write_all(answer->bytes.data, answer->bytes.len);
    while (is_open && file.fd >= 0 && file.bytes > 0) {
        size_t want = file.bytes < (int64_t)sizeof piece ? (size_t)file.bytes : sizeof piece;
        ssize_t got = pread(file.fd, piece, want, file.offset);
        is_open = got > 0 && write_all(piece, (size_t)got);
        file.offset += got;
        file.bytes -= got;
    }
}

/* Waits for the bell or the next tick, but not beyond the deadline. */
static void
wait_for_news(int bell, const char *folder, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - clock_boot_ms();
    struct pollfd ring = {.fd = bell, .events = POLLIN};
    if (left_ms > 0 && poll(&ring, 1, left_ms < TICK_MS ? (int)left_ms : TICK_MS) > 0)
        bell_heard(bell, folder);
}

static void
hold(struct job *job, const struct center *process)
{
    const char *folder = db_folder(process->db);
    bool has_seat = seat_take(folder, process->settings->cgi_hold_max);
    int64_t latest_ms = job->r->c->boot_ms + (has_seat ? process->settings->cgi_hold_s * 1000 : 0);
    int bell = bell_listen(folder);
    job->r->wait.parked_ms = job->r->c->boot_ms;
    while (job->r->is_held) { /* the first look is at once: news may have come before the bell was heard */
        int64_t deadline_ms = job->r->wait.deadline_ms < latest_ms ? job->r->wait.deadline_ms : latest_ms;
        job->r->c->now_ms = clock_wall_ms();
        job->r->c->boot_ms = clock_boot_ms();
        job_wake(job, job->r->c->boot_ms >= deadline_ms);
        if (job->r->is_held)
            wait_for_news(bell, folder, deadline_ms);
    }
    close(bell);
}

/* Where no process stays, the polls are the clock. */
static void
tick(const struct job *job)
{
    const struct hold *hold = job->r->service->hold;
    if (hold != NULL && hold->tick != NULL && hold->tick(job->r->c) != OK)
        log_warn("what was due could not be done");
}

void
cgi_run(const struct service *s, const struct center *process)
{
    struct job job;
    struct input in;
    job_begin(&job);
    bool is_whole = read_input(job.mem, request_body_max(s, process->settings), &in);
    job_read(&job, s, process, &in);
    if (job.err == OK && !is_whole)
        job.err = center_fault(job.r->c, ERR_BAD_PARAMETER, NULL, "The body is shorter than the request says.");
    if (job.err == OK && process->db == NULL)
        job.err = ERR_UNAVAILABLE;
    if (job.err == OK)
        tick(&job);
    jobs_run(&job, 1);
    if (job.r->is_held)
        hold(&job, process);
    write_answer(&job.answer);
    job_end(&job);
}
