#include "dps/dps_faults.h"

#include <string.h>

#define COUNT_MAX       1000000
#define RETRY_AFTER_MAX 86400

static const struct {
    const char *name;
    dps_fault_kind kind;
    unsigned targets; /* the requests it applies to by default */
    int code;         /* the error code by default */
} kinds[] = {
    { "status", DPS_FAULT_STATUS, DPS_ON_REGISTER | DPS_ON_POLL, DPS_CODE_THROTTLED },
    { "nonsense", DPS_FAULT_NONSENSE, DPS_ON_REGISTER | DPS_ON_POLL, 0 },
    { "half", DPS_FAULT_HALF, DPS_ON_REGISTER | DPS_ON_POLL, 0 },
    { "silence", DPS_FAULT_SILENCE, DPS_ON_REGISTER | DPS_ON_POLL, 0 },
    { "close", DPS_FAULT_CLOSE, DPS_ON_REGISTER | DPS_ON_POLL, 0 },
    { "failed", DPS_FAULT_FAILED, DPS_ON_REGISTER, DPS_CODE_ALLOCATION_FAILED },
    { "unassigned", DPS_FAULT_UNASSIGNED, DPS_ON_REGISTER, 0 },
};

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Reads a number. If the member is missing, *out keeps its default. */
static bool read_number(const cJSON *json, const char *name, int64_t min, int64_t max, int64_t *out,
                        dps_error *e)
{
    const cJSON *item = get(json, name);

    if (item == NULL || hub_json_whole(item, min, max, out)) {
        return true;
    }
    return dps_fail(e, DPS_CODE_ARGUMENT, "%s: not a whole number from %lld to %lld", name,
                    (long long)min, (long long)max);
}

static bool read_kind(const cJSON *json, dps_faults *f, dps_error *e)
{
    const char *kind = hub_json_string(json, "kind");

    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].name) == 0) {
            f->kind = kinds[i].kind;
            f->targets = kinds[i].targets;
            f->code = kinds[i].code;
            return true;
        }
    }
    return dps_fail(e, DPS_CODE_ARGUMENT,
                    "kind: neither status, nonsense, half, silence, close, "
                    "failed nor unassigned");
}

static bool read_target(const cJSON *json, const dps_fault_words *words, dps_faults *f,
                        dps_error *e)
{
    const char *on = hub_json_string(json, "on");

    if (get(json, "on") == NULL) {
        return true;
    }
    if (on != NULL && strcmp(on, words->first) == 0) {
        f->targets = DPS_ON_REGISTER;
        return true;
    }
    if (on != NULL && strcmp(on, words->second) == 0 && f->kind != DPS_FAULT_FAILED &&
        f->kind != DPS_FAULT_UNASSIGNED) {
        f->targets = DPS_ON_POLL;
        return true;
    }
    return dps_fail(e, DPS_CODE_ARGUMENT, "on: neither %s nor %s, or not for this kind",
                    words->first, words->second);
}

/* Reads the error code. If it is missing, it is made from the status. */
static bool read_code(const cJSON *json, dps_faults *f, dps_error *e)
{
    int64_t status = f->code / 1000;
    int64_t code = f->code;

    if (!read_number(json, "status", 400, 599, &status, e)) {
        return false;
    }
    if (status != code / 1000) {
        code = status * 1000 + 1;
    }
    if (!read_number(json, "errorCode", 400000, 599999, &code, e)) {
        return false;
    }
    if (get(json, "status") != NULL && code / 1000 != status) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "errorCode: does not begin with the status");
    }
    f->code = (int)code;
    return true;
}

bool dps_faults_set(dps_faults *f, const cJSON *json, const dps_fault_words *words, dps_error *e)
{
    dps_faults next = { 0 };
    int64_t count = 0;
    int64_t retry_after = -1;

    if (get(json, "count") == NULL) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "count is missing");
    }
    if (!read_number(json, "count", 0, COUNT_MAX, &count, e) || !read_kind(json, &next, e) ||
        !read_target(json, words, &next, e) || !read_code(json, &next, e) ||
        !read_number(json, "retryAfter", 0, RETRY_AFTER_MAX, &retry_after, e)) {
        return false;
    }
    next.left = (unsigned)count;
    next.retry_after_s = (int)retry_after;
    *f = next;
    return true;
}

dps_fault_kind dps_faults_take(dps_faults *f, dps_fault_target target)
{
    if (f->left == 0 || (f->targets & target) == 0) {
        return DPS_FAULT_NONE;
    }
    f->left--;
    return f->kind;
}
