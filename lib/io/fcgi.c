/* fcgi.c: looking at records, reading a request with libfcgi, writing records by hand. The only file that includes libfcgi.
 *
 * libfcgi reads with blocking read() and no time limit: half a record would stop the process for ever. So the loop looks at the
 * socket with MSG_PEEK and walks the record headers here; FCGX_Accept_r comes only when the empty STDIN record has come, and
 * reads from the socket, if all of it lies there at once (behind nginx it nearly always does), else from a file, mostly in
 * memory. It takes a descriptor of ours when ipcFd is set beforehand (seen with 2.4.2: it then skips accept). The rest of
 * libfcgi is left out: a kept FCGX_Request is 10.6 KB, and FCGX_Finish_r lingers up to 2 s. Params and body are copied to the
 * arena and FCGX_Free(&r, 0) gives everything back; the three records of an answer are 24 bytes and the text.
 *
 * Rejected: parsing the variables from buffers of our own too. It would take no package, but what a stranger sends is better read
 * by a parser that many use. */
#include "io/fcgi.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fastcgi.h>
#include <fcgiapp.h>

static_assert(FCGI_LOOK_MAX_BYTES >= FCGI_HEAD_MAX_BYTES + BODY_MAX_BYTES + 8192, "a whole request can be looked at");

/* ── looking ── */

struct walk {
    const uint8_t *data;
    size_t bytes;
    size_t body_max;
    size_t at; /* the record that is looked at */
    size_t head_bytes;
    size_t body_bytes;
    bool is_begun;
    struct fcgi_front front;
    struct {             /* where in a name and value of the variables it is */
        size_t skip;     /* bytes of both still to come */
        size_t length;   /* that is being read … */
        int length_more; /* … so many bytes of it still to come */
        int lengths;     /* read, of two */
        size_t sum;
    } pair;
};

/* The lengths in a record of variables, which may be cut anywhere. False if they go over the limit: libfcgi would believe them,
 * and ask malloc for as much. */
static bool
walk_pairs(struct walk *w, const uint8_t *content, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        if (w->pair.skip > 0) {
            size_t piece = bytes - at < w->pair.skip ? bytes - at : w->pair.skip;
            w->pair.skip -= piece;
            at += piece;
            continue;
        }
        uint8_t byte = content[at++];
        if (w->pair.length_more > 0) {
            w->pair.length = w->pair.length << 8 | byte;
            w->pair.length_more--;
        } else {
            w->pair.length = byte & 0x80 ? byte & 0x7f : byte;
            w->pair.length_more = byte & 0x80 ? 3 : 0;
        }
        if (w->pair.length_more > 0)
            continue;
        w->pair.sum += w->pair.length;
        if (w->pair.sum > FCGI_HEAD_MAX_BYTES)
            return false;
        if (++w->pair.lengths == 2) {
            w->pair.skip = w->pair.sum;
            w->pair.sum = 0;
            w->pair.lengths = 0;
        }
    }
    return true;
}

/* Whether the variables may end here. */
static bool
is_between_pairs(const struct walk *w)
{
    return w->pair.skip == 0 && w->pair.length_more == 0 && w->pair.lengths == 0;
}

/* Padding behind the empty record that ends a stream. libfcgi does not skip it: it would take what pads the variables' end for
 * records, and leave what pads the body's in the socket if a read of 8 KB ended before it. No web server pads nothing. */
static bool
is_padded_for_nothing(const uint8_t *record)
{
    return record[4] == 0 && record[5] == 0 && record[6] != 0;
}

static enum fcgi_front_kind
walk_begin(struct walk *w, const uint8_t *record, size_t content, bool is_whole)
{
    bool is_padded = record[6] != 0; /* libfcgi would take the padding for variables; nobody pads eight bytes */
    if (record[1] != FCGI_BEGIN_REQUEST || content != sizeof(FCGI_BeginRequestBody) || is_padded)
        return FRONT_BAD;
    if (!is_whole)
        return FRONT_PART;
    w->is_begun = true;
    w->front.keep = (record[10] & FCGI_KEEP_CONN) != 0;
    return (record[8] << 8 | record[9]) == FCGI_RESPONDER ? FRONT_PART : FRONT_BAD_ROLE;
}

