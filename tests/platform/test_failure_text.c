#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "failure/failure_text.h"

static bool no_memory;

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

char *__wrap_strdup(const char *text)
{
    return no_memory ? NULL : __real_strdup(text);
}

static void the_latest_text_replaces_the_one_before(void **state)
{
    (void)state;
    char *text = NULL;
    plat_failure_text_set(&text, "port %d: %s", 8883, "refused");
    assert_string_equal(plat_failure_text_get(text), "port 8883: refused");
    plat_failure_text_set(&text, "%s", "reset");
    assert_string_equal(plat_failure_text_get(text), "reset");
    plat_failure_text_drop(&text);
    assert_null(text);
    plat_failure_text_drop(&text); /* a second call has no effect */
}

static void a_long_text_is_cut_at_its_end(void **state)
{
    (void)state;
    char longest[400];
    memset(longest, 'x', sizeof longest);
    for (size_t len = 220; len < 230; len++) {
        char *text = NULL;
        plat_failure_text_set(&text, "%.*s", (int)len, longest);
        assert_int_equal(strlen(plat_failure_text_get(text)), len < 223 ? len : 223);
        plat_failure_text_drop(&text);
    }
}

static void without_memory_the_text_says_so(void **state)
{
    (void)state;
    char *text = NULL;
    plat_failure_text_set(&text, "an earlier failure");
    no_memory = true;
    plat_failure_text_set(&text, "a later failure");
    no_memory = false;
    assert_null(text); /* no text, since the earlier one would name the wrong cause */
    assert_non_null(strstr(plat_failure_text_get(text), "no memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_text_replaces_the_one_before),
        cmocka_unit_test(a_long_text_is_cut_at_its_end),
        cmocka_unit_test(without_memory_the_text_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
