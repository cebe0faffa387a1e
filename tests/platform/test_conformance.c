#include <string.h>

#include "conformance_fixture.h"

static void the_port_for_posix_keeps_all_rules(void **state)
{
    struct conformance_fixture *f = *state;
    conformance_begin(f);

    const unsigned broken = plat_conformance_run(&f->conformance);

    if (broken != 0) {
        fail_msg("%s", f->text);
    }
    assert_null(strstr(f->text, "not checked"));
    assert_non_null(strstr(f->text, " rules checked, 0 broken, 0 groups left out\n"));
    print_message("%s", f->text);
}

/* A port may have nothing but a clock, cryptography and a network. */
static void what_is_missing_is_left_out_and_named(void **state)
{
    struct conformance_fixture *f = *state;
    conformance_begin(f);
    f->platform.threads = NULL;
    f->conformance.in_use = NULL;
    f->conformance.peer = NULL;
    f->conformance.store = NULL;
    f->conformance.kv = NULL;

    assert_int_equal(plat_conformance_run(&f->conformance), 0);

    assert_non_null(strstr(f->text, "not checked: threads, because the platform has none\n"));
    assert_non_null(strstr(f->text, "not checked: streams, because there is no peer\n"));
    assert_non_null(strstr(f->text, "not checked: the store, because there is none\n"));
    assert_non_null(
        strstr(f->text, "not checked: named values, because there is no store of them\n"));
    assert_non_null(strstr(f->text, " 0 broken, 4 groups left out\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_port_for_posix_keeps_all_rules),
        cmocka_unit_test(what_is_missing_is_left_out_and_named),
    };
    return cmocka_run_group_tests(tests, conformance_setup, conformance_teardown);
}
