#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "posix/processor.h"
#include "skip.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* By the Intel SDM, volume 2, CPUID: in leaf 1, register ECX, bit 25 stands for AES and bit 1
 * for PCLMULQDQ. */
static bool expected(void)
{
    const unsigned both = 1u << 25 | 1u << 1;
    unsigned a;
    unsigned b;
    unsigned c = 0;
    unsigned d;

    return __get_cpuid(1, &a, &b, &c, &d) == 1 && (c & both) == both;
}
#elif !defined(__aarch64__)
static bool expected(void)
{
    return false; /* the code knows the instructions only for 64-bit x86 and Arm */
}
#endif

static void aes_is_found_where_the_processor_has_it(void **state)
{
    (void)state;
#if defined(__aarch64__)
    skip_because(
        "what an Arm processor can do is known to the kernel only, which the code under test asks");
#else
    assert_int_equal(plat_processor_has_aes(), expected());
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_is_found_where_the_processor_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
