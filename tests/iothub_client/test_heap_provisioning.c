#include "provisioning_fixture.h"

#include <stdlib.h>

#define ASSIGNED DPS_ASSIGNED_BODY("myhub.azure-devices.net", "device1")

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static unsigned fail_in; /* number of the allocation, from now on, that fails; 0: none fails */

void *__wrap_malloc(size_t size)
{
    if (fail_in > 0 && --fail_in == 0) {
        return NULL;
    }
    return __real_malloc(size);
}

static void without_heap_nothing_is_made_and_nothing_leaks(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 3; nth++) {
        provisioning_fixture f;
        iothub_error error = { .code = IOTHUB_OK };
        provisioning_init(&f);
        fail_in = nth;
        f.client = iothub_new_provisioned(&f.options, &f.client_options, &error);
        const bool failed = fail_in == 0;
        fail_in = 0;
        assert_int_equal(f.client == NULL, failed);
        assert_int_equal(error.code, failed ? IOTHUB_ERR_MEMORY : IOTHUB_OK);
        provisioning_free(&f);
    }
    provisioning_fixture f;
    iothub_error error;
    provisioning_init(&f);
    fail_in = 1;
    assert_null(iothub_provisioning_new(&f.options, &f.client_options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
    provisioning_free(&f);
}

static void refused_options_name_the_fault(void **state)
{
    provisioning_fixture f;
    iothub_error error;
    (void)state;
    provisioning_init(&f);

    f.options.key = "no base64";
    assert_null(iothub_new_provisioned(&f.options, &f.client_options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_KEY);
    f.options.key = K32;
    f.client_options.keep_alive_s = 0;
    assert_null(iothub_new_provisioned(&f.options, &f.client_options, &error));
    assert_non_null(strstr(error.text, "keep_alive_s"));
    f.client_options.keep_alive_s = 240;
    f.client_options.platform = NULL;
    assert_null(iothub_new_provisioned(&f.options, &f.client_options, &error));
    assert_non_null(strstr(error.text, "platform"));
    assert_null(iothub_new_provisioned(&f.options, NULL, &error));
    assert_null(iothub_new_provisioned(NULL, &f.client_options, NULL));
    provisioning_free(&f);
}

static void a_client_of_default_sizes_works_as_well(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ASSIGNED } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.client_options.rx_size = 0;
    f.client_options.tx_size = 0;
    f.client_options.request_size = 0;
    provisioning_make_client(&f);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    provisioning_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    provisioning_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_heap_nothing_is_made_and_nothing_leaks),
        cmocka_unit_test(refused_options_name_the_fault),
        cmocka_unit_test(a_client_of_default_sizes_works_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
