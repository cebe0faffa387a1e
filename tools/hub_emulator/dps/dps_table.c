#include "dps/dps_table.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

char *dps_lower(const char *id)
{
    char *copy = hub_strdup(id);

    for (char *c = copy; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return copy;
}

/* Returns the index of the key, or the index at which to insert it. */
static size_t place(const dps_table *t, const char *key, bool *found)
{
    size_t low = 0;
    size_t high = t->count;

    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(t->items[mid].key, key);
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

static size_t place_of(const dps_table *t, const char *id, bool *found)
{
    char *key = dps_lower(id);
    size_t at = place(t, key, found);

    free(key);
    return at;
}

void *dps_table_put(dps_table *t, const char *id, void *value)
{
    bool found;
    size_t at = place_of(t, id, &found);

    if (found) {
        void *old = t->items[at].value;
        t->items[at].value = value;
        return old;
    }
    if (t->count == t->capacity) {
        t->capacity = t->capacity * 2 + 8;
        t->items = hub_realloc(t->items, t->capacity * sizeof *t->items);
    }
    memmove(t->items + at + 1, t->items + at, (t->count - at) * sizeof *t->items);
    t->items[at] = (dps_table_item){ .key = dps_lower(id), .value = value };
    t->count++;
    return NULL;
}

void *dps_table_find(const dps_table *t, const char *id)
{
    bool found;
    size_t at = place_of(t, id, &found);

    return found ? t->items[at].value : NULL;
}

void *dps_table_take(dps_table *t, const char *id)
{
    bool found;
    size_t at = place_of(t, id, &found);

    if (!found) {
        return NULL;
    }
    void *value = t->items[at].value;
    free(t->items[at].key);
    t->count--;
    memmove(t->items + at, t->items + at + 1, (t->count - at) * sizeof *t->items);
    return value;
}

size_t dps_table_after(const dps_table *t, const char *id)
{
    bool found;
    size_t at = place_of(t, id, &found);

    return found ? at + 1 : at;
}

void dps_table_free(dps_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->items[i].key);
    }
    free(t->items);
    *t = (dps_table){ 0 };
}
