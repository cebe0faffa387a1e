#include "connection/credential_type.h"
#include "iothub/sas.h"
#include "text/split.h"

/* A ready-made token, which comes from the connection string or from the application. */

/* An expiry after this time counts as this time, because it must fit into 64 bits in
 * milliseconds. */
static const uint64_t LATEST_S = INT32_MAX * UINT64_C(1000);

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

/* Returns whether the granted resource covers the wanted one: they are equal, or the wanted one
 * is below it. Whole segments are compared. */
static bool covers(const char *granted, const char *wanted)
{
    while (*granted != '\0' && lower(*granted) == lower(*wanted)) {
        granted++;
        wanted++;
    }
    return *granted == '\0' && (*wanted == '\0' || *wanted == '/');
}

static iothub_result check_resource(const iothub_context *context, const iothub_sas_token *token,
                                    iothub_error *error)
{
    const iothub_connection_string cs = hub_names_as_string(&context->identity);
    const size_t half =
        /* Enough, because a longer resource cannot cover the wanted one. */
        context->scratch_len / 2;
    char *wanted = context->scratch;
    char *granted = context->scratch + half;

    if (iothub_sas_resource(&cs, wanted, half) != IOTHUB_OK ||
        iothub_sas_decode(token->resource, granted, half) != IOTHUB_OK ||
        !covers(granted, wanted)) {
        return iothub_fail(error, IOTHUB_ERR_PART_INVALID,
                           "SharedAccessSignature: sr is for another resource than this device");
    }
    return IOTHUB_OK;
}

static int64_t end_of(const iothub_sas_token *token)
{
    return (int64_t)(token->expiry_s < LATEST_S ? token->expiry_s : LATEST_S);
}

iothub_result credential_token_check(const iothub_context *context, mqc_span token,
                                     int64_t *expiry_s, iothub_error *error)
{
    iothub_sas_token parts;

    iothub_result r = iothub_sas_parse(&parts, token, error);
    if (r == IOTHUB_OK) {
        r = check_resource(context, &parts, error);
    }
    if (r == IOTHUB_OK) {
        *expiry_s = end_of(&parts);
    }
    return r;
}

static mqc_span text_of(const iothub_context *context, const iothub_credential *c)
{
    return iothub_trim(mqc_span_str(c->as.token != NULL ? c->as.token : context->identity.token));
}

static iothub_result check(const iothub_context *context, const iothub_credential *c,
                           iothub_error *error)
{
    int64_t end_s;

    return c->as.token == NULL
               ? iothub_fail(error, IOTHUB_ERR_ARG, "the SharedAccessSignature is NULL")
               : credential_token_check(context, text_of(context, c), &end_s, error);
}

static size_t password_size(const iothub_context *context, const iothub_credential *c)
{
    return text_of(context, c).len;
}

static credential_validity validity(const iothub_context *context, const iothub_credential *c)
{
    iothub_sas_token parts = { .expiry_s = 0 };

    /* Cannot fail, because the token was checked. */
    (void)iothub_sas_parse(&parts, text_of(context, c), NULL);
    return (credential_validity){ .until_s = end_of(&parts) };
}

static iothub_result put_password(const iothub_context *context, const iothub_credential *c,
                                  iothub_text *t, mqc_span *password, iothub_error *error)
{
    (void)t;
    (void)error;
    *password = text_of(context, c);
    return IOTHUB_OK;
}

static const iothub_credential_type token_type = {
    .check = check,
    .password_size = password_size,
    .validity = validity,
    .put_password = put_password,
    .unusable = IOTHUB_ERR_TOKEN_EXPIRED,
    .too_late = "the SharedAccessSignature has expired, and there is no key to make a new one",
    .ends_soon = "the SharedAccessSignature expires soon and cannot be renewed",
    .has_ended = "the SharedAccessSignature has expired",
};

const iothub_credential credential_own_token = { .kind = IOTHUB_CREDENTIAL_TOKEN,
                                                 .type = &token_type };

iothub_credential iothub_token_credential(const char *shared_access_signature)
{
    return (iothub_credential){ .kind = IOTHUB_CREDENTIAL_TOKEN,
                                .type = &token_type,
                                .as = { .token = shared_access_signature } };
}
