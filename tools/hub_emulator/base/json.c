#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/members.h"
#include "base/text.h"
#include "json/json_text.h"

static void *allocate(size_t size)
{
    return hub_calloc(1, size);
}

void hub_json_init(void)
{
    cJSON_Hooks hooks = { .malloc_fn = allocate, .free_fn = free };
    cJSON_InitHooks(&hooks);
}

/* --- reading -------------------------------------------------------------- */

/* The texts of all numbers, in the order of the JSON text. */
typedef struct number_list {
    json_text *items;
    size_t count;
    size_t cap;
    size_t taken;
} number_list;

static void note_number(void *user, json_text number)
{
    number_list *list = user;

    if (list->count == list->cap) {
        list->cap = list->cap * 2 + 16;
        list->items = hub_realloc(list->items, list->cap * sizeof *list->items);
    }
    list->items[list->count++] = number;
}

/* Replaces each number by a 0 that is padded with spaces to the same length, because cJSON
 * converts numbers to double and fails at more than 63 characters. */
static char *without_numbers(json_text text, const number_list *numbers)
{
    char *copy = hub_memdup(text.ptr, text.len);

    for (size_t i = 0; i < numbers->count; i++) {
        char *at = copy + (numbers->items[i].ptr - text.ptr);
        memset(at, ' ', numbers->items[i].len);
        *at = '0';
    }
    return copy;
}

/* Gives the numbers of the tree, which are in the order of the text, their texts. */
static void give_numbers(cJSON *json, number_list *numbers)
{
    cJSON *child;

    if (cJSON_IsNumber(json)) {
        json_text text = numbers->items[numbers->taken++];
        json->valuestring = hub_memdup(text.ptr, text.len);
        (void)cJSON_SetNumberHelper(json, strtod(json->valuestring, NULL));
        return;
    }
    cJSON_ArrayForEach(child, json)
    {
        give_numbers(child, numbers);
    }
}

/* A strict check comes first, because cJSON accepts more than JSON (01, 1., raw control
 * characters, \u0000). */
cJSON *hub_json_read(const void *data, size_t len)
{
    const json_text text = { data, len };
    number_list numbers = { 0 };
    const json_text_rules rules = { .depth_max = HUB_JSON_MAX_DEPTH,
                                    .number = note_number,
                                    .user = &numbers };
    cJSON *json = NULL;

    if (len > 0 && hub_utf8_valid(data, len) && json_text_check(text, &rules)) {
        char *copy = without_numbers(text, &numbers);
        json = cJSON_ParseWithLength(copy, len);
        free(copy);
        if (json != NULL) {
            give_numbers(json, &numbers);
            hub_members_unique(json);
        }
    }
    free(numbers.items);
    return json;
}

bool hub_json_valid(const void *data, size_t len)
{
    static const json_text_rules rules = { .depth_max = JSON_TEXT_DEPTH_MAX, .nul = true };
    const json_text text = { data, len };

    return len > 0 && hub_utf8_valid(data, len) && json_text_check(text, &rules);
}

/* --- printing --------------------------------------------------------------- */

/* Returns true if the byte needs no escape in a JSON string. 0xC2 may be the first byte of a C1
 * control character. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7F && c != 0xC2;
}

/* Writes a character as an escape: one for which JSON requires it, or on which a terminal would
 * act (DEL and C1). Returns the number of bytes that were read. */
static size_t put_escape(hub_text *out, const char *text, size_t len)
{
    static const char named[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";
    const unsigned char c = (unsigned char)text[0];
    const unsigned char next = (unsigned char)(len > 1 ? text[1] : 0);

    if (c == 0xC2 && (next < 0x80 || next >= 0xA0)) {
        hub_text_add(out, text, 1);
        return 1;
    }
    const char *at = memchr(named, c, sizeof named - 1);
    if (at != NULL) {
        const char escape[] = { '\\', letters[at - named] };
        hub_text_add(out, escape, sizeof escape);
        return 1;
    }
    hub_text_printf(out, "\\u%04x", c == 0xC2 ? next : c);
    return c == 0xC2 ? 2 : 1;
}

void hub_json_put_string(hub_text *out, const char *text, size_t len)
{
    size_t i = 0;

    hub_text_add(out, "\"", 1);
    while (i < len) {
        size_t plain = i;
        while (i < len && is_plain((unsigned char)text[i])) {
            i++;
        }
        hub_text_add(out, text + plain, i - plain);
        i += i < len ? put_escape(out, text + i, len - i) : 0;
    }
    hub_text_add(out, "\"", 1);
}

/* Writes the text of a number that was read, or a number that the program has set, which is an
 * integer below 2^53. */
static void put_number(hub_text *out, const cJSON *number)
{
    char text[32];

    if (number->valuestring != NULL) {
        hub_text_str(out, number->valuestring);
        return;
    }
    bool whole = number->valuedouble == floor(number->valuedouble);
    (void)snprintf(text, sizeof text, whole ? "%.0f" : "%.17g", number->valuedouble);
    hub_text_str(out, text);
}

static void put_children(hub_text *out, const cJSON *json, const char *ends)
{
    const cJSON *child;

    hub_text_add(out, &ends[0], 1);
    cJSON_ArrayForEach(child, json)
    {
        if (child != json->child) {
            hub_text_add(out, ",", 1);
        }
        if (cJSON_IsObject(json)) {
            hub_json_put_string(out, child->string, strlen(child->string));
            hub_text_add(out, ":", 1);
        }
        hub_json_put(out, child);
    }
    hub_text_add(out, &ends[1], 1);
}

void hub_json_put(hub_text *out, const cJSON *json)
{
    if (cJSON_IsObject(json)) {
        put_children(out, json, "{}");
    } else if (cJSON_IsArray(json)) {
        put_children(out, json, "[]");
    } else if (cJSON_IsString(json)) {
        hub_json_put_string(out, json->valuestring, strlen(json->valuestring));
    } else if (cJSON_IsNumber(json)) {
        put_number(out, json);
    } else if (cJSON_IsRaw(json)) {
        hub_text_str(out, json->valuestring);
    } else if (cJSON_IsBool(json)) {
        hub_text_str(out, cJSON_IsTrue(json) ? "true" : "false");
    } else {
        hub_text_str(out, "null");
    }
}

char *hub_json_print(const cJSON *json)
{
    hub_text out = { 0 };

    hub_json_put(&out, json);
    return out.p;
}

/* --- members ---------------------------------------------------------------- */

const char *hub_json_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

double hub_json_number(const cJSON *object, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

bool hub_json_whole(const cJSON *number, int64_t min, int64_t max, int64_t *out)
{
    if (!cJSON_IsNumber(number)) {
        return false;
    }
    double d = number->valuedouble;
    if (!(d >= (double)min && d <= (double)max) || d != floor(d)) {
        return false;
    }
    *out = (int64_t)d;
    return true;
}

void hub_json_add_text(cJSON *object, const char *name, const char *text)
{
    (void)cJSON_AddItemToObject(object, name,
                                text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void hub_json_add_time(cJSON *object, const char *name, int64_t ms)
{
    char text[HUB_TIME_SIZE];

    hub_time_text(ms, text);
    hub_json_add_text(object, name, text);
}
