/* A program for the tests of PREFORK: it takes files, answers as large as it is asked to, and waits before it does. */
#ifndef RTCC_TEST_PREFORKED_H
#define RTCC_TEST_PREFORKED_H

#include "server.h"

enum { FILE_PART, SIZE, MS };

static const struct param params[] = {
    [FILE_PART] = {"file", PARAM_FILE, false, 0, 0, "a file"},
    [SIZE] = {"size", PARAM_INT, false, 0, 40000000, "bytes of the answer"},
    [MS] = {"ms", PARAM_INT, false, 0, 10000, "how long it waits"},
    {"text", PARAM_TEXT, false, 0, 110000, "anything"},
    {.name = NULL},
};

static inline enum err
answer(struct request *r)
{
    world->answer_calls++;
    usleep((useconds_t)r->args[MS].number * 1000);
    value_add_int(r->out, "body", (int64_t)r->body_bytes);
    value_add_int(r->out, "pid", getpid());
    if (r->args[FILE_PART].file != NULL)
        value_add_int(r->out, "last", r->args[FILE_PART].file->data[r->args[FILE_PART].file->bytes - 1]);
    if (r->args[SIZE].text != NULL) {
        r->file.fd = memfd_create("file", MFD_CLOEXEC);
        r->file.bytes = r->args[SIZE].number;
        if (ftruncate(r->file.fd, r->file.bytes) != 0)
            return ERR_UNAVAILABLE;
    }
    return OK;
}

static const struct service prefork = {.name = "prefork",
    .methods = METHOD_GET | METHOD_POST,
    .mode = PREFORK,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .answer = answer};

static inline bool
says(const struct reply *reply, const char *part)
{
    return reply->is_ended && strstr(reply->data, part) != NULL;
}

static inline void
send_all(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

static const char upload_before[] = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
static const char upload_after[] = "\r\n--x--\r\n";

/* The head of a multipart upload of a file of `len` bytes, and what stands before the file. */
static inline void
send_upload_head(int fd, size_t len)
{
    struct bytes b = {.len = 0};
    uint8_t pairs[400];
    size_t used = 0;
    char length[24];
    snprintf(length, sizeof length, "%zu", len + sizeof upload_before - 1 + sizeof upload_after - 1);
    add_pair(pairs, &used, "REQUEST_METHOD", "POST");
    add_pair(pairs, &used, "CONTENT_TYPE", "multipart/form-data; boundary=x");
    add_pair(pairs, &used, "CONTENT_LENGTH", length);
    add_begin(&b, 1, 1, true);
    add_record(&b, 4, 1, pairs, used, 0);
    add_record(&b, 4, 1, NULL, 0, 0);
    add_record(&b, 5, 1, upload_before, sizeof upload_before - 1, 0);
    send_all(fd, b.data, b.len);
}

/* `len` bytes of the file, in records of 32 KiB. */
static inline void
send_upload_part(int fd, size_t len)
{
    static struct bytes b;
    static char content[32768];
    memset(content, 'c', sizeof content);
    for (size_t at = 0; at < len; at += sizeof content) {
        b.len = 0;
        add_record(&b, 5, 1, content, len - at < sizeof content ? len - at : sizeof content, 0);
        send_all(fd, b.data, b.len);
    }
}

static inline void
send_upload_end(int fd)
{
    struct bytes b = {.len = 0};
    add_record(&b, 5, 1, upload_after, sizeof upload_after - 1, 0);
    add_record(&b, 5, 1, NULL, 0, 0);
    send_all(fd, b.data, b.len);
}

static inline void
send_upload(int fd, size_t len)
{
    send_upload_head(fd, len);
    send_upload_part(fd, len);
    send_upload_end(fd);
}

/* The ms that one more small request takes. */
static inline int64_t
ms_of_another(const struct server *server)
{
    int64_t start_ms = clock_boot_ms();
    int fd = connect_to(server->path);
    send_request(fd, 1, false, "");
    struct reply reply = read_reply(fd, 30000);
    CHECK(says(&reply, "{\"body\":0,"), "%s", reply.data);
    close(fd);
    return clock_boot_ms() - start_ms;
}

#endif
