#include "server/rest_server.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <microhttpd.h>

#include "front/call.h"
#include "rest/rest.h"
#include "server/blob_call.h"
#include "server/rest_server_head.h"
#include "server/rest_server_reply.h"
#include "server/rest_server_watch.h"
#include "server/rest_server_websocket.h"
#include "server/waker.h"

/* How much is read and discarded of a body that is too large anyway. */
#define DISCARD_MAX     (16u * 1024 * 1024)
#define CONNECTIONS_MAX 200
/* Memory of a connection. The head of an answer can be larger than that of a request, since each
 * property of a message for a device, up to 64 KB in all, is a header. */
#define HEADER_BYTES_MAX (256u * 1024)
#define IDLE_S           120
#define LOOK_MS          100
#define BROKER_TURN_MS   100 /* the broker's own loop runs at least once in this time */
#define FDS_COUNT        2   /* number of descriptors that the waker watches */

typedef enum call_state {
    CALL_FRESH = 0, /* the headers were not checked yet */
    CALL_READING,
    CALL_BLOB,      /* it is one to the storage */
    CALL_SUSPENDED, /* a method is in progress */
    CALL_ANSWERED   /* the reply is ready to be sent */
} call_state;

/* One HTTP request. */
typedef struct call {
    rest_server *server;
    struct MHD_Connection *connection;
    call_state state;
    rest_handling handling;
    char *path;      /* the request target as it was sent */
    blob_call *blob; /* CALL_BLOB */
    hub_text body;
    size_t discarded;  /* number of discarded bytes of a body that is too large */
    struct call *next; /* next suspended call */
    /* Address of the pointer to this call in that list; NULL: it is not suspended. */
    struct call **at;
} call;

/* One connection. libmicrohttpd does not report the end of a request whose query needs more
 * memory than allowed, so the call is also freed when the connection ends. */
typedef struct line {
    call *open; /* the current request; NULL: between two requests */
    hub_client_chain chain;
    int fd;
    struct line *next; /* the next line that libmicrohttpd has not begun yet */
} line;

struct rest_server {
    hub *hub;
    struct MHD_Daemon *daemon;
    waker *waker;
    int calls_fd;
    line *arrived;  /* lines that libmicrohttpd has not begun yet */
    call *waiting;  /* calls that wait for the end of a method */
    bool resumed;   /* libmicrohttpd has resumed connections to serve */
    int64_t ran_ms; /* when libmicrohttpd had its last turn */
    rest_watchers watchers;
    int64_t looked_ms; /* time of the last search for callers that have disconnected */
    rest_websockets websockets;
};

/* --- requests ---------------------------------------------------------- */

static const char *query(const rest_request *r, const char *name)
{
    const char *value = NULL;
    size_t len = 0;

    if (MHD_lookup_connection_value_n(r->transport, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                      &value, &len) != MHD_YES) {
        return NULL;
    }
    /* A value with %00 inside is not accepted. */
    return value != NULL && strlen(value) == len ? value : "";
}

typedef struct header_visit {
    rest_header_visitor visit;
    void *user;
} header_visit;

static enum MHD_Result visit_header(void *user, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    const header_visit *v = user;

    (void)kind;
    return v->visit(v->user, name, value != NULL ? value : "") ? MHD_YES : MHD_NO;
}

static void each_header(const rest_request *r, rest_header_visitor visit, void *user)
{
    header_visit v = { visit, user };

    (void)MHD_get_connection_values(r->transport, MHD_HEADER_KIND, visit_header, &v);
}

static void suspend(call *c)
{
    rest_server *s = c->server;

    c->state = CALL_SUSPENDED;
    c->next = s->waiting;
    c->at = &s->waiting;
    if (c->next != NULL) {
        c->next->at = &c->next;
    }
    s->waiting = c;
    MHD_suspend_connection(c->connection);
}

static void no_longer_waiting(call *c)
{
    if (c->at != NULL) {
        *c->at = c->next;
        if (c->next != NULL) {
            c->next->at = c->at;
        }
        c->at = NULL;
    }
}

static void finished(rest_handling *handling)
{
    call *c = handling->user;

    no_longer_waiting(c);
    c->state = CALL_ANSWERED;
    c->server->resumed = true;
    MHD_resume_connection(c->connection);
}

static void let_go(rest_server *s, call *c)
{
    rest_abandon(s->hub, &c->handling);
    (void)rest_fail(&c->handling, HUB_ERR_TIMEOUT, "the caller has closed its connection");
    finished(&c->handling);
}

/* Ends calls whose caller has disconnected. libmicrohttpd does not check a suspended connection,
 * so such a caller would occupy a connection until its method has ended. */
