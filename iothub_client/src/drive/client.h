#ifndef IOTHUB_DRIVE_CLIENT_H
#define IOTHUB_DRIVE_CLIENT_H

/** @file The complete client: how it begins, does its turns, and ends. */

#include "connection/session.h"
#include "drive/memory.h"
#include "drive/reading.h"
#include "drive/traffic.h"
#include "drive/wake.h"
#include "features/c2d.h"
#include "features/methods.h"
#include "features/twin.h"
#include "iothub/memory_size.h"
#include "provisioning/provisioned_home.h"

#define IOTHUB_CLIENT_MAGIC 0x107B
#define IOTHUB_ENDED_MAGIC  0x107E /* the client has ended, but its memory was not freed yet */

struct iothub_client {
    iothub_context context;
    void *memory; /* memory from the caller or the heap; erased at the end */
    size_t memory_len;
    mqc_engine engine;
    iothub_session session;
    telemetry_part telemetry;
    iothub_twin twin;
    iothub_methods methods;
    iothub_c2d c2d;
    iothub_reading reading;

    uint16_t magic;     /* IOTHUB_CLIENT_MAGIC from init to deinit */
    bool from_heap : 1; /* the client was made by iothub_new */
    bool unserved : 1;  /* the client was not started or driven yet, and that was not logged */
    iothub_traffic traffic;
    iothub_wake wake;
    iothub_result (*stop_runner)(iothub_client *c); /* NULL if there never was a runner */
};

/** Implements iothub_init. Returns NULL after a refusal. */
iothub_client *client_init(client_place *place, const char *connection_string,
                           const iothub_options *o, iothub_error *error);

/** Gives the client a home, which finds its hub. Call it before iothub_start. */
void client_set_home(iothub_client *c, iothub_home *home);

/* --- clients that the Device Provisioning Service assigns to their hub ----------------------- */

/**
 * Makes a client from a connection string, in memory that the function itself provides. Returns
 * NULL if the client is refused.
 */
typedef iothub_client *provisioned_maker(const char *connection_string, const iothub_options *o,
                                         const client_place *place, iothub_error *error);

/** Copies the options that the service and the hub share. */
iothub_result provisioned_take_options(iothub_options *to, const iothub_options *from,
                                       iothub_error *error);

/**
 * Makes a client with this home. release frees the memory of the home when the client ends. After a
 * failure the home still exists.
 */
iothub_client *provisioned_make(provisioned_home *h, const iothub_options *o,
                                provisioned_maker *make, const client_place *place,
                                void (*release)(void *memory), iothub_error *error);

/* --- the end --------------------------------------------------------------------------------- */

/** Returns true if the client may end now, because the call is not made inside its callbacks. */
bool client_may_end(iothub_client *c);
/** Ends every request. loop_take_events handles the resulting events of the engine. */
void client_cancel(iothub_client *c);
/** Closes the store and the streams; call it after client_cancel. */
void client_close(iothub_client *c);
/** Erases the client's memory, as the last step of its end. */
void client_wipe(iothub_client *c);

/* --- one turn, and what to wait for before the next one ------------------------------------- */

void loop_take_events(iothub_client *c);
/** Does one turn; iothub_process calls it. */
void loop_turn(iothub_client *c);
/** Sets polls to wait for nothing. */
void loop_no_polls(plat_poll *polls);
/**
 * Reports what to wait for before the next turn. polls has room for IOTHUB_POLL_FDS entries; a
 * timeout of -1 means no deadline. Returns the deadline, or IOTHUB_NEVER.
 */
mqc_time loop_poll(iothub_client *c, plat_poll *polls, int *timeout_ms);

/** Passes an event of the engine to the part that it concerns. */
void event_take(iothub_client *c, const mqc_event *ev);

/** Logs once if the program has not started or driven its client. */
void client_look_for_driver(iothub_client *c);
#endif
