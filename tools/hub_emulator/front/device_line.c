#include "front/device_line.h"

#include "registry/client_chain.h"

#define CHAIN_MAX_LEN 40000 /* length in base64, which leaves room for a token in the password */

bool hub_device_line_open(hub_device_line *line, hub_tls_server *server, int fd)
{
    *line = (hub_device_line){ .websocket = NULL };
    return hub_tls_line_open(&line->tls, server, fd);
}

void hub_device_line_close(hub_device_line *line)
{
    hub_websocket_free(line->websocket);
    line->websocket = NULL;
    hub_tls_line_close(&line->tls);
}

void hub_device_line_upgrade(hub_device_line *line, const hub_upgrade_request *request,
                             const void *early, size_t early_len)
{
    hub_text answer = { 0 };

    hub_upgrade_accept(request, &answer);
    hub_tls_line_write(&line->tls, answer.p, answer.len);
    hub_text_free(&answer);
    line->websocket = hub_websocket_new(&line->tls, early, early_len);
}

void hub_device_line_refuse(hub_device_line *line, unsigned status, const char *why)
{
    hub_text answer = { 0 };

    hub_upgrade_refuse(status, why, &answer);
    hub_tls_line_write(&line->tls, answer.p, answer.len);
    hub_text_free(&answer);
}

bool hub_device_line_chain(const hub_device_line *line, hub_text *out)
{
    return hub_tls_line_peer_chain(&line->tls, HUB_CHAIN_MAX, CHAIN_MAX_LEN, out);
}

hub_tls_state hub_device_line_read(hub_device_line *line, void *buffer, size_t cap, size_t *len,
                                   const char **why)
{
    return line->websocket != NULL ? hub_websocket_read(line->websocket, buffer, cap, len, why)
                                   : hub_tls_line_read(&line->tls, buffer, cap, len, why);
}

void hub_device_line_write(hub_device_line *line, const void *data, size_t len)
{
    if (line->websocket != NULL) {
        hub_websocket_write(line->websocket, data, len);
    } else {
        hub_tls_line_write(&line->tls, data, len);
    }
}

void hub_device_line_bye(hub_device_line *line)
{
    if (line->websocket != NULL) {
        hub_websocket_bye(line->websocket);
    }
    hub_tls_line_bye(&line->tls);
    hub_tls_line_flush(&line->tls);
}
