#include "websocket/ws_close.h"

#include <stdbool.h>

#define CODE_SIZE 2

typedef struct close_code {
    uint16_t code;
    const char *text;
} close_code;

/* The codes that a server may send (RFC 6455 section 7.4.1, and the registry of IANA). */
static const close_code codes[] = {
    { 1000, "normal closure" },  { 1001, "going away" },
    { 1002, "protocol error" },  { 1003, "unsupported data" },
    { 1007, "invalid data" },    { 1008, "policy violation" },
    { 1009, "message too big" }, { 1010, "an extension is required" },
    { 1011, "internal error" },  { 1012, "service restart" },
    { 1013, "try again later" }, { 1014, "bad gateway" },
};

static const char *find(uint16_t code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code) {
            return codes[i].text;
        }
    }
    return NULL;
}

/* Codes from 3000 to 4999 belong to libraries and applications. */
static bool may_be_sent(uint16_t code)
{
    return find(code) != NULL || (code >= 3000 && code <= 4999);
}

/* Returns the number of bytes that follow the first byte of a UTF-8 sequence, and the range of the
 * second byte (RFC 3629 section 4); -1 if no sequence begins with this byte. */
static int sequence(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80) {
        return 0;
    }
    if (first < 0xc2 || first > 0xf4) {
        return -1;
    }
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

static bool is_utf8(const uint8_t *text, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint8_t low;
        uint8_t high;
        int more = sequence(text[i++], &low, &high);
        if (more < 0 || (size_t)more > len - i) {
            return false;
        }
        for (; more > 0; more--, i++) {
            if (text[i] < low || text[i] > high) {
                return false;
            }
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

const char *plat_ws_close_read(const uint8_t *content, size_t len, uint16_t *code)
{
    *code = PLAT_WS_CLOSE_NONE;
    if (len == 0) {
        return NULL;
    }
    if (len < CODE_SIZE) {
        *code = PLAT_WS_CLOSE_PROTOCOL;
        return "sent a close frame with half a status code";
    }
    const uint16_t received = (uint16_t)(content[0] << 8 | content[1]);
    if (!may_be_sent(received)) {
        *code = PLAT_WS_CLOSE_PROTOCOL;
        return "sent a close frame with a status code that does not exist";
    }
    if (!is_utf8(content + CODE_SIZE, len - CODE_SIZE)) {
        *code = PLAT_WS_CLOSE_NOT_UTF8;
        return "sent a close frame with a reason that is not UTF-8";
    }
    *code = received;
    return NULL;
}

const char *plat_ws_close_text(uint16_t code)
{
    const char *text = find(code);
    if (text != NULL) {
        return text;
    }
    return code == PLAT_WS_CLOSE_NONE ? "without a status code" : "";
}
