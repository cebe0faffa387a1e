/* Answers requests for enrolments and registrations, as the vendor's provisioning service API
 * does. */

#include "rest/rest_dps.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/text.h"
#include "rest/rest_target.h"

#define PAGE_MAX         1000
#define BULK_ENTRIES_MAX 10

bool rest_dps_is_for(const hub *h, const rest_request *r)
{
    static const char *const first[] = { "enrollments", "enrollmentgroups", "registrations" };

    for (size_t i = 0; h->dps != NULL && i < sizeof first / sizeof first[0]; i++) {
        if (r->segment_count > 0 && strcasecmp(r->segments[0], first[i]) == 0) {
            return true;
        }
    }
    return false;
}

static rest_outcome refuse(const hub *h, rest_handling *out, const dps_error *e)
{
    return rest_text(out, dps_error_status(e), dps_error_text(e, hub_now(h)));
}

rest_outcome rest_dps_fault(const hub *h, rest_handling *out, const hub_fault *fault)
{
    dps_error e;

    (void)dps_fail_by(&e, fault);
    return refuse(h, out, &e);
}

static bool check_etag(const char *if_match, char *etag, dps_error *e)
{
    bool fits = rest_etag_matches(if_match, etag);

    free(etag);
    return fits || dps_fail(e, DPS_CODE_ETAG,
                            "Precondition failed: the ETag is not the current "
                            "one");
}

/* --- one enrolment ------------------------------------------------------------ */

/* Returns whether the path names groups instead of individual enrolments. */
static bool is_group(const rest_request *r)
{
    return strcasecmp(r->segments[0], "enrollmentgroups") == 0;
}

static const dps_enrollment *find(const hub *h, bool group, const char *id, dps_error *e)
{
    const dps_enrollment *found = dps_find_enrollment(h->dps, group, id);

    if (found == NULL) {
        (void)dps_fail(e, DPS_CODE_NO_ENROLLMENT, "Enrollment not found");
    }
    return found;
}

static rest_outcome show(const hub *h, const dps_enrollment *enrollment, bool with_keys,
                         rest_handling *out)
{
    rest_set_etag(out, dps_enrollment_etag(enrollment));
    return rest_json(out, 200, dps_show_enrollment(h->dps, enrollment, with_keys));
}

static rest_outcome get_one(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;
    const dps_enrollment *enrollment = find(h, is_group(r), r->args[0], &e);

    return enrollment != NULL ? show(h, enrollment, false, out) : refuse(h, out, &e);
}

/* Without an ETag the request creates an enrolment; with one it changes it. */
static const dps_enrollment *put(hub *h, bool group, const char *id, const cJSON *body,
                                 const char *if_match, dps_error *e)
{
    const dps_enrollment *old = dps_find_enrollment(h->dps, group, id);

    if (old != NULL && if_match == NULL) {
        (void)dps_fail(e, DPS_CODE_EXISTS, "Enrollment already exists: a change needs its ETag");
        return NULL;
    }
    if (old == NULL && if_match != NULL) {
        (void)find(h, group, id, e);
        return NULL;
    }
    if (old != NULL && !check_etag(if_match, dps_enrollment_etag(old), e)) {
        return NULL;
    }
    return dps_put_enrollment(h->dps, group, id, body, hub_now(h), e);
}

static rest_outcome put_one(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;
    const dps_enrollment *made = put(h, is_group(r), r->args[0], r->json, r->if_match, &e);

    return made != NULL ? show(h, made, true, out) : refuse(h, out, &e);
}

static bool delete_by_id(hub *h, bool group, const char *id, const char *if_match, dps_error *e)
{
    const dps_enrollment *enrollment = find(h, group, id, e);

    return enrollment != NULL && check_etag(if_match, dps_enrollment_etag(enrollment), e) &&
           dps_delete_enrollment(h->dps, enrollment, e);
}

static rest_outcome delete_one(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;

    return delete_by_id(h, is_group(r), r->args[0], r->if_match, &e) ? rest_empty(out, 204)
                                                                     : refuse(h, out, &e);
}

static rest_outcome get_attestation(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;
    const dps_enrollment *enrollment = find(h, is_group(r), r->args[0], &e);

    return enrollment != NULL ? rest_json(out, 200, dps_attestation_full(&enrollment->attestation))
                              : refuse(h, out, &e);
}

/* --- pages ---------------------------------------------------------------------- */

/* Finds the first item of a page from x-ms-continuation, which is the id of the item before it,
 * in base64. */
static bool page_start(const rest_request *r, const dps_table *t, size_t *at, dps_error *e)
{
    size_t len;

    *at = 0;
    if (r->continuation == NULL || r->continuation[0] == '\0') {
        return true;
    }
    char *id = (char *)hub_base64_decode(r->continuation, &len);
    bool ok = id != NULL && strlen(id) == len && dps_id_valid(id);
    *at = ok ? dps_table_after(t, id) : 0;
    free(id);
    return ok || dps_fail(e, DPS_CODE_ARGUMENT, "x-ms-continuation is not from this service");
}

#define QUERY_WORDS 4

