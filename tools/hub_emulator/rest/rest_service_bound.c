#include "rest/rest_service_bound.h"

#include "base/text.h"

static rest_outcome receive(hub *h, hub_service_queue *q, rest_handling *out)
{
    char time[HUB_TIME_SIZE];
    const hub_service_message *m = hub_service_queue_lock(q, hub_up(h));

    if (m == NULL) {
        return rest_empty(out, 204);
    }
    hub_time_header(m->enqueued_ms, time);
    rest_add_header(out, "iothub-enqueuedtime", time);
    rest_set_etag(out, hub_strdup(m->lock));
    return rest_text(out, 200, hub_strdup(m->body));
}

static rest_outcome settled(bool found, rest_handling *out)
{
    return found ? rest_empty(out, 204)
                 : rest_fail(out, HUB_ERR_LOCK, "no message is locked by this token");
}

static rest_outcome receive_feedback(hub *h, rest_request *r, rest_handling *out)
{
    (void)r;
    return receive(h, &h->feedback, out);
}

static rest_outcome complete_feedback(hub *h, rest_request *r, rest_handling *out)
{
    return settled(hub_service_queue_complete(&h->feedback, r->args[0], hub_up(h)), out);
}

static rest_outcome abandon_feedback(hub *h, rest_request *r, rest_handling *out)
{
    return settled(hub_service_queue_abandon(&h->feedback, r->args[0], hub_up(h)), out);
}

static rest_outcome receive_file(hub *h, rest_request *r, rest_handling *out)
{
    (void)r;
    return receive(h, &h->file_notices, out);
}

static rest_outcome complete_file(hub *h, rest_request *r, rest_handling *out)
{
    return settled(hub_service_queue_complete(&h->file_notices, r->args[0], hub_up(h)), out);
}

static rest_outcome abandon_file(hub *h, rest_request *r, rest_handling *out)
{
    return settled(hub_service_queue_abandon(&h->file_notices, r->args[0], hub_up(h)), out);
}

#define FEEDBACK "messages/servicebound/feedback"
#define FILES    "messages/servicebound/filenotifications"

const rest_route rest_service_bound_routes[] = {
    { "GET", FEEDBACK, HUB_RIGHT_SERVICE_CONNECT, receive_feedback },
    { "DELETE", FEEDBACK "/{}", HUB_RIGHT_SERVICE_CONNECT, complete_feedback },
    { "POST", FEEDBACK "/{}/abandon", HUB_RIGHT_SERVICE_CONNECT, abandon_feedback },
    { "GET", FILES, HUB_RIGHT_SERVICE_CONNECT, receive_file },
    { "DELETE", FILES "/{}", HUB_RIGHT_SERVICE_CONNECT, complete_file },
    { "POST", FILES "/{}/abandon", HUB_RIGHT_SERVICE_CONNECT, abandon_file },
    { NULL, NULL, 0, NULL },
};
