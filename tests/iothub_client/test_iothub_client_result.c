#include "../support/result_codes.h"

#include <stdbool.h>

#include "iothub/result.h"

static void every_code_has_its_own_text(void **state)
{
    (void)state;
    ASSERT_EVERY_CODE_HAS_ITS_OWN_TEXT(iothub_result, iothub_result_str);
}

/* The switch has no default, so that the compiler (-Wswitch) reports a code that is missing
 * here. */
static bool is_known(iothub_result r)
{
    switch (r) {
    case IOTHUB_OK:
    case IOTHUB_ERR_ARG:
    case IOTHUB_ERR_STATE:
    case IOTHUB_ERR_NO_SPACE:
    case IOTHUB_ERR_TOO_BIG:
    case IOTHUB_ERR_JSON:
    case IOTHUB_ERR_MEMORY:
    case IOTHUB_ERR_PART_MISSING:
    case IOTHUB_ERR_PART_DUPLICATE:
    case IOTHUB_ERR_PART_EMPTY:
    case IOTHUB_ERR_PART_UNKNOWN:
    case IOTHUB_ERR_PART_INVALID:
    case IOTHUB_ERR_KEY:
    case IOTHUB_ERR_UNSUPPORTED:
    case IOTHUB_ERR_NETWORK:
    case IOTHUB_ERR_DNS:
    case IOTHUB_ERR_CONNECT:
    case IOTHUB_ERR_TIMEOUT:
    case IOTHUB_ERR_TLS:
    case IOTHUB_ERR_TLS_UNTRUSTED:
    case IOTHUB_ERR_TLS_HOST:
    case IOTHUB_ERR_TLS_DATE:
    case IOTHUB_ERR_TLS_CERT:
    case IOTHUB_ERR_TRUST_STORE:
    case IOTHUB_ERR_AUTH:
    case IOTHUB_ERR_TOKEN_EXPIRED:
    case IOTHUB_ERR_NO_TIME:
    case IOTHUB_ERR_PROTOCOL:
    case IOTHUB_ERR_UNAVAILABLE:
    case IOTHUB_ERR_PROXY:
    case IOTHUB_ERR_REJECTED:
    case IOTHUB_ERR_CANCELLED:
    case IOTHUB_ERR_EXPIRED:
    case IOTHUB_ERR_DROPPED:
    case IOTHUB_KEPT:
    case IOTHUB_ERR_CRYPTO:
    case IOTHUB_ERR_STORE:
    case IOTHUB_ERR_CREDENTIAL:
    case IOTHUB_ERR_SIGNER:
    case IOTHUB_ERR_NO_TOKEN: return true;
    }
    return false;
}

static void a_code_has_a_text_exactly_when_it_is_known(void **state)
{
    (void)state;
    const char *unknown = iothub_result_str((iothub_result)-1000);

    for (int code = INT8_MIN - 2; code < 3; code++) {
        bool has_text = strcmp(iothub_result_str((iothub_result)code), unknown) != 0;
        assert_int_equal(has_text, is_known((iothub_result)code));
    }
    assert_string_equal(iothub_result_str(IOTHUB_OK), "ok");
    assert_string_equal(iothub_result_str(IOTHUB_ERR_STORE), "the store failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_own_text),
        cmocka_unit_test(a_code_has_a_text_exactly_when_it_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
