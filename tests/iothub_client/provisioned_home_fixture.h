#ifndef TEST_PROVISIONED_HOME_FIXTURE_H
#define TEST_PROVISIONED_HOME_FIXTURE_H

/**
 * @file
 * Shared code of the tests for a client that the service assigns to its hub.
 */

#include "provisioning_fixture.h"

#define HUB      "myhub.azure-devices.net"
#define HUB2     "otherhub.azure-devices.net"
#define ASSIGNED DPS_ASSIGNED_BODY(HUB, "device1")

/** An answer of the service that assigns the device to HUB. */
static const dps_reply assigned[] = { { 200, NULL, ASSIGNED } };

static inline iothub_op send(provisioning_fixture *f, const char *body)
{
    const iothub_telemetry t = { .body = body, .body_len = strlen(body) };
    iothub_op op = 0;

    if (iothub_send_telemetry(f->client, &t, &op) != IOTHUB_OK) {
        fail_msg("refused: %s", iothub_last_error(f->client)->text);
    }
    return op;
}

static inline void start(provisioning_fixture *f)
{
    assert_int_equal(iothub_start(f->client), IOTHUB_OK);
    provisioning_run(f);
}

static inline void set_up(provisioning_fixture *f)
{
    provisioning_init(f);
    PROVISIONING_ANSWERS(f, assigned);
}

/* Returns the number of publishes to this topic that the hub has received. */
static inline unsigned received(const provisioning_fixture *f, const char *topic)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->hub.publishes; i++) {
        n += strcmp(fake_hub_at(&f->hub, i)->topic, topic) == 0 ? 1 : 0;
    }
    return n;
}

static inline void check_all_done(const provisioning_fixture *f, unsigned count)
{
    assert_int_equal(f->done_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(f->dones[i].result, IOTHUB_OK);
    }
}

/* Returns the stream to the hub that is open, or NULL. */
static inline scripted_stream *hub_stream(provisioning_fixture *f)
{
    for (size_t i = 0; i < f->platform.net.made; i++) {
        if (f->platform.streams[i].state != SCRIPTED_CLOSED &&
            strcmp(f->platform.streams[i].host, DPS_HOST) != 0) {
            return &f->platform.streams[i];
        }
    }
    return NULL;
}

/* From now on the hub cannot be reached, and the service answers with these replies. */
static inline void leave_hub(provisioning_fixture *f, const dps_reply *replies)
{
    provisioning_answers(f, replies, 1);
    f->hub.mute_connect = true;
    scripted_break(hub_stream(f), PLAT_ERR_IO);
    provisioning_run(f);
}

#endif
