#ifndef IOTHUB_EDGE_H
#define IOTHUB_EDGE_H

/**
 * @file
 * Modules of Azure IoT Edge: who the module is stands in its environment (IOTEDGE_...), its tokens
 * are signed by the workload API of the Edge runtime, and so the module holds no key.
 *
 * @code
 * plat_curl_http_new(&http);
 * iothub_edge_options_init(&from);
 * from.platform = plat_posix();
 * from.http = http;
 * from.environment = getenv;
 * edge = iothub_edge_open(&from, &error);
 *
 * iothub_edge_configure(edge, &options);
 * c = iothub_new(iothub_edge_connection_string(edge), &options, &error);
 * ...
 * iothub_free(c);
 * iothub_edge_close(edge);
 * http->ops->free(http);
 * @endcode
 *
 * Outside of an Edge device, the simulator's variables EdgeHubConnectionString and
 * EdgeModuleCACertificateFile are used instead, if the first one is set.
 */

#include <stddef.h>
#include <stdint.h>

#include "iothub/options.h"
#include "iothub/result.h"
#include "platform/http.h"
#include "platform/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A module's connection to the runtime of IoT Edge. */
typedef struct iothub_edge iothub_edge;

/** How to reach the runtime. Call iothub_edge_options_init first. */
typedef struct iothub_edge_options {
    size_t struct_size;            /**< Set by iothub_edge_options_init. */
    const plat_platform *platform; /**< The port; borrowed until iothub_edge_close. No default. */
    /**
     * Makes the requests; nothing else may use it until iothub_edge_close. Borrowed. No default.
     */
    plat_http *http;
    /** Returns the value of an environment variable, or NULL: getenv. No default. */
    char *(*environment)(const char *name);
    uint32_t timeout_ms; /**< Time for one request, in milliseconds. Default 30 s. */
    /** Life of a token in seconds, at least 2. Default 3600. */
    uint32_t sas_lifetime_s;
} iothub_edge_options;

/**
 * iothub_edge_options_init for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param[out] o       as there
 * @param struct_size  sizeof *o of the application
 */
void iothub_edge_options_init_sized(iothub_edge_options *o, size_t struct_size);

/**
 * Sets *o to the defaults.
 *
 * @param[out] o  the options; NULL does nothing
 */
static inline void iothub_edge_options_init(iothub_edge_options *o)
{
    iothub_edge_options_init_sized(o, sizeof *o);
}

/**
 * Reads the environment and requests the certificates to trust from the workload API.
 *
 * This function blocks, at most timeout_ms, so it is for the start of a program. Everything that
 * follows does not block: the client requests tokens while it runs.
 *
 * @param o           the options
 * @param[out] error  the reason for a failure; it names the variable at fault. May be NULL.
 * @return the module; NULL after a failure, with one of these codes in error:
 *         IOTHUB_ERR_ARG (an option), IOTHUB_ERR_PART_MISSING or IOTHUB_ERR_PART_INVALID (a
 *         variable), IOTHUB_ERR_CONNECT or IOTHUB_ERR_IO (the workload API does not answer),
 *         IOTHUB_ERR_REJECTED or IOTHUB_ERR_JSON (its answer), IOTHUB_ERR_MEMORY
 */
iothub_edge *iothub_edge_open(const iothub_edge_options *o, iothub_error *error);

/**
 * Returns the connection string of the module: host, device, module and gateway, and no key. If the
 * simulator's variables are used, it is the simulator's connection string, which contains a key.
 *
 * @param edge the module
 * @return a text that is valid until iothub_edge_close
 */
const char *iothub_edge_connection_string(const iothub_edge *edge);

/**
 * Returns the latest token that was made for the client, for requests over HTTPS such as those of
 * iothub/invoke.h.
 *
 * @param edge  the module
 * @return a SharedAccessSignature, valid until the next iothub_process of the client; "" before the
 *         client's first login and with the simulator's variables
 */
const char *iothub_edge_token(const iothub_edge *edge);

/**
 * Sets the options that a client of this module needs: the certificates to trust and the
 * credential. Call it after iothub_options_init; all other options stay as they are.
 *
 * @param edge       the module; it must stay open until the client has been ended
 * @param[in,out] o  the options of the client
 */
void iothub_edge_configure(iothub_edge *edge, iothub_options *o);

/**
 * Frees the module. End its client first.
 *
 * @param edge  the module, or NULL
 */
void iothub_edge_close(iothub_edge *edge);

#ifdef __cplusplus
}
#endif
#endif
