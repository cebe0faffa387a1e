#ifndef PLAT_WEBSOCKET_H
#define PLAT_WEBSOCKET_H

/**
 * @file
 * WebSocket (RFC 6455) over any other stream, so that MQTT passes firewalls which let only HTTPS
 * out.  A WebSocket is a stream itself: what is sent becomes the content of binary messages, and
 * the content of received binary messages is returned, without their boundaries.
 *
 * An application gives the platform an implementation, and the layers above make streams with it:
 *
 *     plat_platform p = *plat_posix();
 *     p.websockets = plat_wslay();
 *
 * plat_wslay is in iothub::platform_websocket; a port may implement the interface in another way.
 */

#include "platform/result.h"
#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

struct plat_crypto;
struct plat_net;
struct plat_second_way;
struct plat_stream_config;

/** Longest path of a WebSocket, with its query, in bytes. */
#define PLAT_WEBSOCKET_PATH_MAX 255

/** The functions that a port provides for WebSockets. */
typedef struct plat_websockets plat_websockets;

/**
 * How to open a WebSocket, for plat_stream_config.websocket. What it points to is needed only
 * during the call that it is passed to.
 */
typedef struct plat_websocket_config {
    const plat_websockets *websockets; /**< Makes the stream: plat_platform.websockets. */
    /** Path that is requested from the server: "/" and further printable characters of ASCII
     * without spaces, at most PLAT_WEBSOCKET_PATH_MAX in all; it may contain a query
     * ("/mqtt?room=1"). */
    const char *path;
    /** Appended to path while the stream has no client certificate (see
     * plat_stream_ops.set_identity), such as "?iothub-no-client-cert=true"; NULL: nothing. */
    const char *query_without_identity;
    /** The subprotocol that the server must select: "mqtt" for MQTT 3.1.1. */
    const char *subprotocol;
    bool has_identity; /**< The stream below was made with a client certificate. */
} plat_websocket_config;

/** The functions that a port provides for WebSockets. */
struct plat_websockets {
    /**
     * Makes a closed stream over another one.  Its open passes host and port to the stream below;
     * both also become the Host header of the upgrade.  While the upgrade is in progress, its stage
     * is PLAT_STAGE_UPGRADE.
     *
     * The upgrade fails with PLAT_ERR_WEBSOCKET if the server does not answer as RFC 6455 requires,
     * and with PLAT_ERR_UNAVAILABLE if it answers with the status 429 or 5xx.  The detail names the
     * status.  Redirects are not followed.
     *
     * On the open stream, a message that is not binary, a masked frame and any other violation of
     * the protocol is PLAT_ERR_WEBSOCKET, and a close frame is PLAT_ERR_IO; the detail then names
     * the status code of the frame.  Pings are answered automatically.
     *
     * @param self      this interface
     * @param crypto    provides sha1, random, hmac_sha256 and base64_encode; it must live as long
     *                  as the stream
     * @param lower     the stream below, closed.  It must live as long as the new stream, which
     *                  opens, closes and deinitialises it.
     * @param config    how to open it
     * @param[out] out  the new stream, on the heap; its deinit frees it.  After PLAT_ERR_ARG it
     *                  exists, too, so that its detail describes the cause; only close and deinit
     *                  are then allowed, and deinit is needed.  After any other failure it is
     *                  lower.
     * @retval PLAT_ERR_ARG     path or subprotocol is not valid, or crypto has no sha1
     * @retval PLAT_ERR_MEMORY  no memory is left
     */
    plat_result (*stream)(const plat_websockets *self, const struct plat_crypto *crypto,
                          plat_stream *lower, const plat_websocket_config *config,
                          plat_stream **out);

    /**
     * Makes a closed stream of two, of which it keeps the one that opens first; see plat_second_way
     * in platform/platform.h.
     * @param self      this interface
     * @param net       makes the second stream
     * @param first     a closed stream, the first way.  The new stream owns it.
     * @param second    how to make the second stream
     * @param way       ports and head start
     * @param[out] out  the new stream, on the heap; its deinit frees it.  After a failure it is
     *                  first.
     * @retval PLAT_ERR_MEMORY  no memory or descriptor is left
     * @return otherwise as plat_net.stream for the second stream
     */
    plat_result (*race)(const plat_websockets *self, const struct plat_net *net, plat_stream *first,
                        const struct plat_stream_config *second, const struct plat_second_way *way,
                        plat_stream **out);
};

/**
 * WebSockets with frames by wslay.  Link iothub::platform_websocket.
 * @return a static object
 */
const plat_websockets *plat_wslay(void);

#ifdef __cplusplus
}
#endif
#endif
