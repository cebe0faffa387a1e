#ifndef HUB_JSON_H
#define HUB_JSON_H

/**
 * @file
 * Reads and writes JSON from outside, with cJSON. A number keeps its text: hub_json_read stores it
 * in valuestring of the item, and copies of the item keep it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/text.h"

/** The largest depth that is accepted; it is far above all limits of the hub. */
#define HUB_JSON_MAX_DEPTH 64

/** Makes cJSON abort the program when there is no memory, instead of returning NULL. */
void hub_json_init(void);

/**
 * Reads one JSON value and nothing else (RFC 8259). Returns it on the heap, or NULL if the text is
 * not valid. Text with \u0000, which C strings cannot contain, or with more levels than
 * HUB_JSON_MAX_DEPTH is refused, too. If an object has several members with the same name, only the
 * last one is kept.
 */
cJSON *hub_json_read(const void *data, size_t len);

/**
 * Returns true if text is one JSON value. Use it for text that is only passed on: \u0000 and deeper
 * nesting are allowed.
 */
bool hub_json_valid(const void *data, size_t len);

/** Returns compact text on the heap, with every number as it was read. */
char *hub_json_print(const cJSON *json);
/** Appends the same text to out. */
void hub_json_put(hub_text *out, const cJSON *json);
/** Appends UTF-8 text as a JSON string, with its quotation marks. */
void hub_json_put_string(hub_text *out, const char *text, size_t len);

/**
 * These functions find a member by its exact name. They return a string or NULL, or a number or the
 * given default.
 */
const char *hub_json_string(const cJSON *object, const char *name);
double hub_json_number(const cJSON *object, const char *name, double otherwise);
/** Returns true if the number is an integer below 2^53 in the given range, and stores it. */
bool hub_json_whole(const cJSON *number, int64_t min, int64_t max, int64_t *out);

/** Adds a string; if text is NULL, adds JSON null. */
void hub_json_add_text(cJSON *object, const char *name, const char *text);
/** Adds a time as text; ms is in milliseconds since 1970. */
void hub_json_add_time(cJSON *object, const char *name, int64_t ms);

#endif
