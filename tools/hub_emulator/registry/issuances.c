#include "registry/issuances.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Returns the index of the request of this device; count if it has none. */
static size_t index_of(const hub_issuances *l, const char *device)
{
    size_t i = 0;

    while (i < l->count && strcmp(l->items[i]->device, device) != 0) {
        i++;
    }
    return i;
}

hub_issuance *hub_issuances_find(const hub_issuances *l, const char *device)
{
    size_t at = index_of(l, device);

    return at < l->count ? l->items[at] : NULL;
}

const hub_issuance *hub_issuances_add(hub_issuances *l, const hub_issuance *request)
{
    hub_issuance *copy = hub_calloc(1, sizeof *copy);

    *copy = *request;
    copy->device = hub_strdup(request->device);
    copy->generation = hub_strdup(request->generation);
    copy->rid = hub_strdup(request->rid);
    copy->request = hub_strdup(request->request);
    copy->correlation_id = hub_strdup(request->correlation_id);
    if (l->count == l->capacity) {
        l->capacity = l->capacity * 2 + 8;
        l->items = hub_realloc(l->items, l->capacity * sizeof *l->items);
    }
    l->items[l->count++] = copy;
    return copy;
}

static void free_one(hub_issuance *i)
{
    free(i->device);
    free(i->generation);
    free(i->rid);
    free(i->request);
    free(i->correlation_id);
    free(i);
}

void hub_issuances_remove(hub_issuances *l, size_t at)
{
    free_one(l->items[at]);
    l->items[at] = l->items[--l->count];
}

void hub_issuances_drop(hub_issuances *l, const char *device)
{
    size_t at = index_of(l, device);

    if (at < l->count) {
        hub_issuances_remove(l, at);
    }
}

void hub_issuances_free(hub_issuances *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free_one(l->items[i]);
    }
    free(l->items);
    *l = (hub_issuances){ 0 };
}
