#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/crypto/secret.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/memory.h>

/* The contents of a block when it was freed. */
static unsigned char freed[8];

static void noting_free(void *block)
{
    if (block != NULL) {
        memcpy(freed, block, sizeof freed);
    }
    free(block);
}

static void a_secret_is_gone_before_its_memory_is_given_back(void **state)
{
    (void)state;
    static const unsigned char zeros[sizeof freed];
    assert_int_equal(wolfSSL_SetAllocators(malloc, noting_free, realloc), 0);
    unsigned char *secret = wolfSSL_Malloc(sizeof freed);
    assert_non_null(secret);
    memset(secret, 's', sizeof freed);
    memset(freed, 'x', sizeof freed);
    plat_secret_free(secret, sizeof freed);
    assert_memory_equal(freed, zeros, sizeof freed);
    plat_secret_free(NULL, 5);
    assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_gone_before_its_memory_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
