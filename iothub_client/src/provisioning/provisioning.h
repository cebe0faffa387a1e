#ifndef IOTHUB_PROVISIONING_PART_H
#define IOTHUB_PROVISIONING_PART_H

/**
 * @file
 * A registration without a client. Its functions are in iothub/provisioning.h.
 */

#include "provisioning/exchange.h"

struct iothub_provisioning {
    iothub_exchange *exchange;
    void *memory;
    size_t memory_len;
    iothub_provisioning_state state;
    uint32_t failures; /* in a row */
    mqc_time again_at; /* when the next attempt begins, in the state IOTHUB_PROVISIONING_WAITS */
    iothub_error error;
    iothub_assignment assignment;
};

/**
 * Makes a registration in the memory and begins it. Returns NULL if it is refused (*needed is 0),
 * or if the memory is too small (*needed is the number of bytes).
 */
iothub_provisioning *provisioning_make(void *memory, size_t len,
                                       const iothub_provisioning_options *p,
                                       const iothub_options *o, size_t *needed,
                                       iothub_error *error);

/** Closes its connection and erases it. Returns its memory. */
void *provisioning_end(iothub_provisioning *r);

#endif
