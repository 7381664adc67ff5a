/* Who asks, and whether he may: every credential, right and wrong; trusted loopback, header by header. */
#include "visit.h"

#define SAY(...) arena_printf(p->c.mem, __VA_ARGS__)

/* ── trusted loopback ── */

static const struct {
    const char *address, *host, *more;
    bool is_trusted;
} visits_from[] = {
    {"127.0.0.1", "127.0.0.1", NULL, true},
    {"127.0.0.1", "127.0.0.1:8080", NULL, true},
    {"127.0.0.1", "localhost", NULL, true},
    {"127.0.0.1", "LOCALHOST:80", NULL, true},
    {"127.0.0.1", "127.255.255.254:8080", NULL, true},
    {"127.255.1.2", "localhost", NULL, true},
    {"::1", "[::1]", NULL, true},
    {"::1", "[::1]:8080", NULL, true},
    {"::ffff:127.0.0.1", "localhost", NULL, true},
    {"127.0.0.1", "rtcc.example", NULL, true},
    {"127.0.0.1", "Rtcc.Example:8080", NULL, true},
    {"127.0.0.1", "other.example", NULL, true},
    {"127.0.0.1", "localhost", "HTTP_SEC_FETCH_SITE=none", true},
    {"127.0.0.1", "localhost", "HTTP_ACCEPT=text/html", true},
    /* another peer */
    {"192.0.2.7", "localhost", NULL, false},
    {"10.0.0.1", "127.0.0.1", NULL, false},
    {"::2", "localhost", NULL, false},
    {"::ffff:192.0.2.7", "localhost", NULL, false},
    {"12.7.0.0.1", "localhost", NULL, false},
    {"", "localhost", NULL, false},
    /* another host: a name that somebody else pointed here */
    {"127.0.0.1", "evil.example", NULL, false},
    {"127.0.0.1", "localhost.evil.example", NULL, false},
    {"127.0.0.1", "127.0.0.1.evil.example", NULL, false},
    {"127.0.0.1", "127.9.9.example", NULL, false},
    {"127.0.0.1", "128.0.0.1", NULL, false},
    {"127.0.0.1", "rtcc.example.evil", NULL, false},
    {"127.0.0.1", "tcc.example", NULL, false},
    {"127.0.0.1", "[::2]", NULL, false},
    {"127.0.0.1", "", NULL, false},
    {"127.0.0.1", ":8080", NULL, false},
    /* a browser or a proxy */
    {"127.0.0.1", "localhost", "HTTP_ORIGIN=http://localhost", false},
    {"127.0.0.1", "localhost", "HTTP_ORIGIN=null", false},
    {"127.0.0.1", "localhost", "HTTP_ORIGIN=", false},
    {"127.0.0.1", "localhost", "HTTP_REFERER=http://localhost/", false},
    {"127.0.0.1", "localhost", "HTTP_FORWARDED=for=192.0.2.7", false},
    {"127.0.0.1", "localhost", "HTTP_X_FORWARDED_FOR=127.0.0.1", false},
    {"127.0.0.1", "localhost", "HTTP_VIA=1.1 proxy", false},
    {"127.0.0.1", "localhost", "HTTP_SEC_FETCH_SITE=same-origin", false},
    {"127.0.0.1", "localhost", "HTTP_SEC_FETCH_SITE=cross-site", false},
    {"127.0.0.1", "localhost", "HTTP_SEC_FETCH_SITE=", false},
};

static void
loopback_is_trusted_only_when_nothing_tells_of_a_browser_a_proxy_or_another_host(void **state)
{
    struct installation *p = *state;
    p->settings.trusted_hosts = "other.example, rtcc.example";
    for (size_t i = 0; i < COUNT(visits_from); i++) {
        struct request *r = VISIT(p, "REQUEST_METHOD=GET", SAY("REMOTE_ADDR=%s", visits_from[i].address),
            SAY("HTTP_HOST=%s", visits_from[i].host), visits_from[i].more);
        CHECK(access_is_loopback(r) == visits_from[i].is_trusted, "row %zu: %s %s %s", i, visits_from[i].address,
            visits_from[i].host, unit_show(visits_from[i].more));
        enum err err = access_service(r);
        CHECK(err == (visits_from[i].is_trusted ? OK : ERR_UNAUTHORIZED), "row %zu: %s", i, err_code(err));
    }
}

