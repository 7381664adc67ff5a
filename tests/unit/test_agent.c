/* Agents: who may be one, their states, when they are here. */
#include "place.h"

#include "io/secret.h"
#include "model/event.h"
#include "model/session.h"

static enum err
add(struct installation *p, const char *login, const char *role, const char *password)
{
    return agent_add(&p->c, login, "Anna Berg", role, password);
}

static void
a_new_agent_is_found_by_login_and_is_not_ready(void **state)
{
    struct installation *p = *state;
    struct agent agent, again;
    p->settings.capacity = 3;
    WELL(p, add(p, "anna.b@x-y_Z9", "supervisor", "long enough"));
    WELL(p, agent_by_login(&p->c, "anna.b@x-y_Z9", &agent));
    assert_string_equal(agent.name, "Anna Berg");
    assert_string_equal(agent.role, "supervisor");
    assert_string_equal(agent.state, "notready");
    assert_int_equal(agent.capacity, 3);
    assert_int_equal(agent.busy + agent.is_present + agent.is_disabled, 0);
    assert_true(text_starts(agent.password, "$y$"));
    assert_null(strstr(agent.password, "long enough"));
    assert_false(agent_is_ready(&agent));
    assert_true(agent_is_supervisor(&agent));
    WELL(p, agent_find(&p->c, agent.id, &again));
    assert_string_equal(again.login, agent.login);
    REFUSED(p, agent_find(&p->c, agent.id + 100, &again), ERR_NOT_FOUND, NULL);
    REFUSED(p, agent_by_login(&p->c, "Anna.b@x-y_Z9", &again), ERR_NOT_FOUND, NULL);
}

