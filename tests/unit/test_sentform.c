/* Forms: kept before anybody else hears of them, then carried to the two other servers, whatever these do. */
#include "others.h"

/* ── keeping ── */

static int64_t
jobs(struct installation *p)
{
    return place_number(p, "SELECT count(*) FROM job WHERE kind = 'form' AND key = 'r1'");
}

static void
a_form_is_kept_with_the_work_to_finish_it(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form = kept(p), found;
    assert_string_equal(form.name, "Ann Müller");
    assert_string_equal(form.question, "Where is\nmy parcel?");
    assert_string_equal(form.page, "http://shop/help?a=1&b=2");
    assert_int_equal(form.is_done, 0);
    assert_string_equal(place_text(p, "SELECT consent FROM request"), "yes");
    assert_int_equal(jobs(p), 1);
    assert_int_equal(place_number(p, "SELECT due_at FROM job"), p->c.now_ms + 5000);
    WELL(p, sentform_find(&p->c, "r1", &found));
    assert_string_equal(found.email, "ann@example.com");
    assert_int_equal(sentform_find(&p->c, "r2", &found), ERR_NOT_FOUND);
    for (int i = 0; i < PROGRAMS; i++)
        assert_int_equal(other->asked[i], 0);
}

static void
the_same_form_again_is_the_one_kept_and_another_under_its_id_is_refused(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form = kept(p);
    struct form_entries others[8];
    place_later(p, 60000);
    kept(p);
    assert_int_equal(place_number(p, "SELECT count(*) FROM request"), 1);
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = entries();
    others[0].name = "Bob";
    others[1].phone = "";
    others[2].email = "";
    others[3].topic = "";
    others[4].question = "";
    others[5].language = "";
    others[6].page = "";
    others[7].consent = "";
    for (size_t i = 0; i < COUNT(others); i++)
        REFUSED(p, sentform_keep(&p->c, &others[i], &form), ERR_CONFLICT, "reqid");
    assert_string_equal(place_text(p, "SELECT name FROM request"), "Ann Müller");
    assert_int_equal(jobs(p), 1);
}

static void
forms_that_are_kept_and_not_finished_are_counted_with_the_age_of_the_oldest(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form;
    int64_t count = 77, oldest_ms = 77;
    WELL(p, sentform_kept(&p->c, &count, &oldest_ms));
    assert_int_equal(count, 0);
    assert_int_equal(oldest_ms, 0);
    kept(p);
    place_later(p, 5000);
    struct form_entries second = entries();
    second.reqid = "r2";
    WELL(p, sentform_keep(&p->c, &second, &form));
    WELL(p, sentform_kept(&p->c, &count, &oldest_ms));
    assert_int_equal(count, 2);
    assert_int_equal(oldest_ms, 5000);
    WELL(p, sentform_finish(&p->c, "r1", &form));
    WELL(p, sentform_kept(&p->c, &count, &oldest_ms));
    assert_int_equal(count, 1);
    assert_int_equal(oldest_ms, 0);
    place_sql(p, "ALTER TABLE request RENAME TO hidden");
    REFUSED(p, sentform_kept(&p->c, &count, &oldest_ms), ERR_UNAVAILABLE, NULL);
}

static void
a_form_that_cannot_be_kept_leaves_nothing(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form;
    struct form_entries in = entries();
    place_sql(p, "ALTER TABLE job RENAME TO hidden");
    REFUSED(p, sentform_keep(&p->c, &in, &form), ERR_UNAVAILABLE, NULL);
    assert_int_equal(place_number(p, "SELECT count(*) FROM request"), 0);
    place_sql(p, "ALTER TABLE request RENAME TO hidden_request");
    REFUSED(p, sentform_keep(&p->c, &in, &form), ERR_UNAVAILABLE, NULL);
    REFUSED(p, sentform_finish(&p->c, "r1", &form), ERR_UNAVAILABLE, NULL);
}

/* ── finishing ── */

static void
finished_it_has_conference_token_window_and_place_and_is_due_no_more(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form, again;
    kept(p);
    WELL(p, sentform_finish(&p->c, "r1", &form));
    assert_int_equal(form.is_done, 1);
    assert_string_equal(form.conf, "148474396310564server");
    assert_string_equal(form.token, "m_3_abc");
    assert_string_equal(form.window, "http://host/cgi_bin/conf_view?conf=148474396310564server&token=m_3_abc");
    assert_int_equal(form.position, 2);
    assert_int_equal(form.wait_s, 40);
    assert_int_equal(jobs(p), 0);
    other->how[SCHEDULE] = NO_XML; /* asked no more */
    WELL(p, sentform_finish(&p->c, "r1", &again));
    assert_string_equal(again.token, form.token);
    for (int i = 0; i <= CALL; i++)
        assert_int_equal(other->asked[i], 1);
    kept(p); /* the browser sends it once more: nothing to do anew */
    assert_int_equal(jobs(p), 0);
    assert_int_equal(sentform_finish(&p->c, "r2", &again), ERR_NOT_FOUND);
}

