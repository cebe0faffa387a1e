#include "twins/twin_rules.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define INTEGER_MIN (-4503599627370496.0)
#define INTEGER_MAX 4503599627370495.0

/* The control characters are U+0000-001F and U+007F-009F; in UTF-8 the last ones are C2 80 to C2
 * 9F. */
static bool control_at(const char *s)
{
    unsigned char c = (unsigned char)*s;
    return c < 0x20 || c == 0x7F || (c == 0xC2 && (unsigned char)s[1] < 0xA0);
}

static hub_result check_key(const char *key, hub_fault *fault)
{
    if (key[0] == '\0') {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: a key is empty");
    }
    if (strlen(key) > HUB_TWIN_KEY_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: a key is longer than 1 KB");
    }
    for (const char *p = key; *p != '\0'; p++) {
        if (strchr(".$ ", *p) != NULL || control_at(p)) {
            return hub_fail(fault, HUB_ERR_ARGUMENT,
                            "twin: a key contains '.', '$', a space or a control character: %.100s",
                            key);
        }
    }
    return HUB_OK;
}

/* A number without a point or an exponent is an integer. A number counts as 8 bytes, so its text
 * needs a limit of its own. */
static hub_result check_number(const cJSON *number, hub_fault *fault)
{
    const char *text = number->valuestring != NULL ? number->valuestring : "0";
    double d = number->valuedouble;

    if (strlen(text) > HUB_TWIN_NUMBER_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: a number has more than %d characters",
                        HUB_TWIN_NUMBER_MAX);
    }
    if (!isfinite(d)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: a number is too large for a double");
    }
    if (strpbrk(text, ".eE") == NULL && (d < INTEGER_MIN || d > INTEGER_MAX)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: an integer is outside -2^52 .. 2^52-1");
    }
    return HUB_OK;
}

static hub_result check_scalar(const cJSON *value, hub_fault *fault)
{
    if (cJSON_IsString(value) && strlen(value->valuestring) > HUB_TWIN_STRING_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: a string is longer than 4 KB");
    }
    return cJSON_IsNumber(value) ? check_number(value, fault) : HUB_OK;
}

/* null deletes a property. An array is replaced as a whole, so null has no meaning in it, and
 * the real hub refuses it at any depth (azure-iot-sdk-csharp issue 1741). */
static hub_result check_at(const cJSON *container, int depth, bool in_array, hub_fault *fault)
{
    const cJSON *child;

    in_array = in_array || cJSON_IsArray(container);
    if (depth > HUB_TWIN_DEPTH_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: nested deeper than %d levels",
                        HUB_TWIN_DEPTH_MAX);
    }
    cJSON_ArrayForEach(child, container)
    {
        hub_result r = cJSON_IsObject(container) ? check_key(child->string, fault) : HUB_OK;
        if (r == HUB_OK && (cJSON_IsObject(child) || cJSON_IsArray(child))) {
            r = check_at(child, depth + 1, in_array, fault);
        } else if (r == HUB_OK && in_array && cJSON_IsNull(child)) {
            r = hub_fail(fault, HUB_ERR_ARGUMENT, "twin: an array contains null");
        } else if (r == HUB_OK) {
            r = check_scalar(child, fault);
        }
        if (r != HUB_OK) {
            return r;
        }
    }
    return HUB_OK;
}

hub_result hub_twin_check(const cJSON *object, hub_fault *fault)
{
    if (!cJSON_IsObject(object)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "twin: the body is not a JSON object");
    }
    return check_at(object, 0, false, fault);
}

static size_t text_size(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++) {
        if (!control_at(s)) {
            n++;
        } else if ((unsigned char)*s == 0xC2) {
            s++;
        }
    }
    return n;
}

size_t hub_twin_size(const cJSON *value)
{
    size_t n = 0;
    const cJSON *child;

    if (cJSON_IsString(value)) {
        return text_size(value->valuestring);
    }
    if (cJSON_IsNumber(value)) {
        return 8;
    }
    if (cJSON_IsBool(value)) {
        return 4;
    }
    cJSON_ArrayForEach(child, value)
    {
        n += child->string != NULL ? text_size(child->string) : 0;
        n += hub_twin_size(child);
    }
    return n;
}
