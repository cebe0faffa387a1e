#ifndef IOTHUB_MEMORY_H
#define IOTHUB_MEMORY_H

/**
 * @file
 * How the memory given to iothub_init is divided.
 */

#include "connection/credential.h"

/** Where a client is to be. */
typedef struct client_place {
    void *memory;
    size_t len;
    bool from_heap; /* iothub_free gives the memory back */
    size_t missing; /* IOTHUB_ERR_MEMORY: so many bytes more would do, or are part of what would */
} client_place;

/** Who gets memory. */
typedef struct memory_parts {
    iothub_context *context;
    iothub_credential *credential;
    size_t lane_max; /* messages in the lane of telemetry */
    void *table;     /* with a store: for the records in that lane, so many bytes */
    size_t table_len;
} memory_parts;

/** IOTHUB_ERR_MEMORY when the sizes are so large that a sum of them could wrap. */
iothub_result memory_check_sizes(const iothub_options *o, iothub_error *error);

/** The first place in the memory for a client of that size.  NULL: there is none.  o: the checked
 * options. */
void *memory_place(client_place *place, size_t size, const iothub_options *o, iothub_error *error);

/**
 * Make the engine's buffers, the identity and the scratch in the rest of the memory, by the options
 * of the context.  IOTHUB_ERR_MEMORY: place->missing bytes more would do.
 */
iothub_result memory_divide(memory_parts *p, client_place *place, void *rest,
                            const char *connection_string, iothub_error *error);

#endif
