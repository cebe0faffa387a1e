#include "dps/dps.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/text.h"

#define DPS_FILE        "dps.json"
#define ENROLLMENT      "enrollment-"
#define REGISTRATION    "registration-"
#define ISSUE_EXPIRES_S 43200
#define ISSUE_MAX_S     604800
#define PROFILE_MAX     128

static dps_table *table_of(dps *d, bool group)
{
    return group ? &d->groups : &d->individuals;
}

/* --- the directory ----------------------------------------------------------------- */

/* Returns "0ne" and eight digits, as the real service does. */
static char *new_id_scope(void)
{
    uint32_t random;

    hub_random(&random, sizeof random);
    return hub_format("0ne%08lX", (unsigned long)random);
}

static bool id_scope_valid(const char *id_scope)
{
    return id_scope != NULL && strncmp(id_scope, "0ne", 3) == 0 && strlen(id_scope) == 11 &&
           strspn(id_scope + 3, "0123456789ABCDEF") == 8;
}

static hub_result save_id_scope(const dps *d, hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "idScope", d->id_scope);
    hub_result r = hub_store_write_json(d->store, DPS_FILE, json, fault);
    cJSON_Delete(json);
    return r;
}

static hub_result open_id_scope(dps *d, hub_fault *fault)
{
    cJSON *json;

    hub_result r = hub_store_read_json(d->store, DPS_FILE, &json, fault);
    if (r == HUB_OK && id_scope_valid(hub_json_string(json, "idScope"))) {
        d->id_scope = hub_strdup(hub_json_string(json, "idScope"));
        cJSON_Delete(json);
        return HUB_OK;
    }
    if (r != HUB_OK && r != HUB_ERR_NO_RESOURCE && r != HUB_ERR_ARGUMENT) {
        return r;
    }
    if (r != HUB_ERR_NO_RESOURCE) {
        hub_store_set_aside(d->store, DPS_FILE, r == HUB_OK ? "contains no id scope" : fault->text);
        hub_store_report(d->store, "the provisioning service got a new id scope");
    }
    cJSON_Delete(json);
    d->id_scope = new_id_scope();
    return save_id_scope(d, fault);
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* {prefix}{number}.json. *last becomes the highest number, also of files that were set aside, since
 * none is used again. */
static bool number_of(const char *name, const char *prefix, unsigned *last, unsigned *number)
{
    char *end;
    const char *digits = name + strlen(prefix);

    if (*digits < '0' || *digits > '9' || strlen(digits) > 15) {
        return false;
    }
    unsigned long long n = strtoull(digits, &end, 10);
    if (n == 0 || n >= UINT_MAX) {
        return false;
    }
    *number = (unsigned)n;
    *last = larger(*last, *number);
    return strcmp(end, ".json") == 0;
}

/* Sets a damaged file aside and reports it, because it must not stop the emulator. */
static hub_result damaged(const dps *d, const char *name, hub_result r, const hub_fault *fault)
{
    if (r != HUB_ERR_ARGUMENT) {
        return r;
    }
    hub_store_set_aside(d->store, name, fault->text);
    return HUB_OK;
}

static hub_result load_enrollment(void *user, const char *name, hub_fault *fault)
{
    dps *d = user;
    dps_enrollment *e;
    unsigned number;

    if (!number_of(name, ENROLLMENT, &d->last_enrollment, &number)) {
        return HUB_OK;
    }
    hub_result r = dps_enrollment_load(d->store, number, d->host, &e, fault);
    if (r != HUB_OK) {
        return damaged(d, name, r, fault);
    }
    dps_table *t = table_of(d, e->group);
    if (dps_table_find(t, e->id) != NULL) {
        hub_store_set_aside(d->store, name, "is a second file of an enrolment");
        dps_enrollment_free(e);
    } else {
        (void)dps_table_put(t, e->id, e);
    }
    return HUB_OK;
}

static bool has_enrollment(const dps_table *t, unsigned number)
{
    for (size_t i = 0; i < t->count; i++) {
        const dps_enrollment *e = t->items[i].value;
        if (e->number == number) {
            return true;
        }
    }
    return false;
}

/* Returns whether the enrolment of the registration was deleted. If the enrolment was set aside,
 * the registration waits until somebody has repaired it. */
static bool is_left_over(const dps *d, const dps_registration *r)
{
    if (has_enrollment(&d->individuals, r->enrollment) ||
        has_enrollment(&d->groups, r->enrollment)) {
        return false;
    }
    char *file = dps_enrollment_file(r->enrollment);
    bool aside = hub_store_has_aside(d->store, file);
    free(file);
    return !aside;
}

static hub_result load_registration(void *user, const char *name, hub_fault *fault)
{
    dps *d = user;
    dps_registration *r;
    unsigned number;

    if (!number_of(name, REGISTRATION, &d->last_registration, &number)) {
        return HUB_OK;
    }
    hub_result result = dps_registration_load(d->store, number, &r, fault);
    if (result != HUB_OK) {
        return damaged(d, name, result, fault);
    }
    if (is_left_over(d, r)) {
        dps_registration_free(r);
        return hub_store_remove(d->store, name, fault);
    }
    if (dps_table_find(&d->registrations, r->id) != NULL) {
        hub_store_set_aside(d->store, name, "is a second file of a registration");
        dps_registration_free(r);
    } else {
        (void)dps_table_put(&d->registrations, r->id, r);
    }
    return HUB_OK;
}

hub_result dps_open(dps *d, const hub_registry *registry, const dps_settings *settings,
                    int64_t now_ms, hub_fault *fault)
{
    const hub_store *store = &registry->store;

    *d = (dps){ .store = store,
                .authorities = &registry->authorities,
                .host = hub_strdup(settings->host),
                .assigning = settings->assigning,
                .retry_after_s = settings->retry_after_s,
                .certificate_life_s = settings->certificate_life_s,
                .issue_expires_s = ISSUE_EXPIRES_S };
    hub_result r = open_id_scope(d, fault);
    if (r == HUB_OK) {
        r = hub_store_each(store, ENROLLMENT, load_enrollment, d, fault);
    }
    if (r == HUB_OK) {
        r = hub_store_each(store, REGISTRATION, load_registration, d, fault);
    }
    if (r == HUB_OK) {
        r = hub_issuer_open(&d->issuer, store, now_ms / 1000, fault);
    }
    if (r != HUB_OK) {
        dps_close(d);
    }
    return r;
}

static void free_enrollments(dps_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        dps_enrollment_free(t->items[i].value);
    }
    dps_table_free(t);
}

