/* Opens a store in a flash with any content. The input makes records and removals first, and then
 * changes bytes and adds entries; a changed sector may get a right checksum of its header. Whatever
 * is found, the store stays inside the flash, and it either refuses the content or works. */

#include "fuzz.h"

#include "flash_store/flash_crc.h"
#include "flash_store/flash_format.h"
#include "platform/flash_store.h"

enum { SECTOR = 1024, SECTORS = 4, SIZE = SECTOR * SECTORS, READS_MAX = 1000 };

static uint8_t bytes[SIZE];

static bool inside(uint32_t at, size_t len)
{
    return at <= SIZE && len <= SIZE - at;
}

static plat_result read_bytes(const plat_flash *self, uint32_t at, void *to, size_t len)
{
    (void)self;
    FUZZ_CHECK(inside(at, len));
    memcpy(to, bytes + at, len);
    return PLAT_OK;
}

static plat_result program(const plat_flash *self, uint32_t at, const void *from, size_t len)
{
    FUZZ_CHECK(inside(at, len) && len > 0 && at % self->unit == 0 && len % self->unit == 0);
    FUZZ_CHECK(at / SECTOR == (at + len - 1) / SECTOR);
    for (size_t i = 0; i < len; i++) {
        bytes[at + i] &= ((const uint8_t *)from)[i]; /* bits only become 0 */
    }
    return PLAT_OK;
}

static plat_result erase(const plat_flash *self, uint32_t sector)
{
    (void)self;
    FUZZ_CHECK(sector < SECTORS);
    memset(bytes + sector * SECTOR, 0xFF, SECTOR);
    return PLAT_OK;
}

static plat_store *open_store(void)
{
    static const plat_flash flash = { SECTOR, SECTORS, 8, read_bytes, program, erase };
    static plat_flash_store memory;
    static uint64_t words[SECTORS * PLAT_FLASH_STORE_INDEX_WORDS(SECTOR)];
    static uint8_t buffer[SECTOR];
    const plat_flash_options o = {
        .flash = &flash,
        .owner = "fuzz",
        .index = words,
        .index_words = sizeof words / sizeof words[0],
        .buffer = buffer,
        .buffer_size = sizeof buffer,
        .new_id = 7,
    };
    const char *detail;
    plat_store *s;
    const plat_result r = plat_flash_store_open(&memory, &o, &s, &detail);

    FUZZ_CHECK((r == PLAT_OK) == (s != NULL) && (r == PLAT_OK) == (detail[0] == '\0'));
    FUZZ_CHECK(r == PLAT_OK || r == PLAT_ERR_STORE_DAMAGED || r == PLAT_ERR_STORE_VERSION);
    return s;
}

static void use(plat_store *s, uint8_t what)
{
    static uint8_t body[256];
    plat_store_record r = { .body = body, .body_len = what & 0x7F, .head = body, .head_len = 3 };
    plat_store_record found;

    if (what < 128) {
        (void)s->ops->append(s, &r, 1);
    } else if (s->ops->read(s, what == 255 ? 0 : what & 0x3F, &found) == PLAT_OK) {
        (void)s->ops->remove(s, found.seq, 1);
        (void)(what % 2 == 0 ? s->ops->sync(s) : PLAT_OK);
    }
}

static void change(fuzz_input *in)
{
    const uint32_t at = fuzz_roll(in, SIZE);
    const uint32_t sector = at - at % SECTOR;
    const uint8_t mask = fuzz_byte(in);

    bytes[at] ^= mask;
    if (mask % 2 == 0) { /* the header of this sector is right again */
        const uint32_t crc = flash_crc(0, bytes + sector, FLASH_HEADER_SIZE - 4);
        for (uint32_t i = 0; i < 4; i++) {
            bytes[sector + FLASH_HEADER_SIZE - 4 + i] = (uint8_t)(crc >> 8 * i);
        }
    }
}

/* Writes a valid entry with any numbers to any granule. */
static void plant(fuzz_input *in)
{
    static const enum flash_kind kinds[] = { FLASH_RECORD, FLASH_REMOVAL, FLASH_CHECKPOINT };
    const uint32_t at =
        fuzz_roll(in, (SIZE - FLASH_ENTRY_MAX) / FLASH_GRANULE_MIN) * FLASH_GRANULE_MIN;
    const struct flash_place place = { 7, at / SECTOR + SECTORS * fuzz_roll(in, 4), at % SECTOR };
    const uint64_t sign = fuzz_roll(in, 8) == 0 ? UINT64_MAX : 0;
    const struct flash_entry e = {
        .kind = kinds[fuzz_roll(in, 3)],
        .seq = sign != 0 ? sign - fuzz_roll(in, 64) : fuzz_roll(in, 64),
        .count = fuzz_roll(in, 65536),
        .oldest = fuzz_roll(in, 16),
        .record = { .head_len = fuzz_roll(in, 2048), .body_len = (size_t)(sign - fuzz_byte(in)) },
    };
    uint8_t encoded[FLASH_ENTRY_MAX];
    const size_t len = flash_entry_encode(&e, &place, encoded);

    memcpy(bytes + at, encoded, len);
}

/* Reads everything. Each step goes on, and what is counted is there. */
static void read_all(plat_store *s)
{
    plat_store_record r;
    plat_store_info info;
    uint64_t seq = 0;
    uint64_t count = 0;
    plat_result result = PLAT_OK;

    for (; count < READS_MAX; count++, seq = r.seq + 1) {
        result = s->ops->read(s, seq, &r);
        if (result != PLAT_OK) {
            break;
        }
        FUZZ_CHECK(r.seq >= seq && r.head_len + r.body_len <= SECTOR);
        if (r.seq == UINT64_MAX) {
            break;
        }
    }
    s->ops->info(s, &info);
    FUZZ_CHECK(result != PLAT_EOF || info.count == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    memset(bytes, 0xFF, sizeof bytes);

    plat_store *s = open_store();
    FUZZ_CHECK(s != NULL);
    for (uint8_t n = fuzz_byte(&in); n > 0; n--) {
        use(s, fuzz_byte(&in));
    }
    while (in.len > 0) {
        if (fuzz_roll(&in, 2) == 0) {
            change(&in);
        } else {
            plant(&in);
        }
    }
    s = open_store();
    if (s == NULL) {
        return 0;
    }
    read_all(s);
    for (uint8_t i = 0; i < 40; i++) {
        use(s, (uint8_t)(i * 37));
    }
    (void)s->ops->close(s);
    return 0;
}
