#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_platform.h"
#include "iothub/sas.h"

#define K32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SAS "SharedAccessSignature "

static const plat_crypto *crypto;

static int start(void **state)
{
    static fake_platform platform;
    fake_platform_init(&platform);
    crypto = platform.platform.crypto;
    *state = &platform;
    return 0;
}

static int stop(void **state)
{
    fake_platform_free(*state);
    return 0;
}

/* The first two are published vectors; the others were computed with an independent
 * implementation. */
static const struct {
    const char *key;
    const char *resource;
    uint64_t expiry;
    const char *policy;
    const char *token;
} vectors[] = {
    { "cGFzc3dvcmQ=", "uri", 12345, "",
      SAS "sr=uri&sig=kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhk%3D&se=12345" },
    { "cGFzc3dvcmQ=", "uri", 12345, "encode('Me')",
      SAS "sr=uri&sig=kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhk%3D&se=12345"
          "&skn=encode%28%27Me%27%29" },
    { K32, "myhub.azure-devices.net/devices/device1", 1700000000, "",
      SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1"
          "&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700000000" },
    { K32, "myhub.azure-devices.net/devices/device1", 1700000000, "any",
      SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1"
          "&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700000000&skn=any" },
    { K32, "myhub.azure-devices.net/devices/device1/modules/mod1", 1700000000, "",
      SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1%2Fmodules%2Fmod1"
          "&sig=AXjj7ZMV66oOI2zG1PugMgZ11Jn6WP2K6XWP9Wc2Z30%3D&se=1700000000" },
    { K32, "myhub.azure-devices.net", 1700000000, "iothubowner",
      SAS "sr=myhub.azure-devices.net&sig=iIzEw6hi6GK79RY5jNXO6QeQkSL%2FAx4zTmy44X2G1VY%3D"
          "&se=1700000000&skn=iothubowner" },
    { K32, "0neFEEDC0DE/registrations/reg-1", 1700000000, "registration",
      SAS "sr=0neFEEDC0DE%2Fregistrations%2Freg-1"
          "&sig=%2F1I%2Fjsk3yCiBuBdfQVbVHXelztGKRP6BFOviWvkD8N8%3D&se=1700000000"
          "&skn=registration" },
    { K32, "myhub.azure-devices.net/devices/dev+1#a%b:c@d", 1700000000, "",
      SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdev%2B1%23a%25b%3Ac%40d"
          "&sig=xgN6MyMHzjbyBmhjThphsbbkEj3Q%2FR0nNHrklZYBWvg%3D&se=1700000000" },
};
enum { VECTORS = sizeof vectors / sizeof vectors[0] };

static iothub_sas_grant grant_of(size_t i)
{
    const iothub_sas_grant grant = {
        .resource = mqc_span_str(vectors[i].resource),
        .key = mqc_span_str(vectors[i].key),
        .policy = mqc_span_str(vectors[i].policy),
        .expiry_s = vectors[i].expiry,
    };
    return grant;
}

static void known_answers_are_built(void **state)
{
    (void)state;

    for (size_t i = 0; i < VECTORS; i++) {
        char out[IOTHUB_SAS_TOKEN_SIZE];
        size_t len = 0;
        const iothub_sas_grant grant = grant_of(i);

        iothub_result r = iothub_sas_build(crypto, &grant, out, sizeof out, &len, NULL);

        assert_int_equal(r, IOTHUB_OK);
        assert_string_equal(out, vectors[i].token);
        assert_int_equal(len, strlen(out));
    }
}

static void known_answers_are_read_and_verified(void **state)
{
    (void)state;

    for (size_t i = 0; i < VECTORS; i++) {
        iothub_sas_token token;
        char text[128];

        assert_int_equal(iothub_sas_parse(&token, mqc_span_str(vectors[i].token), NULL), IOTHUB_OK);

        assert_int_equal(token.expiry_s, vectors[i].expiry);
        assert_int_equal(iothub_sas_decode(token.resource, text, sizeof text), IOTHUB_OK);
        assert_string_equal(text, vectors[i].resource);
        assert_int_equal(iothub_sas_decode(token.policy, text, sizeof text), IOTHUB_OK);
        assert_string_equal(text, vectors[i].policy);
        assert_int_equal(iothub_sas_verify(crypto, &token, mqc_span_str(vectors[i].key), NULL),
                         IOTHUB_OK);
    }
}

