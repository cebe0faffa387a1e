#include "registry/login.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "messages/bag.h"
#include "registry/token.h"

#define OLD_API      "2016-11-14"
#define MODEL_ID_MAX 4096

static hub_result refuse(hub_fault *fault, const char *why)
{
    return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "%s", why);
}

static int two_digits(const char *s)
{
    return (s[0] - '0') * 10 + s[1] - '0';
}

bool hub_api_version_valid(const char *v, size_t len)
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
    int month = two_digits(v + 5);
    int day = two_digits(v + 8);
    if (memcmp(v, "2015", 4) < 0 || month < 1 || month > 12 || day < 1 || day > 31) {
        return false;
    }
    size_t rest = len - (sizeof form - 1);
    return rest == 0 || (rest == 8 && memcmp(v + 10, "-preview", 8) == 0);
}

/* Finds a parameter by name. Returns false if it is given twice; *value is NULL if it is
 * missing. */
static bool find_parameter(const char *query, const char *name, const char **value,
                           size_t *value_len)
{
    const size_t name_len = strlen(name);

    *value = NULL;
    *value_len = 0;
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        if (len > name_len && strncmp(query, name, name_len) == 0 && query[name_len] == '=') {
            if (*value != NULL) {
                return false;
            }
            *value = query + name_len + 1;
            *value_len = len - name_len - 1;
        }
        query += len + (query[len] == '&' ? 1 : 0);
    }
    return true;
}

static bool read_api_version(const char *query, bool *old_api)
{
    const char *version;
    size_t len;

    if (!find_parameter(query, "api-version", &version, &len) || version == NULL ||
        !hub_api_version_valid(version, len)) {
        return false;
    }
    *old_api = len == strlen(OLD_API) && memcmp(version, OLD_API, len) == 0;
    return true;
}

/* Reads the model id of IoT Plug and Play, which is percent-encoded, such as
 * dtmi%3Acom%3Aexample%3AThermostat%3B1. Returns NULL if it is not valid text. */
static char *read_model_id(const char *query)
{
    const char *encoded;
    size_t len;

    if (!find_parameter(query, "model-id", &encoded, &len) || len > MODEL_ID_MAX) {
        return NULL;
    }
    char *model = hub_percent_decode(encoded != NULL ? encoded : "", len);
    if (model != NULL && !hub_utf8_plain(model)) {
        free(model);
        model = NULL;
    }
    return model;
}

/* Parses {host}/{client id}/[?]api-version=..; *host_len is the length of the host. */
static hub_result read_user_name(const hub_credentials *c, size_t *host_len, hub_login *out,
                                 hub_fault *fault)
{
    const char *user = c->user_name;

    if (user == NULL) {
        return refuse(fault, "no user name");
    }
    *host_len = strcspn(user, "/");
    size_t id_len = strlen(c->client_id);
    const char *rest = user + *host_len;
    if (*host_len == 0 || *rest != '/' || strncmp(rest + 1, c->client_id, id_len) != 0 ||
        rest[1 + id_len] != '/') {
        return refuse(fault, "the user name does not fit the client id");
    }
    rest += id_len + 2;
    rest += *rest == '?' ? 1 : 0;
    if (!read_api_version(rest, &out->old_api)) {
        return refuse(fault, "the user name has no valid api-version");
    }
    out->model_id = read_model_id(rest);
    return out->model_id != NULL ? HUB_OK
                                 : refuse(fault, "the model-id of the user name is not readable");
}

static bool signed_by_policy(const hub_registry *r, const hub_token *t, unsigned rights)
{
    const hub_policy *policy = hub_policies_find(&r->policies, t->policy);

    return policy != NULL && (rights == 0 || (policy->rights & rights) != 0) &&
           (hub_token_signed_by(t, policy->primary_key) ||
            hub_token_signed_by(t, policy->secondary_key));
}

/* Some tools of the vendor have made tokens for {hub}/devices/{d}/api-version=2016-11-14, which
 * the hub accepts. */
static bool covers_version(const hub_token *t, const char *resource)
{
    const char *version = strrchr(t->resource, '/');

    if (version == NULL || strncmp(version, "/api-version=", 13) != 0) {
        return false;
    }
    char *versioned = hub_format("%s%s", resource, version);
    bool covers = hub_token_covers(t, versioned);
    free(versioned);
    return covers;
}

/* The keys of an identity that uses a certificate do not count. */
static bool signed_by_device(const hub_identity *id, const hub_token *t)
{
    return id->auth_type == HUB_AUTH_SAS &&
           (hub_token_signed_by(t, id->primary_key) || hub_token_signed_by(t, id->secondary_key));
}

