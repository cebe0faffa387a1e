#include "rest/rest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

rest_outcome rest_json(rest_handling *out, int status, cJSON *json)
{
    out->reply.status = status;
    out->reply.text = hub_json_print(json);
    cJSON_Delete(json);
    return REST_REPLY;
}

rest_outcome rest_empty(rest_handling *out, int status)
{
    out->reply.status = status;
    return REST_REPLY;
}

rest_outcome rest_fail(rest_handling *out, hub_result code, const char *text)
{
    cJSON *json = cJSON_CreateObject();
    char *message = hub_format("ErrorCode:%s;%s", hub_result_name(code), text);

    hub_json_add_text(json, "Message", message);
    hub_json_add_text(json, "ExceptionMessage", "");
    free(message);
    out->reply.code = hub_result_name(code);
    return rest_json(out, hub_result_status(code), json);
}

rest_outcome rest_fault(rest_handling *out, const hub_fault *fault)
{
    return rest_fail(out, fault->code, fault->text);
}

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

bool rest_query_number(const rest_request *r, const char *name, int64_t max, int64_t *value)
{
    const char *text = r->query(r, name);
    char *end;

    if (text == NULL) {
        return true;
    }
    if (*text < '0' || *text > '9' || strlen(text) > 18) {
        return false;
    }
    int64_t n = strtoll(text, &end, 10);
    *value = n;
    return *end == '\0' && n <= max;
}

/* --- routing ----------------------------------------------------------- */

/* A path is split before it is decoded: %2F does not separate, and %00 does not end it. */
static hub_result split_path(rest_request *r, hub_fault *fault)
{
    const char *p = r->raw_path != NULL ? r->raw_path : r->path;

    while (*p == '/') {
        p++;
        size_t len = strcspn(p, "/");
        if (len == 0 && p[len] == '\0') {
            break; /* one slash at the end does no harm */
        }
        if (r->segment_count == REST_SEGMENTS_MAX) {
            return hub_fail(fault, HUB_ERR_NO_RESOURCE, "no such path");
        }
        char *segment = r->raw_path != NULL ? hub_percent_decode(p, len) : hub_memdup(p, len);
        if (segment == NULL) {
            return hub_fail(fault, HUB_ERR_ARGUMENT, "the path is not percent-encoded");
        }
        r->segments[r->segment_count++] = segment;
        p += len;
    }
    return *p == '\0' ? HUB_OK : hub_fail(fault, HUB_ERR_NO_RESOURCE, "no such path");
}

static bool matches(rest_request *r, const char *pattern)
{
    size_t args = 0;

    memset(r->args, 0, sizeof r->args);
    for (size_t i = 0; i < r->segment_count; i++) {
        size_t len = strcspn(pattern, "/");
        bool any = len == 2 && memcmp(pattern, "{}", 2) == 0;
        if (any && args < REST_ARGS_MAX) {
            r->args[args++] = r->segments[i];
        } else if (strlen(r->segments[i]) != len || memcmp(pattern, r->segments[i], len) != 0) {
            return false;
        }
        pattern += len;
        if (*pattern == '/') {
            pattern++;
        } else if (i + 1 < r->segment_count) {
            return false;
        }
    }
    return r->segment_count > 0 && *pattern == '\0';
}

static const rest_route *find_route(rest_request *r, bool *path_known)
{
    static const rest_route *const tables[] = { rest_registry_routes, rest_bulk_routes,
                                                rest_twin_routes,     rest_digital_twin_routes,
                                                rest_query_routes,    rest_emulator_routes };

    *path_known = false;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const rest_route *route = tables[t]; route->method != NULL; route++) {
            if (!matches(r, route->pattern)) {
                continue;
            }
            *path_known = true;
            if (strcmp(r->method, route->method) == 0) {
                return route;
            }
        }
    }
    return NULL;
}

/* The hub goes by the name in the request, with and without its port. */
static hub_result authorise(hub *h, const rest_request *r, unsigned rights, hub_fault *fault)
{
    char *host = hub_strdup(r->host != NULL ? r->host : "");
    char *port = strrchr(host, ':');

    if (port != NULL && strchr(port, ']') == NULL) {
        *port = '\0';
    }
    const char *hosts[] = { "localhost", host, r->host };
    const hub_service_access access = {
        .rights = rights, .hosts = hosts, .host_count = 3, .path = r->path
    };
    hub_result result =
        hub_login_service(&h->registry, r->authorization, &access, hub_now(h) / 1000, fault);
    free(host);
    return result;
}

static bool ours(const rest_request *r)
{
    return strcmp(r->segments[0], "emulator") == 0;
}

rest_outcome rest_handle(hub *h, rest_request *r, rest_handling *out)
{
    hub_fault fault;
    bool path_known = false;

    if (split_path(r, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    const rest_route *route = find_route(r, &path_known);
    hub_result result = authorise(h, r, route != NULL ? route->rights : 0, &fault);
    if (result != HUB_OK) {
        return rest_fault(out, &fault);
    }
    if (route == NULL) {
        return path_known
                   ? rest_fail(out, HUB_ERR_METHOD, "this path does not take this HTTP method")
                   : rest_fail(out, HUB_ERR_NO_RESOURCE, "no such path");
    }
    const char *version = r->query(r, "api-version");
    if (!ours(r) && (version == NULL || !hub_api_version_valid(version, strlen(version)))) {
        return rest_fail(out, HUB_ERR_VERSION, "api-version is missing or not a version");
    }
    if (r->body_len > 0) {
        r->json = hub_json_read(r->body, r->body_len);
        if (r->json == NULL) {
            return rest_fail(out, HUB_ERR_ARGUMENT,
                             hub_json_valid(r->body, r->body_len)
                                 ? "the body nests too deep or holds \\u0000"
                                 : "the body is not JSON");
        }
    }
    return route->handler(h, r, out);
}

void rest_abandon(hub *h, rest_handling *out)
{
    hub_methods_forget(&h->methods, out->method);
}

void rest_request_free(rest_request *r)
{
    for (size_t i = 0; i < r->segment_count; i++) {
        free(r->segments[i]);
    }
    r->segment_count = 0;
    cJSON_Delete(r->json);
    r->json = NULL;
}

void rest_reply_free(rest_reply *r)
{
    free(r->text);
    free(r->etag);
    free(r->continuation);
    free(r->command_status);
    *r = (rest_reply){ 0 };
}
