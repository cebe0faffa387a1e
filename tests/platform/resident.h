#ifndef TEST_RESIDENT_H
#define TEST_RESIDENT_H

/** @file Which memory is really there. */

#include <stddef.h>

/** Bytes of the whole pages inside block, and how many of them take memory. */
typedef struct resident {
    size_t whole;
    size_t taken;
} resident;

resident resident_pages(const void *block, size_t len);

#endif
