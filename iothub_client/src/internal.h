#ifndef IOTHUB_INTERNAL_H
#define IOTHUB_INTERNAL_H

/**
 * @file
 * What the files of the client call in each other, one block a file.
 */

#include "client_struct.h"
#include "connection/life.h"
#include "connection/wall_clock.h"
#include "context/result_map.h"
#include "hub/topics.h"
#include "text/text_writer.h"

/** What the log says once may be noted by functions that only look. */
static inline iothub_client *client_own(const iothub_client *c)
{
    const union {
        const iothub_client *seen;
        iothub_client *own;
    } both = { c };
    return both.own;
}

#endif