static void every_capacity_writes_the_whole_token_or_nothing(void **state)
{
    (void)state;

    for (size_t i = 0; i < VECTORS; i++) {
        const iothub_sas_grant grant = grant_of(i);
        size_t need = strlen(vectors[i].token) + 1;

        for (size_t cap = 0; cap <= need + 1; cap++) {
            char out[300];
            memset(out, 0x5A, sizeof out);

            iothub_result r = iothub_sas_build(crypto, &grant, out, cap, NULL, NULL);

            assert_int_equal(r, cap >= need ? IOTHUB_OK : IOTHUB_ERR_NO_SPACE);
            assert_true(cap == 0 || (out[0] == '\0') == (r != IOTHUB_OK));
            for (size_t at = cap; at < sizeof out; at++) {
                assert_int_equal(out[at], 0x5A);
            }
        }
    }
}

static void tokens_of_identities_use_their_own_resource(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t vector;
    } cases[] = {
        { "HostName=myhub.azure-devices.net;DeviceId=device1;SharedAccessKey=" K32, 2 },
        { "HostName=myhub.azure-devices.net;GatewayHostName=localhost;DeviceId=device1;"
          "SharedAccessKey=" K32,
          2 },
        { "HostName=myhub.azure-devices.net;DeviceId=device1;ModuleId=mod1;SharedAccessKey=" K32,
          4 },
        { "HostName=myhub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=" K32,
          5 },
        { "HostName=myhub.azure-devices.net;DeviceId=dev+1#a%b:c@d;SharedAccessKey=" K32, 7 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[IOTHUB_SAS_TOKEN_SIZE];
        iothub_connection_string cs;
        assert_int_equal(iothub_connection_string_parse(&cs, cases[i].text, NULL), IOTHUB_OK);
        assert_int_equal(iothub_sas_build_for(crypto, &cs, 1700000000, out, sizeof out, NULL, NULL),
                         IOTHUB_OK);
        assert_string_equal(out, vectors[cases[i].vector].token);
    }
}

static void a_device_with_a_policy_names_it_and_keeps_its_own_resource(void **state)
{
    (void)state;
    char out[IOTHUB_SAS_TOKEN_SIZE];
    char expected[IOTHUB_SAS_TOKEN_SIZE];
    iothub_connection_string cs;
    const iothub_sas_grant grant = {
        .resource = MQC_SPAN_LIT("myhub.azure-devices.net/devices/device1"),
        .key = MQC_SPAN_LIT(K32),
        .policy = MQC_SPAN_LIT("iothubowner"),
        .expiry_s = 1700000000,
    };

    assert_int_equal(
        iothub_connection_string_parse(&cs,
                                       "HostName=myhub.azure-devices.net;DeviceId=device1;"
                                       "SharedAccessKeyName=iothubowner;SharedAccessKey=" K32,
                                       NULL),
        IOTHUB_OK);
    assert_int_equal(cs.kind, IOTHUB_IDENTITY_DEVICE);
    assert_int_equal(iothub_sas_build_for(crypto, &cs, 1700000000, out, sizeof out, NULL, NULL),
                     IOTHUB_OK);
    assert_int_equal(iothub_sas_build(crypto, &grant, expected, sizeof expected, NULL, NULL),
                     IOTHUB_OK);
    assert_string_equal(out, expected);
    assert_non_null(strstr(out, "&skn=iothubowner"));
}

static void white_space_around_texts_is_ignored_and_inside_refused(void **state)
{
    (void)state;
    iothub_sas_token token;
    iothub_error err;
    char text[512];
    char out[512];

    for (size_t i = 0; i < VECTORS; i++) {
        const iothub_sas_grant grant = {
            .resource = mqc_span_str(strcat(strcpy(text, vectors[i].resource), " \n")),
            .key = mqc_span_str(strcat(strcat(strcpy(out, "\t "), vectors[i].key), "\r\n")),
            .policy = mqc_span_str(vectors[i].policy),
            .expiry_s = vectors[i].expiry,
        };
        char made[512];
        assert_int_equal(iothub_sas_build(crypto, &grant, made, sizeof made, NULL, NULL),
                         IOTHUB_OK);
        assert_string_equal(made, vectors[i].token);

        (void)snprintf(text, sizeof text, " \t%s\r\n", vectors[i].token);
        assert_int_equal(iothub_sas_parse(&token, mqc_span_str(text), NULL), IOTHUB_OK);
        assert_int_equal(iothub_sas_verify(crypto, &token, grant.key, NULL), IOTHUB_OK);
    }
    static const char *const inside[] = { "SharedAccessSignature sr=a b&sig=AAAA&se=1",
                                          "SharedAccessSignature sr=a&sig=AAAA &se=1",
                                          "SharedAccessSignature sr=a\r\nx&sig=AAAA&se=1",
                                          "SharedAccessSignature  sr=a&sig=AAAA&se=1" };
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        assert_int_not_equal(iothub_sas_parse(&token, mqc_span_str(inside[i]), &err), IOTHUB_OK);
    }
}

