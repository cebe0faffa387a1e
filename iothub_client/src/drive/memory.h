#ifndef IOTHUB_MEMORY_H
#define IOTHUB_MEMORY_H

/**
 * @file
 * How the memory given to iothub_init is divided.
 */

#include "drive/client.h"

/** IOTHUB_ERR_MEMORY when the sizes are so large that a sum of them could wrap. */
iothub_result memory_check_sizes(const iothub_options *o, iothub_error *error);

/** The first place in the memory for a client.  NULL: there is none; o: the checked options. */
iothub_client *memory_place_client(client_place *place, const iothub_options *o,
                                   iothub_error *error);

/**
 * Make the engine's buffers, the identity and the scratch in what is left of c->memory, after
 * c->context.options.  IOTHUB_ERR_MEMORY: *missing bytes more would do.
 */
iothub_result memory_divide(iothub_client *c, const char *connection_string, size_t *missing,
                            iothub_error *error);

#endif
