/* The site: its counters, and what is derived from its key. The key is read once for each process: the first two tests come
 * first. */
#include "place.h"

static void
a_place_without_a_site_says_who_must_do_what(void **state)
{
    struct installation *p = *state;
    const char *token = "as it was";
    int64_t member = 77;
    place_sql(p, "DELETE FROM site");
    REFUSED(p, site_token(&p->c, 1, 2, &token), ERR_UNAVAILABLE, NULL);
    assert_non_null(strstr(p->c.fault.reason, "'rtcc init'"));
    REFUSED(p, site_token_member(&p->c, 1, "m_2_x", &member), ERR_UNAVAILABLE, NULL);
    REFUSED(p, site_csrf(&p->c, 1, &token), ERR_UNAVAILABLE, NULL);
    assert_string_equal(token, "as it was");
    assert_int_equal(member, 77);
    int64_t id;
    assert_int_equal(site_next_id(&p->c, &id), ERR_NOT_FOUND);
    assert_int_equal(site_last_event(&p->c, &id), ERR_NOT_FOUND);
    assert_int_equal(site_last_queue(&p->c, &id), ERR_NOT_FOUND);
}

static void
write_token(struct installation *p, int number)
{
    const char *token;
    (void)number;
    place_enter(p);
    MUST(site_token(&p->c, 5, 3, &token) == OK);
    MUST(place_topic(p->c.db, token, 5) == OK);
}

static void
another_key_makes_other_tokens_and_another_process_the_same(void **state)
{
    struct installation *p = *state;
    place_together(p, 2, write_token);
    assert_int_equal(place_topics(p), 1);
    place_sql(p, "UPDATE site SET hmac_key = 'another key'");
    place_together(p, 1, write_token);
    assert_int_equal(place_topics(p), 2);
}

static void
a_site_is_made_once_and_keeps_its_key(void **state)
{
    struct installation *p = *state;
    const char *key = place_text(p, "SELECT hmac_key FROM site");
    assert_int_equal(strlen(key), 43);
    place_later(p, 1000);
    assert_int_equal(site_make(&p->c), OK);
    assert_int_equal(place_number(p, "SELECT count(*) FROM site"), 1);
    assert_string_equal(place_text(p, "SELECT hmac_key FROM site"), key);
}

static void
take_ids(struct installation *p, int number)
{
    int64_t last = 0, id;
    (void)number;
    place_enter(p);
    for (int i = 0; i < 100; i++) {
        MUST(db_begin(p->c.db) == OK && site_next_id(&p->c, &id) == OK && id > last);
        MUST(place_topic(p->c.db, arena_printf(p->c.mem, "%lld", (long long)id), 5) == OK);
        MUST(db_commit(p->c.db) == OK);
        last = id;
    }
    db_close(p->c.db);
}

static void
no_two_of_four_processes_get_the_same_id(void **state)
{
    struct installation *p = *state;
    int64_t id;
    place_together(p, 4, take_ids);
    assert_int_equal(place_topics(p), 400);
    assert_int_equal(site_next_id(&p->c, &id), OK);
    assert_int_equal(id, 401);
}

static void
a_token_opens_its_own_conference_as_its_own_member(void **state)
{
    struct installation *p = *state;
    const char *token, *again;
    int64_t member = 0;
    WELL(p, site_token(&p->c, 148474396310564, 9007199254740991, &token));
    WELL(p, site_token(&p->c, 148474396310564, 9007199254740991, &again));
    assert_string_equal(token, again);
    assert_true(text_starts(token, "m_9007199254740991_"));
    assert_int_equal(strlen(token), strlen("m_9007199254740991_") + 32);
    assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(token));
    WELL(p, site_token_member(&p->c, 148474396310564, token, &member));
    assert_int_equal(member, 9007199254740991);
}

