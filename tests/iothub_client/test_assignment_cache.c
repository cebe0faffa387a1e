#include "provisioning_fixture.h"

#include "provisioning/assignment_cache.h"

static dps_request request_of(fake_kv *kv, const char *scope, const char *id)
{
    return (dps_request){ .options = { .cache = &kv->base },
                          .id_scope = mqc_span_str(scope),
                          .registration_id = mqc_span_str(id) };
}

static int start(void **state)
{
    static fake_platform platform;
    fake_platform_init(&platform);
    *state = &platform;
    return 0;
}

static int stop(void **state)
{
    fake_platform_free(*state);
    return 0;
}

static const plat_crypto *crypto_of(void **state)
{
    const fake_platform *f = *state;
    return f->platform.crypto;
}

static void an_assignment_is_found_by_the_same_device_in_any_letter_case(void **state)
{
    const plat_crypto *crypto = crypto_of(state);
    stored_assignment found;
    fake_kv kv;

    fake_kv_init(&kv);
    const dps_request r = request_of(&kv, "0ne1", "SN-007");
    const dps_request same = request_of(&kv, "0ne1", "sn-007");
    assert_int_equal(assignment_cache_get(&r, crypto, &found), PLAT_EOF);
    assert_int_equal(assignment_cache_put(&r, crypto, "h.example", "d1"), PLAT_OK);
    assert_int_equal(assignment_cache_get(&same, crypto, &found), PLAT_OK);
    assert_string_equal(found.hub, "h.example");
    assert_string_equal(found.device_id, "d1");
    assert_int_equal(strspn(kv.values[0].key, "dps-0123456789abcdef"), 36);
    assert_int_equal(strlen(kv.values[0].key), 36);
}

static void devices_do_not_share_assignments(void **state)
{
    const plat_crypto *crypto = crypto_of(state);
    stored_assignment found;
    fake_kv kv;

    fake_kv_init(&kv);
    const dps_request r = request_of(&kv, "0ne1", "sn-007");
    const dps_request others[] = { request_of(&kv, "0ne2", "sn-007"),
                                   request_of(&kv, "0ne1", "sn-008") };
    assert_int_equal(assignment_cache_put(&r, crypto, "h.example", "d1"), PLAT_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(assignment_cache_get(&others[i], crypto, &found), PLAT_EOF);
    }
}

static void the_longest_names_fit(void **state)
{
    const plat_crypto *crypto = crypto_of(state);
    char scope[IOTHUB_ID_SCOPE_MAX + 1] = { 0 };
    char id[IOTHUB_REGISTRATION_ID_MAX + 1] = { 0 };
    char hub[IOTHUB_HOST_MAX + 1] = { 0 };
    stored_assignment found;
    fake_kv kv;

    fake_kv_init(&kv);
    memset(scope, 's', sizeof scope - 1);
    memset(id, 'i', sizeof id - 1);
    for (size_t i = 0; i + 1 < sizeof hub; i++) {
        hub[i] = i % 64 == 63 ? '.' : 'h';
    }
    const dps_request r = request_of(&kv, scope, id);
    assert_int_equal(assignment_cache_put(&r, crypto, hub, id), PLAT_OK);
    assert_int_equal(assignment_cache_get(&r, crypto, &found), PLAT_OK);
    assert_string_equal(found.hub, hub);
}

static void the_shortest_names_fit_as_well(void **state)
{
    const plat_crypto *crypto = crypto_of(state);
    stored_assignment found;
    fake_kv kv;

    fake_kv_init(&kv);
    const dps_request r = request_of(&kv, "s", "i");
    assert_int_equal(assignment_cache_put(&r, crypto, "h", "d"), PLAT_OK);
    assert_int_equal(assignment_cache_get(&r, crypto, &found), PLAT_OK);
    assert_string_equal(found.hub, "h");
    assert_string_equal(found.device_id, "d");
}

static void a_text_that_is_not_exactly_such_a_value_counts_as_absent(void **state)
{
    static const char *const bad[] = {
        "",
        "1",
        "1\n0ne1\nsn-007\nh.example\nd1",
        "1\n0ne1\nsn-007\nh.example\n",
        "2\n0ne1\nsn-007\nh.example\nd1\n",
        "1\n0ne2\nsn-007\nh.example\nd1\n",
        "1\n0ne1\nsn-008\nh.example\nd1\n",
        "1\n0ne1\nsn-007\n\nd1\n",
        "1\n0ne1\nsn-007\nh.example\n\n",
        "1\n0ne1\nsn-007\nh example\nd1\n",
        "1\n0ne1\nsn-007\nh.example\nd/1\n",
        "1\n0ne1\nsn-007\nh.example\nd1\nmore\n",
        "1\n0ne1\nsn-007\nh.example\nd1\n ",
    };
    stored_assignment found;
    fake_kv kv;
    (void)state;

    const dps_request r = request_of(&kv, "0ne1", "sn-007");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(assignment_text_parse(&r, mqc_span_str(bad[i]), &found));
    }
    assert_true(
        assignment_text_parse(&r, mqc_span_str("1\n0ne1\nSN-007\nh.example\nd1\n"), &found));
    assert_false(
        assignment_text_parse(&r, mqc_span_of("1\n0ne1\nsn-007\nh.ex\0ample\nd1\n", 27), &found));
}

static void failures_of_the_store_are_passed_on(void **state)
{
    const plat_crypto *crypto = crypto_of(state);
    stored_assignment found;
    fake_kv kv;

    fake_kv_init(&kv);
    const dps_request r = request_of(&kv, "0ne1", "sn-007");
    kv.get_fails = PLAT_ERR_STORE;
    assert_int_equal(assignment_cache_get(&r, crypto, &found), PLAT_ERR_STORE);
    kv.get_fails = PLAT_ERR_NO_SPACE; /* the value is too long, so another program has written it */
    assert_int_equal(assignment_cache_get(&r, crypto, &found), PLAT_EOF);
    kv.put_fails = PLAT_ERR_FULL;
    assert_int_equal(assignment_cache_put(&r, crypto, "h.example", "d1"), PLAT_ERR_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_is_found_by_the_same_device_in_any_letter_case),
        cmocka_unit_test(devices_do_not_share_assignments),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(the_shortest_names_fit_as_well),
        cmocka_unit_test(a_text_that_is_not_exactly_such_a_value_counts_as_absent),
        cmocka_unit_test(failures_of_the_store_are_passed_on),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