/* The sizes in the header are enough for the longest names with every byte percent-encoded. */
static void the_longest_identity_fits_the_documented_sizes(void **state)
{
    (void)state;
    char text[2400] = "HostName=";
    char out[IOTHUB_SAS_TOKEN_SIZE];
    char resource[IOTHUB_SAS_RESOURCE_SIZE];
    iothub_connection_string cs;
    iothub_sas_token token;

    for (int label = 0; label < 126; label++) {
        strcat(text, "a.");
    }
    strcat(text, "a;DeviceId=");
    memset(text + strlen(text), '#', IOTHUB_ID_MAX);
    strcat(text, ";ModuleId=");
    memset(text + strlen(text), '$', IOTHUB_ID_MAX);
    strcat(text, ";SharedAccessKeyName=");
    memset(text + strlen(text), '=', 128);
    strcat(text, ";SharedAccessKey=");
    memset(text + strlen(text), 'A', 1364);
    strcat(text, "AA==");
    assert_int_equal(iothub_connection_string_parse(&cs, text, NULL), IOTHUB_OK);
    assert_int_equal(cs.host_name.len, IOTHUB_HOST_MAX);

    assert_int_equal(iothub_sas_resource(&cs, resource, sizeof resource), IOTHUB_OK);
    assert_int_equal(iothub_sas_build_for(crypto, &cs, UINT64_MAX, out, sizeof out, NULL, NULL),
                     IOTHUB_OK);
    assert_int_equal(iothub_sas_parse(&token, mqc_span_str(out), NULL), IOTHUB_OK);
    assert_true(token.expiry_s == UINT64_MAX);
    assert_int_equal(iothub_sas_verify(crypto, &token, cs.key, NULL), IOTHUB_OK);
}

static void a_string_with_a_token_cannot_make_one(void **state)
{
    (void)state;
    char out[64];
    iothub_error err;
    iothub_connection_string cs;
    const char *text = "HostName=h;DeviceId=d;SharedAccessSignature=" SAS "sr=h&sig=AAAA&se=1";

    assert_int_equal(iothub_connection_string_parse(&cs, text, NULL), IOTHUB_OK);
    assert_int_equal(iothub_sas_build_for(crypto, &cs, 1, out, sizeof out, NULL, &err),
                     IOTHUB_ERR_ARG);
    assert_non_null(strstr(err.text, "SharedAccessKey"));
}

static void bad_grants_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *resource;
        const char *key;
        iothub_result code;
    } cases[] = {
        { "no resource", "", K32, IOTHUB_ERR_ARG },
        { "no key", "uri", "", IOTHUB_ERR_KEY },
        { "key with white space inside", "uri", "AAEC AwQF", IOTHUB_ERR_KEY },
        { "key without padding", "uri", "cGFzc3dvcmQ", IOTHUB_ERR_KEY },
        { "key in the other alphabet", "uri", "-_-_", IOTHUB_ERR_KEY },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256] = "untouched";
        iothub_error err = { .code = IOTHUB_OK };
        const iothub_sas_grant grant = {
            .resource = mqc_span_str(cases[i].resource),
            .key = mqc_span_str(cases[i].key),
        };
        iothub_result r = iothub_sas_build(crypto, &grant, out, sizeof out, NULL, &err);
        if (r != cases[i].code || err.code != r || out[0] != '\0') {
            fail_msg("%s: got %s", cases[i].why, iothub_result_str(r));
        }
    }
}

