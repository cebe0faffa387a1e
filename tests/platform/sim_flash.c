#include "sim_flash.h"

#include <stdlib.h>
#include <string.h>

enum { UNIT_ERASED = 0, UNIT_PROGRAMMED, UNIT_IN_DOUBT };

static sim_flash *of(const plat_flash *base)
{
    return (sim_flash *)(uintptr_t)base;
}

uint32_t sim_flash_roll(sim_flash *s, uint32_t sides)
{
    s->random = s->random * 1664525u + 1013904223u;
    return (s->random >> 8) % sides;
}

size_t sim_flash_size(const sim_flash *s)
{
    return (size_t)s->base.sector_size * s->base.sectors;
}

/* A byte that may be one or the other, bit by bit. */
static uint8_t doubtful(sim_flash *s, uint8_t before, uint8_t after)
{
    if (s->bias == 0 || s->bias == 3) {
        return s->bias == 0 ? before : after;
    }
    const uint8_t mask = (uint8_t)sim_flash_roll(s, 256);
    return (uint8_t)((before & mask) | (after & ~mask));
}

static uint8_t byte_at(sim_flash *s, uint32_t at)
{
    uint8_t byte = s->bytes[at];

    if (s->units[at / s->base.unit] == UNIT_IN_DOUBT) {
        byte = doubtful(s, s->before[at], byte);
    }
    return s->sectors[at / s->base.sector_size] != 0 ? doubtful(s, byte, 0xFF) : byte;
}

static plat_result read_bytes(const plat_flash *self, uint32_t at, void *to, size_t len)
{
    sim_flash *s = of(self);
    uint8_t *out = to;

    assert_true(at <= sim_flash_size(s) && len <= sim_flash_size(s) - at);
    if (s->off) {
        return PLAT_ERR_STORE;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = byte_at(s, at + (uint32_t)i);
        const size_t unit = (at + i) / s->base.unit;
        const bool first = (at + i) % s->base.unit == 0 || i == 0;
        s->blank[unit] = out[i] == 0xFF && (first || s->blank[unit] != 0);
    }
    if (s->bad_reads > 0 && len > 0 && sim_flash_roll(s, 1000) < s->bad_reads) {
        out[sim_flash_roll(s, (uint32_t)len)] ^= (uint8_t)(1u << sim_flash_roll(s, 8));
    }
    return PLAT_OK;
}

/* Counts a write. Returns true if the power fails at it. */
static bool cut(sim_flash *s)
{
    s->writes++;
    s->off = s->cut_at != 0 && s->writes == s->cut_at;
    return s->off;
}

static void program_unit(sim_flash *s, uint32_t at, const uint8_t *from)
{
    const uint32_t unit = s->base.unit;

    if (unit == 1 && *from == 0xFF) {
        (void)cut(s); /* no bit changes */
        return;
    }
    const bool blank = s->units[at / unit] == UNIT_IN_DOUBT && s->blank[at / unit] != 0;
    if (s->units[at / unit] != UNIT_ERASED && !blank) {
        fail_msg("the unit at %u is programmed twice", at);
    }
    s->twice += blank ? 1 : 0;
    if (blank) {
        memset(s->bytes + at, 0xFF, unit);
    }
    memcpy(s->before + at, s->bytes + at, unit);
    memcpy(s->bytes + at, from, unit);
    s->units[at / unit] = cut(s) ? UNIT_IN_DOUBT : UNIT_PROGRAMMED;
}

static plat_result program(const plat_flash *self, uint32_t at, const void *from, size_t len)
{
    sim_flash *s = of(self);
    const uint32_t unit = self->unit;
    const uint8_t *bytes = from;

    assert_true(at % unit == 0 && len % unit == 0 && len > 0);
    assert_true(at < sim_flash_size(s) && len <= self->sector_size - at % self->sector_size);
    assert_int_equal(s->sectors[at / self->sector_size], 0);
    const bool fails = s->fail_programs > 0;
    s->fail_programs -= fails ? 1 : 0;
    /* A call that fails may have programmed some of the units. */
    const size_t end = fails ? sim_flash_roll(s, (uint32_t)(len / unit) + 1) * unit : len;
    for (size_t i = 0; i < end && !s->off; i += unit) {
        program_unit(s, at + (uint32_t)i, bytes + i);
    }
    return s->off || fails ? PLAT_ERR_STORE : PLAT_OK;
}

static plat_result erase(const plat_flash *self, uint32_t sector)
{
    sim_flash *s = of(self);
    const size_t size = self->sector_size;

    assert_true(sector < self->sectors);
    if (s->off || s->fail_erases > 0 ||
        (s->worn_after != 0 && s->erases[sector] >= s->worn_after)) {
        s->fail_erases -= s->fail_erases > 0 ? 1 : 0;
        return PLAT_ERR_STORE;
    }
    s->erases[sector]++;
    if (cut(s)) {
        s->sectors[sector] = 1;
        return PLAT_ERR_STORE;
    }
    s->sectors[sector] = 0;
    memset(s->bytes + sector * size, 0xFF, size);
    memset(s->units + sector * size / self->unit, UNIT_ERASED, size / self->unit);
    return PLAT_OK;
}

static void *allocate(size_t n, int byte)
{
    void *memory = malloc(n);

    assert_non_null(memory);
    return memset(memory, byte, n);
}

void sim_flash_init(sim_flash *s, uint32_t sector_size, uint32_t sectors, uint32_t unit)
{
    *s = (sim_flash){ .base = { sector_size, sectors, unit, read_bytes, program, erase } };
    s->bytes = allocate(sim_flash_size(s), 0xFF);
    s->before = allocate(sim_flash_size(s), 0xFF);
    s->units = allocate(sim_flash_size(s) / unit, UNIT_ERASED);
    s->blank = allocate(sim_flash_size(s) / unit, 0);
    s->sectors = allocate(sectors, 0);
    s->erases = allocate(sectors * sizeof *s->erases, 0);
}

void sim_flash_free(sim_flash *s)
{
    free(s->bytes);
    free(s->before);
    free(s->units);
    free(s->blank);
    free(s->sectors);
    free(s->erases);
}

void sim_flash_copy(sim_flash *to, const sim_flash *from)
{
    sim_flash kept = *to;

    *to = *from;
    to->bytes = kept.bytes;
    to->before = kept.before;
    to->units = kept.units;
    to->blank = kept.blank;
    to->sectors = kept.sectors;
    to->erases = kept.erases;
    memcpy(to->bytes, from->bytes, sim_flash_size(from));
    memcpy(to->before, from->before, sim_flash_size(from));
    memcpy(to->units, from->units, sim_flash_size(from) / from->base.unit);
    memcpy(to->blank, from->blank, sim_flash_size(from) / from->base.unit);
    memcpy(to->sectors, from->sectors, from->base.sectors);
    memcpy(to->erases, from->erases, from->base.sectors * sizeof *from->erases);
}

void sim_flash_cut_in(sim_flash *s, uint64_t n)
{
    s->cut_at = s->writes + n;
}

void sim_flash_power_on(sim_flash *s)
{
    s->off = false;
    s->cut_at = 0;
    s->bias = sim_flash_roll(s, 4);
}

uint32_t sim_flash_wear(const sim_flash *s)
{
    uint32_t least = s->erases[0];
    uint32_t most = s->erases[0];

    for (uint32_t i = 1; i < s->base.sectors; i++) {
        least = s->erases[i] < least ? s->erases[i] : least;
        most = s->erases[i] > most ? s->erases[i] : most;
    }
    return most - least;
}
