/* A port for a board that does not exist, written with the headers and the README alone: it has a
 * clock and a little cryptography, and its network never connects. It is built outside the tree. */

#include <stdio.h>
#include <string.h>

#include "iothub/client.h"
#include "platform/conformance.h"
#include "platform/flash_store.h"

/* --- the port ------------------------------------------------------------------------------ */

static uint64_t ticks;

static uint64_t monotonic_ms(const plat_clock *self)
{
    (void)self;
    return ticks;
}

static int64_t wall_s(const plat_clock *self)
{
    (void)self;
    return 0;
}

static plat_result hmac_sha256(const plat_crypto *self, const void *key, size_t key_len,
                               const void *data, size_t len, uint8_t out[PLAT_SHA256_SIZE])
{
    (void)self;
    (void)key;
    (void)key_len;
    (void)data;
    memset(out, (int)len, PLAT_SHA256_SIZE); /* not what the header asks for */
    return PLAT_OK;
}

static plat_result base64_decode(const plat_crypto *self, const char *text, size_t len,
                                 uint8_t *out, size_t cap, size_t *out_len)
{
    (void)self;
    (void)text;
    *out_len = len / 4 * 3;
    if (*out_len > cap) {
        return PLAT_ERR_NO_SPACE;
    }
    memset(out, 0, *out_len);
    return PLAT_OK;
}

static plat_result base64_encode(const plat_crypto *self, const void *data, size_t len, char *out,
                                 size_t cap, size_t *out_len)
{
    (void)self;
    (void)data;
    *out_len = (len + 2) / 3 * 4;
    if (*out_len > cap) {
        return PLAT_ERR_NO_SPACE;
    }
    memset(out, 'A', *out_len);
    return PLAT_OK;
}

static plat_result random_bytes(const plat_crypto *self, void *out, size_t len)
{
    (void)self;
    memset(out, 4, len);
    return PLAT_OK;
}

static plat_result make_stream(const plat_net *self, plat_stream_storage *memory,
                               const plat_stream_config *config, plat_stream **out)
{
    (void)self;
    (void)memory;
    (void)config;
    *out = NULL;
    return PLAT_ERR_MEMORY;
}

static void wait(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    (void)self;
    for (size_t i = 0; i < count; i++) {
        if (polls[i].ready_now) {
            return;
        }
    }
    ticks += timeout_ms > 0 ? (uint64_t)timeout_ms : 1;
}

static const plat_clock board_clock = { monotonic_ms, wall_s };
static const plat_crypto board_crypto = { hmac_sha256, base64_decode, base64_encode, random_bytes,
                                          NULL };
static const plat_net board_net = { make_stream, wait };
static const plat_platform board = { .clock = &board_clock,
                                     .crypto = &board_crypto,
                                     .net = &board_net };

/* --- a flash ------------------------------------------------------------------------------- */

enum { SECTOR = 2048, SECTORS = 8 };

static uint8_t cells[SECTOR * SECTORS];

static plat_result read_cells(const plat_flash *self, uint32_t at, void *to, size_t len)
{
    (void)self;
    memcpy(to, cells + at, len);
    return PLAT_OK;
}

static plat_result program_cells(const plat_flash *self, uint32_t at, const void *from, size_t len)
{
    (void)self;
    memcpy(cells + at, from, len);
    return PLAT_OK;
}

static plat_result erase_sector(const plat_flash *self, uint32_t sector)
{
    memset(cells + sector * self->sector_size, 0xFF, self->sector_size);
    return PLAT_OK;
}

static plat_result open_store(void *user, plat_store **out)
{
    static const plat_flash flash = { SECTOR, SECTORS, 8, read_cells, program_cells, erase_sector };
    static uint64_t index[SECTORS * PLAT_FLASH_STORE_INDEX_WORDS(SECTOR)];
    static plat_flash_store memory;
    static uint8_t buffer[512];
    const plat_flash_options o = { .flash = &flash,
                                   .owner = "board",
                                   .index = index,
                                   .index_words = sizeof index / sizeof index[0],
                                   .buffer = buffer,
                                   .buffer_size = sizeof buffer };
    const char *detail;

    (void)user;
    return plat_flash_store_open(&memory, &o, out, &detail);
}

/* --- the program --------------------------------------------------------------------------- */

static void print(void *user, const char *line)
{
    (void)user;
    puts(line);
}

int main(void)
{
    const plat_conformance_store store = { .open = open_store, .fill = true };
    const plat_conformance c = { .platform = &board, .print = print, .store = &store };
    iothub_options options;
    iothub_error error;

    memset(cells, 0xFF, sizeof cells);
    iothub_options_init(&options);
    options.platform = &board;
    iothub_client *client =
        iothub_new("HostName=h.example;DeviceId=d;SharedAccessKey=AAAA", &options, &error);
    if (client != NULL) {
        (void)iothub_process(client);
        iothub_free(client);
    } else {
        puts(error.text);
    }
    printf("%u\n", plat_conformance_run(&c));
    return 0;
}
