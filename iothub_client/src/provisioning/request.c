#include "provisioning/request.h"

#include <string.h>

#include "hub/registration_id.h"
#include "provisioning/answer.h"
#include "text/base64.h"
#include "text/json_fault.h"
#include "text/sized_struct.h"
#include "text/split.h"
#include "text/text_writer.h"

#define PREVIEW_API_VERSION "2025-07-01-preview"

enum {
    ANSWER_MIN = 1024,
    ANSWER_MAX = 1024 * 1024,
    API_VERSION_MAX = 64,
    LARGEST = 65536 /* a larger size means that the struct was probably not initialised */
};

void iothub_provisioning_options_init_sized(iothub_provisioning_options *p, size_t struct_size)
{
    const iothub_provisioning_options defaults = {
        .struct_size = struct_size,
        .host = "global.azure-devices-provisioning.net",
        .api_version = "2021-06-01",
        .answer_size = 4096,
        .assign_timeout_ms = 600000,
        .register_after = 10,
    };

    if (p != NULL) {
        iothub_struct_out(p, struct_size, &defaults, sizeof defaults);
    }
}

/* --- checks ---------------------------------------------------------------------------- */

static iothub_result fail(iothub_error *error, const char *text)
{
    return iothub_fail(error, IOTHUB_ERR_ARG, "provisioning options: %s", text);
}

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static unsigned count_credentials(const iothub_provisioning_options *p)
{
    const void *const given[] = { p->key, p->group_key, p->credential };
    unsigned n = 0;

    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        n += given[i] != NULL ? 1 : 0;
    }
    return n;
}

static const char *find_fault(const iothub_provisioning_options *p)
{
    if (is_empty(p->id_scope) || is_empty(p->registration_id)) {
        return "id_scope and registration_id are both needed";
    }
    if (is_empty(p->host) || dps_assignment_check(p->host, "any", NULL) != IOTHUB_OK) {
        return "host is not a host name";
    }
    if (p->answer_size < ANSWER_MIN || p->answer_size > ANSWER_MAX) {
        return "answer_size is not 1024 to 1048576 bytes";
    }
    if (p->assign_timeout_ms == 0 || p->register_after == 0) {
        return "assign_timeout_ms and register_after are at least 1";
    }
    return count_credentials(p) == 1 ? NULL
                                     : "exactly one of key, group_key and credential is needed";
}

/* Returns whether the text may be a part of the user name. */
static bool is_version(const char *text)
{
    size_t len = 0;

    if (text == NULL) {
        return false;
    }
    for (; text[len] != '\0'; len++) {
        const uint8_t c = (uint8_t)text[len];
        if (!iothub_is_letter(c) && !iothub_is_digit(c) && c != '-' && c != '.') {
            return false;
        }
    }
    return len > 0 && len <= API_VERSION_MAX;
}

static iothub_result check_key(const char *key, iothub_error *error)
{
    size_t len = 0;

    if (key == NULL || !iothub_base64_valid(iothub_trim(mqc_span_str(key)), &len) || len == 0 ||
        len > IOTHUB_KEY_MAX) {
        return iothub_fail(error, IOTHUB_ERR_KEY,
                           "provisioning options: the key is not base64; copy it whole, with the "
                           "'=' at its end");
    }
    return IOTHUB_OK;
}

/* Registration ids are compared without regard to case. */
static iothub_result check_certificate(const iothub_provisioning_options *p,
                                       const plat_identities *identities, iothub_error *error)
{
    plat_identity *identity = p->credential->as.identity;
    plat_identity_info info;

    if (identity == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "provisioning options: the credential has no certificate");
    }
    if (identities == NULL) {
        return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                           "provisioning options: the platform has no client certificates; copy "
                           "*plat_posix() and set identities to plat_posix_identities()");
    }
    identities->describe(identity, &info);
    if (iothub_same_word(mqc_span_str(info.common_name), mqc_span_str(p->registration_id))) {
        return IOTHUB_OK;
    }
    return iothub_fail_name(error, IOTHUB_ERR_CREDENTIAL,
                            "provisioning options: the certificate is for the common name ",
                            mqc_span_str(info.common_name), ", which is not the registration id");
}

