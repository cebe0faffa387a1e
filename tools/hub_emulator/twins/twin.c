#include "twins/twin.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/members.h"
#include "base/text.h"
#include "twins/twin_rules.h"

#define LAST_UPDATED         "$lastUpdated"
#define LAST_UPDATED_VERSION "$lastUpdatedVersion"

/* The change that metadata records: its document, time and version. */
typedef struct stamp {
    int64_t now_ms;
    int64_t version; /* 0: the version is not recorded (reported properties) */
} stamp;

static void set(cJSON *object, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    (void)cJSON_AddItemToObject(object, name, value);
}

static cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void put_stamp(cJSON *metadata, const stamp *at)
{
    char text[HUB_TIME_SIZE];

    hub_time_text(at->now_ms, text);
    set(metadata, LAST_UPDATED, cJSON_CreateString(text));
    if (at->version > 0) {
        set(metadata, LAST_UPDATED_VERSION, cJSON_CreateNumber((double)at->version));
    }
}

static cJSON *stamped(const stamp *at)
{
    cJSON *metadata = cJSON_CreateObject();
    put_stamp(metadata, at);
    return metadata;
}

/* Returns the member as an object. It is made if it is missing or is not an object. */
static cJSON *object_member(hub_members *parent, const char *name)
{
    cJSON *member = hub_members_get(parent, name);
    if (!cJSON_IsObject(member)) {
        member = cJSON_CreateObject();
        hub_members_set(parent, name, member);
    }
    return member;
}

/* Merges values and metadata together; the depth was checked before. */
static void merge(cJSON *values, cJSON *metadata, const cJSON *patch, const stamp *at)
{
    const cJSON *change;
    hub_members v;
    hub_members m;

    put_stamp(metadata, at);
    hub_members_open(&v, values, patch);
    hub_members_open(&m, metadata, patch);
    cJSON_ArrayForEach(change, patch)
    {
        const char *name = change->string;
        if (cJSON_IsNull(change)) {
            hub_members_remove(&v, name);
            hub_members_remove(&m, name);
        } else if (cJSON_IsObject(change)) {
            merge(object_member(&v, name), object_member(&m, name), change, at);
        } else {
            hub_members_set(&v, name, cJSON_Duplicate(change, true));
            hub_members_set(&m, name, stamped(at));
        }
    }
    hub_members_close(&v);
    hub_members_close(&m);
}

/* Adds the change and takes ownership of it. */
static void add_change(cJSON *patch, const char *name, cJSON *change)
{
    (void)cJSON_AddItemToObject(patch, name, change);
}

static void add_removed(cJSON *patch, const cJSON *from, cJSON *to)
{
    const cJSON *item;
    hub_members m;

    hub_members_open(&m, to, from);
    cJSON_ArrayForEach(item, from)
    {
        if (hub_members_get(&m, item->string) == NULL) {
            add_change(patch, item->string, cJSON_CreateNull());
        }
    }
    hub_members_close(&m);
}

/* Returns the patch that turns one document into the other; changes neither. */
static cJSON *difference(cJSON *from, cJSON *to)
{
    cJSON *patch = cJSON_CreateObject();
    cJSON *item;
    hub_members m;

    add_removed(patch, from, to);
    hub_members_open(&m, from, to);
    cJSON_ArrayForEach(item, to)
    {
        cJSON *old = hub_members_get(&m, item->string);
        if (cJSON_IsObject(old) && cJSON_IsObject(item)) {
            cJSON *inner = difference(old, item);
            if (inner->child != NULL) {
                add_change(patch, item->string, inner);
            } else {
                cJSON_Delete(inner);
            }
        } else if (old == NULL || !hub_members_equal(item, old)) {
            add_change(patch, item->string, cJSON_Duplicate(item, true));
        }
    }
    hub_members_close(&m);
    return patch;
}

void hub_twin_init(hub_twin *t, int64_t now_ms)
{
    stamp reported = { .now_ms = now_ms };
    stamp desired = { .now_ms = now_ms, .version = 1 };

    *t = (hub_twin){
        .desired = { cJSON_CreateObject(), stamped(&desired), 1 },
        .reported = { cJSON_CreateObject(), stamped(&reported), 1 },
        .tags = cJSON_CreateObject(),
        .version = 2,
        .etag = 1,
    };
}

static void free_part(hub_twin_part *part)
{
    cJSON_Delete(part->values);
    cJSON_Delete(part->metadata);
}

void hub_twin_free(hub_twin *t)
{
    free_part(&t->desired);
    free_part(&t->reported);
    cJSON_Delete(t->tags);
    *t = (hub_twin){ 0 };
}

static hub_result check_size(const cJSON *values, size_t max, const char *what, hub_fault *fault)
{
    size_t size = hub_twin_size(values);
    if (size > max) {
        return hub_fail(fault, HUB_ERR_TOO_LARGE, "twin: %s would take %zu bytes, more than %zu",
                        what, size, max);
    }
    return HUB_OK;
}

