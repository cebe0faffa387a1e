#ifndef HUB_NAMES_H
#define HUB_NAMES_H

/**
 * @file A map from names to values with logarithmic cost for any names: a balanced tree, since an
 * attacker could choose names that collide in a hash table.
 */

#include <stddef.h>

/** Start with { 0 }. */
typedef struct hub_names {
    void *root;
} hub_names;

/**
 * Adds a name, or replaces its value. Both belong to the caller, and the name must stay valid until
 * it is removed or the tree is freed.
 */
void hub_names_put(hub_names *n, const char *name, void *value);
/** NULL when there is no such name. */
void *hub_names_get(const hub_names *n, const char *name);
/** Without effect when there is no such name. */
void hub_names_drop(hub_names *n, const char *name);
void hub_names_free(hub_names *n);

#endif
