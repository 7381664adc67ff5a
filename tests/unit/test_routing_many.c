/* Routing among many: it offers what the plain way would, which asks everybody about the whole queue, and takes no more steps where
 * more wait whom nobody can serve, or more are free who can serve nobody. */
#include "routed.h"

static sqlite3 *db; /* the test's own connection; its temporary tables are its own as well */

static void
sql(const char *text)
{
    CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", text, sqlite3_errmsg(db));
}

static int
many_setup(void **state)
{
    if (place_setup(state) != 0)
        return -1;
    struct installation *p = *state;
    db = place_connection(p, "rtcc.db");
    return 0;
}

static int
many_teardown(void **state)
{
    sqlite3_close(db);
    return place_teardown(state);
}

#define MANY(function) cmocka_unit_test_setup_teardown(function, many_setup, many_teardown)

static void
run(struct installation *p)
{
    WELL(p, db_begin(p->c.db));
    WELL(p, db_end(p->c.db, routing_run(&p->c)));
}

/* ── the plain way ── */

static unsigned drawn = 20261202; /* the seed */

static int
draw(int below)
{
    drawn = drawn * 1664525U + 1013904223U;
    return (int)((drawn >> 8) % (unsigned)below);
}

static const char *const skills[] = {"", "", "a", "b", "c", "d", "strange"};
enum { AGENTS = 24, WAITING = 14 };

static void
draw_agents(struct installation *p)
{
    int rarity = 2 + draw(12);
    for (int id = 1; id <= AGENTS; id++) {
        sql(arena_printf(p->c.mem,
            "INSERT INTO agent (site, id, login, name, role, password, state, capacity, is_present, is_disabled, idle_since,"
            " created_at) VALUES (1, %d, 'agent%d', '', 'agent', '*', '%s', %d, %d, %d, %d, 0)",
            id, id, draw(8) ? "ready" : "notready", draw(9) > 0, draw(9) > 0, draw(9) == 0, draw(5)));
        for (size_t n = 2; n < COUNT(skills) - 1; n++)
            if (draw(rarity) == 0)
                sql(arena_printf(p->c.mem, "INSERT INTO agent_skill (site, agent, skill) VALUES (1, %d, '%s')", id, skills[n]));
    }
    sql("INSERT INTO agent_skill (site, agent, skill) VALUES (1, 1, 'of no use'), (1, 2, '')");
}

/* In some rounds nobody waits who needs no skill. */
static void
draw_queue(struct installation *p)
{
    static const char *const states[] = {"queued", "queued", "queued", "offered", "offered", "accepted", "abandoned"};
    size_t least = (size_t)draw(2) * 2;
    for (int id = 1 + draw(WAITING); id <= WAITING; id++)
        sql(arena_printf(p->c.mem,
            "INSERT INTO invitation (site, id, conf, url, account, digest, skill, priority, state, queued_at)"
            " VALUES (1, %d, %d, '', 'local', '', '%s', %d, '%s', %d)",
            id, id, skills[least + (size_t)draw((int)(COUNT(skills) - least))], 1 + draw(3), states[draw(COUNT(states))],
            draw(6)));
}

/* Offers that are open, and of late, of long ago, and of another boot. */
static void
draw_offers(struct installation *p)
{
    static const char *const states[] = {"pending", "rejected", "rejected", "timeout", "accepted", "cancelled"};
    for (int n = draw(4) * 12; n > 0; n--)
        sql(arena_printf(p->c.mem,
            "INSERT OR IGNORE INTO reservation (site, id, invitation, agent, epoch, state, offered_at, expires_at, boot, boot_ms)"
            " VALUES (1, %d, %d, %d, 1, '%s', 0, 0, '%s', %lld)",
            -n, 1 + draw(WAITING), 1 + draw(AGENTS), states[draw(COUNT(states))], draw(5) ? clock_boot_id() : "another",
            (long long)p->c.boot_ms - REFUSED_MS + 5 - draw(8)));
    for (int id = 1; id <= WAITING; id++)
        sql(arena_printf(p->c.mem,
            "INSERT OR IGNORE INTO reservation (site, id, invitation, agent, epoch, state, offered_at, expires_at, boot, boot_ms)"
            " SELECT 1, %d, id, %d, 1, 'pending', 0, 0, '', 0 FROM invitation WHERE id = %d AND state = 'offered'",
            -100 - id, 1 + draw(AGENTS), id));
    sql("UPDATE reservation SET state = 'revoked' WHERE state = 'pending'"
        " AND invitation NOT IN (SELECT id FROM invitation WHERE state = 'offered')");
}

