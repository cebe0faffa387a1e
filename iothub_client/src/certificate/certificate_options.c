#include "certificate/certificate_options.h"

#include "text/sized_struct.h"
#include "text/text_writer.h"

enum { SIZE_MAX_SANE = 65536 }; /* a larger size means that the struct was not initialised */

void iothub_certificate_options_init_sized(iothub_certificate_options *o, size_t struct_size)
{
    const iothub_certificate_options defaults = {
        .struct_size = struct_size,
        .key_kind = PLAT_KEY_EC_P256,
        .cache_key = "certificate",
        .renew_percent = 80,
    };

    if (o != NULL) {
        iothub_struct_out(o, struct_size, &defaults, sizeof defaults);
    }
}

static iothub_result refuse(iothub_error *error, const char *text)
{
    return iothub_fail(error, IOTHUB_ERR_ARG, "certificate options: %s", text);
}

static iothub_result check_options(const iothub_certificate_options *o, iothub_error *error)
{
    if (o->platform == NULL || o->maker == NULL) {
        return refuse(error, "platform and maker are both needed");
    }
    if (o->platform->identities == NULL) {
        return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                           "certificate options: the platform has no client certificates; copy "
                           "*plat_posix() and set identities to plat_posix_identities()");
    }
    if (o->key_kind < PLAT_KEY_RSA || o->key_kind > PLAT_KEY_EC_P384) {
        return refuse(error, "key_kind is none of plat_key_kind");
    }
    if ((o->signer != NULL) != (o->public_key != NULL && o->public_key_len > 0)) {
        return refuse(error, "signer and public_key: both are needed, or none");
    }
    if (o->cache_key == NULL || o->cache_key[0] == '\0') {
        return refuse(error, "cache_key is empty");
    }
    return o->renew_percent >= 1 && o->renew_percent <= 90
               ? IOTHUB_OK
               : refuse(error, "renew_percent is not 1 to 90");
}

iothub_result certificate_options_take(iothub_certificate_options *to,
                                       const iothub_certificate_options *from, iothub_error *error)
{
    if (from == NULL || from->struct_size < sizeof from->struct_size ||
        from->struct_size > SIZE_MAX_SANE) {
        return refuse(error, "iothub_certificate_options_init was not called");
    }
    iothub_certificate_options_init(to);
    iothub_result r =
        iothub_struct_in(to, sizeof *to, from, from->struct_size, "certificate options", error);
    to->struct_size = sizeof *to;
    return r == IOTHUB_OK ? check_options(to, error) : r;
}

iothub_result certificate_options_check_client(const iothub_options *o, iothub_error *error)
{
    if (o->platform->identities == NULL) {
        return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                           "options: certificate needs a platform with identities; copy "
                           "*plat_posix() and set identities to plat_posix_identities()");
    }
    if (o->rx_size < IOTHUB_CERTIFICATE_RX_MIN ||
        o->request_size < IOTHUB_CERTIFICATE_REQUEST_MIN) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "options: with a certificate, rx_size must be at least %zu and "
                           "request_size at least %zu",
                           (size_t)IOTHUB_CERTIFICATE_RX_MIN,
                           (size_t)IOTHUB_CERTIFICATE_REQUEST_MIN);
    }
    return o->credential_count < IOTHUB_CREDENTIALS_MAX
               ? IOTHUB_OK
               : iothub_fail(error, IOTHUB_ERR_ARG,
                             "options: with a certificate, at most %zu credentials are possible",
                             (size_t)IOTHUB_CREDENTIALS_MAX - 1);
}
