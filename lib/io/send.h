/* send: an answer as FastCGI records onto a socket; what the socket does not take at once is kept until it does. */
#ifndef RTCC_SEND_H
#define RTCC_SEND_H

#include "io/answer.h"

/* What is still to be sent. All of a process together hold SEND_KEPT_MAX_BYTES at most. */
struct outbox;

enum { SEND_KEPT_MAX_BYTES = 64 * 1024 * 1024 };

enum sent {
    SENT_ALL,
    SENT_PART,   /* *rest holds what is left: send_rest() when the socket can be written, which may be at once */
    SENT_FAILED, /* the other side is gone, or too much is kept already: close the connection */
};

/* Sends the answer of request `id`. Takes answer->file over if it is sent. `mem` is for the records on their way. */
enum sent send_answer(int fd, uint16_t id, struct answer *answer, struct arena *mem, struct outbox **rest);

/* Ends request `id` without an answer, and replies to a management record of `bytes`, which is first taken from the socket.
 * False if the socket does not take it at once: close the connection. */
bool send_end(int fd, uint16_t id, int protocol_status);
bool send_reply(int fd, size_t bytes);

/* Goes on; SENT_PART if the socket is full again, or after some of a file, so that others have their turn. */
enum sent send_rest(int fd, struct outbox *rest);

/* Forgets the rest and closes its file. */
void send_drop(struct outbox *rest);

#endif
