/* The queue: order, places, how long it may take, repeated requests, topics. */
#include "place.h"

#include "model/event.h"

/* Puts an invitation for a room of its own; nobody is routed. */
static struct invitation
put(struct installation *p, int64_t priority)
{
    struct invitation i;
    struct invitation_wish wish = place_wish(place_conference(p).id);
    wish.priority = priority;
    WELL(p, invitation_put(&p->c, &wish, &i));
    return i;
}

static void
move_to(struct installation *p, int64_t invitation, const char *state)
{
    place_sql(p, arena_printf(p->c.mem, "UPDATE invitation SET state = '%s' WHERE id = %lld", state, (long long)invitation));
    WELL(p, invitation_note(&p->c, 1, state, true));
}

static int64_t
position(struct installation *p, const struct invitation *i)
{
    struct standing counted, kept;
    struct invitation now;
    WELL(p, invitation_find(&p->c, i->id, &now));
    WELL(p, invitation_standing(&p->c, &now, &counted));
    WELL(p, invitation_standing_of(&p->c, i->conf, &kept));
    CHECK(counted.position == kept.position, "counted %lld, kept %lld", (long long)counted.position, (long long)kept.position);
    return counted.position;
}

/* ── putting ── */

static void
who_has_waited_elsewhere_already_has_the_place_that_he_would_have_had(void **state)
{
    struct installation *p = *state;
    struct invitation first = put(p, 5), late, older, oldest;
    place_later(p, 60000);
    struct invitation second = put(p, 5);
    struct invitation_wish wish = place_wish(place_conference(p).id);
    wish.waited_ms = 30000;
    wish.reqid = "kept";
    WELL(p, invitation_put(&p->c, &wish, &late));
    assert_int_equal(late.queued_at, p->c.now_ms - 30000);
    assert_int_equal(position(p, &first), 1);
    assert_int_equal(position(p, &late), 2);
    assert_int_equal(position(p, &second), 3);
    wish.waited_ms = 31000; /* asked again, later */
    WELL(p, invitation_put(&p->c, &wish, &older));
    assert_int_equal(older.id, late.id);
    assert_int_equal(older.queued_at, late.queued_at);
    place_later(p, -7200000); /* the clock is set back: who comes now comes last still */
    struct invitation last = put(p, 5), kept_over_it;
    assert_int_equal(position(p, &last), 4);
    wish = place_wish(place_conference(p).id);
    wish.waited_ms = 1000;
    WELL(p, invitation_put(&p->c, &wish, &kept_over_it));
    assert_int_equal(position(p, &kept_over_it), 5);
    place_later(p, 2 * 7200000);
    wish = place_wish(place_conference(p).id);
    wish.waited_ms = INT64_MAX;
    WELL(p, invitation_put(&p->c, &wish, &oldest));
    assert_int_equal(oldest.queued_at, p->c.now_ms - WAITED_MOST_MS);
    assert_int_equal(position(p, &oldest), 1);
}

static void
an_invitation_is_as_it_was_wished_and_the_room_hears_of_it(void **state)
{
    struct installation *p = *state;
    struct invitation i, found;
    int64_t conf = place_conference(p).id;
    struct invitation_wish wish = {.account = "key:abc",
        .conf = conf,
        .url = "http://host/cgi_bin/vcs_call?a=b&&c=d",
        .subject = "s",
        .topic = "none such",
        .skill = "",
        .name = "Ann",
        .phone = "+16035551234",
        .email = "a@b.example",
        .language = "de",
        .page = "/p"};
    WELL(p, invitation_put(&p->c, &wish, &i));
    assert_string_equal(i.url, wish.url);
    assert_string_equal(i.state, "queued");
    assert_string_equal(i.phone, "+16035551234");
    assert_string_equal(i.page, "/p");
    assert_string_equal(i.skill, "");
    assert_int_equal(i.priority, 5);
    assert_int_equal(i.queued_at, p->c.now_ms);
    assert_int_equal(i.epoch + i.agent + i.accepted_at, 0);
    assert_string_equal(place_text(p, "SELECT kind || audience || data FROM event WHERE conf > 0"),
        "queueall{\"state\":\"queued\"}");
    WELL(p, invitation_of_conference(&p->c, conf, &found));
    assert_int_equal(found.id, i.id);
    REFUSED(p, invitation_find(&p->c, i.id + 100, &found), ERR_NOT_FOUND, "invitation");
    assert_int_equal(invitation_of_conference(&p->c, conf + 1, &found), ERR_NOT_FOUND);
}

