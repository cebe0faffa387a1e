#ifndef HUB_MEMBERS_H
#define HUB_MEMBERS_H

/**
 * @file
 * Many changes of one JSON object: cJSON looks along the list of members for
 * each, here a tree finds them once there are more than a few to look for.
 * No name may stand twice in an object; hub_json_read sees to that.
 */

#include "base/json.h"
#include "base/names.h"

typedef struct hub_members {
    cJSON *object;
    bool indexed;
    hub_names names;
} hub_members;

/**
 * Open the object for looking up each member of `wanted`.  Until it is closed
 * it must be changed through these functions only.
 */
void hub_members_open(hub_members *m, cJSON *object, const cJSON *wanted);
void hub_members_close(hub_members *m);

/** NULL when there is none. */
cJSON *hub_members_get(const hub_members *m, const char *name);
/** Replace or add; takes the value over. */
void hub_members_set(hub_members *m, const char *name, cJSON *value);
void hub_members_remove(hub_members *m, const char *name);

/** The same JSON value, whatever the order of members?  Changes neither. */
bool hub_members_equal(const cJSON *a, cJSON *b);

/** In each object of it, of several members of one name keep the last. */
void hub_members_unique(cJSON *json);

#endif
