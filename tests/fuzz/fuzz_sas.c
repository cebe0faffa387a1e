/* Tests SAS tokens: those of others are parsed and verified; our own are made, parsed again and
 * verified. */

#include "fuzz.h"
#include "iothub/sas.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void inspect(mqc_span text)
{
    iothub_sas_token token;
    iothub_error error = { 0 };
    char resource[512];

    memset(&token, 0xA5, sizeof token);
    const iothub_sas_token before = token;
    if (iothub_sas_parse(&token, text, &error) != IOTHUB_OK) {
        FUZZ_CHECK(memcmp(&token, &before, sizeof token) == 0);
        FUZZ_CHECK(error.text[0] != '\0');
        return;
    }
    FUZZ_CHECK(token.resource.len > 0 && token.signature.len > 0 && token.expiry_text.len > 0);
    if (iothub_sas_decode(token.resource, resource, sizeof resource) != IOTHUB_OK) {
        FUZZ_CHECK(resource[0] == '\0');
    }
    (void)iothub_sas_verify(plat_posix()->crypto, &token, mqc_span_str(KEY), &error);
    (void)iothub_sas_verify(plat_posix()->crypto, &token, text, &error);
}

static void build(mqc_span resource, uint64_t expiry_s)
{
    const iothub_sas_grant grant = { .resource = resource,
                                     .key = MQC_SPAN_LIT(KEY),
                                     .policy = resource.len % 2 ? resource : mqc_span_str(""),
                                     .expiry_s = expiry_s };
    char text[IOTHUB_SAS_TOKEN_SIZE];
    size_t len;
    iothub_error error = { 0 };
    iothub_sas_token token;

    if (iothub_sas_build(plat_posix()->crypto, &grant, text, sizeof text, &len, &error) !=
        IOTHUB_OK) {
        FUZZ_CHECK(text[0] == '\0');
        return;
    }
    FUZZ_CHECK(strlen(text) == len);
    FUZZ_CHECK(iothub_sas_parse(&token, mqc_span_of(text, len), &error) == IOTHUB_OK);
    FUZZ_CHECK(token.expiry_s == expiry_s);
    FUZZ_CHECK(iothub_sas_verify(plat_posix()->crypto, &token, grant.key, &error) == IOTHUB_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    inspect(mqc_span_of(data, size));
    build(mqc_span_of(data, size), 1 + (uint64_t)size * UINT64_C(0x123456789));
    return 0;
}
