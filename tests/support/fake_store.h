#ifndef TEST_FAKE_STORE_H
#define TEST_FAKE_STORE_H

/**
 * @file
 * A store in memory. It fails when a test wants it to, and after a simulated crash of the
 * process it holds what a real store would hold.
 *
 *     fake_store_init(&s);
 *     ... give &s.base to the client ...
 *     fake_store_crash(&s);       // removals since the last sync are undone
 *     fake_store_free(&s);
 */

#include <stdbool.h>

#include "platform/store.h"

typedef struct fake_record {
    plat_store_record r; /* the fake record owns the memory of head and body */
    bool removed;
    bool removed_for_good; /* removed before the last sync, so that a crash does not undo it */
} fake_record;

typedef struct fake_store {
    plat_store base; /* first */
    fake_record *records;
    size_t len;
    uint64_t first_seq; /* sequence number of records[0] */
    uint64_t next_seq;
    uint64_t max_count; /* most records; one more is refused with PLAT_ERR_FULL; 0: no limit */
    uint64_t sync_delay_ms;
    uint64_t deadline;

    unsigned calls;      /* number of calls so far, of functions that can fail */
    unsigned fail_at;    /* number (from 1) of the first call that fails; 0: no call fails */
    unsigned fail_count; /* number of calls that fail, beginning with the one at fail_at */
    plat_result fail_with;
    unsigned failures; /* number of calls that have failed on purpose */
    const char *detail;
    uint8_t *out; /* memory of the record that read returned last; the next call frees it */
} fake_store;

void fake_store_init(fake_store *s);
void fake_store_free(fake_store *s);

/**
 * Makes `count` calls fail with the code `with`, beginning with the n-th call from now; n = 0:
 * none.
 */
void fake_store_fail(fake_store *s, unsigned n, unsigned count, plat_result with);

void fake_store_crash(fake_store *s);

uint64_t fake_store_count(const fake_store *s);

#endif
