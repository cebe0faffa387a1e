#ifndef TEST_FAKE_STORE_H
#define TEST_FAKE_STORE_H

/**
 * @file
 * A store in memory that fails when a test wants it and survives a crash as a real one would.
 *
 *     fake_store_init(&s);
 *     client uses &s.base ...
 *     fake_store_crash(&s);       the process ended: removals that were not synced are undone
 *     fake_store_free(&s);
 */

#include <stdbool.h>

#include "platform/store.h"

typedef struct fake_record {
    plat_store_record r; /* head and body are its own */
    bool removed;
    bool removed_for_good; /* before the last sync */
} fake_record;

typedef struct fake_store {
    plat_store base; /* first */
    fake_record *records;
    size_t len;
    uint64_t first_seq; /* of records[0] */
    uint64_t next_seq;
    uint64_t max_count; /* 0: no limit; otherwise PLAT_ERR_FULL beyond it */
    uint64_t sync_delay_ms;
    uint64_t deadline;

    unsigned calls;      /* that can fail, so far */
    unsigned fail_at;    /* the call with this number (from 1) and those after it fail; 0: none */
    unsigned fail_count; /* how many of them fail */
    plat_result fail_with;
    unsigned failures; /* calls that were made to fail */
    const char *detail;
    uint8_t *out; /* what read returned last: freed by the next call */
} fake_store;

void fake_store_init(fake_store *s);
void fake_store_free(fake_store *s);

/** From the n-th call from now on, count calls fail.  n 0: none. */
void fake_store_fail(fake_store *s, unsigned n, unsigned count, plat_result with);

void fake_store_crash(fake_store *s);

uint64_t fake_store_count(const fake_store *s);

#endif
