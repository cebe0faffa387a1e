#ifndef FLASH_WALK_H
#define FLASH_WALK_H

/*
 * Reads the entries of a sector in order, and decides which of them count.
 *
 * A power failure leaves its mark only on the unit that was being programmed: that unit may read as
 * erased, as programmed or as anything else, and differently each time.  Therefore:
 *
 * - A record counts if its commit mark fits, because the mark is programmed after the rest.  Since
 *   the mark itself may be in doubt, a checkpoint that follows decides: the record counts if its
 *   number is below that of the checkpoint.
 * - A removal counts if its CRC is right, unless a checkpoint follows: that repeats the removal if
 * it counts.
 * - Of several checkpoints in a row, the last one counts.  At the end of a sector, the header and
 * the first checkpoint of the next sector decide in its place.
 * - Each opening of a store writes a checkpoint before any other entry.
 * - Bytes that are no entry, and a record without a commit mark, are passed over granule by granule
 *   until the next entry.  A record may thus be in doubt and yet be followed by entries.
 */

#include "flash_store/flash_format.h"
#include "flash_store/flash_medium.h"

/* An entry that counts. */
struct flash_step {
    struct flash_entry entry;
    uint32_t offset; /* in the sector */
    uint32_t len;    /* of the whole entry in the flash, with padding, payload and commit mark */
};

struct flash_walk {
    struct flash_medium *medium;
    struct flash_place place; /* the position of the next entry */
    uint32_t base;            /* address of the sector */
    uint32_t end;             /* offset at which the walk ends */
    uint64_t limit; /* at the end: a record counts if its number is lower; UINT64_MAX: if its commit
                       mark fits */
    uint64_t next_seq; /* records with lower numbers do not count */
    bool holding;      /* a record was read, and what follows decides whether it counts */
    bool held_commit;  /* its commit mark fits */
    struct flash_step held;
    bool checked; /* a checkpoint was read, and maybe another one follows */
    bool twice;   /* the one before it was the same */
    struct flash_step check;

    /* Offsets behind the last entry, also one that does not count, and behind the last granule that
     * is not erased. */
    uint32_t entries_end;
    uint32_t dirt_end;
};

/* Begins behind the header of a sector, whose first record has the number first_seq. */
void flash_walk_begin(struct flash_walk *w, struct flash_medium *m, uint64_t id, uint32_t serial,
                      uint64_t first_seq, uint64_t limit);

/* Begins at the entry at an offset, and ends at another offset. */
void flash_walk_range(struct flash_walk *w, uint32_t offset, uint32_t end);

/* Reads the next entry that counts.  Returns PLAT_EOF at the end. */
plat_result flash_walk_next(struct flash_walk *w, struct flash_step *out);

/* Bytes that a record takes in the flash. */
uint32_t flash_walk_record_len(const struct flash_medium *m, size_t payload_len);

#endif
