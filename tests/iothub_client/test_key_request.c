#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certificate/key_request.h"
#include "certificate_fixture.h"

typedef struct rig {
    fake_platform platform;
    fake_issuer issuer;
    iothub_certificate_options options;
    key_request request;
} rig;

static void begin(rig *r)
{
    fake_platform_init(&r->platform);
    fake_issuer_init(&r->issuer);
    iothub_certificate_options_init(&r->options);
    r->options.platform = &r->platform.platform;
    r->options.maker = &r->issuer.maker;
    key_request_init(&r->request, &r->options);
}

static bool make(rig *r, const char *name)
{
    plat_identity_fault fault = { "" };
    const bool made = key_request_make(&r->request, mqc_span_str(name), &fault);

    assert_int_equal(made, fault.text[0] == '\0');
    assert_int_equal(made, r->request.csr[0] != '\0');
    return made;
}

static void each_request_has_a_new_key(void **state)
{
    (void)state;
    rig r;
    begin(&r);

    assert_true(make(&r, "device1"));
    assert_string_equal(r.request.csr, "ZGV2aWNlMToga2V5IDE="); /* "device1: key 1" */
    assert_memory_equal(key_request_key(&r.request)->der, "key 1", 5);
    assert_true(make(&r, "device1"));
    assert_memory_equal(key_request_key(&r.request)->der, "key 2", 5);
    fake_platform_free(&r.platform);
}

static void a_failure_leaves_neither_key_nor_request(void **state)
{
    (void)state;
    char name[130];
    rig r;
    begin(&r);

    assert_true(make(&r, "device1"));
    r.issuer.fail_csr = true;
    assert_false(make(&r, "device1"));
    assert_int_equal(key_request_key(&r.request)->len, 0);
    r.issuer.fail_csr = false;
    r.issuer.fail_key = 3;
    assert_false(make(&r, "device1"));
    assert_int_equal(key_request_key(&r.request)->len, 0);
    memset(name, 'a', sizeof name);
    name[129] = '\0';
    assert_false(make(&r, name));
    name[128] = '\0';
    assert_true(make(&r, name));
    fake_platform_free(&r.platform);
}

static unsigned released;

static plat_result sign(const plat_signer *self, const plat_sign_request *request, uint8_t *out,
                        size_t cap, size_t *len, plat_identity_fault *fault)
{
    (void)self;
    (void)request;
    (void)cap;
    (void)fault;
    out[0] = 42;
    *len = 1;
    return PLAT_OK;
}

static void on_release(const plat_signer *self)
{
    (void)self;
    released++;
}

static void a_signer_signs_but_stays_with_its_owner(void **state)
{
    (void)state;
    const plat_signer signer = { .sign = sign, .release = on_release };
    const plat_signer *lent;
    uint8_t out[4];
    size_t len;
    rig r;
    begin(&r);
    r.options.signer = &signer;
    r.options.public_key = (const uint8_t *)"public";
    r.options.public_key_len = 6;
    key_request_init(&r.request, &r.options);

    assert_true(make(&r, "device1"));
    assert_int_equal(r.issuer.keys, 0);
    assert_null(key_request_key(&r.request));
    lent = &r.request.signer.base;
    assert_int_equal(lent->sign(lent, NULL, out, sizeof out, &len, NULL), PLAT_OK);
    assert_int_equal(out[0], 42);
    assert_null(lent->release);
    assert_int_equal(released, 0);
    fake_platform_free(&r.platform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_has_a_new_key),
        cmocka_unit_test(a_failure_leaves_neither_key_nor_request),
        cmocka_unit_test(a_signer_signs_but_stays_with_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
