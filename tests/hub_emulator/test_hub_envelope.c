/* Tests the text that the TLS front sends to the hub in place of the password. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/envelope.h"

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PEER   "127.0.0.1:40000"

static hub_text written(const char *chain, const char *password)
{
    hub_text out = { 0 };
    const hub_envelope e = {
        .number = UINT64_MAX,
        .peer = PEER,
        .peer_len = strlen(PEER),
        .chain = chain,
        .chain_len = strlen(chain),
        .password = password,
        .password_len = password != NULL ? strlen(password) : 0,
    };

    hub_envelope_write(&out, SECRET, &e);
    return out;
}

static void what_was_written_is_read(void **state)
{
    static const char *const chains[] = { "", "AAAA", "AAAA,BBBB" };
    static const char *const passwords[] = {
        NULL, "", "-", "+", "a b", "SharedAccessSignature sr=x"
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 6; k++) {
            hub_text t = written(chains[i], passwords[k]);
            hub_envelope e;
            assert_true(hub_envelope_read(&e, t.p, SECRET));
            assert_true(e.number == UINT64_MAX);
            assert_int_equal(e.peer_len, strlen(PEER));
            assert_memory_equal(e.peer, PEER, e.peer_len);
            assert_int_equal(e.chain_len, strlen(chains[i]));
            assert_memory_equal(e.chain, chains[i], e.chain_len);
            assert_int_equal(e.password != NULL, passwords[k] != NULL);
            if (passwords[k] != NULL) {
                assert_string_equal(e.password, passwords[k]);
                assert_int_equal(e.password_len, strlen(passwords[k]));
            }
            hub_text_free(&t);
        }
    }
}

static void every_truncation_before_the_password_is_refused(void **state)
{
    hub_text t = written("AAAA", "secret");
    const size_t password_at = t.len - strlen("secret");

    (void)state;
    for (size_t len = 0; len < password_at; len++) {
        char *cut = hub_memdup(t.p, len);
        hub_envelope e;
        assert_false(hub_envelope_read(&e, cut, SECRET));
        free(cut);
    }
    hub_text_free(&t);
}

static void every_changed_byte_of_the_secret_is_refused(void **state)
{
    hub_text t = written("", NULL);

    (void)state;
    for (size_t i = 0; i < HUB_ENVELOPE_SECRET_LEN; i++) {
        hub_envelope e;
        t.p[i] ^= 1;
        assert_false(hub_envelope_read(&e, t.p, SECRET));
        t.p[i] ^= 1;
    }
    hub_text_free(&t);
}

static void other_texts_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        SECRET,
        SECRET " ",
        SECRET "  p - -",
        SECRET " x p - -",
        SECRET " -1 p - -",
        SECRET " 1  - -",
        SECRET " 1 p  -",
        SECRET " 1 p - x",
        SECRET " 1 p - -x",
        SECRET " 123456789012345678901 p - -",
        "SharedAccessSignature sr=x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        hub_envelope e;
        assert_false(hub_envelope_read(&e, texts[i], SECRET));
    }
}

static void secrets_are_long_and_differ(void **state)
{
    char *one = hub_envelope_secret();
    char *other = hub_envelope_secret();

    (void)state;
    assert_int_equal(strlen(one), HUB_ENVELOPE_SECRET_LEN);
    assert_int_equal(strspn(one, "0123456789abcdef"), HUB_ENVELOPE_SECRET_LEN);
    assert_string_not_equal(one, other);
    free(one);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_truncation_before_the_password_is_refused),
        cmocka_unit_test(every_changed_byte_of_the_secret_is_refused),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(secrets_are_long_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
