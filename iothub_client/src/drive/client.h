#ifndef IOTHUB_DRIVE_CLIENT_H
#define IOTHUB_DRIVE_CLIENT_H

/**
 * @file
 * The beginning and the end of a client.
 */

#include "client_struct.h"
#include "drive/memory.h"

/** iothub_init; NULL: refused. */
iothub_client *client_init(client_place *place, const char *connection_string,
                           const iothub_options *o, iothub_error *error);

/** Whether it may end now: this is no callback of it. */
bool client_may_end(iothub_client *c);
/** End every request, and close the streams. */
void client_end(iothub_client *c);
/** The last that happens: it is no client any more. */
void client_wipe(iothub_client *c);

/** Log once what a program forgot that has a client, and does not start or drive it. */
void client_look_for_driver(iothub_client *c);
#endif
