#include "base/members.h"

#include <string.h>

/* Up to this number, the linear search of cJSON is faster than a tree. */
#define FEW_MEMBERS 8

static bool more_than_few(const cJSON *child)
{
    for (int i = 0; i < FEW_MEMBERS && child != NULL; i++) {
        child = child->next;
    }
    return child != NULL;
}

void hub_members_open(hub_members *m, cJSON *object, const cJSON *wanted)
{
    cJSON *child;

    *m = (hub_members){ .object = object };
    m->indexed = wanted != NULL && more_than_few(wanted->child);
    if (!m->indexed) {
        return;
    }
    cJSON_ArrayForEach(child, object)
    {
        hub_names_put(&m->names, child->string, child);
    }
}

void hub_members_close(hub_members *m)
{
    hub_names_free(&m->names);
}

cJSON *hub_members_get(const hub_members *m, const char *name)
{
    return m->indexed ? hub_names_get(&m->names, name)
                      : cJSON_GetObjectItemCaseSensitive(m->object, name);
}

void hub_members_remove(hub_members *m, const char *name)
{
    cJSON *old = hub_members_get(m, name);

    if (old != NULL) {
        /* Removed first, because the tree uses the name of the old member. */
        hub_names_drop(&m->names, name);
        cJSON_Delete(cJSON_DetachItemViaPointer(m->object, old));
    }
}

void hub_members_set(hub_members *m, const char *name, cJSON *value)
{
    hub_members_remove(m, name);
    (void)cJSON_AddItemToObject(m->object, name, value);
    if (m->indexed) {
        hub_names_put(&m->names, value->string, value);
    }
}

static bool same_members(const cJSON *a, cJSON *b)
{
    const cJSON *child;
    hub_members m;
    bool same = cJSON_GetArraySize(a) == cJSON_GetArraySize(b);

    hub_members_open(&m, b, a);
    cJSON_ArrayForEach(child, a)
    {
        cJSON *other = same ? hub_members_get(&m, child->string) : NULL;
        same = other != NULL && hub_members_equal(child, other);
    }
    hub_members_close(&m);
    return same;
}

static bool same_elements(const cJSON *a, const cJSON *b)
{
    const cJSON *x = a->child;
    cJSON *y = b->child;

    while (x != NULL && y != NULL && hub_members_equal(x, y)) {
        x = x->next;
        y = y->next;
    }
    return x == NULL && y == NULL;
}

bool hub_members_equal(const cJSON *a, cJSON *b)
{
    if (cJSON_IsObject(a) && cJSON_IsObject(b)) {
        return same_members(a, b);
    }
    if (cJSON_IsArray(a) && cJSON_IsArray(b)) {
        return same_elements(a, b);
    }
    if (cJSON_IsNumber(a) && cJSON_IsNumber(b) && a->valuestring != NULL &&
        b->valuestring != NULL) {
        return strcmp(a->valuestring, b->valuestring) ==
               /* The texts are compared and not valuedouble, because a double cannot distinguish
                * all numbers. */
               0;
    }
    return cJSON_Compare(a, b, true) != 0;
}

/* Removes each member whose name occurs again later. */
static void drop_repeated(cJSON *object)
{
    hub_members m = { .object = object, .indexed = true };
    cJSON *child;

    cJSON_ArrayForEach(child, object)
    {
        hub_members_remove(&m, child->string);
        hub_names_put(&m.names, child->string, child);
    }
    hub_members_close(&m);
}

static void drop_repeated_of_few(cJSON *object)
{
    cJSON *next;

    for (cJSON *child = object->child; child != NULL; child = next) {
        const cJSON *later = child->next;
        next = child->next;
        while (later != NULL && strcmp(later->string, child->string) != 0) {
            later = later->next;
        }
        if (later != NULL) {
            cJSON_Delete(cJSON_DetachItemViaPointer(object, child));
        }
    }
}

void hub_members_unique(cJSON *json)
{
    cJSON *child;

    if (cJSON_IsObject(json)) {
        if (more_than_few(json->child)) {
            drop_repeated(json);
        } else {
            drop_repeated_of_few(json);
        }
    }
    cJSON_ArrayForEach(child, json)
    {
        hub_members_unique(child);
    }
}
