#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "hub_fixture.h"
#include "rest/rest_target.h"

static void if_match_names_the_etag_with_or_without_quotes(void **state)
{
    (void)state;
    assert_true(rest_etag_matches(NULL, "AAA="));
    assert_true(rest_etag_matches("*", "AAA="));
    assert_true(rest_etag_matches("\"*\"", "AAA="));
    assert_true(rest_etag_matches("AAA=", "AAA="));
    assert_true(rest_etag_matches("\"AAA=\"", "AAA="));
    assert_false(rest_etag_matches("", "AAA="));
    assert_false(rest_etag_matches("\"", "AAA="));
    assert_false(rest_etag_matches("AAA", "AAA="));
    assert_false(rest_etag_matches("AAA==", "AAA="));
    assert_false(rest_etag_matches("aaa=", "AAA="));
    assert_false(rest_etag_matches("\"AAA=", "AAA="));
}

static hub_identity *target(hub *h, const char *device, const char *module, rest_handling *out)
{
    const rest_request r = { .args = { device, module } };

    *out = (rest_handling){ 0 };
    return rest_identity(h, &r, out);
}

static void a_request_is_about_a_device_or_its_module(void **state)
{
    hub_fixture *f = *state;
    hub_identity *module = NULL;
    rest_handling out;
    hub_fault fault;

    assert_int_equal(
        hub_registry_create(&f->hub.registry, "device1", "m", NULL, 0, &module, &fault), HUB_OK);
    assert_ptr_equal(target(&f->hub, "device1", NULL, &out), fixture_device(f, "device1"));
    assert_ptr_equal(target(&f->hub, "device1", "m", &out), module);
    assert_null(out.reply.text);
    assert_null(target(&f->hub, "device2", "m", &out));
    assert_int_equal(out.reply.status, 404);
    assert_string_equal(out.reply.code, "DeviceNotFound");
    rest_reply_free(&out.reply);
    assert_null(target(&f->hub, "device1", "n", &out));
    assert_int_equal(out.reply.status, 404);
    assert_string_equal(out.reply.code, "ModuleNotFound");
    rest_reply_free(&out.reply);
}

static void identity_and_twin_have_etags_of_their_own(void **state)
{
    hub_fixture *f = *state;
    hub_identity *id = fixture_device(f, "device1");
    char *identity = hub_identity_etag(id);
    char *twin = hub_twin_etag(&id->twin);
    hub_fault fault;

    assert_int_equal(rest_check_identity_etag(identity, id, &fault), HUB_OK);
    assert_int_equal(rest_check_twin_etag(twin, id, &fault), HUB_OK);
    assert_int_equal(rest_check_identity_etag(NULL, id, &fault), HUB_OK);
    assert_int_equal(rest_check_identity_etag(twin, id, &fault), HUB_ERR_ETAG);
    assert_string_equal(fault.text, "the identity has changed");
    assert_int_equal(rest_check_twin_etag(identity, id, &fault), HUB_ERR_ETAG);
    assert_string_equal(fault.text, "the twin has changed");
    free(identity);
    free(twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(if_match_names_the_etag_with_or_without_quotes),
        cmocka_unit_test_setup_teardown(a_request_is_about_a_device_or_its_module, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(identity_and_twin_have_etags_of_their_own, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
