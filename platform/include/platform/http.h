#ifndef PLAT_HTTP_H
#define PLAT_HTTP_H

/**
 * @file
 * HTTP requests without blocking, for the few things that are not done over MQTT.  One plat_http
 * makes one request at a time.
 *
 *     plat_http *http;
 *     plat_curl_http_new(&http);
 *     http->ops->start(http, &request);
 *     while ((r = http->ops->progress(http, &answer)) == PLAT_WOULD_BLOCK) {
 *         http->ops->wait(http, 1000);
 *     }
 *
 * plat_curl_http_new is in iothub::platform_curl; a port may implement the interface in another
 * way. Redirects are not followed, and certificates and host names are always verified.  Only one
 * thread at a time may use a plat_http.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/identity.h"
#include "platform/platform.h"
#include "platform/result.h"
#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One request.  Fill it with zeros, then set what is needed. */
typedef struct plat_http_request {
    const char *method; /**< "GET", "POST" and so on.  A POST is sent at most once. */
    const char *url;    /**< An https or http URL. */
    /** Path of a Unix socket to connect to; the host of the URL is then only a name.  NULL: connect
     * to the host of the URL. */
    const char *unix_socket;
    const char *const *headers; /**< Header lines such as "Content-Type: application/json". */
    size_t header_count;        /**< Number of headers, at most PLAT_HTTP_HEADERS_MAX. */
    const void *body;           /**< The body, or NULL; borrowed until the request has ended. */
    bool copy_body;             /**< true: the body is copied, and not borrowed. */
    size_t body_len;            /**< Size of the body in bytes. */
    /** Largest allowed body of an answer, in bytes; a larger one is an error. */
    size_t answer_max;
    uint32_t timeout_ms; /**< Time limit of the whole request in milliseconds, at least 1. */
    /** @name Trust
     * The only certificates to trust: a PEM file, or PEM text in memory.  NULL: those of the
     * system.
     * @{
     */
    const char *ca_file; /**< Path of a file. */
    const void *ca_data; /**< PEM text; it need not end with a NUL. */
    size_t ca_len;       /**< Size of ca_data in bytes. */
    /** @} */
    /**
     * The proxy to use, as plat_tunnel_config.proxy (platform/tunnel.h): a URL or "environment".
     * NULL: none, whatever the environment says.
     */
    const char *proxy;
    /** The request fails if it has made no progress for so long, in milliseconds, rounded up to
     * seconds. 0: only timeout_ms limits it. */
    uint32_t stall_ms;
    uint32_t reserved_small; /**< For later versions; must be zero. */
    /** What connections are bound to, as plat_stream_config.bind (platform/platform.h). NULL: the
     * system chooses. */
    const char *bind;
    /** The client certificate to present if the server asks for one; borrowed until the request has
     * ended. Its key must be in the process. NULL: none. */
    plat_identity *identity;
    const plat_identities *identities; /**< What has made identity; needed with it. */
    plat_tls_version min_version;      /**< Lowest version of TLS. PLAT_TLS_ANY: TLS 1.2. */
    plat_tls_version max_version;      /**< Highest version of TLS. PLAT_TLS_ANY: TLS 1.3. */
} plat_http_request;

/** Largest number of headers of a request. */
#define PLAT_HTTP_HEADERS_MAX 16

/** An answer. */
typedef struct plat_http_answer {
    int status;             /**< HTTP status, 100 to 599. */
    const char *body;       /**< The body, followed by a NUL; valid until the next start. */
    size_t body_len;        /**< Size of the body in bytes, without the NUL. */
    uint32_t retry_after_s; /**< Value of the header Retry-After in seconds; 0: it was not sent. */
} plat_http_answer;

/** Most descriptors that one request waits for. */
#define PLAT_HTTP_POLLS 4

/** An object that makes one HTTP request at a time. */
typedef struct plat_http plat_http;

/** The functions of a plat_http. */
typedef struct plat_http_ops {
    /**
     * Starts a request.  Never blocks.  Everything but the body is copied; see copy_body.
     * @param h  no request is in progress
     * @param r  the request
     * @retval PLAT_ERR_STATE   a request is in progress
     * @retval PLAT_ERR_ARG     the request is not valid; the detail says why
     * @retval PLAT_ERR_MEMORY  no memory is left
     */
    plat_result (*start)(plat_http *h, const plat_http_request *r);

    /**
     * Continues the request.  Never blocks.
     * @param h            a request is in progress
     * @param[out] answer  the answer, after PLAT_OK
     * @retval PLAT_OK            an answer with any status has arrived; the request has ended
     * @retval PLAT_WOULD_BLOCK   not yet: wait for what poll reports
     * @retval PLAT_ERR_STATE     no request is in progress
     * @retval PLAT_ERR_NO_SPACE  the answer is larger than answer_max; the request has ended
     * @retval PLAT_ERR_PROXY     the proxy refuses the connection, or the user and password; the
     *                            request has ended
     * @return any other result: the request has failed and ended; the detail says why
     */
    plat_result (*progress)(plat_http *h, plat_http_answer *answer);

    /**
     * Reports what to wait for before the next progress.
     * @param h               any
     * @param[out] polls      PLAT_HTTP_POLLS entries; those without a descriptor have fd -1
     * @param[out] wake_in_ms call progress after this time at the latest, in milliseconds; -1: no
     *                        limit
     */
    void (*poll)(plat_http *h, plat_poll *polls, int *wake_in_ms);

    /**
     * Sleeps until progress has something to do.  This is the only function here that blocks.
     * @param h       any; without a request it returns immediately
     * @param max_ms  how long to sleep at most, in milliseconds
     */
    void (*wait)(plat_http *h, uint32_t max_ms);

    /**
     * Explains why the last call has failed.
     * @param h  any
     * @return one line without secrets, valid until the next call; "" if nothing has failed
     */
    const char *(*detail)(const plat_http *h);

    /**
     * Ends the request in progress, if there is one.
     * @param h  any
     */
    void (*cancel)(plat_http *h);

    /**
     * Frees everything.
     * @param h  any
     */
    void (*free)(plat_http *h);
} plat_http_ops;

/** The first member of every implementation. */
struct plat_http {
    const plat_http_ops *ops; /**< The functions of this object. */
};

/**
 * Makes a plat_http that uses libcurl. Link iothub::platform_curl.
 *
 * The answer is erased when it is freed, and so is all memory of libcurl, with the exception that
 * plat_curl_tunnels names (platform/tunnel.h). The library that makes TLS for libcurl does not
 * erase its buffers.
 *
 * @param[out] out  the object, freed by its free; unchanged after a failure
 * @retval PLAT_ERR_MEMORY  no memory is left
 */
plat_result plat_curl_http_new(plat_http **out);

#ifdef __cplusplus
}
#endif
#endif
