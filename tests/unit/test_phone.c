/* Telephone numbers as people write them. */
#include "place.h"

#include "model/phone.h"

static const struct {
    const char *country;
    const char *written;
    const char *kept; /* NULL: no number */
} rows[] = {
    /* with the country */
    {"1", "+16035551234", "+16035551234"},
    {"1", "+1 (603) 555-1234", "+16035551234"},
    {"49", "+1.603.555.1234", "+16035551234"},
    {"1", "0016035551234", "+16035551234"},
    {"49", "00 1 603/555-1234", "+16035551234"},
    {"1", " 16035551234", "+16035551234"}, /* a '+' in a query */
    {"49", " 49 30 1234567", "+49301234567"},
    {"1", " +16035551234", "+16035551234"},
    {"1", "+44 (0)20 7946 0958", "+442079460958"}, /* as many write their trunk 0 */
    {"49", "+49 (0) 30 1234567", "+49301234567"},
    {"1", "0049 (0)30 1234567", "+49301234567"},
    /* national */
    {"1", "603 555 1234", "+16035551234"},
    {"1", "(603) 555-1234", "+16035551234"},
    {"1", "1-603-555-1234", "+16035551234"}, /* North America's trunk prefix is 1 */
    {"1", "1 800 555 1234", "+18005551234"},
    {"49", "030 1234567", "+49301234567"},
    {"49", "(030) 123 45 67", "+49301234567"},
    {"49", "(0)30 1234567", "+49301234567"},
    {"49", "1512 3456789", "+4915123456789"},
    {"353", "01 234 5678", "+35312345678"},
    {"44", "020 7946 0958", "+442079460958"},
    /* lengths */
    {"1", "+1234567", "+1234567"},
    {"1", "+123456", NULL},
    {"1", "+123456789012345", "+123456789012345"},
    {"1", "+1234567890123456", NULL},
    {"49", "12345", "+4912345"},
    {"49", "1234", NULL},
    {"1", "00000000000000000000000000000000000000000000000000000000000000000000000", NULL},
    /* no numbers */
    {"1", "", NULL},
    {"1", " ", NULL},
    {"1", "+", NULL},
    {"1", "()-./", NULL},
    {"1", "call me", NULL},
    {"1", "603-CALL-NOW", NULL},
    {"1", "+1+6035551234", NULL},
    {"1", "603+5551234", NULL},
    {"1", "+1 603 555 1234 x5", NULL},
    {"1", "+1 603 555 1234;", NULL},
    {"1", "sip:anna@example.com", NULL},
    {"1", "+1603555１２３４", NULL},
    {"1", "6035551234\n", NULL},
    {"1", "*31#6035551234", NULL},
    {"1", "+06035551234", NULL},
    {"1", "000006035551234", NULL},
};

static void
every_way_of_writing_a_number_comes_to_one_form_or_is_refused(void **state)
{
    struct installation *p = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *kept = NULL;
        p->c.fault = (struct fault){0};
        p->settings.country = rows[i].country;
        enum err err = phone_normalise(&p->c, rows[i].written, &kept);
        CHECK(err == (rows[i].kept ? OK : ERR_BAD_PARAMETER), "'%s' in %s: %s", rows[i].written, rows[i].country, err_code(err));
        CHECK(unit_same(kept, rows[i].kept), "'%s' in %s became %s", rows[i].written, rows[i].country, unit_show(kept));
        CHECK(unit_same(p->c.fault.parameter, rows[i].kept ? NULL : "phone"), "'%s' blames %s", rows[i].written,
            unit_show(p->c.fault.parameter));
    }
}

static void
a_number_once_normalised_stays_as_it_is(void **state)
{
    struct installation *p = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *again;
        if (!rows[i].kept)
            continue;
        WELL(p, phone_normalise(&p->c, rows[i].kept, &again));
        assert_string_equal(again, rows[i].kept);
    }
}

static void
others_see_the_last_two_digits(void **state)
{
    struct installation *p = *state;
    assert_string_equal(phone_hidden(&p->c, "+16035551234"), "**********34");
    assert_string_equal(phone_hidden(&p->c, "12"), "12");
    assert_string_equal(phone_hidden(&p->c, "123"), "*23");
    assert_string_equal(phone_hidden(&p->c, ""), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(every_way_of_writing_a_number_comes_to_one_form_or_is_refused),
        PLACED(a_number_once_normalised_stays_as_it_is),
        PLACED(others_see_the_last_two_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
