#include "server/rest_server_watch.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_MS      15000
#define EVENT_BLOCK_BYTES 65536

/* One client that watches telemetry. */
typedef struct rest_watcher {
    rest_watchers *all;
    struct MHD_Connection *connection;
    rest_watch watch;
    hub_text pending; /* lines that were not sent yet */
    size_t taken;
    int64_t heartbeat_ms;
    bool suspended;
    struct rest_watcher *next;
} rest_watcher;

void rest_watchers_init(rest_watchers *ws, hub *h)
{
    *ws = (rest_watchers){ .hub = h, .announced = h->telemetry.next_sequence };
}

static bool fill(rest_watcher *w)
{
    hub *h = w->all->hub;

    hub_text_cut(&w->pending, 0);
    w->taken = 0;
    rest_watch_take(&w->watch, &h->telemetry, EVENT_BLOCK_BYTES, &w->pending);
    if (w->pending.len == 0 && w->heartbeat_ms <= hub_up(h)) {
        /* An empty line; sending it shows whether the client is still connected. */
        hub_text_str(&w->pending, "\n");
    }
    if (w->pending.len > 0) {
        w->heartbeat_ms = hub_up(h) + HEARTBEAT_MS;
    }
    return w->pending.len > 0;
}

static bool watch_over(const rest_watcher *w)
{
    return rest_watch_over(&w->watch, hub_up(w->all->hub));
}

static ssize_t read_events(void *user, uint64_t position, char *out, size_t max)
{
    rest_watcher *w = user;

    (void)position;
    if (w->taken == w->pending.len && !fill(w)) {
        if (watch_over(w)) {
            return MHD_CONTENT_READER_END_OF_STREAM;
        }
        w->suspended = true;
        MHD_suspend_connection(w->connection);
        return 0;
    }
    size_t n = w->pending.len - w->taken;
    n = n < max ? n : max;
    memcpy(out, w->pending.p + w->taken, n);
    w->taken += n;
    return (ssize_t)n;
}

static void end_watch(void *user)
{
    rest_watcher *w = user;
    rest_watcher **at = &w->all->first;

    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
    rest_watch_free(&w->watch);
    hub_text_free(&w->pending);
    free(w);
}

enum MHD_Result rest_watchers_add(rest_watchers *ws, struct MHD_Connection *connection,
                                  const rest_watch *watch)
{
    rest_watcher *w = hub_calloc(1, sizeof *w);

    *w = (rest_watcher){
        .all = ws,
        .connection = connection,
        .watch = *watch,
        .heartbeat_ms = hub_up(ws->hub) + HEARTBEAT_MS,
        .next = ws->first,
    };
    ws->first = w;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, EVENT_BLOCK_BYTES / 4, read_events, w, end_watch);
    if (response == NULL) {
        end_watch(w);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/x-ndjson");
    enum MHD_Result r = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return r;
}

/* Returns whether it was suspended. */
static bool resume(rest_watcher *w)
{
    const bool was_suspended = w->suspended;

    if (was_suspended) {
        w->suspended = false;
        MHD_resume_connection(w->connection);
    }
    return was_suspended;
}

bool rest_watchers_wake(rest_watchers *ws)
{
    bool any = false;
    const bool news = ws->hub->telemetry.next_sequence != ws->announced;
    const int64_t now = ws->first != NULL ? hub_up(ws->hub) : 0;

    for (rest_watcher *w = ws->first; w != NULL; w = w->next) {
        if (news || watch_over(w) || now >= w->heartbeat_ms) {
            any = resume(w) || any;
        }
    }
    ws->announced = ws->hub->telemetry.next_sequence;
    return any;
}

bool rest_connection_has_left(struct MHD_Connection *connection)
{
    struct pollfd p = {
        .fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
        .events = POLLRDHUP,
    };
    return poll(&p, 1, 0) > 0;
}

bool rest_watchers_drop_leavers(rest_watchers *ws)
{
    bool any = false;

    for (rest_watcher *w = ws->first; w != NULL; w = w->next) {
        if (w->suspended && rest_connection_has_left(w->connection)) {
            rest_watch_end(&w->watch);
            any = resume(w) || any;
        }
    }
    return any;
}

void rest_watchers_end(rest_watchers *ws)
{
    for (rest_watcher *w = ws->first; w != NULL; w = w->next) {
        rest_watch_end(&w->watch);
        (void)resume(w);
    }
}