static void let_leavers_go(rest_server *s)
{
    call *next;

    if (hub_up(s->hub) < s->looked_ms + LOOK_MS) {
        return;
    }
    s->looked_ms = hub_up(s->hub);
    for (call *c = s->waiting; c != NULL; c = next) {
        next = c->next;
        if (rest_connection_has_left(c->connection)) {
            let_go(s, c);
        }
    }
    s->resumed = rest_watchers_drop_leavers(&s->watchers) || s->resumed;
}

static line *line_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static const char *header(const call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result handle(call *c, const char *method, const char *path)
{
    rest_request request = {
        .method = method,
        .path = rest_head_local(path),
        .raw_path = c->path,
        .authorization = header(c, MHD_HTTP_HEADER_AUTHORIZATION),
        .host = header(c, MHD_HTTP_HEADER_HOST),
        .if_match = header(c, MHD_HTTP_HEADER_IF_MATCH),
        .max_item_count = header(c, "x-ms-max-item-count"),
        .continuation = header(c, "x-ms-continuation"),
        .edge_module = header(c, "x-ms-edge-moduleId"),
        .chain = &line_of(c->connection)->chain,
        .body = c->body.p,
        .body_len = c->body.len,
        .query = query,
        .headers = each_header,
        .transport = c->connection,
    };
    rest_handling_begin(&c->handling, finished, c);
    c->state = CALL_ANSWERED;
    rest_outcome outcome = rest_handle(c->server->hub, &request, &c->handling);
    rest_request_free(&request);
    switch (outcome) {
    case REST_REPLY: break;
    case REST_LATER: suspend(c); return MHD_YES;
    case REST_WATCH:
        return rest_watchers_add(&c->server->watchers, c->connection, &c->handling.watch);
    }
    return rest_server_reply(c->connection, &c->handling.reply);
}

static enum MHD_Result take_body(call *c, const char *data, size_t *size)
{
    if (c->discarded > 0 || c->body.len + *size > REST_BODY_MAX) {
        c->discarded += *size;
    } else {
        hub_text_add(&c->body, data, *size);
    }
    *size = 0;
    return c->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
}

/* Called first for each request, with the target as it was sent. */
static void *on_target(void *user, const char *target, struct MHD_Connection *connection)
{
    call *c = hub_calloc(1, sizeof *c);

    *c = (call){ .server = user, .connection = connection, .path = rest_head_path(target) };
    line_of(connection)->open = c;
    return c;
}

static enum MHD_Result refuse(call *c, unsigned status, const char *text)
{
    (void)rest_fail(&c->handling, status == 413 ? HUB_ERR_TOO_LARGE : HUB_ERR_ARGUMENT, text);
    rest_set_status(&c->handling, (int)status);
    c->state = CALL_ANSWERED;
    return rest_server_reply(c->connection, &c->handling.reply);
}

static enum MHD_Result begin(call *c, const char *version)
{
    const rest_head_fault fault = rest_head_check(c->connection, c->path, version);

    c->state = CALL_READING;
    return fault.status == 0 ? MHD_YES : refuse(c, fault.status, fault.text);
}

/* Leaves the client without an answer if its request is to stall. */
static enum MHD_Result stall(call *c, enum MHD_Result r)
{
    if (r == MHD_YES && blob_call_is_stalled(c->blob)) {
        rest_handling_begin(&c->handling, finished, c);
        suspend(c);
    }
    return r;
}

static enum MHD_Result begin_blob(call *c, const char *method)
{
    c->state = CALL_BLOB;
    c->blob = blob_call_new(c->server->hub, c->connection, method, c->path);
    return stall(c, blob_call_begin(c->blob));
}

static enum MHD_Result go_on_with_blob(call *c, const char *data, size_t *size)
{
    return stall(c, *size > 0 ? blob_call_body(c->blob, data, size) : blob_call_end(c->blob));
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    call *c = *context;

    (void)user;
    if (c->state == CALL_FRESH) {
        return blob_call_wanted(c->path) ? begin_blob(c, method) : begin(c, version);
    }
    if (c->state == CALL_BLOB) {
        return go_on_with_blob(c, data, size);
    }
    if (*size > 0) {
        return take_body(c, data, size);
    }
    if (c->state == CALL_ANSWERED) {
        return rest_server_reply(c->connection, &c->handling.reply);
    }
    if (c->discarded > 0) {
        return refuse(c, 413, "the body is larger than 1 MB");
    }
    if (rest_websocket_wanted(connection, method, path)) {
        return rest_websocket_upgrade(&c->server->websockets, connection);
    }
    return handle(c, method, path);
}

static void end_call(call *c)
{
    if (c == NULL) {
        return;
    }
    no_longer_waiting(c);
    rest_abandon(c->server->hub, &c->handling);
    rest_reply_free(&c->handling.reply);
    blob_call_free(c->blob);
    hub_text_free(&c->body);
    free(c->path);
    free(c);
}

static void on_end(void *user, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code)
{
    (void)user;
    (void)code;
    end_call(*context);
    *context = NULL;
    line_of(connection)->open = NULL;
}

/* Takes the line of this descriptor from the list of those that have arrived. */
static line *begin_line(rest_server *s, int fd)
{
    line **at = &s->arrived;

    while (*at != NULL && (*at)->fd != fd) {
        at = &(*at)->next;
    }
    line *l = *at;
    if (l != NULL) {
        *at = l->next;
    }
    return l;
}

static void free_line(line *l)
{
    if (l != NULL) {
        end_call(l->open);
        hub_client_chain_free(&l->chain);
        free(l);
    }
}

static void on_line(void *user, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = begin_line(
            user,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    } else {
        free_line(*context);
        *context = NULL;
    }
}

/* --- connections ------------------------------------------------------- */

static unsigned connections(const rest_server *s)
{
    return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

static void add_line(rest_server *s, int fd, const char *chain, size_t len)
{
    const struct sockaddr_un nobody = { .sun_family = AF_UNIX };
    line *l = hub_calloc(1, sizeof *l);
    hub_fault fault;

    l->fd = fd;
    if (hub_client_chain_read(&l->chain, chain, len, &fault) != HUB_OK) {
        (void)close(fd);
        free_line(l);
        return;
    }
    l->next = s->arrived;
    s->arrived = l;
    if (MHD_add_connection(s->daemon, fd, (const struct sockaddr *)&nobody, sizeof nobody) !=
        MHD_YES) {
        free_line(begin_line(s, fd));
    }
}

/* Connections beyond the limit wait in the queue of the socket. */
static void take_connections(rest_server *s)
{
    static char chain[HUB_CALL_CHAIN_MAX];
    size_t len = 0;
    int fd;

    while (connections(s) < CONNECTIONS_MAX &&
           (fd = hub_call_receive(s->calls_fd, chain, &len)) >= 0) {
        add_line(s, fd, chain, len);
    }
}

/* --- life -------------------------------------------------------------- */

static bool start_daemon(rest_server *s)
{
    s->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE, 0,
        NULL, NULL, on_request, s, MHD_OPTION_NOTIFY_COMPLETED, on_end, s,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_NOTIFY_CONNECTION, on_line, s,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES_MAX,
        MHD_OPTION_END);
    return s->daemon != NULL;
}

static bool start_waker(rest_server *s)
{
    const int fds[FDS_COUNT] = {
        MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
        s->calls_fd,
    };

    s->waker = waker_start(fds, FDS_COUNT);
    return s->waker != NULL;
}

rest_server *rest_server_start(hub *h, int calls_fd)
{
    rest_server *s = hub_calloc(1, sizeof *s);

    s->hub = h;
    s->calls_fd = calls_fd;
    rest_watchers_init(&s->watchers, h);
    if (!start_daemon(s) || !start_waker(s)) {
        rest_server_stop(s);
        return NULL;
    }
    return s;
}

/* Most rounds of the broker are about MQTT only. They should not cost system calls here. But the
 * deadlines of connections are checked at intervals, and a connection that libmicrohttpd gives up
 * for lack of memory is closed only in its next turn, for which it does not ask. */
static bool has_work(const rest_server *s)
{
    return s->resumed || s->websockets.count > 0 || waker_has_fired(s->waker) ||
           hub_up(s->hub) >= s->ran_ms + BROKER_TURN_MS;
}

void rest_server_run(rest_server *s)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    int wait_ms = -1;

    s->resumed = rest_watchers_wake(&s->watchers) || s->resumed;
    let_leavers_go(s);
    if (!has_work(s)) {
        return;
    }
    s->resumed = false;
    s->ran_ms = hub_up(s->hub);
    take_connections(s);
    (void)MHD_run(s->daemon);
    if (rest_websockets_run(&s->websockets, hub_up(s->hub))) {
        (void)MHD_run(s->daemon);
    }
    if (MHD_get_timeout(s->daemon, &timeout) == MHD_YES && timeout < BROKER_TURN_MS) {
        wait_ms = (int)timeout;
    }
    waker_rearm(s->waker, wait_ms);
}

/* Suspended connections must be resumed before their daemon may be stopped. */
static void resume_all(rest_server *s)
{
    rest_watchers_end(&s->watchers);
    hub_methods_expire(&s->hub->methods, INT64_MAX);
    while (s->waiting != NULL) {
        let_go(s, s->waiting);
    }
}

void rest_server_stop(rest_server *s)
{
    if (s == NULL) {
        return;
    }
    if (s->waker != NULL) {
        waker_stop(s->waker);
    }
    resume_all(s);
    rest_websockets_stop(&s->websockets);
    if (s->daemon != NULL) {
        (void)MHD_run(s->daemon);
        MHD_stop_daemon(s->daemon);
    }
    while (s->arrived != NULL) {
        free_line(begin_line(s, s->arrived->fd));
    }
    free(s);
}