static void
all_of_a_list_are_added_or_nobody(void **state)
{
    struct installation *p = *state;
    struct newcomer list[] = {{"anna", "Anna Berg", "agent", "long enough"}, {"ben", "Ben", "supervisor", "long enough too"},
        {"carla", "Carla", "admin", "long enough as well"}};
    struct agent agent;
    size_t wrong = 99;
    list[2].role = "king";
    REFUSED(p, agent_add_all(&p->c, list, COUNT(list), &wrong), ERR_BAD_PARAMETER, "role");
    assert_int_equal(wrong, 2);
    list[2].role = "admin";
    list[1].login = "anna";
    REFUSED(p, agent_add_all(&p->c, list, COUNT(list), &wrong), ERR_CONFLICT, "login");
    assert_int_equal(wrong, 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM agent"), 0);
    list[1].login = "ben";
    WELL(p, agent_add_all(&p->c, list, COUNT(list), &wrong));
    WELL(p, agent_by_login(&p->c, "ben", &agent));
    assert_string_equal(agent.role, "supervisor");
    assert_true(secret_password_is("long enough too", agent.password));
    WELL(p, agent_add_all(&p->c, list, 0, &wrong));
    assert_int_equal(place_number(p, "SELECT count(*) FROM agent"), 3);
}

static void
a_name_or_a_skill_that_nobody_can_read_is_refused(void **state)
{
    struct installation *p = *state;
    const char *too_long = arena_printf(p->c.mem, "%0101d", 0);
    const char *const names[] = {"", "  ", "a\xff", "\xed\xa0\x80", "a\nb", "a\tb", "\x1b[2J", "\xc2\x85", too_long};
    WELL(p, add(p, "anna", "agent", "long enough"));
    for (size_t i = 0; i < COUNT(names); i++) {
        REFUSED(p, agent_add(&p->c, "ben", names[i], "agent", "long enough"), ERR_BAD_PARAMETER, "name");
        REFUSED(p, agent_set_skill(&p->c, "anna", names[i], 1), ERR_BAD_PARAMETER, "skill");
    }
    assert_int_equal(place_number(p, "SELECT count(*) FROM agent"), 1);
    assert_int_equal(place_number(p, "SELECT count(*) FROM agent_skill"), 0);
    WELL(p, agent_add(&p->c, "ben", too_long + 1, "agent", "long enough"));
    WELL(p, agent_add(&p->c, "zoe", "Zoë ☎", "agent", "long enough"));
    WELL(p, agent_set_skill(&p->c, "anna", "français", 1));
}

static void
what_makes_no_agent_is_refused_by_name(void **state)
{
    struct installation *p = *state;
    char long_login[67];
    memset(long_login, 'a', 66);
    long_login[66] = '\0';
    const char *too_long = arena_printf(p->c.mem, "%0201d", 0);
    const struct {
        const char *login, *role, *password, *names;
    } rows[] = {{"", "agent", "long enough", "login"}, {"an na", "agent", "long enough", "login"},
        {"anna:", "agent", "long enough", "login"}, {"ännä", "agent", "long enough", "login"},
        {long_login, "agent", "long enough", "login"}, {"anna", "boss", "long enough", "role"},
        {"anna", "", "long enough", "role"}, {"anna", "agent", "short12", "password"}, {"anna", "agent", "äöüäöüä", "password"},
        {"anna", "agent", too_long, "password"}};
    for (size_t i = 0; i < COUNT(rows); i++)
        REFUSED(p, add(p, rows[i].login, rows[i].role, rows[i].password), ERR_BAD_PARAMETER, rows[i].names);
    assert_int_equal(place_number(p, "SELECT count(*) FROM agent"), 0);
    WELL(p, add(p, long_login + 2, "admin", too_long + 1));
    WELL(p, add(p, "anna", "agent", "äöüäöüäö"));
    REFUSED(p, add(p, "anna", "agent", "long enough"), ERR_CONFLICT, "login");
    assert_int_equal(place_number(p, "SELECT count(*) FROM agent"), 2);
}

static void
another_password_ends_all_sessions_of_that_agent(void **state)
{
    struct installation *p = *state;
    struct agent agent;
    const char *anna, *bert;
    WELL(p, add(p, "anna", "agent", "first password"));
    WELL(p, add(p, "bert", "agent", "first password"));
    WELL(p, session_open(&p->c, "anna", "first password", &agent, &anna));
    WELL(p, session_open(&p->c, "bert", "first password", &agent, &bert));
    REFUSED(p, agent_set_password(&p->c, "anna", "short"), ERR_BAD_PARAMETER, "password");
    REFUSED(p, agent_set_password(&p->c, "nobody", "second password"), ERR_NOT_FOUND, NULL);
    WELL(p, session_agent(&p->c, anna, &agent));
    WELL(p, agent_set_password(&p->c, "anna", "second password"));
    REFUSED(p, session_agent(&p->c, anna, &agent), ERR_UNAUTHORIZED, NULL);
    WELL(p, session_agent(&p->c, bert, &agent));
    REFUSED(p, session_open(&p->c, "anna", "first password", &agent, &anna), ERR_UNAUTHORIZED, NULL);
    WELL(p, session_open(&p->c, "anna", "second password", &agent, &anna));
}

static int64_t
events_of(struct installation *p, int64_t agent)
{
    return place_number(p,
        arena_printf(p->c.mem, "SELECT count(*) FROM event WHERE audience = 'agent' AND to_id = %lld", (long long)agent));
}

static void
his_own_polls_hear_of_his_state_when_it_changes(void **state)
{
    struct installation *p = *state;
    struct agent agent = place_agent(p, "anna");
    int64_t before = events_of(p, agent.id);
    WELL(p, agent_set_state(&p->c, agent.id, "notready", "lunch"));
    assert_int_equal(events_of(p, agent.id), before + 1);
    WELL(p, agent_set_state(&p->c, agent.id, "notready", "lunch"));
    assert_int_equal(events_of(p, agent.id), before + 1);
    WELL(p, agent_set_state(&p->c, agent.id, "notready", "meeting"));
    assert_int_equal(events_of(p, agent.id), before + 2);
    WELL(p, agent_find(&p->c, agent.id, &agent));
    assert_string_equal(agent.reason, "meeting");
    assert_false(agent_is_ready(&agent));
    WELL(p, agent_set_state(&p->c, agent.id, "ready", ""));
    WELL(p, agent_find(&p->c, agent.id, &agent));
    assert_true(agent_is_ready(&agent));
    assert_false(agent_is_supervisor(&agent));
    WELL(p, agent_set_phone(&p->c, agent.id, "+16035551234"));
    assert_int_equal(events_of(p, agent.id), before + 4);
    WELL(p, agent_find(&p->c, agent.id, &agent));
    assert_string_equal(agent.phone, "+16035551234");
}

static void
an_agent_is_here_until_his_polls_have_stopped_for_gone_s(void **state)
{
    struct installation *p = *state;
    struct agent agent = place_agent(p, "anna");
    bool is_here = false, came = true;
    WELL(p, agent_seen(&p->c, &agent, &came));
    assert_false(came);
    place_later(p, p->settings.gone_s * 1000 - 1);
    WELL(p, agent_is_here(&p->c, agent.id, &is_here));
    assert_true(is_here);
    place_later(p, 1);
    WELL(p, agent_is_here(&p->c, agent.id, &is_here));
    assert_false(is_here);
    WELL(p, agent_set_gone(&p->c, agent.id));
    WELL(p, agent_find(&p->c, agent.id, &agent));
    assert_false(agent.is_present);
    WELL(p, agent_seen(&p->c, &agent, &came));
    assert_true(came);
    WELL(p, agent_seen(&p->c, &agent, &came)); /* another process was first */
    assert_false(came);
    WELL(p, agent_is_here(&p->c, agent.id, &is_here));
    assert_true(is_here);
    WELL(p, agent_is_here(&p->c, agent.id + 100, &is_here));
    assert_false(is_here);
}

static void
a_jump_of_the_wall_clock_makes_nobody_go_and_another_boot_everybody(void **state)
{
    struct installation *p = *state;
    struct agent agent = place_agent(p, "anna");
    bool is_here = false;
    p->c.now_ms += 7200000;
    WELL(p, agent_is_here(&p->c, agent.id, &is_here));
    assert_true(is_here);
    p->c.now_ms -= 14400000;
    WELL(p, agent_is_here(&p->c, agent.id, &is_here));
    assert_true(is_here);
    place_sql_on(p, "live.db", "UPDATE presence SET boot = 'another'");
    WELL(p, agent_is_here(&p->c, agent.id, &is_here));
    assert_false(is_here);
}

static void
all_agents_are_listed_by_login_and_have_skills(void **state)
{
    struct installation *p = *state;
    struct agent_list *rows;
    size_t count;
    place_agent(p, "bert");
    place_agent(p, "anna");
    WELL(p, agent_list(&p->c, &rows, &count));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].login, "anna");
    assert_string_equal(rows[1].login, "bert");
    WELL(p, agent_set_skill(&p->c, "bert", "billing", 3));
    WELL(p, agent_set_skill(&p->c, "bert", "billing", 4));
    assert_string_equal(place_text(p, "SELECT group_concat(skill || level) FROM agent_skill"), "billing4");
    REFUSED(p, agent_set_skill(&p->c, "nobody", "billing", 3), ERR_NOT_FOUND, NULL);
    assert_int_equal(agent_set_skill(&p->c, "bert", "billing", 11), ERR_CONFLICT);
}

