/* API keys. */
#include "place.h"

#include "model/session.h"

static void
a_key_is_shown_once_and_opens_as_bearer_and_as_pair(void **state)
{
    struct installation *p = *state;
    const char *text, *id;
    REFUSED(p, key_make(&p->c, "", &text), ERR_BAD_PARAMETER, "about");
    REFUSED(p, key_make(&p->c, "a\x01", &text), ERR_BAD_PARAMETER, "about");
    WELL(p, key_make(&p->c, "the shop", &text));
    assert_true(text_starts(text, "k_"));
    assert_int_equal(strlen(text), 2 + 10 + 1 + 43);
    const char *secret = strchr(text, '.') + 1;
    WELL(p, key_check(&p->c, text, &id));
    assert_string_equal(id, arena_strndup(p->c.mem, text + 2, 10));
    WELL(p, key_check_pair(&p->c, id, secret));
    WELL(p, key_check_pair(&p->c, arena_printf(p->c.mem, "k_%s", id), secret));
    assert_int_equal(place_number(p, arena_printf(p->c.mem, "SELECT count(*) FROM api_key WHERE hash = '%s'", secret)), 0);
}

static void
no_keys_id_looks_like_an_option_or_as_if_it_began_later(void **state)
{
    struct installation *p = *state;
    const char *text;
    WELL(p, db_begin(p->c.db));
    for (int i = 0; i < 8000; i++) {
        WELL(p, key_make(&p->c, "the shop", &text));
        CHECK(text[2] != '-' && !text_starts(text + 2, "k_"), "%s", text);
    }
    WELL(p, db_end(p->c.db, OK));
}

/* Such ids were drawn once. */
static void
a_key_whose_id_begins_like_a_key_opens(void **state)
{
    struct installation *p = *state;
    const char *text, *id;
    WELL(p, key_make(&p->c, "the shop", &text));
    const char *secret = strchr(text, '.') + 1;
    place_sql(p, "UPDATE api_key SET id = 'k_TM5GAI94'");
    WELL(p, key_check(&p->c, arena_printf(p->c.mem, "k_k_TM5GAI94.%s", secret), &id));
    assert_string_equal(id, "k_TM5GAI94");
    WELL(p, key_check_pair(&p->c, "k_k_TM5GAI94", secret));
    REFUSED(p, key_check(&p->c, arena_printf(p->c.mem, "k_TM5GAI94.%s", secret), &id), ERR_UNAUTHORIZED, NULL);
    WELL(p, key_revoke(&p->c, "k_k_TM5GAI94"));
}

static void
a_key_that_is_not_exactly_right_is_refused(void **state)
{
    struct installation *p = *state;
    const char *text, *other, *id = "as it was";
    WELL(p, key_make(&p->c, "the shop", &text));
    WELL(p, key_make(&p->c, "another", &other));
    const char *secret = strchr(text, '.') + 1;
    const char *const wrong[] = {"", "k_", "k_.", text + 2, arena_strndup(p->c.mem, text, 12),
        arena_printf(p->c.mem, "%sx", text), arena_strndup(p->c.mem, text, strlen(text) - 1),
        arena_printf(p->c.mem, "%.13s%s", other, secret), arena_printf(p->c.mem, "k_0000000000.%s", secret)};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        CHECK(key_check(&p->c, wrong[i], &id) == ERR_UNAUTHORIZED, "taken: %s", wrong[i]);
        assert_string_equal(p->c.fault.reason, "This API key is not valid.");
    }
    REFUSED(p, key_check_pair(&p->c, "nobody", ""), ERR_UNAUTHORIZED, NULL);
}

static void
a_revoked_key_opens_nothing_and_is_still_listed(void **state)
{
    struct installation *p = *state;
    const char *text, *id;
    struct api_key_list *rows;
    size_t count;
    WELL(p, key_make(&p->c, "the shop", &text));
    WELL(p, key_check(&p->c, text, &id));
    WELL(p, key_revoke(&p->c, arena_printf(p->c.mem, "k_%s", id)));
    const char *again;
    REFUSED(p, key_check(&p->c, text, &again), ERR_UNAUTHORIZED, NULL);
    REFUSED(p, key_revoke(&p->c, id), ERR_NOT_FOUND, NULL);
    WELL(p, key_list(&p->c, &rows, &count));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].about, "the shop");
    assert_int_equal(rows[0].revoked_at, p->c.now_ms);
}

static void
a_renewed_key_is_the_same_with_another_secret(void **state)
{
    struct installation *p = *state;
    const char *first, *second, *third, *id, *again;
    WELL(p, key_renew(&p->c, "this place", &first));
    WELL(p, key_check(&p->c, first, &id));
    WELL(p, key_renew(&p->c, "another", &second));
    WELL(p, key_check(&p->c, first, &again)); /* it is not touched */
    WELL(p, key_renew(&p->c, "this place", &second));
    REFUSED(p, key_check(&p->c, first, &again), ERR_UNAUTHORIZED, NULL);
    WELL(p, key_check(&p->c, second, &again));
    assert_string_equal(again, id);
    WELL(p, key_revoke(&p->c, id));
    WELL(p, key_renew(&p->c, "this place", &third));
    WELL(p, key_check(&p->c, third, &again));
    assert_string_not_equal(again, id);
    REFUSED(p, key_check(&p->c, second, &again), ERR_UNAUTHORIZED, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_key_is_shown_once_and_opens_as_bearer_and_as_pair),
        PLACED(no_keys_id_looks_like_an_option_or_as_if_it_began_later),
        PLACED(a_key_whose_id_begins_like_a_key_opens),
        PLACED(a_key_that_is_not_exactly_right_is_refused),
        PLACED(a_revoked_key_opens_nothing_and_is_still_listed),
        PLACED(a_renewed_key_is_the_same_with_another_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