static enum fcgi_front_kind
walk_stream(struct walk *w, const uint8_t *record, size_t content, bool is_whole)
{
    bool is_params = record[1] == FCGI_PARAMS;
    if ((!is_params && record[1] != FCGI_STDIN) || is_params == w->front.is_head_whole)
        return FRONT_BAD;
    if (is_padded_for_nothing(record))
        return FRONT_BAD;
    *(is_params ? &w->head_bytes : &w->body_bytes) += content;
    if (w->head_bytes > FCGI_HEAD_MAX_BYTES)
        return FRONT_HEAD_LARGE;
    if (w->body_bytes > w->body_max)
        return FRONT_TOO_LARGE;
    if (!is_whole)
        return FRONT_PART;
    if (is_params && content > 0)
        return walk_pairs(w, record + FCGI_HEADER_LEN, content) ? FRONT_PART : FRONT_BAD;
    if (content > 0)
        return FRONT_PART;
    if (!is_params)
        return FRONT_REQUEST;
    w->front.is_head_whole = is_between_pairs(w);
    w->front.head_bytes = w->at + FCGI_HEADER_LEN;
    return w->front.is_head_whole ? FRONT_PART : FRONT_BAD;
}

/* One record whose head is there. PART: walk on, if the record is whole. */
static enum fcgi_front_kind
walk_record(struct walk *w, size_t content, bool is_whole)
{
    const uint8_t *record = w->data + w->at;
    uint16_t id = (uint16_t)(record[2] << 8 | record[3]);
    if (record[0] != FCGI_VERSION_1)
        return FRONT_BAD;
    if (id == FCGI_NULL_REQUEST_ID && w->at == 0)
        return is_whole ? FRONT_QUESTION : FRONT_PART;
    if (id == FCGI_NULL_REQUEST_ID) /* a question within a request: nobody asks so */
        return FRONT_BAD;
    if (!w->is_begun) {
        w->front.id = id;
        return walk_begin(w, record, content, is_whole);
    }
    if (id != w->front.id) /* two requests at once on a connection: not offered (FCGI_MPXS_CONNS is 0) */
        return FRONT_BAD;
    if (record[1] == FCGI_ABORT_REQUEST)
        return is_whole ? FRONT_ABORT : FRONT_PART;
    return walk_stream(w, record, content, is_whole);
}

struct fcgi_front
fcgi_look(const uint8_t *data, size_t bytes, size_t body_max)
{
    struct walk w = {.data = data, .bytes = bytes, .body_max = body_max};
    bool is_whole = true;
    while (is_whole && w.front.kind == FRONT_PART && bytes - w.at >= FCGI_HEADER_LEN) {
        const uint8_t *record = data + w.at;
        size_t content = (size_t)(record[4] << 8 | record[5]);
        size_t record_bytes = FCGI_HEADER_LEN + content + record[6];
        is_whole = bytes - w.at >= record_bytes;
        w.front.kind = walk_record(&w, content, is_whole);
        if (is_whole)
            w.at += record_bytes;
    }
    w.front.bytes = w.at;
    return w.front;
}

/* A record of the body begins. */
static enum fcgi_front_kind
begin_record(struct fcgi_body *body, size_t body_max)
{
    const uint8_t *head = body->head;
    size_t content = (size_t)(head[4] << 8 | head[5]);
    bool is_abort = head[1] == FCGI_ABORT_REQUEST;
    if (head[0] != FCGI_VERSION_1 || (head[2] << 8 | head[3]) != body->id || (head[1] != FCGI_STDIN && !is_abort))
        return FRONT_BAD;
    if (!is_abort && is_padded_for_nothing(head))
        return FRONT_BAD;
    body->head_bytes = 0;
    body->left = content + head[6];
    body->bytes += is_abort ? 0 : content;
    body->end = is_abort ? FRONT_ABORT : content == 0 ? FRONT_REQUEST : FRONT_PART;
    return body->bytes > body_max ? FRONT_TOO_LARGE : FRONT_PART;
}

enum fcgi_front_kind
fcgi_look_on(struct fcgi_body *body, const uint8_t *data, size_t bytes, size_t body_max, size_t *used)
{
    enum fcgi_front_kind kind = FRONT_PART;
    size_t at = 0;
    while (kind == FRONT_PART && at < bytes) {
        size_t piece = bytes - at < body->left ? bytes - at : body->left;
        body->left -= piece;
        at += piece;
        if (piece == 0)
            body->head[body->head_bytes++] = data[at++];
        if (body->head_bytes == FCGI_HEADER_LEN)
            kind = begin_record(body, body_max);
        if (kind == FRONT_PART && body->left == 0 && body->head_bytes == 0)
            kind = body->end;
    }
    *used = at;
    return kind;
}

