#include "cert_writer.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DAY_S (24 * 60 * 60)
#define HEX   16

typedef struct buffer {
    byte bytes[1536];
    size_t len;
} buffer;

/* The description of one certificate, parsed from its words. */
typedef struct draft {
    const char *cn;
    const char *org;
    int from_days, to_days;
    bool v1;
    buffer serial;
    buffer extensions; /* complete extensions in DER */
    buffer alt_names, permitted, excluded;
    bool constrained, constraints_not_critical;
} draft;

/* --- DER --- */

static void append(buffer *b, const void *bytes, size_t len)
{
    assert_true(len <= sizeof b->bytes - b->len);
    if (len > 0) {
        memcpy(b->bytes + b->len, bytes, len);
    }
    b->len += len;
}

static void put(buffer *b, byte tag, const void *content, size_t len)
{
    const byte header[] = { tag, 0x82, (byte)(len >> 8), (byte)len };
    const byte shorter[] = { tag, 0x81, (byte)len };
    const byte shortest[] = { tag, (byte)len };
    if (len > 255) {
        append(b, header, sizeof header);
    } else if (len > 127) {
        append(b, shorter, sizeof shorter);
    } else {
        append(b, shortest, sizeof shortest);
    }
    append(b, content, len);
}

static void put_buffer(buffer *b, byte tag, const buffer *content)
{
    put(b, tag, content->bytes, content->len);
}

static void put_extension(draft *d, const void *oid, size_t oid_len, bool critical,
                          const void *value, size_t len)
{
    buffer one = { .len = 0 };
    put(&one, 0x06, oid, oid_len);
    if (critical) {
        put(&one, 0x01, "\xff", 1);
    }
    put(&one, 0x04, value, len);
    put_buffer(&d->extensions, 0x30, &one);
}

static void put_ce(draft *d, byte number, bool critical, const void *value, size_t len)
{
    const byte oid[] = { 0x55, 0x1d, number };
    put_extension(d, oid, sizeof oid, critical, value, len);
}

static void put_attribute(buffer *name, byte type, const char *text)
{
    const byte oid[] = { 0x55, 0x04, type };
    buffer pair = { .len = 0 };
    buffer sequence = { .len = 0 };
    put(&pair, 0x06, oid, sizeof oid);
    put(&pair, 0x0c, text, strlen(text));
    put_buffer(&sequence, 0x30, &pair);
    put_buffer(name, 0x31, &sequence);
}

static void put_name(buffer *out, const char *org, const char *cn)
{
    buffer name = { .len = 0 };
    if (org[0] != '\0') {
        put_attribute(&name, 10, org);
    }
    if (cn[0] != '\0') {
        put_attribute(&name, 3, cn);
    }
    put_buffer(out, 0x30, &name);
}

static void put_date(buffer *out, int days)
{
    time_t t = time(NULL) + (time_t)days * DAY_S;
    struct tm tm;
    char text[16];
    gmtime_r(&t, &tm);
    assert_int_equal(strftime(text, sizeof text, "%y%m%d%H%M%SZ", &tm), 13);
    put(out, 0x17, text, 13);
}

/* --- words --- */

static const char *after(const char *word, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(word, prefix, len) == 0 ? word + len : NULL;
}

static size_t read_hex(const char *text, byte *out, size_t cap)
{
    size_t len = strlen(text) / 2;
    assert_true(len <= cap);
    for (size_t i = 0; i < len; i++) {
        const char two[] = { text[2 * i], text[2 * i + 1], '\0' };
        out[i] = (byte)strtoul(two, NULL, HEX);
    }
    return len;
}

static void put_address(buffer *out, const char *text)
{
    char copy[96];
    byte bytes[32];
    snprintf(copy, sizeof copy, "%s", text);
    char *mask = strchr(copy, '/');
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    size_t len = family == AF_INET6 ? 16 : 4;
    if (mask != NULL) {
        *mask++ = '\0';
        assert_int_equal(inet_pton(family, mask, bytes + len), 1);
    }
    assert_int_equal(inet_pton(family, copy, bytes), 1);
    put(out, 0x87, bytes, mask != NULL ? 2 * len : len);
}

/* Writes a GeneralName. Returns false if the word does not describe one. */
static bool put_general(buffer *out, const char *word)
{
    static const struct {
        const char *prefix;
        byte tag;
    } kinds[] = { { "mail:", 0x81 }, { "dns:", 0x82 }, { "uri:", 0x86 }, { "id:", 0x88 } };
    const char *text;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((text = after(word, kinds[i].prefix)) != NULL) {
            put(out, kinds[i].tag, text, strlen(text));
            return true;
        }
    }
    if ((text = after(word, "ip:")) != NULL) {
        put_address(out, text);
        return true;
    }
    if ((text = after(word, "hexip:")) != NULL) {
        byte bytes[40];
        put(out, 0x87, bytes, read_hex(text, bytes, sizeof bytes));
        return true;
    }
    if ((text = after(word, "dir:")) != NULL) {
        buffer name = { .len = 0 };
        put_name(&name, text, "");
        put_buffer(out, 0xa4, &name);
        return true;
    }
    return false;
}