static void signatures_cover_the_bytes_as_sent(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *token;
        iothub_result code;
    } cases[] = {
        { "fields in another order",
          SAS "se=1700000000&skn=x&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D"
              "&sr=myhub.azure-devices.net%2Fdevices%2Fdevice1",
          IOTHUB_OK },
        { "lower-case hex in sig is only a spelling",
          SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1"
              "&sig=gFSfLGMXDOvf906%2fiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3d&se=1700000000",
          IOTHUB_OK },
        { "sig that is not percent-encoded",
          SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1"
              "&sig=gFSfLGMXDOvf906/iaX3KwzLLNFHgaFZyCbsGjxtd1Y=&se=1700000000",
          IOTHUB_OK },
        { "lower-case hex in sr, signed as upper case",
          SAS "sr=myhub.azure-devices.net%2fdevices%2fdevice1"
              "&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700000000",
          IOTHUB_ERR_AUTH },
        { "lower-case hex in sr, signed so",
          SAS "sr=myhub.azure-devices.net%2fdevices%2fdevice1"
              "&sig=iIyvul1z7xsjQDMXvGvUxZi+lqnXkFn5lOgyNrICYDM=&se=1700000000",
          IOTHUB_OK },
        { "another second",
          SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1"
              "&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700000001",
          IOTHUB_ERR_AUTH },
        { "a leading zero is not what was signed",
          SAS "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1"
              "&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=01700000000",
          IOTHUB_ERR_AUTH },
        { "a signature that is too short", SAS "sr=uri&sig=AAAA&se=12345", IOTHUB_ERR_AUTH },
        { "a signature that is too long",
          SAS "sr=uri&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1", IOTHUB_ERR_AUTH },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_sas_token token;
        assert_int_equal(iothub_sas_parse(&token, mqc_span_str(cases[i].token), NULL), IOTHUB_OK);
        iothub_result r = iothub_sas_verify(crypto, &token, mqc_span_str(K32), NULL);
        if (r != cases[i].code) {
            fail_msg("%s: got %s", cases[i].why, iothub_result_str(r));
        }
    }
}

static void bad_tokens_are_refused_by_field(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        iothub_result code;
        const char *says;
    } cases[] = {
        { "", IOTHUB_ERR_PART_INVALID, "must begin with" },
        { "SharedAccessSignature", IOTHUB_ERR_PART_EMPTY, "part 1 is empty" },
        { "SharedAccessSignatures sr=a", IOTHUB_ERR_PART_INVALID, "must begin with" },
        { "sharedaccesssignature sr=a&sig=AAAA&se=1", IOTHUB_ERR_PART_INVALID, "must begin with" },
        { "sr=a&sig=AAAA&se=1", IOTHUB_ERR_PART_INVALID, "must begin with" },
        { SAS, IOTHUB_ERR_PART_EMPTY, "part 1 is empty" },
        { SAS "sig=AAAA&se=1", IOTHUB_ERR_PART_MISSING, "sr is missing" },
        { SAS "sr=a&se=1", IOTHUB_ERR_PART_MISSING, "sig is missing" },
        { SAS "sr=a&sig=AAAA", IOTHUB_ERR_PART_MISSING, "se is missing" },
        { SAS "sr=&sig=AAAA&se=1", IOTHUB_ERR_PART_EMPTY, "sr is empty" },
        { SAS "sr=a&sig=AAAA&se=", IOTHUB_ERR_PART_EMPTY, "se is empty" },
        { SAS "sr=a&sig=AAAA&se=1&skn=", IOTHUB_ERR_PART_EMPTY, "skn is empty" },
        { SAS "sr=a&sig=AAAA&se=1&", IOTHUB_ERR_PART_EMPTY, "part 4 is empty" },
        { SAS "sr=a&sr=a&sig=AAAA&se=1", IOTHUB_ERR_PART_DUPLICATE, "sr is given twice" },
        { SAS "sr=a&sig=AAAA&se=1&foo=1", IOTHUB_ERR_PART_UNKNOWN, "foo" },
        { SAS "SR=a&sig=AAAA&se=1", IOTHUB_ERR_PART_UNKNOWN, "SR" },
        { SAS " sr=a&sig=AAAA&se=1", IOTHUB_ERR_PART_UNKNOWN, "part 1 has white space" },
        { SAS "sr=a&sig=AAAA&se", IOTHUB_ERR_PART_UNKNOWN, "se is not followed" },
        { SAS "sr=%2&sig=AAAA&se=1", IOTHUB_ERR_PART_INVALID, "sr has a broken percent" },
        { SAS "sr=a&sig=%zz&se=1", IOTHUB_ERR_PART_INVALID, "sig has a broken percent" },
        { SAS "sr=a&sig=AAA&se=1", IOTHUB_ERR_PART_INVALID, "sig is not base64" },
        { SAS "sr=a&sig=A%20AA&se=1", IOTHUB_ERR_PART_INVALID, "sig is not base64" },
        { SAS "sr=a&sig=AAAA&se=-1", IOTHUB_ERR_PART_INVALID, "se is not a decimal" },
        { SAS "sr=a&sig=AAAA&se=1e3", IOTHUB_ERR_PART_INVALID, "se is not a decimal" },
        { SAS "sr=a&sig=AAAA&se=1\n2", IOTHUB_ERR_PART_INVALID, "se contains white space" },
        { SAS "sr=a&sig=AAAA&se=18446744073709551616", IOTHUB_ERR_PART_INVALID, "se is too large" },
        { SAS "sr=a&sig=AAAA&se=99999999999999999999", IOTHUB_ERR_PART_INVALID, "se is too large" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_sas_token token;
        iothub_error err = { .text = "" };
        iothub_result r = iothub_sas_parse(&token, mqc_span_str(cases[i].text), &err);
        if (r != cases[i].code || err.code != r || strstr(err.text, cases[i].says) == NULL) {
            fail_msg("%s: got %s, \"%s\"", cases[i].text, iothub_result_str(r), err.text);
        }
    }
}

