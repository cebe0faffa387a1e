#include "front/upgrade_request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>

#include "base/crypto.h"

#define START     "GET " HUB_UPGRADE_PATH
#define START_LEN (sizeof START - 1)
#define VERSION   " HTTP/1.1"
#define END       "\r\n\r\n"
#define END_LEN   (sizeof END - 1)
#define GUID      "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_SIZE 20
#define KEY_SIZE  16
#define MQTT      "mqtt"
#define AMQP      "AMQPWSB10"

/* A piece of the head, which is not NUL-terminated. */
typedef struct piece {
    const char *p; /* NULL: missing */
    size_t len;
} piece;

/* The headers that decide about the upgrade. The flags show what the headers contained. */
typedef struct headers {
    piece host;
    piece key;
    piece version;
    bool upgrade;    /* Upgrade: websocket */
    bool connection; /* Connection: upgrade */
    piece mqtt;      /* as it is written in Sec-WebSocket-Protocol */
    piece amqp;
    bool body;
    bool twice; /* a header that may occur only once is repeated */
} headers;

/* --- pieces ------------------------------------------------------------ */

static bool is(piece p, const char *text)
{
    return p.len == strlen(text) && strncasecmp(p.p, text, p.len) == 0;
}

static piece trimmed(piece p)
{
    while (p.len > 0 && (*p.p == ' ' || *p.p == '\t')) {
        p.p++;
        p.len--;
    }
    while (p.len > 0 && (p.p[p.len - 1] == ' ' || p.p[p.len - 1] == '\t')) {
        p.len--;
    }
    return p;
}

/* Takes the text up to the next occurrence of the mark, and the mark. */
static piece take_until(piece *rest, char mark)
{
    const char *end = rest->len > 0 ? memchr(rest->p, mark, rest->len) : NULL;
    const size_t len = end != NULL ? (size_t)(end - rest->p) : rest->len;
    const piece taken = { rest->p, len };
    const size_t skip = end != NULL ? len + 1 : len;

    rest->p += skip;
    rest->len -= skip;
    return taken;
}

/* Finds a name in a list whose members are separated by commas, without regard to case. */
static piece find_name(piece list, const char *name)
{
    while (list.len > 0) {
        const piece one = trimmed(take_until(&list, ','));
        if (is(one, name)) {
            return one;
        }
    }
    return (piece){ .p = NULL };
}

static bool names(piece list, const char *name)
{
    return find_name(list, name).p != NULL;
}

/* --- headers ----------------------------------------------------------- */

static bool is_name(piece p)
{
    static const char marks[] = "!#$%&'*+-.^_`|~"; /* RFC 9110, section 5.6.2 */
    bool good = p.len > 0;

    for (size_t i = 0; good && i < p.len; i++) {
        const char c = p.p[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c != '\0' && strchr(marks, c) != NULL);
    }
    return good;
}

static bool is_value(piece p)
{
    bool good = true;

    for (size_t i = 0; good && i < p.len; i++) {
        good = p.p[i] == '\t' || ((unsigned char)p.p[i] >= ' ' && p.p[i] != 0x7F);
    }
    return good;
}

static void take_single(headers *h, piece *at, piece value)
{
    h->twice = h->twice || at->p != NULL;
    *at = value;
}

static void take_header(headers *h, piece name, piece value)
{
    if (is(name, "Host")) {
        take_single(h, &h->host, value);
    } else if (is(name, "Sec-WebSocket-Key")) {
        take_single(h, &h->key, value);
    } else if (is(name, "Sec-WebSocket-Version")) {
        take_single(h, &h->version, value);
    } else if (is(name, "Upgrade")) {
        h->upgrade = h->upgrade || names(value, "websocket");
    } else if (is(name, "Connection")) {
        h->connection = h->connection || names(value, "upgrade");
    } else if (is(name, "Sec-WebSocket-Protocol")) {
        h->mqtt = h->mqtt.p != NULL ? h->mqtt : find_name(value, MQTT);
        h->amqp = h->amqp.p != NULL ? h->amqp : find_name(value, AMQP);
    } else if (is(name, "Transfer-Encoding") || (is(name, "Content-Length") && !is(value, "0"))) {
        h->body = true;
    }
}

/* Reads the lines of the head after the first one. Returns false if one is not a header. */
static bool read_headers(headers *h, piece rest)
{
    while (rest.len > 0) {
        piece line = take_until(&rest, '\n');
        if (line.len == 0 || line.p[line.len - 1] != '\r') {
            return false;
        }
        line.len--;
        const bool has_colon = memchr(line.p, ':', line.len) != NULL;
        const piece name = take_until(&line, ':');
        if (!has_colon || !is_name(name) || !is_value(line)) {
            return false;
        }
        take_header(h, name, trimmed(line));
    }
    return true;
}

/* --- the request ------------------------------------------------------- */

static hub_upgrade_kind wrong(hub_upgrade_request *out, unsigned status, const char *why)
{
    out->status = status;
    out->why = why;
    return HUB_UPGRADE_WRONG;
}

