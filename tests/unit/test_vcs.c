/* The application server's calls to the two others: what is sent, and what is read from the answers. */
#include "others.h"

#include "base/clock.h"
#include "model/outlook.h"
#include "model/vcs.h"

/* ── the calls ── */

static void
the_service_call_books_a_conference_and_reads_its_id_and_codes(void **state)
{
    struct installation *p = with_servers(state);
    struct vcs_conference conf;
    struct sent_form form = kept(p);
    WELL(p, vcs_schedule(&p->c, &form, &conf));
    assert_string_equal(conf.id, "148474396310564server");
    assert_string_equal(conf.leader, "0196199");
    assert_string_equal(conf.participant, "0196198");
    const char *heard = other->heard[SCHEDULE];
    assert_true(text_starts(heard, "POST /cgi_bin/vcs_conf_schedule HTTP/1.1\r\n"));
    assert_non_null(strstr(heard, "\r\nAccept: application/xml\r\n"));
    SENT(SCHEDULE, "conf_type=reservationless");
    SENT(SCHEDULE, "subject=Where%20is%20my%20parcel%3F");
    SENT(SCHEDULE, "reqid=r1");
}

static void
the_key_is_sent_when_there_is_one(void **state)
{
    struct installation *p = with_servers(state);
    struct vcs_conference conf;
    struct sent_form form = kept(p);
    WELL(p, vcs_schedule(&p->c, &form, &conf));
    assert_null(strstr(other->heard[SCHEDULE], "Authorization"));
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "service.key" : "other.key";
        FILE *f = fopen(arena_printf(p->c.mem, "%s/%s", p->folder, name), "w");
        fprintf(f, "k_%d.secret\r\nanother line\n", i);
        fclose(f);
        if (i == 1)
            p->settings.service_key_file = arena_printf(p->c.mem, "%s/other.key", p->folder);
        WELL(p, vcs_schedule(&p->c, &form, &conf));
        const char *want = arena_printf(p->c.mem, "\r\nAuthorization: Bearer k_%d.secret\r\n", i);
        CHECK(strstr(other->heard[SCHEDULE], want), "%s", other->heard[SCHEDULE]);
    }
}

/* Half a form may be there under this key: without it the other servers would begin it anew, for somebody else. */
static void
a_key_that_is_there_and_cannot_be_read_is_no_call(void **state)
{
    struct installation *p = with_servers(state);
    struct vcs_conference conf;
    struct sent_form form = kept(p);
    const char *file = arena_printf(p->c.mem, "%s/service.key", p->folder);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_int_equal(vcs_schedule(&p->c, &form, &conf), ERR_UNAVAILABLE);
    rmdir(file);
    close(open(file, O_WRONLY | O_CREAT, 0600)); /* empty, as rtcc init makes it before it writes */
    assert_int_equal(vcs_schedule(&p->c, &form, &conf), ERR_UNAVAILABLE);
    assert_int_equal(other->asked[SCHEDULE], 0);
    unlink(file);
    WELL(p, vcs_schedule(&p->c, &form, &conf));
}

static const char *
subject_sent(struct installation *p, const char *question, const char *topic)
{
    struct vcs_conference conf;
    struct sent_form form = kept(p);
    form.question = question;
    form.topic = topic;
    WELL(p, vcs_schedule(&p->c, &form, &conf));
    const char *from = strstr(other->heard[SCHEDULE], "&subject=") + strlen("&subject=");
    return arena_strndup(p->c.mem, from, strcspn(from, "&"));
}

static void
the_subject_is_the_question_in_one_line_of_255_characters_or_the_topic(void **state)
{
    struct installation *p = with_servers(state);
    char question[2 * 300 + 1] = "", want[6 * 255 + 1] = "";
    for (int i = 0; i < 300; i++)
        memcpy(question + 2 * i, "ü", 2);
    for (int i = 0; i < 255; i++)
        memcpy(want + 6 * i, "%C3%BC", 6);
    assert_string_equal(subject_sent(p, question, "x"), want);
    question[2 * 255] = '\0';
    assert_string_equal(subject_sent(p, question, "x"), want);
    assert_string_equal(subject_sent(p, "a\tb\r\nc", "x"), "a%20b%20%20c");
    assert_string_equal(subject_sent(p, "price 10 \xc2\x96 20\x7f\xc2\xa7", "x"), "price%2010%20%20%2020%20%C2%A7");
    assert_string_equal(subject_sent(p, "", "Invoice"), "Invoice");
    assert_string_equal(subject_sent(p, "", ""), "new_conference");
}

static int64_t
waited_sent(void)
{
    const char *from = strstr(other->heard[QUEUE], "&waited_ms=");
    assert_non_null(from);
    return strtoll(from + strlen("&waited_ms="), NULL, 10);
}

