#include "wolfssl/x509/name.h"

#include <string.h>

#define MOST_IN_SET 16 /* most attributes in one part of a name; usual names have one or two */
#define COMMON_NAME "\x55\x04\x03"
#define EMAIL       "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
#define HASH_BASIS  2166136261u /* FNV-1a */
#define HASH_PRIME  16777619u
#define END_OF_TEXT (-1)
#define TAG_CLASS   0xc0u
#define TAG_NUMBER  0x1fu
#define CONSTRUCTED 0x20u
#define CONTEXT_TAG 0x80u
#define IS_ASCII(c) ((c) < 0x80)

typedef struct attribute {
    plat_der type;
    uint8_t tag;
    plat_der value;
} attribute;

/* --- text in its several encodings --- */

static bool is_text(uint8_t tag)
{
    switch (tag) {
    case PLAT_DER_UTF8_STRING:
    case PLAT_DER_PRINTABLE_STRING:
    case PLAT_DER_T61_STRING: /* read as Latin-1, which is what it contains in practice */
    case PLAT_DER_IA5_STRING:
    case PLAT_DER_VISIBLE_STRING:
    case PLAT_DER_UNIVERSAL_STRING:
    case PLAT_DER_BMP_STRING: return true;
    default: return false;
    }
}

/* Returns the length of the first character, or 0 if it is invalid by RFC 3629: a surrogate, or
 * not the shortest form. */
static size_t utf8_length(plat_der text)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = text.at[0];
    size_t n = first < 0x80       ? 1
               : first >> 5 == 6  ? 2
               : first >> 4 == 14 ? 3
               : first >> 3 == 30 ? 4
                                  : 0;
    if (n < 2 || n > text.len) {
        return n == 1 ? 1 : 0;
    }
    uint32_t c = first & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (text.at[i] >> 6 != 2) {
            return 0;
        }
        c = c << 6 | (text.at[i] & 0x3fu);
    }
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

static bool is_sound_text(uint8_t tag, plat_der text)
{
    if (tag == PLAT_DER_BMP_STRING || tag == PLAT_DER_UNIVERSAL_STRING) {
        return text.len % (tag == PLAT_DER_BMP_STRING ? 2 : 4) == 0;
    }
    while (tag == PLAT_DER_UTF8_STRING && text.len > 0) {
        size_t n = utf8_length(text);
        if (n == 0) {
            return false;
        }
        text.at += n;
        text.len -= n;
    }
    return true;
}

/* Returns whether the value is of a kind that directory names contain: text, digits or bit
 * strings (X.520). */
static bool is_sound_value(uint8_t tag, plat_der value)
{
    switch (tag) {
    case PLAT_DER_NUMERIC_STRING: return true;
    case PLAT_DER_BIT_STRING: return value.len > 0 && value.at[0] <= 7;
    default: return is_text(tag) && is_sound_text(tag, value);
    }
}

static size_t char_length(uint8_t tag, plat_der text)
{
    switch (tag) {
    case PLAT_DER_UTF8_STRING: return utf8_length(text);
    case PLAT_DER_BMP_STRING: return 2;
    case PLAT_DER_UNIVERSAL_STRING: return 4;
    default: return 1;
    }
}

/* Takes the next character. Returns END_OF_TEXT at the end. */
static int64_t take_char(uint8_t tag, plat_der *text)
{
    if (text->len == 0) {
        return END_OF_TEXT;
    }
    size_t n = char_length(tag, *text);
    bool utf8 = tag == PLAT_DER_UTF8_STRING;
    uint32_t c = utf8 && n > 1 ? text->at[0] & (0x7fu >> n) : text->at[0];
    for (size_t i = 1; i < n; i++) {
        c = utf8 ? c << 6 | (text->at[i] & 0x3fu) : c << 8 | text->at[i];
    }
    text->at += n;
    text->len -= n;
    return c;
}

