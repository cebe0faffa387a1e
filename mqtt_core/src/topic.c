#include "mqtt_core/topic.h"

#define NAME_MAX_LEN 65535u

/* A machine word in which each byte is b. */
#define EACH(b) ((size_t)-1 / 0xFFu * (b))

/* NUL has none of these bits. */
#define IN_TEXT 0x7Fu

/* NUL, '#' and '+' have none of these bits. Neither have thirteen other characters that are rare
 * in topics, such as ' ', '!', '"', '(', ')' and '*'. */
#define IN_NAME 0x54u

/* The top bit of each byte of the result is zero if the word is all ASCII and each of its bytes
 * has one of the bits. A borrow in the subtraction can only follow a byte that is found anyway. */
static size_t suspects(const uint8_t *p, size_t bits)
{
    size_t w;

    memcpy(&w, p, sizeof w);
    return w | ((w & bits) - EACH(1u));
}

/* Returns true if the text needs no further check. Short texts are always checked. */
static bool plain(mqc_span s, size_t bits)
{
    if (s.len < sizeof(size_t)) {
        return false;
    }
    const uint8_t *last = s.ptr + s.len - sizeof(size_t);
    size_t found = suspects(last, bits);
    for (const uint8_t *p = s.ptr; p < last; p += sizeof(size_t)) {
        found |= suspects(p, bits);
    }
    return (found & EACH(0x80u)) == 0;
}

/* Returns the length of the well-formed sequence at p, or 0 if it is not valid (Unicode table
 * 3-7: no overlong forms, no surrogates, nothing above U+10FFFF) or is U+0000. */
static size_t utf8_sequence(const uint8_t *p, size_t n)
{
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    size_t len;

    if (p[0] < 0x80) {
        return p[0] != 0 ? 1 : 0;
    }
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        len = 2;
    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        len = 3;
        low = p[0] == 0xE0 ? 0xA0 : 0x80;
        high = p[0] == 0xED ? 0x9F : 0xBF;
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        len = 4;
        low = p[0] == 0xF0 ? 0x90 : 0x80;
        high = p[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (n < len || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xC0u) != 0x80u) {
            return 0;
        }
    }
    return len;
}

static bool sequences_valid(mqc_span s, bool wildcards)
{
    size_t i = 0;

    while (i < s.len) {
        size_t n = utf8_sequence(s.ptr + i, s.len - i);
        if (n == 0 || (!wildcards && (s.ptr[i] == '+' || s.ptr[i] == '#'))) {
            return false;
        }
        i += n;
    }
    return true;
}

bool mqc_utf8_valid(mqc_span text)
{
    return plain(text, EACH(IN_TEXT)) || sequences_valid(text, true);
}

bool mqc_topic_name_valid(mqc_span name)
{
    return name.len >= 1 && name.len <= NAME_MAX_LEN &&
           (plain(name, EACH(IN_NAME)) || sequences_valid(name, false));
}

/* By section 4.7.1, a wildcard fills its level, and '#' may only be the last level. */
bool mqc_topic_filter_valid(mqc_span filter)
{
    if (filter.len < 1 || filter.len > NAME_MAX_LEN || !mqc_utf8_valid(filter)) {
        return false;
    }
    for (size_t i = 0; i < filter.len; i++) {
        uint8_t c = filter.ptr[i];
        if (c != '+' && c != '#') {
            continue;
        }
        bool last = i + 1 == filter.len;
        bool starts_level = i == 0 || filter.ptr[i - 1] == '/';
        bool ends_level = last || (c == '+' && filter.ptr[i + 1] == '/');
        if (!starts_level || !ends_level) {
            return false;
        }
    }
    return true;
}

bool mqc_topic_matches(mqc_span filter, mqc_span name)
{
    size_t f = 0;
    size_t n = 0;

    if (filter.len == 0 || name.len == 0 ||
        (name.ptr[0] == '$' && (filter.ptr[0] == '+' || filter.ptr[0] == '#'))) {
        return false;
    }
    for (; f < filter.len; f++) {
        uint8_t c = filter.ptr[f];
        if (c == '#') {
            return true;
        }
        if (c == '+') {
            while (n < name.len && name.ptr[n] != '/') {
                n++;
            }
        } else if (n < name.len && name.ptr[n] == c) {
            n++;
        } else {
            /* "sport/#" also matches "sport". */
            return n == name.len && c == '/' && f + 2 == filter.len && filter.ptr[f + 1] == '#';
        }
    }
    return n == name.len;
}