static void
a_server_that_fails_anywhere_leaves_the_form_kept_and_the_next_try_carries_the_same_id(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form;
    kept(p);
    for (int i = 0; i <= CALL; i++) {
        memset(other, 0, sizeof *other);
        other->how[i] = AN_ERROR;
        REFUSED(p, sentform_finish(&p->c, "r1", &form), ERR_UNAVAILABLE, NULL);
        for (int k = 0; k <= CALL; k++)
            CHECK(other->asked[k] == (k <= i), "with %d failing, %d was asked %d times", i, k, other->asked[k]);
        for (int k = 0; k <= i; k++)
            SENT(k, "reqid=r1");
        assert_int_equal(jobs(p), 1);
        assert_int_equal(place_number(p, "SELECT is_done FROM request"), 0);
    }
    memset(other, 0, sizeof *other);
    WELL(p, sentform_finish(&p->c, "r1", &form));
    assert_int_equal(form.is_done, 1);
    assert_int_equal(jobs(p), 0);
}

static void
servers_that_are_down_or_slow_cost_a_wait_and_not_the_form(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form;
    kept(p);
    p->settings.collaboration_url = "http://127.0.0.1:1";
    REFUSED(p, sentform_finish(&p->c, "r1", &form), ERR_UNAVAILABLE, NULL);
    p->settings.collaboration_url = base;
    other->how[SCHEDULE] = SLOWLY;
    int64_t began = clock_boot_ms();
    REFUSED(p, sentform_finish(&p->c, "r1", &form), ERR_UNAVAILABLE, NULL);
    assert_in_range(clock_boot_ms() - began, 2900, 3900);
    assert_int_equal(jobs(p), 1);
    other->how[SCHEDULE] = AS_ASKED;
    WELL(p, sentform_finish(&p->c, "r1", &form));
    assert_int_equal(form.is_done, 1);
}

static void
whoever_finds_his_room_ended_gets_another_one(void **state)
{
    struct sent_form form;
    for (int i = QUEUE; i <= CALL; i++) {
        struct installation *p = with_servers(state);
        place_sql(p, "DELETE FROM request; DELETE FROM job");
        kept(p);
        other->how[i] = ENDED_ONCE;
        WELL(p, sentform_finish(&p->c, "r1", &form));
        assert_int_equal(form.is_done, 1);
        assert_int_equal(jobs(p), 0);
        for (int k = SCHEDULE; k <= CALL; k++) {
            CHECK(other->asked[k] == 2 - (k > i), "with %d ended, %d was asked %d times", i, k, other->asked[k]);
            CHECK(strstr(other->heard[k], "reqid=") && !was_sent(k, "reqid=r1"), "%d was asked for the same room again", k);
        }
    }
}

static void
while_a_customer_waits_silence_is_not_waited_for_twice(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form;
    kept(p);
    other->how[SCHEDULE] = SLOWLY;
    for (int i = 0; i < 2; i++) {
        int64_t began = clock_boot_ms();
        p->c.until_ms = began + 1500;
        REFUSED(p, sentform_finish(&p->c, "r1", &form), ERR_UNAVAILABLE, NULL);
        assert_in_range(clock_boot_ms() - began, i == 0 ? 1400 : 0, i == 0 ? 2400 : 900);
        assert_int_equal(other->asked[SCHEDULE], 1);
    }
    other->how[SCHEDULE] = AS_ASKED;
    p->c.until_ms = 0; /* nobody waits */
    WELL(p, sentform_finish(&p->c, "r1", &form));
    assert_int_equal(form.is_done, 1);
}

static void
finish_too(struct installation *p, int number)
{
    struct sent_form form;
    (void)number;
    place_enter(p);
    MUST(sentform_finish(&p->c, "r1", &form) == OK);
    MUST(form.is_done && text_same(form.token, "m_3_abc"));
    db_close(p->c.db);
}

static void
four_processes_that_finish_at_once_give_one_result(void **state)
{
    struct installation *p = with_servers(state);
    kept(p);
    place_together(p, 4, finish_too);
    assert_int_equal(place_number(p, "SELECT count(*) FROM request WHERE is_done = 1 AND token = 'm_3_abc'"), 1);
    assert_int_equal(jobs(p), 0);
}

static void
what_cannot_be_marked_as_done_is_tried_again(void **state)
{
    struct installation *p = with_servers(state);
    struct sent_form form;
    kept(p);
    place_sql(p, "ALTER TABLE job RENAME TO hidden");
    REFUSED(p, sentform_finish(&p->c, "r1", &form), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE hidden RENAME TO job");
    assert_int_equal(place_number(p, "SELECT is_done FROM request"), 0);
    assert_int_equal(jobs(p), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_form_is_kept_with_the_work_to_finish_it),
        PLACED(the_same_form_again_is_the_one_kept_and_another_under_its_id_is_refused),
        PLACED(forms_that_are_kept_and_not_finished_are_counted_with_the_age_of_the_oldest),
        PLACED(a_form_that_cannot_be_kept_leaves_nothing),
        PLACED(finished_it_has_conference_token_window_and_place_and_is_due_no_more),
        PLACED(a_server_that_fails_anywhere_leaves_the_form_kept_and_the_next_try_carries_the_same_id),
        PLACED(servers_that_are_down_or_slow_cost_a_wait_and_not_the_form),
        PLACED(whoever_finds_his_room_ended_gets_another_one),
        PLACED(while_a_customer_waits_silence_is_not_waited_for_twice),
        PLACED(four_processes_that_finish_at_once_give_one_result),
        PLACED(what_cannot_be_marked_as_done_is_tried_again),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
