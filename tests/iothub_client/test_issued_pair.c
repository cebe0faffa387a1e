#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certificate/issued_pair.h"
#include "certificate_fixture.h"
#include "fake_kv.h"

static issued_pair pair; /* large */

static void fill(const plat_made_key *key, unsigned number)
{
    uint8_t der[FAKE_CERTIFICATE_SIZE];

    fake_issuer_put(der, number, 1, 2);
    issued_pair_begin(&pair, key);
    assert_true(issued_pair_take_chain(&pair, mqc_span_of(der, sizeof der)));
}

static void what_was_saved_makes_the_same_identity(void **state)
{
    (void)state;
    const plat_made_key key = { .len = 5, .der = "key 1" };
    plat_identity_fault fault;
    plat_identity *identity;
    fake_issuer issuer;
    fake_kv kv;
    fake_issuer_init(&issuer);
    fake_kv_init(&kv);

    fill(&key, 1);
    assert_int_equal(issued_pair_save(&pair, &kv.base, "c"), PLAT_OK);
    issued_pair_erase(&pair);
    assert_int_equal(issued_pair_load(&pair, &kv.base, "c"), PLAT_OK);
    assert_int_equal(issued_pair_identity(&pair, &issuer.identities, NULL, &identity, &fault),
                     PLAT_OK);
    issuer.identities.release(identity);
    assert_int_equal(issuer.alive, 0);
}

static void a_pair_without_a_key_uses_the_signer(void **state)
{
    (void)state;
    const plat_signer signer = { 0 };
    plat_identity_fault fault;
    plat_identity *identity;
    fake_issuer issuer;
    fake_issuer_init(&issuer);

    fill(NULL, 9);
    assert_int_equal(issued_pair_identity(&pair, &issuer.identities, &signer, &identity, &fault),
                     PLAT_OK);
    issuer.identities.release(identity);
}

/* Also, no byte outside of the value is read. */
static void a_value_that_is_cut_anywhere_is_no_pair(void **state)
{
    (void)state;
    const plat_made_key key = { .len = 5, .der = "key 1" };
    plat_identity_fault fault;
    plat_identity *identity;
    fake_issuer issuer;
    fake_kv kv;
    fake_issuer_init(&issuer);
    fake_kv_init(&kv);
    fill(&key, 1);
    assert_int_equal(issued_pair_save(&pair, &kv.base, "c"), PLAT_OK);

    while (kv.values[0].len-- > 0) {
        const plat_result r = issued_pair_load(&pair, &kv.base, "c");
        if (r == PLAT_OK) { /* the chain is cut */
            assert_true(pair.chain_len > 0);
            assert_int_not_equal(
                issued_pair_identity(&pair, &issuer.identities, NULL, &identity, &fault), PLAT_OK);
        } else {
            assert_int_equal(r, PLAT_EOF);
            assert_int_equal(pair.chain_len, 0);
        }
    }
}

static void a_key_length_beyond_the_value_is_no_pair(void **state)
{
    (void)state;
    const plat_made_key key = { .len = 5, .der = "key 1" };
    fake_kv kv;
    fake_kv_init(&kv);
    fill(&key, 1);
    assert_int_equal(issued_pair_save(&pair, &kv.base, "c"), PLAT_OK);

    for (unsigned len = 0; len <= UINT16_MAX; len++) {
        kv.values[0].data[0] = (char)(len >> 8);
        kv.values[0].data[1] = (char)(len & 0xFF);
        const bool fits = len + ISSUED_PAIR_HEAD < kv.values[0].len;
        assert_int_equal(issued_pair_load(&pair, &kv.base, "c"), fits ? PLAT_OK : PLAT_EOF);
    }
}

static void a_failing_cache_is_told_from_an_empty_one(void **state)
{
    (void)state;
    fake_kv kv;
    fake_kv_init(&kv);

    assert_int_equal(issued_pair_load(&pair, &kv.base, "c"), PLAT_EOF);
    kv.get_fails = PLAT_ERR_STORE;
    assert_int_equal(issued_pair_load(&pair, &kv.base, "c"), PLAT_ERR_STORE);
}

static void a_chain_that_is_too_large_is_refused(void **state)
{
    (void)state;
    static uint8_t large[sizeof pair.bytes];
    const plat_made_key key = { .len = 5, .der = "key 1" };
    const size_t room = sizeof pair.bytes - ISSUED_PAIR_HEAD - 5;

    issued_pair_begin(&pair, &key);
    assert_false(issued_pair_take_chain(&pair, mqc_span_of(large, room + 1)));
    assert_true(issued_pair_take_chain(&pair, mqc_span_of(large, room)));
}

static void an_erased_pair_contains_nothing(void **state)
{
    (void)state;
    const plat_made_key key = { .len = 5, .der = "key 1" };
    const uint8_t *bytes = (const uint8_t *)&pair;

    fill(&key, 1);
    issued_pair_erase(&pair);
    for (size_t i = 0; i < sizeof pair; i++) {
        assert_int_equal(bytes[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_makes_the_same_identity),
        cmocka_unit_test(a_pair_without_a_key_uses_the_signer),
        cmocka_unit_test(a_value_that_is_cut_anywhere_is_no_pair),
        cmocka_unit_test(a_key_length_beyond_the_value_is_no_pair),
        cmocka_unit_test(a_failing_cache_is_told_from_an_empty_one),
        cmocka_unit_test(a_chain_that_is_too_large_is_refused),
        cmocka_unit_test(an_erased_pair_contains_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
