#ifndef DPS_TABLE_H
#define DPS_TABLE_H

/**
 * @file
 * A table of enrolments or registrations, which are found by their id without regard to case. It is
 * sorted by the ids in lower case.
 */

#include <stddef.h>

typedef struct dps_table_item {
    char *key; /* the id in lower case */
    void *value;
} dps_table_item;

/** Start with { 0 }. The values belong to the caller. */
typedef struct dps_table {
    dps_table_item *items;
    size_t count;
    size_t capacity;
} dps_table;

/** Adds a value, or replaces the value with the same id. Returns the old value, or NULL. */
void *dps_table_put(dps_table *t, const char *id, void *value);
/** NULL when there is none. */
void *dps_table_find(const dps_table *t, const char *id);
/** Removes the id and returns its value, or NULL. */
void *dps_table_take(dps_table *t, const char *id);
/** Returns the index of the first item whose id comes after this one. */
size_t dps_table_after(const dps_table *t, const char *id);
void dps_table_free(dps_table *t);

/** Returns the id in lower case, on the heap. */
char *dps_lower(const char *id);

#endif
