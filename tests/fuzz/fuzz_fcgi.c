/* fuzz_fcgi: any bytes on a connection of the web server. What fcgi_look() says once stays true whatever follows, and a request
 * that it calls whole is read by libfcgi to its last byte and no further, without waiting. Link with lib/io/fcgi.c,
 * lib/io/request.c and -lfcgi. */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/fcgi.h"

enum { BODY_LIMIT = 2000 };

/* Looks at an own copy, so that reading on is seen. */
static struct fcgi_front
look(const uint8_t *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes + 1);
    MUST(copy != NULL);
    memcpy(copy + 1, data, bytes);
    struct fcgi_front front = fcgi_look(copy + 1, bytes, BODY_LIMIT);
    free(copy);
    MUST(front.bytes <= bytes);
    return front;
}

/* The body in pieces, behind the head, is what it is as a whole. */
static void
must_be_the_same_in_pieces(const uint8_t *data, size_t bytes, const struct fcgi_front *front)
{
    struct fcgi_body body = {.id = front->id};
    enum fcgi_front_kind kind = FRONT_PART;
    size_t at = front->head_bytes, used = 0;
    for (size_t step = 1; kind == FRONT_PART && at < bytes; at += used, step += step / 2 + 1)
        kind = fcgi_look_on(&body, data + at, bytes - at < step ? bytes - at : step, BODY_LIMIT, &used);
    MUST(kind == front->kind && (kind != FRONT_REQUEST || at == front->bytes));
}

static void
must_be_taken_whole(const uint8_t *data, const struct fcgi_front *front)
{
    int ends[2];
    uint8_t byte;
    struct fcgi_taken taken;
    struct arena *mem = arena_new();
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    MUST(send(ends[0], data, front->bytes, MSG_DONTWAIT) == (ssize_t)front->bytes);
    if (fcgi_take(ends[1], mem, BODY_LIMIT, &taken) == OK) { /* else CONTENT_LENGTH is wrong, and ends[1] is closed */
        MUST(taken.id == front->id && taken.keep == front->keep);
        MUST(taken.input.is_too_large || taken.input.body_bytes <= BODY_LIMIT);
        MUST(taken.input.is_too_large || recv(ends[1], &byte, 1, MSG_DONTWAIT) < 0);
        for (size_t i = 0; taken.input.params[i] != NULL; i++)
            MUST(strlen(taken.input.params[i]) <= front->bytes + sizeof "FCGI_ROLE=RESPONDER");
        close(ends[1]);
    }
    close(ends[0]);
    arena_free(mem);
}

static void
must_be_answered(const uint8_t *data, const struct fcgi_front *front)
{
    uint8_t reply[FCGI_REPLY_MAX_BYTES];
    size_t bytes = fcgi_reply(reply, data, front->bytes);
    MUST(bytes >= FCGI_RECORD_HEAD_BYTES && bytes <= sizeof reply && bytes == FCGI_RECORD_HEAD_BYTES + (size_t)reply[5]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static int is_started;
    if (!is_started++)
        MUST(fcgi_start(-1) == OK);
    struct fcgi_front whole = look(data, bytes), last = {0};
    for (size_t cut = 0; cut <= bytes; cut += 1 + cut / 16) {
        struct fcgi_front front = look(data, cut);
        MUST(last.kind == FRONT_PART || (front.kind == last.kind && front.id == last.id && front.keep == last.keep));
        MUST(front.kind == FRONT_PART || (front.kind == whole.kind && front.id == whole.id));
        last = front;
    }
    if (whole.is_head_whole)
        must_be_the_same_in_pieces(data, bytes, &whole);
    if (whole.kind == FRONT_REQUEST && whole.bytes < 60000)
        must_be_taken_whole(data, &whole);
    if (whole.kind == FRONT_QUESTION)
        must_be_answered(data, &whole);
    return 0;
}
