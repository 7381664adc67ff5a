/* agent_sign: agents sign in and out. */
#include "io/service.h"

#include "base/log.h"
#include "base/text.h"
#include "io/settings.h"
#include "model/session.h"
#include "model/site.h"
#include "page/access.h"
#include "page/show.h"
#include "page/template.h"

static const char sign_in_page[] = "/agent.html";

enum { ACTION, LOGIN, PASSWORD };

static const struct param params[] = {
    [ACTION] = {"action", PARAM_LINE, false, 0, 8, "in (default) or out"},
    [LOGIN] = {"login", PARAM_LINE, false, 0, LOGIN_CHARS, "in: who"},
    [PASSWORD] = {"password", PARAM_TEXT, false, 0, PASSWORD_CHARS, "in: his password"},
    {"totp", PARAM_LINE, false, 0, 8, "in: the one-time code, for accounts that have it set up"},
    {"csrf", PARAM_LINE, false, 0, 64, "out: with a session's cookie"},
    {.name = NULL},
};

/* What is nobody's login is not logged: it may be a password in the wrong field. Whoever asks is not told whether it is one. */
static void
log_refused(struct request *r, enum err err)
{
    struct agent agent;
    struct fault said = r->c->fault;
    bool is_known = agent_by_login(r->c, r->args[LOGIN].text, &agent) == OK;
    r->c->fault = said;
    log_warn("agent %s was not let in from %s: %s", is_known ? agent.login : "(unknown)", r->remote_addr, err_code(err));
}

/* Else another site could sign somebody in as whom it likes, and read along what he then does. */
static enum err
check_page(struct request *r)
{
    return access_is_from_elsewhere(r)
               ? center_fault(r->c, ERR_FORBIDDEN, NULL, "This form is a page's of another site. Sign in on a page of this one.")
               : OK;
}

static enum err
sign_in(struct request *r)
{
    struct agent agent;
    const char *token, *csrf;
    if (check_page(r) != OK)
        return ERR_FORBIDDEN;
    if (!r->args[LOGIN].text || !r->args[PASSWORD].text)
        return center_fault(r->c, ERR_BAD_PARAMETER, r->args[LOGIN].text ? "password" : "login",
            "Enter your login and your password.");
    enum err err = session_open_from(r->c, r->remote_addr, r->args[LOGIN].text, r->args[PASSWORD].text, &agent, &token);
    if (err == OK)
        log_info("agent %s signed in from %s", agent.login, r->remote_addr);
    else
        log_refused(r, err);
    if (err == OK)
        err = site_csrf(r->c, session_serial(r->c, token), &csrf);
    if (err != OK)
        return err;
    request_cookie(r, ACCESS_SESSION_COOKIE, token, r->c->settings->session_s);
    value_add_text(r->out, "agent", agent.login);
    value_add_text(r->out, "name", agent.name);
    value_add_text(r->out, "role", agent.role);
    value_add_text(r->out, "token", token);
    value_add_text(r->out, "csrf", csrf);
    return OK;
}

static enum err
sign_out(struct request *r)
{
    enum err err = access_staff(r);
    if (err == OK)
        err = session_close(r->c, r->caller->token);
    if (err == OK)
        err = access_forget_rooms(r, &r->caller->agent);
    if (err != OK)
        return err;
    log_info("agent %s signed out from %s", r->caller->agent.login, r->remote_addr);
    request_cookie(r, ACCESS_SESSION_COOKIE, "", 0);
    value_add_text(r->out, "agent", r->caller->agent.login);
    value_add_flag(r->out, "is_signed_in", false);
    return OK;
}

static enum err
answer(struct request *r)
{
    const char *action = r->args[ACTION].text ? r->args[ACTION].text : "in";
    show_go(r, sign_in_page);
    if (text_same(action, "in"))
        return sign_in(r);
    if (text_same(action, "out"))
        return sign_out(r);
    return center_fault(r->c, ERR_BAD_PARAMETER, "action", "action is in or out.");
}

/* Without JavaScript an error is a page, and he wants to try again. */
static const char *
back(struct request *r)
{
    (void)r;
    return sign_in_page;
}

/* PREFORK: a password costs a tenth of a second of computing on purpose, during which others must not wait. */
const struct service service = {
    .name = "agent_sign",
    .about = "signs agents in and out",
    .methods = METHOD_POST,
    .mode = PREFORK,
    .format = FORMAT_JSON,
    .is_changing = true,
    .params = params,
    .answer = answer,
    .render = template_render,
    .back = back,
    .back_text = "Go back to signing in",
};
