#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certificate/certificate_options.h"
#include "certificate_fixture.h"

typedef struct rig {
    fake_platform platform;
    fake_issuer issuer;
    iothub_certificate_options options;
} rig;

static void begin(rig *r)
{
    fake_platform_init(&r->platform);
    fake_issuer_init(&r->issuer);
    iothub_certificate_options_init(&r->options);
    r->options.platform = &r->platform.platform;
    r->options.maker = &r->issuer.maker;
}

static iothub_result take(const rig *r, iothub_error *error)
{
    iothub_certificate_options taken;

    return certificate_options_take(&taken, &r->options, error);
}

static void the_defaults_with_platform_and_maker_are_valid(void **state)
{
    (void)state;
    iothub_error error;
    rig r;
    begin(&r);

    assert_int_equal(r.options.key_kind, PLAT_KEY_EC_P256);
    assert_int_equal(r.options.renew_percent, 80);
    assert_string_equal(r.options.cache_key, "certificate");
    assert_int_equal(take(&r, &error), IOTHUB_OK);
    fake_platform_free(&r.platform);
}

static void drop_platform(rig *r)
{
    r->options.platform = NULL;
}

static void drop_maker(rig *r)
{
    r->options.maker = NULL;
}

static void drop_identities(rig *r)
{
    r->platform.platform.identities = NULL;
}

static void forget_init(rig *r)
{
    r->options.struct_size = 0;
}

static void spoil_size(rig *r)
{
    r->options.struct_size = SIZE_MAX;
}

static void spoil_kind(rig *r)
{
    r->options.key_kind = (plat_key_kind)9;
}

static void forget_public_key(rig *r)
{
    static const plat_signer signer;
    r->options.signer = &signer;
}

static void forget_signer(rig *r)
{
    r->options.public_key = (const uint8_t *)"x";
    r->options.public_key_len = 1;
}

static void empty_cache_key(rig *r)
{
    r->options.cache_key = "";
}

static void never_renew(rig *r)
{
    r->options.renew_percent = 91;
}

static void always_renew(rig *r)
{
    r->options.renew_percent = 0;
}

static void each_mistake_is_named(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(rig *r);
        iothub_result code;
        const char *text;
    } mistakes[] = {
        { drop_platform, IOTHUB_ERR_ARG, "platform and maker" },
        { drop_maker, IOTHUB_ERR_ARG, "platform and maker" },
        { drop_identities, IOTHUB_ERR_UNSUPPORTED, "plat_posix_identities()" },
        { forget_init, IOTHUB_ERR_ARG, "iothub_certificate_options_init" },
        { spoil_size, IOTHUB_ERR_ARG, "iothub_certificate_options_init" },
        { spoil_kind, IOTHUB_ERR_ARG, "key_kind" },
        { forget_public_key, IOTHUB_ERR_ARG, "signer and public_key" },
        { forget_signer, IOTHUB_ERR_ARG, "signer and public_key" },
        { empty_cache_key, IOTHUB_ERR_ARG, "cache_key" },
        { never_renew, IOTHUB_ERR_ARG, "renew_percent" },
        { always_renew, IOTHUB_ERR_ARG, "renew_percent" },
    };

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        iothub_error error;
        rig r;
        begin(&r);
        mistakes[i].spoil(&r);
        assert_int_equal(take(&r, &error), mistakes[i].code);
        assert_non_null(strstr(error.text, mistakes[i].text));
        fake_platform_free(&r.platform);
    }
}

static void memory_that_is_missing_or_small_is_refused(void **state)
{
    (void)state;
    static uint64_t memory[IOTHUB_CERTIFICATE_SIZE / sizeof(uint64_t)];
    iothub_error error;
    rig r;
    begin(&r);

    assert_null(iothub_certificate_init(NULL, sizeof memory, &r.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_null(iothub_certificate_init(memory, sizeof memory - 1, &r.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
    assert_null(iothub_certificate_init(memory, sizeof memory, NULL, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    iothub_certificate_deinit(NULL);
    fake_platform_free(&r.platform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_with_platform_and_maker_are_valid),
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(memory_that_is_missing_or_small_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
