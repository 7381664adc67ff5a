/* A program for the tests of the BATCH loop: it answers as large as it is asked to. */
#ifndef RTCC_TEST_LOOPED_H
#define RTCC_TEST_LOOPED_H

#include "server.h"

enum { SIZE, FILE_BYTES };

static const struct param params[] = {
    [SIZE] = {"size", PARAM_INT, false, 0, 4000000, "bytes of the answer"},
    [FILE_BYTES] = {"file", PARAM_INT, false, 0, 40000000, "bytes of a file as the answer"},
    {"text", PARAM_TEXT, false, 0, 110000, "anything"},
    {.name = NULL},
};

static inline enum err
answer(struct request *r)
{
    world->answer_calls++;
    for (int64_t i = 0; i < r->args[SIZE].number; i++)
        buf_byte(&r->raw, (char)('a' + i % 26));
    if (r->args[FILE_BYTES].text != NULL) {
        r->file.fd = memfd_create("file", MFD_CLOEXEC);
        r->file.bytes = r->args[FILE_BYTES].number;
        if (ftruncate(r->file.fd, r->file.bytes) != 0)
            return ERR_UNAVAILABLE;
    }
    value_add_int(r->out, "body", (int64_t)r->body_bytes);
    return OK;
}

static const struct service batch = {.name = "batch",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .answer = answer};

static inline bool
says(const struct reply *reply, const char *part)
{
    return reply->is_ended && strstr(reply->data, part) != NULL;
}

#endif
