#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/crypto/crypto.h"

#define GUARD 0xC7

static void hmac_sha256_gives_the_answers_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t aa[131];
    memset(aa, 0xaa, sizeof aa);
    uint8_t counting[25];
    for (size_t i = 0; i < sizeof counting; i++) {
        counting[i] = (uint8_t)(i + 1);
    }
    uint8_t dd[50];
    memset(dd, 0xdd, sizeof dd);
    uint8_t cd[50];
    memset(cd, 0xcd, sizeof cd);
    uint8_t b0[20];
    memset(b0, 0x0b, sizeof b0);
    static const char larger[] =
        "This is a test using a larger than block-size key and a larger than "
        "block-size data. The key needs to be hashed before being used by "
        "the HMAC algorithm.";
    const struct {
        const void *key;
        size_t key_len;
        const void *data;
        size_t len;
        const char *hex;
    } cases[] = {
        { b0, sizeof b0, "Hi There", 8,
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { "Jefe", 4, "what do ya want for nothing?", 28,
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { aa, 20, dd, sizeof dd,
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
        { counting, sizeof counting, cd, sizeof cd,
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
        { aa, sizeof aa, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
        { aa, sizeof aa, larger, sizeof larger - 1,
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
        /* this case is not in the RFC: an empty key and an empty message */
        { "", 0, "", 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
    };
    const plat_crypto *c = &plat_wolfssl_crypto;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t mac[PLAT_SHA256_SIZE];
        assert_int_equal(
            c->hmac_sha256(c, cases[i].key, cases[i].key_len, cases[i].data, cases[i].len, mac),
            PLAT_OK);
        char hex[2 * PLAT_SHA256_SIZE + 1];
        for (size_t k = 0; k < sizeof mac; k++) {
            static const char digits[] = "0123456789abcdef";
            hex[2 * k] = digits[mac[k] >> 4];
            hex[2 * k + 1] = digits[mac[k] & 15];
        }
        hex[sizeof hex - 1] = '\0';
        assert_string_equal(hex, cases[i].hex);
    }
}

static const struct {
    const char *plain;
    const char *text;
} rfc_4648[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

static void base64_gives_the_answers_of_rfc_4648_in_both_directions(void **state)
{
    (void)state;
    const plat_crypto *c = &plat_wolfssl_crypto;

    for (size_t i = 0; i < sizeof rfc_4648 / sizeof rfc_4648[0]; i++) {
        const char *plain = rfc_4648[i].plain;
        const char *text = rfc_4648[i].text;
        char encoded[16];
        uint8_t decoded[16];
        size_t n = 99;

        assert_int_equal(c->base64_encode(c, plain, strlen(plain), encoded, sizeof encoded, &n),
                         PLAT_OK);
        assert_int_equal(n, strlen(text));
        assert_memory_equal(encoded, text, n);
        n = 99;
        assert_int_equal(c->base64_decode(c, text, strlen(text), decoded, sizeof decoded, &n),
                         PLAT_OK);
        assert_int_equal(n, strlen(plain));
        assert_memory_equal(decoded, plain, n);
    }
}

static void fill(uint8_t *bytes, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)((seed + i) * 151u + (i >> 3) * 29u);
    }
}

static void base64_brings_back_every_length_on_one_line(void **state)
{
    (void)state;
    const plat_crypto *c = &plat_wolfssl_crypto;
    uint8_t plain[600] = { 0 };
    uint8_t decoded[600];
    char text[804];

    for (size_t len = 0; len <= sizeof plain; len++) {
        size_t text_len = 0;
        size_t n = 0;
        fill(plain, len, (unsigned)len);
        assert_int_equal(c->base64_encode(c, plain, len, text, sizeof text, &text_len), PLAT_OK);
        assert_int_equal(text_len, (len + 2) / 3 * 4);
        assert_null(memchr(text, '\n', text_len));
        assert_int_equal(c->base64_decode(c, text, text_len, decoded, sizeof decoded, &n), PLAT_OK);
        assert_int_equal(n, len);
        assert_memory_equal(decoded, plain, n);
    }
}

static void base64_needs_exactly_its_length_and_writes_nothing_beyond(void **state)
{
    (void)state;
    const plat_crypto *c = &plat_wolfssl_crypto;
    uint8_t plain[70];
    fill(plain, sizeof plain, 7);

    for (size_t len = 0; len <= sizeof plain; len++) {
        char text[100];
        size_t text_len = 0;
        assert_int_equal(c->base64_encode(c, plain, len, text, sizeof text, &text_len), PLAT_OK);
        for (size_t cap = 0; cap <= text_len; cap++) {
            uint8_t out[100];
            size_t n = 0;
            memset(out, GUARD, sizeof out);
            plat_result r = c->base64_encode(c, plain, len, (char *)out, cap, &n);
            assert_int_equal(r, cap < text_len ? PLAT_ERR_NO_SPACE : PLAT_OK);
            assert_int_equal(out[cap], GUARD);

            memset(out, GUARD, sizeof out);
            r = c->base64_decode(c, text, text_len, out, cap, &n);
            assert_int_equal(r, cap < len ? PLAT_ERR_NO_SPACE : PLAT_OK);
            assert_int_equal(out[cap < len ? cap : len], GUARD);
        }
    }
}

static void base64_refuses_every_truncation_inside_a_quad(void **state)
{
    (void)state;
    const plat_crypto *c = &plat_wolfssl_crypto;
    static const char text[] = "c2VjcmV0IGtleSBvZiBhIGRldmljZSB0aGF0IG5vYm9keSBrbm93cw==";

    for (size_t len = 0; len < sizeof text - 1; len++) {
        uint8_t out[64];
        size_t n = 99;
        plat_result r = c->base64_decode(c, text, len, out, sizeof out, &n);
        assert_int_equal(r, len % 4 == 0 ? PLAT_OK : PLAT_ERR_ENCODING);
    }
}

static void base64_refuses_every_foreign_character_at_every_place(void **state)
{
    (void)state;
    const plat_crypto *c = &plat_wolfssl_crypto;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t at = 0; at < 8; at++) {
        for (unsigned ch = 0; ch < 256; ch++) {
            char text[] = "QUJDREVG";
            uint8_t out[8];
            size_t n = 0;
            text[at] = (char)ch;
            bool good = ch != 0 && strchr(alphabet, (int)ch) != NULL;
            /* "QUJDREV=" has a bit set that must be zero; it is tested below. */
            bool padding = ch == '=' && at == 7;
            plat_result r = c->base64_decode(c, text, 8, out, sizeof out, &n);
            assert_int_equal(r, good && !padding ? PLAT_OK : PLAT_ERR_ENCODING);
        }
    }
}

static void base64_refuses_loose_padding_white_space_and_stray_bits(void **state)
{
    (void)state;
    const plat_crypto *c = &plat_wolfssl_crypto;
    static const char *const bad[] = {
        "Zg=",   "Zg",       "Zg===",    "=",        "==",        "====",         "Z===",
        "=Zg=",  "Zg==Zg==", "Zm8=Zm8=", "Zm9v====", "Zm9v\n",    "Zm9v\r\n",     " Zm9v",
        "Zm9v ", "Zm\n9v",   "Zg==\n",   "Zg= =",    "Zg=\n",     "Zh==",         "Zv==",
        "Zm9=",  "Zm+=",     "Zm-v",     "Zm_v",     "Zm9v\nZg=", "Zm9vZm9\nZm9v"
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t out[16];
        size_t n = 99;
        if (c->base64_decode(c, bad[i], strlen(bad[i]), out, sizeof out, &n) != PLAT_ERR_ENCODING) {
            fail_msg("accepted \"%s\"", bad[i]);
        }
    }
}

static void random_bytes_fill_every_length_and_differ_each_time(void **state)
{
    (void)state;
    const plat_crypto *c = &plat_wolfssl_crypto;
    static uint8_t a[200000]; /* more bytes than one call of wolfCrypt generates */
    static uint8_t b[200000];
    static const size_t lengths[] = { 0, 1, 16, 65536, 65537, sizeof a - 1 };

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memset(a, 0, sizeof a);
        memset(b, 0, sizeof b);
        assert_int_equal(c->random(c, a, lengths[i]), PLAT_OK);
        assert_int_equal(c->random(c, b, lengths[i]), PLAT_OK);
        assert_int_equal(a[lengths[i]], 0);
        if (lengths[i] >= 16) {
            assert_memory_not_equal(a, b, lengths[i]);
            assert_memory_not_equal(a + lengths[i] - 16, b + lengths[i] - 16, 16);
        }
    }
}

static void sha1_gives_the_answers_of_rfc_3174_and_rfc_6455(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t times;
        uint8_t hash[PLAT_SHA1_SIZE];
    } cases[] = {
        { "abc", 1, { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                      0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d } },
        { "0123456701234567012345670123456701234567012345670123456701234567",
          10,
          { 0xde, 0xa3, 0x56, 0xa2, 0xcd, 0xdd, 0x90, 0xc7, 0xa7, 0xec,
            0xed, 0xc5, 0xeb, 0xb5, 0x63, 0x93, 0x4f, 0x46, 0x04, 0x52 } },
        { "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
          1,
          { 0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6,
            0x46, 0x06, 0xcf, 0x38, 0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea } },
        /* this case of an empty message is in neither document */
        { "", 1, { 0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55,
                   0xbf, 0xef, 0x95, 0x60, 0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09 } },
    };
    const plat_crypto *c = &plat_wolfssl_crypto;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        size_t len = strlen(cases[i].text);
        for (size_t k = 0; k < cases[i].times; k++) {
            memcpy(text + k * len, cases[i].text, len);
        }
        uint8_t hash[PLAT_SHA1_SIZE];
        assert_int_equal(c->sha1(c, text, len * cases[i].times, hash), PLAT_OK);
        assert_memory_equal(hash, cases[i].hash, sizeof hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_sha256_gives_the_answers_of_rfc_4231),
        cmocka_unit_test(base64_gives_the_answers_of_rfc_4648_in_both_directions),
        cmocka_unit_test(base64_brings_back_every_length_on_one_line),
        cmocka_unit_test(base64_needs_exactly_its_length_and_writes_nothing_beyond),
        cmocka_unit_test(base64_refuses_every_truncation_inside_a_quad),
        cmocka_unit_test(base64_refuses_every_foreign_character_at_every_place),
        cmocka_unit_test(base64_refuses_loose_padding_white_space_and_stray_bits),
        cmocka_unit_test(random_bytes_fill_every_length_and_differ_each_time),
        cmocka_unit_test(sha1_gives_the_answers_of_rfc_3174_and_rfc_6455),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