/* Also checks the size before merging, since the cost of merging is the product of both sizes. */
static hub_result check_patch(const cJSON *patch, size_t max, const char *what, hub_fault *fault)
{
    hub_result r = hub_twin_check(patch, fault);
    return r == HUB_OK ? check_size(patch, max, what, fault) : r;
}

/* Makes a changed copy, so that a refusal changes nothing. */
static hub_result prepare(const hub_twin_part *part, const cJSON *patch, hub_twin_mode mode,
                          const stamp *at, hub_twin_part *out, hub_fault *fault)
{
    hub_result r = check_patch(patch, HUB_TWIN_PROPERTIES_MAX, "the patch", fault);
    if (r != HUB_OK) {
        return r;
    }
    bool keep = mode == HUB_TWIN_MERGE;
    out->values = keep ? cJSON_Duplicate(part->values, true) : cJSON_CreateObject();
    out->metadata = keep ? cJSON_Duplicate(part->metadata, true) : cJSON_CreateObject();
    out->version = part->version + 1;
    merge(out->values, out->metadata, patch, at);
    r = check_size(out->values, HUB_TWIN_PROPERTIES_MAX, "properties", fault);
    if (r != HUB_OK) {
        free_part(out);
    }
    return r;
}

/* Frees the parts that the other twin does not share. */
static void free_apart(const hub_twin *t, const hub_twin *other)
{
    cJSON *const mine[] = { t->desired.values, t->desired.metadata, t->reported.values,
                            t->reported.metadata, t->tags };
    const cJSON *const theirs[] = { other->desired.values, other->desired.metadata,
                                    other->reported.values, other->reported.metadata, other->tags };

    for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++) {
        if (mine[i] != theirs[i]) {
            cJSON_Delete(mine[i]);
        }
    }
}

void hub_twin_adopt(hub_twin *t, const hub_twin *next)
{
    free_apart(t, next);
    *t = *next;
}

void hub_twin_discard(const hub_twin *t, const hub_twin *next)
{
    free_apart(next, t);
}

hub_result hub_twin_report(const hub_twin *t, const cJSON *patch, int64_t now_ms, hub_twin *next,
                           hub_fault *fault)
{
    hub_twin_part fresh;
    stamp at = { .now_ms = now_ms };

    hub_result r = prepare(&t->reported, patch, HUB_TWIN_MERGE, &at, &fresh, fault);
    if (r == HUB_OK) {
        *next = *t;
        next->reported = fresh;
        next->version++;
    }
    return r;
}

static hub_result prepare_tags(const hub_twin *t, const cJSON *tags, hub_twin_mode mode,
                               cJSON **out, hub_fault *fault)
{
    stamp none = { 0 };

    hub_result r = check_patch(tags, HUB_TWIN_TAGS_MAX, "tags", fault);
    if (r != HUB_OK) {
        return r;
    }
    cJSON *fresh = mode == HUB_TWIN_MERGE ? cJSON_Duplicate(t->tags, true) : cJSON_CreateObject();
    cJSON *unused = cJSON_CreateObject();
    merge(fresh, unused, tags, &none);
    cJSON_Delete(unused);
    r = check_size(fresh, HUB_TWIN_TAGS_MAX, "tags", fault);
    if (r == HUB_OK) {
        *out = fresh;
    } else {
        cJSON_Delete(fresh);
    }
    return r;
}

/* Removes members that only the hub may write; a twin that was read and sent back still contains
 * them. */
static cJSON *without_hub_members(const cJSON *desired)
{
    cJSON *copy = cJSON_Duplicate(desired, true);
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "$metadata");
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "$version");
    return copy;
}

static hub_result update_desired(const hub_twin *t, const cJSON *desired, hub_twin_mode mode,
                                 int64_t now_ms, hub_twin *next, cJSON **notify, hub_fault *fault)
{
    hub_twin_part fresh;
    stamp at = { .now_ms = now_ms, .version = t->desired.version + 1 };
    cJSON *patch = without_hub_members(desired);

    hub_result r = prepare(&t->desired, patch, mode, &at, &fresh, fault);
    if (r == HUB_OK) {
        *notify = mode == HUB_TWIN_MERGE ? cJSON_Duplicate(patch, true)
                                         : difference(t->desired.values, fresh.values);
        (void)cJSON_AddNumberToObject(*notify, "$version", (double)fresh.version);
        next->desired = fresh;
    }
    cJSON_Delete(patch);
    return r;
}

static bool given(const cJSON *item)
{
    return item != NULL && !cJSON_IsNull(item);
}

