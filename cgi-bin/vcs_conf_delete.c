/* vcs_conf_delete: ends a conference of the caller's account and answers the list of those that remain. */
#include "io/service.h"
#include "model/conference.h"
#include "model/talk.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

enum { DELETE_VANITY };

static const struct param params[] = {
    [DELETE_VANITY] = {"delete_vanity", PARAM_LINE, true, 0, CODE_DIGITS, "one of the conference's two codes"},
    {"all_vanities", PARAM_LINE, false, 0, 16, "the list is answered with or without it"},
    {"csrf", PARAM_LINE, false, 0, 64, "with a session's cookie"},
    {.name = NULL},
};

static enum err
answer(struct request *r)
{
    struct conference conf;
    enum err err = conference_own_by_code(r->c, r->caller->account, r->args[DELETE_VANITY].text, &conf);
    if (err == ERR_NOT_FOUND)
        return center_fault(r->c, err, "delete_vanity", "No conference of yours has this code.");
    if (err == OK)
        err = talk_end(r->c, conf.id, 0);
    show_go(r, "/cgi_bin/vcs?all_vanities=true");
    return err == OK ? show_conferences(r) : err;
}

const struct service service = {
    .name = "vcs_conf_delete",
    .about = "ends a conference and answers the remaining list",
    .methods = METHOD_GET | METHOD_POST,
    .mode = BATCH,
    .format = FORMAT_XML,
    .is_changing = true,
    .params = params,
    .prepare = access_prepare,
    .access = access_service,
    .answer = answer,
    .render = template_render,
};
