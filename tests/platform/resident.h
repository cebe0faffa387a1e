#ifndef TEST_RESIDENT_H
#define TEST_RESIDENT_H

/**
 * @file
 * Finds out which pages of a block of memory are resident.
 */

#include <stddef.h>

/** Number of bytes of the complete pages inside a block, and how many of them occupy memory. */
typedef struct resident {
    size_t whole;
    size_t taken;
} resident;

resident resident_pages(const void *block, size_t len);

#endif
