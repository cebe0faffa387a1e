#include "flash_store/flash_format.h"

#include <string.h>

#include "flash_store/flash_crc.h"

enum {
    HEADER_MAGIC = 0x46546f49, /* "IoTF" */
    HEADER_CRC_AT = FLASH_HEADER_SIZE - 4,
    ENTRY_BODY_AT = 4 /* behind the CRC of an entry */
};

static void put(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint64_t get(const uint8_t *from, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = bytes; i > 0; i--) {
        value = value << 8 | from[i - 1];
    }
    return value;
}

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)get(from, 4);
}

/* --- header ------------------------------------------------------------------------------ */

/* The exponent of a power of two. */
static uint8_t exponent(uint32_t power)
{
    uint8_t n = 0;

    while (power > 1) {
        power >>= 1;
        n++;
    }
    return n;
}

void flash_header_encode(const struct flash_header *h, uint8_t out[FLASH_HEADER_SIZE])
{
    put(out, HEADER_MAGIC, 4);
    out[4] = FLASH_VERSION;
    out[5] = exponent(h->unit);
    out[6] = exponent(h->sector_size);
    out[7] = 0;
    put(out + 8, h->sectors, 4);
    put(out + 12, h->serial, 4);
    put(out + 16, h->id, 8);
    put(out + 24, h->owner, 8);
    put(out + 32, h->next_seq, 8);
    put(out + 40, h->oldest, 4);
    put(out + HEADER_CRC_AT, flash_crc(0, out, HEADER_CRC_AT), 4);
}

enum flash_header_verdict flash_header_decode(const uint8_t bytes[FLASH_HEADER_SIZE],
                                              struct flash_header *out)
{
    if (get32(bytes) != HEADER_MAGIC ||
        get32(bytes + HEADER_CRC_AT) != flash_crc(0, bytes, HEADER_CRC_AT)) {
        return FLASH_HEADER_NONE;
    }
    if (bytes[4] != FLASH_VERSION || bytes[5] > 31 || bytes[6] > 31) {
        return FLASH_HEADER_FOREIGN;
    }
    *out = (struct flash_header){
        .unit = UINT32_C(1) << bytes[5],
        .sector_size = UINT32_C(1) << bytes[6],
        .sectors = get32(bytes + 8),
        .serial = get32(bytes + 12),
        .id = get(bytes + 16, 8),
        .owner = get(bytes + 24, 8),
        .next_seq = get(bytes + 32, 8),
        .oldest = get32(bytes + 40),
    };
    return FLASH_HEADER_VALID;
}

/* --- entries ----------------------------------------------------------------------------- */

static uint32_t compute_crc(const uint8_t *bytes, size_t len, const struct flash_place *place)
{
    uint8_t where[16];

    put(where, place->id, 8);
    put(where + 8, place->serial, 4);
    put(where + 12, place->offset, 4);
    return flash_crc(flash_crc(0, where, sizeof where), bytes + ENTRY_BODY_AT, len - ENTRY_BODY_AT);
}

static size_t size_of(unsigned kind)
{
    switch (kind) {
    case FLASH_RECORD: return FLASH_RECORD_SIZE;
    case FLASH_REMOVAL: return FLASH_REMOVAL_SIZE;
    case FLASH_CHECKPOINT: return FLASH_CHECKPOINT_SIZE;
    default: return 0;
    }
}

static void encode_record(const struct flash_entry *e, uint8_t *out)
{
    const plat_store_record *r = &e->record;

    put(out + 8, r->head_len, 4);
    put(out + 12, r->body_len, 4);
    put(out + 16, e->seq, 8);
    put(out + 24, (uint64_t)r->stored_s, 8);
    put(out + 32, r->tag, 8);
    put(out + 40, r->id, 4);
    put(out + 44, r->ttl_ms, 4);
    put(out + 48, r->flags, 4);
    put(out + 52, e->payload_crc, 4);
}

static void decode_record(const uint8_t *bytes, struct flash_entry *out)
{
    out->seq = get(bytes + 16, 8);
    out->payload_crc = get32(bytes + 52);
    out->record = (plat_store_record){
        .seq = out->seq,
        .head_len = get32(bytes + 8),
        .body_len = get32(bytes + 12),
        .stored_s = (int64_t)get(bytes + 24, 8),
        .tag = get(bytes + 32, 8),
        .id = get32(bytes + 40),
        .ttl_ms = get32(bytes + 44),
        .flags = get32(bytes + 48),
    };
}

size_t flash_entry_encode(const struct flash_entry *e, const struct flash_place *place,
                          uint8_t out[FLASH_ENTRY_MAX])
{
    const size_t len = size_of(e->kind);

    memset(out, 0, len);
    out[4] = (uint8_t)e->kind;
    if (e->kind == FLASH_RECORD) {
        encode_record(e, out);
    } else {
        put(out + 6, e->count, 2);
        put(out + 8, e->seq, 8);
    }
    if (e->kind == FLASH_CHECKPOINT) {
        put(out + 16, e->oldest, 4);
    }
    put(out, compute_crc(out, len, place), 4);
    return len;
}

bool flash_entry_decode(const uint8_t *bytes, size_t len, const struct flash_place *place,
                        struct flash_entry *out)
{
    const size_t size = len > ENTRY_BODY_AT ? size_of(bytes[ENTRY_BODY_AT]) : 0;

    if (size == 0 || size > len || get32(bytes) != compute_crc(bytes, size, place)) {
        return false;
    }
    *out =
        (struct flash_entry){ .kind = (enum flash_kind)bytes[ENTRY_BODY_AT], .crc = get32(bytes) };
    if (out->kind == FLASH_RECORD) {
        decode_record(bytes, out);
    } else {
        out->count = (uint32_t)get(bytes + 6, 2);
        out->seq = get(bytes + 8, 8);
    }
    if (out->kind == FLASH_CHECKPOINT) {
        out->oldest = get32(bytes + 16);
    }
    return true;
}

uint32_t flash_entry_crc(const uint8_t *bytes)
{
    return get32(bytes);
}

void flash_commit_encode(uint32_t crc, uint8_t out[FLASH_COMMIT_SIZE])
{
    put(out, crc, 4);
    put(out + 4, (uint32_t)~crc, 4);
}

bool flash_commit_fits(const uint8_t bytes[FLASH_COMMIT_SIZE], uint32_t crc)
{
    return get32(bytes) == crc && get32(bytes + 4) == (uint32_t)~crc;
}

uint64_t flash_owner_hash(const char *owner)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *owner != '\0'; owner++) {
        hash = (hash ^ (uint8_t)*owner) * UINT64_C(0x100000001b3);
    }
    return hash;
}
