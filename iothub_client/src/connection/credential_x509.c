#include "connection/credential_type.h"

/* Implements the client certificate as a credential. The stream presents it in the TLS
 * handshake, and CONNECT has no password. */

/* A certificate that was just issued is accepted even if the clock is this many seconds slow.
 * The hub uses its own clock. */
enum { SLOW_CLOCK_S = 300 };

/* The application is asked to replace the certificate after four fifths of its life. If the client
 * renews it by itself, that has failed when a twentieth is left. */
enum { PARTS_OF_LIFE = 20, USED_PARTS = 16, USED_PARTS_IF_RENEWED = 19 };

static plat_identity_info describe(const iothub_context *context, const iothub_credential *c)
{
    plat_identity_info info;

    context->options.platform->identities->describe(c->as.identity, &info);
    return info;
}

static iothub_result check(const iothub_context *context, const iothub_credential *c,
                           iothub_error *error)
{
    if (c->as.identity == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "the identity is NULL: it could not be made");
    }
    return context->options.platform->identities != NULL
               ? IOTHUB_OK
               : iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                             "the platform has no client certificates; copy *plat_posix() and set "
                             "identities to plat_posix_identities()");
}

static size_t password_size(const iothub_context *context, const iothub_credential *c)
{
    (void)context;
    (void)c;
    return 0;
}

/* Returns the time in which every certificate of the chain is valid. */
static credential_validity validity(const iothub_context *context, const iothub_credential *c)
{
    const plat_identity_info info = describe(context, c);
    const int64_t life_s = info.not_after_s - info.not_before_s;
    const int64_t used_parts =
        context->options.certificate != NULL ? USED_PARTS_IF_RENEWED : USED_PARTS;

    return (credential_validity){
        .from_s = info.not_before_s - SLOW_CLOCK_S,
        .until_s = info.chain_until_s + 1, /* The last second of its life belongs to it. */
        .notice_s = info.not_before_s + life_s / PARTS_OF_LIFE * used_parts,
    };
}

static iothub_result put_password(const iothub_context *context, const iothub_credential *c,
                                  iothub_text *t, mqc_span *password, iothub_error *error)
{
    (void)context;
    (void)c;
    (void)t;
    (void)error;
    *password = mqc_span_of(NULL, 0);
    return IOTHUB_OK;
}

static const iothub_credential_type x509_type = {
    .check = check,
    .password_size = password_size,
    .validity = validity,
    .put_password = put_password,
    .unusable = IOTHUB_ERR_CREDENTIAL,
    .too_early =
        "the client certificate is not valid yet: set the clock, or use another certificate",
    .too_late = "the client certificate has expired: pass a new one to iothub_set_credentials, or "
                "set the clock",
    .ends_soon = "the client certificate expires soon",
    .has_ended = "the client certificate has expired",
};

iothub_credential iothub_x509_credential(plat_identity *identity)
{
    return (iothub_credential){ .kind = IOTHUB_CREDENTIAL_X509,
                                .type = &x509_type,
                                .as = { .identity = identity } };
}
