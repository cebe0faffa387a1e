#ifndef IOTHUB_CONNECTION_STRING_H
#define IOTHUB_CONNECTION_STRING_H

#include "iothub/result.h"
#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Whom a connection string is for. */
typedef enum iothub_identity_kind {
    IOTHUB_IDENTITY_DEVICE = 1, /* HostName, DeviceId */
    IOTHUB_IDENTITY_MODULE,     /* HostName, DeviceId, ModuleId */
    IOTHUB_IDENTITY_SERVICE /* HostName, SharedAccessKeyName, no DeviceId: a policy of the hub */
} iothub_identity_kind;

/** The longest key, decoded.  Keys made by the hub have 32 or 64 bytes. */
#define IOTHUB_KEY_MAX 1024
/** The longest device or module id. */
#define IOTHUB_ID_MAX 128
/** The longest host name. */
#define IOTHUB_HOST_MAX 253

/** A checked connection string.  Every span points into the text that was parsed. */
typedef struct iothub_connection_string {
    iothub_identity_kind kind;
    mqc_span host_name;
    mqc_span gateway_host_name; /* empty: connect to host_name */
    mqc_span device_id;         /* empty for a service */
    mqc_span module_id;         /* empty unless a module */
    mqc_span policy_name;       /* SharedAccessKeyName: whose the key is; empty: the device's own */
    mqc_span key;               /* SharedAccessKey, valid base64; or empty and ... */
    mqc_span signature;         /* ... SharedAccessSignature, a complete SAS token */
} iothub_connection_string;

/**
 * Parse and check `HostName=...;DeviceId=...;SharedAccessKey=...` and its
 * variants for modules and services, with a key or a ready-made token.  A device or module may also
 * use the key of a policy of the hub that has the right DeviceConnect (SharedAccessKeyName).  Names
 * of parts are matched in any letter case.  White space around the whole and around each name and
 * value, one ';' at the end, and x509, X509Cert and UseProvisioning with the value false are
 * ignored, nothing else is.
 *
 * On failure *out is not written, the code is one of IOTHUB_ERR_PART_*,
 * IOTHUB_ERR_KEY or IOTHUB_ERR_UNSUPPORTED, and *err (may be NULL) names the part.
 */
iothub_result iothub_connection_string_parse(iothub_connection_string *out, const char *text,
                                             iothub_error *err);

/**
 * Can this identity connect over MQTT?  IOTHUB_ERR_PART_INVALID for a service and
 * for ids with '+' or '#': legal at the hub, but not in an MQTT topic.
 */
iothub_result iothub_connection_string_check_mqtt(const iothub_connection_string *cs,
                                                  iothub_error *err);

#ifdef __cplusplus
}
#endif
#endif