static void
the_topic_says_skill_and_priority_unless_the_request_does(void **state)
{
    struct installation *p = *state;
    struct topic_list *topics;
    size_t count;
    struct invitation i;
    struct invitation_wish wish = place_wish(place_conference(p).id);
    WELL(p, topic_set(&p->c, "Invoice", "billing", 3));
    WELL(p, topic_set(&p->c, "Invoice", "billing", 2));
    WELL(p, topic_set(&p->c, "Cable", "", 9));
    REFUSED(p, topic_set(&p->c, "", "billing", 3), ERR_BAD_PARAMETER, "name");
    REFUSED(p, topic_set(&p->c, "Line\nline", "billing", 3), ERR_BAD_PARAMETER, "name");
    REFUSED(p, topic_set(&p->c, "Line", "\xff", 3), ERR_BAD_PARAMETER, "skill");
    wish.topic = "Invoice";
    WELL(p, invitation_put(&p->c, &wish, &i));
    assert_string_equal(i.skill, "billing");
    assert_int_equal(i.priority, 2);
    wish.skill = "french";
    wish.priority = 7;
    WELL(p, invitation_put(&p->c, &wish, &i));
    assert_string_equal(i.skill, "french");
    assert_int_equal(i.priority, 7);
    WELL(p, topic_list(&p->c, &topics, &count));
    assert_int_equal(count, 2);
    assert_string_equal(topics[0].name, "Cable");
    assert_int_equal(topics[1].priority, 2);
}

static void
the_same_request_again_gets_the_same_invitation(void **state)
{
    struct installation *p = *state;
    struct invitation first, again;
    struct invitation_wish wish = place_wish(place_conference(p).id);
    wish.reqid = "r1";
    WELL(p, invitation_put(&p->c, &wish, &first));
    place_later(p, 60000);
    WELL(p, invitation_put(&p->c, &wish, &again));
    assert_int_equal(again.id, first.id);
    assert_int_equal(again.queued_at, first.queued_at);
    assert_int_equal(place_number(p, "SELECT count(*) FROM event WHERE kind = 'queue'"), 1);
    wish.account = "key:other";
    WELL(p, invitation_put(&p->c, &wish, &again));
    assert_int_not_equal(again.id, first.id);
}

static void
the_same_request_with_any_other_value_is_refused(void **state)
{
    struct installation *p = *state;
    struct invitation i;
    struct invitation_wish wish = place_wish(place_conference(p).id), others[11];
    wish.reqid = "r1";
    WELL(p, invitation_put(&p->c, &wish, &i));
    for (size_t n = 0; n < COUNT(others); n++)
        others[n] = wish;
    others[0].conf++;
    others[1].url = "http://host/other"; /* another host alone is another matter: below */
    others[2].subject = "t";
    others[3].topic = "t";
    others[4].skill = "t";
    others[5].priority = 1;
    others[6].name = "Bob";
    others[7].phone = "+1";
    others[8].email = "e";
    others[9].language = "l";
    others[10].page = "p";
    for (size_t n = 0; n < COUNT(others); n++)
        REFUSED(p, invitation_put(&p->c, &others[n], &i), ERR_CONFLICT, "reqid");
    assert_int_equal(place_number(p, "SELECT count(*) FROM invitation"), 1);
}

/* The form was half done when the room's host got another name. */
static void
the_same_request_with_another_host_in_the_address_is_the_same(void **state)
{
    struct installation *p = *state;
    struct invitation first, again;
    struct invitation_wish wish = place_wish(place_conference(p).id);
    const char *const urls[] = {"http://old.example/cgi_bin/vcs_call?vanity=1",
        "https://new.example:8443/cgi_bin/vcs_call?vanity=1"};
    const char *const others[] = {"https://new.example/cgi_bin/vcs_call?vanity=2", "https://new.example", "", "/", "x://"};
    wish.reqid = "r1";
    wish.url = urls[0];
    WELL(p, invitation_put(&p->c, &wish, &first));
    wish.url = urls[1];
    WELL(p, invitation_put(&p->c, &wish, &again));
    assert_int_equal(again.id, first.id);
    assert_string_equal(again.url, urls[0]);
    for (size_t n = 0; n < COUNT(others); n++) {
        wish.url = others[n];
        REFUSED(p, invitation_put(&p->c, &wish, &again), ERR_CONFLICT, "reqid");
    }
}

/* ── order ── */

