#include "provisioning_fixture.h"

#include <stdlib.h>

/* Tests the public functions of a registration without a client. test_exchange.c tests the
 * conversation. */

#define ASSIGNED DPS_ASSIGNED_BODY("myhub.azure-devices.net", "device1")

static void wait_sleeps_and_processes_until_the_end(void **state)
{
    static const dps_reply replies[] = { { 202, "&retry-after=3", DPS_ASSIGNING_BODY },
                                         { 200, NULL, ASSIGNED } };
    provisioning_fixture f;
    iothub_provisioning_state s = IOTHUB_PROVISIONING_RUNS;
    unsigned turns = 0;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    while (s == IOTHUB_PROVISIONING_RUNS && turns++ < 100) {
        s = iothub_provisioning_wait(f.registration, 10000);
    }
    assert_int_equal(s, IOTHUB_PROVISIONING_ASSIGNED);
    assert_true(turns < 20);
    assert_true(f.platform.net.waits >= 1);
    assert_int_equal(iothub_provisioning_wait(f.registration, 10000), s);
    provisioning_free(&f);
}

static void poll_info_tells_the_descriptor_and_the_next_deadline(void **state)
{
    static const dps_reply replies[] = { { 202, "&retry-after=8", DPS_ASSIGNING_BODY } };
    provisioning_fixture f;
    iothub_poll p;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.platform.streams[0].fd = 70;
    provisioning_make_registration(&f);

    iothub_provisioning_poll_info(f.registration, &p);
    assert_int_equal(p.timeout_ms, 0); /* the registration has not begun */
    provisioning_run(&f);
    iothub_provisioning_poll_info(f.registration, &p);
    assert_int_equal(p.fds[0].fd, 70);
    assert_true(p.fds[0].want_read);
    assert_int_equal(p.fds[1].fd, -1);
    assert_true(p.timeout_ms >= 8000 && p.timeout_ms <= 9000);
    iothub_provisioning_poll_info(NULL, &p);
    assert_int_equal(p.timeout_ms, -1);
    assert_int_equal(p.fds[0].fd, -1);
    iothub_provisioning_poll_info_sized(f.registration, NULL, sizeof p);
    provisioning_free(&f);
}

static void failures_are_repeated_with_a_growing_back_off(void **state)
{
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    f.platform.net.stream_result = PLAT_ERR_MEMORY;
    f.platform.net.names_fault = true;
    provisioning_make_registration(&f);

    provisioning_sleep(&f, 3600 * 1000);
    assert_int_equal(iothub_provisioning_error(f.registration)->code, IOTHUB_ERR_MEMORY);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_WAITS);
    provisioning_free(&f);
}

static void refused_options_make_no_registration(void **state)
{
    provisioning_fixture f;
    iothub_error error;
    (void)state;
    provisioning_init(&f);

    f.options.id_scope = "";
    assert_null(iothub_provisioning_new(&f.options, &f.client_options, &error));
    assert_non_null(strstr(error.text, "id_scope"));
    f.options.id_scope = "0ne1";
    f.client_options.platform = NULL;
    assert_null(iothub_provisioning_new(&f.options, &f.client_options, &error));
    assert_non_null(strstr(error.text, "platform"));
    assert_null(iothub_provisioning_new(&f.options, NULL, &error));
    assert_null(iothub_provisioning_new(NULL, &f.client_options, NULL));
    f.client_options.platform = &f.platform.platform;
    f.client_options.rx_size = 0; /* sizes of buffers do not matter here */
    provisioning_make_registration(&f);
    provisioning_free(&f);
}

static void null_is_a_registration_that_failed(void **state)
{
    (void)state;
    assert_int_equal(iothub_provisioning_process(NULL), IOTHUB_PROVISIONING_FAILED);
    assert_int_equal(iothub_provisioning_wait(NULL, 10), IOTHUB_PROVISIONING_FAILED);
    assert_null(iothub_provisioning_answer(NULL));
    assert_int_equal(iothub_provisioning_error(NULL)->code, IOTHUB_ERR_ARG);
    iothub_provisioning_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_sleeps_and_processes_until_the_end),
        cmocka_unit_test(poll_info_tells_the_descriptor_and_the_next_deadline),
        cmocka_unit_test(failures_are_repeated_with_a_growing_back_off),
        cmocka_unit_test(refused_options_make_no_registration),
        cmocka_unit_test(null_is_a_registration_that_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
