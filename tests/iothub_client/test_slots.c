#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certificate/slots.h"
#include "certificate_fixture.h"

static plat_identity *make_identity(fake_issuer *i)
{
    uint8_t der[FAKE_CERTIFICATE_SIZE];
    const plat_identity_config config = { .chain = { .data = der, .len = sizeof der },
                                          .key = { .data = "key 1", .len = 5 } };
    plat_identity_fault fault;
    plat_identity *identity;

    fake_issuer_put(der, 1, 1, 2);
    assert_int_equal(i->identities.make(&i->identities, &config, &identity, &fault), PLAT_OK);
    return identity;
}

static void a_list_begins_with_the_certificate_and_ends_with_the_others(void **state)
{
    (void)state;
    iothub_credential others[IOTHUB_CREDENTIALS_MAX - 1];
    fake_issuer issuer;
    certificate_slots s;
    fake_issuer_init(&issuer);
    slots_init(&s, &issuer.identities);

    for (size_t i = 0; i < IOTHUB_CREDENTIALS_MAX - 1; i++) {
        others[i] = iothub_key_credential("AAAA", NULL);
    }
    slots_set_others(&s, others, IOTHUB_CREDENTIALS_MAX - 1);
    for (unsigned round = 0; round < 4; round++) {
        plat_identity *identity = make_identity(&issuer);
        slots_offer(&s, identity);
        const certificate_slot *next = slots_next(&s);
        assert_ptr_equal(next->list[0].as.identity, identity);
        assert_int_equal(next->list[0].kind, IOTHUB_CREDENTIAL_X509);
        assert_int_equal(next->list[IOTHUB_CREDENTIALS_MAX - 1].kind, IOTHUB_CREDENTIAL_KEY);
        slots_adopt(&s);
        assert_ptr_equal(slots_used(&s), next);
        assert_null(slots_next(&s)->identity);
        assert_int_equal(issuer.alive, 1);
    }
    slots_deinit(&s);
    assert_int_equal(issuer.alive, 0);
}

static void each_certificate_is_released_once(void **state)
{
    (void)state;
    fake_issuer issuer;
    certificate_slots s;
    fake_issuer_init(&issuer);
    slots_init(&s, &issuer.identities);

    slots_offer(&s, make_identity(&issuer));
    slots_offer(&s, make_identity(&issuer)); /* in place of the first */
    assert_int_equal(issuer.alive, 1);
    slots_adopt(&s);
    slots_offer(&s, make_identity(&issuer));
    assert_int_equal(issuer.alive, 2);
    slots_drop_next(&s);
    assert_int_equal(issuer.alive, 1);
    const plat_identity *used = slots_used(&s)->identity;
    slots_offer(&s, make_identity(&issuer));
    slots_withdraw(&s);
    assert_int_equal(issuer.alive, 1);
    assert_ptr_equal(slots_next(&s)->identity, used);
    slots_withdraw(&s);
    assert_ptr_equal(slots_next(&s)->identity, used);
    slots_deinit(&s);
    slots_deinit(&s);
    assert_int_equal(issuer.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_begins_with_the_certificate_and_ends_with_the_others),
        cmocka_unit_test(each_certificate_is_released_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
