/* vcs_conf_delete: ends a conference of the caller's account and answers the list of those that remain. */
#include "io/service.h"
#include "model/conference.h"
#include "model/talk.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

#include "base/text.h"

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
    bool is_leader;
    enum err err = conference_by_code(r->c, r->args[DELETE_VANITY].text, &conf, &is_leader);
    if (err == OK && !text_same(conf.account, r->caller->account))
        return center_fault(r->c, ERR_NOT_FOUND, "delete_vanity", "There is no such conference.");
    if (err == OK)
        err = talk_end(r->c, conf.id, 0);
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
    .access = access_service,
    .answer = answer,
    .render = template_render,
};
