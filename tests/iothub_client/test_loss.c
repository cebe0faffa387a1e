#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connection/loss.h"

/* Tests the results and texts for a lost connection, which name the part at fault. */

static void each_return_code_of_connack_has_a_result_and_names_itself(void **state)
{
    (void)state;
    static const iothub_result results[] = {
        [0] = IOTHUB_ERR_PROTOCOL,    [1] = IOTHUB_ERR_PROTOCOL, [2] = IOTHUB_ERR_AUTH,
        [3] = IOTHUB_ERR_UNAVAILABLE, [4] = IOTHUB_ERR_AUTH,     [5] = IOTHUB_ERR_AUTH,
    };

    for (unsigned code = 0; code <= UINT8_MAX; code++) {
        iothub_error why;
        const iothub_result wanted = code <= 5 ? results[code] : IOTHUB_ERR_PROTOCOL;
        char name[16] = "CONNACK 0";
        name[8] = (char)('0' + code % 10);
        assert_int_equal(loss_by_refusal((uint8_t)code, IOTHUB_CREDENTIAL_KEY, &why), wanted);
        assert_int_equal(why.code, wanted);
        assert_non_null(strstr(why.text, code >= 1 && code <= 5 ? name : "unknown code"));
    }
}

/* The hub refuses an unknown certificate with the same code as a wrong token. */
static void a_refused_certificate_is_named_with_the_remedy(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= UINT8_MAX; code++) {
        iothub_error by_key;
        iothub_error why;
        assert_int_equal(loss_by_refusal((uint8_t)code, IOTHUB_CREDENTIAL_KEY, &by_key),
                         loss_by_refusal((uint8_t)code, IOTHUB_CREDENTIAL_X509, &why));
        bool differs = code == 4 || code == 5;
        assert_true((strstr(why.text, "certificate") != NULL) == differs);
        assert_true((strcmp(why.text, by_key.text) != 0) == differs);
        assert_true(strlen(why.text) < sizeof why.text - 1); /* the text was not shortened */
    }
}

static void errors_of_the_engine_name_the_packet_and_what_happened_to_it(void **state)
{
    (void)state;
    static const struct {
        mqc_result r;
        const char *packet;
        bool deferred;
        iothub_result result;
        const char *text;
    } cases[] = {
        { MQC_ERR_TIMEOUT, "PUBACK", false, IOTHUB_ERR_TIMEOUT, "waiting for PUBACK" },
        { MQC_ERR_MALFORMED, "SUBACK", false, IOTHUB_ERR_PROTOCOL, " in SUBACK" },
        { MQC_ERR_MALFORMED, "", false, IOTHUB_ERR_PROTOCOL, "MQTT: " },
        { MQC_ERR_STALLED, "", true, IOTHUB_ERR_TIMEOUT, "deferred messages were not accepted" },
        { MQC_ERR_STALLED, "", false, IOTHUB_ERR_TIMEOUT, "acknowledgements could not be sent" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_error why;
        assert_int_equal(loss_by_engine(cases[i].r, cases[i].packet, cases[i].deferred, &why),
                         cases[i].result);
        assert_non_null(strstr(why.text, cases[i].text));
    }
}

static void only_acknowledgements_that_are_overdue_count_as_such(void **state)
{
    (void)state;
    static const struct {
        mqc_result r;
        const char *packet;
        bool counts;
    } cases[] = {
        { MQC_ERR_TIMEOUT, "PUBACK", true },    { MQC_ERR_TIMEOUT, "SUBACK", true },
        { MQC_ERR_TIMEOUT, "UNSUBACK", true },  { MQC_ERR_TIMEOUT, "CONNACK", false },
        { MQC_ERR_TIMEOUT, "PINGRESP", false }, { MQC_ERR_TIMEOUT, "ACK", false },
        { MQC_ERR_TIMEOUT, "", false },         { MQC_ERR_MALFORMED, "PUBACK", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(loss_is_of_acknowledgement(cases[i].r, cases[i].packet), cases[i].counts);
    }
}

static void an_eviction_names_the_suspicion(void **state)
{
    (void)state;
    iothub_error why;

    assert_int_equal(loss_by_eviction(&why), IOTHUB_ERR_NETWORK);
    assert_non_null(strstr(why.text, "another client use this identity"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_return_code_of_connack_has_a_result_and_names_itself),
        cmocka_unit_test(a_refused_certificate_is_named_with_the_remedy),
        cmocka_unit_test(errors_of_the_engine_name_the_packet_and_what_happened_to_it),
        cmocka_unit_test(only_acknowledgements_that_are_overdue_count_as_such),
        cmocka_unit_test(an_eviction_names_the_suspicion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
