#ifndef PLAT_FLASH_STORE_H
#define PLAT_FLASH_STORE_H

/**
 * @file
 * A store (platform/store.h) in raw NOR flash, for devices without a file system.  Link
 * iothub::platform_flash_store, which needs no operating system, no heap and no C library beyond
 * string.h.
 *
 * The program provides three functions that read, program and erase the flash (plat_flash), and all
 * memory.  A record survives a loss of power as soon as append has returned PLAT_OK; only removals
 * are gathered for a moment.  Power may fail at any time, also while the flash is being programmed
 * or erased: afterwards each record is either there as it was appended, or it is not there, and
 * every record that append has accepted is there.
 *
 * The sectors are a ring.  They are erased one after the other, so that their erase counts differ
 * by one.  A power failure while a sector is being erased or begun costs one more erase of that
 * sector.
 *
 * A unit is programmed once between two erases, so the flash may have an error-correcting code.
 * There is one exception: if the power fails during the first unit that is programmed after an
 * opening, and that unit reads as erased afterwards, and the same has happened to the opening
 * before, then it is programmed again.
 *
 * Space is reused from the oldest sector on: a sector is free when all of its records are removed,
 * and so are all records before them.  A client removes its oldest records first.  One sector is
 * always kept free.
 *
 * A store has one owner at a time, but flash has no locks: the program must not open it twice.
 * PLAT_ERR_STORE_BUSY is therefore never returned.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A raw flash, or the part of one that a store may use. */
typedef struct plat_flash plat_flash;

/**
 * The functions of a flash, and its geometry.  A driver embeds this struct as its first member.
 *
 * Addresses count from 0, the first byte of the first sector.  An erased byte is 0xFF; a driver of
 * a flash that erases to 0x00 inverts all bytes.  The store calls one function at a time, and each
 * function returns when the flash has finished.
 */
struct plat_flash {
    uint32_t sector_size; /**< bytes that are erased together: a power of two, at least
                               PLAT_FLASH_SECTOR_MIN and at most PLAT_FLASH_SECTOR_MAX */
    uint32_t sectors;     /**< number of sectors: at least 3, at most PLAT_FLASH_SECTORS_MAX */
    uint32_t unit; /**< bytes that are programmed together, once between two erases: a power of two
                        from 1 to PLAT_FLASH_UNIT_MAX */

    /**
     * Reads bytes.
     * @param self     this flash
     * @param at       address of the first byte, of any alignment
     * @param[out] to  the bytes
     * @param len      their number; the range is inside the flash
     * @retval PLAT_ERR_STORE  the flash could not be read
     */
    plat_result (*read)(const plat_flash *self, uint32_t at, void *to, size_t len);

    /**
     * Programs erased units, in ascending order.
     * @param self  this flash
     * @param at    address of the first byte, a multiple of the unit
     * @param from  the bytes
     * @param len   their number, a multiple of the unit.  The range is inside one sector, but it
     * may cross the pages of a flash that programs pages; the driver then splits it.
     * @retval PLAT_ERR_STORE  a unit could not be programmed; those before it may be
     */
    plat_result (*program)(const plat_flash *self, uint32_t at, const void *from, size_t len);

    /**
     * Erases a sector.
     * @param self    this flash
     * @param sector  its number, from 0 on
     * @retval PLAT_ERR_STORE  the sector could not be erased
     */
    plat_result (*erase)(const plat_flash *self, uint32_t sector);
};

/** The smallest sector in bytes. */
#define PLAT_FLASH_SECTOR_MIN 1024u
/** The largest sector in bytes. */
#define PLAT_FLASH_SECTOR_MAX (256u * 1024u)
/** The largest number of sectors. */
#define PLAT_FLASH_SECTORS_MAX 4096u
/** The largest unit in bytes. */
#define PLAT_FLASH_UNIT_MAX 32u

/** Bytes of flash that a record takes in addition to its head and body, if the unit has at most 8
 * bytes. */
#define PLAT_FLASH_RECORD_OVERHEAD 64u

