/* Splits the text of a query into tokens. */

#include "query/query_lex.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "query/query.h"

#define HEX_DIGITS_MAX 13 /* a double holds this number of digits exactly */

/* --- faults ------------------------------------------------------------ */

/* Returns the position in characters, not in bytes; the first is 1. */
static size_t position(const query_lexer *l, const char *at)
{
    size_t n = 1;

    for (const char *p = l->text; p < at; p++) {
        n += ((unsigned char)*p & 0xC0) != 0x80 ? 1 : 0;
    }
    return n;
}

bool query_fail_at(query_lexer *l, const char *at, const char *format, ...)
{
    char why[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    (void)hub_fail(l->fault, HUB_ERR_ARGUMENT, "query, position %zu: %s", position(l, at), why);
    return false;
}

bool query_fail_expected(query_lexer *l, const char *wanted)
{
    const query_token *t = &l->token;

    if (t->kind == QUERY_END) {
        return query_fail_at(l, t->start, "%s expected, not the end", wanted);
    }
    return query_fail_at(l, t->start, "%s expected, not %.*s", wanted,
                         (int)(t->len < 40 ? t->len : 40), t->start);
}

/* --- what tokens are made of ------------------------------------------- */

static bool name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || ((unsigned char)c & 0x80) != 0;
}

static size_t name_length(const char *p)
{
    size_t n = 0;

    while (name_character(p[n])) {
        n++;
    }
    return n;
}

static void skip_space(query_lexer *l)
{
    while (*l->at != '\0' && strchr(" \t\r\n", *l->at) != NULL) {
        l->at++;
    }
}

static bool lex_word(query_lexer *l, size_t len)
{
    l->token.kind = QUERY_WORD;
    l->token.text = hub_memdup(l->at, len);
    l->at += len;
    return true;
}

/* Parses [[name]], which allows names that are keywords or contain other characters. */
static bool lex_bracketed(query_lexer *l)
{
    const char *name = l->at + 2;
    const char *end = strstr(name, "]]");

    if (end == NULL || end == name) {
        return query_fail_at(l, l->at, "[[ without a name and ]]");
    }
    l->token.kind = QUERY_WORD;
    l->token.text = hub_memdup(name, (size_t)(end - name));
    l->at = end + 2;
    return true;
}

static bool lex_hexadecimal(query_lexer *l)
{
    char *end;
    const char *digits = l->at + 2;
    unsigned long long n = strtoull(digits, &end, 16);

    if (!isxdigit((unsigned char)*digits) || end - digits > HEX_DIGITS_MAX ||
        name_character(*end)) {
        return query_fail_at(l, l->at, "not a hexadecimal number of up to %d digits",
                             HEX_DIGITS_MAX);
    }
    l->token.number = (double)n;
    l->at = end;
    return true;
}

/* Checks the digits itself, because strtod accepts more, such as 0x1p3. */
static const char *decimal_end(const char *p)
{
    while (isdigit((unsigned char)*p)) {
        p++;
    }
    if (*p == '.') {
        p++;
        while (isdigit((unsigned char)*p)) {
            p++;
        }
    }
    if (*p == 'e' || *p == 'E') {
        const char *exponent = p + 1 + (p[1] == '+' || p[1] == '-' ? 1 : 0);
        if (isdigit((unsigned char)*exponent)) {
            p = exponent;
        }
        while (isdigit((unsigned char)*p)) {
            p++;
        }
    }
    return p;
}

static bool lex_number(query_lexer *l)
{
    l->token.kind = QUERY_NUMBER;
    if (l->at[0] == '0' && (l->at[1] == 'x' || l->at[1] == 'X')) {
        return lex_hexadecimal(l);
    }
    const char *end = decimal_end(l->at);
    char *digits = hub_memdup(l->at, (size_t)(end - l->at));
    l->token.number = strtod(digits, NULL);
    free(digits);
    if (name_character(*end) || !isfinite(l->token.number)) {
        return query_fail_at(l, l->at, "not a number");
    }
    l->at = end;
    return true;
}

/* --- strings ----------------------------------------------------------- */

static bool read_hex4(const char *p, unsigned *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)p[i])) {
            return false;
        }
        char digit[] = { p[i], '\0' };
        *value = *value << 4 | (unsigned)strtoul(digit, NULL, 16);
    }
    return true;
}

