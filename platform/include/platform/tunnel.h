#ifndef PLAT_TUNNEL_H
#define PLAT_TUNNEL_H

/**
 * @file
 * TCP connections through a proxy.  A tunnel is a stream that takes the place of TCP: TLS and
 * WebSocket run over it, and the proxy sees only encrypted bytes.
 *
 * An application gives the platform an implementation, and the layers above make streams with it:
 *
 *     plat_platform p = *plat_posix();
 *     p.tunnels = plat_curl_tunnels();
 *
 * plat_curl_tunnels is in iothub::platform_curl; a port may implement the interface in another way.
 */

#include <stddef.h>

#include "platform/result.h"
#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Longest URL of a proxy in bytes, without the NUL. */
#define PLAT_PROXY_URL_MAX 511

/** The functions that a port provides for tunnels. */
typedef struct plat_tunnels plat_tunnels;

/**
 * Which proxy to use, for plat_stream_config.tunnel. What it points to is needed only during the
 * call that it is passed to.
 */
typedef struct plat_tunnel_config {
    const plat_tunnels *tunnels; /**< Makes the stream: plat_platform.tunnels. */
    /**
     * The URL of the proxy, such as "http://user:password@proxy.example:3128", or "environment".
     *
     * The scheme is http (CONNECT over HTTP), https (CONNECT over HTTP over TLS), socks5 (SOCKS
     * version 5, and this system looks up the host), or socks5h (the proxy looks up the host). User
     * and password are optional; their special characters are percent-encoded.  The default
     * port is 1080.
     *
     * "environment": the URL is the value of the first of the variables https_proxy, HTTPS_PROXY,
     * all_proxy and ALL_PROXY that is not empty.  Without one, and for a host that no_proxy or
     * NO_PROXY lists, the connection is made directly.  The variables are read when the stream is
     * made.
     */
    const char *proxy;
    const char *bind; /**< As plat_stream_config.bind, which sets it. */
    /** @name Trust
     * Certificates to trust for a proxy with the scheme https, as those of plat_stream_config; all
     * zero: those of the system.
     * @{
     */
    const char *ca_file; /**< PEM file; NULL: none. */
    const void *ca_data; /**< PEM text; NULL: none.  It replaces ca_file. */
    size_t ca_len;       /**< Size of ca_data in bytes. */
    /** @} */
} plat_tunnel_config;

/** The functions that a port provides for tunnels. */
struct plat_tunnels {
    /**
     * Checks the URL of a proxy, without connecting.
     * @param self   this interface
     * @param proxy  as plat_tunnel_config.proxy; "environment" checks the variables
     * @return NULL if the URL can be used; otherwise a static text that names the part at fault and
     *         never contains user or password
     */
    const char *(*fault)(const plat_tunnels *self, const char *proxy);

    /**
     * Makes a closed stream.  Its open connects to the proxy and asks it for a connection to host
     * and port.  While that is in progress, its stage is PLAT_STAGE_RESOLVE and then
     * PLAT_STAGE_CONNECT.
     *
     * Opening fails with PLAT_ERR_PROXY if the proxy refuses the request, requires or refuses a
     * user and password, or does not speak its protocol, and with PLAT_ERR_UNAVAILABLE if it
     * answers with HTTP status 429 or 5xx.  PLAT_ERR_DNS and PLAT_ERR_CONNECT mean that the
     * proxy itself cannot be reached.
     *
     * @param self      this interface
     * @param config    which proxy to use
     * @param[out] out  the new stream, on the heap; its deinit frees it and erases its copy of the
     *                  URL.  After PLAT_ERR_ARG it exists, too, so that its detail describes the
     *                  cause; only close and deinit are then allowed, and deinit is needed.  After
     *                  any other failure it is NULL.
     * @retval PLAT_ERR_ARG     the URL cannot be used
     * @retval PLAT_ERR_MEMORY  no memory or descriptor is left
     */
    plat_result (*stream)(const plat_tunnels *self, const plat_tunnel_config *config,
                          plat_stream **out);
};

/**
 * Tunnels by libcurl.  HTTP proxies can use Basic, Digest and NTLM.  Link iothub::platform_curl.
 *
 * While a stream is open, libcurl keeps copies of user and password on the heap. They are erased
 * when they are freed: the first stream of the process initialises libcurl with memory functions
 * that overwrite each block before they pass it to free. If the application has called
 * curl_global_init before, libcurl keeps the functions of that call, and nothing is erased.
 *
 * @return a static object
 */
const plat_tunnels *plat_curl_tunnels(void);

#ifdef __cplusplus
}
#endif
#endif
