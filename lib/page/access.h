/* access: who asks, and whether he may: from a request's credentials to the model's members, agents and keys.
 *
 * The functions that fit `struct service.access` refuse before the program's own function runs and leave r->caller behind. What
 * is authorised by a cookie and changes something (POST) needs `csrf` besides. Order: parameter, Authorization, cookie. */
#ifndef RTCC_ACCESS_H
#define RTCC_ACCESS_H

#include <stdbool.h>

#include "io/service.h"
#include "model/agent.h"
#include "model/member.h"

enum caller_kind { CALLER_NOBODY, CALLER_LOOPBACK, CALLER_KEY, CALLER_STAFF, CALLER_MEMBER };

struct caller {
    enum caller_kind kind;
    const char *account; /* whose conferences these are: "local", "key:ID", "agent:LOGIN" */
    const char *token;   /* the credential itself, where it was a member's or a session's */
    bool by_cookie;
    bool by_basic;        /* HTTP Basic, which a browser that knows it sends without being asked, too */
    int64_t serial;       /* of that cookie, for its csrf value */
    struct agent agent;   /* STAFF */
    struct member member; /* MEMBER, also when an agent's session stands for it */
};

/* vcs* and queue: API key, staff, or trusted loopback. What a browser sends along without being asked changes nothing on the way
 * from another site's page: ERR_FORBIDDEN. */
must_check enum err access_service(struct request *r);

/* Looks at a password in HTTP Basic, whose hash is dear, before any transaction: `struct service.prepare` of every program that
 * asks access_service() or access_anybody(). Without it no Basic opens anything. */
void access_prepare(struct request *r);

/* An agent, supervisor or administrator who is signed in. */
must_check enum err access_staff(struct request *r);

/* A member of the conference that the parameter `conf` names: by token, or as an agent who has joined it. */
must_check enum err access_member(struct request *r);

/* The same for what is done in the room itself: that he came counts (talk_member_seen()), and who was lost is there again; but
 * where that cannot be kept at the moment, it is as if he had not (ERR_UNAVAILABLE, if he was lost). */
must_check enum err access_room(struct request *r);

/* Whether the member that access_member() found can still say something: ERR_CONFLICT when the conference has ended or he has
 * left. */
must_check enum err access_check_there(struct request *r);

/* Whoever it is, and CALLER_NOBODY for others; a wrong credential is still refused, and so is an Authorization that is none of
 * ours; a cookie that ran out is not. */
must_check enum err access_anybody(struct request *r);

/* The same as access_member() for a conference that is known otherwise. */
must_check enum err access_member_of(struct request *r, int64_t conf);

/* The token that the links of a member's pages have to carry: "" where a cookie comes by itself. Who came by his session as
 * bearer gets the member's: that of the session belongs into no address. */
must_check enum err access_link_token(struct request *r, const char **out);

/* Whether the request names a member's token itself, as parameter or bearer: what is not sent without being asked, as a cookie
 * is. */
bool access_has_token(const struct request *r);

/* The agent whose session this request carries; CALLER_NOBODY is OK. */
must_check enum err access_session(struct request *r, struct caller *out);

/* Trusted loopback: the peer is this machine, the Host is loopback or configured, and nothing tells of a browser or a proxy. */
bool access_is_loopback(const struct request *r);

/* Whether a page of another site made a browser send this. No browser sends nothing that tells: then it is not. */
bool access_is_from_elsewhere(struct request *r);

/* The name of the cookie with a member's token of that conference, and of the one with a session. */
const char *access_member_cookie(struct request *r, int64_t conf);
#define ACCESS_SESSION_COOKIE "agent"

/* Takes the cookies of the agent's rooms away from the browser that asks; of twenty at most, for the headers have an end. */
must_check enum err access_forget_rooms(struct request *r, const struct agent *agent);

/* The csrf value for r->caller; "" when a cookie has no part in it. */
must_check enum err access_csrf(struct request *r, const char **out);

#endif
