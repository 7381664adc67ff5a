/* What counts as a recurrence, and of which kind. */
#include "unit.h"

#include "model/recurrence.h"

static void
the_letter_says_the_kind_and_parts_must_follow(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *type;
    } rows[] = {{"D-WE", "daily"}, {"D-1", "daily"}, {"W-1-MON", "weekly"}, {"W-2-MON,WED,FRI", "weekly"},
        {"W-1-SAT-SUN", "weekly"}, {"M-1-15", "monthly"}, {"M-1-2-TUE", "monthly"}, {"M-366", "monthly"}, {"bogus", NULL},
        {"", NULL}, {"D", NULL}, {"D-", NULL}, {"W--MON", NULL}, {"W-1-MON-", NULL}, {"W-1-MONDAY", NULL}, {"w-1-mon", NULL},
        {"Y-1", NULL}, {"D-0", NULL}, {"D-367", NULL}, {"W-1-MON,", NULL}, {"W-1-,MON", NULL}, {"DWE", NULL}, {"Monthly", NULL},
        {"D- 1", NULL}, {"D-+1", NULL}, {"W-MON,TUE,WED,THU,FRI,SAT,SUN,MON,TUE", NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *type = recurrence_type(rows[i].pattern);
        CHECK(unit_same(type, rows[i].type), "\"%s\" is %s", rows[i].pattern, unit_show(type));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(the_letter_says_the_kind_and_parts_must_follow),
    };
    return cmocka_run_group_tests_name("recurrence", tests, NULL, NULL);
}
