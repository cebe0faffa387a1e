#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void hub_out_of_memory(void)
{
    (void)fputs("hub_emulator: out of memory\n", stderr);
    abort();
}

static void *or_abort(void *p)
{
    if (p == NULL) {
        hub_out_of_memory();
    }
    return p;
}

void *hub_calloc(size_t count, size_t size)
{
    return or_abort(calloc(count, size));
}

void *hub_realloc(void *old, size_t size)
{
    return or_abort(realloc(old, size));
}

char *hub_strdup(const char *s)
{
    return hub_memdup(s, strlen(s));
}

char *hub_memdup(const void *data, size_t len)
{
    char *copy = hub_calloc(1, len + 1);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

void hub_replace(char **field, const char *text)
{
    char *copy = text != NULL ? hub_strdup(text) : NULL;
    free(*field);
    *field = copy;
}

char *hub_format(const char *format, ...)
{
    char *out = NULL;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&out, format, args);
    va_end(args);
    return or_abort(n < 0 ? NULL : out);
}

void hub_text_add(hub_text *t, const void *data, size_t len)
{
    if (t->cap - t->len <= len) {
        t->cap = (t->len + len + 1) * 2;
        t->p = hub_realloc(t->p, t->cap);
    }
    if (len > 0) {
        memcpy(t->p + t->len, data, len);
    }
    t->len += len;
    t->p[t->len] = '\0';
}

void hub_text_str(hub_text *t, const char *s)
{
    hub_text_add(t, s, strlen(s));
}

void hub_text_whole(hub_text *t, uint64_t number)
{
    char digits[20]; /* as many digits as 2^64 - 1 has */
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    hub_text_add(t, digits + at, sizeof digits - at);
}

void hub_text_printf(hub_text *t, const char *format, ...)
{
    char *piece = NULL;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&piece, format, args);
    va_end(args);
    (void)or_abort(n < 0 ? NULL : piece);
    hub_text_add(t, piece, (size_t)n);
    free(piece);
}

void hub_text_cut(hub_text *t, size_t len)
{
    if (len < t->len) {
        t->len = len;
        t->p[len] = '\0';
    }
}

void hub_text_free(hub_text *t)
{
    free(t->p);
    *t = (hub_text){ 0 };
}

/* Returns the position after the digits. */
static char *put_digits(char *at, int number, int digits_min)
{
    if (digits_min > 1 || number > 9) {
        at = put_digits(at, number / 10, digits_min - 1);
    }
    *at = (char)('0' + number % 10);
    return at + 1;
}

static char *put_part(char *at, int number, int digits_min, char separator)
{
    at = put_digits(at, number, digits_min);
    *at = separator;
    return at + 1;
}

/* Returns the position after the two texts. */
static char *put_word(char *at, const char *word, const char *separator)
{
    return stpcpy(stpcpy(at, word), separator);
}

/* strftime is not used, because it would cost as much as the rest of an event. */
void hub_time_text(int64_t ms, char out[HUB_TIME_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;

    (void)gmtime_r(&seconds, &utc);
    out = put_part(out, utc.tm_year + 1900, 4, '-');
    out = put_part(out, utc.tm_mon + 1, 2, '-');
    out = put_part(out, utc.tm_mday, 2, 'T');
    out = put_part(out, utc.tm_hour, 2, ':');
    out = put_part(out, utc.tm_min, 2, ':');
    out = put_part(out, utc.tm_sec, 2, '.');
    out = put_part(out, (int)(ms % 1000), 3, 'Z');
    *out = '\0';
}

void hub_time_http(int64_t ms, char out[HUB_TIME_SIZE])
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;

    (void)gmtime_r(&seconds, &utc);
    out = put_word(out, days[utc.tm_wday], ", ");
    out = put_part(out, utc.tm_mday, 2, ' ');
    out = put_word(out, months[utc.tm_mon], " ");
    out = put_part(out, utc.tm_year + 1900, 4, ' ');
    out = put_part(out, utc.tm_hour, 2, ':');
    out = put_part(out, utc.tm_min, 2, ':');
    out = put_part(out, utc.tm_sec, 2, ' ');
    (void)put_word(out, "GMT", "");
}

void hub_time_header(int64_t ms, char out[HUB_TIME_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;

    (void)gmtime_r(&seconds, &utc);
    const int hour = utc.tm_hour % 12;
    out = put_part(out, utc.tm_mon + 1, 1, '/');
    out = put_part(out, utc.tm_mday, 1, '/');
    out = put_part(out, utc.tm_year + 1900, 4, ' ');
    out = put_part(out, hour == 0 ? 12 : hour, 1, ':');
    out = put_part(out, utc.tm_min, 2, ':');
    out = put_part(out, utc.tm_sec, 2, ' ');
    memcpy(out, utc.tm_hour < 12 ? "AM" : "PM", sizeof "AM");
}

/* Returns the length of the sequence that starts with this byte, or 0 if none may start with it. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2) {
        return 0;
    }
    if (first < 0xE0) {
        return 2;
    }
    if (first < 0xF0) {
        return 3;
    }
    return first < 0xF5 ? 4 : 0;
}

/* The second byte must exclude overlong forms, surrogates and characters above U+10FFFF. */
static bool utf8_second_ok(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0: return second >= 0xA0;
    case 0xED: return second < 0xA0;
    case 0xF0: return second >= 0x90;
    case 0xF4: return second < 0x90;
    default: return true;
    }
}

/* Checks ASCII_BYTES bytes at a time for being in 0x01..0x7F. */
#define ASCII_BYTES sizeof(uint64_t)

static bool all_ascii(const unsigned char *s)
{
    uint64_t word;

    memcpy(&word, s, sizeof word);
    return (((word - UINT64_C(0x0101010101010101)) | word) & UINT64_C(0x8080808080808080)) == 0;
}

bool hub_utf8_valid(const void *data, size_t len)
{
    const unsigned char *s = data;

    for (size_t i = 0; i < len;) {
        if (len - i >= ASCII_BYTES && all_ascii(s + i)) {
            i += ASCII_BYTES;
            continue;
        }
        size_t n = utf8_length(s[i]);
        if (n == 0 || n > len - i || s[i] == 0) {
            return false;
        }
        for (size_t k = 1; k < n; k++) {
            if ((s[i + k] & 0xC0) != 0x80) {
                return false;
            }
        }
        if (n > 1 && !utf8_second_ok(s[i], s[i + 1])) {
            return false;
        }
        i += n;
    }
    return true;
}

bool hub_utf8_plain(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7F || (*p == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0)) {
            return false;
        }
    }
    return hub_utf8_valid(text, strlen(text));
}