static iothub_result check_credential(const iothub_provisioning_options *p,
                                      const plat_platform *platform, iothub_error *error)
{
    if (p->credential == NULL) {
        return check_key(p->key != NULL ? p->key : p->group_key, error);
    }
    switch ((int)p->credential->kind) {
    case IOTHUB_CREDENTIAL_X509: return check_certificate(p, platform->identities, error);
    case IOTHUB_CREDENTIAL_KEY: return check_key(p->credential->as.key.key, error);
    default: break;
    }
    return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                       "provisioning options: the credential is neither a key nor a certificate");
}

static iothub_result check_payload(const char *payload, iothub_error *error)
{
    if (payload == NULL) {
        return IOTHUB_OK;
    }
    if (strlen(payload) > IOTHUB_PROVISIONING_PAYLOAD_MAX) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG,
                           "provisioning options: payload is longer than 16384 bytes");
    }
    return iothub_json_judge(mqc_span_str(payload), false, "provisioning payload", error);
}

static bool is_preview(const char *api_version)
{
    static const char end[] = "-preview";
    const size_t len = strlen(api_version);

    return len > strlen(end) && strcmp(api_version + len - strlen(end), end) == 0;
}

static iothub_result check_csr(const iothub_provisioning_options *p, iothub_error *error)
{
    size_t len = 0;

    if (p->csr == NULL) {
        return IOTHUB_OK;
    }
    if (strlen(p->csr) > IOTHUB_CSR_MAX) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG,
                           "provisioning options: csr is longer than 8192 characters");
    }
    if (!iothub_base64_valid(mqc_span_str(p->csr), &len) || len == 0) {
        return fail(error, "csr is not base64; encode the DER of the request, without the lines of "
                           "PEM");
    }
    return is_preview(p->api_version)
               ? IOTHUB_OK
               : fail(error, "csr needs an api_version that ends with -preview, such as "
                             "2025-07-01-preview");
}

static iothub_result check(const iothub_provisioning_options *p, const plat_platform *platform,
                           iothub_error *error)
{
    const char *fault = find_fault(p);

    if (fault != NULL) {
        return fail(error, fault);
    }
    if (!is_version(p->api_version)) {
        return fail(error, "api_version is not a date such as 2021-06-01");
    }
    iothub_result r = id_scope_check(mqc_span_str(p->id_scope), error);
    if (r == IOTHUB_OK) {
        r = registration_id_check(mqc_span_str(p->registration_id), error);
    }
    if (r == IOTHUB_OK) {
        r = check_payload(p->payload, error);
    }
    if (r == IOTHUB_OK) {
        r = check_csr(p, error);
    }
    return r == IOTHUB_OK ? check_credential(p, platform, error) : r;
}

/* --- copies ---------------------------------------------------------------------------- */

/* Copies the struct. The options that an older, shorter struct does not have keep their
 * defaults. */
static iothub_result take_struct(iothub_provisioning_options *to,
                                 const iothub_provisioning_options *from, iothub_error *error)
{
    const size_t least = offsetof(iothub_provisioning_options, group_key);

    if (from == NULL) {
        return fail(error, "is NULL");
    }
    if (from->struct_size < least || from->struct_size > LARGEST) {
        return fail(error, "iothub_provisioning_options_init was not called");
    }
    iothub_result r =
        iothub_struct_in(to, sizeof *to, from, from->struct_size, "provisioning options", error);
    const size_t size = from->struct_size < sizeof *to ? from->struct_size : sizeof *to;
    iothub_provisioning_options_init(to);
    memcpy(to, from, size);
    to->struct_size = sizeof *to;
    return r;
}

