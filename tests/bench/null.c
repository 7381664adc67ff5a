/* null: the least that a program of this library can be; what it takes is the price of the library and of FastCGI. */
#include "io/service.h"

static const struct param params[] = {
    {.name = NULL},
};

static enum err
answer(struct request *r)
{
    value_add_text(r->out, "answer", "none");
    return OK;
}

const struct service service = {
    .name = "null",
    .about = "answers without doing anything",
    .methods = METHOD_GET,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .params = params,
    .answer = answer,
};