static void
priority_goes_first_then_time_then_the_order_of_coming(void **state)
{
    struct installation *p = *state;
    struct invitation_waiting *rows;
    size_t count;
    struct invitation i[5];
    static const int64_t priorities[] = {5, 5, 1, 9, 5}, places[] = {2, 3, 1, 5, 4};
    for (int n = 0; n < 5; n++) {
        i[n] = put(p, priorities[n]);
        if (n != 0) /* the first two come in the same millisecond */
            place_later(p, 1);
    }
    for (int n = 0; n < 5; n++)
        CHECK(position(p, &i[n]) == places[n], "number %d is at %lld", n, (long long)position(p, &i[n]));
    WELL(p, invitation_waiting(&p->c, &rows, &count));
    assert_int_equal(count, 5);
    for (int n = 0; n < 5; n++)
        assert_int_equal(rows[places[n] - 1].id, i[n].id);
}

static void
who_is_offered_keeps_his_place_and_who_is_served_or_gone_has_none(void **state)
{
    struct installation *p = *state;
    struct invitation i[6];
    static const char *const states[] = {"queued", "offered", "accepted", "done", "abandoned", "cancelled"};
    static const int64_t places[] = {1, 2, 0, 0, 0, 0};
    for (int n = 0; n < 6; n++)
        i[n] = put(p, 5);
    for (int n = 0; n < 6; n++)
        move_to(p, i[n].id, states[n]);
    for (int n = 0; n < 6; n++)
        CHECK(position(p, &i[n]) == places[n], "%s is at %lld", states[n], (long long)position(p, &i[n]));
}

static void
a_kept_place_is_looked_up_again_when_the_queue_has_changed(void **state)
{
    struct installation *p = *state;
    struct standing s;
    const struct waiting_place *items;
    size_t count;
    struct invitation a = put(p, 5), b = put(p, 5);
    WELL(p, invitation_standing_of(&p->c, b.conf, &s));
    assert_int_equal(s.position, 2);
    move_to(p, a.id, "abandoned");
    WELL(p, invitation_standing_of(&p->c, b.conf, &s));
    assert_int_equal(s.position, 1);
    struct invitation urgent = put(p, 1);
    WELL(p, invitation_standing_of(&p->c, b.conf, &s));
    assert_int_equal(s.position, 2);
    WELL(p, invitation_places(&p->c, &items, &count));
    assert_int_equal(count, 2);
    for (size_t n = 0; n < count; n++)
        assert_int_equal(items[n].place, items[n].conf == urgent.conf ? 1 : 2);
    WELL(p, invitation_standing_of(&p->c, a.conf, &s));
    assert_int_equal(s.position, 0);
    assert_int_equal(s.wait_s, -1);
}

static void
the_clock_set_back_or_on_two_hours_lets_nobody_overtake(void **state)
{
    struct installation *p = *state;
    struct invitation first = put(p, 5);
    p->c.now_ms -= 7200000;
    struct invitation second = put(p, 5), third = put(p, 5), urgent = put(p, 1);
    p->c.now_ms += 14400000;
    struct invitation fourth = put(p, 5);
    assert_int_equal(position(p, &urgent), 1);
    assert_int_equal(position(p, &first), 2);
    assert_int_equal(position(p, &second), 3);
    assert_int_equal(position(p, &third), 4);
    assert_int_equal(position(p, &fourth), 5);
}

/* ── how long it may take ── */

static void
accept_at(struct installation *p, const struct invitation *i, int64_t at)
{
    place_sql(p, arena_printf(p->c.mem, "UPDATE invitation SET state = 'accepted', accepted_at = %lld WHERE id = %lld",
                     (long long)at, (long long)i->id));
}

static int64_t
wait_of(struct installation *p, const struct invitation *i)
{
    struct standing s, kept;
    WELL(p, invitation_standing(&p->c, i, &s));
    WELL(p, invitation_standing_of(&p->c, i->conf, &kept));
    assert_int_equal(s.wait_s, kept.wait_s);
    return s.wait_s;
}

static void
the_wait_is_the_place_times_the_pace_of_late(void **state)
{
    struct installation *p = *state;
    struct invitation a = put(p, 5), b = put(p, 5), x = put(p, 5), y = put(p, 5);
    assert_int_equal(wait_of(p, &x), -1);
    accept_at(p, &a, p->c.now_ms);
    place_later(p, 60000);
    assert_int_equal(wait_of(p, &x), -1); /* one acceptance is no pace */
    accept_at(p, &b, p->c.now_ms);
    move_to(p, b.id, "done");
    place_later(p, 60000);
    assert_int_equal(wait_of(p, &x), 60); /* two in two minutes */
    assert_int_equal(wait_of(p, &y), 120);
    place_later(p, 1800000);
    assert_int_equal(wait_of(p, &x), -1); /* half an hour ago is not of late */
}

