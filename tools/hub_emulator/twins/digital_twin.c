/* The digital twin as the service reads it. */

#include "twins/digital_twin.h"

#include <string.h>

#include "base/members.h"

bool hub_is_component(const cJSON *value)
{
    const char *type = hub_json_string(value, "__t");
    return type != NULL && strcmp(type, "c") == 0;
}

/* The desired and the reported members of the twin at one level. */
typedef struct level {
    cJSON *reported;
    cJSON *reported_metadata;
    cJSON *desired;
    cJSON *desired_metadata;
} level;

/* The members of a level with a fast look-up. */
typedef struct lookup {
    hub_members reported;
    hub_members reported_metadata;
    hub_members desired;
    hub_members desired_metadata;
} lookup;

static void open_lookup(lookup *look, const level *at)
{
    hub_members_open(&look->reported, at->reported, at->desired);
    hub_members_open(&look->reported_metadata, at->reported_metadata, at->reported);
    hub_members_open(&look->desired, at->desired, at->reported);
    hub_members_open(&look->desired_metadata, at->desired_metadata, at->desired);
}

static void close_lookup(lookup *look)
{
    hub_members_close(&look->reported);
    hub_members_close(&look->reported_metadata);
    hub_members_close(&look->desired);
    hub_members_close(&look->desired_metadata);
}

static void copy_member(cJSON *into, const char *name, const cJSON *from, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, member);

    if (value != NULL) {
        (void)cJSON_AddItemToObject(into, name, cJSON_Duplicate(value, true));
    }
}

/* Returns whether this is the form {"value":..,"ac":..,"av":..,"ad":..} in which a device
 * reports a writable property. */
static bool is_acknowledgement(const cJSON *reported)
{
    return cJSON_GetObjectItemCaseSensitive(reported, "value") != NULL &&
           cJSON_GetObjectItemCaseSensitive(reported, "ac") != NULL &&
           cJSON_GetObjectItemCaseSensitive(reported, "av") != NULL;
}

static void add_value(cJSON *out, const char *name, const cJSON *reported)
{
    const cJSON *value = is_acknowledgement(reported)
                             ? cJSON_GetObjectItemCaseSensitive(reported, "value")
                             : reported;
    (void)cJSON_AddItemToObject(out, name, cJSON_Duplicate(value, true));
}

static void add_property(cJSON *out, cJSON *metadata, const lookup *look, const char *name)
{
    const cJSON *reported = hub_members_get(&look->reported, name);
    const cJSON *desired = hub_members_get(&look->desired, name);
    const cJSON *desired_metadata = hub_members_get(&look->desired_metadata, name);
    cJSON *about = cJSON_AddObjectToObject(metadata, name);

    if (desired != NULL) {
        (void)cJSON_AddItemToObject(about, "desiredValue", cJSON_Duplicate(desired, true));
        copy_member(about, "desiredVersion", desired_metadata, "$lastUpdatedVersion");
    }
    if (reported == NULL) {
        copy_member(about, "lastUpdateTime", desired_metadata, "$lastUpdated");
        return;
    }
    add_value(out, name, reported);
    if (is_acknowledgement(reported)) {
        copy_member(about, "ackVersion", reported, "av");
        copy_member(about, "ackCode", reported, "ac");
        copy_member(about, "ackDescription", reported, "ad");
    }
    copy_member(about, "lastUpdateTime", hub_members_get(&look->reported_metadata, name),
                "$lastUpdated");
}

static void add_component(cJSON *out, const lookup *look, const char *name);

static void add_member(cJSON *out, cJSON *metadata, const lookup *look, const char *name, bool root)
{
    bool component = hub_is_component(hub_members_get(&look->reported, name)) ||
                     hub_is_component(hub_members_get(&look->desired, name));

    if (root && component) {
        add_component(out, look, name);
    } else if (strcmp(name, "__t") != 0) {
        add_property(out, metadata, look, name);
    }
}

/* Adds the reported members, then those that are only desired, then the metadata. */
static void add_level(cJSON *out, cJSON *metadata, const level *at, bool root)
{
    lookup look;
    const cJSON *item;

    open_lookup(&look, at);
    cJSON_ArrayForEach(item, at->reported)
    {
        add_member(out, metadata, &look, item->string, root);
    }
    cJSON_ArrayForEach(item, at->desired)
    {
        if (hub_members_get(&look.reported, item->string) == NULL) {
            add_member(out, metadata, &look, item->string, root);
        }
    }
    close_lookup(&look);
    (void)cJSON_AddItemToObject(out, "$metadata", metadata);
}

static void add_component(cJSON *out, const lookup *look, const char *name)
{
    const level at = {
        .reported = hub_members_get(&look->reported, name),
        .reported_metadata = hub_members_get(&look->reported_metadata, name),
        .desired = hub_members_get(&look->desired, name),
        .desired_metadata = hub_members_get(&look->desired_metadata, name),
    };
    add_level(cJSON_AddObjectToObject(out, name), cJSON_CreateObject(), &at, false);
}

cJSON *hub_digital_twin_view(const char *device, const char *model_id, const hub_twin *t)
{
    const level root = {
        .reported = t->reported.values,
        .reported_metadata = t->reported.metadata,
        .desired = t->desired.values,
        .desired_metadata = t->desired.metadata,
    };
    cJSON *out = cJSON_CreateObject();
    cJSON *metadata = cJSON_CreateObject();

    hub_json_add_text(out, "$dtId", device);
    hub_json_add_text(metadata, "$model", model_id);
    add_level(out, metadata, &root, true);
    return out;
}
