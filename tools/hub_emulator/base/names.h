#ifndef HUB_NAMES_H
#define HUB_NAMES_H

/**
 * @file
 * What goes by which name, found in logarithmic time whatever the names are: a
 * balanced tree, since a hostile sender could aim at a hash.
 */

#include <stddef.h>

/** Start with { 0 }. */
typedef struct hub_names {
    void *root;
} hub_names;

/**
 * Adds a name, or replaces what goes by it.  Both belong to the caller, and the
 * name must stay where it is until it is dropped or the tree is freed.
 */
void hub_names_put(hub_names *n, const char *name, void *value);
/** NULL when there is no such name. */
void *hub_names_get(const hub_names *n, const char *name);
/** Without effect when there is no such name. */
void hub_names_drop(hub_names *n, const char *name);
void hub_names_free(hub_names *n);

#endif