static void add_utf8(hub_text *t, unsigned c)
{
    char bytes[4];
    size_t n = 0;

    if (c < 0x80) {
        bytes[n++] = (char)c;
    } else if (c < 0x800) {
        bytes[n++] = (char)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        bytes[n++] = (char)(0xE0 | c >> 12);
        bytes[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        bytes[n++] = (char)(0xF0 | c >> 18);
        bytes[n++] = (char)(0x80 | (c >> 12 & 0x3F));
        bytes[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    }
    if (c >= 0x80) {
        bytes[n++] = (char)(0x80 | (c & 0x3F));
    }
    hub_text_add(t, bytes, n);
}

/* Reads the digits after \u, and a second escape if they are half of a surrogate pair. Returns
 * NULL if this is not a character. */
static const char *read_unicode(const char *p, hub_text *t)
{
    unsigned c;
    unsigned low;

    if (!read_hex4(p, &c) || c == 0 || (c >= 0xDC00 && c < 0xE000)) {
        return NULL;
    }
    p += 4;
    if (c >= 0xD800 && c < 0xDC00) {
        if (p[0] != '\\' || p[1] != 'u' || !read_hex4(p + 2, &low) || low < 0xDC00 ||
            low >= 0xE000) {
            return NULL;
        }
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        p += 6;
    }
    add_utf8(t, c);
    return p;
}

/* Reads the part of an escape after the backslash. */
static const char *read_escape(const char *p, hub_text *t)
{
    if (*p == 'u') {
        return read_unicode(p + 1, t);
    }
    if (*p == '\0' || strchr("'\"\\", *p) == NULL) {
        return NULL;
    }
    hub_text_add(t, p, 1);
    return p + 1;
}

static bool lex_string(query_lexer *l)
{
    const char quote = *l->at;
    const char *p = l->at + 1;
    hub_text t = { 0 };

    hub_text_str(&t, "");
    l->token.kind = QUERY_STRING;
    while (*p != quote) {
        const char *next = p + 1;
        if (*p == '\\') {
            next = read_escape(p + 1, &t);
        } else if (*p != '\0') {
            hub_text_add(&t, p, 1);
        }
        if (*p == '\0' || next == NULL) {
            hub_text_free(&t);
            return *p == '\0' ? query_fail_at(l, l->at, "a string without its end")
                              : query_fail_at(l, p, "an escape other than \\' \\\" \\\\ \\uXXXX");
        }
        p = next;
    }
    l->token.text = t.p;
    l->at = p + 1;
    return true;
}

static bool lex_sign(query_lexer *l)
{
    static const char *const signs[] = { "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")",
                                         "[",  "]",  ",",  ".",  "*", "+", "-", "/", "%" };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t len = strlen(signs[i]);
        if (strncmp(l->at, signs[i], len) == 0) {
            l->token.kind = QUERY_SIGN;
            memcpy(l->token.sign, signs[i], len + 1);
            l->at += len;
            return true;
        }
    }
    return query_fail_at(l, l->at, "unexpected character %.1s", l->at);
}

/* --- tokens ------------------------------------------------------------ */

static void begin_token(query_lexer *l)
{
    free(l->token.text);
    skip_space(l);
    l->token = (query_token){ .start = l->at };
}

static bool lex(query_lexer *l)
{
    const char c = *l->at;

    if (c == '\0') {
        return true;
    }
    if (isdigit((unsigned char)c)) {
        return lex_number(l);
    }
    if (c == '\'' || c == '"') {
        return lex_string(l);
    }
    if (strncmp(l->at, "[[", 2) == 0) {
        return lex_bracketed(l);
    }
    return name_character(c) ? lex_word(l, name_length(l->at)) : lex_sign(l);
}

bool query_lex_next(query_lexer *l)
{
    begin_token(l);
    bool ok = lex(l);
    l->token.len = (size_t)(l->at - l->token.start);
    return ok;
}

bool query_lex_name(query_lexer *l)
{
    begin_token(l);
    size_t len = name_length(l->at);
    bool ok = len > 0                        ? lex_word(l, len)
              : strncmp(l->at, "[[", 2) == 0 ? lex_bracketed(l)
                                             : query_fail_at(l, l->at, "a name expected");
    l->token.len = (size_t)(l->at - l->token.start);
    return ok;
}

bool query_lex_start(query_lexer *l, const char *text, hub_fault *fault)
{
    *l = (query_lexer){ .text = text, .at = text, .fault = fault };
    if (position(l, text + strlen(text)) - 1 > HUB_QUERY_CHARACTERS_MAX) {
        (void)hub_fail(fault, HUB_ERR_ARGUMENT, "query: longer than %d characters",
                       HUB_QUERY_CHARACTERS_MAX);
        return false;
    }
    return query_lex_next(l);
}

char *query_lex_take_text(query_lexer *l)
{
    char *text = l->token.text;

    l->token.text = NULL;
    return text;
}

void query_lex_end(query_lexer *l)
{
    free(l->token.text);
    l->token.text = NULL;
}

bool query_is_word(const query_token *t, const char *word)
{
    return t->kind == QUERY_WORD && *t->start != '[' && strcasecmp(t->text, word) == 0;
}

bool query_is_sign(const query_token *t, const char *sign)
{
    return t->kind == QUERY_SIGN && strcmp(t->sign, sign) == 0;
}
