#include "rig.h"
#include "state.h"

/* Tests the state of the connection and the error, which stays until the reset. */

static void each_state_can_be_read(void **state)
{
    (void)state;
    mqc_engine e = { 0 };

    for (mqc_state s = MQC_IDLE; s < MQC_FAILED; s++) {
        mqc_state_enter(&e, s);
        assert_int_equal(mqc_get_state(&e), s);
        assert_int_equal(mqc_error(&e), MQC_OK);
        assert_string_equal(mqc_error_packet(&e), "");
    }
}

static void a_failure_is_latched_with_its_packet_until_a_reset(void **state)
{
    (void)state;
    for (int error = MQC_ERR_STALLED; error <= MQC_ERR_MALFORMED; error++) {
        for (unsigned packet = 0; packet <= MQC_DISCONNECT; packet++) {
            mqc_engine e = { 0 };
            mqc_state_enter(&e, MQC_CONNECTED);

            assert_int_equal(mqc_fail(&e, (mqc_result)error, packet), error);

            assert_int_equal(mqc_get_state(&e), MQC_FAILED);
            assert_int_equal(mqc_error(&e), error);
            assert_string_equal(mqc_error_packet(&e), mqc_packet_name(packet));
            mqc_state_reset(&e);
            assert_int_equal(mqc_get_state(&e), MQC_IDLE);
            assert_int_equal(mqc_error(&e), MQC_OK);
            assert_string_equal(mqc_error_packet(&e), "");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_can_be_read),
        cmocka_unit_test(a_failure_is_latched_with_its_packet_until_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
