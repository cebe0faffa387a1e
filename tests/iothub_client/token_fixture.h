#ifndef TEST_TOKEN_FIXTURE_H
#define TEST_TOKEN_FIXTURE_H

/**
 * @file
 * Ready-made tokens for the device of client_fixture, and the smallest memory that a client
 * accepts.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_fixture.h"
#include "iothub/sas.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define NOW 1700000000 /* time of the fake clock */

/* Returns a token for this resource, signed with the key of the fixture. */
static inline const char *make_token(const char *resource, uint64_t expiry_s)
{
    static char token[IOTHUB_SAS_TOKEN_SIZE];
    fake_platform p;
    const iothub_sas_grant grant = { .resource = mqc_span_str(resource),
                                     .key = MQC_SPAN_LIT(KEY),
                                     .expiry_s = expiry_s };
    fake_platform_init(&p);
    assert_int_equal(iothub_sas_build(p.platform.crypto, &grant, token, sizeof token, NULL, NULL),
                     IOTHUB_OK);
    fake_platform_free(&p);
    return token;
}

#define DEVICE_RESOURCE "myhub.azure-devices.net/devices/device1"

static inline const char *device_token(int64_t life_s)
{
    return make_token(DEVICE_RESOURCE, (uint64_t)(NOW + life_s));
}

static inline const char *with_token(const char *token)
{
    static char text[IOTHUB_SAS_TOKEN_SIZE + 100];
    snprintf(text, sizeof text,
             "HostName=myhub.azure-devices.net;DeviceId=device1;SharedAccessSignature=%s", token);
    return text;
}

static inline void init_with_token(client_fixture *f, int64_t life_s)
{
    fixture_init_as(f, with_token(device_token(life_s)), NULL);
}

/* Returns how many bytes more than len iothub_init asks for, or 0 if len is enough. */
static inline size_t missing_of(const client_fixture *f, const char *text, size_t len)
{
    void *memory = fixture_memory(len);
    iothub_error error;
    size_t missing = 0;

    iothub_client *c = iothub_init(memory, len, text, &f->options, &error);
    if (c == NULL) {
        assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
        assert_int_equal(sscanf(error.text, "memory: %zu bytes more", &missing), 1);
        assert_int_not_equal(missing, 0);
    }
    iothub_deinit(c);
    free(memory);
    return missing;
}

/* Makes the client again, in the smallest memory that iothub_init accepts. */
static inline void *move_to_the_least(client_fixture *f, const char *text)
{
    iothub_error error;
    const size_t size = IOTHUB_CLIENT_SIZE + missing_of(f, text, IOTHUB_CLIENT_SIZE);
    void *memory = fixture_memory(size);

    iothub_free(f->client);
    f->client = iothub_init(memory, size, text, &f->options, &error);
    if (f->client == NULL) {
        fail_msg("%s: %s", text, error.text);
    }
    return memory;
}

#endif
