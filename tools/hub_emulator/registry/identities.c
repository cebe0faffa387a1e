#include "registry/identities.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Returns the index of the client id, or where to insert it. */
static size_t place(const hub_identities *l, const char *client_id, bool *found)
{
    size_t low = 0;
    size_t high = l->count;

    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(l->items[mid]->client_id, client_id);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

void hub_identities_note_number(hub_identities *l, unsigned number)
{
    if (number > l->last_number) {
        l->last_number = number;
    }
}

void hub_identities_insert(hub_identities *l, hub_identity *id)
{
    bool found;
    size_t at = place(l, id->client_id, &found);

    if (l->count == l->capacity) {
        l->capacity = l->capacity * 2 + 8;
        l->items = hub_realloc(l->items, l->capacity * sizeof *l->items);
    }
    memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof *l->items);
    l->items[at] = id;
    l->count++;
    hub_identities_note_number(l, id->number);
}

void hub_identities_take_out(hub_identities *l, const hub_identity *id)
{
    bool found;
    size_t at = place(l, id->client_id, &found);

    if (found) {
        l->count--;
        memmove(l->items + at, l->items + at + 1, (l->count - at) * sizeof *l->items);
    }
}

hub_identity *hub_identities_find_client(const hub_identities *l, const char *client_id)
{
    bool found;
    size_t at = place(l, client_id, &found);

    return found ? l->items[at] : NULL;
}

hub_identity *hub_identities_find(const hub_identities *l, const char *device, const char *module)
{
    if (module == NULL) {
        return strchr(device, '/') == NULL ? hub_identities_find_client(l, device) : NULL;
    }
    char *client_id = hub_format("%s/%s", device, module);
    hub_identity *id = hub_identities_find_client(l, client_id);
    free(client_id);
    return id;
}

size_t hub_identities_after(const hub_identities *l, const char *client_id)
{
    bool found;
    size_t at = place(l, client_id, &found);

    return found ? at + 1 : at;
}

/* No id contains a '/', so all modules of a device are adjacent. */
hub_identity *const *hub_identities_modules(const hub_identities *l, const char *device,
                                            size_t *count)
{
    char *first = hub_format("%s/", device);
    char *behind = hub_format("%s/\x7F", device);
    size_t from = hub_identities_after(l, first);

    *count = hub_identities_after(l, behind) - from;
    free(first);
    free(behind);
    return *count > 0 ? l->items + from : NULL;
}

void hub_identities_free(hub_identities *l)
{
    for (size_t i = 0; i < l->count; i++) {
        hub_identity_free(l->items[i]);
    }
    free(l->items);
    *l = (hub_identities){ 0 };
}
