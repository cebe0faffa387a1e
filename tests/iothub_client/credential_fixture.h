#ifndef TEST_CREDENTIAL_FIXTURE_H
#define TEST_CREDENTIAL_FIXTURE_H

/**
 * @file
 * A client whose options contain credentials.
 */

#include "token_fixture.h"

#define NAMES "HostName=myhub.azure-devices.net;DeviceId=device1"

static const iothub_credential *fixture_credentials;
static size_t fixture_credential_count;

static inline void take_credentials(iothub_options *o)
{
    o->credentials = fixture_credentials;
    o->credential_count = fixture_credential_count;
}

/* Initialises a client that uses these credentials. */
static inline void init_with_credentials(client_fixture *f, const iothub_credential *list,
                                         size_t count)
{
    fixture_credentials = list;
    fixture_credential_count = count;
    fixture_init_as(f, NAMES, take_credentials);
}

/* Makes a certificate that is valid for life_s seconds, beginning at the time of the fake clock. */
static inline plat_identity make_identity(int64_t life_s)
{
    return (plat_identity){ .info = { .key = PLAT_KEY_EC_P256,
                                      .certificates = 1,
                                      .not_before_s = NOW,
                                      .not_after_s = NOW + life_s,
                                      .chain_until_s = NOW + life_s,
                                      .common_name = "device1" } };
}

static inline iothub_credentials_info credentials_of(const client_fixture *f)
{
    iothub_credentials_info info;

    iothub_get_credentials(f->client, &info);
    return info;
}

/* Checks that a client with this credential is refused and that the error names the credential. */
static inline iothub_error refused_with(const iothub_credential *c)
{
    client_fixture f;
    iothub_error error = { .code = IOTHUB_OK };

    fixture_init(&f, NULL);
    f.options.credentials = c;
    f.options.credential_count = 1;
    assert_null(iothub_new(NAMES, &f.options, &error));
    assert_int_not_equal(error.code, IOTHUB_OK);
    assert_memory_equal(error.text, "credentials[0]: ", 16);
    fixture_free(&f);
    return error;
}

#endif
