/* Whose a customer is whose agents were lost one after the other: whoever comes to him comes in place of those who were lost
 * before. Who asks seldom is lost, too. */
#include "lost.h"

#include "base/clock.h"

static int64_t
staff_there(struct installation *p)
{
    return place_number(p, "SELECT count(*) FROM member WHERE agent <> 0 AND left_at = 0");
}

/* Bert takes him, and vanishes, too; Anna is at her desk, but takes nobody. */
static struct agent
lost_by_bert(struct installation *p, struct lost *t)
{
    struct agent bert = place_agent(p, "bert");
    (void)taken(p, &bert);
    wait_while(p, STEP_MS, &t->ann, NULL, &t->anna);
    WELL(p, talk_notready(&p->c, &t->anna, "lunch"));
    wait_while(p, 3 * GONE_MS, &t->ann, NULL, &t->anna);
    assert_string_equal(room_state(p, t->i.conf), "waiting");
    return bert;
}

static void
who_is_offered_a_customer_once_more_comes_in_place_of_whom_he_had_meanwhile(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    struct agent bert = lost_by_bert(p, &t);
    WELL(p, talk_ready(&p->c, &t.anna));
    assert_int_equal(taken(p, &t.anna).id, t.mine.id);
    wait_while(p, STEP_MS, &t.ann, NULL, &bert);
    assert_int_equal(staff_there(p), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM member WHERE lost <> 0"), 0);
}

static void
so_does_who_had_left_by_himself(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    WELL(p, talk_leave(&p->c, &t.mine));
    struct agent bert = lost_by_bert(p, &t);
    WELL(p, talk_ready(&p->c, &t.anna));
    assert_int_equal(taken(p, &t.anna).id, t.mine.id);
    wait_while(p, STEP_MS, &t.ann, NULL, &bert);
    assert_int_equal(staff_there(p), 1);
}

static void
so_does_a_leader_with_a_key_who_comes_back(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct member_new who = {.conf = t.i.conf, .role = "customer", .is_leader = true, .name = "boss", .reqid = "boss"};
    struct member leader;
    WELL(p, talk_join(&p->c, &who, NULL, &leader));
    WELL(p, talk_leave(&p->c, &leader));
    wait_while(p, 2 * GONE_MS + STEP_MS, &t.ann, NULL, NULL);
    WELL(p, member_find(&p->c, leader.id, &leader));
    WELL(p, talk_return(&p->c, &leader));
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
    assert_int_equal(staff_there(p), 0);
    assert_string_equal(room_state(p, t.i.conf), "talking");
}

static void
of_two_who_were_lost_one_after_the_other_the_first_does_not_come_back_by_himself(void **state)
{
    struct installation *p = *state;
    struct lost t = lost_talk(p);
    struct agent cora = place_agent(p, "cora");
    (void)taken(p, &cora);
    wait_while(p, 3 * GONE_MS, &t.ann, NULL, NULL);
    WELL(p, talk_notready(&p->c, &t.anna, "lunch"));
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
    wait_while(p, STEP_MS, &t.ann, NULL, &cora);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    assert_int_equal(staff_there(p), 1);
}

static void
comes_by_the_link(struct installation *p, const struct lost *t, const struct agent *sam)
{
    struct member_new who = {.conf = t->i.conf, .role = "supervisor", .is_leader = true, .name = "sam", .agent = sam->id};
    struct member member;
    WELL(p, talk_join(&p->c, &who, NULL, &member));
}

/* Sam looks in, and is lost together with Anna. */
static struct agent
lost_with_sam(struct installation *p, const struct lost *t)
{
    struct agent sam = place_agent(p, "sam");
    struct member ann = t->ann;
    comes_by_the_link(p, t, &sam);
    wait_while(p, 2 * GONE_MS + STEP_MS, &ann, NULL, NULL);
    assert_int_equal(staff_there(p), 0);
    return sam;
}

static void
of_two_who_were_lost_together_the_one_who_comes_by_the_link_leaves_the_other_his_way_back(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct agent sam = lost_with_sam(p, &t);
    comes_by_the_link(p, &t, &sam);
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
    assert_int_equal(staff_there(p), 2);
}

static void
so_does_the_one_who_accepts_once_more_when_he_is_back(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct member again;
    struct invitation i;
    int64_t reservation = place_number(p, "SELECT id FROM reservation WHERE state = 'accepted'");
    struct agent sam = lost_with_sam(p, &t);
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
    WELL(p, talk_accept(&p->c, &t.anna, reservation, &i, &again));
    assert_int_equal(staff_there(p), 1);
    wait_while(p, STEP_MS, &t.ann, NULL, &sam);
    assert_int_equal(staff_there(p), 2);
}

static void
so_does_the_one_who_is_back_and_is_lost_once_more(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    struct agent sam = lost_with_sam(p, &t);
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
    WELL(p, talk_notready(&p->c, &t.anna, "lunch"));
    wait_while(p, 3 * GONE_MS, &t.ann, NULL, NULL);
    WELL(p, talk_notready(&p->c, &sam, "lunch"));
    wait_while(p, STEP_MS, &t.ann, NULL, &sam);
    assert_int_equal(staff_there(p), 1);
    wait_while(p, STEP_MS, &t.ann, NULL, &t.anna);
    assert_int_equal(staff_there(p), 2);
}

static void
asks_every(struct installation *p, const struct member *customer, int64_t every_ms, int times)
{
    struct member member = *customer;
    for (int i = 0; i < times; i++) {
        place_later(p, every_ms);
        WELL(p, routing_tick(&p->c));
        WELL(p, talk_member_seen(&p->c, &member));
    }
}

static void
who_looks_once_a_minute_waits_again_after_three(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    asks_every(p, &t.ann, 60000, 2);
    assert_string_equal(room_state(p, t.i.conf), "talking");
    asks_every(p, &t.ann, 60000, 1);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
also_where_gone_s_is_little_more_than_what_a_poll_waits(void **state)
{
    struct installation *p = *state;
    p->settings.gone_s = 26;
    struct lost t = talk_of(p);
    asks_every(p, &t.ann, 26100, 3);
    assert_string_equal(room_state(p, t.i.conf), "waiting");
}

static void
a_talk_ends_also_where_what_was_heard_cannot_be_written(void **state)
{
    struct installation *p = *state;
    struct lost t = talk_of(p);
    place_sql_on(p, "live.db", "ALTER TABLE heard RENAME TO hidden");
    WELL(p, talk_leave(&p->c, &t.ann));
    assert_string_equal(room_state(p, t.i.conf), "ended");
}

static void
agents_who_come_back_wait_little_for_a_database_that_others_have(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_later(p, 2 * GONE_MS);
    WELL(p, routing_tick(&p->c));
    sqlite3 *other = place_connection(p, "rtcc.db");
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    int64_t began = clock_boot_ms();
    WELL(p, agent_find(&p->c, anna.id, &anna));
    for (int i = 0; i < 20; i++)
        REFUSED(p, talk_agent_seen(&p->c, &anna), ERR_UNAVAILABLE, NULL);
    CHECK(clock_boot_ms() - began < 2000, "%lld ms for twenty", (long long)(clock_boot_ms() - began));
    sqlite3_close(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(who_is_offered_a_customer_once_more_comes_in_place_of_whom_he_had_meanwhile),
        PLACED(so_does_who_had_left_by_himself),
        PLACED(so_does_a_leader_with_a_key_who_comes_back),
        PLACED(of_two_who_were_lost_one_after_the_other_the_first_does_not_come_back_by_himself),
        PLACED(of_two_who_were_lost_together_the_one_who_comes_by_the_link_leaves_the_other_his_way_back),
        PLACED(so_does_the_one_who_accepts_once_more_when_he_is_back),
        PLACED(so_does_the_one_who_is_back_and_is_lost_once_more),
        PLACED(who_looks_once_a_minute_waits_again_after_three),
        PLACED(also_where_gone_s_is_little_more_than_what_a_poll_waits),
        PLACED(a_talk_ends_also_where_what_was_heard_cannot_be_written),
        PLACED(agents_who_come_back_wait_little_for_a_database_that_others_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