/** 64-bit words of index that each sector of a size needs: the number of its first record, and one
 * bit for each record that fits into it. */
#define PLAT_FLASH_STORE_INDEX_WORDS(sector_size) \
    (1u + ((sector_size) / PLAT_FLASH_RECORD_OVERHEAD + 63u) / 64u)

/** Size of a plat_flash_store in bytes. */
#define PLAT_FLASH_STORE_SIZE 296

/** Memory for a store.  The caller owns it, and must not move it while the store is open.  Its
 * members are private. */
typedef union plat_flash_store {
    plat_store store;                           /**< private: aligns the memory */
    uint64_t align;                             /**< private: aligns the memory */
    unsigned char bytes[PLAT_FLASH_STORE_SIZE]; /**< private: the memory */
} plat_flash_store;

/**
 * How to open a store.  The flash, the index and the buffer must stay valid until the store is
 * closed.  This struct does not grow.
 */
typedef struct plat_flash_options {
    const plat_flash *flash; /**< The flash.  The store uses all of its sectors. */
    /**
     * The owner of the records, for example "host/device".  A store that was made for another owner
     * is refused, because its records would be sent in the wrong name.  The flash has a 64-bit hash
     * of this text.
     */
    const char *owner;
    uint64_t *index;    /**< Memory for what the store knows about its sectors. */
    size_t index_words; /**< Number of elements of index, at least flash->sectors *
                             PLAT_FLASH_STORE_INDEX_WORDS(flash->sector_size). */
    void *buffer;       /**< Memory for the record that read returns. */
    size_t buffer_size; /**< Its size in bytes: the largest head and body, together, that the store
                             accepts. */
    uint64_t new_id;    /**< A random number for plat_store_info.id, if the store is made now. */
    /** Milliseconds that removals may be gathered before they are written.  A loss of power undoes
     * removals of this time.  0: one second. */
    uint32_t removal_delay_ms;
} plat_flash_options;

/**
 * Opens a store, or makes one if the flash is blank.
 *
 * A change of single bits in the flash is found, with one limit: if the newest sector is lost as a
 * whole, its records are missing without an error.
 *
 * A flash is blank if all sectors but the first are erased, and the first has no valid header: it
 * is erased, or a power failure has interrupted the making of a store.  A flash with any other
 * content is refused and stays as it is; call plat_flash_store_erase to give its content up.
 *
 * Opening reads the headers of all records, and it may program a few units that settle what a power
 * failure has left in doubt.  If they cannot be programmed, because the flash is full or worn out,
 * the store opens all the same; the first append or removal then tries again.
 *
 * @param memory       where the store is made
 * @param o            how to open it
 * @param[out] out     the store; NULL after a failure
 * @param[out] detail  why it failed: one static line; "" after PLAT_OK
 * @retval PLAT_ERR_ARG            an option or the geometry of the flash is invalid
 * @retval PLAT_ERR_STORE_VERSION  made by another version, with another geometry or for another
 *                                 owner
 * @retval PLAT_ERR_STORE_DAMAGED  the flash does not contain a store, or the store is damaged
 * @retval PLAT_ERR_STORE          the flash could not be read, or a new store not be
 *                                 written
 */
plat_result plat_flash_store_open(plat_flash_store *memory, const plat_flash_options *o,
                                  plat_store **out, const char **detail);

/**
 * Erases every sector, and with it a store that must not be open.  The next plat_flash_store_open
 * makes a new store.  After a loss of power during the call the flash may be refused as damaged;
 * then call this function again.
 *
 * @param flash  the flash
 * @retval PLAT_ERR_ARG    its geometry is invalid
 * @retval PLAT_ERR_STORE  a sector could not be erased
 */
plat_result plat_flash_store_erase(const plat_flash *flash);

/**
 * Calculates the largest record that a flash can save.
 * @param flash  the flash
 * @return bytes of head and body together; 0: its geometry is invalid
 */
size_t plat_flash_store_record_max(const plat_flash *flash);

#ifdef __cplusplus
}
#endif
#endif
