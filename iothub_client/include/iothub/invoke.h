#ifndef IOTHUB_INVOKE_H
#define IOTHUB_INVOKE_H

/**
 * @file
 * A module of IoT Edge calls a direct method of another module or of a device behind the same Edge
 * device. This is an HTTPS request to the gateway, so it needs a plat_http, such as that of
 * iothub::platform_curl.
 *
 * @code
 * iothub_invoke_init(&call);
 * call.gateway = getenv("IOTEDGE_GATEWAYHOSTNAME");
 * call.caller = "edge1/module1";
 * call.token = iothub_edge_token(edge);
 * call.device_id = "edge1";
 * call.module_id = "module2";
 * call.method = "reboot";
 * call.payload = mqc_span_str("{\"delay\":5}");
 * iothub_invoke_start(http, &call, &error);
 * while (!iothub_invoke_progress(http, &answer)) {
 *     http->ops->wait(http, 1000);
 * }
 * @endcode
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "platform/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A call of a method. Call iothub_invoke_init first; all texts are borrowed during
 * iothub_invoke_start, and the payload until the call has ended. */
typedef struct iothub_invoke {
    size_t struct_size;    /**< Size of this struct, set by iothub_invoke_init. */
    const char *gateway;   /**< Host name of the gateway. No default. */
    uint16_t port;         /**< HTTPS port of the gateway. Default 443. */
    const char *caller;    /**< "device/module" of the calling module. No default. */
    const char *token;     /**< SharedAccessSignature of the calling module. No default. */
    const char *device_id; /**< Id of the device whose method is called. No default. */
    /**
     * Id of the module whose method is called. NULL (the default): a method of the device itself is
     * called.
     */
    const char *module_id;
    const char *method; /**< Name of the method. No default. */
    mqc_span payload;   /**< JSON; empty (the default): none. At most IOTHUB_INVOKE_PAYLOAD_MAX
                             bytes. */
    /** How long the method may take, in seconds, 5 to 300. Default 30. */
    uint32_t response_timeout_s;
    /** How long to wait for a target that is not connected, in seconds, 0 to 300. Default 0. */
    uint32_t connect_timeout_s;
    const char *ca_file; /**< PEM file with the only certificates to trust. Default NULL. */
    /**
     * The certificates to trust as PEM text in memory. Default NULL. If ca_file and ca_data are
     * NULL, the certificates of the system are trusted.
     */
    const void *ca_data;
    size_t ca_len; /**< Size of ca_data in bytes. */
} iothub_invoke;

/** Largest payload of a call, and of its answer, in bytes: a limit of the hub. */
#define IOTHUB_INVOKE_PAYLOAD_MAX (128 * 1024)

/** How a call ended. Its texts are valid until the next use of the plat_http. */
typedef struct iothub_invoke_answer {
    /**
     * IOTHUB_OK: the method was called, and status and payload are its answer. Otherwise:
     * IOTHUB_ERR_AUTH: the gateway refuses the token. IOTHUB_ERR_REJECTED: there is no such target,
     * or it has no such method. IOTHUB_ERR_TIMEOUT: the target did not answer in time.
     * IOTHUB_ERR_UNAVAILABLE: the gateway is busy. IOTHUB_ERR_JSON: the answer is not valid. Other
     * codes: the connection failed.
     */
    iothub_result result;
    int http_status;  /**< Status of the HTTPS answer; 0 if there was none. */
    int status;       /**< What the method returned. */
    mqc_span payload; /**< What the method returned: JSON, or "null". */
    const char *text; /**< The reason of a failure, for people; "" with IOTHUB_OK. */
} iothub_invoke_answer;

/**
 * iothub_invoke_init for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param[out] call    as there
 * @param struct_size  sizeof *call of the application
 */
void iothub_invoke_init_sized(iothub_invoke *call, size_t struct_size);

/**
 * Sets *call to the defaults.
 *
 * @param[out] call  the call; NULL does nothing
 */
static inline void iothub_invoke_init(iothub_invoke *call)
{
    iothub_invoke_init_sized(call, sizeof *call);
}

/**
 * Begins a call. Never blocks.
 *
 * @param http        makes the request; no other one may be in progress
 * @param call        the call
 * @param[out] error  names the member at fault; may be NULL
 * @retval IOTHUB_ERR_ARG      a member is missing or outside its range
 * @retval IOTHUB_ERR_JSON     the payload is not JSON
 * @retval IOTHUB_ERR_TOO_BIG  the payload or a name is too long
 * @retval IOTHUB_ERR_STATE    another request is in progress
 * @retval IOTHUB_ERR_MEMORY   no memory is left
 */
iothub_result iothub_invoke_start(plat_http *http, const iothub_invoke *call, iothub_error *error);

/**
 * Continues a call. Never blocks. To wait, use the functions poll or wait of http; to give up,
 * cancel.
 *
 * @param http         with a call in progress
 * @param[out] answer  how the call ended, if this function returns true
 * @return true if the call has ended
 */
bool iothub_invoke_progress(plat_http *http, iothub_invoke_answer *answer);

#ifdef __cplusplus
}
#endif
#endif