static void
without_its_tables_everything_is_unavailable(void **state)
{
    struct installation *p = *state;
    struct agent agent = place_agent(p, "anna");
    bool flag;
    place_sql(p, "ALTER TABLE session RENAME TO hidden_session");
    REFUSED(p, agent_set_password(&p->c, "anna", "second password"), ERR_UNAVAILABLE, NULL);
    assert_string_equal(place_text(p, "SELECT password FROM agent"), "*");
    place_sql(p, "ALTER TABLE agent RENAME TO hidden");
    REFUSED(p, agent_by_login(&p->c, "anna", &agent), ERR_UNAVAILABLE, NULL);
    REFUSED(p, add(p, "bert", "agent", "long enough"), ERR_UNAVAILABLE, NULL);
    REFUSED(p, agent_set_state(&p->c, agent.id, "ready", ""), ERR_UNAVAILABLE, NULL);
    REFUSED(p, agent_set_phone(&p->c, agent.id, ""), ERR_UNAVAILABLE, NULL);
    place_sql_on(p, "live.db", "ALTER TABLE presence RENAME TO hidden");
    REFUSED(p, agent_seen(&p->c, &agent, &flag), ERR_UNAVAILABLE, NULL);
    REFUSED(p, agent_is_here(&p->c, agent.id, &flag), ERR_UNAVAILABLE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_new_agent_is_found_by_login_and_is_not_ready),
        PLACED(all_of_a_list_are_added_or_nobody),
        PLACED(a_name_or_a_skill_that_nobody_can_read_is_refused),
        PLACED(what_makes_no_agent_is_refused_by_name),
        PLACED(another_password_ends_all_sessions_of_that_agent),
        PLACED(his_own_polls_hear_of_his_state_when_it_changes),
        PLACED(an_agent_is_here_until_his_polls_have_stopped_for_gone_s),
        PLACED(a_jump_of_the_wall_clock_makes_nobody_go_and_another_boot_everybody),
        PLACED(all_agents_are_listed_by_login_and_have_skills),
        PLACED(without_its_tables_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
