#ifndef IOTHUB_CLIENT_STRUCT_H
#define IOTHUB_CLIENT_STRUCT_H

/**
 * @file
 * The complete client.
 */

#include "connection/session.h"
#include "drive/traffic.h"
#include "features/c2d.h"
#include "features/methods.h"
#include "features/twin.h"
#include "iothub/memory_size.h"
#include "telemetry/telemetry.h"

/** Whether a request has to wake the runner, see wake.c. */
typedef struct iothub_wake {
    mqc_time wake_at;     /* when the runner's thread wakes by itself */
    iothub_op last_op;    /* before it last fell asleep */
    bool lone;            /* of late, requests came one at a time */
    uint8_t quiet_sleeps; /* since telemetry was last queued; no more than matter */
} iothub_wake;

#define IOTHUB_CLIENT_MAGIC 0x107B
#define IOTHUB_ENDED_MAGIC  0x107E /* ended, and its memory is still to be given to the heap */

struct iothub_client {
    iothub_context context;
    void *memory; /* given by the caller or the heap; wiped at the end */
    size_t memory_len;
    mqc_engine engine;
    iothub_session session;
    telemetry_part telemetry;
    iothub_twin twin;
    iothub_methods methods;
    iothub_c2d c2d;
    uint32_t full_generation; /* the connection on which there is no room to read; 0: on none */

    uint16_t magic;     /* IOTHUB_CLIENT_MAGIC from init to deinit */
    bool from_heap : 1; /* made by iothub_new */
    bool unserved : 1;  /* nobody has started and driven it yet, and the log does not say so */
    uint8_t
        unread_turns; /* in a row that only sent; at the most there may be, the next one reads */
    iothub_traffic traffic;
    iothub_wake wake;
    iothub_result (*stop_runner)(iothub_client *c); /* NULL: there never was a runner */
};

#endif