/* One after the other, longest idle first, is given the first of the whole queue that he may have. */
static const char plainly[] =
    "INSERT INTO chosen SELECT i.id, $agent FROM invitation i WHERE i.site = 1 AND i.state = 'queued'"
    " AND i.id NOT IN (SELECT invitation FROM chosen)"
    " AND (i.skill = '' OR EXISTS (SELECT 1 FROM agent_skill s WHERE s.agent = $agent AND s.skill = i.skill))"
    " AND NOT EXISTS (SELECT 1 FROM reservation r WHERE r.invitation = i.id AND r.agent = $agent AND r.state NOT IN ('pending', 'cancelled')"
    "     AND r.boot = $boot AND r.boot_ms > $refused_ms)"
    " ORDER BY i.priority, i.queued_at, i.id LIMIT 1";
static const char free_plainly[] =
    "SELECT id FROM agent a WHERE state = 'ready' AND is_present AND NOT is_disabled AND capacity > 0"
    " AND NOT EXISTS (SELECT 1 FROM reservation r WHERE r.agent = a.id AND r.state = 'pending') ORDER BY idle_since, id";

static void
choose_plainly(struct installation *p)
{
    sqlite3_stmt *each, *choose;
    sql("CREATE TEMP TABLE IF NOT EXISTS chosen (invitation, agent); DELETE FROM chosen");
    assert_int_equal(sqlite3_prepare_v2(db, free_plainly, -1, &each, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, plainly, -1, &choose, NULL), SQLITE_OK);
    sqlite3_bind_text(choose, sqlite3_bind_parameter_index(choose, "$boot"), clock_boot_id(), -1, SQLITE_STATIC);
    sqlite3_bind_int64(choose, sqlite3_bind_parameter_index(choose, "$refused_ms"), p->c.boot_ms - REFUSED_MS);
    while (sqlite3_step(each) == SQLITE_ROW) {
        sqlite3_bind_int64(choose, sqlite3_bind_parameter_index(choose, "$agent"), sqlite3_column_int64(each, 0));
        assert_int_equal(sqlite3_step(choose), SQLITE_DONE);
        sqlite3_reset(choose);
    }
    sqlite3_finalize(each);
    sqlite3_finalize(choose);
}