static struct request *
from_here(struct installation *p, const char *method, const char *query, const char *header)
{
    return VISIT(p, SAY("REQUEST_METHOD=%s", method), SAY("QUERY_STRING=%s", query), "REMOTE_ADDR=127.0.0.1",
        "HTTP_HOST=localhost", header);
}

static struct request *
from_afar(struct installation *p, const char *method, const char *query, const char *header)
{
    return VISIT(p, SAY("REQUEST_METHOD=%s", method), SAY("QUERY_STRING=%s", query), "REMOTE_ADDR=192.0.2.7",
        "HTTP_HOST=shop.example", header);
}

static void
loopback_is_the_account_local_and_can_be_switched_off(void **state)
{
    struct installation *p = *state;
    struct request *r = from_here(p, "POST", "", NULL);
    ALLOWED(r, access_service(r));
    assert_int_equal(r->caller->kind, CALLER_LOOPBACK);
    assert_string_equal(r->caller->account, "local");
    p->settings.trust_loopback = false;
    r = from_here(p, "POST", "", NULL);
    DENIED(r, access_service(r), ERR_UNAUTHORIZED, NULL);
    r = from_here(p, "POST", "", NULL);
    ALLOWED(r, access_anybody(r));
    assert_int_equal(r->caller->kind, CALLER_NOBODY);
}

/* ── programs: keys and Basic ── */

static const char *
base64(struct installation *p, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buf out = buf_new(p->c.mem, 1000);
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i += 3) {
        unsigned group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < bytes ? (unsigned char)text[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_byte(&out, i + k > bytes ? '=' : digits[group >> (18 - 6 * k) & 63]);
    }
    return buf_str(&out);
}

static void
an_api_key_opens_as_bearer_and_as_basic(void **state)
{
    struct installation *p = *state;
    const char *text;
    WELL(p, key_make(&p->c, "the shop", &text));
    const char *secret = strchr(text, '.') + 1, *id = arena_strndup(p->c.mem, text + 2, 10);
    const char *const headers[] = {SAY("Bearer %s", text), SAY("bearer %s", text),
        SAY("Basic %s", base64(p, SAY("%s:%s", id, secret))), SAY("bAsIc %s", base64(p, SAY("k_%s:%s", id, secret)))};
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct request *r = from_afar(p, "POST", "", SAY("HTTP_AUTHORIZATION=%s", headers[i]));
        ALLOWED(r, access_service(r));
        assert_int_equal(r->caller->kind, CALLER_KEY);
        assert_string_equal(r->caller->account, SAY("key:%s", id));
    }
}

static void
basic_is_read_whatever_its_length_padding_and_password(void **state)
{
    struct installation *p = *state;
    static const char *const passwords[] = {"password", "password1", "password12", "with:a:colon", "Grüße 😀 ?>?>?>",
        "  spaces  "};
    for (size_t i = 0; i < COUNT(passwords); i++) {
        const char *login = SAY("anna%zu", i), *text;
        WELL(p, agent_add(&p->c, login, "Anna", "agent", passwords[i]));
        text = base64(p, SAY("%s:%s", login, passwords[i]));
        const char *unpadded = arena_strndup(p->c.mem, text, strcspn(text, "="));
        for (int k = 0; k < 2; k++) {
            struct request *r = from_afar(p, "GET", "", SAY("HTTP_AUTHORIZATION=Basic %s", k ? text : unpadded));
            ALLOWED(r, access_service(r));
            assert_int_equal(r->caller->kind, CALLER_STAFF);
            assert_string_equal(r->caller->agent.login, login);
            assert_string_equal(r->caller->account, SAY("agent:%s", login));
            assert_false(r->caller->by_cookie);
        }
    }
}

