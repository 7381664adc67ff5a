/* What a browser is led to by another site: told by what it says of the way, and nothing is changed by what it sends unasked. */
#include "visit.h"

#define SAY(...) arena_printf(p->c.mem, __VA_ARGS__)

static const struct {
    const char *headers[3];
    bool is_from_elsewhere;
} ways[] = {
    /* no browser, or one that was not led by a page */
    {{NULL}, false},
    {{"HTTP_SEC_FETCH_SITE=none"}, false},
    {{"HTTP_ORIGIN=", "HTTP_REFERER="}, false},
    /* a page of ours */
    {{"HTTP_SEC_FETCH_SITE=same-origin"}, false},
    {{"HTTP_SEC_FETCH_SITE=same-origin", "HTTP_ORIGIN=http://behind.example"}, false},
    {{"HTTP_ORIGIN=http://shop.example"}, false},
    {{"HTTP_ORIGIN=HTTP://Shop.Example"}, false},
    {{"HTTP_ORIGIN=http://shop.example:80"}, false},
    {{"HTTP_ORIGIN=https://shop.example"}, false}, /* a proxy in front speaks https */
    {{"HTTP_REFERER=http://shop.example"}, false},
    {{"HTTP_REFERER=http://shop.example/agent.html?a=http://evil.example/"}, false},
    {{"HTTP_ORIGIN=https://known.example:8443"}, false}, /* public_url */
    {{"HTTP_ORIGIN=https://known.example:8443", "HTTP_SEC_FETCH_SITE=cross-site"}, false},
    {{"HTTP_REFERER=https://known.example:8443/agent.html"}, false},
    /* a page of somebody else's */
    {{"HTTP_SEC_FETCH_SITE=cross-site"}, true},
    {{"HTTP_SEC_FETCH_SITE=same-site"}, true},
    {{"HTTP_SEC_FETCH_SITE=anything"}, true},
    {{"HTTP_SEC_FETCH_SITE=cross-site", "HTTP_REFERER=http://shop.example/"}, true},
    {{"HTTP_ORIGIN=http://evil.example"}, true},
    {{"HTTP_ORIGIN=null"}, true},
    {{"HTTP_ORIGIN=null", "HTTP_REFERER=http://shop.example/"}, true},
    {{"HTTP_ORIGIN=http://shop.example:8081"}, true},
    {{"HTTP_ORIGIN=http://shop.example:443"}, true},
    {{"HTTP_ORIGIN=http://shop.example.evil"}, true},
    {{"HTTP_ORIGIN=http://evil-shop.example"}, true},
    {{"HTTP_ORIGIN=http://shop.example@evil.example"}, true},
    {{"HTTP_ORIGIN=http://known.example:8443"}, true}, /* the address that is known speaks https */
    {{"HTTP_ORIGIN=https://known.example"}, true},
    {{"HTTP_ORIGIN=ftp://shop.example"}, true},
    {{"HTTP_ORIGIN=http://"}, true},
    {{"HTTP_ORIGIN=shop.example"}, true},
    {{"HTTP_REFERER=http://evil.example/"}, true},
    {{"HTTP_REFERER=http://evil.example/http://shop.example/"}, true},
    {{"HTTP_REFERER=http://evil.example?shop.example"}, true},
    {{"HTTP_REFERER=about:blank"}, true},
};

static void
a_browser_says_from_where_it_was_led_in_more_than_one_way(void **state)
{
    struct installation *p = *state;
    p->settings.public_url = "https://known.example:8443/";
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct request *r = VISIT(p, "REQUEST_METHOD=POST", "REMOTE_ADDR=192.0.2.7", "HTTP_HOST=shop.example", ways[i].headers[0],
            ways[i].headers[0] ? ways[i].headers[1] : NULL);
        CHECK(access_is_from_elsewhere(r) == ways[i].is_from_elsewhere, "row %zu: %s %s", i, unit_show(ways[i].headers[0]),
            unit_show(ways[i].headers[1]));
    }
}