void dps_close(dps *d)
{
    free_enrollments(&d->individuals);
    free_enrollments(&d->groups);
    for (size_t i = 0; i < d->registrations.count; i++) {
        dps_registration_free(d->registrations.items[i].value);
    }
    dps_table_free(&d->registrations);
    free(d->id_scope);
    free(d->host);
    free(d->profile);
    hub_issuer_close(&d->issuer);
    hub_issuances_free(&d->issuances);
    *d = (dps){ 0 };
}

/* --- settings ---------------------------------------------------------------------- */

static bool set_number(const cJSON *json, const char *name, int64_t min, int64_t max, int64_t *out,
                       dps_error *e)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    return item == NULL || hub_json_whole(item, min, max, out) ||
           dps_fail(e, DPS_CODE_ARGUMENT, "%s: not a whole number from %lld to %lld", name,
                    (long long)min, (long long)max);
}

/* Reads a member that may be null; *given tells whether it is there. */
static bool set_profile(const cJSON *json, const char **profile, bool *given, dps_error *e)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "connectionProfile");

    *profile = cJSON_GetStringValue(item);
    *given = item != NULL;
    return item == NULL || cJSON_IsNull(item) ||
           (*profile != NULL && strlen(*profile) <= PROFILE_MAX) ||
           dps_fail(e, DPS_CODE_ARGUMENT, "connectionProfile: neither a short text nor null");
}

static bool set_encoding(const cJSON *json, bool *pem, dps_error *e)
{
    const char *encoding = hub_json_string(json, "certificateEncoding");

    if (cJSON_GetObjectItemCaseSensitive(json, "certificateEncoding") == NULL) {
        return true;
    }
    if (encoding == NULL || (strcmp(encoding, "pem") != 0 && strcmp(encoding, "der") != 0)) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "certificateEncoding: neither pem nor der");
    }
    *pem = strcmp(encoding, "pem") == 0;
    return true;
}

bool dps_set(dps *d, const cJSON *json, dps_error *e)
{
    int64_t polls = d->assigning;
    int64_t seconds = d->retry_after_s;
    int64_t life = d->certificate_life_s;
    int64_t delay = d->issue_delay_s;
    int64_t expires = d->issue_expires_s;
    bool pem = d->pem;
    bool profile_given;
    const char *profile;

    if (!set_number(json, "assigning", 0, DPS_ASSIGNING_MAX, &polls, e) ||
        !set_number(json, "retryAfter", 0, DPS_RETRY_AFTER_MAX_S, &seconds, e) ||
        !set_number(json, "certificateLife", 1, DPS_CERTIFICATE_LIFE_MAX_S, &life, e) ||
        !set_number(json, "issueDelay", 0, ISSUE_MAX_S, &delay, e) ||
        !set_number(json, "issueExpires", 1, ISSUE_MAX_S, &expires, e) ||
        !set_encoding(json, &pem, e) || !set_profile(json, &profile, &profile_given, e)) {
        return false;
    }
    d->assigning = (unsigned)polls;
    d->retry_after_s = (int)seconds;
    d->certificate_life_s = life;
    d->issue_delay_s = delay;
    d->issue_expires_s = expires;
    d->pem = pem;
    if (profile_given) {
        hub_replace(&d->profile, profile);
    }
    return true;
}

