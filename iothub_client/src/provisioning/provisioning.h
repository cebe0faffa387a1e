#ifndef IOTHUB_PROVISIONING_PART_H
#define IOTHUB_PROVISIONING_PART_H

/** @file A registration without a client; iothub/provisioning.h has its functions. */

#include "provisioning/exchange.h"

struct iothub_provisioning {
    iothub_exchange *exchange;
    void *memory;
    size_t memory_len;
    iothub_provisioning_state state;
    uint32_t failures; /* in a row */
    mqc_time again_at; /* IOTHUB_PROVISIONING_WAITS: when the next attempt begins */
    iothub_error error;
    iothub_assignment assignment;
};

/**
 * Makes a registration in the memory and begins it. NULL: refused, with *needed 0, or the memory is
 * too small, with *needed the number of bytes.
 */
iothub_provisioning *provisioning_make(void *memory, size_t len,
                                       const iothub_provisioning_options *p,
                                       const iothub_options *o, size_t *needed,
                                       iothub_error *error);

/** Closes its connection and erases it. Returns its memory. */
void *provisioning_end(iothub_provisioning *r);

#endif
