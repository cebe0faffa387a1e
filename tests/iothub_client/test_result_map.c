#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "context/result_map.h"

static void each_failure_of_the_platform_has_its_result(void **state)
{
    (void)state;
    for (int r = PLAT_EOF; r >= PLAT_ERR_CRYPTO; r--) {
        iothub_result mapped = iothub_from_plat((plat_result)r);
        assert_true(mapped < 0);
        assert_true(strlen(iothub_result_str(mapped)) > 0);
        for (int other = PLAT_EOF; other > r; other--) {
            bool same = iothub_from_plat((plat_result)other) == mapped;
            /* Only these two codes have the same result: the connection was lost. */
            assert_int_equal(same, other == PLAT_EOF && r == PLAT_ERR_IO);
        }
    }
    assert_int_equal(iothub_from_plat(PLAT_ERR_FULL), IOTHUB_ERR_NO_SPACE);
    /* These share a result, and the text tells which one it was. */
    for (int r = PLAT_ERR_STORE; r >= PLAT_ERR_STORE_BUSY; r--) {
        assert_int_equal(iothub_from_plat((plat_result)r), IOTHUB_ERR_STORE);
    }
    assert_int_equal(iothub_from_plat(PLAT_ERR_IDENTITY), IOTHUB_ERR_CREDENTIAL);
    assert_int_equal(iothub_from_plat(PLAT_ERR_PASSPHRASE), IOTHUB_ERR_CREDENTIAL);
    assert_int_equal(iothub_from_plat(PLAT_ERR_SIGNER), IOTHUB_ERR_SIGNER);
    assert_int_equal(iothub_from_plat(PLAT_ERR_IDENTITY_REFUSED), IOTHUB_ERR_AUTH);
    assert_int_equal(iothub_from_plat(PLAT_ERR_WEBSOCKET), IOTHUB_ERR_PROTOCOL);
    assert_int_equal(iothub_from_plat(PLAT_ERR_UNAVAILABLE), IOTHUB_ERR_UNAVAILABLE);
    assert_int_equal(iothub_from_plat(PLAT_ERR_PROXY), IOTHUB_ERR_PROXY);
    assert_int_equal(iothub_from_plat(PLAT_OK), IOTHUB_OK);
    assert_int_equal(iothub_from_plat(PLAT_WOULD_BLOCK), IOTHUB_OK);
    assert_int_equal(iothub_from_plat((plat_result)-99), IOTHUB_ERR_NETWORK);
}

static void each_failure_of_the_engine_has_its_result(void **state)
{
    (void)state;
    static const struct {
        mqc_result from;
        iothub_result to;
    } map[] = {
        { MQC_OK, IOTHUB_OK },
        { MQC_ERR_ARG, IOTHUB_ERR_ARG },
        { MQC_ERR_STATE, IOTHUB_ERR_STATE },
        { MQC_ERR_NO_SPACE, IOTHUB_ERR_NO_SPACE },
        { MQC_ERR_TOO_BIG, IOTHUB_ERR_TOO_BIG },
        { MQC_ERR_MALFORMED, IOTHUB_ERR_PROTOCOL },
        { MQC_ERR_PROTOCOL, IOTHUB_ERR_PROTOCOL },
        { MQC_ERR_TIMEOUT, IOTHUB_ERR_TIMEOUT },
        { MQC_ERR_REFUSED, IOTHUB_ERR_AUTH },
        { MQC_ERR_STALLED, IOTHUB_ERR_TIMEOUT },
        { (mqc_result)-99, IOTHUB_ERR_PROTOCOL },
    };

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        assert_int_equal(iothub_from_mqc(map[i].from), map[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_of_the_platform_has_its_result),
        cmocka_unit_test(each_failure_of_the_engine_has_its_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
