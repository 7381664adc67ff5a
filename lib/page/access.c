/* access.c: see access.h. */
#include "page/access.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/head.h"
#include "base/text.h"
#include "io/settings.h"
#include "model/conference.h"
#include "model/session.h"
#include "model/site.h"
#include "model/talk.h"

enum { FORGOTTEN_MOST = 20 };

static struct caller *
caller_new(struct request *r, enum caller_kind kind)
{
    struct caller *caller = arena_alloc(r->c->mem, sizeof *caller);
    caller->kind = kind;
    r->caller = caller;
    return caller;
}

static enum err
nobody(struct request *r)
{
    return center_fault(r->c, ERR_UNAUTHORIZED, NULL, "This needs a valid token, session or API key.");
}

/* Who follows a customer's link in a browser knows no tokens. */
static enum err
no_member(struct request *r)
{
    bool is_page = r->is_page_wanted || (r->service->format == FORMAT_PAGE && !r->is_json_wanted && !r->is_xml_wanted);
    return is_page
               ? center_fault(r->c, ERR_UNAUTHORIZED, NULL,
                     "This link does not open the conversation; use the link that you were given, or start a new conversation.")
               : nobody(r);
}

/* ── the headers ── */

static const char *
bearer(const struct request *r, const char *prefix)
{
    const char *value = r->header(r, "HTTP_AUTHORIZATION");
    if (!value || strncasecmp(value, "Bearer ", 7) != 0 || !text_starts(value + 7, prefix))
        return NULL;
    return value + 7;
}

/* Whoever sends this header means to show something: what is none of our credentials is a wrong one, not none. */
static bool
has_unknown_credential(const struct request *r)
{
    const char *value = r->header(r, "HTTP_AUTHORIZATION");
    return value && value[0] && !bearer(r, "a_") && !bearer(r, "m_") && !bearer(r, "k_");
}

/* ── trusted loopback ── */

static bool
is_loopback_address(const char *address)
{
    return text_starts(address, "127.") || text_same(address, "::1") || text_starts(address, "::ffff:127.");
}

static bool
is_in_list(const char *list, const char *name, size_t bytes)
{
    for (const char *p = list; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
        p += strspn(p, " ");
        size_t count = strcspn(p, ", ");
        if (count == bytes && strncasecmp(p, name, bytes) == 0)
            return true;
    }
    return false;
}

/* An address of 127.0.0.0/8 written as four numbers: "127.example.com" is a name, and anybody's. */
static bool
is_loopback_number(const char *host, size_t bytes)
{
    char text[INET_ADDRSTRLEN];
    unsigned char address[4];
    if (bytes >= sizeof text)
        return false;
    memcpy(text, host, bytes);
    text[bytes] = '\0';
    return inet_pton(AF_INET, text, address) == 1 && address[0] == 127;
}

static bool
is_loopback_host(const struct request *r)
{
    const char *host = r->host;
    size_t bytes = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return is_in_list("localhost,[::1]", host, bytes) || is_loopback_number(host, bytes) ||
           is_in_list(r->c->settings->trusted_hosts, host, bytes);
}

bool
access_is_loopback(const struct request *r)
{
    static const char *const telling[] = {"HTTP_ORIGIN", "HTTP_REFERER", "HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_VIA"};
    if (!r->c->settings->trust_loopback || !is_loopback_address(r->remote_addr) || !is_loopback_host(r))
        return false;
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (r->header(r, telling[i]))
            return false;
    const char *site = r->header(r, "HTTP_SEC_FETCH_SITE");
    return !site || text_same(site, "none");
}

/* ── other sites ── */

/* How long the host of an address is; its port counts with it unless it is the usual one of the scheme, which may be left out. */
static size_t
host_bytes(const char *at, const char *usual_port)
{
    size_t bytes = strcspn(at, "/?#"), port = strlen(usual_port);
    return bytes > port && strncmp(at + bytes - port, usual_port, port) == 0 ? bytes - port : bytes;
}

static bool
is_same_host(const char *a, const char *b, const char *usual_port)
{
    size_t bytes = host_bytes(a, usual_port);
    return bytes > 0 && bytes == host_bytes(b, usual_port) && strncasecmp(a, b, bytes) == 0;
}

