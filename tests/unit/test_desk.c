/* What an agent sees: himself, his offer, his conferences. */
#include "visit.h"

#include "model/routing.h"
#include "page/desk.h"

static const char *
offers(struct installation *p, const struct agent *agent)
{
    struct request *r = VISIT(p, "REQUEST_METHOD=GET");
    struct value *list = value_list(p->c.mem);
    ALLOWED(r, desk_offers(r, agent->id, list));
    return place_json(p, list);
}

static const char *
conferences(struct installation *p, const struct agent *agent)
{
    struct request *r = VISIT(p, "REQUEST_METHOD=GET");
    struct value *list = value_list(p->c.mem);
    ALLOWED(r, desk_conferences(r, agent->id, list));
    return place_json(p, list);
}

static void
an_agent_is_shown_as_he_is_with_null_for_what_is_not(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct value *out = value_object(p->c.mem), *again = value_object(p->c.mem);
    desk_agent(&anna, out);
    assert_string_equal(place_json(p, out),
        "{\"login\":\"anna\",\"name\":\"anna\",\"role\":\"agent\",\"state\":\"ready\",\"next\":null,"
        "\"reason\":null,\"capacity\":4,\"busy\":0,\"phone\":null}");
    WELL(p, talk_notready(&p->c, &anna, "lunch"));
    WELL(p, agent_set_phone(&p->c, anna.id, "+16035551234"));
    WELL(p, agent_find(&p->c, anna.id, &anna));
    desk_agent(&anna, again);
    assert_string_equal(place_json(p, again),
        "{\"login\":\"anna\",\"name\":\"anna\",\"role\":\"agent\",\"state\":\"notready\",\"next\":null,"
        "\"reason\":\"lunch\",\"capacity\":4,\"busy\":0,\"phone\":\"+16035551234\"}");
}

/* A customer about whom everything is known, and who was here before. */
static struct invitation
queue_ann(struct installation *p)
{
    struct invitation i;
    struct member ann;
    for (int n = 0; n < 2; n++) {
        struct member_new who = {.conf = place_conference(p).id, .role = "customer", .name = "Ann"};
        struct invitation_wish wish = {.account = "local",
            .conf = who.conf,
            .url = "http://host/cgi_bin/vcs_call?action=add&&vanity=1",
            .subject = "Where is it?",
            .topic = "Parcel",
            .skill = "",
            .name = "Ann",
            .phone = "+16035551234",
            .email = "a@b.example",
            .language = "de",
            .page = "http://shop/help"};
        WELL(p, talk_join(&p->c, &who, "Where is it?", &ann));
        WELL(p, talk_queue(&p->c, &wish, &i));
        if (n == 0)
            WELL(p, talk_end(&p->c, who.conf, 0));
    }
    return i;
}

static void
an_offer_has_the_customer_what_he_said_and_the_seconds_left(void **state)
{
    struct installation *p = *state;
    struct invitation i = queue_ann(p);
    place_later(p, 12000);
    struct agent anna = place_agent(p, "anna");
    struct reservation_of_agent held;
    WELL(p, routing_offer_of(&p->c, anna.id, &held));
    place_later(p, 4001);
    const char *got = offers(p, &anna);
    const char *begins = arena_printf(p->c.mem,
        "[{\"reservation\":%lld,\"conference\":\"%s\",\"customer\":{\"name\":\"Ann\",\"phone\":\"+16035551234\",\"email\":\"a@b.example\","
        "\"language\":\"de\",\"page\":\"http://shop/help\"},\"subject\":\"Where is it?\",\"topic\":\"Parcel\",\"skill\":\"\",\"waited_s\":16,"
        "\"gathered\":{},\"join_url\":\"http://host/cgi_bin/vcs_call?action=add&&vanity=1\",\"expires_at\":%lld,\"expires_s\":16,\"history\":[",
        (long long)held.id, conference_name(&p->c, i.conf), (long long)1700000012000 + 20000);
    CHECK(text_starts(got, begins), "%s", got);
    CHECK(strstr(got, "\"kind\":\"message\",\"text\":\"Where is it?\"}"), "%s", got);
    CHECK(strstr(got, "],\"contacts\":1}]"), "%s", got);
    place_later(p, 60000);
    CHECK(strstr(offers(p, &anna), "\"expires_s\":0"), "%s", offers(p, &anna));
}

/* The boot's clock begins anew: by it the lease of the boot before would last as long as that boot had. */
static void
an_offer_of_another_boot_has_no_seconds_left(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "Ann");
    CHECK(strstr(offers(p, &anna), "\"expires_s\":20,"), "%s", offers(p, &anna));
    place_sql(p, "UPDATE reservation SET boot = 'another'");
    p->c.boot_ms = 5000;
    CHECK(strstr(offers(p, &anna), "\"expires_s\":0,"), "%s", offers(p, &anna));
}