static hub_result check_token(const hub_registry *r, const hub_identity *id, const hub_token *t,
                              const char *resource, int64_t now_s, hub_fault *fault)
{
    bool genuine = t->policy != NULL ? signed_by_policy(r, t, HUB_RIGHT_DEVICE_CONNECT)
                                     : signed_by_device(id, t);
    if (!genuine) {
        return refuse(fault, "the token is not signed with a key that may connect this device");
    }
    if (!hub_token_covers(t, resource) && !covers_version(t, resource)) {
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

static hub_result check_password(const hub_registry *r, const hub_credentials *c, size_t host_len,
                                 int64_t now_s, hub_login *out, hub_fault *fault)
{
    const hub_identity *id = out->identity;
    hub_token token;

    hub_result result = hub_token_parse(c->password, &token, fault);
    if (result != HUB_OK) {
        return result;
    }
    char *resource = resource_of(c, host_len, id);
    result = check_token(r, id, &token, resource, now_s, fault);
    out->expires_s = token.expiry_s;
    out->auth_scope = id->module != NULL ? "module" : "device";
    out->auth_scope = token.policy != NULL ? "hub" : out->auth_scope;
    out->auth_type = "sas";
    free(resource);
    hub_token_free(&token);
    return result;
}

static hub_result check_ca(const hub_registry *r, const hub_identity *id,
                           const hub_client_chain *chain, const hub_certificate *leaf,
                           int64_t now_s, hub_fault *fault)
{
    hub_result result = hub_client_chain_check_path(chain, r->authorities.items,
                                                    r->authorities.count, now_s, NULL, fault);

    if (result == HUB_OK && strcmp(leaf->name, id->client_id) != 0) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED,
                        "the common name of the client certificate, %.60s, is not %.140s",
                        leaf->name, id->client_id);
    }
    return result;
}

static hub_result check_certificate(const hub_registry *r, const hub_credentials *c, int64_t now_s,
                                    hub_login *out, hub_fault *fault)
{
    const hub_identity *id = out->identity;
    const hub_client_chain *chain = c->chain;
    const hub_certificate *leaf = chain != NULL && chain->count > 0 ? chain->items[0] : NULL;

    if (leaf == NULL) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "no client certificate");
    }
    hub_result result =
        id->auth_type == HUB_AUTH_CA
            ? check_ca(r, id, chain, leaf, now_s, fault)
            : hub_client_chain_check_thumbprint(chain, id->primary_thumbprint,
                                                id->secondary_thumbprint, now_s, fault);
    if (result == HUB_OK) {
        out->expires_s = leaf->not_after_s;
        out->auth_scope = id->module != NULL ? "module" : "device";
        out->auth_type = "x509";
    }
    return result;
}

/* A token of a policy opens any identity, also one that uses a certificate. */
static hub_result check_proof(const hub_registry *r, const hub_credentials *c, size_t host_len,
                              int64_t now_s, hub_login *out, hub_fault *fault)
{
    const bool has_password = c->password != NULL && c->password[0] != '\0';

    if (has_password) {
        return check_password(r, c, host_len, now_s, out, fault);
    }
    return out->identity->auth_type != HUB_AUTH_SAS
               ? check_certificate(r, c, now_s, out, fault)
               : refuse(fault, "no password, which an identity with symmetric keys needs");
}

hub_result hub_login_check(const hub_registry *r, const hub_credentials *c, int64_t now_s,
                           hub_login *out, hub_fault *fault)
{
    hub_identity *id = hub_registry_find_client(r, c->client_id);
    size_t host_len = 0;

    *out = (hub_login){ .identity = id };
    hub_result result = read_user_name(c, &host_len, out, fault);
    if (result == HUB_OK) {
        result = check_identity(r, id, fault);
    }
    if (result == HUB_OK) {
        result = check_proof(r, c, host_len, now_s, out, fault);
    }
    if (result != HUB_OK) {
        free(out->model_id);
        out->model_id = NULL;
    }
    return result;
}

static bool covers_any(const hub_token *t, const hub_service_access *access)
{
    bool covers = false;

    for (size_t i = 0; i < access->host_count && !covers; i++) {
        if (access->hosts[i] != NULL) {
            char *resource = hub_format("%s%s", access->hosts[i], access->path);
            covers = hub_token_covers(t, resource);
            free(resource);
        }
    }
    return covers;
}

hub_result hub_login_service(const hub_registry *r, const char *authorization,
                             const hub_service_access *access, int64_t now_s, hub_fault *fault)
{
    hub_token token;

    if (authorization == NULL) {
        return refuse(fault, "no Authorization header");
    }
    hub_result result = hub_token_parse(authorization, &token, fault);
    if (result != HUB_OK) {
        return result;
    }
    if (token.policy == NULL || !signed_by_policy(r, &token, access->rights)) {
        result = refuse(fault, "the token is not signed with a policy that allows this");
    } else if (!covers_any(&token, access)) {
        result = refuse(fault, "the token is for another resource");
    } else if (token.expiry_s <= now_s) {
        result = refuse(fault, "the token has expired");
    }
    hub_token_free(&token);
    return result;
}
