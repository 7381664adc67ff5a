/* Members: joining, being the same one again, leaving, coming back. */
#include "place.h"

#include "model/event.h"

static struct member_new
newcomer(int64_t conf, const char *reqid)
{
    return (struct member_new){.conf = conf, .role = "customer", .name = "Ann", .reqid = reqid};
}

static const char *
log_of(struct installation *p)
{
    return place_text(p,
        "SELECT coalesce(group_concat(kind || member, ' '), '') FROM (SELECT kind, member FROM event ORDER BY id)");
}

static void
who_joins_is_a_member_with_a_joined_event(void **state)
{
    struct installation *p = *state;
    struct member ann, found;
    struct member_new who = newcomer(place_conference(p).id, NULL);
    WELL(p, member_join(&p->c, &who, &ann));
    assert_string_equal(ann.role, "customer");
    assert_string_equal(ann.name, "Ann");
    assert_int_equal(ann.conf, who.conf);
    assert_int_equal(ann.joined_at, p->c.now_ms);
    assert_int_equal(ann.is_leader + ann.left_at + ann.agent, 0);
    assert_string_equal(log_of(p), arena_printf(p->c.mem, "joined%lld", (long long)ann.id));
    WELL(p, member_find(&p->c, ann.id, &found));
    assert_int_equal(found.id, ann.id);
    assert_int_equal(member_find(&p->c, ann.id + 1000, &found), ERR_NOT_FOUND);
}

static void
the_same_request_again_is_the_same_member_and_none_is_always_another(void **state)
{
    struct installation *p = *state;
    struct member first, again, other;
    struct member_new who = newcomer(place_conference(p).id, "r1");
    WELL(p, member_join(&p->c, &who, &first));
    WELL(p, member_join(&p->c, &who, &again));
    assert_int_equal(again.id, first.id);
    assert_string_equal(log_of(p), arena_printf(p->c.mem, "joined%lld", (long long)first.id));
    who.conf = place_conference(p).id;
    WELL(p, member_join(&p->c, &who, &other));
    assert_int_not_equal(other.id, first.id);
    who.reqid = NULL;
    WELL(p, member_join(&p->c, &who, &first));
    WELL(p, member_join(&p->c, &who, &again));
    assert_int_not_equal(again.id, first.id);
    assert_int_equal(place_number(p, "SELECT count(*) FROM member"), 4);
}

static void
a_request_id_is_the_accounts_own(void **state)
{
    struct installation *p = *state;
    struct member mine, others, again;
    struct member_new who = newcomer(place_conference(p).id, "r1");
    who.account = "key:abc";
    WELL(p, member_join(&p->c, &who, &mine));
    who.account = NULL;
    WELL(p, member_join(&p->c, &who, &others));
    assert_int_not_equal(others.id, mine.id);
    WELL(p, member_join(&p->c, &who, &again));
    assert_int_equal(again.id, others.id);
    who.account = "key:abc";
    WELL(p, member_join(&p->c, &who, &again));
    assert_int_equal(again.id, mine.id);
}

static void
the_case_is_the_first_customers(void **state)
{
    struct installation *p = *state;
    bool is_his = false;
    int64_t conf = place_conference(p).id;
    struct member_new who = {.conf = conf, .role = "agent", .is_leader = true, .name = "anna"};
    struct member agent;
    WELL(p, member_join(&p->c, &who, &agent));
    WELL(p, member_is_first_customer(&p->c, &agent, &is_his));
    assert_false(is_his);
    struct member ann = place_member(p, conf, "Ann"), bob = place_member(p, conf, "Bob");
    WELL(p, member_is_first_customer(&p->c, &ann, &is_his));
    assert_true(is_his);
    WELL(p, member_is_first_customer(&p->c, &bob, &is_his));
    assert_false(is_his);
    WELL(p, member_is_first_customer(&p->c, &agent, &is_his));
    assert_false(is_his);
}

static void
an_agent_is_one_member_however_often_he_comes(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member first, again, found;
    struct member_new who = {.conf = place_conference(p).id,
        .role = "agent",
        .is_leader = true,
        .name = "anna",
        .agent = anna.id};
    assert_int_equal(member_of_agent(&p->c, who.conf, anna.id, &found), ERR_NOT_FOUND);
    WELL(p, member_join(&p->c, &who, &first));
    who.reqid = "another request";
    WELL(p, member_join(&p->c, &who, &again));
    assert_int_equal(again.id, first.id);
    assert_true(again.is_leader);
    WELL(p, member_of_agent(&p->c, who.conf, anna.id, &found));
    assert_int_equal(found.id, first.id);
    assert_int_equal(member_of_agent(&p->c, who.conf, 0, &found), ERR_NOT_FOUND);
}

