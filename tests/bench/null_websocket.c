#include "null_websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

enum { KEY = 24, SHA1 = 20, MASKED_SHORT = 6, MASKED_16 = 8, MASKED_64 = 14 };

static void answer(null_websocket *w)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    const char *key = strstr(w->request, name);
    uint8_t hash[SHA1];
    char text[KEY + 37];
    gnutls_datum_t accept;

    if (key == NULL) {
        fprintf(stderr, "null_broker: an upgrade without a key\n");
        exit(1);
    }
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + sizeof name - 1);
    const gnutls_datum_t data = { hash, sizeof hash };
    if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, strlen(text), hash) < 0 ||
        gnutls_base64_encode2(&data, &accept) < 0) {
        fprintf(stderr, "null_broker: no SHA-1\n");
        exit(1);
    }
    w->frame_len = (size_t)snprintf((char *)w->frame, sizeof w->frame,
                                    "HTTP/1.1 101 Switching Protocols\r\n"
                                    "Upgrade: websocket\r\n"
                                    "Connection: Upgrade\r\n"
                                    "Sec-WebSocket-Accept: %s\r\n"
                                    "Sec-WebSocket-Protocol: mqtt\r\n"
                                    "\r\n",
                                    (char *)accept.data);
    gnutls_free(accept.data);
    w->open = true;
}

size_t null_websocket_upgrade(null_websocket *w, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && w->request_len + 1 < sizeof w->request; i++) {
        w->request[w->request_len++] = (char)bytes[i];
        w->request[w->request_len] = '\0';
        if (w->request_len >= 4 && strcmp(w->request + w->request_len - 4, "\r\n\r\n") == 0) {
            answer(w);
            return i + 1;
        }
    }
    return len;
}

/* Returns the size of a header whose second byte has arrived. */
static size_t header_size(const uint8_t *head)
{
    const unsigned length = head[1] & 0x7fu;

    return length < 126 ? MASKED_SHORT : length == 126 ? MASKED_16 : MASKED_64;
}

static void begin_frame(null_websocket *w)
{
    const size_t size = header_size(w->head);

    w->left = w->head[1] & 0x7fu;
    if (size > MASKED_SHORT) {
        w->left = 0;
        for (size_t i = 2; i < size - 4; i++) {
            w->left = w->left << 8 | w->head[i];
        }
    }
    memcpy(w->mask, w->head + size - 4, sizeof w->mask);
    w->masked = 0;
    w->head_len = 0;
}

static void unmask(null_websocket *w, uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = from[i] ^ w->mask[(w->masked + i) & 3u];
    }
    w->masked = (w->masked + len) & 3u;
    w->left -= len;
}

size_t null_websocket_decode(null_websocket *w, uint8_t *bytes, size_t len)
{
    size_t out = 0;

    for (size_t at = 0; at < len;) {
        if (w->left > 0) {
            const size_t n = w->left < len - at ? (size_t)w->left : len - at;
            unmask(w, bytes + out, bytes + at, n);
            out += n;
            at += n;
            continue;
        }
        w->head[w->head_len++] = bytes[at++];
        if (w->head_len >= 2 && w->head_len == header_size(w->head)) {
            begin_frame(w);
        }
    }
    return out;
}

void null_websocket_encode(null_websocket *w, const uint8_t *data, size_t len)
{
    const size_t room = sizeof w->frame - NULL_WS_HEADER;
    const size_t n = len < room ? len : room;
    size_t head = 2;

    w->frame[0] = 0x82;
    w->frame[1] = (uint8_t)n;
    if (n > 125) {
        w->frame[1] = 126;
        w->frame[head++] = (uint8_t)(n >> 8);
        w->frame[head++] = (uint8_t)n;
    }
    memcpy(w->frame + head, data, n);
    w->frame_at = 0;
    w->frame_len = head + n;
    w->content_len = n;
}
