#include "rest/rest_request.h"

#include <stdlib.h>
#include <string.h>

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

bool rest_request_matches(rest_request *r, const char *pattern)
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
                        ? "the body nests too deep or holds \\u0000"
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

void rest_request_free(rest_request *r)
{
    for (size_t i = 0; i < r->segment_count; i++) {
        free(r->segments[i]);
    }
    r->segment_count = 0;
    cJSON_Delete(r->json);
    r->json = NULL;
}