static void
the_invitation_carries_the_url_of_the_patent_and_all_that_is_known_of_the_customer(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form = kept(p);
    struct vcs_conference conf = {.id = "148474396310564server", .leader = "0196199", .participant = "0196198"};
    int64_t position = 77, wait_s = 77;
    WELL(p, vcs_invite(&p->c, &form, &conf, &position, &wait_s));
    assert_int_equal(position, 2);
    assert_int_equal(wait_s, 40);
    SENT(QUEUE, "action=put");
    struct buf url = buf_new(p->c.mem, 2000);
    buf_text(&url, "url=");
    buf_url(&url,
        arena_printf(p->c.mem, "%s/cgi_bin/vcs_call?action=add&&vanity=0196199&call_callid=148474396310564server", base));
    SENT(QUEUE, buf_str(&url));
    SENT(QUEUE, "conf=148474396310564server");
    SENT(QUEUE, "topic=Invoice");
    SENT(QUEUE, "name=Ann%20M%C3%BCller");
    SENT(QUEUE, "phone=%2B16035551234");
    SENT(QUEUE, "email=ann%40example.com");
    SENT(QUEUE, "language=de-DE");
    SENT(QUEUE, "page=http%3A%2F%2Fshop%2Fhelp%3Fa%3D1%26b%3D2");
    SENT(QUEUE, "reqid=r1");
    form.boot_ms = clock_boot_ms() - 90000;
    form.created_at -= 7200000; /* the clock was set meanwhile */
    WELL(p, vcs_invite(&p->c, &form, &conf, &position, &wait_s));
    assert_true(waited_sent() >= 90000 && waited_sent() < 7200000);
    form.boot = "another";
    WELL(p, vcs_invite(&p->c, &form, &conf, &position, &wait_s));
    assert_int_equal(waited_sent(), p->c.now_ms - form.created_at);
    form.created_at = p->c.now_ms + 7200000;
    WELL(p, vcs_invite(&p->c, &form, &conf, &position, &wait_s));
    assert_int_equal(waited_sent(), 0);
    other->how[QUEUE] = WAIT_UNKNOWN;
    WELL(p, vcs_invite(&p->c, &form, &conf, &position, &wait_s));
    assert_int_equal(position, 1);
    assert_int_equal(wait_s, -1);
    other->how[QUEUE] = WITH_PARTS_MISSING;
    WELL(p, vcs_invite(&p->c, &form, &conf, &position, &wait_s));
    assert_int_equal(position, 0);
    assert_int_equal(wait_s, -1);
}

static void
how_one_would_stand_is_asked_of_the_queue_and_waited_for_less_long(void **state)
{
    struct installation *p = with_servers(state);
    struct vcs_standing s;
    WELL(p, vcs_standing(&p->c, &s));
    SENT(QUEUE, "action=standing");
    assert_int_equal(s.waiting, 3);
    assert_int_equal(s.wait_s, 40);
    assert_int_equal(s.agents, 2);
    assert_int_equal(s.free, 1);
    static const enum how faults[] = {NO_XML, AN_ERROR, ANOTHER_ROOT, WITH_PARTS_MISSING, NOT_HTTP, WAIT_UNKNOWN};
    for (size_t i = 0; i < COUNT(faults); i++) {
        other->how[QUEUE] = faults[i];
        CHECK(vcs_standing(&p->c, &s) == ERR_UNAVAILABLE, "fault %zu", i);
    }
    struct sent_form form = kept(p);
    struct vcs_conference conf = {.id = "148474396310564server", .leader = "0196199", .participant = "0196198"};
    int64_t position, wait_s, began = clock_boot_ms();
    other->how[QUEUE] = SLOWLY;
    assert_int_equal(vcs_standing(&p->c, &s), ERR_UNAVAILABLE);
    int64_t look_ms = clock_boot_ms() - began;
    began = clock_boot_ms();
    assert_int_equal(vcs_invite(&p->c, &form, &conf, &position, &wait_s), ERR_UNAVAILABLE);
    CHECK(look_ms < clock_boot_ms() - began, "a form waits %lld ms", (long long)look_ms);
}

static void
the_outlook_is_asked_for_once_in_five_seconds_also_when_nobody_answers(void **state)
{
    struct installation *p = with_servers(state);
    struct vcs_standing s;
    int64_t after[] = {0, OUTLOOK_KEPT_MS - 1, OUTLOOK_KEPT_MS, 2 * OUTLOOK_KEPT_MS - 1, 2 * OUTLOOK_KEPT_MS};
    int asked[] = {1, 1, 2, 2, 3}, began = other->asked[QUEUE];
    p->c.boot_ms += 10 * OUTLOOK_KEPT_MS; /* what another test may have left is over */
    int64_t began_ms = p->c.boot_ms;
    for (size_t i = 0; i < COUNT(after); i++) {
        p->c.boot_ms = began_ms + after[i];
        other->how[QUEUE] = after[i] < OUTLOOK_KEPT_MS || i == 4 ? AS_ASKED : AN_ERROR;
        enum err err = outlook_get(&p->c, &s);
        CHECK(err == (i == 2 || i == 3 ? ERR_UNAVAILABLE : OK), "look %zu: %s", i, err_code(err));
        assert_int_equal(other->asked[QUEUE] - began, asked[i]);
    }
    assert_int_equal(s.waiting, 3);
}