static void
a_wrong_credential_is_refused_even_from_loopback(void **state)
{
    struct installation *p = *state;
    visit_hire(p, "anna");
    const char *text;
    WELL(p, key_make(&p->c, "the shop", &text));
    const char *const headers[] = {"Bearer k_0123456789.wrong", SAY("Bearer %sx", text), "Bearer k_", "Bearer a_wrong",
        SAY("Basic %s", base64(p, "anna:wrong password")), SAY("Basic %s", base64(p, "nobody:right password")),
        SAY("Basic %s", base64(p, ":")), SAY("Basic %s", base64(p, SAY("%.12s:wrong", text)))};
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct request *r = from_here(p, "GET", "", SAY("HTTP_AUTHORIZATION=%s", headers[i]));
        enum err err = access_anybody(r);
        CHECK(err == ERR_UNAUTHORIZED, "%s: %s", headers[i], err_code(err));
    }
}

static void
a_header_that_holds_no_credential_of_ours_is_a_wrong_one(void **state)
{
    struct installation *p = *state;
    visit_hire(p, "anna");
    const char *const headers[] = {"Basic", "Basic ", "Basic !!!!",
        "Basic YW5uYQ==", "Basic YQBiOmM=", "Basic /zphYmM=", "Bearer", "Bearer x", "Digest username=\"anna\"", "Bearerk_a.b",
        SAY("Basic %s!", base64(p, "anna:right password")), "Bearer m_3_abc"};
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct request *r = from_afar(p, "GET", "", SAY("HTTP_AUTHORIZATION=%s", headers[i]));
        DENIED(r, access_service(r), ERR_UNAUTHORIZED, NULL);
        r = from_here(p, "GET", "", SAY("HTTP_AUTHORIZATION=%s", headers[i]));
        DENIED(r, access_service(r), ERR_UNAUTHORIZED, NULL);
    }
    struct request *r = from_here(p, "GET", "", "HTTP_AUTHORIZATION=");
    ALLOWED(r, access_service(r));
    assert_int_equal(r->caller->kind, CALLER_LOOPBACK);
}

static void
too_many_wrong_passwords_are_said_to_be_too_many(void **state)
{
    struct installation *p = *state;
    visit_hire(p, "anna");
    const char *header = SAY("HTTP_AUTHORIZATION=Basic %s", base64(p, "anna:wrong password"));
    for (int i = 0; i < 6; i++) {
        struct request *r = from_afar(p, "GET", "", header);
        DENIED(r, access_service(r), i < 5 ? ERR_UNAUTHORIZED : ERR_TOO_MANY, NULL);
    }
}

/* ── staff ── */

static void
a_session_opens_as_bearer_and_as_cookie(void **state)
{
    struct installation *p = *state;
    struct agent anna = visit_hire(p, "anna");
    const char *token = visit_session(p, "anna");
    const char *const headers[] = {SAY("HTTP_AUTHORIZATION=Bearer %s", token), SAY("HTTP_COOKIE=a=b; rtcc_agent=%s; c=d", token)};
    for (size_t i = 0; i < COUNT(headers); i++) {
        enum err (*const opens[])(struct request * r) = {access_staff, access_service, access_anybody};
        for (size_t k = 0; k < COUNT(opens); k++) {
            struct request *r = from_afar(p, "GET", "", headers[i]);
            ALLOWED(r, opens[k](r));
            assert_int_equal(r->caller->kind, CALLER_STAFF);
            assert_int_equal(r->caller->agent.id, anna.id);
            assert_string_equal(r->caller->token, token);
            assert_string_equal(r->caller->account, "agent:anna");
            assert_int_equal(r->caller->by_cookie, i == 1);
            assert_int_equal(r->caller->serial, session_serial(r->c, token));
        }
    }
    struct request *r = VISIT(p, "REQUEST_METHOD=GET", "HTTPS=on", SAY("HTTP_COOKIE=__Host-rtcc_agent=%s", token));
    ALLOWED(r, access_staff(r));
    r = VISIT(p, "REQUEST_METHOD=GET", "HTTPS=on", SAY("HTTP_COOKIE=rtcc_agent=%s", token));
    DENIED(r, access_staff(r), ERR_UNAUTHORIZED, NULL);
}

