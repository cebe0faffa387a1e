#ifndef RESULT_CODES_H
#define RESULT_CODES_H

/* Checks what the xxx_result_str functions of all layers promise. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Checks that every known code has a text of its own and that all unknown codes have the same
 * text. */
#define ASSERT_EVERY_CODE_HAS_ITS_OWN_TEXT(type, result_str)        \
    do {                                                            \
        const char *unknown = result_str((type)-1000);              \
        int known = 0;                                              \
        for (int a = -100; a <= 0; a++) {                           \
            const char *text = result_str((type)a);                 \
            assert_non_null(text);                                  \
            if (strcmp(text, unknown) == 0) {                       \
                continue;                                           \
            }                                                       \
            known++;                                                \
            for (int b = a + 1; b <= 0; b++) {                      \
                assert_string_not_equal(text, result_str((type)b)); \
            }                                                       \
        }                                                           \
        assert_true(known > 5);                                     \
    } while (0)

#endif