static void put_subtree(draft *d, buffer *list, const char *word)
{
    buffer one = { .len = 0 };
    assert_true(put_general(&one, word));
    put_buffer(list, 0x30, &one);
    d->constrained = true;
}

static void put_purpose(draft *d, const char *what)
{
    static const byte any[] = { 0x30, 6, 0x06, 4, 0x55, 0x1d, 0x25, 0 };
    byte other[] = { 0x30, 10, 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1 };
    if (strcmp(what, "none") == 0) {
        put_ce(d, 37, false, "\x30", 2);
    } else if (strcmp(what, "any") == 0) {
        put_ce(d, 37, false, any, sizeof any);
    } else {
        other[11] = strcmp(what, "server") == 0 ? 1 : 2;
        put_ce(d, 37, false, other, sizeof other);
    }
}

static void put_usage(draft *d, const char *hex)
{
    byte bits[] = { 0x03, 2, 0, 0 };
    (void)read_hex(hex, bits + 3, 1);
    while (bits[2] < 7 && (bits[3] >> bits[2] & 1) == 0) {
        bits[2]++;
    }
    put_ce(d, 15, true, bits, sizeof bits);
}

static void put_key_id(draft *d, const char *hex)
{
    byte id[] = { 0x04, 1, 0 };
    (void)read_hex(hex, id + 2, 1);
    put_ce(d, 14, false, id, sizeof id);
}

static void put_authority(draft *d, const char *hex, bool critical)
{
    byte id[] = { 0x30, 3, 0x80, 1, 0 };
    (void)read_hex(hex, id + 4, 1);
    put_ce(d, 35, critical, id, sizeof id);
}

static void put_authority_serial(draft *d, const char *hex, const written_cert *issuer)
{
    buffer directory = { .len = 0 };
    buffer names = { .len = 0 };
    buffer all = { .len = 0 };
    buffer value = { .len = 0 };
    byte serial[24];
    size_t len = read_hex(hex, serial, sizeof serial);
    append(&directory, issuer->name, issuer->name_len);
    put_buffer(&names, 0xa4, &directory);
    put_buffer(&all, 0xa1, &names);
    put(&all, 0x82, serial, len);
    put_buffer(&value, 0x30, &all);
    put_ce(d, 35, false, value.bytes, value.len);
}

/* Handles words that each stand for one complete extension. */
static bool put_fixed(draft *d, const char *word)
{
    static const struct {
        const char *word;
        byte number; /* last number of an OID 2.5.29.x; 0: the OID is 1.2.3.4 */
        bool critical;
        const char *value;
        size_t len;
    } fixed[] = {
        { "ca", 19, true, "\x30\x03\x01\x01\xff", 5 },
        { "ca~", 19, false, "\x30\x03\x01\x01\xff", 5 },
        { "end", 19, true, "\x30", 2 },
        { "end0", 19, true, "\x30\x03\x01\x01\x00", 5 },
        { "unknown", 0, false, "\x05", 2 },
        { "unknown!", 0, true, "\x05", 2 },
        { "twice", 0, false, "\x05", 2 },
        { "policy", 36, false, "\x30\x03\x80\x01\x00", 5 },
        { "policy!", 36, true, "\x30\x03\x80\x01\x00", 5 },
        { "policies!", 32, true, "\x30\x06\x30\x04\x06\x02\x2a\x03", 8 },
        { "mappings!", 33, true, "\x30\x0a\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04", 12 },
        { "anypolicy!", 54, true, "\x02\x01\x00", 3 },
        { "crl!", 31, true, "\x30", 2 },
        { "ski!", 14, true, "\x04\x01\x01", 3 },
        { "badca", 19, true, "\x30\x03\x01\x01\x01", 5 },
        { "badusage", 15, true, "\x03\x02\x00\x80\x00", 5 },
        { "badnames", 17, false, "localhost", 9 },
        { "nonames", 17, false, "\x30", 2 },
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(word, fixed[i].word) != 0) {
            continue;
        }
        if (fixed[i].number != 0) {
            put_ce(d, fixed[i].number, fixed[i].critical, fixed[i].value, fixed[i].len);
        } else {
            put_extension(d, "\x2a\x03\x04", 3, fixed[i].critical, fixed[i].value, fixed[i].len);
        }
        return true;
    }
    return false;
}

static bool put_ca_with_length(draft *d, const char *word)
{
    const char *digits = after(word, "ca=");
    byte value[] = { 0x30, 6, 0x01, 1, 0xff, 0x02, 1, 0 };
    if (digits == NULL) {
        return false;
    }
    value[7] = (byte)strtoul(digits, NULL, 10);
    put_ce(d, 19, true, value, sizeof value);
    return true;
}

