#ifndef BENCH_MANY_H
#define BENCH_MANY_H

/**
 * @file
 * Many device clients on one thread, with one plat_poll_set, and what is counted of all of them.
 */

#include <platform/poll_set.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench_client.h"
#include "measure.h"

#define MANY_NEVER UINT64_MAX

enum { MANY_TURN_MS = 1000 }; /* where nothing else ends the wait */

typedef struct many_options {
    uint16_t port;
    const char *ca_file; /* NULL: plain TCP */
    size_t devices;
    size_t messages; /* of all devices together */
    uint64_t rate;   /* messages a second, of all devices together */
    size_t at_once;  /* devices that connect at the same time */
    uint16_t keep_alive_s;
    bool idle;  /* for one keep-alive */
    bool storm; /* the hub ends and is started again */
    uint32_t retry_min_ms;
    uint32_t retry_max_ms;
} many_options;

typedef struct many_device many_device;

typedef struct many {
    const many_options *options;
    plat_poll_set *set;
    many_device **devices;
    size_t connected;   /* now */
    bool may_lose;      /* a lost connection does not end the run */
    uint64_t period_us; /* between two messages of one device */
    uint64_t sent;
    uint64_t refused; /* the buffer of the device was full: the message follows later */
    uint64_t acknowledged;
    uint64_t *latency_us; /* of each acknowledged message; NULL: not kept */
} many;

uint64_t many_now_us(void);

/* many_device.c: the life of one. */
many_device *many_device_new(many *m, size_t number);
void many_device_start(many_device *d);
/** Send `count` messages with m->period_us between them, the first at `first_us`. */
void many_device_send(many_device *d, uint64_t count, uint64_t first_us);
/** The time at which it connected last. */
uint64_t many_device_connected_us(const many_device *d);
void many_device_stats(const many_device *d, iothub_stats *out);
void many_device_free(many_device *d);

/** Sleep until a device has something to do, and let it, or until max_ms or a signal. */
void many_turn(many *m, int max_ms);

/* many_storm.c */

/**
 * Say READY on standard error, and LOST when no device is connected any more, wait for SIGUSR1,
 * which says that the hub is back, and for all devices; then print what it took, as members of a
 * JSON object.
 */
void many_storm(many *m);

#endif
