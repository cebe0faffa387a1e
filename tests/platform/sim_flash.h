#ifndef SIM_FLASH_H
#define SIM_FLASH_H

/**
 * @file
 * A NOR flash in memory. It fails the test if a unit is programmed twice between two erases, or if
 * a range is not allowed. The one exception is a unit whose programming was interrupted and that
 * read as erased when it was read last; these are counted. It counts erases, and its power can be
 * cut at each unit that is programmed and at each erase:
 *
 * - The unit at which the power fails reads as erased, as programmed, or as a mixture, and each
 *   reading may differ.
 * - A sector whose erase was interrupted reads as before, as erased, or as a mixture, and each
 *   reading may differ.
 * - From then on every function fails, until sim_flash_power_on.
 *
 * sim_flash_power_on also changes how everything that is in doubt reads, so that a unit may read as
 * programmed after one start and as erased after the next.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/flash_store.h"

typedef struct sim_flash {
    plat_flash base; /* first */
    uint8_t *bytes;
    uint8_t *before;  /* for units in doubt: what they had before */
    uint8_t *units;   /* state of each unit: enum in sim_flash.c */
    uint8_t *blank;   /* for units in doubt: 1: it read as erased the last time */
    uint32_t twice;   /* units that were programmed twice, because they read as erased */
    uint8_t *sectors; /* 1: its erase was interrupted */
    uint32_t *erases; /* how often each sector was erased */
    uint64_t writes;  /* units and erases so far */
    uint64_t cut_at;  /* number of the write, from 1 on, at which the power fails; 0: none */
    bool off;
    uint32_t random;
    uint32_t bias;      /* how what is in doubt reads now: 0 as before, 3 as after, else mixed */
    uint32_t bad_reads; /* of 1,000 readings, how many have a wrong bit; 0: none */
    uint32_t fail_programs; /* this many of the next calls of program fail */
    uint32_t fail_erases;   /* this many of the next calls of erase fail */
    uint32_t worn_after;    /* a sector cannot be erased more often; 0: no limit */
} sim_flash;

void sim_flash_init(sim_flash *s, uint32_t sector_size, uint32_t sectors, uint32_t unit);
void sim_flash_free(sim_flash *s);
/** Makes `to`, which was initialised with the same geometry, a copy of `from`. */
void sim_flash_copy(sim_flash *to, const sim_flash *from);
/** Lets the power fail at the n-th write from now on. */
void sim_flash_cut_in(sim_flash *s, uint64_t n);
void sim_flash_power_on(sim_flash *s);
/** The largest difference of the erase counts of two sectors. */
uint32_t sim_flash_wear(const sim_flash *s);
/** Returns a number below `sides`. */
uint32_t sim_flash_roll(sim_flash *s, uint32_t sides);
size_t sim_flash_size(const sim_flash *s);

#endif
