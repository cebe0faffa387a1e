#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "members.h"
#include "text.h"

/* cJSON reads more than JSON (01, 1., raw control characters, \u0000): a strict scan goes first. */
typedef struct scanner {
    const char *p;
    const char *end;
    int depth;
} scanner;

static bool scan_value(scanner *s);

static void *allocate(size_t size)
{
    return hub_calloc(1, size);
}

void hub_json_init(void)
{
    cJSON_Hooks hooks = { .malloc_fn = allocate, .free_fn = free };
    cJSON_InitHooks(&hooks);
}

static char peek(const scanner *s)
{
    return s->p < s->end ? *s->p : '\0';
}

static bool take(scanner *s, char c)
{
    if (peek(s) != c || s->p == s->end) {
        return false;
    }
    s->p++;
    return true;
}

static void skip_space(scanner *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
        s->p++;
    }
}

static bool scan_word(scanner *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0) {
        return false;
    }
    s->p += len;
    return true;
}

static bool scan_digits(scanner *s)
{
    const char *start = s->p;

    while (peek(s) >= '0' && peek(s) <= '9') {
        s->p++;
    }
    return s->p > start;
}

static bool scan_number(scanner *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !scan_digits(s)) {
        return false;
    }
    if (take(s, '.') && !scan_digits(s)) {
        return false;
    }
    if (take(s, 'e') || take(s, 'E')) {
        (void)(take(s, '+') || take(s, '-'));
        return scan_digits(s);
    }
    return true;
}

static bool scan_hex4(scanner *s, unsigned *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(s);
        const char *digits = "0123456789abcdef";
        const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;
        if (at == NULL) {
            return false;
        }
        *value = *value << 4 | (unsigned)(at - digits);
        s->p++;
    }
    return true;
}

/* Behind \u: no U+0000, surrogates in pairs only. */
static bool scan_unicode(scanner *s)
{
    unsigned first;
    unsigned second;

    if (!scan_hex4(s, &first) || first == 0 || (first >= 0xDC00 && first < 0xE000)) {
        return false;
    }
    if (first < 0xD800 || first >= 0xE000) {
        return true;
    }
    return take(s, '\\') && take(s, 'u') && scan_hex4(s, &second) && second >= 0xDC00 &&
           second < 0xE000;
}

static bool scan_string(scanner *s)
{
    if (!take(s, '"')) {
        return false;
    }
    while (s->p < s->end) {
        unsigned char c = (unsigned char)*s->p++;
        if (c == '"') {
            return true;
        }
        if (c < 0x20) {
            return false;
        }
        if (c != '\\') {
            continue;
        }
        char escape = peek(s);
        if (escape == '\0' || strchr("\"\\/bfnrtu", escape) == NULL) {
            return false;
        }
        s->p++;
        if (escape == 'u' && !scan_unicode(s)) {
            return false;
        }
    }
    return false;
}

static bool scan_member(scanner *s, bool named)
{
    skip_space(s);
    if (named) {
        if (!scan_string(s)) {
            return false;
        }
        skip_space(s);
        if (!take(s, ':')) {
            return false;
        }
    }
    return scan_value(s);
}

static bool scan_container(scanner *s, char close)
{
    s->p++;
    if (++s->depth > HUB_JSON_MAX_DEPTH) {
        return false;
    }
    skip_space(s);
    bool more = !take(s, close);
    while (more) {
        if (!scan_member(s, close == '}')) {
            return false;
        }
        skip_space(s);
        more = take(s, ',');
        if (!more && !take(s, close)) {
            return false;
        }
    }
    s->depth--;
    return true;
}

static bool scan_value(scanner *s)
{
    skip_space(s);
    switch (peek(s)) {
    case '{': return scan_container(s, '}');
    case '[': return scan_container(s, ']');
    case '"': return scan_string(s);
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'n': return scan_word(s, "null");
    default: return scan_number(s);
    }
}

cJSON *hub_json_read(const void *text, size_t len)
{
    if (len == 0 || !hub_utf8_valid(text, len)) {
        return NULL;
    }
    scanner s = { .p = text, .end = (const char *)text + len };
    if (!scan_value(&s)) {
        return NULL;
    }
    skip_space(&s);
    cJSON *json = s.p == s.end ? cJSON_ParseWithLength(text, len) : NULL;
    hub_members_unique(json);
    return json;
}

char *hub_json_print(const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    return text != NULL ? text : hub_strdup("null");
}

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
