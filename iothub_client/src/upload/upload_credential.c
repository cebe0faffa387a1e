#include "upload/upload_credential.h"

#include "hub/connection_string.h"
#include "text/split.h"
#include "text/text_writer.h"

static iothub_result unsupported(iothub_error *error, const char *text)
{
    return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED, "upload: %s", text);
}

static iothub_result wrong(iothub_error *error, const char *text)
{
    return iothub_fail(error, IOTHUB_ERR_ARG, "upload: %s", text);
}

static iothub_result take_key(const iothub_shared_key *key, iothub_connection_string *device,
                              iothub_error *error)
{
    if (key->key == NULL) {
        return wrong(error, "credential: the key is NULL");
    }
    device->key = iothub_trim(mqc_span_str(key->key));
    if (key->policy_name != NULL) {
        device->policy_name = mqc_span_str(key->policy_name);
    }
    return IOTHUB_OK;
}

static iothub_result check_identity(const iothub_upload_options *o, iothub_error *error)
{
    const plat_identities *identities = o->platform->identities;
    plat_identity_parts parts;

    if (o->credential->as.identity == NULL) {
        return wrong(error, "credential: the identity is NULL: it could not be made");
    }
    if (identities == NULL) {
        return unsupported(error, "the platform has no client certificates; copy *plat_posix() and "
                                  "set identities to plat_posix_identities()");
    }
    return identities->show != NULL && identities->show(o->credential->as.identity, &parts)
               ? IOTHUB_OK
               : unsupported(error, "the key of the certificate is not in the process (a signer or "
                                    "PKCS #11 token has it), and libcurl cannot use it; use a "
                                    "key or a token for uploads");
}

static iothub_result take_credential(const iothub_upload_options *o,
                                     iothub_connection_string *device, iothub_error *error)
{
    switch ((int)o->credential->kind) {
    case IOTHUB_CREDENTIAL_KEY: return take_key(&o->credential->as.key, device, error);
    case IOTHUB_CREDENTIAL_TOKEN:
        if (o->credential->as.token == NULL) {
            return wrong(error, "credential: the token is NULL");
        }
        device->signature = iothub_trim(mqc_span_str(o->credential->as.token));
        return IOTHUB_OK;
    case IOTHUB_CREDENTIAL_X509: return check_identity(o, error);
    default: break;
    }
    return unsupported(
        error, "credential: the token provider of a client cannot be used; set request_token");
}

iothub_result upload_credential_read(const iothub_upload_options *o,
                                     iothub_connection_string *device, iothub_error *error)
{
    const bool names_only = o->credential != NULL || o->request_token != NULL;
    iothub_result r = names_only
                          ? connection_string_parse_names(device, o->connection_string, error)
                          : iothub_connection_string_parse(device, o->connection_string, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (device->kind != IOTHUB_IDENTITY_DEVICE) {
        return unsupported(error, "only a device can upload files");
    }
    if (o->credential != NULL && o->request_token != NULL) {
        return wrong(error, "credential and request_token: only one of them is allowed");
    }
    if (o->credential != NULL) {
        return take_credential(o, device, error);
    }
    return device->x509 && o->request_token == NULL
               ? wrong(error, "x509=true needs a certificate: set credential to one made "
                              "by iothub_x509_credential")
               : IOTHUB_OK;
}

plat_identity *upload_credential_identity(const iothub_upload_options *o)
{
    return o->credential != NULL && o->credential->kind == IOTHUB_CREDENTIAL_X509
               ? o->credential->as.identity
               : NULL;
}
