#include "registry/device_request.h"

#include <stdlib.h>

#include "base/text.h"

#define API_VERSION "2021-04-12" /* any; that of the request is checked elsewhere */

static hub_result check_host(const hub_registry *r, const hub_device_request *request,
                             const char *host, int64_t now_s, hub_device_proof *proof,
                             hub_fault *fault)
{
    char *user = hub_format("%s/%s/?api-version=" API_VERSION, host, request->device);
    const hub_credentials credentials = {
        .client_id = request->device,
        .user_name = user,
        .password = request->authorization,
        .chain = request->chain,
    };
    hub_login login;

    hub_result result = hub_login_check(r, &credentials, now_s, &login, fault);
    *proof = (hub_device_proof){ login.auth_scope, login.auth_type };
    free(login.model_id);
    free(user);
    return result;
}

hub_result hub_device_request_check(const hub_registry *r, const hub_device_request *request,
                                    int64_t now_s, hub_device_proof *proof, hub_fault *fault)
{
    hub_result result = hub_fail(fault, HUB_ERR_UNAUTHORIZED, "the request names no host");

    for (size_t i = 0; result != HUB_OK && i < request->host_count; i++) {
        if (request->hosts[i] != NULL && request->hosts[i][0] != '\0') {
            result = check_host(r, request, request->hosts[i], now_s, proof, fault);
        }
    }
    return result;
}
