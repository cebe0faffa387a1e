#include "hub/key_signature.h"
#include "hub/registration_id.h"
#include "iothub/provisioning.h"
#include "text/text_writer.h"

_Static_assert(IOTHUB_DEVICE_KEY_SIZE == KEY_SIGNATURE_CHARS + 1, "a signature and its NUL");

iothub_result iothub_derive_device_key(const plat_crypto *crypto, const char *group_key,
                                       const char *registration_id,
                                       char out[IOTHUB_DEVICE_KEY_SIZE], iothub_error *err)
{
    if (out == NULL) {
        return iothub_fail(err, IOTHUB_ERR_ARG, "device key: a pointer is NULL");
    }
    out[0] = '\0';
    if (crypto == NULL || group_key == NULL || registration_id == NULL) {
        return iothub_fail(err, IOTHUB_ERR_ARG, "device key: a pointer is NULL");
    }
    iothub_result r = registration_id_check(mqc_span_str(registration_id), err);
    if (r == IOTHUB_OK) {
        r = key_signature_make(crypto, mqc_span_str(group_key), mqc_span_str(registration_id), out,
                               err);
    }
    out[r == IOTHUB_OK ? KEY_SIGNATURE_CHARS : 0] = '\0';
    return r;
}
