#ifndef TOOL_FLEET_H
#define TOOL_FLEET_H

/**
 * @file
 * `iothub fleet`: many simulated devices on one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/client.h"
#include "platform/poll_set.h"

#define FLEET_KINDS 64 /* of errors: iothub_result without its sign */

typedef struct fleet_options {
    const char *file; /* of connection strings; NULL: create them */
    uint64_t create;
    const char *prefix;
    uint16_t rest_port;
    uint16_t port;
    double rate;   /* messages a second of one device; 0: none */
    uint64_t size; /* bytes of a body */
    double ramp;   /* devices a second */
    uint64_t duration_s;
    uint64_t report_s;
    uint64_t shard;
    uint64_t shards;
    bool telemetry_only;
} fleet_options;

/* Latencies in microseconds: sixteen steps for each power of two. */
enum { LATENCY_STEPS = 16, LATENCY_CLASSES = 64 * LATENCY_STEPS };
typedef struct fleet_latency {
    uint64_t classes[LATENCY_CLASSES];
    uint64_t count;
    uint64_t longest_us;
} fleet_latency;

typedef struct fleet_totals {
    uint64_t sent;    /* messages that were accepted, */
    uint64_t arrived; /* and acknowledged by the hub */
    uint64_t skipped; /* due, but the queue of the device was full */
    uint64_t methods;
    uint64_t desired;
    size_t connected;      /* now */
    size_t ever_connected; /* devices */
    uint64_t connects;
    uint64_t losses;
    uint64_t resumed;                     /* connects that took up an earlier TLS session */
    uint64_t link_errors[FLEET_KINDS];    /* attempts and connections that failed */
    uint64_t message_errors[FLEET_KINDS]; /* messages that ended without arriving */
    fleet_latency latency;
} fleet_totals;

typedef struct fleet_device fleet_device;

typedef struct fleet {
    const fleet_options *options;
    iothub_options client; /* for all of them */
    plat_poll_set *set;
    fleet_device **devices;
    size_t count;
    char *body; /* shared by all messages; only its beginning changes */
    fleet_totals totals;
    uint64_t began_us;
    size_t heap; /* in use while all were there */
    bool failed; /* a descriptor could not be watched */
} fleet;

uint64_t fleet_now_us(void);

/** True for the devices that are this process's, by their number in the whole. */
bool fleet_is_ours(const fleet_options *o, uint64_t number);

/* fleet_devices.c: make clients, of a file or anew at the hub.  False after a complaint. */
bool fleet_read(fleet *f);
bool fleet_create(fleet *f);

/* fleet_device.c: the life of one. */
/** where names it in a report. */
bool fleet_add(fleet *f, const char *connection_string, const char *where);
void fleet_set_callbacks(fleet *f);
/** It starts at that time. */
void fleet_schedule(fleet_device *d, uint64_t start_us);
/** Do what it has to do, and tell the set what it waits for next. */
void fleet_serve(plat_poll_item *item);
void fleet_stop(fleet_device *d, uint32_t grace_ms);
bool fleet_is_stopped(const fleet_device *d);
void fleet_free(fleet_device *d);

/* fleet_report.c */
void fleet_latency_add(fleet_latency *l, uint64_t us);
void fleet_progress(const fleet *f);
/** The summary; the exit status: whether all connected and all that was sent arrived. */
int fleet_summary(const fleet *f);

int run_fleet(int argc, char **argv, void *context);

#endif