static bool is_space(int64_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next character to compare. Consecutive spaces count as one, spaces at the end are
 * ignored, and capitals become small letters. */
static int64_t take_folded(uint8_t tag, plat_der *text)
{
    int64_t c = take_char(tag, text);
    if (!is_space(c)) {
        return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    }
    for (plat_der ahead = *text; is_space(take_char(tag, &ahead)); *text = ahead) {
    }
    return text->len == 0 ? END_OF_TEXT : ' ';
}

static void skip_spaces(uint8_t tag, plat_der *text)
{
    for (plat_der ahead = *text; is_space(take_char(tag, &ahead)); *text = ahead) {
    }
}

static bool same_text(const attribute *a, const attribute *b)
{
    plat_der x = a->value;
    plat_der y = b->value;
    int64_t c;
    skip_spaces(a->tag, &x);
    skip_spaces(b->tag, &y);
    do {
        c = take_folded(a->tag, &x);
        if (c != take_folded(b->tag, &y)) {
            return false;
        }
    } while (c != END_OF_TEXT);
    return true;
}

/* --- distinguished names --- */

static bool take_attribute(plat_der *set, attribute *out)
{
    plat_der pair;
    plat_der_item value;
    if (!plat_der_take(set, PLAT_DER_SEQUENCE, &pair) ||
        !plat_der_take(&pair, PLAT_DER_OID, &out->type) || !plat_der_next(&pair, &value) ||
        pair.len != 0) {
        return false;
    }
    out->tag = value.tag;
    out->value = value.content;
    return true;
}

static bool is_sound_set(plat_der set)
{
    attribute a;
    size_t count = 0;
    for (; set.len > 0; count++) {
        if (count == MOST_IN_SET || !take_attribute(&set, &a) || !is_sound_value(a.tag, a.value)) {
            return false;
        }
    }
    return count > 0;
}

bool plat_name_is_sound(plat_der name)
{
    plat_der set;
    while (name.len > 0) {
        if (!plat_der_take(&name, PLAT_DER_SET, &set) || !is_sound_set(set)) {
            return false;
        }
    }
    return true;
}

static bool same_attribute(const attribute *a, const attribute *b)
{
    if (!plat_der_equals(a->type, b->type)) {
        return false;
    }
    if (a->tag == b->tag && plat_der_equals(a->value, b->value)) {
        return true;
    }
    return is_text(a->tag) && is_text(b->tag) && same_text(a, b);
}

static bool has_attribute(plat_der set, const attribute *wanted)
{
    attribute a;
    while (set.len > 0 && take_attribute(&set, &a)) {
        if (same_attribute(&a, wanted)) {
            return true;
        }
    }
    return false;
}

static bool holds_all(plat_der set, plat_der others)
{
    attribute a;
    while (others.len > 0) {
        if (!take_attribute(&others, &a) || !has_attribute(set, &a)) {
            return false;
        }
    }
    return true;
}

/* Compares in both directions, because the order within a set has no meaning. */
static bool same_set(plat_der a, plat_der b)
{
    return plat_der_equals(a, b) || (holds_all(a, b) && holds_all(b, a));
}

bool plat_name_is_below(plat_der name, plat_der base)
{
    plat_der a, b;
    while (base.len > 0) {
        if (!plat_der_take(&name, PLAT_DER_SET, &a) || !plat_der_take(&base, PLAT_DER_SET, &b) ||
            !same_set(a, b)) {
            return false;
        }
    }
    return true;
}

bool plat_name_equals(plat_der a, plat_der b)
{
    plat_der x, y;
    if (plat_der_equals(a, b)) {
        return true;
    }
    while (a.len > 0 && b.len > 0) {
        if (!plat_der_take(&a, PLAT_DER_SET, &x) || !plat_der_take(&b, PLAT_DER_SET, &y) ||
            !same_set(x, y)) {
            return false;
        }
    }
    return a.len == 0 && b.len == 0;
}

static uint32_t mix(uint32_t hash, uint32_t value)
{
    return (hash ^ value) * HASH_PRIME;
}

static uint32_t hash_bytes(uint32_t hash, plat_der bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        hash = mix(hash, bytes.at[i]);
    }
    return hash;
}

static uint32_t hash_attribute(const attribute *a)
{
    uint32_t hash = hash_bytes(HASH_BASIS, a->type);
    if (!is_text(a->tag)) {
        return hash_bytes(hash, a->value);
    }
    plat_der text = a->value;
    skip_spaces(a->tag, &text);
    for (int64_t c; (c = take_folded(a->tag, &text)) != END_OF_TEXT;) {
        hash = mix(hash, (uint32_t)c);
    }
    return hash;
}

