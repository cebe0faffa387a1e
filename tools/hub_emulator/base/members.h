#ifndef HUB_MEMBERS_H
#define HUB_MEMBERS_H

/**
 * @file
 * Fast look-up of many members of a JSON object. cJSON searches its list linearly; this uses a tree
 * if there are many. A name may occur only once in an object; hub_json_read ensures that.
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/names.h"

typedef struct hub_members {
    cJSON *object;
    bool indexed;
    hub_names names;
} hub_members;

/**
 * Prepares the object for looking up each member of `wanted`. Until it is closed, change the object
 * only through these functions.
 */
void hub_members_open(hub_members *m, cJSON *object, const cJSON *wanted);
void hub_members_close(hub_members *m);

/** Returns the member, or NULL if there is none. */
cJSON *hub_members_get(const hub_members *m, const char *name);
/** Replaces or adds a member; takes ownership of the value. */
void hub_members_set(hub_members *m, const char *name, cJSON *value);
void hub_members_remove(hub_members *m, const char *name);

/**
 * Returns whether both are the same JSON value; the order of members does not matter. Changes
 * neither.
 */
bool hub_members_equal(const cJSON *a, cJSON *b);

/** Removes repeated members: in each object of json, only the last member of each name is kept. */
void hub_members_unique(cJSON *json);

#endif