/* The service documents only SELECT *. The vendor's samples add a FROM. */
static bool selects_all(char *query)
{
    static const char *const wanted[QUERY_WORDS] = { "select", "*", "from", NULL };
    char *rest = NULL;
    size_t count = 0;

    for (const char *word = strtok_r(query, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (count == QUERY_WORDS ||
            (wanted[count] != NULL && strcasecmp(word, wanted[count]) != 0)) {
            return false;
        }
        count++;
    }
    return count == 2 || count == QUERY_WORDS;
}

static bool query_valid(const rest_request *r, dps_error *e)
{
    const char *query = hub_json_string(r->json, "query");
    char *copy = hub_strdup(query != NULL ? query : "");
    bool ok = selects_all(copy);

    free(copy);
    return ok || dps_fail(e, DPS_CODE_ARGUMENT, "the body is not {\"query\":\"SELECT *\"}");
}

/* Makes a row from an item. Returns NULL if the item has none. */
typedef cJSON *(*row_maker)(const hub *h, const void *item, const void *context);

static cJSON *enrollment_row(const hub *h, const void *item, const void *context)
{
    (void)context;
    return dps_show_enrollment(h->dps, item, false);
}

static cJSON *registration_row(const hub *h, const void *item, const void *context)
{
    (void)h;
    return dps_registration_of(item, context) ? dps_registration_view(item) : NULL;
}

static rest_outcome page(const hub *h, const rest_request *r, const dps_table *t,
                         const char *item_type, row_maker make, const void *context,
                         rest_handling *out)
{
    size_t at;
    size_t max;
    dps_error e;

    if (!query_valid(r, &e) || !page_start(r, t, &at, &e)) {
        return refuse(h, out, &e);
    }
    if (!rest_page_size(r, PAGE_MAX, &max)) {
        (void)dps_fail(&e, DPS_CODE_ARGUMENT, "x-ms-max-item-count is not a whole number");
        return refuse(h, out, &e);
    }
    cJSON *rows = cJSON_CreateArray();
    while (at < t->count && max > 0) {
        cJSON *row = make(h, t->items[at++].value, context);
        if (row != NULL) {
            (void)cJSON_AddItemToArray(rows, row);
            max--;
        }
    }
    const char *last = at > 0 ? t->items[at - 1].key : "";
    rest_set_page(out, item_type, at < t->count ? hub_base64_encode(last, strlen(last)) : NULL);
    return rest_json(out, 200, rows);
}

static rest_outcome query_enrollments(hub *h, rest_request *r, rest_handling *out)
{
    return is_group(r) ? page(h, r, &h->dps->groups, "enrollmentGroup", enrollment_row, NULL, out)
                       : page(h, r, &h->dps->individuals, "enrollment", enrollment_row, NULL, out);
}

static rest_outcome query_registrations(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;
    const dps_enrollment *group = find(h, true, r->args[0], &e);

    return group != NULL ? page(h, r, &h->dps->registrations, "deviceRegistration",
                                registration_row, group, out)
                         : refuse(h, out, &e);
}

/* --- bulk ------------------------------------------------------------------------ */

typedef enum bulk_mode {
    BULK_UNKNOWN = 0,
    BULK_CREATE,
    BULK_UPDATE,
    BULK_UPDATE_IF_MATCH,
    BULK_DELETE
} bulk_mode;

static bulk_mode mode_of(const char *name)
{
    static const struct {
        const char *name;
        bulk_mode mode;
    } modes[] = { { "create", BULK_CREATE },
                  { "update", BULK_UPDATE },
                  { "updateIfMatchETag", BULK_UPDATE_IF_MATCH },
                  { "delete", BULK_DELETE } };

    for (size_t i = 0; name != NULL && i < sizeof modes / sizeof modes[0]; i++) {
        if (strcasecmp(modes[i].name, name) == 0) {
            return modes[i].mode;
        }
    }
    return BULK_UNKNOWN;
}

static bool bulk_entry(hub *h, bulk_mode mode, const cJSON *entry, dps_error *e)
{
    const char *id = hub_json_string(entry, "registrationId");
    const char *etag = hub_json_string(entry, "etag");

    if (id == NULL) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "registrationId is missing");
    }
    switch (mode) {
    case BULK_CREATE: return put(h, false, id, entry, NULL, e) != NULL;
    case BULK_UPDATE: return put(h, false, id, entry, "*", e) != NULL;
    case BULK_UPDATE_IF_MATCH: return put(h, false, id, entry, etag != NULL ? etag : "", e) != NULL;
    case BULK_DELETE: return delete_by_id(h, false, id, etag, e);
    case BULK_UNKNOWN: break;
    }
    return dps_fail(e, DPS_CODE_ARGUMENT, "mode is not known");
}

static void add_bulk_error(cJSON *errors, const cJSON *entry, const dps_error *e)
{
    cJSON *error = cJSON_CreateObject();

    hub_json_add_text(error, "registrationId", hub_json_string(entry, "registrationId"));
    (void)cJSON_AddNumberToObject(error, "errorCode", e->code);
    hub_json_add_text(error, "errorStatus", e->text);
    (void)cJSON_AddItemToArray(errors, error);
}

