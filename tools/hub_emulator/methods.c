#include "methods.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/json_text.h"
#include "text.h"

#define RESPONSE_S_MIN     5
#define RESPONSE_S_MAX     300
#define RESPONSE_S_DEFAULT 30
#define CONNECT_S_MAX      300

/* '+' and '#' are not on the hub's list, but no topic can carry them. */
static bool name_valid(const char *name)
{
    size_t len = strlen(name);

    for (const char *p = name; *p != '\0'; p++) {
        if (*p <= 0x20 || *p >= 0x7F || strchr("$()<>@,;:\\\"/[]?={}+#%&", *p) != NULL) {
            return false;
        }
    }
    return len > 0 && len <= 100;
}

static hub_result read_timeout(const cJSON *body, const char *name, int64_t min, int64_t max,
                               int64_t *seconds, hub_fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, name);

    if (item == NULL || cJSON_IsNull(item)) {
        return HUB_OK;
    }
    if (!hub_json_whole(item, min, max, seconds)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "%s: not a whole number from %d to %d", name,
                        (int)min, (int)max);
    }
    return HUB_OK;
}

static hub_result read_request(hub_method *method, const hub_method_request *request,
                               int64_t *connect_s, hub_fault *fault)
{
    const cJSON *body = request->json;
    const char *name = hub_json_string(body, "methodName");
    const json_text payload =
        json_text_member((json_text){ request->text, request->len }, "payload");
    int64_t response_s = RESPONSE_S_DEFAULT;

    if (name == NULL || !name_valid(name)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "methodName is missing or not allowed");
    }
    hub_result r = read_timeout(body, "responseTimeoutInSeconds", RESPONSE_S_MIN, RESPONSE_S_MAX,
                                &response_s, fault);
    if (r == HUB_OK) {
        r = read_timeout(body, "connectTimeoutInSeconds", 0, CONNECT_S_MAX, connect_s, fault);
    }
    if (r != HUB_OK) {
        return r;
    }
    method->name = hub_strdup(name);
    method->payload = hub_memdup(payload.ptr, payload.len);
    method->response_ms = response_s * 1000;
    if (payload.len > HUB_METHOD_BYTES_MAX) {
        return hub_fail(fault, HUB_ERR_TOO_LARGE, "the payload is larger than 128 KB");
    }
    return HUB_OK;
}

static void free_method(hub_method *method)
{
    free(method->client_id);
    free(method->name);
    free(method->payload);
    free(method);
}

hub_result hub_methods_add(hub_methods *m, const char *client_id, const hub_method_request *request,
                           int64_t now_ms, hub_method_done done, void *user, hub_fault *fault)
{
    hub_method *method = hub_calloc(1, sizeof *method);
    int64_t connect_s = 0;

    hub_result r = read_request(method, request, &connect_s, fault);
    if (r != HUB_OK) {
        free_method(method);
        return r;
    }
    (void)snprintf(method->rid, sizeof method->rid, "%" PRIu64, ++m->last_rid);
    method->client_id = hub_strdup(client_id);
    method->deadline_ms = now_ms + connect_s * 1000;
    method->done = done;
    method->user = user;
    m->items = hub_realloc(m->items, (m->count + 1) * sizeof *m->items);
    m->items[m->count++] = method;
    return HUB_OK;
}

hub_method *hub_methods_waiting(hub_methods *m, const char *client_id)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->items[i]->state == HUB_METHOD_WAITING &&
            strcmp(m->items[i]->client_id, client_id) == 0) {
            return m->items[i];
        }
    }
    return NULL;
}

void hub_methods_sent(hub_method *method, int64_t now_ms)
{
    method->state = HUB_METHOD_SENT;
    method->deadline_ms = now_ms + method->response_ms;
}

static hub_method *take_at(hub_methods *m, size_t i)
{
    hub_method *method = m->items[i];

    m->count--;
    memmove(m->items + i, m->items + i + 1, (m->count - i) * sizeof *m->items);
    return method;
}

static void finish(hub_method *method, const hub_method_answer *answer)
{
    method->done(method->user, answer);
    free_method(method);
}

bool hub_methods_answer(hub_methods *m, const char *client_id, const char *rid, size_t rid_len,
                        const hub_method_answer *answer)
{
    for (size_t i = 0; i < m->count; i++) {
        const hub_method *method = m->items[i];
        if (method->state == HUB_METHOD_SENT && strcmp(method->client_id, client_id) == 0 &&
            strlen(method->rid) == rid_len && memcmp(method->rid, rid, rid_len) == 0) {
            finish(take_at(m, i), answer);
            return true;
        }
    }
    return false;
}

void hub_methods_expire(hub_methods *m, int64_t now_ms)
{
    static const hub_method_answer offline = {
        .result = HUB_ERR_NOT_ONLINE,
        .why = "{\"errorCode\":404103,\"message\":\"Timed out waiting for device to connect.\"}",
    };
    static const hub_method_answer silent = {
        .result = HUB_ERR_TIMEOUT,
        .why = "{\"errorCode\":504101,\"message\":\"Timed out waiting for the response from "
               "device.\"}",
    };
    for (size_t i = 0; i < m->count;) {
        if (m->items[i]->deadline_ms > now_ms) {
            i++;
            continue;
        }
        hub_method *method = take_at(m, i);
        finish(method, method->state == HUB_METHOD_WAITING ? &offline : &silent);
    }
}

void hub_methods_end(hub_methods *m, const char *client_id, const hub_method_answer *answer)
{
    for (size_t i = 0; i < m->count;) {
        if (strcmp(m->items[i]->client_id, client_id) == 0) {
            finish(take_at(m, i), answer);
        } else {
            i++;
        }
    }
}

void hub_methods_forget(hub_methods *m, const void *user)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->items[i]->user == user) {
            free_method(take_at(m, i));
            return;
        }
    }
}

void hub_methods_free(hub_methods *m)
{
    while (m->count > 0) {
        free_method(take_at(m, m->count - 1));
    }
    free(m->items);
    *m = (hub_methods){ 0 };
}