/* --- enrolments -------------------------------------------------------------------- */

const dps_enrollment *dps_find_enrollment(const dps *d, bool group, const char *id)
{
    return dps_table_find(group ? &d->groups : &d->individuals, id);
}

const dps_enrollment *dps_put_enrollment(dps *d, bool group, const char *id, const cJSON *body,
                                         int64_t now_ms, dps_error *e)
{
    const dps_enrollment_request request = {
        .group = group,
        .id = id,
        .host = d->host,
        .was = dps_find_enrollment(d, group, id),
        .number = d->last_enrollment + 1,
        .now_ms = now_ms,
    };
    hub_fault fault;

    dps_enrollment *next = dps_enrollment_read(body, &request, e);
    if (next == NULL) {
        return NULL;
    }
    if (dps_enrollment_save(next, d->store, &fault) != HUB_OK) {
        dps_enrollment_free(next);
        (void)dps_fail_by(e, &fault);
        return NULL;
    }
    d->last_enrollment = larger(d->last_enrollment, next->number);
    dps_enrollment_free(dps_table_put(table_of(d, group), next->id, next));
    return next;
}

static bool remove_file(const dps *d, char *name, dps_error *e)
{
    hub_fault fault;
    bool ok = hub_store_remove(d->store, name, &fault) == HUB_OK;

    free(name);
    return ok || dps_fail_by(e, &fault);
}

/* The enrolment is deleted already. If a file cannot be removed now, the next start removes it. */
static void forget_registrations(dps *d, const dps_enrollment *enrollment)
{
    for (size_t i = d->registrations.count; i > 0; i--) {
        dps_registration *r = d->registrations.items[i - 1].value;
        dps_error ignored;
        if (dps_registration_of(r, enrollment)) {
            (void)remove_file(d, dps_registration_file(r->number), &ignored);
            (void)dps_table_take(&d->registrations, r->id);
            dps_registration_free(r);
        }
    }
}

bool dps_delete_enrollment(dps *d, const dps_enrollment *enrollment, dps_error *e)
{
    if (!remove_file(d, dps_enrollment_file(enrollment->number), e)) {
        return false;
    }
    forget_registrations(d, enrollment);
    dps_enrollment_free(dps_table_take(table_of(d, enrollment->group), enrollment->id));
    return true;
}

cJSON *dps_show_enrollment(const dps *d, const dps_enrollment *enrollment, bool with_keys)
{
    cJSON *json = dps_enrollment_view(enrollment, with_keys);
    const dps_registration *r = enrollment->group ? NULL : dps_find_registration(d, enrollment->id);

    if (r != NULL) {
        (void)cJSON_AddItemToObject(json, "registrationState", dps_registration_view(r));
    }
    return json;
}

/* --- registrations ----------------------------------------------------------------- */

dps_registration *dps_find_registration(const dps *d, const char *id)
{
    return dps_table_find(&d->registrations, id);
}

bool dps_registration_of(const dps_registration *r, const dps_enrollment *enrollment)
{
    return r->enrollment == enrollment->number;
}

/* Returns the registration with this id, or makes one that is not in the table yet. */
static dps_registration *registration_for(const dps *d, const dps_enrollment *enrollment,
                                          const char *id, int64_t now_ms)
{
    const dps_registration *old = dps_find_registration(d, id);
    const dps_owner owner = { enrollment->number, enrollment->group ? enrollment->id : NULL };

    if (old != NULL && dps_registration_of(old, enrollment)) {
        return NULL;
    }
    unsigned number = old != NULL ? old->number : d->last_registration + 1;
    return dps_registration_new(number, id, &owner, now_ms);
}

dps_registration *dps_record(dps *d, const dps_enrollment *enrollment, const char *id,
                             const dps_outcome *outcome, int64_t now_ms, dps_error *e)
{
    dps_registration *fresh = registration_for(d, enrollment, id, now_ms);
    const dps_registration *base = fresh != NULL ? fresh : dps_find_registration(d, id);
    dps_registration *next = dps_registration_next(base, outcome, now_ms);
    hub_fault fault;

    dps_registration_free(fresh);
    if (dps_registration_save(next, d->store, &fault) != HUB_OK) {
        dps_registration_free(next);
        (void)dps_fail_by(e, &fault);
        return NULL;
    }
    d->last_registration = larger(d->last_registration, next->number);
    dps_registration_free(dps_table_put(&d->registrations, next->id, next));
    return next;
}

bool dps_delete_registration(dps *d, const dps_registration *r, dps_error *e)
{
    if (!remove_file(d, dps_registration_file(r->number), e)) {
        return false;
    }
    dps_registration *gone = dps_table_take(&d->registrations, r->id);
    dps_registration_free(gone);
    return true;
}
