/* Digital twins and their commands, as in the vendor's service API. */

#include "rest/rest_digital_twin.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rest/rest_target.h"
#include "twins/digital_twin.h"
#include "twins/digital_twin_patch.h"

static hub_identity *device_of(hub *h, const rest_request *r, rest_handling *out)
{
    hub_identity *id = hub_registry_find(&h->registry, r->args[0], NULL);

    if (id == NULL) {
        (void)rest_fail(out, HUB_ERR_NO_DEVICE, "no such device");
    }
    return id;
}

static rest_outcome get_digital_twin(hub *h, rest_request *r, rest_handling *out)
{
    const hub_identity *id = device_of(h, r, out);

    if (id == NULL) {
        return REST_REPLY;
    }
    rest_set_etag(out, hub_twin_etag(&id->twin));
    return rest_json(out, 200, hub_digital_twin_view(id->device, id->model_id, &id->twin));
}

/* Replaces all desired properties, like a PUT of the device twin. */
static hub_result replace_desired(hub *h, hub_identity *id, cJSON *desired, hub_fault *fault)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *properties = cJSON_AddObjectToObject(body, "properties");

    (void)cJSON_AddItemToObject(properties, "desired", desired);
    hub_change change = { .twin = body, .mode = HUB_TWIN_REPLACE };
    hub_result result = hub_apply(h, id, &change, fault);
    cJSON_Delete(body);
    return result;
}

static rest_outcome patch_digital_twin(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id = device_of(h, r, out);
    cJSON *desired;
    hub_fault fault;

    if (id == NULL) {
        return REST_REPLY;
    }
    if (rest_check_twin_etag(r->if_match, id, &fault) != HUB_OK ||
        hub_digital_twin_patch(&id->twin, r->json, &desired, &fault) != HUB_OK ||
        replace_desired(h, id, desired, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    rest_set_etag(out, hub_twin_etag(&id->twin));
    return rest_empty(out, 202);
}

/* --- commands ---------------------------------------------------------- */

/* The body of the reply is the device's payload; its status becomes a header. */
static void complete(void *user, const hub_method_answer *answer)
{
    rest_handling *out = user;

    if (answer->result != HUB_OK) {
        (void)rest_fail(out, answer->result, answer->why);
    } else {
        rest_set_command_status(out, answer->status);
        (void)rest_text(out, 200,
                        answer->payload_len > 0 ? hub_memdup(answer->payload, answer->payload_len)
                                                : hub_strdup("null"));
    }
    out->finished(out);
}

static bool add_timeout(cJSON *json, const rest_request *r, const char *name)
{
    int64_t seconds = 0;

    if (r->query(r, name) == NULL) {
        return true;
    }
    if (!rest_query_number(r, name, 1000000, &seconds)) {
        return false;
    }
    (void)cJSON_AddNumberToObject(json, name, (double)seconds);
    return true;
}

/* A command is a direct method; the text of the payload is passed on unchanged. */
static rest_outcome invoke(hub *h, rest_request *r, rest_handling *out, const char *name)
{
    hub_identity *id = device_of(h, r, out);
    cJSON *json = cJSON_CreateObject();
    hub_fault fault;

    if (id == NULL) {
        cJSON_Delete(json);
        return REST_REPLY;
    }
    hub_json_add_text(json, "methodName", name);
    if (r->json != NULL) {
        char *payload = hub_memdup(r->body, r->body_len);
        (void)cJSON_AddRawToObject(json, "payload", payload);
        free(payload);
    }
    if (!add_timeout(json, r, "connectTimeoutInSeconds") ||
        !add_timeout(json, r, "responseTimeoutInSeconds")) {
        cJSON_Delete(json);
        return rest_fail(out, HUB_ERR_ARGUMENT, "a time-out is not a number");
    }
    char *text = hub_json_print(json);
    const hub_method_request request = { json, text, strlen(text) };
    hub_result result = hub_invoke(h, id, &request, complete, out, &fault);
    free(text);
    cJSON_Delete(json);
    return result == HUB_OK ? REST_LATER : rest_fault(out, &fault);
}

static rest_outcome invoke_on_root(hub *h, rest_request *r, rest_handling *out)
{
    return invoke(h, r, out, r->args[1]);
}

static rest_outcome invoke_on_component(hub *h, rest_request *r, rest_handling *out)
{
    char *name = hub_format("%s*%s", r->args[1], r->args[2]);
    rest_outcome outcome = invoke(h, r, out, name);

    free(name);
    return outcome;
}

const rest_route rest_digital_twin_routes[] = {
    { "GET", "digitaltwins/{}", HUB_RIGHT_SERVICE_CONNECT, get_digital_twin },
    { "PATCH", "digitaltwins/{}", HUB_RIGHT_SERVICE_CONNECT, patch_digital_twin },
    { "POST", "digitaltwins/{}/commands/{}", HUB_RIGHT_SERVICE_CONNECT, invoke_on_root },
    { "POST", "digitaltwins/{}/components/{}/commands/{}", HUB_RIGHT_SERVICE_CONNECT,
      invoke_on_component },
    { NULL, NULL, 0, NULL },
};