/* Whether an origin or an address is this server's: that of the setting public_url, or the host that was asked, whose scheme may
 * be another one where a proxy in front speaks https. */
static bool
is_own(struct request *r, const char *url)
{
    static const char *const schemes[][2] = {{"http://", ":80"}, {"https://", ":443"}};
    const char *known = r->c->settings->public_url;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t bytes = strlen(schemes[i][0]);
        if (strncasecmp(url, schemes[i][0], bytes) != 0)
            continue;
        if (known && strncasecmp(known, schemes[i][0], bytes) == 0 && is_same_host(url + bytes, known + bytes, schemes[i][1]))
            return true;
        return is_same_host(url + bytes, r->host, schemes[i][1]);
    }
    return false;
}

static const char *
said(const struct request *r, const char *name)
{
    const char *value = r->header(r, name);
    return value && value[0] ? value : NULL;
}

/* The browser's own word is the best, but it is not given to hosts without https; a page's origin is told with what it posts, its
 * address with most that it leads to. An origin that is ours is ours under whichever of its names the request came. */
bool
access_is_from_elsewhere(struct request *r)
{
    const char *origin = said(r, "HTTP_ORIGIN"), *site = said(r, "HTTP_SEC_FETCH_SITE"), *referer = said(r, "HTTP_REFERER");
    if (origin && is_own(r, origin))
        return false;
    if (site)
        return !text_same(site, "same-origin") && !text_same(site, "none");
    return origin || (referer && !is_own(r, referer));
}

/* ── cookies and csrf ── */

const char *
access_member_cookie(struct request *r, int64_t conf)
{
    return arena_printf(r->c->mem, "m%015lld", (long long)conf);
}

/* The conference of the next such cookie's name in a header behind *at; 0: there is none. */
static int64_t
next_room(const char **at)
{
    while ((*at = strstr(*at, "_m")) != NULL) {
        *at += 2;
        if (strspn(*at, "0123456789") == 15 && (*at)[15] == '=')
            return strtoll(*at, NULL, 10);
    }
    return 0;
}

enum err
access_forget_rooms(struct request *r, const struct agent *agent)
{
    int64_t conf, id;
    enum err err = OK;
    const char *at = r->header(r, "HTTP_COOKIE");
    for (int i = 0; err == OK && at && i < FORGOTTEN_MOST && (conf = next_room(&at)) != 0; i++) {
        struct member member = {.agent = 0};
        const char *name = access_member_cookie(r, conf), *token = request_cookie_get(r, name);
        err = token ? site_token_member(r->c, conf, token, &id) : ERR_NOT_FOUND;
        if (err == OK)
            err = member_find(r->c, id, &member);
        if (err == OK && member.agent == agent->id)
            request_cookie(r, name, "", 0);
        err = err == ERR_NOT_FOUND || err == ERR_UNAUTHORIZED ? OK : err;
    }
    return err;
}

static enum err
csrf_is(struct request *r, int64_t serial, bool *out)
{
    const char *right = "", *given = form_get(r->form, "csrf");
    enum err err = site_csrf(r->c, serial, &right);
    *out = err == OK && given && text_same_secret(given, right);
    return err;
}

static enum err
check_csrf(struct request *r, int64_t serial, int64_t or_serial)
{
    bool is_right = !text_same(r->method, "POST");
    enum err err = OK;
    if (!is_right)
        err = csrf_is(r, serial, &is_right);
    if (err == OK && !is_right)
        err = csrf_is(r, or_serial, &is_right);
    if (err == OK && !is_right)
        return center_fault(r->c, ERR_FORBIDDEN, "csrf", "This form is not from here or is too old. Load the page again.");
    return err;
}

enum err
access_csrf(struct request *r, const char **out)
{
    *out = "";
    return r->caller && r->caller->by_cookie ? site_csrf(r->c, r->caller->serial, out) : OK;
}

/* ── staff ── */