static void
a_token_that_is_not_exactly_right_is_nobodys(void **state)
{
    struct installation *p = *state;
    const char *token;
    int64_t member = 77;
    WELL(p, site_token(&p->c, 5, 3, &token));
    const char *mac = token + strlen("m_3_");
    const char *const wrong[] = {"", "m_", "m_3", "m_3_", mac, arena_printf(p->c.mem, "m_4_%s", mac),
        arena_printf(p->c.mem, "m_+3_%s", mac), arena_printf(p->c.mem, "m_03_%s", mac), arena_printf(p->c.mem, "m_ 3_%s", mac),
        arena_printf(p->c.mem, "M_3_%s", mac), arena_printf(p->c.mem, "a_3_%s", mac), arena_printf(p->c.mem, "%s ", token),
        arena_printf(p->c.mem, "%s%s", token, mac), arena_strndup(p->c.mem, token, strlen(token) - 1),
        "m_99999999999999999999999_x", "m_-1_x"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(site_token_member(&p->c, 5, wrong[i], &member) == ERR_UNAUTHORIZED, "taken: %s", wrong[i]);
    for (size_t i = 0; token[i]; i++) {
        char *changed = arena_strdup(p->c.mem, token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK(site_token_member(&p->c, 5, changed, &member) == ERR_UNAUTHORIZED, "taken: %s", changed);
    }
    assert_int_equal(site_token_member(&p->c, 6, token, &member), ERR_UNAUTHORIZED);
    assert_int_equal(member, 77);
}

static void
a_ticket_is_for_one_member_of_one_conference_at_one_time(void **state)
{
    struct installation *p = *state;
    const char *ticket, *other;
    WELL(p, site_ticket(&p->c, 5, 3, 1000, &ticket));
    WELL(p, site_ticket(&p->c, 5, 3, 1000, &other));
    assert_string_equal(ticket, other);
    static const int64_t others[][3] = {{6, 3, 1000}, {5, 4, 1000}, {5, 3, 1001}, {53, 1000, 0}};
    for (size_t i = 0; i < COUNT(others); i++) {
        WELL(p, site_ticket(&p->c, others[i][0], others[i][1], others[i][2], &other));
        CHECK(!text_same(ticket, other), "row %zu has the same ticket", i);
    }
}

static void
a_csrf_value_is_for_one_cookie_and_no_token(void **state)
{
    struct installation *p = *state;
    const char *csrf, *other, *token;
    WELL(p, site_csrf(&p->c, 3, &csrf));
    WELL(p, site_csrf(&p->c, 3, &other));
    assert_string_equal(csrf, other);
    WELL(p, site_csrf(&p->c, 4, &other));
    assert_string_not_equal(csrf, other);
    WELL(p, site_mac(&p->c, "again", "3", &other));
    assert_string_not_equal(csrf, other);
    WELL(p, site_token(&p->c, 3, 3, &token));
    assert_null(strstr(token, csrf));
}

static int64_t
next_event(struct installation *p, bool is_queue)
{
    struct site_next_event next;
    WELL(p, sql_site_next_event(p->c.db, p->c.mem, &(struct sql_site_next_event_in){.is_queue = is_queue}, &next));
    return next.id;
}

static void
the_last_event_is_the_last_that_was_kept(void **state)
{
    struct installation *p = *state;
    int64_t first, last = 77;
    WELL(p, site_last_event(&p->c, &first));
    assert_int_equal(db_begin(p->c.db), OK);
    assert_int_equal(next_event(p, true), first + 1);
    db_rollback(p->c.db);
    WELL(p, site_last_event(&p->c, &last));
    assert_int_equal(last, first);
    assert_int_equal(next_event(p, false), first + 1);
    WELL(p, site_last_event(&p->c, &last));
    assert_int_equal(last, first + 1);
}

static void
the_last_change_of_the_queue_is_known_by_itself(void **state)
{
    struct installation *p = *state;
    int64_t last = 77;
    WELL(p, site_last_queue(&p->c, &last));
    assert_int_equal(last, 0);
    int64_t id = next_event(p, true);
    next_event(p, false);
    WELL(p, site_last_queue(&p->c, &last));
    assert_int_equal(last, id);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_place_without_a_site_says_who_must_do_what),
        PLACED(another_key_makes_other_tokens_and_another_process_the_same),
        PLACED(a_site_is_made_once_and_keeps_its_key),
        PLACED(no_two_of_four_processes_get_the_same_id),
        PLACED(a_token_opens_its_own_conference_as_its_own_member),
        PLACED(a_token_that_is_not_exactly_right_is_nobodys),
        PLACED(a_ticket_is_for_one_member_of_one_conference_at_one_time),
        PLACED(a_csrf_value_is_for_one_cookie_and_no_token),
        PLACED(the_last_event_is_the_last_that_was_kept),
        PLACED(the_last_change_of_the_queue_is_known_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
