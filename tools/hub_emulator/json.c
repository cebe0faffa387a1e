#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/json_text.h"
#include "members.h"
#include "text.h"

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

/* The numbers of a text, in its order. */
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

/* cJSON makes a double of a number, and stumbles over more than 63 characters: it gets a 0, with
 * space up to the length of the number. */
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

/* The tree has its numbers in the order of the text. */
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

/* cJSON reads more than JSON (01, 1., raw control characters, \u0000): a strict check goes first.
 */
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

static void print_value(const cJSON *json, hub_text *out);

/* What JSON demands an escape for, and what a terminal would act on: DEL and C1. */
static size_t escape_length(const char *p)
{
    unsigned char c = (unsigned char)*p;

    if (c < 0x20 || c == 0x7F || c == '"' || c == '\\') {
        return 1;
    }
    return c == 0xC2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xA0 ? 2 : 0;
}

static void print_escape(const char *p, size_t len, hub_text *out)
{
    static const char named[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";
    const char *at = strchr(named, *p);
    char escape[8] = { '\\' };

    if (at != NULL) {
        escape[1] = letters[at - named];
    } else {
        (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)p[len - 1]);
    }
    hub_text_str(out, escape);
}

static void print_string(const char *s, hub_text *out)
{
    const char *plain = s;

    hub_text_add(out, "\"", 1);
    while (*s != '\0') {
        size_t len = escape_length(s);
        if (len == 0) {
            s++;
            continue;
        }
        hub_text_add(out, plain, (size_t)(s - plain));
        print_escape(s, len, out);
        s += len;
        plain = s;
    }
    hub_text_add(out, plain, (size_t)(s - plain));
    hub_text_add(out, "\"", 1);
}

/* As it was written; one of our own is whole and below 2^53. */
static void print_number(const cJSON *number, hub_text *out)
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

static void print_children(const cJSON *json, const char *ends, hub_text *out)
{
    const cJSON *child;

    hub_text_add(out, &ends[0], 1);
    cJSON_ArrayForEach(child, json)
    {
        if (child != json->child) {
            hub_text_add(out, ",", 1);
        }
        if (cJSON_IsObject(json)) {
            print_string(child->string, out);
            hub_text_add(out, ":", 1);
        }
        print_value(child, out);
    }
    hub_text_add(out, &ends[1], 1);
}

static void print_value(const cJSON *json, hub_text *out)
{
    if (cJSON_IsObject(json)) {
        print_children(json, "{}", out);
    } else if (cJSON_IsArray(json)) {
        print_children(json, "[]", out);
    } else if (cJSON_IsString(json)) {
        print_string(json->valuestring, out);
    } else if (cJSON_IsNumber(json)) {
        print_number(json, out);
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

    print_value(json, &out);
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
