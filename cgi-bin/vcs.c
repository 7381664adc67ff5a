/* vcs: the list of the conferences that the caller's account scheduled. */
#include "io/service.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

/* A client of the original product sends the last four; programs of this name elsewhere let a parameter name a stylesheet or a
 * file, and fell for it: here no parameter names anything. */
static const struct param params[] = {
    {"all_vanities", PARAM_FLAG, false, 0, 1, "the list of all conferences; answered with or without it"},
    {"hide_temp_confs", PARAM_LINE, false, 0, 16, "no meaning here"},
    {"show_conf_passwords", PARAM_LINE, false, 0, 16, "no meaning here: they are the account's own"},
    {"call_data", PARAM_LINE, false, 0, 16, "no meaning here"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a session's cookie"},
    {.name = NULL},
};

const struct service service = {
    .name = "vcs",
    .about = "lists the conferences of the caller's account",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_XML,
    .params = params,
    .prepare = access_prepare,
    .access = access_service,
    .answer = show_conferences,
    .render = template_render,
};
