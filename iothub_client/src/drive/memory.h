#ifndef IOTHUB_MEMORY_H
#define IOTHUB_MEMORY_H

/**
 * @file
 * How the memory given to iothub_init is divided.
 */

#include "internal.h"

/**
 * Make the engine's buffers, the identity and the scratch of c->memory, after c->options.
 * IOTHUB_ERR_MEMORY: *missing bytes more would do.
 */
iothub_result memory_divide(iothub_client *c, const char *connection_string, size_t *missing,
                            iothub_error *error);

/** iothub_init; with IOTHUB_ERR_MEMORY, *missing bytes more would do. */
iothub_result client_init(iothub_client *c, const char *connection_string, const iothub_options *o,
                          void *memory, size_t memory_len, size_t *missing, iothub_error *error);

/** iothub_deinit.  False: refused, and all is as it was. */
bool client_end(iothub_client *c);

#endif
