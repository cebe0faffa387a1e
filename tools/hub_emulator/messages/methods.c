#include "messages/methods.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json_text.h"

#define RESPONSE_S_MIN     5
#define RESPONSE_S_MAX     300
#define RESPONSE_S_DEFAULT 30
#define CONNECT_S_MAX      300

/* Returns whether a topic can contain the name. The hub itself does not forbid '+' and '#'. */
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

    if (name == NULL) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "methodName is missing");
    }
    if (!name_valid(name)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "methodName: %.100s is not allowed", name);
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
    free(method->name);
    free(method->payload);
    free(method);
}

/* --- whose they are ---------------------------------------------------- */

static hub_method_client *client_of(hub_methods *m, const char *client_id)
{
    hub_method_client *c = hub_names_get(&m->clients, client_id);

    if (c == NULL) {
        c = hub_calloc(1, sizeof *c);
        c->id = hub_strdup(client_id);
        hub_names_put(&m->clients, c->id, c);
    }
    return c;
}

static void join(hub_method_client *c, hub_method *method)
{
    method->client = c;
    method->previous = c->last;
    if (c->last != NULL) {
        c->last->next = method;
    } else {
        c->first = method;
    }
    c->last = method;
    if (c->waiting == NULL) {
        c->waiting = method;
    }
}

static void leave(hub_methods *m, hub_method *method)
{
    hub_method_client *c = method->client;

    c->waiting = c->waiting == method ? method->next : c->waiting;
    *(method->previous != NULL ? &method->previous->next : &c->first) = method->next;
    *(method->next != NULL ? &method->next->previous : &c->last) = method->previous;
    if (c->first == NULL) {
        hub_names_drop(&m->clients, c->id);
        free(c->id);
        free(c);
    }
}

/* --- all of them ------------------------------------------------------- */

/* Returns the index of the first method with this number or a larger one. */
static size_t place(const hub_methods *m, uint64_t number)
{
    size_t low = 0;
    size_t high = m->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->items[mid]->number < number) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* The number of methods that one call of the valid check looks at. */
#define LOOK_MAX 64

/* Returns whether the method agrees with its neighbours and with the ends of the list. */
static bool link_valid(const hub_method *method)
{
    const hub_method_client *c = method->client;
    const hub_method *p = method->previous;
    const hub_method *n = method->next;
    const bool waits = c->waiting != NULL && c->waiting->number <= method->number;

    return (p != NULL ? p->next == method && p->client == c && p->number < method->number
                      : c->first == method) &&
           (n != NULL ? n->previous == method && n->client == c : c->last == method) &&
           waits == (method->state == HUB_METHOD_WAITING);
}

bool hub_methods_valid(const hub_methods *m)
{
    for (size_t i = 0; i < m->count && m->count <= LOOK_MAX; i++) {
        const hub_method *method = m->items[i];
        if (method->number > m->last_number || method->deadline_ms < m->soonest_ms ||
            (i > 0 && m->items[i - 1]->number >= method->number) || !link_valid(method)) {
            return false;
        }
    }
    return m->count <= m->capacity;
}

static hub_method *find(const hub_methods *m, uint64_t number)
{
    size_t i = place(m, number);

    return i < m->count && m->items[i]->number == number ? m->items[i] : NULL;
}

static void take_out(hub_methods *m, hub_method *method)
{
    size_t i = place(m, method->number);

    leave(m, method);
    m->count--;
    memmove(m->items + i, m->items + i + 1, (m->count - i) * sizeof *m->items);
}

static void set_deadline(hub_methods *m, hub_method *method, int64_t deadline_ms)
{
    method->deadline_ms = deadline_ms;
    m->soonest_ms = deadline_ms < m->soonest_ms ? deadline_ms : m->soonest_ms;
}

hub_result hub_methods_add(hub_methods *m, const char *client_id, const hub_method_request *request,
                           int64_t now_ms, hub_method_done done, void *user, hub_fault *fault)
{
    hub_method *method = hub_calloc(1, sizeof *method);
    int64_t connect_s = 0;

    assert(hub_methods_valid(m));
    hub_result r = read_request(method, request, &connect_s, fault);
    if (r != HUB_OK) {
        free_method(method);
        return r;
    }
    method->number = ++m->last_number;
    (void)snprintf(method->rid, sizeof method->rid, "%" PRIu64, method->number);
    method->done = done;
    method->user = user;
    if (m->count == m->capacity) {
        m->capacity = m->capacity * 2 + 8;
        m->items = hub_realloc(m->items, m->capacity * sizeof(hub_method *));
    }
    m->items[m->count++] = method;
    set_deadline(m, method, now_ms + connect_s * 1000);
    join(client_of(m, client_id), method);
    return HUB_OK;
}

hub_method *hub_methods_waiting(hub_methods *m, const char *client_id)
{
    const hub_method_client *c = hub_names_get(&m->clients, client_id);
    return c != NULL ? c->waiting : NULL;
}

void hub_methods_sent(hub_methods *m, hub_method *method, int64_t now_ms)
{
    assert(hub_methods_valid(m));
    method->state = HUB_METHOD_SENT;
    method->client->waiting = method->next;
    set_deadline(m, method, now_ms + method->response_ms);
}

static void finish(hub_methods *m, hub_method *method, const hub_method_answer *answer)
{
    take_out(m, method);
    method->done(method->user, answer);
    free_method(method);
}

/* Reads a request id. Accepts only the form that was sent: no sign, no leading zero. */
static uint64_t read_rid(const char *rid, size_t len)
{
    uint64_t number = 0;

    if (len == 0 || len > 19 || *rid == '0') {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        if (rid[i] < '0' || rid[i] > '9') {
            return 0;
        }
        number = number * 10 + (uint64_t)(rid[i] - '0');
    }
    return number;
}

bool hub_methods_answer(hub_methods *m, const char *client_id, const char *rid, size_t rid_len,
                        const hub_method_answer *answer)
{
    hub_method *method = find(m, read_rid(rid, rid_len));

    assert(hub_methods_valid(m));
    if (method == NULL || method->state != HUB_METHOD_SENT ||
        strcmp(method->client->id, client_id) != 0) {
        return false;
    }
    finish(m, method, answer);
    return true;
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
    assert(hub_methods_valid(m));
    if (now_ms < m->soonest_ms) {
        return;
    }
    m->soonest_ms = INT64_MAX;
    for (size_t i = 0; i < m->count;) {
        hub_method *method = m->items[i];
        if (method->deadline_ms > now_ms) {
            set_deadline(m, method, method->deadline_ms);
            i++;
        } else {
            finish(m, method, method->state == HUB_METHOD_WAITING ? &offline : &silent);
        }
    }
}

void hub_methods_end(hub_methods *m, const char *client_id, const hub_method_answer *answer)
{
    const hub_method_client *c;

    assert(hub_methods_valid(m));
    while ((c = hub_names_get(&m->clients, client_id)) != NULL) {
        finish(m, c->first, answer);
    }
}

void hub_methods_forget(hub_methods *m, uint64_t number)
{
    hub_method *method = find(m, number);

    if (method != NULL) {
        take_out(m, method);
        free_method(method);
    }
}

void hub_methods_free(hub_methods *m)
{
    while (m->count > 0) {
        hub_methods_forget(m, m->items[m->count - 1]->number);
    }
    free(m->items);
    *m = (hub_methods){ 0 };
}