static void
the_customer_joins_by_the_participants_code_with_his_question(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form = kept(p);
    struct vcs_conference conf = {.id = "148474396310564server", .leader = "0196199", .participant = "0196198"};
    const char *token, *window;
    WELL(p, vcs_connect(&p->c, &form, &conf, &token, &window));
    assert_string_equal(token, "m_3_abc");
    assert_string_equal(window, "http://host/cgi_bin/conf_view?conf=148474396310564server&token=m_3_abc");
    SENT(CALL, "action=add");
    SENT(CALL, "vanity=0196198");
    SENT(CALL, "call_callid=148474396310564server");
    SENT(CALL, "name=Ann%20M%C3%BCller");
    SENT(CALL, "text=Where%20is%0Amy%20parcel%3F");
    SENT(CALL, "reqid=r1");
    form.question = "";
    WELL(p, vcs_connect(&p->c, &form, &conf, &token, &window));
    assert_null(strstr(other->heard[CALL], "text="));
}

static void
the_key_is_tried_at_both_servers_with_what_changes_nothing(void **state)
{
    struct installation *p = with_servers(state);
    WELL(p, vcs_check_key(&p->c));
    assert_int_equal(other->asked[LIST], 1);
    assert_int_equal(other->asked[QUEUE], 1);
    SENT(LIST, "all_vanities=true");
    SENT(QUEUE, "action=standing");
    other->how[LIST] = TOO_LONG; /* of a busy place */
    WELL(p, vcs_check_key(&p->c));
    other->how[LIST] = AS_ASKED;
    other->how[QUEUE] = AN_ERROR;
    REFUSED(p, vcs_check_key(&p->c), ERR_UNAVAILABLE, NULL);
    other->how[LIST] = AN_ERROR;
    REFUSED(p, vcs_check_key(&p->c), ERR_UNAVAILABLE, NULL);
    assert_int_equal(other->asked[QUEUE], 4);
    other->how[QUEUE] = NO_KEY;
    REFUSED(p, vcs_check_key(&p->c), ERR_UNAUTHORIZED, NULL);
    other->how[QUEUE] = AS_ASKED;
    REFUSED(p, vcs_check_key(&p->c), ERR_UNAVAILABLE, NULL);
    other->how[LIST] = NO_KEY;
    REFUSED(p, vcs_check_key(&p->c), ERR_UNAUTHORIZED, NULL);
}

static void
nonsense_for_an_answer_is_unavailable(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form = kept(p);
    static const enum how hows[] = {NO_XML, AN_ERROR, ANOTHER_ROOT, NOT_HTTP, TOO_LONG, WITH_PARTS_MISSING};
    struct vcs_conference conf = {.id = "1", .leader = "2", .participant = "3"}, booked;
    const char *token, *window;
    int64_t position = 77, wait_s = 77;
    for (size_t i = 0; i < COUNT(hows); i++) {
        for (int k = 0; k < PROGRAMS; k++)
            other->how[k] = hows[i];
        CHECK(vcs_schedule(&p->c, &form, &booked) == ERR_UNAVAILABLE, "schedule took answer %zu", i);
        CHECK(vcs_connect(&p->c, &form, &conf, &token, &window) == ERR_UNAVAILABLE, "connect took answer %zu", i);
        if (hows[i] != WITH_PARTS_MISSING)
            CHECK(vcs_invite(&p->c, &form, &conf, &position, &wait_s) == ERR_UNAVAILABLE, "invite took answer %zu", i);
    }
    assert_int_equal(position, 77);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(the_service_call_books_a_conference_and_reads_its_id_and_codes),
        PLACED(the_key_is_sent_when_there_is_one),
        PLACED(a_key_that_is_there_and_cannot_be_read_is_no_call),
        PLACED(the_subject_is_the_question_in_one_line_of_255_characters_or_the_topic),
        PLACED(the_invitation_carries_the_url_of_the_patent_and_all_that_is_known_of_the_customer),
        PLACED(the_outlook_is_asked_for_once_in_five_seconds_also_when_nobody_answers),
        PLACED(how_one_would_stand_is_asked_of_the_queue_and_waited_for_less_long),
        PLACED(the_customer_joins_by_the_participants_code_with_his_question),
        PLACED(the_key_is_tried_at_both_servers_with_what_changes_nothing),
        PLACED(nonsense_for_an_answer_is_unavailable),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
