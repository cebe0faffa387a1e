#ifndef PLAT_PLATFORM_H
#define PLAT_PLATFORM_H

/**
 * @file
 * What the layers above need from an operating system and its libraries: three small interfaces,
 * and more for a background thread, client certificates and WebSockets.  A port implements them
 * (see platform/README.md).  Tests put fakes in their place, which embed an interface as their
 * first member.
 *
 * Structs of this layer that a program fills or holds do not grow, or their size is an argument, as
 * that of plat_sqlite_options; see "Sizes of structs" in iothub/client.h.  The interfaces are
 * another matter: a port is compiled with the headers of the version that it is used with.
 */

#include "platform/identity.h"
#include "platform/stream.h"
#include "platform/thread.h"
#include "platform/tunnel.h"
#include "platform/websocket.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Time. */
typedef struct plat_clock plat_clock;

/** Functions of a clock.  Any thread may call them. */
struct plat_clock {
    /**
     * The time that deadlines are measured by.  It never goes back.  It continues while the system
     * is suspended, where there is such a clock (CLOCK_BOOTTIME on Linux), because the hub does not
     * stop meanwhile.
     * @param self  this clock
     * @return milliseconds since any origin
     */
    uint64_t (*monotonic_ms)(const plat_clock *self);

    /**
     * The time of day that the system believes to be right.
     * @param self  this clock
     * @return seconds since 1970-01-01 UTC; 0 if there is no such clock
     */
    int64_t (*wall_s)(const plat_clock *self);
};

/** Size in bytes of what HMAC-SHA256 computes. */
#define PLAT_SHA256_SIZE 32

/** Size in bytes of what SHA-1 computes. */
#define PLAT_SHA1_SIZE 20

/** Cryptography. */
typedef struct plat_crypto plat_crypto;

/** Functions of the cryptography.  Any thread may call them. */
struct plat_crypto {
    /**
     * Computes HMAC-SHA256 (RFC 2104).
     * @param self      this interface
     * @param key       the key
     * @param key_len   its size in bytes
     * @param data      the message
     * @param len       its size in bytes
     * @param[out] out  the result; of no value after a failure
     * @retval PLAT_ERR_ARG     key or message is longer than the library can process
     * @retval PLAT_ERR_CRYPTO  the crypto library failed
     */
    plat_result (*hmac_sha256)(const plat_crypto *self, const void *key, size_t key_len,
                               const void *data, size_t len, uint8_t out[PLAT_SHA256_SIZE]);

    /**
     * Decodes standard base64 with padding, strictly (RFC 4648 section 4): no white space, no
     * missing padding, no other alphabet.
     * @param self          this interface
     * @param text          the text; need not end with a NUL
     * @param len           its length
     * @param[out] out      the bytes; of no value after a failure
     * @param cap           size of out
     * @param[out] out_len  number of bytes in out
     * @retval PLAT_ERR_ENCODING  the text is not such base64
     * @retval PLAT_ERR_NO_SPACE  cap is too small
     * @retval PLAT_ERR_ARG       the text is longer than the library can process
     */
    plat_result (*base64_decode)(const plat_crypto *self, const char *text, size_t len,
                                 uint8_t *out, size_t cap, size_t *out_len);

    /**
     * Encodes bytes as one line of standard base64 with padding.
     * @param self          this interface
     * @param data          the bytes
     * @param len           their number
     * @param[out] out      the text, without a NUL; of no value after a failure
     * @param cap           size of out
     * @param[out] out_len  length of the text
     * @retval PLAT_ERR_NO_SPACE  cap is too small
     * @retval PLAT_ERR_ARG       there are more bytes than the library can process
     * @retval PLAT_ERR_CRYPTO    the crypto library failed
     */
    plat_result (*base64_encode)(const plat_crypto *self, const void *data, size_t len, char *out,
                                 size_t cap, size_t *out_len);

