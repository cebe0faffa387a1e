/* Answers requests about the CAs that issue the certificates of devices with the type
 * certificateAuthority. */

#include "rest/rest_authorities.h"

static cJSON *view(const hub_certificate *ca)
{
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "thumbprint", ca->thumbprint);
    hub_json_add_text(json, "subject", ca->subject);
    hub_json_add_time(json, "notBefore", ca->not_before_s * 1000);
    hub_json_add_time(json, "notAfter", ca->not_after_s * 1000);
    return json;
}

static rest_outcome list(hub *h, rest_request *r, rest_handling *out)
{
    const hub_authorities *a = &h->registry.authorities;
    cJSON *json = cJSON_CreateArray();

    (void)r;
    for (size_t i = 0; i < a->count; i++) {
        (void)cJSON_AddItemToArray(json, view(a->items[i]));
    }
    return rest_json(out, 200, json);
}

static rest_outcome add(hub *h, rest_request *r, rest_handling *out)
{
    const char *text = hub_json_string(r->json, "certificate");
    const hub_certificate *ca;
    hub_fault fault;

    if (text == NULL) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "certificate: not a string");
    }
    if (hub_authorities_add(&h->registry.authorities, &h->registry.store, text, &ca, &fault) !=
        HUB_OK) {
        return rest_fault(out, &fault);
    }
    return rest_json(out, 201, view(ca));
}

static rest_outcome withdraw(hub *h, rest_request *r, rest_handling *out)
{
    hub_fault fault;

    if (hub_authorities_remove(&h->registry.authorities, &h->registry.store, r->args[0], &fault) !=
        HUB_OK) {
        return rest_fault(out, &fault);
    }
    return rest_empty(out, 204);
}

const rest_route rest_authorities_routes[] = {
    { "GET", "emulator/authorities", HUB_RIGHT_REGISTRY_READ, list },
    { "POST", "emulator/authorities", HUB_RIGHT_REGISTRY_WRITE, add },
    { "DELETE", "emulator/authorities/{}", HUB_RIGHT_REGISTRY_WRITE, withdraw },
    { NULL, NULL, 0, NULL },
};
