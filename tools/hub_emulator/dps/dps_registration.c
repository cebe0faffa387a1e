#include "dps/dps_registration.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "dps/dps_enrollment.h"

static const char *const status_names[] = {
    [DPS_UNASSIGNED] = "unassigned",
    [DPS_ASSIGNED] = "assigned",
    [DPS_FAILED] = "failed",
    [DPS_DISABLED] = "disabled",
};

static const char *const substatus_names[] = {
    [DPS_SUBSTATUS_NONE] = "",
    [DPS_INITIAL_ASSIGNMENT] = "initialAssignment",
    [DPS_DATA_MIGRATED] = "deviceDataMigrated",
    [DPS_DATA_RESET] = "deviceDataReset",
};

#define STATUSES    (sizeof status_names / sizeof status_names[0])
#define SUBSTATUSES (sizeof substatus_names / sizeof substatus_names[0])

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static char *copy(const char *text)
{
    return text != NULL ? hub_strdup(text) : NULL;
}

dps_registration *dps_registration_new(unsigned number, const char *id, const dps_owner *owner,
                                       int64_t now_ms)
{
    dps_registration *r = hub_calloc(1, sizeof *r);
    uint32_t etag;

    hub_random(&etag, sizeof etag);
    r->number = number;
    r->id = hub_strdup(id);
    r->enrollment = owner->enrollment;
    r->group = copy(owner->group);
    r->etag = etag;
    r->created_ms = now_ms;
    r->updated_ms = now_ms;
    return r;
}

void dps_registration_free(dps_registration *r)
{
    if (r == NULL) {
        return;
    }
    free(r->id);
    free(r->group);
    free(r->host);
    free(r->device_id);
    free(r->error_text);
    cJSON_Delete(r->payload);
    free(r->operation_id);
    free(r->profile);
    cJSON_Delete(r->certificates);
    free(r);
}

dps_registration *dps_registration_next(const dps_registration *r, const dps_outcome *outcome,
                                        int64_t now_ms)
{
    const dps_owner owner = { r->enrollment, r->group };
    dps_registration *next = dps_registration_new(r->number, r->id, &owner, r->created_ms);
    const bool failed = outcome->status == DPS_FAILED;

    next->etag = r->etag + 1;
    next->updated_ms = now_ms;
    next->status = outcome->status;
    next->substatus = outcome->substatus;
    next->host = copy(outcome->host);
    next->device_id = copy(outcome->device_id);
    next->error_code = failed ? outcome->error.code : 0;
    next->error_text = failed ? hub_strdup(outcome->error.text) : NULL;
    next->payload = cJSON_Duplicate(outcome->payload, true);
    return next;
}

/* --- the operation ------------------------------------------------------------ */

/* The ids of operations have the form of those of the service: 4.{16 hexadecimal digits}.{UUID}. */
void dps_registration_begin(dps_registration *r, const dps_operation *operation)
{
    uint32_t tenant[2];
    char *uuid = dps_uuid();

    hub_random(tenant, sizeof tenant);
    free(r->operation_id);
    r->operation_id =
        hub_format("4.%08lx%08lx.%s", (unsigned long)tenant[0], (unsigned long)tenant[1], uuid);
    r->assigning = operation->assigning;
    r->x509 = operation->x509;
    hub_replace(&r->profile, operation->profile);
    cJSON_Delete(r->certificates);
    r->certificates = cJSON_Duplicate(operation->certificates, true);
    free(uuid);
}

bool dps_registration_assigning(dps_registration *r)
{
    if (r->assigning == 0) {
        return false;
    }
    r->assigning--;
    return true;
}

bool dps_registration_has_operation(const dps_registration *r, const char *id, size_t len)
{
    return r->operation_id != NULL && strlen(r->operation_id) == len &&
           memcmp(r->operation_id, id, len) == 0;
}

/* --- views ----------------------------------------------------------------------- */

