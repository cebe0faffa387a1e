#ifndef HUB_BAG_H
#define HUB_BAG_H

/**
 * @file The property bag at the end of a topic: percent-encoded name=value pairs joined by '&'.
 * `name` alone stands for null, `name=` for an empty value.
 */

#include "base/names.h"
#include "base/result.h"
#include "base/text.h"

typedef struct hub_bag_item {
    char *name;
    char *value; /* NULL: the name stood alone */
} hub_bag_item;

typedef struct hub_bag {
    hub_bag_item *items;
    size_t count;
    size_t capacity;
    hub_names names; /* name to 1 + index; only of a bag with many items */
} hub_bag;

/**
 * Parses strictly: only query characters of RFC 3986, no raw '/' or second '=' (the hub mishandles
 * them), valid escapes, decoded UTF-8 without U+0000, no empty and no repeated name. On failure
 * *out is empty.
 */
hub_result hub_bag_parse(const char *text, size_t len, hub_bag *out, hub_fault *fault);

void hub_bag_add(hub_bag *bag, const char *name, const char *value);
/** NULL when absent; an item with a NULL value is present. */
const hub_bag_item *hub_bag_find(const hub_bag *bag, const char *name);
/** Appends the wire form. '~' becomes %7E, since one vendor SDK mishandles a raw one. */
void hub_bag_format(const hub_bag *bag, hub_text *out);
void hub_bag_free(hub_bag *bag);

/** Decodes the wire form to bytes on the heap; NULL: a bad escape. '+' stays '+'. */
char *hub_percent_decode(const char *text, size_t len);
void hub_percent_encode(const char *text, hub_text *out);

#endif
