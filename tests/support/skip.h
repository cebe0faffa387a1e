#ifndef TEST_SKIP_H
#define TEST_SKIP_H

/** @file How a test is left out: never without a reason in its output. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** Ends the test as skipped; the reason, a format and its arguments, is printed first. */
#define skip_because(...)                       \
    do {                                        \
        print_message("skipped: " __VA_ARGS__); \
        print_message("\n");                    \
        skip();                                 \
    } while (0)

#endif
