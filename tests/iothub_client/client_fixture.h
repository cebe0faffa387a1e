#ifndef TEST_CLIENT_FIXTURE_H
#define TEST_CLIENT_FIXTURE_H

/**
 * @file
 * A client on a fake platform, connected to a fake hub, with a record of every callback.
 *
 *     client_fixture f;
 *     fixture_init(&f, NULL);     // or with a function that changes the options
 *     fixture_connect(&f);        // returns when the client is IOTHUB_CONNECTED
 *     ... fixture_run(&f);        // returns when client and hub are idle
 *     fixture_free(&f);
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drive/client.h"
#include "fake_hub.h"
#include "fake_platform.h"
#include "fake_threads.h"

#define FIXTURE_LOG 256

#define FIXTURE_CONNECTION_STRING                        \
    "HostName=myhub.azure-devices.net;DeviceId=device1;" \
    "SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

typedef struct fixture_status {
    iothub_state state;
    iothub_result reason;
    char text[160];
    uint32_t retry_in_ms;
} fixture_status;

typedef struct fixture_desired {
    char json[512];
    char reported[512];
    uint64_t version;
    bool complete;
    iothub_result result;
    char text[156];
} fixture_desired;

typedef struct client_fixture {
    fake_platform platform;
    fake_hub hub;
    iothub_options options;
    iothub_client *client;

    fixture_status statuses[FIXTURE_LOG];
    unsigned status_count;
    iothub_done dones[4 * FIXTURE_LOG];
    char done_body[512]; /* body of the last done callback */
    unsigned done_count;
    fixture_desired desired[FIXTURE_LOG];
    unsigned desired_count;
    iothub_method_token tokens[FIXTURE_LOG];
    char method_name[256]; /* name in the last method call */
    char method_payload[512];
    unsigned method_count;
    iothub_method_verdict verdict;
    uint32_t deliveries[FIXTURE_LOG];
    char c2d_body[512]; /* body of the last message */
    unsigned c2d_count;
    iothub_disposition disposition;
    void (*on_c2d)(struct client_fixture *f, const iothub_message *m);
    unsigned expiring_count;
    int64_t seconds_left;
    char log[8192]; /* the first lines of the log, one after the other */
    /* The key or token of the connection string, which must not appear in any text. */
    char secret[256];
} client_fixture;

/**
 * Makes the client. `change` may be NULL. The connection string NULL stands for
 * FIXTURE_CONNECTION_STRING.
 */
void fixture_init(client_fixture *f, void (*change)(iothub_options *o));
void fixture_init_as(client_fixture *f, const char *connection_string,
                     void (*change)(iothub_options *o));
void fixture_free(client_fixture *f);

/**
 * Returns memory for a client; the caller calls free. All blocks have the same alignment, so the
 * size that iothub_init asks for is enough in each of them. Blocks of malloc could need different
 * padding on systems that align them to 8.
 */
void *fixture_memory(size_t len);

/**
 * Adds a lock to the client, as a runner does. Each callback then checks that the lock is not held.
 */
void fixture_lock(client_fixture *f);
void fixture_check_unlocked(const client_fixture *f);

/**
 * A function that changes options: it sets no desired callback, so that the client sends no GET of
 * its own between the messages of the test.
 */
void fixture_quiet(iothub_options *o);

/** Calls iothub_process and lets the hub answer, until neither has anything to do. */
void fixture_run(client_fixture *f);

/** Starts the client and runs it until it is connected; the test fails if it does not connect. */
void fixture_connect(client_fixture *f);

/**
 * Lets ms milliseconds pass, in steps as long as the client asks to sleep, and runs the client
 * after each step.
 */
void fixture_sleep(client_fixture *f, uint64_t ms);

/** Breaks the connection and runs the client until it has noticed that. */
void fixture_cut(client_fixture *f);

scripted_stream *fixture_stream(client_fixture *f);
const fixture_status *fixture_last_status(const client_fixture *f);

/** Sends telemetry with this body and QoS 1. The test fails if the client refuses it. */
iothub_op fixture_send(client_fixture *f, const char *body);

/** Returns how often op ended, and its last result. */
unsigned fixture_ended(const client_fixture *f, iothub_op op, iothub_result *how);

#endif
