#ifndef HUB_FIXTURE_H
#define HUB_FIXTURE_H

/* A hub with a broker that only records the calls, a clock that does not move, and a temporary
 * state directory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hub/hub_publish.h"
#include "hub/hub_tick.h"

#define FIXTURE_NOW_S 1700000000

typedef struct sent_publish {
    char *client_id;
    char *topic;
    char *payload;
    size_t len;
    int qos;
} sent_publish;

typedef struct hub_fixture {
    hub hub;
    char dir[64];
    int64_t now_ms;  /* time of both clocks, before step_ms is added to the wall clock */
    int64_t step_ms; /* how far the wall clock was moved forward */
    char notices[4096];
    sent_publish sent[128];
    size_t sent_count;
    char dropped[256];    /* the client ids of dropped connections, each followed by a space */
    uint64_t last_number; /* number of the latest connection at the front */
    hub_note orders[32];  /* notes that the hub has sent to the front */
    size_t order_count;
    char ended[256]; /* the client ids whose kept session was ended, each followed by a space */
} hub_fixture;

/* The set-up and tear-down functions of a cmocka test; the device device1 exists. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* After hub_close. */
void fixture_open(hub_fixture *f);
/* Restarts the hub as after kill -9: the old hub is not closed. */
void fixture_restart(hub_fixture *f);
void fixture_forget_sent(hub_fixture *f);

hub_identity *fixture_device(hub_fixture *f, const char *device);
/* Returns a token on the heap; the caller frees it. */
char *fixture_token(const char *resource, const char *key, int64_t expiry_s, const char *policy);
/* Logs in with a token that is valid for an hour. `key` identifies the connection. */
hub_result fixture_connect(hub_fixture *f, const void *key, const char *client_id, bool clean);
void fixture_subscribe(hub_fixture *f, const void *key, const char *filter, int qos);
/* Checks and then accepts a publish, as the plugin does, and sends the answer. */
hub_result fixture_publish(hub_fixture *f, const void *key, const char *topic, const char *text);
/* Queues a cloud-to-device message with this body. */
void fixture_queue(hub_fixture *f, const char *device, const char *body, int64_t ttl_s);

#endif
