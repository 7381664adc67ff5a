/* A customer whose agent is not heard of any more waits again; an agent who comes back has him again, if nobody else has. */
#include "lost.h"

#include "base/clock.h"

#include "visit.h"

static const char *
lost_in(struct installation *p, int64_t conf)
{
    return place_text(p,
        arena_printf(p->c.mem,
            "SELECT group_concat(verdict || ': ' || reason) FROM decision WHERE conf = %lld AND verdict = 'gone'",
            (long long)conf));
}

static void
after_twice_gone_s_without_his_agent_a_customer_who_is_there_waits_again(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    place_later(p, 60000);
    WELL(p, talk_member_seen(&p->c, &t.mine));
    struct invitation second = place_customer(p, "second"), back;
    wait_while(p, 2 * GONE_MS - STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    wait_while(p, STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
    WELL(p, invitation_find(&p->c, t.i.id, &back));
    assert_string_equal(back.state, "queued");
    assert_int_equal(back.queued_at, t.i.queued_at);
    assert_string_equal(lost_in(p, t.i.conf), "gone: nothing was heard of him");
    assert_non_null(strstr(log_of(p, t.i.conf), "state talking, left, state waiting, queue queued"));
    struct agent bert = place_agent(p, "bert");
    assert_int_equal(offer_of(p, &bert).invitation, t.i.id);
    (void)taken(p, &bert);
    assert_int_equal(offer_of(p, &bert).invitation, second.id);
}

static void
who_polls_at_his_desk_or_asks_in_the_room_is_not_missed(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    wait_while(p, 6 * GONE_MS, &t.ann, NULL, &t.anna);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    wait_while(p, 6 * GONE_MS, &t.ann, &t.mine, NULL);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    wait_while(p, 2 * GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
a_customer_who_is_not_there_either_keeps_his_talk_until_he_asks_for_some_time(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    wait_while(p, 20 * GONE_MS, NULL, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    wait_while(p, GRACE_MS, &t.ann, NULL, NULL); /* all were away: the agent has this long to come back as well */
    assert_string_equal(room_state(p, t.i.conf), "talking");
    wait_while(p, 2 * STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
where_all_stood_still_the_agent_who_comes_back_in_time_keeps_his_customer(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    for (int i = 0; i < 3; i++) {
        wait_while(p, 10 * GONE_MS, NULL, NULL, NULL);
        wait_while(p, GRACE_MS, &t.ann, NULL, NULL);
        wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
        wait_while(p, GONE_MS, &t.ann, NULL, NULL);
        assert_string_equal(room_state(p, t.i.conf), "talking");
    }
    wait_while(p, STEP_MS, &t.ann, NULL, NULL); /* he asks in vain when it begins */
    wait_while(p, 10 * GONE_MS, NULL, NULL, NULL);
    wait_while(p, GRACE_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "talking");
}

static void
who_comes_back_to_his_desk_has_his_customer_again(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    struct invitation back;
    WELL(p, talk_notready(&p->c, &t.anna, "lunch")); /* that he takes nobody new does not matter */
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    WELL(p, member_find(&p->c, t.mine.id, &t.mine));
    assert_true(t.mine.left_at == 0 && !t.mine.lost);
    WELL(p, invitation_find(&p->c, t.i.id, &back));
    assert_string_equal(back.state, "accepted");
    assert_int_equal(back.agent, t.anna.id);
    assert_non_null(strstr(log_of(p, t.i.conf), "state waiting, queue queued, joined, queue accepted, state talking"));
    wait_while(p, 4 * GONE_MS, &t.ann, NULL, &t.anna);
    assert_string_equal(room_state(p, t.i.conf), "talking");
}

static void
who_comes_back_to_the_room_is_there_also_from_under_an_offer_to_another(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    struct agent bert = place_agent(p, "bert");
    assert_int_equal(offer_of(p, &bert).invitation, t.i.id);
    struct member mine;
    WELL(p, member_find(&p->c, t.mine.id, &mine));
    assert_true(mine.left_at && mine.lost);
    WELL(p, talk_member_seen(&p->c, &mine));
    assert_true(mine.left_at == 0 && !mine.lost);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    assert_false(has_offer(p, &bert));
    WELL(p, talk_leave(&p->c, &mine));
    assert_int_equal(offer_of(p, &bert).invitation, t.i.id); /* it was taken from him: he let nothing go */
}

static void
who_comes_back_too_late_does_not_come_between(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    struct agent bert = place_agent(p, "bert");
    struct member other = taken(p, &bert), mine;
    wait_while(p, STEP_MS, &t.ann, &other, &t.anna);
    WELL(p, member_find(&p->c, t.mine.id, &mine));
    assert_true(mine.left_at && !mine.lost);
    WELL(p, talk_leave(&p->c, &other));
    WELL(p, talk_member_seen(&p->c, &mine));
    assert_true(mine.left_at); /* once given up, an offer leads there only */
    WELL(p, talk_end(&p->c, t.i.conf, 0));
    assert_string_equal(room_state(p, t.i.conf), "ended");
}

static void
a_room_that_has_ended_meanwhile_stays_so(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    WELL(p, talk_leave(&p->c, &t.ann));
    wait_while(p, STEP_MS, NULL, &t.mine, &t.anna);
    assert_string_equal(room_state(p, t.i.conf), "ended");
    assert_int_equal(place_number(p, "SELECT count(*) FROM member WHERE lost <> 0"), 0);
    assert_string_equal(place_text_on(p, "live.db", "SELECT (SELECT count(*) FROM heard) + (SELECT count(*) FROM alone)"), "0");
}

static void
whoever_comes_to_a_customer_who_was_lost_before_has_his_own_time(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    struct agent boss = place_agent(p, "boss");
    place_sql(p, "UPDATE agent SET is_present = 0, state = 'notready' WHERE login = 'boss'"); /* no desk: by the link */
    place_sql_on(p, "live.db", "DELETE FROM presence");
    struct member_new who = {.conf = t.i.conf, .role = "supervisor", .is_leader = true, .name = "boss", .agent = boss.id};
    struct member member;
    WELL(p, talk_join(&p->c, &who, NULL, &member));
    wait_while(p, GONE_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    wait_while(p, GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
without_live_db_nobody_is_lost_who_polls_at_his_desk(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    for (int64_t gone = 0; gone < 6 * GONE_MS; gone += STEP_MS) { /* removed: another program has the new one */
        place_sql_on(p, "live.db", "DELETE FROM presence; DELETE FROM heard");
        place_later(p, STEP_MS);
        WELL(p, talk_member_seen(&p->c, &t.ann));
    }
    assert_string_equal(room_state(p, t.i.conf), "talking");
}

static void
who_was_lost_and_accepts_once_more_is_answered_the_same(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct invitation i;
    struct member again;
    int64_t reservation = place_number(p, "SELECT id FROM reservation");
    wait_while(p, 2 * GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    WELL(p, talk_find_lost(&p->c, t.anna.id));
    WELL(p, talk_accept(&p->c, &t.anna, reservation, &i, &again));
    assert_int_equal(again.id, t.mine.id);
    assert_string_equal(room_state(p, t.i.conf), "talking");
}

static void
a_lost_customer_who_was_queued_twice_has_his_older_place(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct invitation_wish wish = place_wish(t.i.conf);
    struct invitation second, first;
    place_later(p, 60000);
    WELL(p, talk_member_seen(&p->c, &t.mine));
    WELL(p, talk_queue(&p->c, &wish, &second));
    WELL(p, talk_accept(&p->c, &t.anna, offer_of(p, &t.anna).id, &second, &t.mine));
    wait_while(p, 3 * GONE_MS, &t.ann, NULL, NULL);
    WELL(p, invitation_find(&p->c, t.i.id, &first));
    assert_string_equal(first.state, "queued");
    assert_int_equal(first.accepted_at, 0);
}

static void
where_others_have_the_database_a_poll_waits_little_and_not_again_at_once(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    wait_while(p, 2 * GONE_MS - STEP_MS, &t.ann, NULL, NULL);
    place_later(p, STEP_MS);
    sqlite3 *other = place_connection(p, "rtcc.db");
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    int64_t began = clock_boot_ms();
    for (int i = 0; i < 20; i++)
        REFUSED(p, talk_member_seen(&p->c, &t.ann), ERR_UNAVAILABLE, NULL);
    CHECK(clock_boot_ms() - began < 2000, "%lld ms for twenty", (long long)(clock_boot_ms() - began));
    sqlite3_close(other);
    usleep((DB_BRIEF_PAUSE_MS + 100) * 1000);
    WELL(p, talk_member_seen(&p->c, &t.ann));
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
who_was_disabled_meanwhile_has_nothing_to_come_back_to(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    WELL(p, talk_disable(&p->c, "anna"));
    WELL(p, talk_enable(&p->c, "anna"));
    wait_while(p, STEP_MS, &t.ann, &t.mine, &t.anna);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
of_two_agents_one_who_is_heard_of_is_enough_and_both_are_lost_together(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct agent bert = place_agent(p, "bert");
    struct member_new who = {.conf = t.i.conf, .role = "agent", .is_leader = true, .name = "bert", .agent = bert.id};
    struct member other;
    WELL(p, talk_join(&p->c, &who, NULL, &other));
    wait_while(p, 4 * GONE_MS, &t.ann, NULL, &bert);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    assert_int_equal(place_number(p, "SELECT count(*) FROM member WHERE left_at <> 0"), 0);
    wait_while(p, 2 * GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
    assert_int_equal(place_number(p, "SELECT count(*) FROM member WHERE lost <> 0"), 2);
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna); /* both come back: nobody else has come to their customer */
    wait_while(p, STEP_MS, &t.ann, &other, NULL);
    assert_true(other.left_at == 0 && !other.lost);
    assert_int_equal(place_number(p, "SELECT count(*) FROM member WHERE left_at <> 0"), 0);
    wait_while(p, 2 * GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    struct agent cora = place_agent(p, "cora");
    (void)taken(p, &cora);
    wait_while(p, STEP_MS, &t.ann, &other, &cora);
    assert_true(other.left_at != 0 && !other.lost);
}

static void
a_leader_with_a_key_is_never_missed(void **state)
{
    struct installation *p = *state;
    struct invitation i = place_customer(p, "Ann");
    struct member ann = customer_of(p, i.conf), leader;
    struct member_new who = {.conf = i.conf, .role = "customer", .is_leader = true, .name = "boss"};
    WELL(p, talk_join(&p->c, &who, NULL, &leader));
    wait_while(p, 6 * GONE_MS, &ann, &leader, NULL);
    assert_string_equal(room_state(p, i.conf), "talking");
}

static void
after_the_machine_was_started_anew_the_agent_has_the_same_time_again(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    wait_while(p, GONE_MS, &t.ann, NULL, NULL);
    place_sql_on(p, "live.db",
        "UPDATE presence SET boot = 'before'; UPDATE heard SET boot = 'before'; UPDATE alone SET boot = 'before'");
    p->c.boot_ms = STEP_MS;
    wait_while(p, 2 * GONE_MS - 2 * STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    wait_while(p, 2 * STEP_MS, &t.ann, NULL, NULL);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
what_fails_loses_nobody(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    wait_while(p, 2 * GONE_MS - STEP_MS, &t.ann, NULL, NULL);
    int64_t before = now_at(p);
    place_later(p, STEP_MS);
    place_sql(p, "ALTER TABLE decision RENAME TO hidden");
    REFUSED(p, talk_member_seen(&p->c, &t.ann), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE hidden RENAME TO decision");
    assert_string_equal(room_state(p, t.i.conf), "talking");
    assert_int_equal(now_at(p), before);
    place_sql_on(p, "live.db", "ALTER TABLE heard RENAME TO hidden");
    REFUSED(p, talk_member_seen(&p->c, &t.ann), ERR_UNAVAILABLE, NULL);
    REFUSED(p, talk_member_seen(&p->c, &t.mine), ERR_UNAVAILABLE, NULL);
    place_sql_on(p, "live.db", "ALTER TABLE hidden RENAME TO heard");
    place_sql_on(p, "live.db", "ALTER TABLE alone RENAME TO hidden");
    REFUSED(p, talk_member_seen(&p->c, &t.ann), ERR_UNAVAILABLE, NULL);
    place_sql_on(p, "live.db", "ALTER TABLE hidden RENAME TO alone");
    WELL(p, talk_member_seen(&p->c, &t.ann));
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
what_is_heard_is_written_now_and_then_only(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    const char *last = "SELECT boot_ms FROM heard";
    WELL(p, talk_member_seen(&p->c, &t.mine));
    const char *first = place_text_on(p, "live.db", last);
    place_later(p, GONE_MS / 8 - 1);
    WELL(p, talk_member_seen(&p->c, &t.mine));
    assert_string_equal(place_text_on(p, "live.db", last), first);
    place_later(p, 1);
    WELL(p, talk_member_seen(&p->c, &t.mine));
    assert_string_not_equal(place_text_on(p, "live.db", last), first);
}

static struct request *
asks(struct installation *p, const struct member *member)
{
    const char *query =
        arena_printf(p->c.mem, "QUERY_STRING=conf=%s&token=%s", conference_name(&p->c, member->conf), visit_token(p, member));
    return VISIT(p, "REQUEST_METHOD=GET", query, "REMOTE_ADDR=127.0.0.1", "HTTP_HOST=localhost");
}

static void
who_comes_to_his_room_is_heard_of_and_reads_also_when_that_cannot_be_kept(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct request *r = asks(p, &t.mine);
    place_sql_on(p, "live.db", "DELETE FROM heard");
    ALLOWED(r, access_member(r));
    assert_string_equal(place_text_on(p, "live.db", "SELECT count(*) FROM heard"), "0");
    ALLOWED(r, access_room(r));
    assert_string_equal(place_text_on(p, "live.db", "SELECT count(*) FROM heard"), "1");
    place_sql_on(p, "live.db", "ALTER TABLE heard RENAME TO hidden");
    for (int i = 0; i < 2; i++) {
        const struct member *who = i == 0 ? &t.mine : &t.ann;
        r = asks(p, who);
        ALLOWED(r, access_room(r));
        assert_int_equal(r->caller->member.id, who->id);
    }
    place_sql_on(p, "live.db", "ALTER TABLE hidden RENAME TO heard");
    wait_while(p, 2 * GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    place_sql(p,
        "ALTER TABLE decision RENAME TO hidden"); /* who was lost and cannot be brought back is not told that it is over */
    r = asks(p, &t.mine);
    DENIED(r, access_room(r), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(after_twice_gone_s_without_his_agent_a_customer_who_is_there_waits_again),
        PLACED(who_polls_at_his_desk_or_asks_in_the_room_is_not_missed),
        PLACED(a_customer_who_is_not_there_either_keeps_his_talk_until_he_asks_for_some_time),
        PLACED(where_all_stood_still_the_agent_who_comes_back_in_time_keeps_his_customer),
        PLACED(who_comes_back_to_his_desk_has_his_customer_again),
        PLACED(who_comes_back_to_the_room_is_there_also_from_under_an_offer_to_another),
        PLACED(who_comes_back_too_late_does_not_come_between),
        PLACED(a_room_that_has_ended_meanwhile_stays_so),
        PLACED(whoever_comes_to_a_customer_who_was_lost_before_has_his_own_time),
        PLACED(without_live_db_nobody_is_lost_who_polls_at_his_desk),
        PLACED(who_was_lost_and_accepts_once_more_is_answered_the_same),
        PLACED(a_lost_customer_who_was_queued_twice_has_his_older_place),
        PLACED(where_others_have_the_database_a_poll_waits_little_and_not_again_at_once),
        PLACED(who_was_disabled_meanwhile_has_nothing_to_come_back_to),
        PLACED(of_two_agents_one_who_is_heard_of_is_enough_and_both_are_lost_together),
        PLACED(a_leader_with_a_key_is_never_missed),
        PLACED(after_the_machine_was_started_anew_the_agent_has_the_same_time_again),
        PLACED(what_fails_loses_nobody),
        PLACED(what_is_heard_is_written_now_and_then_only),
        PLACED(who_comes_to_his_room_is_heard_of_and_reads_also_when_that_cannot_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
