/* A fault is remembered whole for the person who asked, and its code is handed on. */
#include "unit.h"

#include "io/center.h"

static void
a_fault_keeps_code_parameter_and_sentence(void **state)
{
    struct center c = {.mem = *state, .fault = {.retry_s = 9}};
    char name[] = "Ann";
    assert_int_equal(center_fault(&c, ERR_CONFLICT, "reqid", "%s said %d", name, 3), ERR_CONFLICT);
    name[0] = 'x';
    assert_string_equal(c.fault.parameter, "reqid");
    assert_string_equal(c.fault.reason, "Ann said 3");
    assert_int_equal(c.fault.retry_s, 0);
}

static void
a_fault_without_parameter_replaces_the_one_before(void **state)
{
    struct center c = {.mem = *state};
    assert_int_equal(center_fault(&c, ERR_BAD_PARAMETER, "phone", "first"), ERR_BAD_PARAMETER);
    assert_int_equal(center_fault(&c, ERR_NOT_FOUND, NULL, "second"), ERR_NOT_FOUND);
    assert_null(c.fault.parameter);
    assert_string_equal(c.fault.reason, "second");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_fault_keeps_code_parameter_and_sentence),
        UNIT(a_fault_without_parameter_replaces_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