static void add_optional(cJSON *json, const char *name, const char *text)
{
    if (text != NULL) {
        hub_json_add_text(json, name, text);
    }
}

char *dps_registration_etag(const dps_registration *r)
{
    char *decimal = hub_format("%lld", (long long)r->etag);
    char *etag = hub_base64_encode(decimal, strlen(decimal));

    free(decimal);
    return etag;
}

cJSON *dps_registration_view(const dps_registration *r)
{
    cJSON *json = cJSON_CreateObject();
    char *etag = dps_registration_etag(r);

    hub_json_add_text(json, "registrationId", r->id);
    hub_json_add_time(json, "createdDateTimeUtc", r->created_ms);
    add_optional(json, "assignedHub", r->host);
    add_optional(json, "deviceId", r->device_id);
    hub_json_add_text(json, "status", status_names[r->status]);
    if (r->substatus != DPS_SUBSTATUS_NONE) {
        hub_json_add_text(json, "substatus", substatus_names[r->substatus]);
    }
    if (r->error_code != 0) {
        (void)cJSON_AddNumberToObject(json, "errorCode", r->error_code);
        hub_json_add_text(json, "errorMessage", r->error_text);
    }
    hub_json_add_time(json, "lastUpdatedDateTimeUtc", r->updated_ms);
    hub_json_add_text(json, "etag", etag);
    if (r->payload != NULL) {
        (void)cJSON_AddItemToObject(json, "payload", cJSON_Duplicate(r->payload, true));
    }
    free(etag);
    return json;
}

/* Reads one character of well-formed UTF-8 and moves the position behind it. */
static unsigned long take_character(const char **at)
{
    static const struct {
        unsigned char first; /* the lowest first byte of a character of this length */
        unsigned char mask;  /* the bits of the first byte that belong to the character */
        unsigned more;       /* number of bytes that follow */
    } forms[] = { { 0xF0, 0x07, 3 }, { 0xE0, 0x0F, 2 }, { 0xC0, 0x1F, 1 }, { 0x00, 0x7F, 0 } };
    const unsigned char *p = (const unsigned char *)*at;
    size_t form = 0;

    while (*p < forms[form].first) {
        form++;
    }
    unsigned long character = *p++ & forms[form].mask;
    for (unsigned i = 0; i < forms[form].more && *p != '\0'; i++) {
        character = character << 6 | (*p++ & 0x3F);
    }
    *at = (const char *)p;
    return character;
}

/* Escapes all characters that are not ASCII, because one vendor SDK reads the answers as ASCII.
 * The text is JSON, in which such characters occur only in strings. */
static char *ascii(char *text)
{
    hub_text out = { 0 };
    const char *at = text;

    while (*at != '\0') {
        const char *start = at;
        unsigned long character = take_character(&at);
        if (character < 0x80) {
            hub_text_add(&out, start, 1);
        } else if (character < 0x10000) {
            hub_text_printf(&out, "\\u%04lx", character);
        } else { /* two surrogates of UTF-16 */
            hub_text_printf(&out, "\\u%04lx\\u%04lx", 0xD7C0 + (character >> 10),
                            0xDC00 + (character & 0x3FF));
        }
    }
    free(text);
    return out.p;
}

static cJSON *operation_json(const dps_registration *r, const char *status)
{
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "operationId", r->operation_id);
    hub_json_add_text(json, "status", status);
    return json;
}

static char *print_ascii(cJSON *json)
{
    char *text = hub_json_print(json);

    cJSON_Delete(json);
    return ascii(text);
}

char *dps_registration_assigning_text(const dps_registration *r)
{
    return print_ascii(operation_json(r, "assigning"));
}

