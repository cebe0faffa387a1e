#ifndef FLASH_LOG_H
#define FLASH_LOG_H

/*
 * Writes the log: appends entries to the newest sector, and begins the next one when it is full.
 *
 * Room is kept so that everything can be removed from a full flash: an append is accepted only if
 * afterwards there is room for a removal of its own for each record, and for some openings of the
 * store.  If many openings have used that up, removals are kept in memory until a sector is free.
 * One sector is never in use: the one that is begun next.
 */

#include "flash_store/flash_mount.h"

struct flash_log {
    struct flash_medium *medium;
    struct flash_index *index;
    uint64_t id;
    uint64_t owner;
    uint32_t oldest; /* serial numbers of the sectors in use */
    uint32_t last;
    uint32_t saved_oldest; /* what the flash says */
    uint32_t tail;         /* offset of the next entry in the last sector */
    uint64_t next_seq;
    uint64_t first_seq; /* all records before this one are removed */
    uint64_t count;     /* records that are not removed */
    uint64_t bytes;     /* of their heads and bodies */
    bool unsettled; /* a checkpoint must be written before the next entry: an append has failed, or
                       the store was opened */
};

/* Makes a store in a blank flash. */
plat_result flash_log_create(struct flash_log *l, struct flash_medium *m, struct flash_index *x,
                             uint64_t owner, uint64_t id);

/* Continues a store that was found, and settles what is in doubt, now or before the next write. */
void flash_log_resume(struct flash_log *l, struct flash_medium *m, struct flash_index *x,
                      uint64_t owner, const struct flash_found *f);

/* Appends a record and sets its number.  PLAT_ERR_FULL: there is no room; PLAT_ERR_ARG: there never
 * will be. */
plat_result flash_log_append(struct flash_log *l, plat_store_record *p);

/* Forgets a record of len bytes, in memory only.  The caller has checked that it is there. */
void flash_log_forget(struct flash_log *l, uint64_t seq, size_t len);
bool flash_log_has(const struct flash_log *l, uint64_t seq);

/* Writes that count records from seq on are removed. */
plat_result flash_log_put_removal(struct flash_log *l, uint64_t seq, uint32_t count);

/* Writes which sectors are free, if that has changed. */
plat_result flash_log_put_oldest(struct flash_log *l);

/* The largest payload that a flash can save. */
size_t flash_log_payload_max(const struct flash_medium *m);

#endif
