#ifndef IOTHUB_MEMORY_H
#define IOTHUB_MEMORY_H

/**
 * @file
 * Divides the memory that is passed to iothub_init.
 */

#include "connection/credential.h"

/** The memory for a client. */
typedef struct client_place {
    void *memory;
    size_t len;
    bool from_heap; /* iothub_free frees the memory */
    size_t missing; /* after IOTHUB_ERR_MEMORY: number of missing bytes; it may be too small */
} client_place;

/** The parts of the memory. */
typedef struct memory_parts {
    iothub_context *context;
    credential_part *credential;
    size_t lane_max; /* most messages in the lane of telemetry */
    void *table;     /* memory for the records in that lane; used only with a store */
    size_t table_len;
} memory_parts;

/** Returns IOTHUB_ERR_MEMORY if the sizes are so large that their sum could overflow. */
iothub_result memory_check_sizes(const iothub_options *o, iothub_error *error);

/**
 * Returns the first aligned byte of the memory for a client of that size, or NULL if it does not
 * fit. o must have been checked.
 */
void *memory_place(client_place *place, size_t size, const iothub_options *o, iothub_error *error);

/**
 * Places the buffers of the engine, the identity and the scratch buffer in the rest of the memory,
 * as the options of the context require. After IOTHUB_ERR_MEMORY, place->missing is the number of
 * missing bytes.
 */
iothub_result memory_divide(memory_parts *p, client_place *place, void *rest,
                            const char *connection_string, iothub_error *error);

#endif
