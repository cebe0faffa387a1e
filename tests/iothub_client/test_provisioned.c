#include "provisioning_fixture.h"

#include <stdlib.h>

#include "iothub/memory_size.h"

/* Tests a client in memory of the caller. */

static const dps_reply assigned[] = { { 200, NULL,
                                        DPS_ASSIGNED_BODY("myhub.azure-devices.net", "device1") } };

/* Makes a client in memory of exactly this size. */
static iothub_client *make_in(provisioning_fixture *f, void *memory, size_t len,
                              iothub_error *error)
{
    return iothub_init_provisioned(memory, len, &f->options, &f->client_options, error);
}

static void longest_names(provisioning_fixture *f, char id[IOTHUB_REGISTRATION_ID_MAX + 1],
                          char scope[IOTHUB_ID_SCOPE_MAX + 1])
{
    memset(id, 'i', IOTHUB_REGISTRATION_ID_MAX);
    memset(scope, 's', IOTHUB_ID_SCOPE_MAX);
    id[IOTHUB_REGISTRATION_ID_MAX] = '\0';
    scope[IOTHUB_ID_SCOPE_MAX] = '\0';
    f->options.registration_id = id;
    f->options.id_scope = scope;
}

static void the_size_of_the_header_is_enough_for_the_longest_names(void **state)
{
    char id[IOTHUB_REGISTRATION_ID_MAX + 1];
    char scope[IOTHUB_ID_SCOPE_MAX + 1];
    const size_t len = IOTHUB_PROVISIONED_MEMORY_SIZE(1024, 1024, 256, 1024);
    provisioning_fixture f;
    iothub_error error;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, assigned);
    longest_names(&f, id, scope);
    f.options.answer_size = 1024;
    f.client_options.rx_size = 1024;
    f.client_options.tx_size = 1024;
    f.client_options.request_size = 256;
    uint8_t *memory = malloc(len);
    f.client = make_in(&f, memory, len, &error);
    if (f.client == NULL) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    provisioning_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    iothub_deinit(f.client);
    f.client = NULL;
    for (size_t i = 0; i + 8 < len; i++) { /* no secret is left in the memory */
        assert_memory_not_equal(memory + i, K32, 8);
    }
    free(memory);
    provisioning_free(&f);
}

static void a_certificate_request_needs_twice_the_size_of_the_answer(void **state)
{
    char id[IOTHUB_REGISTRATION_ID_MAX + 1];
    char scope[IOTHUB_ID_SCOPE_MAX + 1];
    static char csr[IOTHUB_CSR_MAX + 1];
    const size_t len = IOTHUB_PROVISIONED_MEMORY_SIZE(1024, 1024, 256, 2 * IOTHUB_CSR_ANSWER_MIN) +
                       2 * IOTHUB_CSR_MAX;
    provisioning_fixture f;
    iothub_error error;
    (void)state;
    provisioning_init(&f);
    longest_names(&f, id, scope);
    memset(csr, 'A', IOTHUB_CSR_MAX);
    f.options.csr = csr;
    f.options.api_version = "2025-07-01-preview";
    f.client_options.rx_size = 1024;
    f.client_options.tx_size = 1024;
    f.client_options.request_size = 256;
    uint8_t *memory = malloc(len);
    f.client = make_in(&f, memory, len, &error);
    if (f.client == NULL) {
        fail_msg("%s", error.text);
    }
    iothub_deinit(f.client);
    f.client = NULL;
    free(memory);
    provisioning_free(&f);
}

static void too_little_memory_is_refused_at_any_size(void **state)
{
    provisioning_fixture f;
    unsigned refused = 0;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, assigned);
    for (size_t len = 0;; len += 61) {
        uint8_t *memory = malloc(len + 1);
        iothub_error error = { .code = IOTHUB_OK };
        iothub_client *c = make_in(&f, memory, len, &error);
        iothub_deinit(c);
        free(memory);
        if (c != NULL) {
            break;
        }
        assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
        assert_non_null(strstr(error.text, "bytes more are needed"));
        refused++;
    }
    assert_true(refused > 100);
    provisioning_free(&f);
}

static void wrong_arguments_are_refused(void **state)
{
    provisioning_fixture f;
    uint8_t memory[64];
    iothub_error error;
    (void)state;
    provisioning_init(&f);
    assert_null(make_in(&f, NULL, 100000, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    f.options.id_scope = NULL;
    assert_null(make_in(&f, memory, sizeof memory, &error));
    assert_non_null(strstr(error.text, "id_scope"));
    f.client_options.platform = NULL;
    assert_null(make_in(&f, memory, sizeof memory, &error));
    assert_non_null(strstr(error.text, "platform"));
    provisioning_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_size_of_the_header_is_enough_for_the_longest_names),
        cmocka_unit_test(a_certificate_request_needs_twice_the_size_of_the_answer),
        cmocka_unit_test(too_little_memory_is_refused_at_any_size),
        cmocka_unit_test(wrong_arguments_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
