#include "connection/credential_type.h"
#include "connection/wall_clock.h"
#include "context/deadline.h"
#include "iothub/sas.h"
#include "text/base64.h"
#include "text/percent.h"

/* Parts of a shared access key, which comes from the connection string or from the application. */

static iothub_connection_string signer_of(const iothub_context *context, const iothub_credential *c)
{
    iothub_connection_string cs = hub_names_as_string(&context->identity);

    if (c->as.key.key != NULL) {
        cs.key = mqc_span_str(c->as.key.key);
        cs.policy_name = c->as.key.policy_name != NULL ? mqc_span_str(c->as.key.policy_name)
                                                       : mqc_span_of(NULL, 0);
    }
    return cs;
}

static iothub_result check(const iothub_context *context, const iothub_credential *c,
                           iothub_error *error)
{
    size_t len = 0;

    if (c->as.key.key == NULL) {
        return iothub_fail(error, IOTHUB_ERR_KEY, "the key is NULL");
    }
    const iothub_connection_string cs = signer_of(context, c);
    if (cs.key.len == 0 || !iothub_base64_valid(cs.key, &len)) {
        return iothub_fail(error, IOTHUB_ERR_KEY,
                           "the key is not base64; copy it whole, with the '=' at its end");
    }
    if (len > IOTHUB_KEY_MAX) {
        return iothub_fail(error, IOTHUB_ERR_KEY, "the key is longer than %zu bytes",
                           (size_t)IOTHUB_KEY_MAX);
    }
    return cs.policy_name.len <= IOTHUB_ID_MAX
               ? IOTHUB_OK
               : iothub_fail(error, IOTHUB_ERR_PART_INVALID,
                             "the name of the policy is longer than %zu bytes",
                             (size_t)IOTHUB_ID_MAX);
}

/* The length of a token without its resource, with a NUL. The expiry has at most 12 digits,
 * since wall_clock_s ends with the year 9999. Of the 44 characters of a signature all but one
 * may be percent-encoded: the last one before the padding has only four bits, so it cannot be
 * '+' or '/'. */
enum { TOKEN_FRAME = sizeof "SharedAccessSignature sr=&sig=&se=253402300799" + 3 * 43 + 1 };

static size_t password_size(const iothub_context *context, const iothub_credential *c)
{
    const iothub_connection_string cs = signer_of(context, c);
    char resource[IOTHUB_SAS_RESOURCE_SIZE];
    iothub_text t;

    iothub_text_count(&t);
    (void)iothub_sas_resource(&cs, resource, sizeof resource);
    iothub_percent_put(&t, mqc_span_str(resource));
    if (cs.policy_name.len != 0) {
        iothub_text_put(&t, "&skn=");
        iothub_percent_put(&t, cs.policy_name);
    }
    return t.len + TOKEN_FRAME;
}

static credential_validity validity(const iothub_context *context, const iothub_credential *c)
{
    (void)context;
    (void)c;
    return (credential_validity){ .until_s = INT64_MAX };
}

/* Makes the token directly in the scratch buffer, of which it is the last text. */
static iothub_result put_password(const iothub_context *context, const iothub_credential *c,
                                  iothub_text *t, mqc_span *password, iothub_error *error)
{
    const iothub_connection_string cs = signer_of(context, c);
    const uint64_t expiry =
        (uint64_t)wall_clock_s(context_clock(context)) + context->options.sas_lifetime_s;
    char *at = t->buf + t->len;
    size_t len = 0;

    iothub_result r = iothub_sas_build_for(context->options.platform->crypto, &cs, expiry, at,
                                           t->cap - t->len, &len, error);
    *password = mqc_span_of(at, len);
    return r;
}

/* Tokens are used for 80 % of their life, but not in its last 1.2 s: they expire at whole seconds
 * and may be valid for up to a second less than requested. */
enum { USED_MS_PER_S = 800, LAST_MS = 1200 };

static mqc_time renew_at(const iothub_context *context, const iothub_credential *c,
                         mqc_time login_at)
{
    const uint64_t life_s = context->options.sas_lifetime_s;

    (void)c;
    return login_at + deadline_earlier(life_s * USED_MS_PER_S, life_s * 1000 - LAST_MS);
}

static const iothub_credential_type key_type = {
    .check = check,
    .password_size = password_size,
    .validity = validity,
    .put_password = put_password,
    .renew_at = renew_at,
};

const iothub_credential credential_own_key = { .kind = IOTHUB_CREDENTIAL_KEY, .type = &key_type };

iothub_credential iothub_key_credential(const char *key, const char *policy_name)
{
    return (iothub_credential){ .kind = IOTHUB_CREDENTIAL_KEY,
                                .type = &key_type,
                                .as = { .key = { key, policy_name } } };
}