bool
fcgi_is_abort(const uint8_t *data, size_t bytes, uint16_t id)
{
    return bytes >= FCGI_HEADER_LEN && data[1] == FCGI_ABORT_REQUEST && (data[2] << 8 | data[3]) == id;
}

/* ── reading ── */

enum err
fcgi_start(int listen_fd)
{
    fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK);
    /* FCGX_Free closes a connection that it found broken, and would wait 2 s for the other side to do so first */
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1);
    return FCGX_Init() == 0 ? OK : ERR_UNAVAILABLE;
}

static char **
copy_params(struct arena *mem, char *const *envp)
{
    size_t count = 0;
    while (envp[count] != NULL)
        count++;
    char **params = arena_array(mem, count + 1, sizeof *params);
    for (size_t i = 0; i < count; i++)
        params[i] = arena_strdup(mem, envp[i]);
    return params;
}

/* The announced length, or -1. */
static int64_t
content_length(char *const *params)
{
    const char *text = input_get(params, "CONTENT_LENGTH");
    if (text == NULL || *text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
        return -1;
    return strtoll(text, NULL, 10);
}

/* False when the stream ended before its end or does not have the announced length. */
static bool
read_body(FCGX_Stream *in, struct arena *mem, size_t body_max, int64_t announced, struct input *out)
{
    out->body = "";
    out->is_too_large = announced > (int64_t)body_max;
    if (out->is_too_large)
        return true;
    size_t room = announced >= 0 ? (size_t)announced : body_max;
    struct buf body = buf_new(mem, room);
    char *whole = announced > 0 ? arena_room(mem, room + 1) : NULL; /* a known length is not copied while it grows */
    char piece[8192];
    for (;;) {
        size_t want = whole != NULL && room > out->body_bytes ? room - out->body_bytes : sizeof piece;
        char *to = whole != NULL && room > out->body_bytes ? whole + out->body_bytes : piece;
        int got = FCGX_GetStr(to, want > 65536 ? 65536 : (int)want, in);
        if (got <= 0)
            break;
        out->body_bytes += (size_t)got;
        if (out->body_bytes > room)
            break;
        if (whole == NULL)
            buf_bytes(&body, piece, (size_t)got);
    }
    if (whole != NULL)
        whole[room] = '\0';
    out->body = whole != NULL ? whole : buf_str(&body);
    out->is_too_large = announced < 0 && out->body_bytes > room;
    bool is_right = announced < 0 || out->body_bytes == (size_t)announced;
    if (out->is_too_large)
        out->body_bytes = 0;
    return FCGX_GetError(in) == 0 && is_right;
}

enum err
fcgi_take(int fd, struct arena *mem, size_t body_max, struct fcgi_taken *out)
{
    FCGX_Request request;
    FCGX_InitRequest(&request, -1, 0);
    request.ipcFd = fd;
    request.keepConnection = 1; /* else FCGX_Accept_r begins by closing it */
    if (FCGX_Accept_r(&request) != 0)
        return ERR_BAD_PARAMETER;
    *out = (struct fcgi_taken){.id = (uint16_t)request.requestId, .keep = request.keepConnection != 0};
    out->input.params = copy_params(mem, request.envp);
    out->announced = content_length(out->input.params);
    bool is_whole = read_body(request.in, mem, body_max, out->announced, &out->input);
    request.ipcFd = -1;
    FCGX_Free(&request, 0);
    if (is_whole)
        return OK;
    close(fd);
    return ERR_BAD_PARAMETER;
}

enum err
fcgi_take_kept(const uint8_t *data, size_t bytes, struct arena *mem, size_t body_max, struct fcgi_taken *out)
{
    int fd = memfd_create("request", MFD_CLOEXEC); /* libfcgi reads from nothing but a descriptor */
    if (fd < 0)
        return ERR_UNAVAILABLE;
    bool is_there = write(fd, data, bytes) == (ssize_t)bytes && lseek(fd, 0, SEEK_SET) == 0;
    enum err err = is_there ? fcgi_take(fd, mem, body_max, out) : ERR_UNAVAILABLE;
    if (err == OK || !is_there)
        close(fd);
    return err;
}

/* ── writing ── */

static void
write_head(uint8_t head[FCGI_RECORD_HEAD_BYTES], int type, uint16_t id, size_t bytes)
{
    head[0] = FCGI_VERSION_1;
    head[1] = (uint8_t)type;
    head[2] = (uint8_t)(id >> 8);
    head[3] = (uint8_t)id;
    head[4] = (uint8_t)(bytes >> 8);
    head[5] = (uint8_t)bytes;
    head[6] = head[7] = 0;
}

void
fcgi_head(uint8_t head[FCGI_RECORD_HEAD_BYTES], uint16_t id, size_t bytes)
{
    write_head(head, FCGI_STDOUT, id, bytes);
}

void
fcgi_stdout(struct buf *out, uint16_t id, const char *data, size_t bytes)
{
    while (bytes > 0) {
        size_t piece = bytes < FCGI_RECORD_MAX_BYTES ? bytes : FCGI_RECORD_MAX_BYTES;
        uint8_t head[FCGI_RECORD_HEAD_BYTES];
        fcgi_head(head, id, piece);
        buf_bytes(out, head, sizeof head);
        buf_bytes(out, data, piece);
        data += piece;
        bytes -= piece;
    }
}

void
fcgi_end_bytes(uint8_t out[FCGI_END_BYTES], uint16_t id, int protocol_status)
{
    memset(out, 0, FCGI_END_BYTES);
    write_head(out, FCGI_STDOUT, id, 0);
    write_head(out + FCGI_RECORD_HEAD_BYTES, FCGI_END_REQUEST, id, 8);
    out[2 * FCGI_RECORD_HEAD_BYTES + 4] = (uint8_t)protocol_status;
}

void
fcgi_end(struct buf *out, uint16_t id, int protocol_status)
{
    uint8_t end[FCGI_END_BYTES];
    fcgi_end_bytes(end, id, protocol_status);
    buf_bytes(out, end, sizeof end);
}

/* ── management records ── */

/* Reads a length (one byte, or four with the top bit set) at *at; false behind the end. */
static bool
read_length(const uint8_t *data, size_t bytes, size_t *at, size_t *out)
{
    size_t need = *at < bytes && (data[*at] & 0x80) ? 4 : 1;
    if (bytes - *at < need)
        return false;
    *out = data[*at];
    if (need == 4)
        *out = (size_t)(data[*at] & 0x7f) << 24 | (size_t)data[*at + 1] << 16 | (size_t)data[*at + 2] << 8 | data[*at + 3];
    *at += need;
    return true;
}

static bool
asks_for_multiplexing(const uint8_t *data, size_t bytes)
{
    static const char name[] = FCGI_MPXS_CONNS;
    size_t at = 0, name_bytes, value_bytes;
    while (read_length(data, bytes, &at, &name_bytes) && read_length(data, bytes, &at, &value_bytes)) {
        if (name_bytes > bytes - at || value_bytes > bytes - at - name_bytes)
            return false;
        if (name_bytes == sizeof name - 1 && memcmp(data + at, name, name_bytes) == 0)
            return true;
        at += name_bytes + value_bytes;
    }
    return false;
}

size_t
fcgi_reply(uint8_t out[FCGI_REPLY_MAX_BYTES], const uint8_t *record, size_t bytes)
{
    static const char no_multiplexing[] = "\x0f\x01" FCGI_MPXS_CONNS "0";
    size_t content = 8;
    if (record[1] != FCGI_GET_VALUES) {
        memset(out, 0, FCGI_RECORD_HEAD_BYTES + content);
        write_head(out, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID, content);
        out[FCGI_RECORD_HEAD_BYTES] = record[1];
        return FCGI_RECORD_HEAD_BYTES + content;
    }
    size_t asked = (size_t)(record[4] << 8 | record[5]);
    bool is_asked = asked + FCGI_HEADER_LEN <= bytes && asks_for_multiplexing(record + FCGI_HEADER_LEN, asked);
    content = is_asked ? sizeof no_multiplexing - 1 : 0;
    write_head(out, FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID, content);
    memcpy(out + FCGI_RECORD_HEAD_BYTES, no_multiplexing, content);
    return FCGI_RECORD_HEAD_BYTES + content;
}
