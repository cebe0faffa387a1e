#include "amqp/websocket.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>

#include "base/crypto.h"

#define GUID        "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_SIZE   20
#define PAYLOAD_MAX 65536

/* Constants of RFC 6455, section 5.2. */
#define FIN       0x80
#define MASKED    0x80
#define LENGTH_16 126
#define LENGTH_64 127
#define TEXT      1
#define BINARY    2
#define CLOSE     8

char *websocket_accept(const char *key)
{
    uint8_t hash[SHA1_SIZE] = { 0 };
    char *whole = hub_format("%s" GUID, key);

    (void)gnutls_hash_fast(GNUTLS_DIG_SHA1, whole, strlen(whole), hash);
    free(whole);
    return hub_base64_encode(hash, sizeof hash);
}

bool websocket_names(const char *list, const char *name)
{
    const size_t len = strlen(name);

    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        size_t n = strcspn(list, " \t,");
        if (n == len && strncasecmp(list, name, len) == 0) {
            return true;
        }
        list += n;
    }
    return false;
}

/* Adds an answer as a single frame. All answers are short enough for a length of 16 bits. */
static void add_frame(hub_text *out, uint8_t kind, const char *payload, size_t len)
{
    const uint8_t head[] = { FIN | kind, len < LENGTH_16 ? (uint8_t)len : LENGTH_16,
                             (uint8_t)(len >> 8), (uint8_t)len };

    hub_text_add(out, head, len < LENGTH_16 ? 2 : 4);
    hub_text_add(out, payload, len);
}

/* Returns the length of the header, which its first two bytes determine. */
static size_t head_length(const websocket *w)
{
    if (w->have < 2) {
        return 2;
    }
    switch (w->head[1] & ~MASKED) {
    case LENGTH_16: return 2 + 2 + 4;
    case LENGTH_64: return 2 + 8 + 4;
    default: return 2 + 4;
    }
}

static size_t payload_length(const websocket *w)
{
    size_t len = w->head[1] & ~(size_t)MASKED;
    size_t bytes = len == LENGTH_16 ? 2 : len == LENGTH_64 ? 8 : 0;

    for (size_t i = 0; i < bytes; i++) {
        len = (i == 0 ? 0 : len << 8) | w->head[2 + i];
        if (len > PAYLOAD_MAX) {
            return PAYLOAD_MAX + 1;
        }
    }
    return len;
}

static void begin_frame(websocket *w, hub_text *out)
{
    w->len = payload_length(w);
    w->at = 0;
    if ((w->head[0] & 0x0F) == CLOSE) {
        add_frame(out, CLOSE, "\x03\xE8", 2); /* code 1000: a normal end */
    }
    if ((w->head[1] & MASKED) == 0 || w->len > PAYLOAD_MAX || (w->head[0] & 0x0F) == CLOSE) {
        w->state = WEBSOCKET_OVER;
        return;
    }
    w->have = w->len > 0 ? w->have : 0;
    w->state = w->len > 0 ? WEBSOCKET_PAYLOAD : WEBSOCKET_HEAD;
}

/* Handles one byte of a payload. Pings and pongs are ignored. */
static void take_payload(websocket *w, uint8_t byte, hub_text *out)
{
    const uint8_t *mask = w->head + w->have - 4;
    const uint8_t kind = w->head[0] & 0x0F;
    const uint8_t plain = byte ^ mask[w->at % 4];

    if (kind <= BINARY) {
        amqp_refusal_take(&w->refusal, &plain, 1, out);
    }
    if (++w->at == w->len) {
        w->have = 0;
        w->state = WEBSOCKET_HEAD;
    }
}

void websocket_take(websocket *w, const void *bytes, size_t len, hub_text *out)
{
    const uint8_t *p = bytes;
    hub_text amqp = { 0 };

    for (size_t i = 0; i < len && w->state != WEBSOCKET_OVER; i++) {
        if (w->state == WEBSOCKET_PAYLOAD) {
            take_payload(w, p[i], &amqp);
            continue;
        }
        w->head[w->have++] = p[i];
        if (w->have >= 2 && w->have == head_length(w)) {
            begin_frame(w, out);
        }
    }
    if (amqp.len > 0) {
        add_frame(out, BINARY, amqp.p, amqp.len);
    }
    hub_text_free(&amqp);
    if (w->refusal.state == AMQP_REFUSAL_WRONG && w->state != WEBSOCKET_OVER) {
        add_frame(out, CLOSE, "\x03\xEA", 2); /* code 1002: a protocol error */
        w->state = WEBSOCKET_OVER;
    }
}
