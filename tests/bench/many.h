#ifndef BENCH_MANY_H
#define BENCH_MANY_H

/**
 * @file
 * Many device clients on one thread with one plat_poll_set, and the counters of all of them
 * together.
 */

#include <platform/poll_set.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench_client.h"
#include "measure.h"

#define MANY_NEVER UINT64_MAX

enum { MANY_TURN_MS = 1000 }; /* longest wait if nothing else ends it */

typedef struct many_options {
    uint16_t port;
    const char *ca_file; /* certificates to trust; NULL: plain TCP */
    /* Files of the client certificate and its key, from which each device makes its own
     * identity. NULL: the devices log in with keys. */
    const char *certificate_file;
    const char *key_file;
    size_t devices;
    size_t messages; /* number of messages of all devices together */
    uint64_t rate;   /* messages per second of all devices together */
    size_t at_once;  /* largest number of devices that may be connecting at the same time */
    uint16_t keep_alive_s;
    bool idle;  /* also measure one keep-alive interval without messages */
    bool storm; /* also let the hub end and return */
    uint32_t retry_min_ms;
    uint32_t retry_max_ms;
} many_options;

typedef struct many_device many_device;

typedef struct many {
    const many_options *options;
    plat_poll_set *set;
    many_device **devices;
    size_t connected;   /* number of devices connected now */
    bool may_lose;      /* if true, a lost connection does not end the program */
    uint64_t period_us; /* time between two messages of one device */
    uint64_t sent;
    /* Number of messages that were sent later because the buffer of their device was full. */
    uint64_t refused;
    uint64_t acknowledged;
    /* Latency of each acknowledged message; NULL: latencies are not recorded. */
    uint64_t *latency_us;
} many;

uint64_t many_now_us(void);

/* Functions of many_device.c: a single device. */
many_device *many_device_new(many *m, size_t number);
void many_device_start(many_device *d);
/** Lets the device send `count` messages at intervals of m->period_us, the first at `first_us`. */
void many_device_send(many_device *d, uint64_t count, uint64_t first_us);
/** Returns the time at which the device last connected. */
uint64_t many_device_connected_us(const many_device *d);
void many_device_stats(const many_device *d, iothub_stats *out);
void many_device_free(many_device *d);

/**
 * Sleeps until a device has something to do and lets it do that; returns earlier after max_ms or a
 * signal.
 */
void many_turn(many *m, int max_ms);

/* many_storm.c */

/**
 * Prints READY on standard error, and LOST when no device is connected any more. Then it waits for
 * SIGUSR1, which reports that the hub is back, and for all devices to connect. Finally it prints
 * the costs as members of a JSON object.
 */
void many_storm(many *m);

#endif