static void
a_clock_set_back_leaves_the_wait_unknown_rather_than_below_nothing(void **state)
{
    struct installation *p = *state;
    struct invitation a = put(p, 5), b = put(p, 5), x = put(p, 5);
    accept_at(p, &a, p->c.now_ms);
    accept_at(p, &b, p->c.now_ms + 1000);
    move_to(p, b.id, "done");
    place_later(p, 10000);
    assert_int_equal(wait_of(p, &x), 5);
    p->c.now_ms -= 7200000;
    assert_int_equal(wait_of(p, &x), -1);
}

static void
contacts_are_the_earlier_invitations_from_the_same_number(void **state)
{
    struct installation *p = *state;
    struct invitation i[3];
    int64_t contacts = 77;
    struct invitation_wish wish = place_wish(place_conference(p).id);
    static const char *const phones[] = {"+16035551234", "+16035551235", "+16035551234"};
    for (int n = 0; n < 3; n++) {
        wish.phone = phones[n];
        WELL(p, invitation_put(&p->c, &wish, &i[n]));
    }
    WELL(p, invitation_contacts(&p->c, &i[0], &contacts));
    assert_int_equal(contacts, 0);
    WELL(p, invitation_contacts(&p->c, &i[2], &contacts));
    assert_int_equal(contacts, 1);
    wish.phone = "+16035551236";
    for (int n = 0; n < 103; n++)
        WELL(p, invitation_put(&p->c, &wish, &i[0]));
    WELL(p, invitation_contacts(&p->c, &i[0], &contacts));
    assert_int_equal(contacts, 100); /* and more */
    struct invitation nameless = put(p, 5);
    nameless = put(p, 5);
    WELL(p, invitation_contacts(&p->c, &nameless, &contacts));
    assert_int_equal(contacts, 0);
}

static void
without_its_tables_everything_is_unavailable(void **state)
{
    struct installation *p = *state;
    struct invitation i = put(p, 5), out;
    struct invitation_waiting *rows;
    struct standing s;
    size_t count;
    int64_t contacts = 77;
    struct invitation_wish wish = place_wish(i.conf);
    place_sql(p, "ALTER TABLE site RENAME TO hidden_site");
    REFUSED(p, invitation_put(&p->c, &wish, &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, invitation_standing_of(&p->c, i.conf, &s), ERR_UNAVAILABLE, NULL);
    place_sql(p, "ALTER TABLE hidden_site RENAME TO site");
    WELL(p, invitation_note(&p->c, i.conf, "queued", true));
    place_sql(p, "ALTER TABLE invitation RENAME TO hidden");
    wish.reqid = "r";
    REFUSED(p, invitation_put(&p->c, &wish, &out), ERR_UNAVAILABLE, NULL);
    wish.reqid = NULL;
    REFUSED(p, invitation_put(&p->c, &wish, &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, invitation_find(&p->c, i.id, &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, invitation_of_conference(&p->c, i.conf, &out), ERR_UNAVAILABLE, NULL);
    REFUSED(p, invitation_standing(&p->c, &i, &s), ERR_UNAVAILABLE, NULL);
    REFUSED(p, invitation_standing_of(&p->c, i.conf, &s), ERR_UNAVAILABLE, NULL);
    REFUSED(p, invitation_waiting(&p->c, &rows, &count), ERR_UNAVAILABLE, NULL);
    REFUSED(p, invitation_contacts(&p->c, &i, &contacts), ERR_UNAVAILABLE, NULL);
    assert_int_equal(contacts, 77);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(who_has_waited_elsewhere_already_has_the_place_that_he_would_have_had),
        PLACED(an_invitation_is_as_it_was_wished_and_the_room_hears_of_it),
        PLACED(the_topic_says_skill_and_priority_unless_the_request_does),
        PLACED(the_same_request_again_gets_the_same_invitation),
        PLACED(the_same_request_with_any_other_value_is_refused),
        PLACED(the_same_request_with_another_host_in_the_address_is_the_same),
        PLACED(priority_goes_first_then_time_then_the_order_of_coming),
        PLACED(who_is_offered_keeps_his_place_and_who_is_served_or_gone_has_none),
        PLACED(a_kept_place_is_looked_up_again_when_the_queue_has_changed),
        PLACED(the_clock_set_back_or_on_two_hours_lets_nobody_overtake),
        PLACED(the_wait_is_the_place_times_the_pace_of_late),
        PLACED(a_clock_set_back_leaves_the_wait_unknown_rather_than_below_nothing),
        PLACED(contacts_are_the_earlier_invitations_from_the_same_number),
        PLACED(without_its_tables_everything_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
