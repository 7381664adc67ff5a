/* How conferences, places and events look on the wire and on pages. */
#include "visit.h"

#include <time.h>

#include "base/xml.h"
#include "page/opening.h"
#include "page/show.h"

static struct request *
from_shop(struct installation *p, const char *query)
{
    return VISIT(p, "REQUEST_METHOD=GET", arena_printf(p->c.mem, "QUERY_STRING=%s", query), "HTTP_HOST=shop.example:8080");
}

/* ── conferences ── */

static struct conference
a_conference(struct installation *p)
{
    struct conference conf = place_conference(p);
    place_sql(p, "UPDATE conference SET id = 148474396310564, code = 196198");
    WELL(p, conference_get(&p->c, 148474396310564, &conf));
    return conf;
}

/* Without line breaks and what begins a line. */
static const char *
in_one_line(struct installation *p, const char *text)
{
    struct buf out = buf_new(p->c.mem, 20000);
    for (; *text; text += strspn(text, "\n ") ? strspn(text, "\n ") : 1)
        if (*text != '\n')
            buf_byte(&out, *text);
    return buf_str(&out);
}

static void
a_conference_is_written_as_a_client_of_the_original_product_reads_it(void **state)
{
    struct installation *p = *state;
    struct request *r = from_shop(p, "");
    struct conference conf = a_conference(p);
    struct value *tree = value_object(p->c.mem);
    struct buf out = buf_new(p->c.mem, 20000);
    show_conference(r, &conf, tree);
    xml_write(tree, "conference", &out);
    assert_string_equal(in_one_line(p, strstr(buf_str(&out), "<conference ")),
        "<conference type=\"reservationless\" id=\"148474396310564server\"><subject>new_conference</subject><owner>o</owner>"
        "<join_url_root>/call/</join_url_root>"
        "<access type=\"leader\" siteid=\"0\"><vanity>0196199</vanity></access>"
        "<access type=\"leader\" state=\"active\" siteid=\"0\"><code>0196199</code></access>"
        "<access type=\"participant\" state=\"active\" siteid=\"0\"><code>0196198</code></access>"
        "<domain>shop.example</domain>"
        "<url>http://shop.example:8080/cgi_bin/vcs_call?action=add&amp;&amp;vanity=0196199&amp;call_callid=148474396310564server</url>"
        "<url>http://shop.example:8080/cgi_bin/vcs_call?action=add&amp;&amp;vanity=0196198&amp;call_callid=148474396310564server</url>"
        "<time><year>2023</year><month>11</month><day>14</day><hour>22</hour><minute>13</minute></time>"
        "<time><year>2023</year><month>11</month><day>14</day><hour>22</hour><minute>13</minute></time>"
        "<timezone/>"
        "<options><webinar_mode>false</webinar_mode><owner_starts_presentation>false</owner_starts_presentation>"
        "<audio_only>false</audio_only></options>"
        "<documents><password/></documents></conference>");
}

static const char *
shown(struct installation *p, const struct conference *conf)
{
    struct value *tree = value_object(p->c.mem);
    show_conference(from_shop(p, ""), conf, tree);
    return place_json(p, tree);
}

static void
times_options_recurrence_and_state_are_those_of_the_conference(void **state)
{
    struct installation *p = *state;
    struct conference conf = a_conference(p);
    static const char *const kinds[][2] = {{"D-WE", "daily"}, {"W-1-MON", "weekly"}, {"M-2", "monthly"}};
    conf.duration_s = 5400;
    assert_non_null(
        strstr(shown(p, &conf), "\"hour\":22,\"minute\":13},{\"year\":2023,\"month\":11,\"day\":14,\"hour\":23,\"minute\":43}]"));
    conf.end_at = conf.start_at + 86400000;
    assert_non_null(strstr(shown(p, &conf), "{\"year\":2023,\"month\":11,\"day\":15,\"hour\":22,\"minute\":13}]"));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        conf.recurrence = kinds[i][0];
        const char *want = arena_printf(p->c.mem, "\"recurrence\":{\"type\":\"%s\",\"pattern\":\"%s\",\"duration\":5400}",
            kinds[i][1], kinds[i][0]);
        CHECK(strstr(shown(p, &conf), want), "%s", shown(p, &conf));
    }
    conf.options = "audio_only=true&web_password=s%26cret&webinar_mode=1";
    assert_non_null(strstr(shown(p, &conf),
        "\"options\":{\"webinar_mode\":\"1\",\"owner_starts_presentation\":\"false\",\"audio_only\":\"true\"}"));
    assert_non_null(strstr(shown(p, &conf), "\"documents\":{\"password\":\"s&cret\""));
    conf.options = "%";
    assert_non_null(strstr(shown(p, &conf), "\"audio_only\":\"false\"}"));
    conf.ended_at = 1;
    assert_non_null(strstr(shown(p, &conf), "\"state\":\"ended\""));
    assert_null(strstr(shown(p, &conf), "\"state\":\"active\""));
}

