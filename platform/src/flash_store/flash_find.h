#ifndef FLASH_FIND_H
#define FLASH_FIND_H

/* Finds the records of an open store by their numbers. */

#include "flash_store/flash_log.h"

/* Remembers where the last record was found, so that the next one needs no search.  All zero at the
 * beginning. */
struct flash_cursor {
    uint64_t seq; /* number of that record; 0: none */
    uint32_t serial;
    uint32_t offset;
};

/* Finds a record, which flash_log_has has found to exist. */
plat_result flash_find(const struct flash_log *l, struct flash_cursor *c, uint64_t seq,
                       struct flash_step *out);

/* Reads the head and body of a record into memory, and compares their CRC. */
plat_result flash_find_payload(const struct flash_log *l, const struct flash_cursor *c,
                               const struct flash_entry *e, void *to);

#endif
