#ifndef IOTHUB_CONNECTION_STRING_H
#define IOTHUB_CONNECTION_STRING_H

/**
 * @file
 * Parses the connection strings that the portal and the tools of IoT Hub show.
 */

#include <stdbool.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which kind of client a connection string is for. */
typedef enum iothub_identity_kind {
    IOTHUB_IDENTITY_DEVICE = 1, /**< A device: HostName and DeviceId. */
    IOTHUB_IDENTITY_MODULE,     /**< A module of a device: HostName, DeviceId and ModuleId. */
    IOTHUB_IDENTITY_SERVICE     /**< A service, with a policy of the hub: HostName and
                                     SharedAccessKeyName, without DeviceId. */
} iothub_identity_kind;

/** Longest key in bytes, after base64 decoding. Keys made by the hub have 32 or 64 bytes. */
#define IOTHUB_KEY_MAX 1024
/** Longest device or module id in bytes. */
#define IOTHUB_ID_MAX 128
/** Longest host name in bytes. */
#define IOTHUB_HOST_MAX 253

/**
 * A checked connection string.
 *
 * Every span points into the text that was parsed, so it is valid as long as that text is. A part
 * that was not given is an empty span.
 */
typedef struct iothub_connection_string {
    iothub_identity_kind kind;  /**< Device, module or service. */
    mqc_span host_name;         /**< HostName: the hub. */
    mqc_span gateway_host_name; /**< GatewayHostName: the host to connect to in place of the hub;
                                     empty: connect to host_name. */
    mqc_span device_id;         /**< DeviceId; empty for a service. */
    mqc_span module_id;         /**< ModuleId; empty for a device or a service. */
    mqc_span policy_name;       /**< SharedAccessKeyName: the policy that the key belongs to; empty:
                                     the key is the device's or the module's own. */
    mqc_span key;               /**< SharedAccessKey, valid base64; empty if signature or x509 is
                                     set. */
    mqc_span signature;         /**< SharedAccessSignature, a complete SAS token; empty if key or
                                     x509 is set. */
    bool x509; /**< x509=true or X509Cert=true: the identity has a client certificate, which is not
                    a part of the string (iothub/credential.h). */
} iothub_connection_string;

/**
 * iothub_connection_string_parse for a struct of any size; see "Sizes of structs" in
 * iothub/client.h.
 *
 * @param[out] out     as there
 * @param text         as there
 * @param struct_size  sizeof *out of the application
 * @param[out] err     as there
 * @return as there
 */
iothub_result iothub_connection_string_parse_sized(iothub_connection_string *out, const char *text,
                                                   size_t struct_size, iothub_error *err);

/**
 * Parses and checks `HostName=...;DeviceId=...;SharedAccessKey=...` and its variants for modules
 * and services, with a key or a ready-made token.
 *
 * A device or module may also use the key of a policy of the hub (SharedAccessKeyName) that has the
 * permission DeviceConnect. x509=true (or X509Cert=true) stands for a client certificate and
 * excludes key and token. Names of parts are matched without regard to case. The parser ignores
 * white space around the text and around each name and value, one ';' at the end, and the parts
 * x509, X509Cert and UseProvisioning if their value is false. It refuses every other unknown part.
 *
 * @param[out] out  filled on success, unchanged on failure
 * @param text      the connection string, NUL-terminated; the spans of *out point into it
 * @param[out] err  names the part at fault; may be NULL
 * @retval IOTHUB_ERR_PART_MISSING      a required part is missing
 * @retval IOTHUB_ERR_PART_DUPLICATE    a part is given twice
 * @retval IOTHUB_ERR_PART_EMPTY        a part has no value
 * @retval IOTHUB_ERR_PART_UNKNOWN      a part has an unknown name
 * @retval IOTHUB_ERR_PART_INVALID      a value is not valid, or two parts contradict each other
 * @retval IOTHUB_ERR_KEY               the key is not base64, or longer than IOTHUB_KEY_MAX
 * @retval IOTHUB_ERR_UNSUPPORTED       UseProvisioning=true: the device asks the Device
 *                                      Provisioning Service for its hub, see iothub/provisioning.h
 * @retval IOTHUB_ERR_ARG               out or text is NULL
 */
static inline iothub_result iothub_connection_string_parse(iothub_connection_string *out,
                                                           const char *text, iothub_error *err)
{
    return iothub_connection_string_parse_sized(out, text, sizeof *out, err);
}

/**
 * iothub_connection_string_check_mqtt for a struct of any size; see "Sizes of structs" in
 * iothub/client.h.
 *
 * @param cs           as there
 * @param struct_size  sizeof *cs of the application
 * @param[out] err     as there
 * @retval IOTHUB_ERR_UNSUPPORTED  a field is set that this version does not know
 * @return otherwise as there
 */
iothub_result iothub_connection_string_check_mqtt_sized(const iothub_connection_string *cs,
                                                        size_t struct_size, iothub_error *err);

/**
 * Checks whether this identity can connect over MQTT.
 *
 * The hub allows '+' and '#' in ids, but MQTT does not allow them in a topic.
 *
 * @param cs        a parsed connection string
 * @param[out] err  names the part at fault; may be NULL
 * @retval IOTHUB_ERR_PART_INVALID  a service, or an id that contains '+' or '#'
 * @retval IOTHUB_ERR_ARG           cs is NULL
 */
static inline iothub_result iothub_connection_string_check_mqtt(const iothub_connection_string *cs,
                                                                iothub_error *err)
{
    return iothub_connection_string_check_mqtt_sized(cs, sizeof *cs, err);
}

#ifdef __cplusplus
}
#endif
#endif
