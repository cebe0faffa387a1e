#ifndef IOTHUB_MEMORY_H
#define IOTHUB_MEMORY_H

/**
 * @file
 * How the memory given to iothub_init is divided.
 */

#include "internal.h"

/** Where a client is to be. */
typedef struct client_place {
    void *memory;
    size_t len;
    bool from_heap; /* iothub_free gives the memory back */
    size_t missing; /* IOTHUB_ERR_MEMORY: so many bytes more would do, or are part of what would */
} client_place;

/** IOTHUB_ERR_MEMORY when the sizes are so large that a sum of them could wrap. */
iothub_result memory_check_sizes(const iothub_options *o, iothub_error *error);

/** The first place in the memory for a client.  NULL: there is none; o: the checked options. */
iothub_client *memory_place_client(client_place *place, const iothub_options *o,
                                   iothub_error *error);

/**
 * Make the engine's buffers, the identity and the scratch in what is left of c->memory, after
 * c->options.  IOTHUB_ERR_MEMORY: *missing bytes more would do.
 */
iothub_result memory_divide(iothub_client *c, const char *connection_string, size_t *missing,
                            iothub_error *error);

/** iothub_init; NULL: refused. */
iothub_client *client_init(client_place *place, const char *connection_string,
                           const iothub_options *o, iothub_error *error);

/** iothub_deinit.  False: refused, and all is as it was. */
bool client_end(iothub_client *c);

#endif
