#include "iothub/sas.h"

#include "hub/connection_string_take.h"
#include "hub/key_signature.h"
#include "hub/sas_text.h"
#include "hub/topics.h"
#include "text/base64.h"
#include "text/decimal.h"
#include "text/name_value.h"
#include "text/percent.h"
#include "text/split.h"
#include "text/text_writer.h"

enum {
    SIGNATURE_DECODED_MAX = 128, /* longer than any valid field */
    U64_DIGITS = 20
};

enum field { RESOURCE, SIGNATURE, EXPIRY, POLICY, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = { "sr", "sig", "se", "skn" };

static const iothub_name_value_hint no_hints[] = { { NULL, "" } };

static const iothub_name_value_format format = {
    .what = "SharedAccessSignature",
    .separator = '&',
    .names = field_names,
    .count = FIELD_COUNT,
    .no_name = "is not Name=Value",
    .bad_name = "has an unknown name",
    .hints = no_hints,
};

static iothub_result fail_null(iothub_error *err)
{
    return iothub_fail(err, IOTHUB_ERR_ARG, "SAS token: a pointer is NULL");
}

static iothub_result put_token(const plat_crypto *crypto, const iothub_sas_grant *grant,
                               iothub_text *t, iothub_error *err)
{
    char sig[KEY_SIGNATURE_CHARS] = { 0 };
    const mqc_span resource = iothub_trim(grant->resource);
    sas_draft draft;

    if (resource.len == 0) {
        return iothub_fail(err, IOTHUB_ERR_ARG, "a SAS token needs a resource");
    }
    const mqc_span text = sas_text_begin(t, resource, grant->expiry_s, &draft);
    if (!t->overflow) {
        iothub_result r = key_signature_make(crypto, grant->key, text, sig, err);
        if (r != IOTHUB_OK) {
            return r;
        }
    }
    sas_text_end(t, &draft, mqc_span_of(sig, sizeof sig), grant->expiry_s,
                 iothub_trim(grant->policy));
    return t->overflow
               ? iothub_fail(err, IOTHUB_ERR_NO_SPACE, "the buffer is too small for the SAS token")
               : IOTHUB_OK;
}

iothub_result iothub_sas_build(const plat_crypto *crypto, const iothub_sas_grant *grant, char *out,
                               size_t cap, size_t *len, iothub_error *err)
{
    iothub_text t;

    if (crypto == NULL || grant == NULL || out == NULL) {
        return fail_null(err);
    }
    iothub_text_init(&t, out, cap);
    iothub_result r = put_token(crypto, grant, &t, err);
    if (r != IOTHUB_OK) {
        /* Makes iothub_text_finish clear the text, so that no part of it is left behind. */
        t.overflow = true;
    }
    (void)iothub_text_finish(&t);
    if (r == IOTHUB_OK && len != NULL) {
        *len = t.len;
    }
    return r;
}

static iothub_result put_resource(const iothub_connection_string *cs, char *out, size_t cap)
{
    iothub_text t;

    iothub_text_init(&t, out, cap);
    iothub_text_put_span(&t, cs->host_name);
    if (cs->kind != IOTHUB_IDENTITY_SERVICE) {
        const topic_identity id = { cs->device_id, cs->module_id };
        iothub_text_put_char(&t, '/');
        topic_put_device(&t, &id);
    }
    return iothub_text_finish(&t);
}

iothub_result iothub_sas_resource_sized(const iothub_connection_string *cs, size_t struct_size,
                                        char *out, size_t cap)
{
    iothub_connection_string id;

    if (out == NULL) {
        return IOTHUB_ERR_ARG;
    }
    iothub_result r = iothub_connection_string_take(&id, cs, struct_size, NULL);
    return r == IOTHUB_OK ? put_resource(&id, out, cap) : r;
}

iothub_result iothub_sas_build_for_sized(const plat_crypto *crypto,
                                         const iothub_connection_string *cs, size_t struct_size,
                                         uint64_t expiry_s, char *out, size_t cap, size_t *len,
                                         iothub_error *err)
{
    char resource[IOTHUB_SAS_RESOURCE_SIZE];
    iothub_connection_string id;

    if (crypto == NULL || out == NULL) {
        return fail_null(err);
    }
    iothub_result r = iothub_connection_string_take(&id, cs, struct_size, err);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (id.key.len == 0) {
        return iothub_fail(err, IOTHUB_ERR_ARG,
                           "a connection string without SharedAccessKey cannot make a token");
    }
    r = put_resource(&id, resource, sizeof resource);
    if (r != IOTHUB_OK) {
        return iothub_fail(err, r, "the resource of the SAS token is too long");
    }
    const iothub_sas_grant grant = {
        .resource = mqc_span_str(resource),
        .key = id.key,
        .policy = id.policy_name,
        .expiry_s = expiry_s,
    };
    return iothub_sas_build(crypto, &grant, out, cap, len, err);
}

static iothub_result invalid(enum field field, const char *problem, iothub_error *err)
{
    return iothub_name_value_fail(&format, field, IOTHUB_ERR_PART_INVALID, problem, err);
}

static iothub_result parse_expiry(mqc_span digits, uint64_t *out, iothub_error *err)
{
    switch (iothub_decimal_parse(digits, out)) {
    case IOTHUB_DECIMAL_OK: return IOTHUB_OK;
    case IOTHUB_DECIMAL_TOO_LARGE: return invalid(EXPIRY, "is too large", err);
    case IOTHUB_DECIMAL_NOT_A_NUMBER: break;
    }
    return invalid(EXPIRY, "is not a decimal number of seconds", err);
}

/* Returns whether the value contains blanks. A line end would start a new header or line in the
 * protocol that carries the token. */
static bool has_blanks(mqc_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] <= 0x20 || value.ptr[i] == 0x7F) {
            return true;
        }
    }
    return false;
}

