#include "rest/rest_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "messages/bag.h"

hub_result rest_request_split(rest_request *r, hub_fault *fault)
{
    const char *p = r->raw_path != NULL ? r->raw_path : r->path;

    while (*p == '/') {
        p++;
        size_t len = strcspn(p, "/");
        if (len == 0 && p[len] == '\0') {
            break; /* one slash at the end is allowed */
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

typedef int (*compare_text)(const char *a, const char *b, size_t len);

static bool matches(rest_request *r, const char *pattern, compare_text compare)
{
    size_t args = 0;

    memset(r->args, 0, sizeof r->args);
    for (size_t i = 0; i < r->segment_count; i++) {
        size_t len = strcspn(pattern, "/");
        bool any = len == 2 && memcmp(pattern, "{}", 2) == 0;
        if (any && args < REST_ARGS_MAX) {
            r->args[args++] = r->segments[i];
        } else if (strlen(r->segments[i]) != len || compare(pattern, r->segments[i], len) != 0) {
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

bool rest_request_matches(rest_request *r, const char *pattern)
{
    return matches(r, pattern, strncmp);
}

bool rest_request_matches_any_case(rest_request *r, const char *pattern)
{
    return matches(r, pattern, strncasecmp);
}

void rest_request_set_login(rest_request *r, const char *auth_scope, const char *auth_type)
{
    r->auth_scope = auth_scope;
    r->auth_type = auth_type;
}

void rest_request_each_header(const rest_request *r, rest_header_visitor visit, void *user)
{
    if (r->headers != NULL) {
        r->headers(r, visit, user);
    }
}

hub_result rest_request_read_body(rest_request *r, hub_fault *fault)
{
    if (r->body_len == 0) {
        return HUB_OK;
    }
    r->json = hub_json_read(r->body, r->body_len);
    if (r->json != NULL) {
        return HUB_OK;
    }
    return hub_fail(fault, HUB_ERR_ARGUMENT, "%s",
                    hub_json_valid(r->body, r->body_len)
                        ? "the body is nested too deeply or contains \\u0000"
                        : "the body is not JSON");
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

/* A number that is out of range is limited, as the service does it; anything else is an error. */
bool rest_page_size(const rest_request *r, size_t limit, size_t *max)
{
    const char *text = r->max_item_count;

    *max = limit;
    if (text == NULL || *text == '\0') {
        return true;
    }
    const char *digits = *text == '-' ? text + 1 : text;
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits)) {
        return false;
    }
    long n = strtol(text, NULL, 10); /* a number that is too large becomes the largest one */
    if (n > 0 && (unsigned long)n < limit) {
        *max = (size_t)n;
    }
    return true;
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
