#include "websocket/ws_upgrade.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "websocket/ws_head.h"

#define NONCE 16 /* bytes of Sec-WebSocket-Key */
#define KEY   24 /* characters of that key in base64 */

enum { SWITCHING = 101, BUSY = 429, SERVER_ERROR = 500, PORT_HTTP = 80, PORT_HTTPS = 443 };

/* --- the request --- */

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

bool plat_ws_path_is_valid(const char *path)
{
    return path[0] == '/' && strlen(path) <= PLAT_WEBSOCKET_PATH_MAX && is_printable(path) &&
           strchr(path, '#') == NULL;
}

bool plat_ws_is_token(const char *text)
{
    return plat_ws_token_len(text, strlen(text)) == strlen(text) && text[0] != '\0';
}

static bool is_host(const char *host)
{
    size_t len = strlen(host);
    return len > 0 && len <= PLAT_WS_HOST_MAX && is_printable(host) &&
           strpbrk(host, "/\\?#@[]") == NULL;
}

/* Writes the value of the header Host: an IPv6 address is in brackets and has no zone, and the
 * usual ports are left out. */
static void write_host(char *out, size_t cap, const char *host, uint16_t port)
{
    const bool is_ipv6 = strchr(host, ':') != NULL;
    const bool is_usual = port == PORT_HTTPS || port == PORT_HTTP;
    char suffix[sizeof ":65535"] = "";
    if (!is_usual) {
        (void)snprintf(suffix, sizeof suffix, ":%u", (unsigned)port);
    }
    (void)snprintf(out, cap, "%s%.*s%s%s", is_ipv6 ? "[" : "", (int)strcspn(host, "%"), host,
                   is_ipv6 ? "]" : "", suffix);
}

/* Writes the only acceptable value of Sec-WebSocket-Accept. */
static plat_result derive_accept(plat_ws_upgrade *u, const plat_crypto *crypto,
                                 const char key[KEY + 1])
{
    char text[KEY + sizeof "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"];
    uint8_t hash[PLAT_SHA1_SIZE];
    size_t len;
    (void)snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    plat_result r = crypto->sha1(crypto, text, sizeof text - 1, hash);
    return r == PLAT_OK
               ? crypto->base64_encode(crypto, hash, sizeof hash, u->accept, PLAT_WS_ACCEPT, &len)
               : r;
}

static plat_result make_key(const plat_crypto *crypto, char key[KEY + 1])
{
    uint8_t nonce[NONCE];
    size_t len;
    plat_result r = crypto->random(crypto, nonce, sizeof nonce);
    return r == PLAT_OK ? crypto->base64_encode(crypto, nonce, sizeof nonce, key, KEY, &len) : r;
}

static void write_request(plat_ws_upgrade *u, const plat_ws_target *t, const char *key)
{
    char host[PLAT_WS_HOST_MAX + sizeof "[]:65535"];
    write_host(host, sizeof host, t->host, t->port);
    int len = snprintf(u->request, sizeof u->request,
                       "GET %s%s HTTP/1.1\r\n"
                       "Host: %s\r\n"
                       "Upgrade: websocket\r\n"
                       "Connection: Upgrade\r\n"
                       "Sec-WebSocket-Key: %s\r\n"
                       "Sec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Protocol: %s\r\n"
                       "\r\n",
                       t->path, t->query, host, key, t->subprotocol);
    u->request_len = (size_t)len;
    assert(u->request_len < sizeof u->request);
}

plat_result plat_ws_upgrade_begin(plat_ws_upgrade *u, const plat_crypto *crypto,
                                  const plat_ws_target *target)
{
    char key[KEY + 1] = "";
    *u = (plat_ws_upgrade){ .subprotocol = target->subprotocol };
    if (!is_host(target->host)) {
        return PLAT_ERR_ARG;
    }
    plat_result r = make_key(crypto, key);
    if (r == PLAT_OK) {
        r = derive_accept(u, crypto, key);
    }
    if (r == PLAT_OK) {
        write_request(u, target, key);
    }
    return r;
}

/* --- the answer --- */

static plat_result refuse(plat_ws_upgrade *u, const char *fault)
{
    u->fault = fault;
    return PLAT_ERR_WEBSOCKET;
}

static plat_result refuse_status(plat_ws_upgrade *u, int status)
{
    u->status = status;
    u->fault = "refuses the WebSocket";
    return status == BUSY || status >= SERVER_ERROR ? PLAT_ERR_UNAVAILABLE : PLAT_ERR_WEBSOCKET;
}

/* The headers that an answer must have, each once. */
enum { UPGRADE, CONNECTION, ACCEPT, SUBPROTOCOL, REQUIRED };

static const char *const missing[REQUIRED] = {
    [UPGRADE] = "answers without the header Upgrade",
    [CONNECTION] = "answers without \"Connection: Upgrade\"",
    [ACCEPT] = "answers without the header Sec-WebSocket-Accept",
    [SUBPROTOCOL] = "selects no subprotocol; does it speak MQTT?",
};

