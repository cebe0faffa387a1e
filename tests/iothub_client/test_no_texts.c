/* The macros that replace texts with IOTHUB_TEXTS=OFF. */

#define IOTHUB_NO_TEXTS

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "context/callbacks.h"
#include "text/text_writer.h"

static unsigned evaluated;

static const char *value(void)
{
    evaluated++;
    return "value";
}

static void an_error_without_a_text_has_its_code_and_an_empty_text(void **state)
{
    (void)state;
    iothub_error e = { .code = IOTHUB_OK, .text = "earlier" };

    evaluated = 0;
    assert_int_equal(iothub_fail(&e, IOTHUB_ERR_KEY, "%s", value()), IOTHUB_ERR_KEY);
    assert_int_equal(e.code, IOTHUB_ERR_KEY);
    assert_string_equal(e.text, "");
    assert_int_equal(evaluated, 0);
}

static void an_error_without_a_text_that_names_a_part_has_its_code(void **state)
{
    (void)state;
    iothub_error e = { .code = IOTHUB_OK, .text = "earlier" };
    mqc_span name = mqc_span_str("part");

    assert_int_equal(iothub_fail_name(&e, IOTHUB_ERR_PART_EMPTY, "the ", name, " is empty"),
                     IOTHUB_ERR_PART_EMPTY);
    assert_int_equal(e.code, IOTHUB_ERR_PART_EMPTY);
    assert_string_equal(e.text, "");
}

static void no_error_is_needed(void **state)
{
    (void)state;

    assert_int_equal(iothub_fail(NULL, IOTHUB_ERR_KEY, "text"), IOTHUB_ERR_KEY);
}

static void count_line(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)level;
    (void)module;
    (void)text;
    (*(unsigned *)user)++;
}

static void nothing_is_logged(void **state)
{
    (void)state;
    unsigned lines = 0;
    iothub_context context = {
        .options = { .callbacks.log = count_line, .user = &lines, .log_level = IOTHUB_LOG_DEBUG }
    };

    evaluated = 0;
    callback_log(&context, IOTHUB_LOG_ERROR, "test", "%s", value());
    callback_log_text(&context, IOTHUB_LOG_ERROR, "test", value());
    assert_int_equal(lines, 0);
    assert_int_equal(evaluated, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_without_a_text_has_its_code_and_an_empty_text),
        cmocka_unit_test(an_error_without_a_text_that_names_a_part_has_its_code),
        cmocka_unit_test(no_error_is_needed),
        cmocka_unit_test(nothing_is_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