static void
what_changes_something_by_cookie_needs_its_csrf_value(void **state)
{
    struct installation *p = *state;
    visit_hire(p, "anna");
    const char *token = visit_session(p, "anna"), *other = visit_session(p, "anna");
    const char *cookie = SAY("HTTP_COOKIE=rtcc_agent=%s", token), *right = visit_csrf(p, session_serial(&p->c, token));
    const char *const wrong[] = {"", "csrf=", SAY("csrf=%s", visit_csrf(p, session_serial(&p->c, other))),
        SAY("csrf=%sx", right)};
    enum err (*const opens[])(struct request * r) = {access_staff, access_service, access_anybody};
    for (size_t k = 0; k < COUNT(opens); k++) {
        for (size_t i = 0; i < COUNT(wrong); i++) {
            struct request *r = from_afar(p, "POST", wrong[i], cookie);
            DENIED(r, opens[k](r), ERR_FORBIDDEN, "csrf");
        }
        struct request *r = from_afar(p, "POST", SAY("csrf=%s", right), cookie);
        ALLOWED(r, opens[k](r));
    }
    struct request *r = from_afar(p, "POST", "", SAY("HTTP_AUTHORIZATION=Bearer %s", token));
    ALLOWED(r, access_staff(r));
}

static void
a_cookie_that_ran_out_is_no_credential_and_a_bearer_that_ran_out_is_a_wrong_one(void **state)
{
    struct installation *p = *state;
    visit_hire(p, "anna");
    const char *token = visit_session(p, "anna");
    place_later(p, p->settings.session_s * 1000);
    const char *cookie = SAY("HTTP_COOKIE=rtcc_agent=%s", token);
    struct request *r = from_afar(p, "POST", "", cookie);
    DENIED(r, access_staff(r), ERR_UNAUTHORIZED, NULL);
    r = from_afar(p, "POST", "", cookie);
    ALLOWED(r, access_anybody(r));
    assert_int_equal(r->caller->kind, CALLER_NOBODY);
    r = from_here(p, "POST", "", cookie);
    ALLOWED(r, access_service(r));
    assert_int_equal(r->caller->kind, CALLER_LOOPBACK);
    r = from_here(p, "POST", "", SAY("HTTP_AUTHORIZATION=Bearer %s", token));
    DENIED(r, access_anybody(r), ERR_UNAUTHORIZED, NULL);
}

static void
nobody_is_not_staff(void **state)
{
    struct installation *p = *state;
    struct request *r = from_here(p, "GET", "", NULL);
    DENIED(r, access_staff(r), ERR_UNAUTHORIZED, NULL);
    assert_string_equal(r->c->fault.reason, "You are not signed in.");
    r = from_here(p, "GET", "", "HTTP_AUTHORIZATION=Bearer m_3_abc");
    DENIED(r, access_staff(r), ERR_UNAUTHORIZED, NULL);
}

static void
a_session_is_told_from_none_and_a_wrong_one_before_anything_is_refused(void **state)
{
    struct installation *p = *state;
    struct agent anna = visit_hire(p, "anna");
    const char *token = visit_session(p, "anna"), *cookie = SAY("HTTP_COOKIE=rtcc_agent=%s", token);
    struct caller found = {.kind = CALLER_NOBODY};
    struct request *r = from_here(p, "POST", "", NULL); /* loopback's trust is no session */
    ALLOWED(r, access_session(r, &found));
    assert_int_equal(found.kind, CALLER_NOBODY);
    r = from_afar(p, "POST", SAY("csrf=%s", visit_csrf(p, session_serial(&p->c, token))), cookie);
    ALLOWED(r, access_session(r, &found));
    assert_int_equal(found.kind, CALLER_STAFF);
    assert_int_equal(found.agent.id, anna.id);
    r = from_afar(p, "POST", "", cookie);
    DENIED(r, access_session(r, &found), ERR_FORBIDDEN, "csrf");
    r = from_afar(p, "GET", "", "HTTP_AUTHORIZATION=Bearer a_wrong");
    DENIED(r, access_session(r, &found), ERR_UNAUTHORIZED, NULL);
}

