#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/json_fault.h"

typedef struct fault_case {
    const char *json;
    bool object;
    const char *says; /* expected text; NULL: the document is valid */
} fault_case;

static const fault_case cases[] = {
    { "{}", true, NULL },
    { " {\"a\":[1]} ", true, NULL },
    { "[]", false, NULL },
    { "7", false, NULL },
    { "", true, "report: not a JSON object: it is empty" },
    { "", false, "report: not JSON: it is empty" },
    { "[]", true, "report: not a JSON object: an array begins at byte 0, where {...} is expected" },
    { "\"a\"", true,
      "report: not a JSON object: a string begins at byte 0, where {...} is expected" },
    { "-1", true, "report: not a JSON object: a number begins at byte 0, where {...} is expected" },
    { "true", true,
      "report: not a JSON object: a boolean begins at byte 0, where {...} is expected" },
    { "false", true,
      "report: not a JSON object: a boolean begins at byte 0, where {...} is expected" },
    { "null", true, "report: not a JSON object: null begins at byte 0, where {...} is expected" },
    { "{", true, "report: not a JSON object: at byte 1 of 1 the text ends" },
    { "{}x", true, "report: not a JSON object: at byte 2 of 3 there is 'x'" },
    { "{\"a\":}", true, "report: not a JSON object: at byte 5 of 6 there is '}'" },
    { "x", false, "report: not JSON: at byte 0 of 1 there is 'x'" },
    { "[\n1 2]", false, "report: not JSON: at byte 4 of 6 there is '2'" },
    { "\"\x01\"", false, "report: not JSON: at byte 1 of 3 there is the byte 0x01" },
    { "\"\xFF\"", false, "report: not JSON: at byte 1 of 3 there is the byte 0xff" },
};

static void each_fault_is_shown_with_its_place(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_error error = { IOTHUB_OK, "untouched" };
        const fault_case *c = &cases[i];
        iothub_result r = iothub_json_judge(mqc_span_str(c->json), c->object, "report", &error);
        assert_int_equal(r, c->says == NULL ? IOTHUB_OK : IOTHUB_ERR_JSON);
        assert_int_equal(error.code, r);
        assert_string_equal(error.text, c->says == NULL ? "untouched" : c->says);
    }
}

static void a_nul_at_the_end_is_a_len_that_counts_it(void **state)
{
    (void)state;
    iothub_error error;

    assert_int_equal(iothub_json_judge(mqc_span_of("{}", 3), true, "report", &error),
                     IOTHUB_ERR_JSON);
    assert_string_equal(error.text, "report: not a JSON object: at byte 2 of 3 there is a NUL: "
                                    "len must not count the NUL at the end");
    (void)iothub_json_judge(mqc_span_of("{}\0 ", 4), true, "report", &error);
    assert_string_equal(error.text, "report: not a JSON object: at byte 2 of 4 there is a NUL");
}

static void nobody_has_to_ask_why(void **state)
{
    (void)state;
    assert_int_equal(iothub_json_judge(mqc_span_str("{"), true, "report", NULL), IOTHUB_ERR_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_is_shown_with_its_place),
        cmocka_unit_test(a_nul_at_the_end_is_a_len_that_counts_it),
        cmocka_unit_test(nobody_has_to_ask_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