static void
without_an_offer_there_is_none(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    assert_string_equal(offers(p, &anna), "[]");
    assert_string_equal(conferences(p, &anna), "[]");
}

static void
a_customer_who_told_nothing_of_himself_is_shown_with_nulls(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "Bob");
    assert_non_null(strstr(offers(p, &anna),
        "\"customer\":{\"name\":\"Bob\",\"phone\":null,\"email\":null,\"language\":null,\"page\":null}"));
    assert_non_null(strstr(offers(p, &anna), "\"contacts\":0"));
}

static void
his_conferences_come_with_the_token_of_his_member(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = queue_ann(p);
    struct reservation_of_agent held;
    struct member mine;
    WELL(p, routing_offer_of(&p->c, anna.id, &held));
    place_later(p, 5000);
    WELL(p, talk_accept(&p->c, &anna, held.id, &i, &mine));
    place_later(p, 60000);
    const char *got = conferences(p, &anna);
    const char *ends = arena_printf(p->c.mem,
        "\"waited_s\":5,\"gathered\":{},\"member\":%lld,\"token\":\"%s\",\"role\":\"agent\",\"state\":\"talking\",\"joined_at\":%lld}]",
        (long long)mine.id, visit_token(p, &mine), (long long)p->c.now_ms - 60000);
    CHECK(text_starts(got,
              arena_printf(p->c.mem, "[{\"conference\":\"%s\",\"customer\":{\"name\":\"Ann\"", conference_name(&p->c, i.conf))),
        "%s", got);
    CHECK(strstr(got, ends), "%s", got);
    WELL(p, talk_end(&p->c, i.conf, mine.id));
    assert_string_equal(conferences(p, &anna), "[]");
}

static void
a_conference_that_was_never_queued_has_an_empty_customer(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct member mine;
    struct member_new who = {.conf = place_conference(p).id,
        .role = "agent",
        .is_leader = true,
        .name = "anna",
        .agent = anna.id};
    WELL(p, talk_join(&p->c, &who, NULL, &mine));
    const char *got = conferences(p, &anna);
    CHECK(strstr(got, "\"customer\":{\"name\":\"\",\"phone\":null,"), "%s", got);
    CHECK(strstr(got, "\"waited_s\":0"), "%s", got);
}

static void
a_clock_set_back_makes_no_wait_below_nothing(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    place_customer(p, "Ann");
    p->c.now_ms -= 7200000;
    CHECK(strstr(offers(p, &anna), "\"waited_s\":0"), "%s", offers(p, &anna));
}

static void
without_its_tables_the_desk_is_unavailable(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    struct invitation i = place_customer(p, "Ann");
    struct reservation_of_agent held;
    struct member mine;
    struct request *r = VISIT(p, "REQUEST_METHOD=GET");
    struct value *list = value_list(p->c.mem);
    WELL(p, routing_offer_of(&p->c, anna.id, &held));
    WELL(p, talk_accept(&p->c, &anna, held.id, &i, &mine));
    place_customer(p, "Bob");
    place_sql(p, "ALTER TABLE invitation RENAME TO hidden");
    assert_int_equal(desk_offers(r, anna.id, list), ERR_UNAVAILABLE);
    assert_int_equal(desk_conferences(r, anna.id, list), ERR_UNAVAILABLE);
    place_sql(p, "ALTER TABLE hidden RENAME TO invitation");
    place_sql(p, "ALTER TABLE event RENAME TO hidden");
    assert_int_equal(desk_offers(r, anna.id, list), ERR_UNAVAILABLE);
    place_sql(p, "ALTER TABLE member RENAME TO hidden_member");
    assert_int_equal(desk_conferences(r, anna.id, list), ERR_UNAVAILABLE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(an_agent_is_shown_as_he_is_with_null_for_what_is_not),
        PLACED(an_offer_has_the_customer_what_he_said_and_the_seconds_left),
        PLACED(an_offer_of_another_boot_has_no_seconds_left),
        PLACED(without_an_offer_there_is_none),
        PLACED(a_customer_who_told_nothing_of_himself_is_shown_with_nulls),
        PLACED(his_conferences_come_with_the_token_of_his_member),
        PLACED(a_conference_that_was_never_queued_has_an_empty_customer),
        PLACED(a_clock_set_back_makes_no_wait_below_nothing),
        PLACED(without_its_tables_the_desk_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
