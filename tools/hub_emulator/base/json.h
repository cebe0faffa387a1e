#ifndef HUB_JSON_H
#define HUB_JSON_H

/**
 * @file Reads and writes JSON from outside, with cJSON. A number keeps its text: hub_json_read
 * stores it as valuestring of the item, and copies of the item keep it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/text.h"

/** Deepest nesting that is accepted, far above all limits of the hub. */
#define HUB_JSON_MAX_DEPTH 64

/** Makes cJSON abort the program when there is no memory, instead of returning NULL. */
void hub_json_init(void);

/**
 * One JSON value and nothing else (RFC 8259), on the heap; NULL otherwise.
 * Refused as well: \u0000, which C strings cannot hold, and what nests deeper than
 * HUB_JSON_MAX_DEPTH.  Of several members of one name, the last counts and the others are gone.
 */
cJSON *hub_json_read(const void *data, size_t len);

/**
 * True if text is one JSON value. For text that is only passed on: \u0000 and deeper nesting are
 * allowed.
 */
bool hub_json_valid(const void *data, size_t len);

/** Compact text on the heap, with every number as it was read. */
char *hub_json_print(const cJSON *json);
/** Appends the same text. */
void hub_json_put(hub_text *out, const cJSON *json);
/** Appends UTF-8 text as a JSON string, with its quotation marks. */
void hub_json_put_string(hub_text *out, const char *text, size_t len);

/** Finds a member by its exact name: returns a string or NULL, a number or the given default. */
const char *hub_json_string(const cJSON *object, const char *name);
double hub_json_number(const cJSON *object, const char *name, double otherwise);
/** True for an integer below 2^53 in the given range. */
bool hub_json_whole(const cJSON *number, int64_t min, int64_t max, int64_t *out);

/** NULL text becomes JSON null. */
void hub_json_add_text(cJSON *object, const char *name, const char *text);
/** Milliseconds since 1970 as text. */
void hub_json_add_time(cJSON *object, const char *name, int64_t ms);

#endif
