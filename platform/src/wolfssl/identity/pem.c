#include "wolfssl/identity/pem.h"

#include <limits.h>
#include <string.h>

#include "wolfssl/crypto/secret.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/memory.h>

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define DASH  "-----"

static plat_pem_text after(plat_pem_text text, size_t n)
{
    return (plat_pem_text){ text.at + n, text.len - n };
}

/* Returns where a string begins in a text; SIZE_MAX if it does not occur. */
static size_t find(plat_pem_text text, const char *string)
{
    const size_t n = strlen(string);
    for (size_t at = 0; at + n <= text.len; at++) {
        const char *first = memchr(text.at + at, string[0], text.len - at - n + 1);
        if (first == NULL) {
            break;
        }
        at = (size_t)(first - text.at);
        if (memcmp(first, string, n) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

bool plat_pem_is(plat_pem_text text, const char *string)
{
    return text.len == strlen(string) && memcmp(text.at, string, text.len) == 0;
}

bool plat_pem_ends_with(plat_pem_text text, const char *string)
{
    const size_t n = strlen(string);
    return text.len >= n && memcmp(text.at + text.len - n, string, n) == 0;
}

bool plat_pem_has_block(const void *text, size_t len)
{
    return find((plat_pem_text){ text, len }, BEGIN) != SIZE_MAX;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static plat_pem_text trim(plat_pem_text text)
{
    while (text.len > 0 && is_space(text.at[0])) {
        text = after(text, 1);
    }
    while (text.len > 0 && is_space(text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Reads the rest of a line, which must end like a BEGIN line. */
static bool take_label(plat_pem_text *in, plat_pem_text *label)
{
    size_t n = find(*in, DASH);
    if (n == SIZE_MAX || memchr(in->at, '\n', n) != NULL) {
        return false;
    }
    *label = (plat_pem_text){ in->at, n };
    *in = after(*in, n + strlen(DASH));
    return true;
}

/* Reads everything up to the END line of a label, and that line. */
static bool take_content(plat_pem_text *in, plat_pem_text label, plat_pem_text *content)
{
    plat_pem_text rest = *in;
    size_t before = find(rest, END);
    if (before == SIZE_MAX) {
        return false;
    }
    *content = (plat_pem_text){ in->at, before };
    rest = after(rest, before + strlen(END));
    if (rest.len < label.len + strlen(DASH) || memcmp(rest.at, label.at, label.len) != 0 ||
        memcmp(rest.at + label.len, DASH, strlen(DASH)) != 0) {
        return false;
    }
    *in = after(rest, label.len + strlen(DASH));
    return true;
}

/* Separates the headers from the base64. Headers contain colons, which base64 does not, and end
 * with an empty line. */
static void split(plat_pem_text content, plat_pem_block *out)
{
    out->headers = (plat_pem_text){ content.at, 0 };
    out->base64 = content;
    while (out->base64.len > 0) {
        const char *end = memchr(out->base64.at, '\n', out->base64.len);
        size_t line = end != NULL ? (size_t)(end - out->base64.at) + 1 : out->base64.len;
        bool empty = trim((plat_pem_text){ out->base64.at, line }).len == 0;
        bool header = memchr(out->base64.at, ':', line) != NULL;
        if (!empty && !header) {
            break;
        }
        out->base64 = after(out->base64, line);
        out->headers.len += line;
    }
    out->headers = trim(out->headers);
}

plat_pem_found plat_pem_next(plat_pem_text *in, plat_pem_block *out)
{
    plat_pem_text content;
    size_t before = find(*in, BEGIN);
    *out = (plat_pem_block){ 0 };
    if (before == SIZE_MAX) {
        return PLAT_PEM_NONE;
    }
    *in = after(*in, before + strlen(BEGIN));
    if (!take_label(in, &out->label) || !take_content(in, out->label, &content)) {
        return PLAT_PEM_CUT;
    }
    split(content, out);
    return PLAT_PEM_BLOCK;
}

bool plat_pem_header(const plat_pem_block *block, const char *name, plat_pem_text *value)
{
    const size_t n = strlen(name);
    for (plat_pem_text in = block->headers; in.len > 0;) {
        const char *end = memchr(in.at, '\n', in.len);
        plat_pem_text line = { in.at, end != NULL ? (size_t)(end - in.at) : in.len };
        if (line.len > n && memcmp(line.at, name, n) == 0 && line.at[n] == ':') {
            *value = trim(after(line, n + 1));
            return true;
        }
        in = after(in, end != NULL ? line.len + 1 : line.len);
    }
    return false;
}

plat_result plat_pem_decode(const plat_pem_block *block, uint8_t **out, size_t *len)
{
    const plat_pem_text text = trim(block->base64);
    const size_t cap = text.len / 4 * 3 + 3;
    *out = NULL;
    if (text.len == 0 || text.len > INT_MAX) {
        return PLAT_ERR_ENCODING;
    }
    uint8_t *bytes = wolfSSL_Malloc(cap);
    word32 got = (word32)cap;
    if (bytes == NULL) {
        return PLAT_ERR_MEMORY;
    }
    if (Base64_Decode((const byte *)text.at, (word32)text.len, bytes, &got) != 0 || got == 0) {
        plat_secret_free(bytes, cap);
        return PLAT_ERR_ENCODING;
    }
    *out = bytes;
    *len = got;
    return PLAT_OK;
}