static const char *copy(const char *text, dps_room *room)
{
    const size_t size = strlen(text) + 1;
    char *to = dps_room_cut(room, size);

    if (to == NULL) {
        return text; /* the room only counts bytes */
    }
    memcpy(to, text, size);
    return to;
}

/* Stores only the key of the device, even if the key of its group was given. */
static iothub_result take_key(iothub_provisioning_options *o, const plat_crypto *crypto,
                              dps_room *room, iothub_error *error)
{
    if (o->credential != NULL) {
        o->key = o->credential->kind == IOTHUB_CREDENTIAL_KEY ? o->credential->as.key.key : NULL;
        o->credential = NULL; /* the credential or its key is copied below */
    }
    if (o->group_key == NULL) {
        o->key = o->key != NULL ? copy(o->key, room) : NULL;
        return IOTHUB_OK;
    }
    const char *group_key = o->group_key;
    char *to = dps_room_cut(room, IOTHUB_DEVICE_KEY_SIZE);
    o->key = to != NULL ? to : "";
    o->group_key = NULL;
    return to == NULL ? IOTHUB_OK
                      : iothub_derive_device_key(crypto, group_key, o->registration_id, to, error);
}

iothub_result dps_request_take(dps_request *r, const iothub_provisioning_options *p,
                               const plat_platform *platform, dps_room *room, iothub_error *error)
{
    iothub_credential certificate = { .kind = IOTHUB_CREDENTIAL_NONE };
    iothub_provisioning_options o = { 0 };

    iothub_result result = take_struct(&o, p, error);
    if (result == IOTHUB_OK) {
        result = check(&o, platform, error);
    }
    if (result != IOTHUB_OK) {
        return result;
    }
    if (o.credential != NULL && o.credential->kind == IOTHUB_CREDENTIAL_X509) {
        certificate = *o.credential;
    }
    result = take_key(&o, platform->crypto, room, error);
    if (result != IOTHUB_OK) {
        return result;
    }
    if (o.csr != NULL && o.answer_size < IOTHUB_CSR_ANSWER_MIN) {
        o.answer_size = IOTHUB_CSR_ANSWER_MIN;
    }
    o.id_scope = copy(o.id_scope, room);
    o.registration_id = copy(o.registration_id, room);
    o.host = copy(o.host, room);
    o.api_version = copy(o.api_version, room);
    *r = (dps_request){
        .options = o,
        .id_scope = mqc_span_str(o.id_scope),
        .registration_id = mqc_span_str(o.registration_id),
        .key = o.key != NULL ? iothub_trim(mqc_span_str(o.key)) : mqc_span_of(NULL, 0),
        .credential = certificate,
        .payload = o.payload != NULL ? mqc_span_str(o.payload) : mqc_span_of(NULL, 0),
        .csr = o.csr != NULL ? mqc_span_str(o.csr) : mqc_span_of(NULL, 0),
    };
    return IOTHUB_OK;
}

/* --- certificates that renew themselves ------------------------------------------------ */

/* Only its length counts, because the room for a request is measured before there is one. */
static const char longest_csr[IOTHUB_CSR_MADE_MAX];

iothub_result dps_request_expect_csr(dps_request *r, iothub_error *error)
{
    if (r->options.csr != NULL) {
        return fail(error, "csr is set, but iothub_options.certificate makes the requests");
    }
    if (!is_preview(r->options.api_version)) {
        r->options.api_version = PREVIEW_API_VERSION;
    }
    if (r->options.answer_size < IOTHUB_CSR_ANSWER_MIN) {
        r->options.answer_size = IOTHUB_CSR_ANSWER_MIN;
    }
    r->renews = true;
    r->csr = mqc_span_of(longest_csr, sizeof longest_csr);
    return IOTHUB_OK;
}

void dps_request_set_csr(dps_request *r, mqc_span csr)
{
    r->csr = csr;
}
