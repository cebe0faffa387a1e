#include "messages/bag.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Up to this number of items, a linear search is fastest. */
#define FEW_ITEMS 16

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char *hub_percent_decode(const char *text, size_t len)
{
    char *out = hub_calloc(1, len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            out[n++] = text[i];
            continue;
        }
        int high = len - i > 2 ? hex_value(text[i + 1]) : -1;
        int low = len - i > 2 ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(out);
            return NULL;
        }
        out[n++] = (char)(high << 4 | low);
        i += 2;
    }
    return out;
}

void hub_percent_encode(const char *text, hub_text *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x80 && (isalnum(c) || strchr("-._", c) != NULL)) {
            hub_text_add(out, p, 1);
        } else {
            hub_text_printf(out, "%%%02X", c);
        }
    }
}

/* Returns whether RFC 3986 allows the character in a query, except for the separators '&' and
 * '=', and '/', which separates the levels of a topic: the real hub loses values with a raw one
 * of these. */
static bool query_char(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("-._~!$'()*+,;:@?%", c) != NULL);
}

/* Returns one side of a pair, decoded and checked; NULL if it breaks a rule. */
static char *decode_side(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((text[i] & 0x80) != 0 || !query_char(text[i])) {
            return NULL;
        }
    }
    char *side = hub_percent_decode(text, len);
    if (side != NULL && !hub_utf8_valid(side, strlen(side))) {
        free(side);
        return NULL;
    }
    return side;
}

/* --- items ------------------------------------------------------------- */

/* The index must lead to the first item with the name. */
static void index_item(hub_bag *bag, size_t i)
{
    const char *name = bag->items[i].name;

    if (hub_names_get(&bag->names, name) == NULL) {
        /* It stores an index instead of a pointer, because items move. */
        /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
        hub_names_put(&bag->names, name, (void *)(uintptr_t)(i + 1));
    }
}

static void index_last(hub_bag *bag)
{
    if (bag->count == FEW_ITEMS + 1) {
        for (size_t i = 0; i < FEW_ITEMS; i++) {
            index_item(bag, i);
        }
    }
    if (bag->count > FEW_ITEMS) {
        index_item(bag, bag->count - 1);
    }
}

/* Adds an item and takes ownership of its texts. */
static void append(hub_bag *bag, hub_bag_item item)
{
    if (bag->count == bag->capacity) {
        bag->capacity = bag->capacity * 2 + 4;
        bag->items = hub_realloc(bag->items, bag->capacity * sizeof *bag->items);
    }
    bag->items[bag->count++] = item;
    index_last(bag);
}

void hub_bag_add(hub_bag *bag, const char *name, const char *value)
{
    append(bag, (hub_bag_item){ .name = hub_strdup(name),
                                .value = value != NULL ? hub_strdup(value) : NULL });
}

const hub_bag_item *hub_bag_find(const hub_bag *bag, const char *name)
{
    if (bag->count > FEW_ITEMS) {
        uintptr_t at = (uintptr_t)hub_names_get(&bag->names, name);
        return at > 0 ? &bag->items[at - 1] : NULL;
    }
    for (size_t i = 0; i < bag->count; i++) {
        if (strcmp(bag->items[i].name, name) == 0) {
            return &bag->items[i];
        }
    }
    return NULL;
}

/* --- the wire form ----------------------------------------------------- */

static hub_result parse_pair(const char *text, size_t len, hub_bag *out, hub_fault *fault)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
    char *name = decode_side(text, name_len);
    char *value = equals != NULL ? decode_side(equals + 1, len - name_len - 1) : NULL;
    hub_result r;

    if (name == NULL || (equals != NULL && value == NULL)) {
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "property bag: not percent-encoded: %.*s", (int)len,
                     text);
    } else if (name[0] == '\0') {
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "property bag: a property has no name");
    } else if (hub_bag_find(out, name) != NULL) {
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "property bag: %s is given twice", name);
    } else {
        append(out, (hub_bag_item){ .name = name, .value = value });
        return HUB_OK;
    }
    free(name);
    free(value);
    return r;
}

hub_result hub_bag_parse(const char *text, size_t len, hub_bag *out, hub_fault *fault)
{
    const char *end = text + len;
    bool more = len > 0;

    *out = (hub_bag){ 0 };
    while (more) {
        const char *separator = memchr(text, '&', (size_t)(end - text));
        const char *pair_end = separator != NULL ? separator : end;
        hub_result r = parse_pair(text, (size_t)(pair_end - text), out, fault);
        if (r != HUB_OK) {
            hub_bag_free(out);
            return r;
        }
        more = separator != NULL;
        text = pair_end + 1;
    }
    return HUB_OK;
}

void hub_bag_format(const hub_bag *bag, hub_text *out)
{
    for (size_t i = 0; i < bag->count; i++) {
        if (i > 0) {
            hub_text_str(out, "&");
        }
        hub_percent_encode(bag->items[i].name, out);
        if (bag->items[i].value != NULL) {
            hub_text_str(out, "=");
            hub_percent_encode(bag->items[i].value, out);
        }
    }
}

void hub_bag_free(hub_bag *bag)
{
    for (size_t i = 0; i < bag->count; i++) {
        free(bag->items[i].name);
        free(bag->items[i].value);
    }
    free(bag->items);
    hub_names_free(&bag->names);
    *bag = (hub_bag){ 0 };
}