static void a_signature_may_be_longer_than_those_of_today_but_not_without_end(void **state)
{
    (void)state;
    for (int len = 4; len <= 200; len++) {
        iothub_sas_token token;
        char text[300];
        char sig[201];
        memset(sig, 'A', (size_t)len);
        sig[len] = '\0';
        snprintf(text, sizeof text, SAS "sr=a&sig=%s&se=1", sig);

        iothub_result r = iothub_sas_parse(&token, mqc_span_str(text), NULL);

        assert_int_equal(r, len % 4 == 0 && len <= 128 ? IOTHUB_OK : IOTHUB_ERR_PART_INVALID);
    }
}

/* A line break in a token would start a new line in a protocol that carries the token. */
static void white_space_is_refused_at_every_place(void **state)
{
    (void)state;
    static const char whole[] = SAS "sr=abc&sig=AAAA&se=123&skn=def";
    static const char blanks[] = " \t\n\r\x01\x1F\x7F";

    for (size_t at = strlen(SAS) + 3; at + 1 < strlen(whole);
         at++) { /* only white space around the token is allowed */
        for (size_t b = 0; b < strlen(blanks); b++) {
            iothub_sas_token token;
            char text[sizeof whole];
            memcpy(text, whole, sizeof whole);
            text[at] = blanks[b];
            assert_int_not_equal(iothub_sas_parse(&token, mqc_span_str(text), NULL), IOTHUB_OK);
        }
    }
}

static void the_largest_expiry_is_read(void **state)
{
    (void)state;
    iothub_sas_token token;

    assert_int_equal(
        iothub_sas_parse(&token, mqc_span_str(SAS "sr=a&sig=AAAA&se=18446744073709551615"), NULL),
        IOTHUB_OK);
    assert_true(token.expiry_s == UINT64_MAX);
}

/* If one byte is changed or the token is cut, it is refused or does not verify. */
static void no_damaged_token_verifies(void **state)
{
    (void)state;
    const char *whole = vectors[2].token;
    const mqc_span key = mqc_span_str(K32);
    size_t len = strlen(whole);

    for (size_t at = 0; at < len; at++) {
        iothub_sas_token token;
        char text[256];
        memcpy(text, whole, len);

        if (iothub_sas_parse(&token, mqc_span_of(text, at), NULL) == IOTHUB_OK) {
            assert_int_equal(iothub_sas_verify(crypto, &token, key, NULL), IOTHUB_ERR_AUTH);
        }
        text[at] = (char)(text[at] ^ 0x01);
        if (iothub_sas_parse(&token, mqc_span_of(text, len), NULL) == IOTHUB_OK) {
            assert_int_equal(iothub_sas_verify(crypto, &token, key, NULL), IOTHUB_ERR_AUTH);
        }
    }
}