static bool read_field(draft *d, const char *word, const written_cert *issuer)
{
    const char *v;
    if ((v = after(word, "cn=")) != NULL) {
        d->cn = v;
    } else if ((v = after(word, "o=")) != NULL) {
        d->org = v;
    } else if ((v = after(word, "serial=")) != NULL) {
        d->serial.len = read_hex(v, d->serial.bytes, sizeof d->serial.bytes);
    } else if ((v = after(word, "usage=")) != NULL) {
        put_usage(d, v);
    } else if ((v = after(word, "for=")) != NULL) {
        put_purpose(d, v);
    } else if ((v = after(word, "ski=")) != NULL) {
        put_key_id(d, v);
    } else if ((v = after(word, "aki=")) != NULL) {
        put_authority(d, v, false);
    } else if ((v = after(word, "aki!=")) != NULL) {
        put_authority(d, v, true);
    } else if ((v = after(word, "akiserial=")) != NULL) {
        put_authority_serial(d, v, issuer);
    } else {
        return false;
    }
    return true;
}

static void read_word(draft *d, const char *word, const written_cert *issuer)
{
    if (word[0] == '+' || word[0] == '-') {
        put_subtree(d, word[0] == '+' ? &d->permitted : &d->excluded, word + 1);
    } else if (strcmp(word, "nc~") == 0) {
        d->constraints_not_critical = true;
    } else if (strcmp(word, "nc0") == 0) {
        d->constrained = true;
    } else if (strcmp(word, "ncmin") == 0) {
        append(&d->permitted,
               "\x30\x08\x82\x03"
               "com\x80\x01\x00",
               10);
        d->constrained = true;
    } else if (strcmp(word, "v1") == 0) {
        d->v1 = true;
    } else if (strcmp(word, "late") == 0) {
        d->from_days = -30;
        d->to_days = -1;
    } else if (strcmp(word, "early") == 0) {
        d->from_days = 2;
    } else if (!put_general(&d->alt_names, word) && !put_fixed(d, word) &&
               !put_ca_with_length(d, word) && !read_field(d, word, issuer)) {
        fail_msg("no such word: %s", word);
    }
}

static void read_words(draft *d, char *words, const written_cert *issuer)
{
    char *rest = NULL;
    for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        read_word(d, w, issuer);
    }
}

/* --- the whole --- */

static void put_constraints(draft *d)
{
    buffer both = { .len = 0 };
    buffer value = { .len = 0 };
    if (d->permitted.len > 0) {
        put_buffer(&both, 0xa0, &d->permitted);
    }
    if (d->excluded.len > 0) {
        put_buffer(&both, 0xa1, &d->excluded);
    }
    put_buffer(&value, 0x30, &both);
    put_ce(d, 30, !d->constraints_not_critical, value.bytes, value.len);
}

static void put_extensions(buffer *body, draft *d)
{
    buffer list = { .len = 0 };
    buffer value = { .len = 0 };
    if (d->alt_names.len > 0) {
        put_buffer(&value, 0x30, &d->alt_names);
        put_ce(d, 17, d->cn[0] == '\0', value.bytes, value.len);
    }
    if (d->constrained) {
        put_constraints(d);
    }
    if (!d->v1 && d->extensions.len > 0) {
        put_buffer(&list, 0x30, &d->extensions);
        put_buffer(body, 0xa3, &list);
    }
}

static void put_body(buffer *body, draft *d, written_cert *out, const written_cert *issuer)
{
    static const byte ecdsa_sha256[] = { 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };
    buffer name = { .len = 0 };
    buffer dates = { .len = 0 };
    byte key[600];
    if (!d->v1) {
        append(body, "\xa0\x03\x02\x01\x02", 5);
    }
    put_buffer(body, 0x02, &d->serial);
    put(body, 0x30, ecdsa_sha256, sizeof ecdsa_sha256);
    put_name(&name, d->org, d->cn);
    assert_true(name.len <= sizeof out->name);
    memcpy(out->name, name.bytes, name.len);
    out->name_len = name.len;
    append(body, issuer->name, issuer->name_len);
    put_date(&dates, d->from_days);
    put_date(&dates, d->to_days);
    put_buffer(body, 0x30, &dates);
    append(body, name.bytes, name.len);
    append(body, key, pki_public_der(out->key, key, sizeof key));
    put_extensions(body, d);
}

void write_cert(written_cert *out, const char *cn, pki_key key, const written_cert *issuer,
                const char *words)
{
    static byte serial;
    char copy[512];
    buffer body = { .len = 0 };
    buffer whole = { .len = 0 };
    draft d = { .cn = cn, .org = "", .from_days = -1, .to_days = 30 };
    d.serial = (buffer){ .bytes = { 1, ++serial }, .len = 2 };
    assert_true(snprintf(copy, sizeof copy, "%s", words) < (int)sizeof copy);
    out->key = key;
    issuer = issuer != NULL ? issuer : out;
    read_words(&d, copy, issuer);
    put_body(&body, &d, out, issuer);
    put_buffer(&whole, 0x30, &body);
    memcpy(out->cert.der, whole.bytes, whole.len);
    pki_sign(&out->cert, whole.len, issuer->key);
}
