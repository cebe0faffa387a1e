#ifndef TEST_SKIP_H
#define TEST_SKIP_H

/**
 * @file
 * Skipping a test. The reason is always printed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/**
 * Ends the test as skipped, after printing the reason, which is given as a format and its
 * arguments.
 */
#define skip_because(...)                       \
    do {                                        \
        print_message("skipped: " __VA_ARGS__); \
        print_message("\n");                    \
        skip();                                 \
    } while (0)

#endif
