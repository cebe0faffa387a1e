#ifndef HUB_NAMES_H
#define HUB_NAMES_H

/**
 * @file
 * A map from names to values with logarithmic cost for any names. It is a balanced tree and not a
 * hash table, since an attacker could choose names that collide.
 */

#include <stddef.h>

/** A map; { 0 } is an empty one. */
typedef struct hub_names {
    void *root;
} hub_names;

/**
 * Adds a name, or replaces its value. The caller keeps both; the name must stay valid until it is
 * removed or the map is freed.
 */
void hub_names_put(hub_names *n, const char *name, void *value);
/** Returns the value, or NULL if there is no such name. */
void *hub_names_get(const hub_names *n, const char *name);
/** Removes a name; has no effect if there is no such name. */
void hub_names_drop(hub_names *n, const char *name);
void hub_names_free(hub_names *n);

#endif