/* ── members ── */

static void
a_members_token_opens_as_parameter_bearer_and_cookie_in_this_order(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann"), bob = place_member(p, ann.conf, "Bob");
    struct member eve = place_member(p, ann.conf, "Eve");
    const char *name = conference_name(&p->c, ann.conf), *a = visit_token(p, &ann), *b = visit_token(p, &bob),
               *e = visit_token(p, &eve);
    const char *bearer = SAY("HTTP_AUTHORIZATION=Bearer %s", b);
    const char *cookie = SAY("HTTP_COOKIE=rtcc_m%lld=%s", (long long)ann.conf, e);
    struct request *r = VISIT(p, "REQUEST_METHOD=GET", SAY("QUERY_STRING=conf=%s&token=%s", name, a), bearer, cookie);
    ALLOWED(r, access_member(r));
    assert_int_equal(r->caller->kind, CALLER_MEMBER);
    assert_int_equal(r->caller->member.id, ann.id);
    assert_string_equal(r->caller->token, a);
    assert_true(access_has_token(r));
    r = VISIT(p, "REQUEST_METHOD=GET", SAY("QUERY_STRING=conf=%s&token=", name), bearer, cookie);
    ALLOWED(r, access_member(r));
    assert_int_equal(r->caller->member.id, bob.id);
    assert_true(access_has_token(r));
    r = VISIT(p, "REQUEST_METHOD=GET", SAY("QUERY_STRING=conf=%s", name), cookie);
    ALLOWED(r, access_member(r));
    assert_int_equal(r->caller->member.id, eve.id);
    assert_true(r->caller->by_cookie);
    assert_false(access_has_token(r));
}

static void
wrong_foreign_and_missing_tokens_get_one_answer(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann"), other = place_member(p, place_conference(p).id, "Other");
    struct member nobody = {.conf = ann.conf, .id = 9999};
    const char *name = conference_name(&p->c, ann.conf), *right = visit_token(p, &ann);
    const char *const queries[] = {"", SAY("conf=%s", name), SAY("conf=%s&token=m_1_x", name),
        SAY("conf=%s&token=%s", name, visit_token(p, &other)), SAY("conf=%s&token=%sx", name, right),
        SAY("conf=%s&token=%s", name, visit_token(p, &nobody)), SAY("token=%s", right), SAY("conf=123&token=%s", right),
        SAY("conf=148474396310564server&token=%s", right), SAY("conf=%s&token=k_a.b", name)};
    for (size_t i = 0; i < COUNT(queries); i++) {
        struct request *r = from_here(p, "GET", queries[i], NULL);
        DENIED(r, access_member(r), ERR_UNAUTHORIZED, NULL);
        assert_string_equal(r->c->fault.reason, "This needs a valid token, session or API key.");
    }
    struct request *r = from_here(p, "GET", SAY("conf=%s", name), "HTTP_AUTHORIZATION=Bearer m_3_x");
    DENIED(r, access_member(r), ERR_UNAUTHORIZED, NULL);
    r = from_here(p, "GET", SAY("conf=%s&token=m_1_x", name), "HTTP_ACCEPT=text/html");
    DENIED(r, access_member(r), ERR_UNAUTHORIZED, NULL);
    assert_string_equal(r->c->fault.reason,
        "This link does not open the conversation; use the link that you were given, or start a new conversation.");
    r = from_here(p, "GET", SAY("conf=%s", name), SAY("HTTP_COOKIE=rtcc_m%lld=m_3_x", (long long)ann.conf));
    DENIED(r, access_member(r), ERR_UNAUTHORIZED, NULL);
}