static void
addresses_begin_with_the_public_url_when_there_is_one(void **state)
{
    struct installation *p = *state;
    struct conference conf = a_conference(p);
    struct member ann = place_member(p, conf.id, "Ann");
    struct request *r = from_shop(p, "");
    const char *window;
    ALLOWED(r, show_window(r, &ann, &window));
    assert_string_equal(window,
        arena_printf(p->c.mem, "http://shop.example:8080/cgi_bin/conf_view?conf=148474396310564server&token=%s",
            visit_token(p, &ann)));
    p->settings.public_url = "https://help.example";
    assert_string_equal(show_join_url(r, &conf, false),
        "https://help.example/cgi_bin/vcs_call?action=add&&vanity=0196198&call_callid=148474396310564server");
    assert_non_null(strstr(shown(p, &conf), "\"domain\":\"help.example\""));
    p->settings.public_url = "https://[2001:db8::1]:8443/";
    assert_non_null(strstr(shown(p, &conf), "\"domain\":\"[2001:db8::1]\""));
    p->settings.public_url = "";
    r = VISIT(p, "REQUEST_METHOD=GET");
    assert_string_equal(show_join_url(r, &conf, true),
        "/cgi_bin/vcs_call?action=add&&vanity=0196199&call_callid=148474396310564server");
}

static void
a_caller_is_shown_what_his_account_scheduled(void **state)
{
    struct installation *p = *state;
    struct conference first = place_conference(p), second = place_conference(p), other = place_conference(p);
    place_sql(p, arena_printf(p->c.mem, "UPDATE conference SET account = 'key:abc' WHERE id = %lld", (long long)other.id));
    struct request *r = VISIT(p, "REQUEST_METHOD=GET", "REMOTE_ADDR=127.0.0.1", "HTTP_HOST=localhost");
    ALLOWED(r, access_service(r));
    ALLOWED(r, show_conferences(r));
    assert_string_equal(r->out_name, "conferences");
    const char *json = place_json(p, r->out);
    assert_non_null(strstr(json, conference_name(&p->c, first.id)));
    assert_non_null(strstr(json, conference_name(&p->c, second.id)));
    assert_null(strstr(json, conference_name(&p->c, other.id)));
    place_sql(p, "ALTER TABLE conference RENAME TO hidden");
    assert_int_equal(show_conferences(r), ERR_UNAVAILABLE);
}

/* ── places ── */

static const char *
queue_of(struct installation *p, int64_t conf)
{
    struct request *r = from_shop(p, "");
    struct value *tree = value_object(p->c.mem);
    ALLOWED(r, show_queue(r, tree, conf));
    return place_json(p, tree);
}

#define OPEN "\"opens_at\":null,\"opens_text\":null}}"