static enum err
session_by(struct request *r, const char *token, bool by_cookie, struct caller *out)
{
    enum err err = session_agent(r->c, token, &out->agent);
    out->serial = session_serial(r->c, token);
    if (err != OK)
        return err;
    out->kind = CALLER_STAFF;
    out->token = token;
    out->by_cookie = by_cookie;
    out->account = arena_printf(r->c->mem, "agent:%s", out->agent.login);
    return OK;
}

/* A cookie that ran out is no credential at all: the browser sends it without being asked. Does not look at csrf. */
static enum err
find_session(struct request *r, struct caller *out)
{
    const char *token = bearer(r, "a_");
    if (token)
        return session_by(r, token, false, out);
    token = request_cookie_get(r, ACCESS_SESSION_COOKIE);
    enum err err = token ? session_by(r, token, true, out) : OK;
    return err == ERR_UNAUTHORIZED ? OK : err;
}

enum err
access_session(struct request *r, struct caller *out)
{
    enum err err = find_session(r, out);
    return err == OK && out->by_cookie ? check_csrf(r, out->serial, out->serial) : err;
}

enum err
access_staff(struct request *r)
{
    struct caller *caller = caller_new(r, CALLER_NOBODY);
    enum err err = access_session(r, caller);
    if (err == OK && caller->kind == CALLER_NOBODY)
        return center_fault(r->c, ERR_UNAUTHORIZED, NULL, "You are not signed in.");
    return err;
}

/* ── programs ── */

/* What came out when the password was looked at. */
struct proof {
    enum err err;
    struct fault fault;
    const char *key; /* an API key's id; NULL: it is the agent's password */
    struct agent agent;
};

static enum err
by_key(struct request *r, const char *id, struct caller *out)
{
    out->kind = CALLER_KEY;
    out->account = arena_printf(r->c->mem, "key:%s", id);
    return OK;
}

/* HTTP Basic: an API key's id and secret, or an agent's login and password. */
static void
prove(struct request *r, const struct head_pair *pair, struct proof *out)
{
    struct center *c = r->c;
    out->err = key_check_pair(c, pair->name, pair->password);
    if (out->err == OK)
        out->key = text_starts(pair->name, "k_") ? pair->name + 2 : pair->name;
    else if (out->err == ERR_UNAUTHORIZED)
        out->err = session_basic(c, r->remote_addr, pair->name, pair->password, &out->agent);
    out->fault = c->fault;
    c->fault = (struct fault){0};
}

void
access_prepare(struct request *r)
{
    const struct head_pair *pair = head_basic(r->c->mem, r->header(r, "HTTP_AUTHORIZATION"));
    if (!pair)
        return;
    struct proof *proof = arena_alloc(r->c->mem, sizeof *proof);
    prove(r, pair, proof);
    r->proof = proof;
}

static enum err
by_basic(struct request *r, struct caller *out)
{
    const struct proof *proof = r->proof;
    out->by_basic = true;
    if (proof->err != OK) {
        r->c->fault = proof->fault;
        return proof->err;
    }
    if (proof->key)
        return by_key(r, proof->key, out);
    out->kind = CALLER_STAFF;
    out->agent = proof->agent;
    out->account = arena_printf(r->c->mem, "agent:%s", out->agent.login);
    return OK;
}

/* Sets `out` from the Authorization header and the session's cookie; CALLER_NOBODY when there is neither, or a member's token. */
static enum err
identify(struct request *r, struct caller *out)
{
    const char *id, *key = bearer(r, "k_");
    if (key) {
        enum err err = key_check(r->c, key, &id);
        return err == OK ? by_key(r, id, out) : err;
    }
    if (r->proof)
        return by_basic(r, out);
    return has_unknown_credential(r) ? nobody(r) : access_session(r, out);
}

enum err
access_anybody(struct request *r)
{
    struct caller *caller = caller_new(r, CALLER_NOBODY);
    enum err err = identify(r, caller);
    if (err == OK && caller->kind == CALLER_NOBODY && access_is_loopback(r)) {
        caller->kind = CALLER_LOOPBACK;
        caller->account = "local";
    }
    return err;
}