static void
a_conference_known_otherwise_counts_and_not_the_parameter(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann"), bob = place_member(p, place_conference(p).id, "Bob");
    const char *cookie = SAY("HTTP_COOKIE=rtcc_m%lld=%s", (long long)ann.conf, visit_token(p, &ann));
    const char *query = SAY("conf=%s", conference_name(&p->c, bob.conf));
    struct request *r = from_afar(p, "GET", query, cookie);
    ALLOWED(r, access_member_of(r, ann.conf));
    assert_int_equal(r->caller->member.id, ann.id);
    r = from_afar(p, "GET", query, cookie);
    DENIED(r, access_member_of(r, bob.conf), ERR_UNAUTHORIZED, NULL);
    r = from_afar(p, "GET", SAY("token=%s", visit_token(p, &ann)), NULL);
    DENIED(r, access_member_of(r, bob.conf), ERR_UNAUTHORIZED, NULL);
    r = from_afar(p, "GET", query, cookie);
    DENIED(r, access_member_of(r, 0), ERR_UNAUTHORIZED, NULL);
}

static void
a_members_cookie_needs_the_csrf_value_to_change_something(void **state)
{
    struct installation *p = *state;
    struct member ann = place_member(p, place_conference(p).id, "Ann"), bob = place_member(p, ann.conf, "Bob");
    const char *name = conference_name(&p->c, ann.conf), *token = visit_token(p, &ann), *csrf;
    const char *cookie = SAY("HTTP_COOKIE=rtcc_m%lld=%s", (long long)ann.conf, token);
    struct request *r = from_afar(p, "POST", SAY("conf=%s", name), cookie);
    DENIED(r, access_member(r), ERR_FORBIDDEN, "csrf");
    r = from_afar(p, "POST", SAY("conf=%s&csrf=%s", name, visit_csrf(p, bob.id)), cookie);
    DENIED(r, access_member(r), ERR_FORBIDDEN, "csrf");
    r = from_afar(p, "POST", SAY("conf=%s&csrf=%s", name, visit_csrf(p, ann.id)), cookie);
    ALLOWED(r, access_member(r));
    ALLOWED(r, access_csrf(r, &csrf));
    assert_string_equal(csrf, visit_csrf(p, ann.id));
    r = from_afar(p, "POST", SAY("conf=%s&token=%s", name, token), NULL);
    ALLOWED(r, access_member(r));
    ALLOWED(r, access_csrf(r, &csrf));
    assert_string_equal(csrf, "");
}

static void
an_agents_session_opens_the_rooms_that_he_joined_and_no_other(void **state)
{
    struct installation *p = *state;
    struct agent anna = visit_hire(p, "anna");
    struct member mine, ann = place_member(p, place_conference(p).id, "Ann");
    struct member_new who = {.conf = ann.conf, .role = "agent", .is_leader = true, .name = "anna", .agent = anna.id};
    const char *token = visit_session(p, "anna"), *name = conference_name(&p->c, ann.conf);
    const char *bearer = SAY("HTTP_AUTHORIZATION=Bearer %s", token), *cookie = SAY("HTTP_COOKIE=rtcc_agent=%s", token);
    struct request *r = from_afar(p, "GET", SAY("conf=%s", name), bearer);
    DENIED(r, access_member(r), ERR_UNAUTHORIZED, NULL);
    WELL(p, talk_join(&p->c, &who, NULL, &mine));
    const char *const headers[] = {bearer, cookie};
    for (size_t i = 0; i < COUNT(headers); i++) {
        r = from_afar(p, "GET", SAY("conf=%s", name), headers[i]);
        ALLOWED(r, access_member(r));
        assert_int_equal(r->caller->kind, CALLER_MEMBER);
        assert_int_equal(r->caller->member.id, mine.id);
        assert_int_equal(r->caller->agent.id, anna.id);
    }
    r = from_afar(p, "POST", SAY("conf=%s", name), cookie);
    DENIED(r, access_member(r), ERR_FORBIDDEN, "csrf");
    const int64_t serials[] = {mine.id, session_serial(&p->c, token)}; /* the room's page knows the one, his desk the other */
    for (size_t i = 0; i < COUNT(serials); i++) {
        r = from_afar(p, "POST", SAY("conf=%s&csrf=%s", name, visit_csrf(p, serials[i])), cookie);
        ALLOWED(r, access_member(r));
    }
    r = from_afar(p, "GET", SAY("conf=%s", name), "HTTP_AUTHORIZATION=Bearer a_wrong");
    DENIED(r, access_member(r), ERR_UNAUTHORIZED, NULL);
}

