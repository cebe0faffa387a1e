#include "hub/issued_chain.h"

#include <stdbool.h>
#include <string.h>

#include "iothub/json.h"
#include "text/base64.h"
#include "text/text_writer.h"

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"

enum {
    QUANTUM = 4,      /* characters of base64 that stand for up to three bytes */
    SEQUENCE = 0x30,  /* tag of a certificate in DER */
    LONG_FORM = 0x80, /* bit of a length that is followed by the length itself */
    LENGTH_BYTES_MAX = 2
};

/* A chain that is being written. The text of an entry stands behind it in the same memory and is
 * decoded towards the front: base64 is never shorter than its bytes. */
typedef struct chain_writer {
    const plat_crypto *crypto;
    uint8_t *bytes;
    size_t cap;
    size_t len;
    unsigned count;
    iothub_error *err;
} chain_writer;

static iothub_result broken(const chain_writer *w, const char *text)
{
    return iothub_fail(w->err, IOTHUB_ERR_PROTOCOL, "issued certificate chain: %s", text);
}

static iothub_result too_big(const chain_writer *w)
{
    return iothub_fail(w->err, IOTHUB_ERR_TOO_BIG,
                       "issued certificate chain: it is too large; at most %d certificates with "
                       "16 KB are accepted",
                       ISSUED_CHAIN_CERTIFICATES_MAX);
}

/* Returns whether the bytes are exactly one SEQUENCE of DER. If they were not, the beginning of
 * the next certificate could not be found. */
static bool is_sequence(const uint8_t *bytes, size_t len)
{
    size_t content = 0;
    size_t head = 2;

    if (len < head || bytes[0] != SEQUENCE) {
        return false;
    }
    if ((bytes[1] & LONG_FORM) == 0) {
        return len - head == bytes[1];
    }
    const size_t count = bytes[1] & ~(size_t)LONG_FORM;
    if (count == 0 || count > LENGTH_BYTES_MAX || count > len - head) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        content = content << 8 | bytes[head + i];
    }
    head += count;
    return len - head == content;
}

/* Removes the white space of a text and returns its new length. */
static size_t pack(char *text, size_t len)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ' && text[i] != '\t') {
            text[kept++] = text[i];
        }
    }
    return kept;
}

/* Decodes valid base64 in place, a few characters at a time: the bytes are written to the front
 * of the same memory. */
static iothub_result decode(chain_writer *w, const char *text, size_t len, size_t *out_len)
{
    uint8_t *out = w->bytes + w->len;

    *out_len = 0;
    for (size_t at = 0; at < len; at += QUANTUM) {
        char quantum[QUANTUM];
        size_t n = 0;
        memcpy(quantum, text + at, QUANTUM);
        if (w->crypto->base64_decode(w->crypto, quantum, QUANTUM, out + *out_len, QUANTUM - 1,
                                     &n) != PLAT_OK) {
            return broken(w, "a certificate is not base64");
        }
        *out_len += n;
    }
    return IOTHUB_OK;
}

static iothub_result take_base64(chain_writer *w, char *text, size_t len)
{
    size_t decoded = 0;
    size_t promised = 0;

    if (w->count == ISSUED_CHAIN_CERTIFICATES_MAX) {
        return too_big(w);
    }
    len = pack(text, len);
    if (len == 0 || !iothub_base64_valid(mqc_span_of(text, len), &promised)) {
        return broken(w, "a certificate is neither PEM nor base64");
    }
    iothub_result r = decode(w, text, len, &decoded);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (!is_sequence(w->bytes + w->len, decoded)) {
        return broken(w, "a certificate is not DER");
    }
    w->len += decoded;
    w->count++;
    return IOTHUB_OK;
}

/* Takes every certificate of a PEM text and skips all other text. */
static iothub_result take_pem(chain_writer *w, char *text)
{
    char *begin = strstr(text, PEM_BEGIN);

    while (begin != NULL) {
        char *base64 = begin + strlen(PEM_BEGIN);
        char *end = strstr(base64, PEM_END);
        if (end == NULL) {
            return broken(w, "a PEM text ends in the middle of a certificate");
        }
        /* Found now, because decoding overwrites the text in front of it. */
        begin = strstr(end, PEM_BEGIN);
        iothub_result r = take_base64(w, base64, (size_t)(end - base64));
        if (r != IOTHUB_OK) {
            return r;
        }
    }
    return IOTHUB_OK;
}

static iothub_result take_entry(chain_writer *w, mqc_span string)
{
    char *text = (char *)w->bytes + w->len;
    size_t len = 0;

    iothub_result r = iothub_json_get_string(string, text, w->cap - w->len, &len);
    if (r == IOTHUB_ERR_NO_SPACE) {
        return too_big(w);
    }
    if (r != IOTHUB_OK || strlen(text) != len) {
        return broken(w, "an entry is not a text");
    }
    return strstr(text, PEM_BEGIN) != NULL ? take_pem(w, text) : take_base64(w, text, len);
}

static iothub_result take_all(chain_writer *w, mqc_span array)
{
    iothub_json_reader r;

    iothub_json_reader_init(&r, array);
    if (!iothub_json_next(&r) || r.kind != IOTHUB_JSON_ARRAY) {
        return broken(w, "it is not an array");
    }
    while (iothub_json_next(&r) && r.kind != IOTHUB_JSON_END) {
        iothub_result taken = take_entry(w, r.value);
        if (taken != IOTHUB_OK) {
            return taken;
        }
    }
    while (iothub_json_next(&r)) { /* what follows the array is a fault */
    }
    if (r.result != IOTHUB_OK) {
        return broken(w, "it is not JSON");
    }
    return w->count > 0 ? IOTHUB_OK : broken(w, "it is empty");
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the chain is written there */
iothub_result issued_chain_read(mqc_span array, const plat_crypto *crypto, uint8_t *out, size_t cap,
                                size_t *len, iothub_error *err)
{
    chain_writer w = { .crypto = crypto, .bytes = out, .cap = cap, .err = err };

    *len = 0;
    iothub_result r = take_all(&w, array);
    if (r == IOTHUB_OK) {
        *len = w.len;
    }
    return r;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the chain is written there */
void issued_chain_init(issued_chain *c, uint8_t *bytes, size_t cap)
{
    *c = (issued_chain){ .bytes = bytes, .cap = cap };
}

iothub_result issued_chain_take(issued_chain *c, mqc_span array, const plat_crypto *crypto,
                                iothub_error *err)
{
    c->len = 0;
    if (c->cap == 0 || array.len == 0) {
        return IOTHUB_OK;
    }
    return issued_chain_read(array, crypto, c->bytes, c->cap, &c->len, err);
}