static void
who_leaves_has_left_once_and_comes_back_as_the_same_one(void **state)
{
    struct installation *p = *state;
    struct member ann;
    struct member_new who = newcomer(place_conference(p).id, "r1");
    WELL(p, member_join(&p->c, &who, &ann));
    int64_t id = ann.id;
    place_later(p, 5000);
    WELL(p, member_leave(&p->c, &ann));
    WELL(p, member_leave(&p->c, &ann));
    WELL(p, member_find(&p->c, id, &ann));
    assert_int_equal(ann.left_at, p->c.now_ms);
    WELL(p, member_join(&p->c, &who, &ann));
    assert_int_equal(ann.id, id);
    assert_int_equal(ann.left_at, 0);
    assert_string_equal(log_of(p),
        arena_printf(p->c.mem, "joined%lld left%lld joined%lld", (long long)id, (long long)id, (long long)id));
    WELL(p, member_find(&p->c, id, &ann));
    assert_int_equal(ann.left_at, 0);
}

static void
join_with_the_same_request(struct installation *p, int number)
{
    struct member member;
    struct member_new who = newcomer(place_number(p, "SELECT id FROM conference"), "r1");
    (void)number;
    place_enter(p);
    MUST(member_join(&p->c, &who, &member) == OK);
    db_close(p->c.db);
}

static void
eight_processes_with_the_same_request_make_one_member(void **state)
{
    struct installation *p = *state;
    place_conference(p);
    place_together(p, 8, join_with_the_same_request);
    assert_int_equal(place_number(p, "SELECT count(*) FROM member"), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'joined'"), 1);
}

static void
lists_have_everybody_who_was_there_and_the_agents_who_are(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna"), bert = place_agent(p, "bert");
    struct member ann = place_member(p, place_conference(p).id, "Ann"), a, b, *all;
    struct member_new who = {.conf = ann.conf, .role = "agent", .is_leader = true, .name = "anna", .agent = anna.id};
    struct member_agents *agents;
    struct member_conferences *rooms;
    size_t count;
    WELL(p, member_join(&p->c, &who, &a));
    who.agent = bert.id;
    WELL(p, member_join(&p->c, &who, &b));
    WELL(p, member_leave(&p->c, &a));
    WELL(p, member_list(&p->c, ann.conf, &all, &count));
    assert_int_equal(count, 3);
    assert_int_equal(all[0].id, ann.id);
    assert_int_equal(all[1].id, a.id);
    assert_int_equal(all[1].left_at, p->c.now_ms);
    WELL(p, member_agents(&p->c, ann.conf, &agents, &count));
    assert_int_equal(count, 1);
    assert_int_equal(agents[0].agent, bert.id);
    WELL(p, member_conferences(&p->c, bert.id, &rooms, &count));
    assert_int_equal(count, 1);
    assert_int_equal(rooms[0].id, b.id);
    assert_int_equal(rooms[0].conf, ann.conf);
    WELL(p, member_conferences(&p->c, anna.id, &rooms, &count));
    assert_int_equal(count, 0);
}

static void
leaders_agents_and_supervisors_are_staff(void **state)
{
    static const struct {
        struct member member;
        bool is_staff;
    } rows[] = {{{.role = "agent"}, true}, {{.role = "supervisor"}, true}, {{.role = "customer", .is_leader = 1}, true},
        {{.role = "customer"}, false}, {{.role = "bot"}, false}, {{.role = "phone"}, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(member_is_staff(&rows[i].member) == rows[i].is_staff, "row %zu", i);
}

static void
without_its_tables_joining_leaves_nothing_behind(void **state)
{
    struct installation *p = *state;
    struct member ann, *all;
    size_t count;
    struct member_new who = newcomer(place_conference(p).id, NULL);
    WELL(p, member_join(&p->c, &who, &ann));
    place_sql(p, "ALTER TABLE event RENAME TO hidden");
    REFUSED(p, member_join(&p->c, &who, &ann), ERR_UNAVAILABLE, NULL);
    assert_int_equal(place_number(p, "SELECT count(*) FROM member"), 1);
    place_sql(p, "ALTER TABLE site RENAME TO hidden_site");
    REFUSED(p, member_join(&p->c, &who, &ann), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE member RENAME TO hidden_member");
    REFUSED(p, member_list(&p->c, who.conf, &all, &count), ERR_UNAVAILABLE, NULL);
    REFUSED(p, member_leave(&p->c, &ann), ERR_UNAVAILABLE, NULL);
    who.reqid = "r";
    REFUSED(p, member_join(&p->c, &who, &ann), ERR_UNAVAILABLE, NULL);
    who.agent = 5;
    REFUSED(p, member_join(&p->c, &who, &ann), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(who_joins_is_a_member_with_a_joined_event),
        PLACED(the_same_request_again_is_the_same_member_and_none_is_always_another),
        PLACED(a_request_id_is_the_accounts_own),
        PLACED(the_case_is_the_first_customers),
        PLACED(an_agent_is_one_member_however_often_he_comes),
        PLACED(who_leaves_has_left_once_and_comes_back_as_the_same_one),
        PLACED(eight_processes_with_the_same_request_make_one_member),
        PLACED(lists_have_everybody_who_was_there_and_the_agents_who_are),
        PLACED(leaders_agents_and_supervisors_are_staff),
        PLACED(without_its_tables_joining_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