static rest_outcome bulk(hub *h, rest_request *r, rest_handling *out)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(r->json, "enrollments");
    const bulk_mode mode = mode_of(hub_json_string(r->json, "mode"));
    const cJSON *entry;
    dps_error e = { 0 };

    if (mode == BULK_UNKNOWN || !cJSON_IsArray(list) ||
        cJSON_GetArraySize(list) > BULK_ENTRIES_MAX) {
        (void)dps_fail(&e, DPS_CODE_ARGUMENT,
                       "the body is not {\"mode\":\"create, update, updateIfMatchETag or "
                       "delete\",\"enrollments\":[up to %d]}",
                       BULK_ENTRIES_MAX);
        return refuse(h, out, &e);
    }
    cJSON *errors = cJSON_CreateArray();
    cJSON_ArrayForEach(entry, list)
    {
        if (!bulk_entry(h, mode, entry, &e)) {
            add_bulk_error(errors, entry, &e);
        }
    }
    cJSON *result = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(result, "isSuccessful", errors->child == NULL);
    (void)cJSON_AddItemToObject(result, "errors", errors);
    return rest_json(out, 200, result);
}

/* --- registrations ---------------------------------------------------------------- */

static dps_registration *find_registration(const hub *h, const rest_request *r, dps_error *e)
{
    dps_registration *found = dps_find_registration(h->dps, r->args[0]);

    if (found == NULL) {
        (void)dps_fail(e, DPS_CODE_NO_REGISTRATION, "Registration not found");
    }
    return found;
}

static rest_outcome get_registration(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;
    const dps_registration *found = find_registration(h, r, &e);

    if (found == NULL) {
        return refuse(h, out, &e);
    }
    rest_set_etag(out, dps_registration_etag(found));
    return rest_json(out, 200, dps_registration_view(found));
}

static rest_outcome delete_registration(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;
    const dps_registration *found = find_registration(h, r, &e);

    if (found == NULL || !check_etag(r->if_match, dps_registration_etag(found), &e) ||
        !dps_delete_registration(h->dps, found, &e)) {
        return refuse(h, out, &e);
    }
    return rest_empty(out, 204);
}

/* --- what only the emulator has ----------------------------------------------------- */

static rest_outcome set_faults(hub *h, rest_request *r, rest_handling *out)
{
    static const dps_fault_words words = { "register", "poll" };
    dps_error e;

    return dps_faults_set(&h->dps->faults, r->json, &words, &e) ? rest_empty(out, 204)
                                                                : refuse(h, out, &e);
}

static rest_outcome set_issue_faults(hub *h, rest_request *r, rest_handling *out)
{
    static const dps_fault_words words = { "request", "result" };
    dps_error e;

    return dps_faults_set(&h->dps->issue_faults, r->json, &words, &e) ? rest_empty(out, 204)
                                                                      : refuse(h, out, &e);
}

static rest_outcome set_settings(hub *h, rest_request *r, rest_handling *out)
{
    dps_error e;

    return dps_set(h->dps, r->json, &e) ? rest_empty(out, 204) : refuse(h, out, &e);
}

/* --- routes -------------------------------------------------------------------------- */

#define READ        HUB_RIGHT_ENROLLMENT_READ
#define WRITE       HUB_RIGHT_ENROLLMENT_WRITE
#define STATE_READ  HUB_RIGHT_REGISTRATION_READ
#define STATE_WRITE HUB_RIGHT_REGISTRATION_WRITE

const rest_route rest_dps_routes[] = {
    { "POST", "enrollments/query", READ, query_enrollments },
    { "POST", "enrollments/{}/attestationmechanism", WRITE, get_attestation },
    { "POST", "enrollments", WRITE, bulk },
    { "GET", "enrollments/{}", READ, get_one },
    { "PUT", "enrollments/{}", WRITE, put_one },
    { "DELETE", "enrollments/{}", WRITE, delete_one },
    { "POST", "enrollmentgroups/query", READ, query_enrollments },
    { "POST", "enrollmentgroups/{}/attestationmechanism", WRITE, get_attestation },
    { "GET", "enrollmentgroups/{}", READ, get_one },
    { "PUT", "enrollmentgroups/{}", WRITE, put_one },
    { "DELETE", "enrollmentgroups/{}", WRITE, delete_one },
    { "POST", "registrations/{}/query", STATE_READ, query_registrations },
    { "GET", "registrations/{}", STATE_READ, get_registration },
    { "DELETE", "registrations/{}", STATE_WRITE, delete_registration },
    { "PUT", "emulator/dps/faults", WRITE | HUB_RIGHT_SERVICE_CONNECT, set_faults },
    { "PUT", "emulator/credentials/faults", WRITE | HUB_RIGHT_SERVICE_CONNECT, set_issue_faults },
    { "PUT", "emulator/dps/settings", WRITE | HUB_RIGHT_SERVICE_CONNECT, set_settings },
    { NULL, NULL, 0, NULL },
};