hub_result hub_twin_update(const hub_twin *t, const cJSON *body, hub_twin_mode mode, int64_t now_ms,
                           hub_twin *next, cJSON **notify, hub_fault *fault)
{
    const cJSON *tags = get(body, "tags");
    const cJSON *properties = get(body, "properties");
    const cJSON *desired = get(properties, "desired");
    hub_result r = HUB_OK;

    *notify = NULL;
    if (!cJSON_IsObject(body)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: the body is not a JSON object");
    }
    if (given(properties) && !cJSON_IsObject(properties)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: properties is not an object");
    }
    *next = *t;
    if (given(tags)) {
        r = prepare_tags(t, tags, mode, &next->tags, fault);
    }
    if (r == HUB_OK && given(desired)) {
        r = update_desired(t, desired, mode, now_ms, next, notify, fault);
    }
    if (r != HUB_OK) {
        hub_twin_discard(t, next);
        return r;
    }
    next->version++;
    next->etag++;
    return HUB_OK;
}

static cJSON *with_version(const hub_twin_part *part)
{
    cJSON *copy = cJSON_Duplicate(part->values, true);
    (void)cJSON_AddNumberToObject(copy, "$version", (double)part->version);
    return copy;
}

char *hub_twin_device_text(const hub_twin *t)
{
    cJSON *twin = cJSON_CreateObject();

    (void)cJSON_AddItemToObject(twin, "desired", with_version(&t->desired));
    (void)cJSON_AddItemToObject(twin, "reported", with_version(&t->reported));
    char *text = hub_json_print(twin);
    cJSON_Delete(twin);
    return text;
}

static cJSON *service_part(const hub_twin_part *part)
{
    cJSON *copy = cJSON_Duplicate(part->values, true);
    (void)cJSON_AddItemToObject(copy, "$metadata", cJSON_Duplicate(part->metadata, true));
    (void)cJSON_AddNumberToObject(copy, "$version", (double)part->version);
    return copy;
}

void hub_twin_add_service_head(const hub_twin *t, cJSON *into)
{
    char *etag = hub_twin_etag(t);

    hub_json_add_text(into, "etag", etag);
    free(etag);
    (void)cJSON_AddNumberToObject(into, "version", (double)t->version);
}

void hub_twin_add_service_view(const hub_twin *t, cJSON *into)
{
    (void)cJSON_AddItemToObject(into, "tags", cJSON_Duplicate(t->tags, true));
    cJSON *properties = cJSON_AddObjectToObject(into, "properties");
    (void)cJSON_AddItemToObject(properties, "desired", service_part(&t->desired));
    (void)cJSON_AddItemToObject(properties, "reported", service_part(&t->reported));
}

char *hub_twin_etag(const hub_twin *t)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)t->etag >> (56 - 8 * i));
    }
    return hub_base64_encode(bytes, sizeof bytes);
}

static cJSON *part_to_state(const hub_twin_part *part)
{
    cJSON *state = cJSON_CreateObject();

    (void)cJSON_AddItemToObject(state, "values", cJSON_Duplicate(part->values, true));
    (void)cJSON_AddItemToObject(state, "metadata", cJSON_Duplicate(part->metadata, true));
    (void)cJSON_AddNumberToObject(state, "version", (double)part->version);
    return state;
}

static bool part_from_state(hub_twin_part *part, const cJSON *state)
{
    const cJSON *values = get(state, "values");
    const cJSON *metadata = get(state, "metadata");
    int64_t version;

    if (!cJSON_IsObject(values) || !cJSON_IsObject(metadata) ||
        !hub_json_whole(get(state, "version"), 1, INT64_C(1) << 52, &version)) {
        return false;
    }
    part->values = cJSON_Duplicate(values, true);
    part->metadata = cJSON_Duplicate(metadata, true);
    part->version = version;
    return true;
}

cJSON *hub_twin_to_state(const hub_twin *t)
{
    cJSON *state = cJSON_CreateObject();

    (void)cJSON_AddItemToObject(state, "desired", part_to_state(&t->desired));
    (void)cJSON_AddItemToObject(state, "reported", part_to_state(&t->reported));
    (void)cJSON_AddItemToObject(state, "tags", cJSON_Duplicate(t->tags, true));
    (void)cJSON_AddNumberToObject(state, "version", (double)t->version);
    (void)cJSON_AddNumberToObject(state, "etag", (double)t->etag);
    return state;
}

bool hub_twin_from_state(hub_twin *t, const cJSON *state)
{
    hub_twin fresh = { 0 };
    const cJSON *tags = get(state, "tags");
    const int64_t max = INT64_C(1) << 52;

    bool ok = part_from_state(&fresh.desired, get(state, "desired")) &&
              part_from_state(&fresh.reported, get(state, "reported")) && cJSON_IsObject(tags) &&
              hub_json_whole(get(state, "version"), 1, max, &fresh.version) &&
              hub_json_whole(get(state, "etag"), 1, max, &fresh.etag);
    if (!ok) {
        hub_twin_free(&fresh);
        return false;
    }
    fresh.tags = cJSON_Duplicate(tags, true);
    *t = fresh;
    return true;
}