static void
the_host_may_have_the_usual_port_and_must_be_there(void **state)
{
    struct installation *p = *state;
    static const struct {
        const char *host, *origin;
        bool is_from_elsewhere;
    } table[] = {{"shop.example:80", "http://shop.example", false}, {"shop.example:443", "https://shop.example", false},
        {"shop.example:8080", "http://shop.example:8080", false}, {"[::1]:8080", "http://[::1]:8080", false},
        {"shop.example:443", "http://shop.example", true}, {"shop.example:8080", "http://shop.example", true},
        {"", "http://", true}, {"", "http://shop.example", true}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct request *r =
            VISIT(p, "REQUEST_METHOD=POST", SAY("HTTP_HOST=%s", table[i].host), SAY("HTTP_ORIGIN=%s", table[i].origin));
        CHECK(access_is_from_elsewhere(r) == table[i].is_from_elsewhere, "%s asked by %s", table[i].host, table[i].origin);
    }
}

/* ── what is refused ── */

static const char *const foreign[] = {"HTTP_SEC_FETCH_SITE=cross-site", "HTTP_SEC_FETCH_SITE=same-site",
    "HTTP_ORIGIN=http://evil.example", "HTTP_ORIGIN=null", "HTTP_REFERER=http://evil.example/"};
static const char *const ours[] = {NULL, "HTTP_SEC_FETCH_SITE=same-origin", "HTTP_SEC_FETCH_SITE=none",
    "HTTP_ORIGIN=http://shop.example", "HTTP_REFERER=http://shop.example/agent.html"};

static struct request *
visit(struct installation *p, bool is_changing, const char *method, const char *query, const char *credential, const char *way)
{
    static struct service asked;
    struct request *r = VISIT(p, SAY("REQUEST_METHOD=%s", method), SAY("QUERY_STRING=%s", query), "REMOTE_ADDR=192.0.2.7",
        "HTTP_HOST=shop.example", credential, way);
    asked = visited;
    asked.is_changing = is_changing;
    r->service = &asked;
    return r;
}

static void
nothing_is_changed_by_what_a_browser_sends_unasked_on_the_way_from_another_site(void **state)
{
    struct installation *p = *state;
    visit_hire(p, "anna");
    const char *token = visit_session(p, "anna"), *csrf = SAY("csrf=%s", visit_csrf(p, session_serial(&p->c, token)));
    const char *const unasked[] = {SAY("HTTP_COOKIE=rtcc_agent=%s", token),
        "HTTP_AUTHORIZATION=Basic YW5uYTpyaWdodCBwYXNzd29yZA=="};
    for (size_t k = 0; k < COUNT(unasked); k++) {
        for (size_t i = 0; i < COUNT(foreign); i++) {
            struct request *r = visit(p, true, "GET", "", unasked[k], foreign[i]);
            DENIED(r, access_service(r), ERR_FORBIDDEN, NULL);
            r = visit(p, true, "POST", csrf, unasked[k], foreign[i]);
            DENIED(r, access_service(r), ERR_FORBIDDEN, NULL);
            r = visit(p, false, "GET", "", unasked[k], foreign[i]); /* what only reads is read: other sites cannot */
            ALLOWED(r, access_service(r));
        }
        for (size_t i = 0; i < COUNT(ours); i++) {
            struct request *r = visit(p, true, "GET", "", unasked[k], ours[i]);
            ALLOWED(r, access_service(r));
            assert_int_equal(r->caller->kind, CALLER_STAFF);
        }
    }
}

static void
what_no_browser_sends_by_itself_counts_from_anywhere(void **state)
{
    struct installation *p = *state;
    const char *key;
    visit_hire(p, "anna");
    WELL(p, key_make(&p->c, "the shop", &key));
    const char *const said[] = {SAY("HTTP_AUTHORIZATION=Bearer %s", key),
        SAY("HTTP_AUTHORIZATION=Bearer %s", visit_session(p, "anna"))};
    for (size_t k = 0; k < COUNT(said); k++)
        for (size_t i = 0; i < COUNT(foreign); i++) {
            struct request *r = visit(p, true, "POST", "", said[k], foreign[i]);
            ALLOWED(r, access_service(r));
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_browser_says_from_where_it_was_led_in_more_than_one_way),
        PLACED(the_host_may_have_the_usual_port_and_must_be_there),
        PLACED(nothing_is_changed_by_what_a_browser_sends_unasked_on_the_way_from_another_site),
        PLACED(what_no_browser_sends_by_itself_counts_from_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