/* Counts a header that is required. Returns a text that describes the fault of its value, or
 * NULL. */
static const char *check_header(const plat_ws_upgrade *u, const plat_ws_header *h,
                                unsigned seen[REQUIRED])
{
    if (plat_ws_header_is(h, "upgrade")) {
        seen[UPGRADE]++;
        return plat_ws_value_is_word(h, "websocket") ? NULL : "upgrades to another protocol";
    }
    if (plat_ws_header_is(h, "connection") && plat_ws_value_lists(h, "upgrade")) {
        seen[CONNECTION]++;
        return NULL;
    }
    if (plat_ws_header_is(h, "sec-websocket-accept")) {
        seen[ACCEPT]++;
        return plat_ws_value_is(h, u->accept) ? NULL : "answers with a wrong Sec-WebSocket-Accept";
    }
    if (plat_ws_header_is(h, "sec-websocket-protocol")) {
        seen[SUBPROTOCOL]++;
        return plat_ws_value_is(h, u->subprotocol) ? NULL : "selects another subprotocol";
    }
    return plat_ws_header_is(h, "sec-websocket-extensions")
               ? "selects an extension that was not offered"
               : NULL;
}

static plat_result check_seen(plat_ws_upgrade *u, const unsigned seen[REQUIRED])
{
    for (size_t i = 0; i < REQUIRED; i++) {
        if (seen[i] != 1) {
            return refuse(u, seen[i] == 0 ? missing[i] : "answers with a header twice");
        }
    }
    return PLAT_OK;
}

/* Reads the lines after the status line. */
static plat_result check_headers(plat_ws_upgrade *u, size_t at)
{
    unsigned seen[REQUIRED] = { 0 };
    size_t line;
    while ((line = plat_ws_line_len(u->head + at, u->head_end - at)) > 0) {
        plat_ws_header h;
        if (!plat_ws_header_read(&h, u->head + at, line)) {
            return refuse(u, "answers with a malformed header");
        }
        const char *fault = check_header(u, &h, seen);
        if (fault != NULL) {
            return refuse(u, fault);
        }
        at += line + PLAT_WS_CRLF;
    }
    return check_seen(u, seen);
}

/* Checks a status line. Returns PLAT_OK if the server has accepted. */
static plat_result check_status(plat_ws_upgrade *u, size_t line)
{
    const int status = plat_ws_status_read(u->head, line);
    if (status == 0) {
        return refuse(u, "does not answer in HTTP/1.1");
    }
    return status == SWITCHING ? PLAT_OK : refuse_status(u, status);
}

/* Finds the end of the head, which is an empty line, and checks the status line on the way. */
static plat_result find_end(plat_ws_upgrade *u)
{
    while (u->searched < u->head_len) {
        const bool is_first = u->searched == 0;
        const size_t line = plat_ws_line_len(u->head + u->searched, u->head_len - u->searched);
        if (line == PLAT_WS_INCOMPLETE) {
            break;
        }
        if (line == PLAT_WS_MALFORMED) {
            return refuse(u, is_first ? "does not answer in HTTP/1.1"
                                      : "answers with a malformed header");
        }
        plat_result r = is_first ? check_status(u, line) : PLAT_OK;
        if (r != PLAT_OK) {
            return r;
        }
        u->searched += line + PLAT_WS_CRLF;
        if (line == 0) {
            u->head_end = u->searched;
            return PLAT_OK;
        }
    }
    return u->head_len == sizeof u->head ? refuse(u, "answers with more than 4096 bytes of headers")
                                         : PLAT_WOULD_BLOCK;
}

plat_result plat_ws_upgrade_feed(plat_ws_upgrade *u, size_t n)
{
    assert(n > 0 && n <= sizeof u->head - u->head_len);
    u->head_len += n;
    plat_result r = find_end(u);
    if (r != PLAT_OK) {
        return r;
    }
    const size_t status_line = plat_ws_line_len(u->head, u->head_end);
    return check_headers(u, status_line + PLAT_WS_CRLF);
}

plat_result plat_ws_upgrade_end(plat_ws_upgrade *u)
{
    return refuse(u, u->head_len == 0
                         ? "closes the connection instead of answering the WebSocket upgrade"
                         : "closes the connection inside its answer to the WebSocket upgrade");
}

/* --- texts --- */

const char *plat_ws_status_text(int status)
{
    switch (status) {
    case 200: return "no WebSocket server";
    case 400: return "bad request";
    case 401: return "a log-in is required";
    case 403: return "forbidden";
    case 404: return "unknown path";
    case 407: return "a proxy requires a log-in";
    case 426: return "another version is required";
    case BUSY: return "too many requests";
    case 502:
    case 504: return "a proxy does not reach the server";
    case 503: return "unavailable";
    default: break;
    }
    if (status >= SERVER_ERROR) {
        return "server error";
    }
    if (status >= 400) {
        return "refused";
    }
    return status >= 300 ? "redirects are not followed" : "not a WebSocket";
}
