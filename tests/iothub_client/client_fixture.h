#ifndef TEST_CLIENT_FIXTURE_H
#define TEST_CLIENT_FIXTURE_H

/**
 * @file
 * A client on a fake platform, with a fake hub at the other end and a record of
 * every callback.
 *
 *     client_fixture f;
 *     fixture_init(&f, NULL);         or with options changed by a function
 *     fixture_connect(&f);            until IOTHUB_CONNECTED
 *     ... fixture_run(&f);            until client and hub are idle
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
    char done_body[512]; /* of the last one */
    unsigned done_count;
    fixture_desired desired[FIXTURE_LOG];
    unsigned desired_count;
    iothub_method_token tokens[FIXTURE_LOG];
    char method_name[256]; /* of the last call */
    char method_payload[512];
    unsigned method_count;
    iothub_method_verdict verdict;
    uint32_t deliveries[FIXTURE_LOG];
    char c2d_body[512]; /* of the last one */
    unsigned c2d_count;
    iothub_disposition disposition;
    void (*on_c2d)(struct client_fixture *f, const iothub_message *m);
    unsigned expiring_count;
    int64_t seconds_left;
    char log[8192];   /* the first log lines, one after the other */
    char secret[256]; /* of the connection string; must not show up in any text */
} client_fixture;

/** change may be NULL.  A connection string of NULL means FIXTURE_CONNECTION_STRING. */
void fixture_init(client_fixture *f, void (*change)(iothub_options *o));
void fixture_init_as(client_fixture *f, const char *connection_string,
                     void (*change)(iothub_options *o));
void fixture_free(client_fixture *f);

/**
 * Memory for a client, to be freed by free.  All blocks have the same alignment, so that the size
 * that iothub_init asks for is enough in any of them: malloc's blocks may differ in padding where
 * it aligns to 8.
 */
void *fixture_memory(size_t len);

/** Guard the client as a runner would; each callback then checks that the lock is free. */
void fixture_lock(client_fixture *f);
void fixture_check_unlocked(const client_fixture *f);

/** Change options: no desired callback, and so no GET of the client's own between the messages. */
void fixture_quiet(iothub_options *o);

/** Process and let the hub answer until neither has more to do. */
void fixture_run(client_fixture *f);

/** Start, and run until connected; the test fails if it does not connect. */
void fixture_connect(client_fixture *f);

/** Let ms of time pass, in the steps for which the client asks to sleep, and run it after each. */
void fixture_sleep(client_fixture *f, uint64_t ms);

/** The connection breaks; run until the client has noticed. */
void fixture_cut(client_fixture *f);

scripted_stream *fixture_stream(client_fixture *f);
const fixture_status *fixture_last_status(const client_fixture *f);

/** Send telemetry with this body and QoS 1; fails the test when refused. */
iothub_op fixture_send(client_fixture *f, const char *body);

/** Returns how often op ended, and its last result. */
unsigned fixture_ended(const client_fixture *f, iothub_op op, iothub_result *how);

#endif