static void
a_place_has_position_and_wait_and_who_does_not_wait_has_none(void **state)
{
    struct installation *p = *state;
    struct invitation first = place_customer(p, "first"), second = place_customer(p, "second");
    int64_t alone = place_conference(p).id;
    assert_string_equal(queue_of(p, second.conf), "{\"queue\":{\"position\":2,\"wait_s\":null,\"wait_min\":0," OPEN);
    assert_string_equal(queue_of(p, alone), "{\"queue\":null}");
    place_sql(p, "INSERT INTO invitation (site, id, conf, url, account, digest, priority, state, queued_at, accepted_at)"
                 "SELECT 1, 900 + value, (SELECT min(conf) FROM invitation), '', '', '', 5, 'done', 1, 1700000000000 + value"
                 " FROM (SELECT 1 AS value UNION SELECT 2)");
    place_later(p, 61000);
    assert_string_equal(queue_of(p, second.conf), "{\"queue\":{\"position\":2,\"wait_s\":60,\"wait_min\":1," OPEN);
    assert_string_equal(queue_of(p, first.conf), "{\"queue\":{\"position\":1,\"wait_s\":30,\"wait_min\":1," OPEN);
    place_sql(p, "ALTER TABLE site RENAME TO hidden");
    struct request *r = from_shop(p, "");
    assert_int_equal(show_queue(r, r->out, first.conf), ERR_UNAVAILABLE);
}

static void
outside_of_the_opening_hours_a_place_says_when_somebody_is_here_again(void **state)
{
    struct installation *p = *state;
    struct invitation first = place_customer(p, "first");
    setenv("TZ", "UTC", 1);
    tzset();
    p->settings.opening_hours = "Mo-Fr 09:00-17:00"; /* it is Tuesday, 22:13 */
    assert_string_equal(queue_of(p, first.conf), "{\"queue\":{\"position\":1,\"wait_s\":null,\"wait_min\":0,"
                                                 "\"opens_at\":1700038800000,\"opens_text\":\"Wed 09:00\"}}");
    assert_string_equal(opening_text(&p->c, INT64_C(1700038800000), false), "09:00 on Wednesday, 15 November");
    assert_string_equal(opening_text(&p->c, INT64_C(1701594000000), false), "09:00 on Sunday, 3 December");
    p->c.now_ms = INT64_C(1700038800000) - 1;
    assert_string_equal(opening_text(&p->c, INT64_C(1700038800000), false), "09:00");
    assert_int_equal(opening_at(&p->c), INT64_C(1700038800000));
    p->c.now_ms++;
    assert_int_equal(opening_at(&p->c), 0);
    assert_non_null(strstr(queue_of(p, first.conf), OPEN));
}

/* ── the way back ── */

