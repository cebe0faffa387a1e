/* Twins, queries over them, and direct methods, as in the vendor's service API. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rest.h"
#include "text.h"

static rest_outcome show(rest_handling *out, const hub_identity *id)
{
    out->reply.etag = hub_twin_etag(&id->twin);
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
        return rest_fail(out, HUB_ERR_ARGUMENT, "twin: no body");
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

/* --- queries ----------------------------------------------------------- */

typedef struct query {
    bool modules;
    char device[132]; /* "": all */
} query;

/* SELECT * FROM devices[.modules] [WHERE deviceId = '..'], nothing else. */
static bool read_query(const char *text, query *q)
{
    char source[32] = "";
    int used = 0;
    int more = 0;

    *q = (query){ 0 };
    if (strncasecmp(text, "select", 6) != 0 ||
        sscanf(text + 6, " * %*1[fF]%*1[rR]%*1[oO]%*1[mM] %31[a-z.] %n", source, &used) != 1) {
        return false;
    }
    q->modules = strcmp(source, "devices.modules") == 0;
    if (!q->modules && strcmp(source, "devices") != 0) {
        return false;
    }
    const char *rest = text + 6 + used;
    if (*rest == '\0') {
        return true;
    }
    return strncasecmp(rest, "where ", 6) == 0 &&
           sscanf(rest + 6, " deviceId = '%128[^']' %n", q->device, &more) == 1 && more > 0 &&
           rest[6 + more] == '\0';
}

static rest_outcome run_query(hub *h, rest_request *r, rest_handling *out)
{
    const char *text = hub_json_string(r->json, "query");
    query q;

    if (text == NULL || !read_query(text, &q)) {
        return rest_fail(out, HUB_ERR_ARGUMENT,
                         "the emulator knows SELECT * FROM devices, SELECT * FROM devices.modules "
                         "and WHERE deviceId = '..'");
    }
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < h->registry.count; i++) {
        const hub_identity *id = h->registry.items[i];
        bool wanted = q.device[0] == '\0' || strcmp(q.device, id->device) == 0;
        if (wanted && (id->module != NULL) == q.modules) {
            (void)cJSON_AddItemToArray(list, hub_identity_twin_view(id));
        }
    }
    return rest_json(out, 200, list);
}

/* --- methods ----------------------------------------------------------- */

/* The payload goes on as the device wrote it. */
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
    return REST_LATER;
}

const rest_route rest_twin_routes[] = {
    { "POST", "devices/query", HUB_RIGHT_REGISTRY_READ | HUB_RIGHT_SERVICE_CONNECT, run_query },
    { "GET", "twins/{}", HUB_RIGHT_SERVICE_CONNECT, get_twin },
    { "PATCH", "twins/{}", HUB_RIGHT_SERVICE_CONNECT, patch_twin },
    { "PUT", "twins/{}", HUB_RIGHT_SERVICE_CONNECT, replace_twin },
    { "POST", "twins/{}/methods", HUB_RIGHT_SERVICE_CONNECT, invoke },
    { "GET", "twins/{}/modules/{}", HUB_RIGHT_SERVICE_CONNECT, get_twin },
    { "PATCH", "twins/{}/modules/{}", HUB_RIGHT_SERVICE_CONNECT, patch_twin },
    { "PUT", "twins/{}/modules/{}", HUB_RIGHT_SERVICE_CONNECT, replace_twin },
    { "POST", "twins/{}/modules/{}/methods", HUB_RIGHT_SERVICE_CONNECT, invoke },
    { NULL, NULL, 0, NULL },
};
