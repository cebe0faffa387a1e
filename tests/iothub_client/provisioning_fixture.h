#ifndef TEST_PROVISIONING_FIXTURE_H
#define TEST_PROVISIONING_FIXTURE_H

/**
 * @file
 * A Device Provisioning Service and hubs on scripted streams, with a record of every callback. The
 * service answers each question with the next reply of a list; the hub behaves like a fake_hub.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_hub.h"
#include "fake_kv.h"
#include "fake_platform.h"
#include "iothub/provisioning.h"

#define DPS_HOST "global.azure-devices-provisioning.net"
#define K32      "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/** An answer of the service. */
typedef struct dps_reply {
    unsigned status;  /* 0: no answer is sent */
    const char *more; /* text of the topic after the request's number; NULL: none */
    const char *body;
} dps_reply;

#define DPS_ASSIGNING_BODY "{\"operationId\":\"4.op-1\",\"status\":\"assigning\"}"
#define DPS_ASSIGNED_BODY(hub, id)                                                 \
    "{\"operationId\":\"4.op-1\",\"status\":\"assigned\",\"registrationState\":{"  \
    "\"registrationId\":\"sn-007\",\"assignedHub\":\"" hub "\",\"deviceId\":\"" id \
    "\",\"status\":\"assigned\",\"substatus\":\"initialAssignment\"}}"

/** An assignment with the certificates of a JSON array. */
#define DPS_ISSUED_BODY(hub, id, chain)                                              \
    "{\"status\":\"assigned\",\"registrationState\":{\"registrationId\":\"sn-007\"," \
    "\"assignedHub\":\"" hub "\",\"deviceId\":\"" id "\",\"issuedCertificateChain\":" chain "}}"

enum { DPS_STATUSES = 512, DPS_DONES = 512 };

typedef struct provisioning_fixture {
    fake_platform platform;
    fake_kv kv;
    iothub_provisioning_options options; /* p */
    iothub_options client_options;       /* o */

    fake_hub dps;
    const dps_reply *replies;
    size_t reply_count; /* number of replies; the last one is repeated */
    unsigned asked;     /* number of questions to the service */
    size_t cut_at;      /* number of bytes of an answer after which the service is silent */
    bool cut_closes;    /* the service closes the connection instead */

    fake_hub hub;
    char hub_host[256]; /* the last host that the client connected to, other than the service */
    unsigned hub_opens;

    iothub_provisioning *registration;
    iothub_client *client;

    /* Number of calls of the callback; the next members have what the last call reported. */
    unsigned assigned_count;
    char assigned_hub[256];
    char assigned_id[160];
    char assigned_substatus[64];
    char assigned_payload[256];
    bool assigned_from_cache;
    uint8_t assigned_certificates[64];
    size_t assigned_certificates_len;
    /* The callback passes these to iothub_set_credentials; NULL: it does not call it. */
    const iothub_credential *set_when_assigned;

    unsigned status_count;
    iothub_state states[DPS_STATUSES];
    iothub_result reasons[DPS_STATUSES];
    char text[160]; /* text of the last status with a reason */
    uint32_t retry_in_ms;
    unsigned done_count;
    iothub_done dones[DPS_DONES];
    char log[16384];
} provisioning_fixture;

/**
 * Sets the defaults: id scope 0ne1, registration id sn-007, key K32, and a hub that accepts
 * everything.
 */
void provisioning_init(provisioning_fixture *f);
void provisioning_free(provisioning_fixture *f);

/** From now on the service answers with these replies. */
void provisioning_answers(provisioning_fixture *f, const dps_reply *replies, size_t count);
#define PROVISIONING_ANSWERS(f, replies) \
    provisioning_answers((f), (replies), sizeof(replies) / sizeof(replies)[0])

/** Make the registration, or the client. The test fails if it is refused. */
void provisioning_make_registration(provisioning_fixture *f);
void provisioning_make_client(provisioning_fixture *f);
/** Checks that the registration has failed with this code and a text that contains `text`. */
void provisioning_expect_failure(const provisioning_fixture *f, iothub_result code,
                                 const char *text);

/** Process until nothing more happens unless time passes. */
void provisioning_run(provisioning_fixture *f);
/** Let time pass in the steps that the registration or the client requests. */
void provisioning_sleep(provisioning_fixture *f, uint64_t ms);

/** Returns the stream to the service; NULL while it is closed. */
scripted_stream *provisioning_dps_stream(provisioning_fixture *f);

/** Returns how often the client entered a state. */
unsigned provisioning_entered(const provisioning_fixture *f, iothub_state state);

#endif