static bool is_key(piece key)
{
    char text[HUB_UPGRADE_KEY_LEN + 1] = "";
    size_t len = 0;

    if (key.len != HUB_UPGRADE_KEY_LEN) {
        return false;
    }
    memcpy(text, key.p, key.len);
    uint8_t *bytes = hub_base64_decode(text, &len);
    free(bytes);
    return bytes != NULL && len == KEY_SIZE;
}

/* RFC 6455, section 4.2.1. */
static hub_upgrade_kind judge(hub_upgrade_request *out, const headers *h)
{
    if (h->twice || h->host.p == NULL) {
        return wrong(out, 400, "one Host header, key and version are needed");
    }
    if (!h->connection) {
        return wrong(out, 400, "the header Connection does not name upgrade");
    }
    if (h->body) {
        return wrong(out, 400, "an upgrade has no body");
    }
    if (h->version.p == NULL || !is(h->version, "13")) {
        return wrong(out, 426, "the version of WebSocket is 13");
    }
    if (h->key.p == NULL || !is_key(h->key)) {
        return wrong(out, 400, "Sec-WebSocket-Key is not 16 bytes in base64");
    }
    const piece protocol = h->mqtt.p != NULL ? h->mqtt : h->amqp;
    if (protocol.p == NULL) {
        return wrong(out, 400, "the only subprotocol is mqtt");
    }
    memcpy(out->key, h->key.p, HUB_UPGRADE_KEY_LEN);
    memcpy(out->protocol, protocol.p, protocol.len);
    return h->mqtt.p != NULL ? HUB_UPGRADE_MQTT : HUB_UPGRADE_AMQP;
}

/* Reads a complete head without its empty line. */
static hub_upgrade_kind read_head(hub_upgrade_request *out, piece head)
{
    const size_t version_len = strlen(VERSION "\r");
    headers h = { 0 };

    const piece first = take_until(&head, '\n');
    if (first.len < version_len ||
        memcmp(first.p + first.len - version_len, VERSION "\r", version_len) != 0 ||
        !is_value((piece){ first.p, first.len - 1 }) || !read_headers(&h, head)) {
        return wrong(out, 400, "the request is not one of HTTP/1.1");
    }
    return h.upgrade ? judge(out, &h) : HUB_UPGRADE_OTHER;
}

hub_upgrade_kind hub_upgrade_read(hub_upgrade_request *out, const char *bytes, size_t len)
{
    const size_t known = len < START_LEN ? len : START_LEN;

    *out = (hub_upgrade_request){ 0 };
    if (memcmp(bytes, START, known) != 0) {
        return HUB_UPGRADE_OTHER;
    }
    if (len <= START_LEN) {
        return HUB_UPGRADE_PART;
    }
    if (bytes[START_LEN] != ' ' && bytes[START_LEN] != '?') {
        return HUB_UPGRADE_OTHER;
    }
    const size_t most = len < HUB_UPGRADE_HEAD_MAX ? len : HUB_UPGRADE_HEAD_MAX;
    const char *end = memmem(bytes, most, END, END_LEN);
    if (end == NULL) {
        return len < HUB_UPGRADE_HEAD_MAX ? HUB_UPGRADE_PART
                                          : wrong(out, 431, "the head of the request is too large");
    }
    out->head_len = (size_t)(end - bytes) + END_LEN;
    return read_head(out, (piece){ bytes, out->head_len - 2 });
}

/* --- answers ----------------------------------------------------------- */

/* Returns the value of Sec-WebSocket-Accept, on the heap. */
static char *accept_of(const char *key)
{
    uint8_t hash[SHA1_SIZE] = { 0 };
    char *whole = hub_format("%s" GUID, key);

    (void)gnutls_hash_fast(GNUTLS_DIG_SHA1, whole, strlen(whole), hash);
    free(whole);
    return hub_base64_encode(hash, sizeof hash);
}

void hub_upgrade_accept(const hub_upgrade_request *r, hub_text *out)
{
    char *accept = accept_of(r->key);

    hub_text_printf(out,
                    "HTTP/1.1 101 Switching Protocols\r\n"
                    "Upgrade: websocket\r\n"
                    "Connection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: %s\r\n"
                    "Sec-WebSocket-Protocol: %s\r\n\r\n",
                    accept, r->protocol);
    free(accept);
}

static const char *phrase(unsigned status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return status < 500 ? "Refused" : "Server Error";
    }
}

void hub_upgrade_refuse(unsigned status, const char *why, hub_text *out)
{
    const char *more = status == 426 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "";
    char *body = hub_format("{\"Message\":\"%s\"}", why);

    hub_text_printf(out,
                    "HTTP/1.1 %u %s\r\n"
                    "Content-Type: application/json; charset=utf-8\r\n"
                    "Content-Length: %zu\r\n"
                    "%sConnection: close\r\n\r\n%s",
                    status, phrase(status), strlen(body), more, body);
    free(body);
}