static void
the_cookies_name_carries_the_conference(void **state)
{
    struct installation *p = *state;
    struct request *r = from_afar(p, "GET", "", NULL);
    assert_string_equal(access_member_cookie(r, 42), "m000000000000042");
    assert_string_equal(access_member_cookie(r, 148474396310564), "m148474396310564");
}

static void
without_its_tables_everything_is_unavailable(void **state)
{
    struct installation *p = *state;
    visit_hire(p, "anna");
    struct member ann = place_member(p, place_conference(p).id, "Ann");
    const char *token = visit_session(p, "anna"), *query = SAY("conf=%s", conference_name(&p->c, ann.conf));
    const char *mine = SAY("%s&token=%s", query, visit_token(p, &ann));
    const char *bearer = SAY("HTTP_AUTHORIZATION=Bearer %s", token);
    place_sql(p, "ALTER TABLE member RENAME TO hidden");
    struct request *r = from_afar(p, "GET", mine, NULL);
    DENIED(r, access_member(r), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE session RENAME TO hidden_session");
    r = from_afar(p, "GET", query, bearer);
    DENIED(r, access_member(r), ERR_UNAVAILABLE, NULL);
    r = from_afar(p, "GET", query, bearer);
    DENIED(r, access_staff(r), ERR_UNAVAILABLE, NULL);
    r = from_afar(p, "GET", query, SAY("HTTP_COOKIE=rtcc_agent=%s", token));
    DENIED(r, access_anybody(r), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE api_key RENAME TO hidden_key");
    r = from_afar(p, "GET", "", SAY("HTTP_AUTHORIZATION=Basic %s", base64(p, "anna:right password")));
    DENIED(r, access_service(r), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(loopback_is_trusted_only_when_nothing_tells_of_a_browser_a_proxy_or_another_host),
        PLACED(loopback_is_the_account_local_and_can_be_switched_off),
        PLACED(an_api_key_opens_as_bearer_and_as_basic),
        PLACED(basic_is_read_whatever_its_length_padding_and_password),
        PLACED(a_wrong_credential_is_refused_even_from_loopback),
        PLACED(a_header_that_holds_no_credential_of_ours_is_a_wrong_one),
        PLACED(too_many_wrong_passwords_are_said_to_be_too_many),
        PLACED(a_session_opens_as_bearer_and_as_cookie),
        PLACED(what_changes_something_by_cookie_needs_its_csrf_value),
        PLACED(a_cookie_that_ran_out_is_no_credential_and_a_bearer_that_ran_out_is_a_wrong_one),
        PLACED(nobody_is_not_staff),
        PLACED(a_session_is_told_from_none_and_a_wrong_one_before_anything_is_refused),
        PLACED(a_members_token_opens_as_parameter_bearer_and_cookie_in_this_order),
        PLACED(wrong_foreign_and_missing_tokens_get_one_answer),
        PLACED(a_conference_known_otherwise_counts_and_not_the_parameter),
        PLACED(a_members_cookie_needs_the_csrf_value_to_change_something),
        PLACED(an_agents_session_opens_the_rooms_that_he_joined_and_no_other),
        PLACED(the_cookies_name_carries_the_conference),
        PLACED(without_its_tables_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
