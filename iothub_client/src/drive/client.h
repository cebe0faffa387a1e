#ifndef IOTHUB_DRIVE_CLIENT_H
#define IOTHUB_DRIVE_CLIENT_H

/**
 * @file
 * The complete client, its beginning and its end.
 */

#include "connection/session.h"
#include "drive/memory.h"
#include "drive/reading.h"
#include "drive/traffic.h"
#include "drive/wake.h"
#include "features/c2d.h"
#include "features/methods.h"
#include "features/twin.h"
#include "iothub/memory_size.h"

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
    iothub_reading reading;

    uint16_t magic;     /* IOTHUB_CLIENT_MAGIC from init to deinit */
    bool from_heap : 1; /* made by iothub_new */
    bool unserved : 1;  /* nobody has started and driven it yet, and the log does not say so */
    iothub_traffic traffic;
    iothub_wake wake;
    iothub_result (*stop_runner)(iothub_client *c); /* NULL: there never was a runner */
};

/** iothub_init; NULL: refused. */
iothub_client *client_init(client_place *place, const char *connection_string,
                           const iothub_options *o, iothub_error *error);

/** Whether it may end now: this is no callback of it. */
bool client_may_end(iothub_client *c);
/** End every request: what the engine reports then is for loop_take_events. */
void client_cancel(iothub_client *c);
/** Then close the store and the streams. */
void client_close(iothub_client *c);
/** The last that happens: it is no client any more. */
void client_wipe(iothub_client *c);

/** Log once what a program forgot that has a client, and does not start or drive it. */
void client_look_for_driver(iothub_client *c);
#endif
