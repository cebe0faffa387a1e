#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "state/seal.h"

#define LEN_MAX 40

/* Returns an object with a total length of len bytes. */
static hub_text object(size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH";
    hub_text t = { 0 };

    hub_text_str(&t, "{");
    hub_text_add(&t, letters, len - 2);
    hub_text_str(&t, "}");
    return t;
}

static void what_was_sealed_is_the_same_again(void **state)
{
    (void)state;
    for (size_t len = 2; len < LEN_MAX; len++) {
        hub_text plain = object(len);
        hub_text t = object(len);

        hub_seal(&t);
        assert_int_equal(t.p[t.len - 1], '}');
        assert_true(t.len > len);
        size_t left = t.len;
        assert_true(hub_unseal(t.p, &left));
        assert_int_equal(left, len);
        assert_string_equal(t.p, plain.p);
        hub_text_free(&t);
        hub_text_free(&plain);
    }
}

static void one_changed_bit_shows(void **state)
{
    (void)state;
    for (size_t len = 2; len < LEN_MAX; len++) {
        hub_text t = object(len);

        hub_seal(&t);
        for (size_t bit = 0; bit < (len - 1) * 8; bit++) {
            size_t left = t.len;
            t.p[bit / 8] ^= (char)(1 << bit % 8);
            assert_false(hub_unseal(t.p, &left));
            t.p[bit / 8] ^= (char)(1 << bit % 8);
        }
        hub_text_free(&t);
    }
}

static void exchanged_words_and_zeros_at_the_end_show(void **state)
{
    (void)state;
    char zeros[64] = { 0 };
    hub_text sums[4] = { { 0 } };
    size_t n = 0;

    hub_sum_add(&sums[n++], "abcdefghABCDEFGH", 16);
    hub_sum_add(&sums[n++], "ABCDEFGHabcdefgh", 16);
    hub_sum_add(&sums[n++], zeros, 16);
    hub_sum_add(&sums[n++], zeros, 17);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(sums[i].len, HUB_SUM_LEN);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(sums[i].p, sums[k].p);
        }
    }
    for (size_t i = 0; i < n; i++) {
        hub_text_free(&sums[i]);
    }
}

static void the_sum_is_the_same_on_every_machine(void **state)
{
    (void)state;
    hub_text t = { 0 };

    hub_text_str(&t, "{\"sequence\":1,\"body\":\"x\"}");
    hub_seal(&t);
    assert_string_equal(t.p, "{\"sequence\":1,\"body\":\"x\",\"check\":\"52af882474520303\"}");
    hub_text_free(&t);
}

static void a_text_of_an_earlier_version_is_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "{\"a\":1}",
        "{\"a\":1,\"sum\":\"0123456789abcdef\"}",
        "{\"check\":\"0123456789abcdef\"}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[64];
        size_t len = strlen(texts[i]);

        strcpy(text, texts[i]);
        assert_true(hub_unseal(text, &len));
        assert_int_equal(len, strlen(texts[i]));
        assert_string_equal(text, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_is_the_same_again),
        cmocka_unit_test(one_changed_bit_shows),
        cmocka_unit_test(exchanged_words_and_zeros_at_the_end_show),
        cmocka_unit_test(the_sum_is_the_same_on_every_machine),
        cmocka_unit_test(a_text_of_an_earlier_version_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
