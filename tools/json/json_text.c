#include "json/json_text.h"

#include <string.h>

typedef struct scanner {
    const char *p;
    const char *end;
    const json_text_rules *rules;
    unsigned depth;
} scanner;

static bool scan_value(scanner *s);

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

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(scanner *s)
{
    while (s->p < s->end && is_space(*s->p)) {
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

static bool scan_digits_of_number(scanner *s)
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

static bool scan_number(scanner *s)
{
    const char *start = s->p;

    if (!scan_digits_of_number(s)) {
        return false;
    }
    if (s->rules->number != NULL) {
        s->rules->number(s->rules->user, (json_text){ start, (size_t)(s->p - start) });
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

/* Reads the digits after \u; surrogates must be paired. */
static bool scan_unicode(scanner *s)
{
    unsigned first;
    unsigned second;

    if (!scan_hex4(s, &first) || (first == 0 && !s->rules->nul) ||
        (first >= 0xDC00 && first < 0xE000)) {
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

/* Reads "name" and the colon, with white space around them. */
static bool scan_name(scanner *s)
{
    skip_space(s);
    if (!scan_string(s)) {
        return false;
    }
    skip_space(s);
    return take(s, ':');
}

static bool scan_container(scanner *s, char close)
{
    s->p++;
    if (++s->depth > s->rules->depth_max) {
        return false;
    }
    skip_space(s);
    bool more = !take(s, close);
    while (more) {
        if ((close == '}' && !scan_name(s)) || !scan_value(s)) {
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

bool json_text_check(json_text text, const json_text_rules *rules)
{
    if (text.len == 0) {
        return false;
    }
    scanner s = { .p = text.ptr, .end = text.ptr + text.len, .rules = rules };
    if (!scan_value(&s)) {
        return false;
    }
    skip_space(&s);
    return s.p == s.end;
}

/* --- members ------------------------------------------------------------ */

/* Returns the next character of a string; a character that no ASCII name contains becomes 0. */
static char next_character(scanner *s)
{
    unsigned code = 0;
    char c = *s->p++;

    if (c != '\\') {
        return c;
    }
    c = *s->p++;
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': return scan_hex4(s, &code) && code < 0x80 ? (char)code : '\0';
    default: return c;
    }
}

bool json_text_is_name(json_text string, const char *name)
{
    scanner s = { .p = string.ptr + 1, .end = string.ptr + string.len - 1 };

    while (s.p < s.end && *name != '\0') {
        if (next_character(&s) != *name++) {
            return false;
        }
    }
    return s.p == s.end && *name == '\0';
}

bool json_text_next(json_text object, const char **at, json_text *name, json_text *value)
{
    static const json_text_rules any = { .depth_max = JSON_TEXT_DEPTH_MAX, .nul = true };

    if (object.len == 0) {
        return false;
    }
    scanner s = { .p = object.ptr, .end = object.ptr + object.len, .rules = &any };
    if (*at == NULL) {
        skip_space(&s);
    } else {
        s.p = *at;
    }
    if (!take(&s, *at == NULL ? '{' : ',')) {
        return false;
    }
    skip_space(&s);
    name->ptr = s.p;
    if (!scan_string(&s)) {
        return false;
    }
    name->len = (size_t)(s.p - name->ptr);
    skip_space(&s);
    (void)take(&s, ':');
    skip_space(&s);
    value->ptr = s.p;
    if (!scan_value(&s)) {
        return false;
    }
    value->len = (size_t)(s.p - value->ptr);
    skip_space(&s);
    *at = s.p;
    return true;
}

json_text json_text_member(json_text object, const char *name)
{
    json_text found = { 0 };
    const char *at = NULL;
    json_text key;
    json_text value;

    while (json_text_next(object, &at, &key, &value)) {
        if (json_text_is_name(key, name)) {
            found = value;
        }
    }
    return found;
}

/* --- for people ----------------------------------------------------------- */

static void new_line(FILE *out, unsigned depth)
{
    (void)fprintf(out, "\n%*s", (int)(2 * depth), "");
}

static void print_string(FILE *out, scanner *s)
{
    const char *start = s->p;

    (void)scan_string(s);
    (void)fwrite(start, 1, (size_t)(s->p - start), out);
}

/* Prints the text between values; in_object[depth] tells whether this is inside an object. */
static void print_mark(FILE *out, scanner *s, bool *in_object)
{
    const char c = *s->p++;

    switch (c) {
    case '{':
    case '[':
        (void)putc(c, out);
        in_object[++s->depth] = c == '{';
        skip_space(s);
        if (c == '{' && peek(s) != '}') {
            new_line(out, s->depth);
        }
        return;
    case '}':
    case ']': (void)putc(c, out); return;
    case ',':
        (void)putc(c, out);
        if (in_object[s->depth]) {
            new_line(out, s->depth);
        } else {
            (void)putc(' ', out);
        }
        return;
    case ':': (void)fputs(": ", out); return;
    default: (void)putc(c, out); return;
    }
}

/* Leaves an object or array; the end of one with members is on a line of its own. */
static void leave(FILE *out, scanner *s, char before)
{
    s->depth--;
    if (*s->p == '}' && before != '{') {
        new_line(out, s->depth);
    }
}

void json_text_print(FILE *out, json_text text)
{
    static const json_text_rules any = { .depth_max = JSON_TEXT_DEPTH_MAX, .nul = true };
    scanner s = { .p = text.ptr, .end = text.ptr + text.len, .rules = &any };
    bool in_object[JSON_TEXT_DEPTH_MAX + 1] = { false };
    char before = '\0';

    for (skip_space(&s); s.p < s.end; skip_space(&s)) {
        const char c = *s.p;
        if (c == '"') {
            print_string(out, &s);
        } else {
            if (c == '}' || c == ']') {
                leave(out, &s, before);
            }
            print_mark(out, &s, in_object);
        }
        before = c;
    }
}
