#ifndef HUB_BLOCK_LIST_H
#define HUB_BLOCK_LIST_H

/**
 * @file The body of Put Block List, an XML document:
 *
 *     <?xml version="1.0" encoding="utf-8"?>
 *     <BlockList><Latest>BASE64</Latest><Committed>..</Committed>..</BlockList>
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most blocks of a blob, and most bytes of a block id. */
#define HUB_BLOCKS_MAX   50000
#define HUB_BLOCK_ID_MAX 64

typedef struct hub_block_id {
    uint8_t bytes[HUB_BLOCK_ID_MAX];
    size_t len; /* at least 1 */
} hub_block_id;

/** Where a block is looked for. */
typedef enum hub_block_source {
    HUB_BLOCK_LATEST = 0, /* those that were put since the last list; then those of the blob */
    HUB_BLOCK_COMMITTED,
    HUB_BLOCK_UNCOMMITTED
} hub_block_source;

typedef struct hub_block_item {
    hub_block_id id;
    hub_block_source source;
} hub_block_item;

typedef struct hub_block_list {
    hub_block_item *items; /* on the heap */
    size_t count;
} hub_block_list;

/** Decodes an id in base64. Returns false if it is not one, or has no or too many bytes. */
bool hub_block_id_read(hub_block_id *id, const char *base64);

/**
 * Reads the document. Returns false, and leaves an empty list, if it is not one, or has too many
 * blocks.
 */
bool hub_block_list_read(hub_block_list *list, const char *xml);
void hub_block_list_free(hub_block_list *list);

#endif
