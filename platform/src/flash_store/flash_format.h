#ifndef FLASH_FORMAT_H
#define FLASH_FORMAT_H

/*
 * The bytes in the flash.  All numbers are little-endian.
 *
 * A sector begins with a header and continues with entries.  Header and entries begin at multiples
 * of the granule, which is the unit of the flash or 8 bytes, whichever is more; padding is 0xFF.
 *
 *     header      magic, version, geometry, serial number, id and owner of the store, and what a
 *                 checkpoint has
 *     record      header of the record; its head and body; a commit mark
 *     removal     a range of sequence numbers whose records are removed
 *     checkpoint  the next sequence number, which settles whether the record before it counts, and
 *                 the serial number of the oldest sector in use
 *
 * The CRC of an entry covers its position, the serial number of its sector and the id of the store,
 * so that neither the payload of a record nor old content can be mistaken for an entry.
 *
 * Sector number N of the flash has the serial numbers N, N + sectors, N + 2 * sectors, ...
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/store.h"

enum {
    FLASH_VERSION = 1,
    FLASH_HEADER_SIZE = 48,
    FLASH_RECORD_SIZE = 56, /* without payload and commit mark */
    FLASH_COMMIT_SIZE = 8,
    FLASH_REMOVAL_SIZE = 16,
    FLASH_CHECKPOINT_SIZE = 24,
    FLASH_ENTRY_MAX = FLASH_RECORD_SIZE,
    FLASH_GRANULE_MIN = 8
};

enum flash_kind {
    FLASH_NOTHING = 0, /* no valid entry */
    FLASH_RECORD = 0xA1,
    FLASH_REMOVAL = 0xB2,
    FLASH_CHECKPOINT = 0xC3
};

/* Where an entry is. */
struct flash_place {
    uint64_t id;     /* of the store */
    uint32_t serial; /* of the sector */
    uint32_t offset; /* in the sector */
};

/* Any entry.  The members that its kind does not have are 0. */
struct flash_entry {
    enum flash_kind kind;
    uint32_t crc;    /* of the encoded entry; a commit mark repeats it */
    uint64_t seq;    /* record: its number; removal: the first number; checkpoint: the next one */
    uint32_t count;  /* removal: how many numbers, 1 to 65,535 */
    uint32_t oldest; /* checkpoint: serial number of the oldest sector in use */
    plat_store_record record; /* record; its head and body are NULL */
    uint32_t payload_crc;     /* record: CRC of its head and body */
};

struct flash_header {
    uint32_t sector_size;
    uint32_t sectors;
    uint32_t unit;
    uint32_t serial;
    uint64_t id;
    uint64_t owner; /* a hash of its text */
    uint64_t next_seq;
    uint32_t oldest;
};

enum flash_header_verdict {
    FLASH_HEADER_NONE,    /* these bytes are no header */
    FLASH_HEADER_FOREIGN, /* a header of another version */
    FLASH_HEADER_VALID
};

void flash_header_encode(const struct flash_header *h, uint8_t out[FLASH_HEADER_SIZE]);
enum flash_header_verdict flash_header_decode(const uint8_t bytes[FLASH_HEADER_SIZE],
                                              struct flash_header *out);

/* Returns the length of the encoded entry, which for a record is FLASH_RECORD_SIZE. */
size_t flash_entry_encode(const struct flash_entry *e, const struct flash_place *place,
                          uint8_t out[FLASH_ENTRY_MAX]);

/* Reads an entry.  len is the number of bytes up to the end of the sector, or FLASH_ENTRY_MAX.
 * Returns false if there is none. */
bool flash_entry_decode(const uint8_t *bytes, size_t len, const struct flash_place *place,
                        struct flash_entry *out);

/* The CRC of an encoded entry. */
uint32_t flash_entry_crc(const uint8_t *bytes);

void flash_commit_encode(uint32_t crc, uint8_t out[FLASH_COMMIT_SIZE]);
bool flash_commit_fits(const uint8_t bytes[FLASH_COMMIT_SIZE], uint32_t crc);

/* The hash of a text: 64-bit FNV-1a. */
uint64_t flash_owner_hash(const char *owner);

#endif