/* Bytes that an earlier call left on the stack must not complete a signature. */
static void a_signature_that_ends_early_does_not_verify_after_a_whole_one(void **state)
{
    (void)state;
    const mqc_span key = mqc_span_str(K32);
    iothub_sas_token whole;
    assert_int_equal(iothub_sas_parse(&whole, mqc_span_str(vectors[2].token), NULL), IOTHUB_OK);

    for (size_t len = 0; len < whole.signature.len; len++) {
        iothub_sas_token early = whole;
        early.signature.len = len;
        assert_int_equal(iothub_sas_verify(crypto, &whole, key, NULL), IOTHUB_OK);
        assert_int_equal(iothub_sas_verify(crypto, &early, key, NULL), IOTHUB_ERR_AUTH);
    }
}

static void verifying_refuses_what_it_cannot_hold_and_bad_keys(void **state)
{
    (void)state;
    static char text[IOTHUB_SAS_VERIFY_MAX + 200];
    iothub_sas_token token;

    strcpy(text, SAS "sig=AAAA&se=18446744073709551615&sr=");
    memset(text + strlen(text), 'a', IOTHUB_SAS_VERIFY_MAX + 100);
    assert_int_equal(iothub_sas_parse(&token, mqc_span_str(text), NULL), IOTHUB_OK);

    assert_int_equal(iothub_sas_verify(crypto, &token, mqc_span_str(K32), NULL),
                     IOTHUB_ERR_TOO_BIG);
    token.resource.len = IOTHUB_SAS_VERIFY_MAX + 1;
    assert_int_equal(iothub_sas_verify(crypto, &token, mqc_span_str(K32), NULL),
                     IOTHUB_ERR_TOO_BIG);
    token.resource.len = IOTHUB_SAS_VERIFY_MAX;
    assert_int_equal(iothub_sas_verify(crypto, &token, mqc_span_str(K32), NULL), IOTHUB_ERR_AUTH);
    assert_int_equal(iothub_sas_verify(crypto, &token, mqc_span_str("no key"), NULL),
                     IOTHUB_ERR_KEY);
}

static void decoding_a_field_respects_the_capacity(void **state)
{
    (void)state;
    char out[4] = "xxx";

    assert_int_equal(iothub_sas_decode(mqc_span_str("a%2F"), out, 0), IOTHUB_ERR_NO_SPACE);
    assert_int_equal(iothub_sas_decode(mqc_span_str("a%2F"), out, 2), IOTHUB_ERR_NO_SPACE);
    assert_string_equal(out, "");
    assert_int_equal(iothub_sas_decode(mqc_span_str("a%2F"), out, 3), IOTHUB_OK);
    assert_string_equal(out, "a/");
    assert_int_equal(iothub_sas_decode(mqc_span_str("a%00"), out, 3), IOTHUB_ERR_PROTOCOL);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_are_built),
        cmocka_unit_test(known_answers_are_read_and_verified),
        cmocka_unit_test(every_capacity_writes_the_whole_token_or_nothing),
        cmocka_unit_test(tokens_of_identities_use_their_own_resource),
        cmocka_unit_test(a_device_with_a_policy_names_it_and_keeps_its_own_resource),
        cmocka_unit_test(white_space_around_texts_is_ignored_and_inside_refused),
        cmocka_unit_test(the_longest_identity_fits_the_documented_sizes),
        cmocka_unit_test(a_string_with_a_token_cannot_make_one),
        cmocka_unit_test(bad_grants_are_refused),
        cmocka_unit_test(signatures_cover_the_bytes_as_sent),
        cmocka_unit_test(bad_tokens_are_refused_by_field),
        cmocka_unit_test(a_signature_may_be_longer_than_those_of_today_but_not_without_end),
        cmocka_unit_test(white_space_is_refused_at_every_place),
        cmocka_unit_test(the_largest_expiry_is_read),
        cmocka_unit_test(no_damaged_token_verifies),
        cmocka_unit_test(a_signature_that_ends_early_does_not_verify_after_a_whole_one),
        cmocka_unit_test(verifying_refuses_what_it_cannot_hold_and_bad_keys),
        cmocka_unit_test(decoding_a_field_respects_the_capacity),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
