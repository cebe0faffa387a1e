#include "login.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bag.h"
#include "text.h"
#include "token.h"

#define OLD_API "2016-11-14"

static hub_result refuse(hub_fault *fault, const char *why)
{
    return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "%s", why);
}

/* 2021-04-12 or 2025-08-01-preview */
static bool api_version_valid(const char *v, size_t len)
{
    static const char form[] = "dddd-dd-dd";

    if (len < sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)v[i]) : v[i] != '-') {
            return false;
        }
    }
    size_t rest = len - (sizeof form - 1);
    return rest == 0 || (rest == 8 && memcmp(v + 10, "-preview", 8) == 0);
}

/* api-version must be there; DeviceClientType, model-id and whatever else may be. */
static bool read_query(const char *query, bool *old_api)
{
    static const char name[] = "api-version=";
    bool found = false;

    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        if (strncmp(query, name, sizeof name - 1) == 0) {
            const char *version = query + sizeof name - 1;
            size_t version_len = len - (sizeof name - 1);
            if (found || !api_version_valid(version, version_len)) {
                return false;
            }
            found = true;
            *old_api = version_len == strlen(OLD_API) && memcmp(version, OLD_API, version_len) == 0;
        }
        query += len + (query[len] == '&' ? 1 : 0);
    }
    return found;
}

/* {host}/{client id}/[?]api-version=..; *host_len is the length of the host. */
static hub_result read_user_name(const hub_credentials *c, size_t *host_len, bool *old_api,
                                 hub_fault *fault)
{
    const char *user = c->user_name;

    if (user == NULL || c->password == NULL) {
        return refuse(fault, "no user name or no password");
    }
    *host_len = strcspn(user, "/");
    size_t id_len = strlen(c->client_id);
    const char *rest = user + *host_len;
    if (*host_len == 0 || *rest != '/' || strncmp(rest + 1, c->client_id, id_len) != 0 ||
        rest[1 + id_len] != '/') {
        return refuse(fault, "the user name does not fit the client id");
    }
    rest += id_len + 2;
    if (!read_query(rest + (*rest == '?' ? 1 : 0), old_api)) {
        return refuse(fault, "the user name has no valid api-version");
    }
    return HUB_OK;
}

static bool signed_by_policy(const hub_registry *r, const hub_token *t, unsigned rights)
{
    const hub_policy *policy = hub_registry_policy(r, t->policy);

    return policy != NULL && (policy->rights & rights) == rights &&
           (hub_token_signed_by(t, policy->primary_key) ||
            hub_token_signed_by(t, policy->secondary_key));
}

static hub_result check_token(const hub_registry *r, const hub_identity *id, const hub_token *t,
                              const char *resource, int64_t now_s, hub_fault *fault)
{
    bool genuine = t->policy != NULL ? signed_by_policy(r, t, HUB_RIGHT_DEVICE_CONNECT)
                                     : hub_token_signed_by(t, id->primary_key) ||
                                           hub_token_signed_by(t, id->secondary_key);
    if (!genuine) {
        return refuse(fault, "the token is not signed with a key that may connect this device");
    }
    if (!hub_token_covers(t, resource)) {
        return refuse(fault, "the token is for another resource");
    }
    if (t->expiry_s <= now_s) {
        return refuse(fault, "the token has expired");
    }
    return HUB_OK;
}

static char *resource_of(const hub_credentials *c, size_t host_len, const hub_identity *id)
{
    hub_text t = { 0 };

    hub_text_add(&t, c->user_name, host_len);
    hub_text_printf(&t, "/devices/%s", id->device);
    if (id->module != NULL) {
        hub_text_printf(&t, "/modules/%s", id->module);
    }
    return t.p;
}

static hub_result check_identity(const hub_registry *r, const hub_identity *id, hub_fault *fault)
{
    if (id == NULL) {
        return refuse(fault, "not registered");
    }
    const hub_identity *device = hub_registry_find(r, id->device, NULL);
    if (!id->enabled || device == NULL || !device->enabled) {
        return refuse(fault, "disabled");
    }
    if (!hub_id_fits_mqtt(id->client_id)) {
        return refuse(fault, "an id with '+' or '#' cannot use MQTT");
    }
    return HUB_OK;
}

hub_result hub_login_check(const hub_registry *r, const hub_credentials *c, int64_t now_s,
                           hub_login *out, hub_fault *fault)
{
    hub_identity *id = hub_registry_find_client(r, c->client_id);
    hub_token token;
    size_t host_len = 0;
    bool old_api = false;

    hub_result result = read_user_name(c, &host_len, &old_api, fault);
    if (result == HUB_OK) {
        result = check_identity(r, id, fault);
    }
    if (result == HUB_OK) {
        result = hub_token_parse(c->password, &token, fault);
    }
    if (result != HUB_OK) {
        return result;
    }
    char *resource = resource_of(c, host_len, id);
    result = check_token(r, id, &token, resource, now_s, fault);
    *out = (hub_login){ .identity = id, .expires_s = token.expiry_s, .old_api = old_api };
    free(resource);
    hub_token_free(&token);
    return result;
}

static bool covers_any(const hub_token *t, const char *const *hosts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hosts[i] != NULL && hub_token_covers(t, hosts[i])) {
            return true;
        }
    }
    return false;
}

hub_result hub_login_service(const hub_registry *r, const char *authorization, unsigned rights,
                             const char *const *hosts, size_t host_count, int64_t now_s,
                             hub_fault *fault)
{
    hub_token token;

    if (authorization == NULL) {
        return refuse(fault, "no Authorization header");
    }
    hub_result result = hub_token_parse(authorization, &token, fault);
    if (result != HUB_OK) {
        return result;
    }
    if (token.policy == NULL || !signed_by_policy(r, &token, rights)) {
        result = refuse(fault, "the token is not signed with a policy that allows this");
    } else if (!covers_any(&token, hosts, host_count)) {
        result = refuse(fault, "the token is for another resource");
    } else if (token.expiry_s <= now_s) {
        result = refuse(fault, "the token has expired");
    }
    hub_token_free(&token);
    return result;
}
