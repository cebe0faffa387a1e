#include "rest/rest_target.h"

#include <stdlib.h>
#include <string.h>

bool rest_etag_matches(const char *wanted, const char *etag)
{
    if (wanted == NULL || strcmp(wanted, "*") == 0 || strcmp(wanted, "\"*\"") == 0) {
        return true;
    }
    size_t len = strlen(wanted);
    if (len >= 2 && wanted[0] == '"' && wanted[len - 1] == '"') {
        wanted++;
        len -= 2;
    }
    return strlen(etag) == len && memcmp(wanted, etag, len) == 0;
}

static hub_result check_etag(const char *if_match, char *etag, const char *what, hub_fault *fault)
{
    bool fits = rest_etag_matches(if_match, etag);

    free(etag);
    return fits ? HUB_OK : hub_fail(fault, HUB_ERR_ETAG, "the %s has changed", what);
}

hub_result rest_check_identity_etag(const char *if_match, const hub_identity *id, hub_fault *fault)
{
    return check_etag(if_match, hub_identity_etag(id), "identity", fault);
}

hub_result rest_check_twin_etag(const char *if_match, const hub_identity *id, hub_fault *fault)
{
    return check_etag(if_match, hub_twin_etag(&id->twin), "twin", fault);
}

hub_identity *rest_identity(hub *h, const rest_request *r, rest_handling *out)
{
    hub_identity *id = hub_registry_find(&h->registry, r->args[0], NULL);

    if (id == NULL) {
        (void)rest_fail(out, HUB_ERR_NO_DEVICE, "no such device");
        return NULL;
    }
    if (r->args[1] != NULL) {
        id = hub_registry_find(&h->registry, r->args[0], r->args[1]);
        if (id == NULL) {
            (void)rest_fail(out, HUB_ERR_NO_MODULE, "no such module");
        }
    }
    return id;
}