    /**
     * Makes random bytes that are strong enough for keys.
     * @param self      this interface
     * @param[out] out  the bytes; of no value after a failure
     * @param len       their number
     * @retval PLAT_ERR_CRYPTO  the crypto library failed; for example, there is no entropy
     */
    plat_result (*random)(const plat_crypto *self, void *out, size_t len);

    /**
     * Computes SHA-1 (RFC 3174).  Only the upgrade of a WebSocket needs it, where it protects
     * nothing; so it may be NULL if the platform has no WebSockets.
     * @param self      this interface
     * @param data      the message
     * @param len       its size in bytes
     * @param[out] out  the hash; of no value after a failure
     * @retval PLAT_ERR_ARG     the message is longer than the library can process
     * @retval PLAT_ERR_CRYPTO  the crypto library failed
     */
    plat_result (*sha1)(const plat_crypto *self, const void *data, size_t len,
                        uint8_t out[PLAT_SHA1_SIZE]);
};

/** What a stream runs over. */
typedef enum plat_stream_kind {
    PLAT_STREAM_TLS = 0, /**< TLS over TCP; certificates and host name are always verified. */
    PLAT_STREAM_TCP      /**< Plain TCP, for the generic MQTT client.  Never used for a hub. */
} plat_stream_kind;

/** Sets of trusted root certificates, for plat_stream_config.roots; they can be combined. */
typedef enum plat_roots_set {
    PLAT_ROOTS_SYSTEM = 1, /**< The certificates of the system. */
    /**
     * The certificates of IoT Hub and the Device Provisioning Service, if the library was built
     * with IOTHUB_COMPILED_IN_ROOTS.
     */
    PLAT_ROOTS_COMPILED_IN = 2
} plat_roots_set;

/** Versions of TLS.  Older ones are never used. */
typedef enum plat_tls_version {
    PLAT_TLS_ANY = 0, /**< No limit. */
    PLAT_TLS_1_2 = 2, /**< TLS 1.2 */
    PLAT_TLS_1_3 = 3  /**< TLS 1.3 */
} plat_tls_version;

/**
 * A second way to a host: a WebSocket to another port.  The stream opens the first way, and after a
 * head start or a failure the second one as well.  It keeps the one that is open first.  Its open
 * function begins with the second way if it is given that port.
 */
typedef struct plat_second_way {
    const plat_websocket_config *websocket; /**< How the second way is opened. */
    uint16_t port;                          /**< Port of the second way. */
    uint16_t first_port;                    /**< Port of the first way; another one. */
    uint32_t delay_ms; /**< Head start of the way that begins, in milliseconds. */
} plat_second_way;

/**
 * How to make a stream.  All zero is TLS with the system's roots and without a client certificate.
 * All that it points to must stay valid during the call of plat_net.stream only.
 *
 * Trusted are the certificates of ca_file, of ca_data and of the sets in roots, all together.  If
 * none of the three is given, those of the system are.
 */
typedef struct plat_stream_config {
    /** What the stream runs over. With TCP, certificates and versions of TLS are ignored. */
    plat_stream_kind kind;
    const char *ca_file; /**< File with certificates, PEM or DER, to trust; NULL: none. */
    const void *ca_data; /**< PEM text, or DER certificates one directly after another, with
                              certificates to trust; NULL: none. */
    size_t ca_len;       /**< Size of ca_data. */
    unsigned roots;      /**< Sum of plat_roots_set: certificates to trust in addition. */
    plat_tls_version min_version; /**< Lowest version of TLS; ANY: TLS 1.2. */
    plat_tls_version max_version; /**< Highest version of TLS; ANY: TLS 1.3. */
    plat_identity *identity; /**< Client certificate that the stream presents if the server asks
                                  for one; NULL: none.  The stream takes a reference. */
    /**
     * If not NULL, the stream is a WebSocket over TLS or TCP. The member has_identity of the
     * configuration is ignored, because `identity` decides.
     */
    const plat_websocket_config *websocket;
    /** The proxy that the TCP connection goes through; NULL: none.  If it has no trust of its own,
     * an https proxy is verified with ca_file and ca_data, too. */
    const plat_tunnel_config *tunnel;
    /** A second way to the host, tried if the first one fails or is slow; NULL: none. */
    const plat_second_way *second_way;
    /**
     * What TCP connections are bound to, also that to a proxy: the name of a network interface such
     * as "wwan0", or one of the system's own addresses, which excludes the addresses of the host of
     * the other family. A wrong name or address is noticed when the stream is opened
     * (PLAT_ERR_CONNECT). Linux before 5.7 allows interfaces to programs with CAP_NET_RAW only.
     * Name look-ups are not bound. The text must stay valid until the stream's deinit. NULL: the
     * system chooses.
     */
    const char *bind;
} plat_stream_config;