char *dps_registration_final_text(const dps_registration *r)
{
    cJSON *json = operation_json(r, status_names[r->status]);
    cJSON *state = dps_registration_view(r);
    cJSON *keys = cJSON_AddObjectToObject(state, r->x509 ? "x509" : "symmetricKey");

    add_optional(keys, "enrollmentGroupId", r->group);
    add_optional(state, "connectionProfile", r->profile);
    if (r->certificates != NULL) {
        (void)cJSON_AddItemToObject(state, "issuedCertificateChain",
                                    cJSON_Duplicate(r->certificates, true));
    }
    (void)cJSON_AddItemToObject(json, "registrationState", state);
    return print_ascii(json);
}

/* --- on disk --------------------------------------------------------------------- */

char *dps_registration_file(unsigned number)
{
    return hub_format("registration-%06u.json", number);
}

hub_result dps_registration_save(const dps_registration *r, const hub_store *store,
                                 hub_fault *fault)
{
    cJSON *json = dps_registration_view(r);
    char *name = dps_registration_file(r->number);

    hub_json_add_text(json, "group", r->group);
    (void)cJSON_AddNumberToObject(json, "enrollment", r->enrollment);
    (void)cJSON_AddNumberToObject(json, "etagNumber", (double)r->etag);
    (void)cJSON_AddNumberToObject(json, "created", (double)r->created_ms);
    (void)cJSON_AddNumberToObject(json, "updated", (double)r->updated_ms);
    hub_result result = hub_store_write_json(store, name, json, fault);
    cJSON_Delete(json);
    free(name);
    return result;
}

/* Returns the index of a name; count if it is not in the list. */
static size_t index_of(const char *name, const char *const *names, size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(name, names[i]) != 0) {
        i++;
    }
    return i;
}

static int64_t whole(const cJSON *json, const char *name)
{
    int64_t number = 0;

    return hub_json_whole(get(json, name), 0, INT64_C(1) << 52, &number) ? number : 0;
}

static bool results_agree(const dps_registration *r)
{
    const bool assigned = r->host != NULL && r->device_id != NULL;

    return r->status != DPS_ASSIGNED || assigned;
}

static dps_registration *from_json(const cJSON *json, unsigned number)
{
    const char *id = hub_json_string(json, "registrationId");
    const char *status = hub_json_string(json, "status");
    const char *substatus = hub_json_string(json, "substatus");
    int64_t enrollment;

    if (id == NULL || !dps_id_valid(id) || status == NULL ||
        !hub_json_whole(get(json, "enrollment"), 1, UINT_MAX, &enrollment)) {
        return NULL;
    }
    size_t status_at = index_of(status, status_names, STATUSES);
    size_t substatus_at = substatus != NULL ? index_of(substatus, substatus_names, SUBSTATUSES) : 0;
    if (status_at == STATUSES || substatus_at == SUBSTATUSES) {
        return NULL;
    }
    const dps_owner owner = { (unsigned)enrollment, hub_json_string(json, "group") };
    dps_registration *r = dps_registration_new(number, id, &owner, whole(json, "created"));
    r->status = (dps_status)status_at;
    r->substatus = (dps_substatus)substatus_at;
    r->host = copy(hub_json_string(json, "assignedHub"));
    r->device_id = copy(hub_json_string(json, "deviceId"));
    r->error_code = (int)whole(json, "errorCode");
    r->error_text = copy(hub_json_string(json, "errorMessage"));
    r->payload = cJSON_Duplicate(get(json, "payload"), true);
    r->etag = whole(json, "etagNumber");
    r->updated_ms = whole(json, "updated");
    if (!results_agree(r)) {
        dps_registration_free(r);
        return NULL;
    }
    return r;
}

hub_result dps_registration_load(const hub_store *store, unsigned number, dps_registration **out,
                                 hub_fault *fault)
{
    char *name = dps_registration_file(number);
    cJSON *json;

    *out = NULL;
    hub_result r = hub_store_read_json(store, name, &json, fault);
    free(name);
    if (r != HUB_OK) {
        return r;
    }
    *out = from_json(json, number);
    cJSON_Delete(json);
    return *out != NULL ? HUB_OK
                        : hub_fail(fault, HUB_ERR_ARGUMENT, "is not a complete registration");
}
