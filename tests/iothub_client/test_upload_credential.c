#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_platform.h"
#include "upload/upload_credential.h"

#define NAMES "HostName=h.example;DeviceId=d"

static bool shows;

static bool show(const plat_identity *identity, plat_identity_parts *out)
{
    (void)identity;
    memset(out, 0, sizeof *out);
    return shows;
}

static plat_identities identities = { .show = show };
static plat_platform platform = { .identities = &identities };
static plat_identity identity;

static iothub_upload_options options(const char *connection_string, const iothub_credential *c)
{
    iothub_upload_options o;

    iothub_upload_options_init(&o);
    o.connection_string = connection_string;
    o.credential = c;
    o.platform = &platform;
    shows = true;
    platform.identities = &identities;
    identities.show = show;
    return o;
}

static void assert_span(mqc_span span, const char *text)
{
    assert_true(mqc_span_eq(span, mqc_span_str(text)));
}

static void a_connection_string_has_its_own_credential(void **state)
{
    (void)state;
    const iothub_upload_options o = options(NAMES ";SharedAccessKey=a2V5", NULL);
    iothub_connection_string device;

    assert_int_equal(upload_credential_read(&o, &device, NULL), IOTHUB_OK);
    assert_span(device.key, "a2V5");
    assert_null(upload_credential_identity(&o));
}

static void a_key_or_token_may_come_apart_from_the_names(void **state)
{
    (void)state;
    const iothub_credential key = iothub_key_credential(" a2V5 ", "policy");
    const iothub_credential token = iothub_token_credential("SharedAccessSignature sr=x");
    iothub_upload_options o = options(NAMES, &key);
    iothub_connection_string device;

    assert_int_equal(upload_credential_read(&o, &device, NULL), IOTHUB_OK);
    assert_span(device.key, "a2V5");
    assert_span(device.policy_name, "policy");
    assert_null(upload_credential_identity(&o));
    o.credential = &token;
    assert_int_equal(upload_credential_read(&o, &device, NULL), IOTHUB_OK);
    assert_span(device.signature, "SharedAccessSignature sr=x");
}

static void a_certificate_is_presented_and_nothing_else(void **state)
{
    (void)state;
    static const char *const strings[] = { NAMES, NAMES ";x509=true" };
    const iothub_credential certificate = iothub_x509_credential(&identity);

    for (size_t i = 0; i < 2; i++) {
        const iothub_upload_options o = options(strings[i], &certificate);
        iothub_connection_string device;
        assert_int_equal(upload_credential_read(&o, &device, NULL), IOTHUB_OK);
        assert_int_equal(device.key.len + device.signature.len, 0);
        assert_ptr_equal(upload_credential_identity(&o), &identity);
    }
}

static void refused(const iothub_upload_options *o, iothub_result code, const char *text)
{
    iothub_connection_string device;
    iothub_error error = { .code = IOTHUB_OK };

    assert_int_equal(upload_credential_read(o, &device, &error), code);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.text, text));
}

static void what_cannot_be_used_is_explained(void **state)
{
    (void)state;
    iothub_token_provider provider = { 0 };
    const iothub_credential no_key = iothub_key_credential(NULL, NULL);
    const iothub_credential no_token = iothub_token_credential(NULL);
    const iothub_credential no_identity = iothub_x509_credential(NULL);
    const iothub_credential certificate = iothub_x509_credential(&identity);
    const iothub_credential provided = iothub_provider_credential(&provider);
    const iothub_credential key = iothub_key_credential("a2V5", NULL);
    iothub_upload_options o = options(NAMES, &no_key);

    refused(&o, IOTHUB_ERR_ARG, "the key is NULL");
    o.credential = &no_token;
    refused(&o, IOTHUB_ERR_ARG, "the token is NULL");
    o.credential = &no_identity;
    refused(&o, IOTHUB_ERR_ARG, "the identity is NULL");
    o.credential = &provided;
    refused(&o, IOTHUB_ERR_UNSUPPORTED, "request_token");
    o.credential = &certificate;
    shows = false;
    refused(&o, IOTHUB_ERR_UNSUPPORTED, "not in the process");
    identities.show = NULL;
    refused(&o, IOTHUB_ERR_UNSUPPORTED, "not in the process");
    platform.identities = NULL;
    refused(&o, IOTHUB_ERR_UNSUPPORTED, "plat_posix_identities()");
    o = options(NAMES ";x509=true", NULL);
    refused(&o, IOTHUB_ERR_ARG, "x509=true needs a certificate");
    o = options(NAMES ";ModuleId=m", &key);
    refused(&o, IOTHUB_ERR_UNSUPPORTED, "only a device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_string_has_its_own_credential),
        cmocka_unit_test(a_key_or_token_may_come_apart_from_the_names),
        cmocka_unit_test(a_certificate_is_presented_and_nothing_else),
        cmocka_unit_test(what_cannot_be_used_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