static const char *
pairs(struct installation *p, const char *from)
{
    sqlite3_stmt *s;
    const char *text = arena_printf(p->c.mem,
        "SELECT coalesce(group_concat(agent || ' has ' || invitation, ', '), '')"
        " FROM (SELECT agent, invitation FROM %s ORDER BY agent)",
        from);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    text = arena_strdup(p->c.mem, (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    return text;
}

static void
what_is_offered_is_what_asking_everybody_about_the_whole_queue_would_offer(void **state)
{
    enum { ROUNDS = 300 };
    struct installation *p = *state;
    int with_offers = 0;
    for (int round = 0; round < ROUNDS; round++) {
        sql("BEGIN IMMEDIATE; DELETE FROM reservation; DELETE FROM invitation; DELETE FROM agent_skill; DELETE FROM agent");
        draw_agents(p);
        draw_queue(p);
        draw_offers(p);
        sql("COMMIT");
        choose_plainly(p);
        const char *want = pairs(p, "chosen");
        run(p);
        const char *got = pairs(p, "reservation WHERE state = 'pending' AND id > 0");
        CHECK(unit_same(got, want), "round %d: %s; plainly: %s", round, got, want);
        with_offers += *got != '\0';
    }
    CHECK(with_offers > ROUNDS / 2, "only %d of %d rounds offered anything", with_offers, ROUNDS);
}

/* ── steps ── */

/* Of sqlite's machine, for all statements since they were counted last. */
static int
steps(struct installation *p)
{
    int sum = 0;
    WELL(p, db_begin(p->c.db));
    for (int n = 0; n < sql_count; n++) {
        sqlite3_stmt *s;
        WELL(p, db_statement(p->c.db, n, &s));
        sum += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
    }
    WELL(p, db_end(p->c.db, OK));
    return sum;
}

static int
steps_of_run(struct installation *p)
{
    steps(p);
    run(p);
    return steps(p);
}

static int
steps_of_tick(struct installation *p)
{
    steps(p);
    routed_tick(p);
    return steps(p);
}

/* Skills that end in % are other ones for each. */
static void
more_wait(struct installation *p, int count, const char *skill, int priority)
{
    sql(arena_printf(p->c.mem,
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %d)"
        " INSERT INTO invitation (site, conf, url, account, digest, skill, priority, state, queued_at)"
        " SELECT 1, 1, '', 'local', '', replace('%s', '%%', n), %d, 'queued', n FROM n",
        count, skill, priority));
}

/* With this skill, and present by their polls, too. */
static void
more_are_free(struct installation *p, int count, const char *skill)
{
    static int last = 1000;
    const char *numbers = arena_printf(p->c.mem, "WITH RECURSIVE n (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM n WHERE n < %d)",
        last + 1, last + count);
    last += count;
    sql(arena_printf(p->c.mem,
        "%s INSERT INTO agent (site, id, login, name, role, password, state, capacity, is_present, idle_since, created_at)"
        " SELECT 1, n, 'agent' || n, '', 'agent', '*', 'ready', 1, 1, n, 0 FROM n",
        numbers));
    sql(arena_printf(p->c.mem, "%s INSERT INTO agent_skill (site, agent, skill) SELECT 1, n, '%s' FROM n", numbers, skill));
    place_sql_on(p, "live.db",
        arena_printf(p->c.mem, "%s INSERT INTO presence (site, agent, boot, boot_ms) SELECT 1, n, '%s', %lld FROM n", numbers,
            clock_boot_id(), (long long)p->c.boot_ms));
}

static int64_t
offers(struct installation *p)
{
    return place_number(p, "SELECT count(*) FROM reservation");
}

static void
who_waits_for_a_skill_that_nobody_free_has_costs_the_others_nothing(void **state)
{
    struct installation *p = *state;
    more_are_free(p, 20, "french");
    more_wait(p, 10, "billing", 5);
    more_wait(p, 10, "strange%", 4);
    int few = steps_of_run(p), few_by_tick = steps_of_tick(p);
    more_wait(p, 2000, "billing", 5);
    more_wait(p, 500, "strange%", 4);
    int many = steps_of_run(p), many_by_tick = steps_of_tick(p);
    CHECK(many <= few, "a run: %d steps where 20 wait, %d where 2,520 do", few, many);
    CHECK(many_by_tick <= few_by_tick, "a tick: %d steps where 20 wait, %d where 2,520 do", few_by_tick, many_by_tick);
    more_are_free(p, 300, "french");
    many = steps_of_run(p);
    CHECK(many <= few, "a run: %d steps where 20 are free, %d where 320 are", few, many);
    assert_int_equal(place_number(p, "SELECT count(*) FROM agent WHERE is_present = 1"), 320);
    assert_int_equal(offers(p), 0);
}

/* The steps of an offer to the one who can do something, among those who cannot, with so many who wait before and behind. */
static int
steps_of_offer(struct installation *p, const struct agent *able, int count)
{
    more_wait(p, count, "billing", 4);
    more_wait(p, count, "german", 5);
    int64_t before = offers(p);
    int taken = steps_of_run(p);
    assert_int_equal(offers(p), before + 1);
    assert_int_equal(place_number(p, "SELECT max(id) FROM reservation WHERE state = 'pending'"), routed_offer_id(p, able));
    return taken;
}

static void
an_offer_is_found_in_as_many_steps_among_thousands(void **state)
{
    struct installation *p = *state;
    struct agent able = place_agent(p, "able");
    WELL(p, agent_set_skill(&p->c, "able", "german", 5));
    more_are_free(p, 60, "french");
    int few = steps_of_offer(p, &able, 10);
    sql("DELETE FROM reservation; UPDATE invitation SET state = 'queued'");
    int many = steps_of_offer(p, &able, 1000);
    CHECK(many <= few, "an offer: %d steps where 20 wait, %d where 2,020 do", few, many);
}

static void
who_let_some_go_passes_over_these_and_over_no_others(void **state)
{
    struct installation *p = *state;
    struct agent anna = place_agent(p, "anna");
    more_wait(p, 5, "", 5);
    for (int n = 0; n < 5; n++) {
        run(p);
        WELL(p, talk_decline(&p->c, &anna, routed_offer_id(p, &anna)));
    }
    more_wait(p, 5, "billing", 1);
    int few = steps_of_run(p);
    assert_null(routed_offered(p, &anna));
    more_wait(p, 1000, "billing", 1);
    int many = steps_of_run(p);
    CHECK(many <= few, "%d steps where 10 wait, %d where 1,010 do", few, many);
    more_wait(p, 1000, "", 9);
    run(p);
    assert_int_equal(place_number(p, "SELECT i.priority FROM invitation i, reservation r ON r.invitation = i.id"
                                     " WHERE r.state = 'pending'"),
        9);
}

static void
whom_many_let_go_the_one_behind_them_is_offered(void **state)
{
    enum { WHO_LET_GO = 20 };
    struct installation *p = *state;
    for (int n = 0; n < WHO_LET_GO; n++)
        place_agent(p, arena_printf(p->c.mem, "agent%d", n));
    place_later(p, 1);
    struct agent last = place_agent(p, "last");
    more_wait(p, 1, "", 5);
    more_wait(p, 1, "billing", 1);
    run(p);
    for (int n = 0; n < WHO_LET_GO; n++) {
        struct agent one = {.id = place_number(p, "SELECT agent FROM reservation WHERE state = 'pending'")};
        WELL(p, talk_decline(&p->c, &one, routed_offer_id(p, &one)));
    }
    assert_int_equal(offers(p), WHO_LET_GO + 1);
    assert_non_null(routed_offered(p, &last));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MANY(what_is_offered_is_what_asking_everybody_about_the_whole_queue_would_offer),
        MANY(who_waits_for_a_skill_that_nobody_free_has_costs_the_others_nothing),
        MANY(an_offer_is_found_in_as_many_steps_among_thousands),
        MANY(who_let_some_go_passes_over_these_and_over_no_others),
        MANY(whom_many_let_go_the_one_behind_them_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