uint32_t plat_name_hash(plat_der name)
{
    uint32_t hash = HASH_BASIS;
    plat_der set;
    attribute a;
    while (name.len > 0 && plat_der_take(&name, PLAT_DER_SET, &set)) {
        uint32_t first =
            UINT32_MAX; /* the smallest hash, so that order and repetition do not matter */
        while (set.len > 0 && take_attribute(&set, &a)) {
            uint32_t h = hash_attribute(&a);
            first = h < first ? h : first;
        }
        hash = mix(hash, first);
    }
    return hash;
}

bool plat_name_has_email(plat_der name)
{
    plat_der set;
    attribute a;
    while (name.len > 0 && plat_der_take(&name, PLAT_DER_SET, &set)) {
        while (set.len > 0 && take_attribute(&set, &a)) {
            if (plat_der_is(a.type, EMAIL)) {
                return true;
            }
        }
    }
    return false;
}

/* Appends a character as UTF-8. Returns false if it is a control character, or if there is no
 * room. */
static bool put_char(uint32_t c, char *out, size_t cap, size_t *len)
{
    static const uint8_t heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    bool surrogate = c >= 0xd800 && c < 0xe000;
    if (control || surrogate || c > 0x10ffff || n >= cap - *len) {
        return false;
    }
    for (size_t i = n - 1; i > 0; i--) {
        out[*len + i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[*len] = (char)(heads[n] | c);
    *len += n;
    return true;
}

static bool put_text(const attribute *a, char *out, size_t cap)
{
    plat_der text = a->value;
    size_t len = 0;
    while (text.len > 0) {
        if (!put_char((uint32_t)take_char(a->tag, &text), out, cap, &len)) {
            return false;
        }
    }
    out[len] = '\0';
    return len > 0;
}

bool plat_name_common_name(plat_der name, char *out, size_t cap)
{
    plat_der set;
    attribute a;
    bool found = false;
    while (name.len > 0 && plat_der_take(&name, PLAT_DER_SET, &set)) {
        while (set.len > 0 && take_attribute(&set, &a)) {
            if (plat_der_is(a.type, COMMON_NAME)) {
                found = is_text(a.tag) && put_text(&a, out, cap);
            }
        }
    }
    if (!found) {
        out[0] = '\0';
    }
    return found;
}

/* --- general names --- */

static bool is_ascii(plat_der text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!IS_ASCII(text.at[i])) {
            return false;
        }
    }
    return true;
}

/* Returns whether names of this kind consist of other elements. */
static bool is_constructed(plat_general_kind kind)
{
    return kind == PLAT_GENERAL_OTHER || kind == PLAT_GENERAL_X400 ||
           kind == PLAT_GENERAL_DIRECTORY || kind == PLAT_GENERAL_EDI;
}

static bool take_other_name(plat_der value)
{
    plat_der part;
    return plat_der_take(&value, PLAT_DER_OID, &part) &&
           plat_der_take(&value, PLAT_DER_CONTEXT_CONSTRUCTED, &part) && part.len > 0 &&
           value.len == 0;
}

bool plat_general_next(plat_der *in, plat_general_name *out)
{
    plat_der_item item;
    if (!plat_der_next(in, &item) || (item.tag & TAG_CLASS) != CONTEXT_TAG ||
        (item.tag & TAG_NUMBER) > PLAT_GENERAL_REGISTERED) {
        return false;
    }
    out->kind = (plat_general_kind)(item.tag & TAG_NUMBER);
    out->value = item.content;
    if (((item.tag & CONSTRUCTED) != 0) != is_constructed(out->kind)) {
        return false;
    }
    switch (out->kind) {
    case PLAT_GENERAL_OTHER: return take_other_name(item.content);
    case PLAT_GENERAL_EMAIL:
    case PLAT_GENERAL_DNS:
    case PLAT_GENERAL_URI: return is_ascii(out->value);
    case PLAT_GENERAL_DIRECTORY: /* [4] EXPLICIT, because Name is a CHOICE */
        return plat_der_take(&item.content, PLAT_DER_SEQUENCE, &out->value) &&
               item.content.len == 0 && plat_name_is_sound(out->value);
    case PLAT_GENERAL_IP: return true;
    case PLAT_GENERAL_X400:
    case PLAT_GENERAL_EDI:
    case PLAT_GENERAL_REGISTERED: return item.content.len > 0;
    }
    return false;
}
