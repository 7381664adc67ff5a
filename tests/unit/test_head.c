/* test_head: credentials and ranges that stand in a header. */
#include "unit.h"

#include "base/head.h"

static void
basic_is_a_name_and_a_password(void **state)
{
    static const struct {
        const char *header;
        const char *name; /* NULL: nothing is understood */
        const char *password;
    } rows[] = {
        {NULL, NULL, NULL},
        {"", NULL, NULL},
        {"Basic", NULL, NULL},
        {"Basic ", NULL, NULL},
        {"Basic !!!!", NULL, NULL},
        {"Bearer YTpi", NULL, NULL},
        {"Basic YTpi", "a", "b"},
        {"bAsIc YTpi", "a", "b"},
        {"Basic Og==", "", ""},
        {"Basic Og", "", ""},
        {"Basic YTo=", "a", ""},
        {"Basic OmI=", "", "b"},
        {"Basic YTpiOmM=", "a", "b:c"},
        {"Basic w6Q6w7Y=", "\u00e4", "\u00f6"},
        {"Basic Pj4+Oj8/Pw", ">>>", "???"},
        {"Basic YQ==", NULL, NULL},
        {"Basic YTpi=x", NULL, NULL},
        {"Basic YTpi YTpi", NULL, NULL},
        {"Basic YTpi\n", NULL, NULL},
        {"Basic YQBiOmM=", NULL, NULL},
        {"Basic /zphYmM=", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct head_pair *got = head_basic(*state, rows[i].header);
        CHECK((got != NULL) == (rows[i].name != NULL), "%s is %sunderstood", unit_show(rows[i].header), got ? "" : "not ");
        if (got != NULL)
            CHECK(unit_same(got->name, rows[i].name) && unit_same(got->password, rows[i].password), "%s is '%s' and '%s'",
                rows[i].header, got->name, got->password);
    }
}

static void
a_range_is_two_numbers_or_one(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        bool is_range;
        int64_t first, last;
    } rows[] = {
        {"bytes=0-99", true, 0, 99},
        {"bytes=7-7", true, 7, 7},
        {"bytes=5-", true, 5, -1},
        {"bytes=-5", true, -1, 5},
        {"bytes=-0", true, -1, 0},
        {"bytes=007-010", true, 7, 10},
        {"bytes=9223372036854775807-", true, INT64_MAX, -1},
        {"bytes=9223372036854775808-", true, INT64_MAX, -1},
        {"bytes=0-99999999999999999999999", true, 0, INT64_MAX},
        {"", false, 0, 0},
        {"bytes=", false, 0, 0},
        {"bytes=-", false, 0, 0},
        {"bytes=9-8", false, 0, 0},
        {"bytes=1-2,4-5", false, 0, 0},
        {"bytes=1-2 ", false, 0, 0},
        {"bytes= 1-2", false, 0, 0},
        {"bytes=+1-2", false, 0, 0},
        {"bytes=1--2", false, 0, 0},
        {"bytes=a-b", false, 0, 0},
        {"bytes=12", false, 0, 0},
        {"lines=1-2", false, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t first, last;
        bool is_range = head_range(rows[i].header, &first, &last);
        CHECK(is_range == rows[i].is_range, "'%s' is %sa range", rows[i].header, is_range ? "" : "not ");
        CHECK(!is_range || (first == rows[i].first && last == rows[i].last), "'%s' is %lld to %lld", rows[i].header,
            (long long)first, (long long)last);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(basic_is_a_name_and_a_password),
        UNIT(a_range_is_two_numbers_or_one),
    };
    return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
