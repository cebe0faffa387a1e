#ifndef HUB_BLOB_RANGE_H
#define HUB_BLOB_RANGE_H

/** @file The part of a blob that a request asks for, as in "bytes=0-99". */

#include <stdbool.h>
#include <stdint.h>

typedef struct hub_blob_range {
    uint64_t first;
    uint64_t last;
    bool given; /* false: the whole blob */
} hub_blob_range;

/**
 * Reads the value of a header Range, which may be NULL, for a blob of this size. Only one range
 * with a beginning counts, as in the storage of the vendor; any other text means the whole blob.
 * Returns false if no byte of the blob is in the range.
 */
bool hub_blob_range_read(const char *text, uint64_t size, hub_blob_range *out);

#endif