/** Largest number of polls that plat_net.wait accepts. */
#define PLAT_WAIT_MAX 4

/** The network. */
typedef struct plat_net plat_net;

/** Functions of the network. */
struct plat_net {
    /**
     * Makes a closed stream in memory of the caller.  On first use this loads the trusted
     * certificates; all streams that trust the same share them.
     *
     * @param self      this interface
     * @param memory    where the stream is made; it must not move until the stream's deinit
     * @param config    how to make it
     * @param[out] out  the stream.  After PLAT_ERR_TRUST_STORE or PLAT_ERR_MEMORY it exists all the
     *                  same, so that its detail function can tell the cause; apart from that only
     *                  close and deinit are allowed, and deinit is needed.
     * @retval PLAT_ERR_TRUST_STORE  the certificates cannot be read; the detail names the file
     * @retval PLAT_ERR_ARG          min_version is above max_version, or the websocket or the
     *                               tunnel is not valid; the stream exists all the same
     * @retval PLAT_ERR_MEMORY       no memory is left; without memory for a tunnel, *out is NULL
     * @retval PLAT_ERR_CRYPTO       the crypto library cannot be initialised
     */
    plat_result (*stream)(const plat_net *self, plat_stream_storage *memory,
                          const plat_stream_config *config, plat_stream **out);

    /**
     * Sleeps until one of the polls is ready or time is up.  It may return early.  If the system
     * was suspended meanwhile, it returns soon after the system has resumed.
     *
     * This is the only function here that blocks.  Only iothub_wait and the runner call it.
     *
     * @param self        this interface
     * @param polls       what to wait for
     * @param count       number of polls, at most PLAT_WAIT_MAX
     * @param timeout_ms  how long to sleep at most, in milliseconds; -1: without limit
     */
    void (*wait)(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms);
};

/** A platform: all interfaces together.  It must live as long as the clients that use it. */
typedef struct plat_platform {
    const plat_clock *clock;           /**< Time. */
    const plat_crypto *crypto;         /**< Cryptography. */
    const plat_net *net;               /**< The network. */
    const plat_threads *threads;       /**< Threads for the runner; NULL: there are none. */
    const plat_identities *identities; /**< Client certificates, such as plat_posix_identities();
                                            NULL: there are none. plat_posix has none, so that
                                            programs which need none do not link them. */
    const plat_websockets *websockets; /**< WebSockets, such as plat_wslay(); NULL: there are none.
                                            plat_posix has none, so that programs which need none do
                                            not link wslay. */
    const plat_tunnels *tunnels; /**< Proxies, such as plat_curl_tunnels(); NULL: there are none.
                                      plat_posix has none, so that programs which need none do not
                                      link libcurl. */
} plat_platform;

/**
 * The platform of POSIX sockets and clock, with wolfSSL.
 * @return a static object
 */
const plat_platform *plat_posix(void);

/**
 * Client certificates for the platform of plat_posix:
 *
 *     plat_platform p = *plat_posix();
 *     p.identities = plat_posix_identities();
 *
 * @return a static object
 */
const plat_identities *plat_posix_identities(void);

#ifdef __cplusplus
}
#endif
#endif
