#include "server/rest_server_websocket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "amqp/websocket.h"

#define CLIENTS_MAX 16
#define PATIENCE_MS 10000
#define PATH        "/$iothub/websocket"
#define PROTOCOL    "AMQPWSB10"

typedef struct rest_websocket {
    rest_websockets *all;
    int fd;   /* socket to libmicrohttpd, which does TLS */
    int line; /* socket of the client itself, the only way to notice that it has disconnected */
    struct MHD_UpgradeResponseHandle *handle;
    websocket socket;
    hub_text out;
    size_t sent;
    int64_t deadline_ms; /* 0: not set yet */
    struct rest_websocket *next;
} rest_websocket;

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

bool rest_websocket_wanted(struct MHD_Connection *connection, const char *method, const char *path)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 && strcmp(path, PATH) == 0 &&
           websocket_names(header(connection, MHD_HTTP_HEADER_UPGRADE), "websocket") &&
           websocket_names(header(connection, "Sec-WebSocket-Protocol"), PROTOCOL) &&
           header(connection, "Sec-WebSocket-Key") != NULL;
}

static void begin(void *user, struct MHD_Connection *connection, void *context, const char *early,
                  size_t early_len, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    rest_websockets *all = user;
    rest_websocket *w = hub_calloc(1, sizeof *w);

    (void)context;
    *w = (rest_websocket){
        .all = all,
        .fd = fd,
        .line = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
        .handle = handle,
        .next = all->first,
    };
    all->first = w;
    all->count++;
    websocket_take(&w->socket, early, early_len, &w->out);
}

enum MHD_Result rest_websocket_upgrade(rest_websockets *w, struct MHD_Connection *connection)
{
    struct MHD_Response *response =
        w->count < CLIENTS_MAX ? MHD_create_response_for_upgrade(begin, w) : NULL;

    if (response == NULL) {
        return MHD_NO;
    }
    char *accept = websocket_accept(header(connection, "Sec-WebSocket-Key"));
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
    (void)MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
    (void)MHD_add_response_header(response, "Sec-WebSocket-Protocol", PROTOCOL);
    free(accept);
    enum MHD_Result r = MHD_queue_response(connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    MHD_destroy_response(response);
    return r;
}

/* --- those that were upgraded ------------------------------------------ */

static void end(rest_websocket *w)
{
    (void)MHD_upgrade_action(w->handle, MHD_UPGRADE_ACTION_CLOSE);
    hub_text_free(&w->out);
    w->all->count--;
    free(w);
}

/* Returns false if the client has disconnected. */
static bool receive(rest_websocket *w)
{
    char bytes[2048];

    for (;;) {
        ssize_t n = recv(w->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0) {
            websocket_take(&w->socket, bytes, (size_t)n, &w->out);
        } else {
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
        }
    }
}

static bool send_rest(rest_websocket *w, bool *moved)
{
    while (w->sent < w->out.len) {
        ssize_t n =
            send(w->fd, w->out.p + w->sent, w->out.len - w->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0) {
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
        }
        w->sent += (size_t)n;
        *moved = true;
    }
    return true;
}

static bool has_gone(const rest_websocket *w)
{
    struct pollfd poll_line = { .fd = w->line, .events = POLLRDHUP };

    return poll(&poll_line, 1, 0) > 0;
}

/* Returns false if the connection has ended. */
static bool serve(rest_websocket *w, int64_t now_ms, bool *moved)
{
    w->deadline_ms = w->deadline_ms == 0 ? now_ms + PATIENCE_MS : w->deadline_ms;
    if (!receive(w) || !send_rest(w, moved) || has_gone(w) || now_ms >= w->deadline_ms) {
        return false;
    }
    if (w->sent < w->out.len) {
        return true;
    }
    if (w->socket.refusal.state == AMQP_REFUSAL_CLOSING &&
        now_ms + AMQP_CLOSING_MS < w->deadline_ms) {
        w->deadline_ms = now_ms + AMQP_CLOSING_MS;
    }
    return w->socket.state != WEBSOCKET_OVER;
}

bool rest_websockets_run(rest_websockets *w, int64_t now_ms)
{
    rest_websocket **at = &w->first;
    bool moved = false;

    while (*at != NULL) {
        rest_websocket *one = *at;
        if (serve(one, now_ms, &moved)) {
            at = &one->next;
        } else {
            *at = one->next;
            end(one);
            moved = true;
        }
    }
    return moved;
}

void rest_websockets_stop(rest_websockets *w)
{
    while (w->first != NULL) {
        rest_websocket *one = w->first;
        w->first = one->next;
        end(one);
    }
}
