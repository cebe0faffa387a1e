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
    char *value; /* NULL: the name is not followed by '=' */
} hub_bag_item;

typedef struct hub_bag {
    hub_bag_item *items;
    size_t count;
    size_t capacity;
    hub_names names; /* maps a name to 1 + index; only used for a bag with many items */
} hub_bag;

/**
 * Parses strictly. Refused are: characters that RFC 3986 does not allow in a query, a raw '/' or a
 * second '=' (which the real hub mishandles), invalid escapes, text that is not UTF-8 or contains
 * U+0000, and an empty or repeated name. After a failure *out is empty.
 */
hub_result hub_bag_parse(const char *text, size_t len, hub_bag *out, hub_fault *fault);

void hub_bag_add(hub_bag *bag, const char *name, const char *value);
/** Returns the item, or NULL if there is none. The value of an item may be NULL, too. */
const hub_bag_item *hub_bag_find(const hub_bag *bag, const char *name);
/** Appends the bag as it is sent. '~' becomes %7E, since one vendor SDK mishandles a raw one. */
void hub_bag_format(const hub_bag *bag, hub_text *out);
void hub_bag_free(hub_bag *bag);

/**
 * Decodes text as it is sent. Returns bytes on the heap, or NULL after an invalid escape. '+' stays
 * '+'.
 */
char *hub_percent_decode(const char *text, size_t len);
void hub_percent_encode(const char *text, hub_text *out);

#endif