static void
a_form_leads_back_to_its_part_of_the_room_with_the_token_unless_a_cookie_has_it(void **state)
{
    struct installation *p = *state;
    static const struct {
        const char *query, *part, *want;
        bool by_cookie;
    } rows[] = {
        {"token=m_1_x", "write", "/cgi_bin/conf_view?conf=1server&part=write&token=m_1_x", false},
        {"token=m_1_x", "log", "/cgi_bin/conf_view?conf=1server&part=log", true},
        {"", "page", "/cgi_bin/conf_view?conf=1server&part=page", false},
        {"", NULL, "/cgi_bin/conf_view?conf=1server", false},
        {"", "//evil.example", "/cgi_bin/conf_view?conf=1server", false},
        {"token=a%26b%0d%0a", NULL, "/cgi_bin/conf_view?conf=1server&token=a%26b%0D%0A", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request *r = from_shop(p, rows[i].query);
        struct caller caller = {.kind = CALLER_MEMBER, .by_cookie = rows[i].by_cookie};
        r->caller = &caller;
        CHECK(text_same(show_room(r, "1server", rows[i].part), rows[i].want), "row %zu: %s", i,
            show_room(r, "1server", rows[i].part));
    }
    struct request *r = from_shop(p, "");
    struct caller caller = {.kind = CALLER_MEMBER};
    r->caller = &caller;
    assert_string_equal(show_room(r, "1&x=\r\n", NULL), "/cgi_bin/conf_view?conf=1%26x%3D%0D%0A");
    show_go(r, "/agent.html");
    assert_string_equal(r->see_other, "/agent.html");
}

/* ── events ── */

/* One event as event_read() gives it. */
static struct value *
event_of(struct installation *p, const char *json)
{
    struct value *event;
    assert_int_equal(value_parse(p->c.mem, json, strlen(json), &event), OK);
    return event;
}

static const struct value *
printed(struct installation *p, const char *json, const char *token)
{
    struct request *r = from_shop(p, "");
    struct show_reader reader = {.member = 3, .token = token};
    struct value *events = value_list(p->c.mem), *tree = value_object(p->c.mem);
    value_add(events, NULL, event_of(p, json));
    show_events(r, &reader, events, tree, "events");
    return value_get(tree, "events")->first;
}

#define EVENT(from, rest) "{\"id\":41,\"at\":1700000000000,\"from\":" from "," rest "}"
#define ANN "{\"member\":3,\"role\":\"customer\",\"name\":\"Ann\"}"
#define ANNA "{\"member\":5,\"role\":\"agent\",\"name\":\"Anna\"}"
#define SYSTEM "{\"member\":0,\"role\":\"system\",\"name\":\"\"}"

static void
an_event_becomes_a_line_of_the_page_or_none(void **state)
{
    struct installation *p = *state;
    static const struct {
        const char *event, *who, *text, *line;
        bool is_mine, is_system, is_note;
    } rows[] = {
        {EVENT(ANN, "\"kind\":\"message\",\"text\":\"hello <b>\""), "You", "hello <b>", NULL, true, false, false},
        {EVENT(ANNA, "\"kind\":\"message\",\"text\":\"hi\""), "Anna", "hi", NULL, false, false, false},
        {EVENT(ANNA, "\"kind\":\"note\",\"text\":\"psst\""), "Private note · Anna", "psst", NULL, false, false, true},
        {EVENT("{\"member\":6,\"role\":\"bot\",\"name\":\"Robo\"}", "\"kind\":\"message\",\"text\":\"hi\""),
            "Assistant (automated)", "hi", NULL, false, false, false},
        {EVENT("{\"member\":6,\"role\":\"customer\",\"name\":\"\"}", "\"kind\":\"message\",\"text\":\"x\""), "Guest", "x", NULL,
            false, false, false},
        {EVENT("{\"member\":6,\"role\":\"agent\",\"name\":\"\"}", "\"kind\":\"message\",\"text\":\"x\""), "Agent", "x", NULL,
            false, false, false},
        {EVENT(SYSTEM, "\"kind\":\"message\",\"text\":\"x\""), "Support", "x", NULL, false, false, false},
        {EVENT(ANN, "\"kind\":\"joined\""), "You", NULL, "You joined", true, true, false},
        {EVENT(ANNA, "\"kind\":\"joined\""), "Anna", NULL, "Anna joined", false, true, false},
        {EVENT(ANN, "\"kind\":\"left\""), "You", NULL, "You left", true, true, false},
        {EVENT(ANNA, "\"kind\":\"left\""), "Anna", NULL, "Anna left", false, true, false},
        {EVENT(SYSTEM, "\"kind\":\"state\",\"state\":\"ended\""), "Support", NULL, "The conversation has ended", false, true,
            false},
        {EVENT(ANNA, "\"kind\":\"rating\",\"text\":\"\",\"stars\":4"), "Anna", "", "Anna gave 4 of 5 stars", false, true, false},
        {EVENT(ANNA, "\"kind\":\"solved\""), "Anna", NULL, "Anna said that the problem is solved", false, true, false},
        {EVENT(SYSTEM, "\"kind\":\"state\",\"state\":\"talking\""), NULL, NULL, NULL, false, false, false},
        {EVENT(SYSTEM, "\"kind\":\"queue\",\"state\":\"queued\""), NULL, NULL, NULL, false, false, false},
        {EVENT(ANNA, "\"kind\":\"typing\""), NULL, NULL, NULL, false, false, false},
        {EVENT(ANNA, "\"kind\":\"signal\",\"to\":3,\"data\":\"x\""), NULL, NULL, NULL, false, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct value *v = printed(p, rows[i].event, "");
        CHECK((v != NULL) == (rows[i].who != NULL), "row %zu is %s", i, v ? place_json(p, v) : "nothing");
        if (!v)
            continue;
        CHECK(unit_same(value_get_text(v, "who"), rows[i].who), "row %zu: %s", i, place_json(p, v));
        CHECK(unit_same(value_get_text(v, "text"), rows[i].text), "row %zu: %s", i, place_json(p, v));
        CHECK(unit_same(value_get_text(v, "line"), rows[i].line), "row %zu: %s", i, place_json(p, v));
        CHECK(value_is_true(value_get(v, "is_mine")) == rows[i].is_mine, "row %zu: %s", i, place_json(p, v));
        CHECK(value_is_true(value_get(v, "is_system")) == rows[i].is_system, "row %zu: %s", i, place_json(p, v));
        CHECK(value_is_true(value_get(v, "is_note")) == rows[i].is_note, "row %zu: %s", i, place_json(p, v));
        assert_int_equal(value_get_int(v, "id", 0), 41);
        assert_string_equal(value_get_text(v, "iso"), "2023-11-14T22:13:20+0000");
        assert_string_equal(value_get_text(v, "time"), "22:13");
        assert_string_equal(value_get_text(v, "day"), "14 November 2023");
    }
}

static void
a_file_has_its_size_in_words_and_the_token_where_no_cookie_is(void **state)
{
    struct installation *p = *state;
    static const struct {
        const char *bytes, *words;
    } sizes[] = {{"0", "0 bytes"}, {"1", "1 byte"}, {"1023", "1023 bytes"}, {"1024", "1 kB"}, {"2560", "3 kB"},
        {"62400", "61 kB"}, {"1048575", "1024 kB"}, {"1048576", "1 MB"}, {"3000000", "2.9 MB"}, {"20971520", "20 MB"},
        {"21076378", "20.1 MB"}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const char *json = arena_printf(p->c.mem,
            EVENT(ANN, "\"kind\":\"file\",\"file\":{\"id\":7,\"name\":\"a <b>.txt\",\"bytes\":%s,\"url\":\"/f?id=7\"}"),
            sizes[i].bytes);
        assert_string_equal(place_json(p, value_get(printed(p, json, "m_3_x"), "file")),
            arena_printf(p->c.mem, "{\"name\":\"a \\u003Cb\\u003E.txt\",\"url\":\"/f?id=7&token=m_3_x\",\"size_text\":\"%s\"}",
                sizes[i].words));
        assert_string_equal(value_get_text(value_get(printed(p, json, ""), "file"), "url"), "/f?id=7");
    }
}

static void
the_day_stands_where_it_changes(void **state)
{
    struct installation *p = *state;
    struct request *r = from_shop(p, "");
    struct show_reader nobody = {.token = ""};
    struct value *events = value_list(p->c.mem), *tree = value_object(p->c.mem);
    for (int i = 0; i < 4; i++)
        value_add(events, NULL,
            event_of(p, arena_printf(p->c.mem, "{\"id\":1,\"at\":%lld,\"from\":" ANN ",\"kind\":\"joined\"}",
                            (long long)(1700000000000 + (i == 3 ? 86400000 : i)))));
    show_events(r, &nobody, events, tree, "events");
    static const char *const days[] = {"14 November 2023", NULL, NULL, "15 November 2023"};
    const struct value *v = value_get(tree, "events")->first;
    for (int i = 0; i < 4; i++, v = v->next) {
        CHECK(unit_same(value_get_text(v, "day"), days[i]), "event %d: %s", i, unit_show(value_get_text(v, "day")));
        assert_string_equal(value_get_text(v, "line"), "Ann joined"); /* who is nobody is never "You" */
    }
}

int
main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        PLACED(a_conference_is_written_as_a_client_of_the_original_product_reads_it),
        PLACED(times_options_recurrence_and_state_are_those_of_the_conference),
        PLACED(addresses_begin_with_the_public_url_when_there_is_one),
        PLACED(a_caller_is_shown_what_his_account_scheduled),
        PLACED(a_place_has_position_and_wait_and_who_does_not_wait_has_none),
        PLACED(outside_of_the_opening_hours_a_place_says_when_somebody_is_here_again),
        PLACED(a_form_leads_back_to_its_part_of_the_room_with_the_token_unless_a_cookie_has_it),
        PLACED(an_event_becomes_a_line_of_the_page_or_none),
        PLACED(a_file_has_its_size_in_words_and_the_token_where_no_cookie_is),
        PLACED(the_day_stands_where_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
