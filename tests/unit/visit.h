/* visit.h: a request to a place (place.h), as a web server hands it over, for the tests of lib/page. */
#ifndef RTCC_VISIT_H
#define RTCC_VISIT_H

#include "place.h"

#include "io/request.h"
#include "io/secret.h"
#include "model/event.h"
#include "model/session.h"
#include "page/access.h"

static const struct service visited = {.name = "t",
    .about = "t",
    .methods = METHOD_GET | METHOD_POST,
    .mode = HOLD,
    .format = FORMAT_JSON};

/* variables: "NAME=value", up to twelve, ended by NULL. The request has the place's time. */
static inline struct request *
visit_by(struct installation *p, const char *const *variables)
{
    char **copy = arena_array(p->c.mem, 16, sizeof *copy);
    for (size_t i = 0; variables[i]; i++)
        copy[i] = arena_strdup(p->c.mem, variables[i]);
    struct input in = {.params = copy, .body = ""};
    struct request *r = request_new(&visited, &p->c, p->c.mem);
    enum err err = request_read(r, &in);
    CHECK(err == OK, "the request is not in order: %s", unit_show(r->c->fault.reason));
    r->c->now_ms = p->c.now_ms;
    r->c->boot_ms = p->c.boot_ms;
    access_prepare(r);
    return r;
}

#define VISIT(place, ...) visit_by(place, (const char *const[]){__VA_ARGS__, NULL})

/* The error of an access function; what it said is in r->c->fault. */
#define DENIED(r, call, want, names)                                                                                             \
    do {                                                                                                                         \
        enum err denied_err = (call);                                                                                            \
        CHECK(denied_err == (want), "%s: %s, not %s", #call, err_code(denied_err), err_code(want));                              \
        CHECK(unit_same((r)->c->fault.parameter, names), "%s: names %s", #call, unit_show((r)->c->fault.parameter));             \
    } while (0)

#define ALLOWED(r, call)                                                                                                         \
    do {                                                                                                                         \
        enum err allowed_err = (call);                                                                                           \
        CHECK(allowed_err == OK, "%s: %s (%s)", #call, err_code(allowed_err), unit_show((r)->c->fault.reason));                  \
    } while (0)

/* Somebody who may sign in: "right password". */
static inline struct agent
visit_hire(struct installation *p, const char *login)
{
    struct agent agent;
    WELL(p, agent_add(&p->c, login, login, "agent", "right password"));
    WELL(p, agent_by_login(&p->c, login, &agent));
    return agent;
}

static inline const char *
visit_session(struct installation *p, const char *login)
{
    struct agent agent;
    const char *token;
    WELL(p, session_open(&p->c, login, "right password", &agent, &token));
    return token;
}

static inline const char *
visit_csrf(struct installation *p, int64_t serial)
{
    const char *csrf;
    WELL(p, site_csrf(&p->c, serial, &csrf));
    return csrf;
}

static inline const char *
visit_token(struct installation *p, const struct member *member)
{
    const char *token;
    WELL(p, site_token(&p->c, member->conf, member->id, &token));
    return token;
}

#endif
