#include "ws_fixture.h"

#include <stdio.h>

void ws_append(ws_bytes *b, const void *bytes, size_t len)
{
    b->ptr = realloc(b->ptr, b->len + len + 1);
    assert_non_null(b->ptr);
    if (len > 0) {
        memcpy(b->ptr + b->len, bytes, len);
    }
    b->len += len;
}

void ws_put_frame(ws_bytes *b, unsigned first, const void *content, size_t len)
{
    uint8_t header[10] = { (uint8_t)first };
    size_t n = 2;
    if (len < 126) {
        header[1] = (uint8_t)len;
    } else if (len <= UINT16_MAX) {
        header[1] = 126;
        header[n++] = (uint8_t)(len >> 8);
        header[n++] = (uint8_t)len;
    } else {
        header[1] = 127;
        for (int shift = 56; shift >= 0; shift -= 8) {
            header[n++] = (uint8_t)((uint64_t)len >> shift);
        }
    }
    ws_append(b, header, n);
    ws_append(b, content, len);
}

void ws_put_close(ws_bytes *b, unsigned code, const char *reason)
{
    uint8_t content[125] = { (uint8_t)(code >> 8), (uint8_t)code };
    memcpy(content + 2, reason, strlen(reason));
    ws_put_frame(b, 0x80 | OP_CLOSE, content, 2 + strlen(reason));
}

static size_t read_length(const uint8_t *bytes, size_t len, size_t *content)
{
    const size_t bits = bytes[1] & 0x7f;
    *content = bits;
    if (bits < 126) {
        return 2;
    }
    const size_t width = bits == 126 ? 2 : 8;
    *content = 0;
    for (size_t i = 0; len >= 2 + width && i < width; i++) {
        *content = *content << 8 | bytes[2 + i];
    }
    assert_true(len < 2 + width || *content >= (width == 2 ? 126u : UINT16_MAX + 1u));
    return 2 + width;
}

size_t ws_read_frame(const uint8_t *bytes, size_t len, ws_frame *out)
{
    *out = (ws_frame){ 0 };
    if (len < 2) {
        return 0;
    }
    assert_int_equal(bytes[0] & 0xf0, 0x80); /* final, and no reserved bits */
    assert_int_equal(bytes[1] & 0x80, 0x80); /* masked */
    size_t content;
    const size_t mask = read_length(bytes, len, &content);
    if (len < mask + 4 + content) {
        return 0;
    }
    out->opcode = bytes[0] & 0x0f;
    out->len = content;
    out->content = malloc(content + 1);
    assert_non_null(out->content);
    memcpy(out->mask, bytes + mask, 4);
    for (size_t i = 0; i < content; i++) {
        out->content[i] = bytes[mask + 4 + i] ^ out->mask[i % 4];
    }
    return mask + 4 + content;
}

void ws_accept_of(const char *request, char accept[29])
{
    static const char name[] = "\r\nSec-WebSocket-Key: ";
    const plat_crypto *c = plat_posix()->crypto;
    const char *key = strstr(request, name);
    uint8_t hash[PLAT_SHA1_SIZE];
    char text[128];
    size_t len;
    assert_non_null(key);
    const int n = snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                           key + sizeof name - 1);
    assert_int_equal(c->sha1(c, text, (size_t)n, hash), PLAT_OK);
    assert_int_equal(c->base64_encode(c, hash, sizeof hash, accept, 28, &len), PLAT_OK);
    accept[28] = '\0';
}

char *ws_good_answer(const char *request)
{
    char accept[29];
    char *answer = malloc(512);
    assert_non_null(answer);
    ws_accept_of(request, accept);
    (void)snprintf(answer, 512,
                   "HTTP/1.1 101 Switching Protocols\r\n"
                   "Upgrade: websocket\r\n"
                   "Connection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\n"
                   "Sec-WebSocket-Protocol: mqtt\r\n"
                   "\r\n",
                   accept);
    return answer;
}

char *ws_replaced(const char *text, const char *what, const char *with)
{
    const char *at = strstr(text, what);
    const size_t size = strlen(text) + strlen(with) + 1;
    char *out = malloc(size);
    assert_non_null(at);
    assert_non_null(out);
    (void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
    return out;
}

void ws_feed_text(scripted_stream *s, const char *text)
{
    scripted_feed(s, text, strlen(text));
}

char *ws_take_sent(scripted_stream *s)
{
    size_t len;
    const uint8_t *sent = scripted_sent(s, &len);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    if (len > 0) {
        memcpy(copy, sent, len);
    }
    copy[len] = '\0';
    scripted_drain(s, len);
    return copy;
}
