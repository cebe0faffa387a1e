#ifndef FLASH_MOUNT_H
#define FLASH_MOUNT_H

/* Finds the store in a flash.  Nothing is written. */

#include "flash_store/flash_index.h"
#include "flash_store/flash_walk.h"

struct flash_found {
    bool blank; /* there is no store; the other members do not matter */
    uint64_t id;
    uint32_t oldest; /* serial numbers of the sectors in use */
    uint32_t last;
    uint64_t next_seq;
    uint64_t count;
    uint64_t bytes;
    size_t largest;         /* bytes of head and body of the largest record */
    uint32_t tail;          /* offset in the last sector, behind which nothing was programmed */
    uint64_t removed_from;  /* the last removal, if no record follows it: it may be in doubt */
    uint32_t removed_count; /* 0: none */
    bool doubt;             /* a checkpoint has to settle whether the last record counts */
};

/* Fills the index as well.
 * PLAT_ERR_STORE_VERSION: made by another version, for another owner or geometry.
 * PLAT_ERR_STORE_DAMAGED: no store, or a damaged one. */
plat_result flash_mount(struct flash_medium *m, struct flash_index *x, uint64_t owner,
                        struct flash_found *out);

#endif
