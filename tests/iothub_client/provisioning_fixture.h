#ifndef TEST_PROVISIONING_FIXTURE_H
#define TEST_PROVISIONING_FIXTURE_H

/**
 * @file
 * A Device Provisioning Service and hubs on scripted streams, with a record of every callback. The
 * service answers each question with the next reply of a list; the hub behaves as a fake_hub.
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
    unsigned status;  /* 0: no answer */
    const char *more; /* of the topic, behind the request's number; NULL: nothing */
    const char *body;
} dps_reply;

#define DPS_ASSIGNING_BODY "{\"operationId\":\"4.op-1\",\"status\":\"assigning\"}"
#define DPS_ASSIGNED_BODY(hub, id)                                                 \
    "{\"operationId\":\"4.op-1\",\"status\":\"assigned\",\"registrationState\":{"  \
    "\"registrationId\":\"sn-007\",\"assignedHub\":\"" hub "\",\"deviceId\":\"" id \
    "\",\"status\":\"assigned\",\"substatus\":\"initialAssignment\"}}"

enum { DPS_STATUSES = 512, DPS_DONES = 512 };

typedef struct provisioning_fixture {
    fake_platform platform;
    fake_kv kv;
    iothub_provisioning_options options; /* p */
    iothub_options client_options;       /* o */

    fake_hub dps;
    const dps_reply *replies;
    size_t reply_count; /* the last reply is repeated */
    unsigned asked;     /* questions to the service */
    size_t cut_at;      /* the service sends so many bytes of an answer, then it is silent, */
    bool cut_closes;    /* or closes the connection */

    fake_hub hub;
    char hub_host[256]; /* the host that the client connected to last, apart from the service */
    unsigned hub_opens;

    iothub_provisioning *registration;
    iothub_client *client;

    unsigned assigned_count; /* calls of the callback, and what the last one reported */
    char assigned_hub[256];
    char assigned_id[160];
    char assigned_substatus[64];
    char assigned_payload[256];
    bool assigned_from_cache;

    unsigned status_count;
    iothub_state states[DPS_STATUSES];
    iothub_result reasons[DPS_STATUSES];
    char text[160]; /* of the last status with a reason */
    uint32_t retry_in_ms;
    unsigned done_count;
    iothub_done dones[DPS_DONES];
    char log[16384];
} provisioning_fixture;

/** The defaults: id scope 0ne1, registration sn-007, key K32, a hub that accepts everything. */
void provisioning_init(provisioning_fixture *f);
void provisioning_free(provisioning_fixture *f);

/** The service answers with these from now on. */
void provisioning_answers(provisioning_fixture *f, const dps_reply *replies, size_t count);
#define PROVISIONING_ANSWERS(f, replies) \
    provisioning_answers((f), (replies), sizeof(replies) / sizeof(replies)[0])

/** Make the registration, or the client; the test fails if that is refused. */
void provisioning_make_registration(provisioning_fixture *f);
void provisioning_make_client(provisioning_fixture *f);

/** Process until nothing more happens without time. */
void provisioning_run(provisioning_fixture *f);
/** Let time pass in the steps that the registration or the client asks for. */
void provisioning_sleep(provisioning_fixture *f, uint64_t ms);

/** The stream to the service; NULL while it is closed. */
scripted_stream *provisioning_dps_stream(provisioning_fixture *f);

/** How often the client entered a state. */
unsigned provisioning_entered(const provisioning_fixture *f, iothub_state state);

#endif
