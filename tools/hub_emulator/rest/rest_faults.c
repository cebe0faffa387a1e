#include "rest/rest_faults.h"

#include <string.h>

#include "hub/hub_orders.h"
#include "rest/rest_target.h"

#define COUNT_MAX    1000000
#define DELAY_MAX_MS 600000
#define BYTES_MAX    UINT32_MAX
#define ALERT_MAX    255
#define STATUS_MIN   400
#define STATUS_MAX   599
#define BUSY         503

static const cJSON *member(const cJSON *json, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

/* Reads a number that may be missing. */
static bool number(const cJSON *json, const char *name, int64_t min, int64_t max, int64_t *out)
{
    const cJSON *item = member(json, name);

    return item == NULL || hub_json_whole(item, min, max, out);
}

/* A text of a table, and what it stands for. */
typedef struct word {
    const char *text;
    unsigned value;
} word;

static bool find(const word *words, size_t count, const cJSON *item, unsigned *out)
{
    const char *text = cJSON_GetStringValue(item);

    for (size_t i = 0; text != NULL && i < count; i++) {
        if (strcmp(words[i].text, text) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

/* Reads a set: one text or a list of them; all, if it is missing. */
static bool read_set(const word *words, size_t count, const cJSON *item, unsigned *set)
{
    const cJSON *one;
    unsigned value;

    *set = 0;
    if (item == NULL) {
        for (size_t i = 0; i < count; i++) {
            *set |= words[i].value;
        }
        return true;
    }
    if (find(words, count, item, set)) {
        return true;
    }
    cJSON_ArrayForEach(one, item)
    {
        if (!find(words, count, one, &value)) {
            return false;
        }
        *set |= value;
    }
    return *set != 0;
}

/* What most faults have: how many, after how many, and the status. */
typedef struct amount {
    int64_t count;
    int64_t skip;
    int64_t status;
} amount;

static bool read_amount(const cJSON *json, amount *a)
{
    *a = (amount){ .count = 1, .status = BUSY };
    return cJSON_IsObject(json) && number(json, "count", 0, COUNT_MAX, &a->count) &&
           number(json, "skip", 0, COUNT_MAX, &a->skip) &&
           number(json, "status", STATUS_MIN, STATUS_MAX, &a->status);
}

/* --- connections of a device -------------------------------------------- */

typedef struct order {
    const char *name;
    hub_note_kind kind;
    int64_t max;
} order;

static const order orders[] = {
    { "delayMs", HUB_NOTE_DELAY, DELAY_MAX_MS },
    { "delayPubacksMs", HUB_NOTE_DELAY_PUBACKS, DELAY_MAX_MS },
    { "cutToDevice", HUB_NOTE_CUT_TO_DEVICE, BYTES_MAX },
    { "cutFromDevice", HUB_NOTE_CUT_FROM_DEVICE, BYTES_MAX },
};

static bool read_drop(const cJSON *json, unsigned *how)
{
    static const word words[] = { { "close", HUB_DROP_CLOSE }, { "reset", HUB_DROP_RESET } };

    return find(words, sizeof words / sizeof words[0], json, how);
}

/* Sends the orders of the body, or with id NULL only checks them. Returns false if one is wrong or
 * there is none. */
static bool give_orders(const hub *h, const hub_identity *id, const cJSON *json)
{
    const cJSON *drop = member(json, "drop");
    size_t given = 0;
    unsigned how;

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        int64_t value = -1;
        if (!number(json, orders[i].name, 0, orders[i].max, &value)) {
            return false;
        }
        if (value >= 0 && id != NULL) {
            (void)hub_order_identity(h, id, orders[i].kind, (uint32_t)value);
        }
        given += value >= 0 ? 1 : 0;
    }
    if (drop != NULL && !read_drop(drop, &how)) {
        return false;
    }
    if (drop != NULL && id != NULL) {
        (void)hub_order_identity(h, id, HUB_NOTE_DROP, how);
    }
    return given > 0 || drop != NULL;
}

static rest_outcome fault_device(hub *h, rest_request *r, rest_handling *out)
{
    const hub_identity *id = rest_identity(h, r, out);

    if (id == NULL) {
        return REST_REPLY;
    }
    if (!give_orders(h, NULL, r->json)) {
        return rest_fail(out, HUB_ERR_ARGUMENT,
                         "drop, delayMs, delayPubacksMs, cutToDevice or cutFromDevice: missing or "
                         "wrong");
    }
    if (hub_list_first(&id->connections) == NULL) {
        return rest_fail(out, HUB_ERR_NOT_ONLINE, "the device is not connected");
    }
    (void)give_orders(h, id, r->json);
    return rest_empty(out, 204);
}

/* --- the next connections and requests ---------------------------------- */

/* These functions set a fault, or with h NULL only check it. They return false if it is wrong. */

static bool fault_tls(hub *h, const cJSON *json)
{
    int64_t alert = 80; /* internal_error */
    amount a;

    if (!read_amount(json, &a) || !number(json, "alert", 0, ALERT_MAX, &alert)) {
        return false;
    }
    if (h != NULL) {
        hub_order_next(h, HUB_NOTE_REFUSE_TLS, (uint32_t)alert, (uint64_t)a.count);
    }
    return true;
}

/* A delay, or a refusal. */
static bool fault_upgrades(hub *h, const cJSON *json)
{
    int64_t delay_ms = -1;
    amount a;

    if (!read_amount(json, &a) || !number(json, "delayMs", 0, DELAY_MAX_MS, &delay_ms)) {
        return false;
    }
    if (h == NULL) {
        return true;
    }
    if (delay_ms >= 0) {
        hub_order_next(h, HUB_NOTE_DELAY_UPGRADES, (uint32_t)delay_ms, (uint64_t)a.count);
    } else {
        hub_order_next(h, HUB_NOTE_REFUSE_UPGRADES, (uint32_t)a.status, (uint64_t)a.count);
    }
    return true;
}

static bool fault_requests(hub *h, const cJSON *json)
{
    static const word kinds[] = { { "files", HUB_REQUEST_FILES },
                                  { "notifications", HUB_REQUEST_NOTIFICATIONS },
                                  { "service", HUB_REQUEST_SERVICE },
                                  { "telemetry", HUB_REQUEST_TELEMETRY },
                                  { "c2d", HUB_REQUEST_C2D } };
    unsigned set;
    amount a;

    if (!read_amount(json, &a) ||
        !read_set(kinds, sizeof kinds / sizeof kinds[0], member(json, "on"), &set)) {
        return false;
    }
    const hub_request_faults faults = { (unsigned)a.skip, (unsigned)a.count, set, (int)a.status };
    if (h != NULL) {
        hub_set_request_faults(h, &faults);
    }
    return true;
}

static bool fault_storage(hub *h, const cJSON *json)
{
    static const word kinds[] = { { "status", HUB_STORAGE_FAULT_STATUS },
                                  { "close", HUB_STORAGE_FAULT_CLOSE },
                                  { "stall", HUB_STORAGE_FAULT_STALL },
                                  { "lose", HUB_STORAGE_FAULT_LOSE } };
    static const word operations[] = { { "blob", HUB_STORAGE_PUT_BLOB },
                                       { "block", HUB_STORAGE_PUT_BLOCK },
                                       { "blocklist", HUB_STORAGE_PUT_LIST },
                                       { "read", HUB_STORAGE_READ } };
    unsigned kind = HUB_STORAGE_FAULT_STATUS;
    int64_t after = 0;
    unsigned set;
    amount a;

    if (!read_amount(json, &a) || !number(json, "after", 0, BYTES_MAX, &after) ||
        !read_set(operations, sizeof operations / sizeof operations[0], member(json, "on"), &set) ||
        (member(json, "kind") != NULL &&
         !find(kinds, sizeof kinds / sizeof kinds[0], member(json, "kind"), &kind))) {
        return false;
    }
    const hub_storage_faults faults = {
        .skip = (unsigned)a.skip,
        .count = (unsigned)a.count,
        .on = set,
        .kind = (hub_storage_fault_kind)kind,
        .status = (unsigned)a.status,
        .after = (uint64_t)after,
    };
    if (h != NULL) {
        hub_set_storage_faults(h, &faults);
    }
    return true;
}

static const struct {
    const char *name;
    bool (*set)(hub *h, const cJSON *json);
} next_faults[] = {
    { "tls", fault_tls },
    { "upgrades", fault_upgrades },
    { "requests", fault_requests },
    { "storage", fault_storage },
};

/* Sets the faults of the body, or with h NULL only checks them. Returns false if one is wrong or
 * there is none. */
static bool set_next(hub *h, const cJSON *json)
{
    bool good = true;
    size_t given = 0;

    for (size_t i = 0; i < sizeof next_faults / sizeof next_faults[0]; i++) {
        const cJSON *fault = member(json, next_faults[i].name);
        if (fault != NULL) {
            good = next_faults[i].set(h, fault) && good;
            given++;
        }
    }
    return good && given > 0;
}

static rest_outcome fault_next(hub *h, rest_request *r, rest_handling *out)
{
    if (!set_next(NULL, r->json)) {
        return rest_fail(out, HUB_ERR_ARGUMENT,
                         "tls, upgrades, requests or storage: missing or wrong");
    }
    (void)set_next(h, r->json);
    return rest_empty(out, 204);
}

const rest_route rest_faults_routes[] = {
    { "PUT", "emulator/faults", HUB_RIGHT_SERVICE_CONNECT, fault_next },
    { "PUT", "emulator/devices/{}/faults", HUB_RIGHT_SERVICE_CONNECT, fault_device },
    { "PUT", "emulator/devices/{}/modules/{}/faults", HUB_RIGHT_SERVICE_CONNECT, fault_device },
    { NULL, NULL, 0, NULL },
};

/* --- requests that fail ------------------------------------------------- */

static unsigned kind_of(const rest_route *route)
{
    if (strncmp(route->pattern, "emulator/", strlen("emulator/")) == 0) {
        return 0;
    }
    if (route->rights != HUB_RIGHT_DEVICE_CONNECT) {
        return HUB_REQUEST_SERVICE;
    }
    static const word parts[] = { { "/notifications", HUB_REQUEST_NOTIFICATIONS },
                                  { "/messages/events", HUB_REQUEST_TELEMETRY },
                                  { "/messages/devicebound", HUB_REQUEST_C2D } };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strstr(route->pattern, parts[i].text) != NULL) {
            return parts[i].value;
        }
    }
    return HUB_REQUEST_FILES;
}

bool rest_faults_refuse(hub *h, const rest_route *route, rest_handling *out)
{
    const int status = hub_take_request_fault(h, kind_of(route));

    if (status == 0) {
        return false;
    }
    (void)rest_fail(out, HUB_ERR_STATE, "on request");
    rest_set_status(out, status);
    return true;
}
