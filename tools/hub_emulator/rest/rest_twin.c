/* Twins and direct methods, as in the vendor's service API. */

#include "rest/rest_twin.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rest/rest_target.h"

static rest_outcome show(rest_handling *out, const hub_identity *id)
{
    rest_set_etag(out, hub_twin_etag(&id->twin));
    return rest_json(out, 200, hub_identity_twin_view(id));
}

static rest_outcome get_twin(hub *h, rest_request *r, rest_handling *out)
{
    const hub_identity *id = rest_identity(h, r, out);
    return id != NULL ? show(out, id) : REST_REPLY;
}

static rest_outcome change_twin(hub *h, rest_request *r, rest_handling *out, hub_twin_mode mode)
{
    hub_identity *id = rest_identity(h, r, out);
    hub_fault fault;

    if (id == NULL) {
        return REST_REPLY;
    }
    if (r->json == NULL) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "twin: the body is empty");
    }
    hub_change change = { .twin = r->json, .mode = mode };
    if (rest_check_twin_etag(r->if_match, id, &fault) != HUB_OK ||
        hub_apply(h, id, &change, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    return show(out, id);
}

static rest_outcome patch_twin(hub *h, rest_request *r, rest_handling *out)
{
    return change_twin(h, r, out, HUB_TWIN_MERGE);
}

static rest_outcome replace_twin(hub *h, rest_request *r, rest_handling *out)
{
    return change_twin(h, r, out, HUB_TWIN_REPLACE);
}

/* --- methods ----------------------------------------------------------- */

/* The payload is passed on unchanged. */
static cJSON *answer_to_json(const hub_method_answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    char *payload = hub_memdup(answer->payload, answer->payload_len);

    (void)cJSON_AddNumberToObject(json, "status", answer->status);
    (void)cJSON_AddRawToObject(json, "payload", answer->payload_len > 0 ? payload : "null");
    free(payload);
    return json;
}

static void complete(void *user, const hub_method_answer *answer)
{
    rest_handling *out = user;

    if (answer->result != HUB_OK) {
        (void)rest_fail(out, answer->result, answer->why);
    } else {
        (void)rest_json(out, 200, answer_to_json(answer));
    }
    out->finished(out);
}

static rest_outcome invoke(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id = rest_identity(h, r, out);
    hub_fault fault;

    if (id == NULL) {
        return REST_REPLY;
    }
    const hub_method_request request = { r->json, r->body, r->body_len };
    if (hub_invoke(h, id, &request, complete, out, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    return rest_later(out, h->methods.last_number);
}

const rest_route rest_twin_routes[] = {
    { "GET", "twins/{}", HUB_RIGHT_SERVICE_CONNECT, get_twin },
    { "PATCH", "twins/{}", HUB_RIGHT_SERVICE_CONNECT, patch_twin },
    { "PUT", "twins/{}", HUB_RIGHT_SERVICE_CONNECT, replace_twin },
    { "POST", "twins/{}/methods", HUB_RIGHT_SERVICE_CONNECT | HUB_RIGHT_EDGE_MODULE, invoke },
    { "GET", "twins/{}/modules/{}", HUB_RIGHT_SERVICE_CONNECT, get_twin },
    { "PATCH", "twins/{}/modules/{}", HUB_RIGHT_SERVICE_CONNECT, patch_twin },
    { "PUT", "twins/{}/modules/{}", HUB_RIGHT_SERVICE_CONNECT, replace_twin },
    { "POST", "twins/{}/modules/{}/methods", HUB_RIGHT_SERVICE_CONNECT | HUB_RIGHT_EDGE_MODULE,
      invoke },
    { NULL, NULL, 0, NULL },
};
