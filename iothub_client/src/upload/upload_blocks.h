#ifndef IOTHUB_UPLOAD_BLOCKS_H
#define IOTHUB_UPLOAD_BLOCKS_H

/** @file Which blocks of a source have arrived at the storage. */

#include <stdbool.h>
#include <stdint.h>

#include "iothub/upload.h"
#include "text/text_writer.h"

/** The blocks of a source. All zero: none has arrived. */
typedef struct upload_blocks {
    uint32_t arrived; /* number of blocks that have arrived */
    uint8_t bits[(IOTHUB_UPLOAD_BLOCKS_MAX + 7) / 8];
} upload_blocks;

/** Forgets all blocks. */
void upload_blocks_clear(upload_blocks *b);

/** Notes that a block has arrived. */
void upload_blocks_add(upload_blocks *b, uint32_t number);

/** Returns whether a block has arrived. */
bool upload_blocks_have(const upload_blocks *b, uint32_t number);

/**
 * Writes the numbers of the blocks that have arrived as ranges, such as "0-6,8". Ranges that do not
 * fit are left out: their blocks are sent again then.
 */
void upload_blocks_put(const upload_blocks *b, iothub_text *t);

/** Reads what upload_blocks_put has written. Returns false if it is something else. */
bool upload_blocks_parse(upload_blocks *b, mqc_span text);

#endif