/* A browser sends a session's cookie along with a link from anywhere; what such a link would change is not changed. */
static bool
is_lured(struct request *r)
{
    bool is_sent_unasked = r->caller->by_cookie || r->caller->by_basic;
    return is_sent_unasked && r->service->is_changing && access_is_from_elsewhere(r);
}

enum err
access_service(struct request *r)
{
    enum err err = bearer(r, "m_") ? nobody(r) : access_anybody(r);
    if (err == OK && is_lured(r))
        return center_fault(r->c, ERR_FORBIDDEN, NULL, "This link came from another site. Open it from a page of this one.");
    return err == OK && r->caller->kind == CALLER_NOBODY ? nobody(r) : err;
}

/* ── members ── */

static enum err
member_by(struct request *r, int64_t conf, const char *token, bool by_cookie, struct caller *out)
{
    int64_t id;
    enum err err = site_token_member(r->c, conf, token, &id);
    if (err == OK)
        err = member_find(r->c, id, &out->member);
    if (err == OK)
        err = session_check_member(r->c, out->member.agent, by_cookie);
    if (err == OK && by_cookie)
        err = check_csrf(r, id, id);
    if (err != OK)
        return err == ERR_NOT_FOUND || err == ERR_UNAUTHORIZED ? no_member(r) : err;
    out->kind = CALLER_MEMBER;
    out->token = token;
    out->serial = id;
    out->by_cookie = by_cookie;
    return OK;
}

/* An agent's own session opens the rooms that he has joined; the room's pages repeat the member's csrf value, his desk the
 * session's. */
static enum err
member_by_session(struct request *r, int64_t conf, struct caller *out)
{
    enum err err = find_session(r, out);
    if (err != OK || out->kind != CALLER_STAFF)
        return err == OK ? no_member(r) : err;
    err = member_of_agent(r->c, conf, out->agent.id, &out->member);
    if (err == OK && out->by_cookie)
        err = check_csrf(r, out->member.id, out->serial);
    if (err != OK)
        return err == ERR_NOT_FOUND ? no_member(r) : err;
    out->kind = CALLER_MEMBER;
    out->serial = out->member.id;
    return OK;
}

enum err
access_link_token(struct request *r, const char **out)
{
    const struct member *member = &r->caller->member;
    *out = "";
    return r->caller->by_cookie ? OK : site_token(r->c, member->conf, member->id, out);
}

bool
access_has_token(const struct request *r)
{
    const char *token = form_get(r->form, "token");
    return (token && token[0]) || bearer(r, "m_");
}

enum err
access_member_of(struct request *r, int64_t conf)
{
    struct caller *caller = caller_new(r, CALLER_NOBODY);
    const char *token = form_get(r->form, "token");
    if (token && token[0])
        return member_by(r, conf, token, false, caller);
    token = bearer(r, "m_");
    if (token)
        return member_by(r, conf, token, false, caller);
    token = conf ? request_cookie_get(r, access_member_cookie(r, conf)) : NULL;
    if (token)
        return member_by(r, conf, token, true, caller);
    return conf ? member_by_session(r, conf, caller) : no_member(r);
}

enum err
access_check_there(struct request *r)
{
    struct conference_state conf;
    enum err err = conference_state(r->c, r->caller->member.conf, &conf);
    if (err == OK && conf.ended_at)
        return center_fault(r->c, ERR_CONFLICT, "conf", "This conversation has ended.");
    if (err == OK && r->caller->member.left_at)
        return center_fault(r->c, ERR_CONFLICT, "conf", "You have left this conversation.");
    return err;
}

enum err
access_member(struct request *r)
{
    const char *name = form_get(r->form, "conf");
    return access_member_of(r, name ? conference_number(r->c, name) : 0);
}

enum err
access_room(struct request *r)
{
    enum err err = access_member(r);
    if (err != OK)
        return err;
    const struct caller *found = r->caller;
    struct member member = found->member;
    err = talk_member_seen(r->c, &member);
    if (err != OK)
        return err == ERR_UNAVAILABLE && !found->member.lost ? OK : err; /* where nothing can be written he reads still */
    struct caller *caller = caller_new(r, found->kind);
    *caller = *found;
    caller->member = member;
    return OK;
}