static iothub_result check_fields(const mqc_span *v, iothub_error *err)
{
    char sig[SIGNATURE_DECODED_MAX];
    size_t sig_len;
    size_t mac_len;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (v[i].len == 0 && i != POLICY) {
            return iothub_name_value_fail(&format, i, IOTHUB_ERR_PART_MISSING, "is missing", err);
        }
        if (has_blanks(v[i])) {
            return invalid((enum field)i, "contains white space or a control character", err);
        }
        if (!iothub_percent_valid(v[i])) {
            return invalid((enum field)i, "has a broken percent-encoding", err);
        }
    }
    if (iothub_percent_decode(v[SIGNATURE], sig, sizeof sig, &sig_len) != IOTHUB_OK ||
        !iothub_base64_valid(mqc_span_of(sig, sig_len), &mac_len)) {
        return invalid(SIGNATURE, "is not base64", err);
    }
    return IOTHUB_OK;
}

iothub_result iothub_sas_parse(iothub_sas_token *out, mqc_span text, iothub_error *err)
{
    mqc_span v[FIELD_COUNT];
    mqc_span scheme;
    mqc_span fields;
    uint64_t expiry_s = 0;

    if (out == NULL || (text.ptr == NULL && text.len > 0)) {
        return fail_null(err);
    }
    (void)iothub_cut(iothub_trim(text), ' ', &scheme, &fields);
    if (!mqc_span_eq(scheme, mqc_span_str(format.what))) {
        return iothub_fail(err, IOTHUB_ERR_PART_INVALID, "%s: must begin with \"%s \"", format.what,
                           format.what);
    }
    iothub_result r = iothub_name_value_split(&format, fields, v, err);
    if (r == IOTHUB_OK) {
        r = check_fields(v, err);
    }
    if (r == IOTHUB_OK) {
        r = parse_expiry(v[EXPIRY], &expiry_s, err);
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    const iothub_sas_token token = {
        .resource = v[RESOURCE],
        .signature = v[SIGNATURE],
        .policy = v[POLICY],
        .expiry_text = v[EXPIRY],
        .expiry_s = expiry_s,
    };
    *out = token;
    return IOTHUB_OK;
}

iothub_result iothub_sas_decode(mqc_span field, char *out, size_t cap)
{
    size_t len;

    if (out == NULL || (field.ptr == NULL && field.len > 0)) {
        return IOTHUB_ERR_ARG;
    }
    if (cap == 0) {
        return IOTHUB_ERR_NO_SPACE;
    }
    iothub_result r = iothub_percent_decode(field, out, cap - 1, &len);
    if (r == IOTHUB_OK && len != 0 && memchr(out, '\0', len) != NULL) {
        r = IOTHUB_ERR_PROTOCOL;
    }
    out[r == IOTHUB_OK ? len : 0] = '\0';
    return r;
}

static bool same_in_constant_time(const char *a, const char *b, size_t len)
{
    unsigned differences = 0;

    for (size_t i = 0; i < len; i++) {
        differences |= (unsigned)((uint8_t)a[i] ^ (uint8_t)b[i]);
    }
    return differences == 0;
}

iothub_result iothub_sas_verify(const plat_crypto *crypto, const iothub_sas_token *token,
                                mqc_span key, iothub_error *err)
{
    char signed_text[IOTHUB_SAS_VERIFY_MAX + 1 + U64_DIGITS + 1];
    char sent[KEY_SIGNATURE_CHARS];
    char right[KEY_SIGNATURE_CHARS] = { 0 };
    size_t sent_len = 0;
    iothub_text t;

    if (crypto == NULL || token == NULL) {
        return fail_null(err);
    }
    iothub_text_init(&t, signed_text, sizeof signed_text);
    iothub_text_put_span(&t, token->resource);
    iothub_text_put_char(&t, '\n');
    iothub_text_put_span(&t, token->expiry_text);
    if (t.overflow) {
        return iothub_fail(err, IOTHUB_ERR_TOO_BIG, "%s: sr is too long", format.what);
    }
    iothub_result r = key_signature_make(crypto, key, iothub_text_span(&t), right, err);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = iothub_percent_decode(token->signature, sent, sizeof sent, &sent_len);
    if (r != IOTHUB_OK || sent_len != sizeof sent ||
        !same_in_constant_time(sent, right, sizeof sent)) {
        return iothub_fail(err, IOTHUB_ERR_AUTH, "%s: sig was not made with this key", format.what);
    }
    return IOTHUB_OK;
}
