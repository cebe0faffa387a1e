#ifndef IOTHUB_OPTIONS_H
#define IOTHUB_OPTIONS_H

/**
 * @file
 * What an application decides once for a client: sizes, times, trusted certificates, and its
 * callbacks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/credential.h"
#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "platform/platform.h"
#include "platform/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A device or module that talks to a hub; see iothub/client.h. */
typedef struct iothub_client iothub_client; /* x */
/** A received cloud-to-device message; read it with iothub/message.h. */
typedef struct iothub_message iothub_message;

/** Number of an accepted request of a client. 0 is never used. */
typedef uint32_t iothub_op;

/** Kind of a request. */
typedef enum iothub_op_kind {
    IOTHUB_OP_TELEMETRY = 1,  /**< iothub_send_telemetry */
    IOTHUB_OP_TWIN_GET,       /**< iothub_twin_get */
    IOTHUB_OP_TWIN_REPORT,    /**< iothub_twin_report */
    IOTHUB_OP_METHOD_RESPONSE /**< iothub_method_respond */
} iothub_op_kind;

/** How one request ended. */
typedef struct iothub_done {
    iothub_op op;         /**< Number of the request. */
    iothub_op_kind kind;  /**< Kind of the request. */
    iothub_result result; /**< IOTHUB_OK, or why the request did not succeed. */
    /** Twin requests: the hub's last answer (200, 204, 400 ...); 0 if there was none. 429 or 5xx
     * together with IOTHUB_ERR_TIMEOUT: the hub asked for a later repetition until the time was
     * over. */
    int status;
    uint64_t version; /**< Twin requests: the $version in the hub's answer; 0 if there is none. */
    /** iothub_twin_get: the JSON document. A refusal may carry a body, too. Valid until the
     * callback returns. */
    mqc_span body;
    void *tag; /**< The pointer that was passed with the request. */
} iothub_done;

/** State of a connection. A connection passes the first seven states in
 * this order. */
typedef enum iothub_state {
    /** The client was not started, or has stopped; iothub_start leaves this state. */
    IOTHUB_STOPPED = 0,
    IOTHUB_RESOLVING,   /**< The host name is being looked up. */
    IOTHUB_CONNECTING,  /**< The TCP connection is being made. */
    IOTHUB_SECURING,    /**< The TLS handshake is in progress, or the WebSocket upgrade. */
    IOTHUB_LOGGING_IN,  /**< CONNECT was sent; the client waits for CONNACK. */
    IOTHUB_SUBSCRIBING, /**< Telemetry is being sent; the client waits for SUBACK. */
    IOTHUB_CONNECTED,   /**< All features work. */
    IOTHUB_RENEWING,    /**< A new connection replaces the old one as planned; the old one is being
                             closed. */
    IOTHUB_STOPPING,    /**< iothub_stop was called; DISCONNECT is being sent. */
    IOTHUB_WAITING,     /**< The connection failed or was lost; the next attempt is scheduled. */
    IOTHUB_PROVISIONING /**< The Device Provisioning Service is being asked for the hub; see
                             iothub/provisioning.h. It comes before IOTHUB_RESOLVING. */
} iothub_state;

/** A change of state, as reported to the status callback. */
typedef struct iothub_status {
    iothub_state state;   /**< The state that was entered. */
    iothub_result reason; /**< Why it was entered; IOTHUB_OK if nothing failed. */
    /** One line with the reason, for people; valid until the callback returns. */
    const char *text;
    uint32_t retry_in_ms; /**< IOTHUB_WAITING: time until the next attempt. */
    uint32_t attempt;     /**< Number of consecutive failed attempts. */
    /** The kind of the credential in use: of the connection or the attempt that the state is about,
     * or of the next attempt. */
    iothub_credential_kind credential;
    /**
     * Number of the credential in its list, from 0 on; 0 also for the credential of a connection
     * string.
     */
    unsigned credential_index;
} iothub_status;

/** An attempt to connect failed, or the connection was lost. */
typedef struct iothub_retry {
    iothub_result reason; /**< Why it failed. */
    const char *text;     /**< The reason, for people; valid until the callback returns. */
    uint32_t attempt;     /**< Number of consecutive failures, including this one. */
    uint64_t failing_ms;  /**< Time since the first of them. */
    uint32_t delay_ms;    /**< How long the client would wait: exponential back-off with jitter. */
} iothub_retry;

/** What the retry callback returns to give up. */
#define IOTHUB_RETRY_STOP UINT32_MAX

/** Desired properties from the hub. Spans and texts are valid until the callback returns. */
typedef struct iothub_desired {
    mqc_span json; /**< The complete desired properties, or a patch to merge into them. */
    /** If complete is true, the reported properties that the hub has; otherwise\n empty. */
    mqc_span reported;
    uint64_t version; /**< The $version of the desired properties. */
    bool complete;    /**< json is the whole object; the first call after each connect. */
    /**
     * IOTHUB_OK, or IOTHUB_ERR_TOO_BIG: the twin is larger than rx_size, so the properties that the
     * application has may be out of date. In that case text gives the size, json is {} (a patch
     * that changes nothing), and version is the last one delivered. This is reported once for each
     * connection. The client keeps asking for the twin and delivers a complete document once it
     * fits again.
     */
    iothub_result result;
    const char *text; /**< The reason, for people; "" with IOTHUB_OK. */
} iothub_desired;

/** How the c2d callback answers a cloud-to-device message. */
typedef enum iothub_disposition {
    IOTHUB_ACCEPT, /**< The message was handled or stored; the hub may delete it. */
    /**
     * The application has not decided yet and calls iothub_message_accept later. See
     * iothub_options.stall_timeout_ms.
     */
    IOTHUB_DEFER
} iothub_disposition;

/**
 * Names a method call, so that it can be answered after the callback has returned. The application
 * may copy it; the fields are private.
 */
typedef struct iothub_method_token {
    uint32_t connection; /**< Private. */
    uint32_t call;       /**< Private. */
    char rid[64];        /**< Private. */
} iothub_method_token;

/** A call of a direct method. The spans are valid until the callback returns. */
typedef struct iothub_method_call {
    mqc_span name;             /**< Name of the method. */
    mqc_span payload;          /**< JSON, or empty. */
    iothub_method_token token; /**< Copy it to answer later. */
} iothub_method_call;

/** How the method callback answers a call. */
typedef enum iothub_method_verdict {
    IOTHUB_METHOD_TAKEN,  /**< The application calls iothub_method_respond, now or later. */
    IOTHUB_METHOD_UNKNOWN /**< There is no such method; the client answers 404. */
} iothub_method_verdict;

/** Importance of a log line. */
typedef enum iothub_log_level {
    IOTHUB_LOG_ERROR = 1, /**< Something failed, and the application or a person must act. */
    IOTHUB_LOG_WARNING,   /**< Something failed, and the client handles it. */
    IOTHUB_LOG_INFO,      /**< A change of state. */
    IOTHUB_LOG_DEBUG      /**< Details for developers of the SDK. */
} iothub_log_level;

/** Type of iothub_callbacks.c2d. */
typedef iothub_disposition iothub_c2d_callback(iothub_client *c, const iothub_message *m,
                                               void *user);
/** Type of iothub_callbacks.desired. */
typedef void iothub_desired_callback(iothub_client *c, const iothub_desired *d, void *user);
/** Type of iothub_callbacks.method. */
typedef iothub_method_verdict iothub_method_callback(iothub_client *c,
                                                     const iothub_method_call *call, void *user);

/**
 * The application's callbacks; each may be NULL.
 *
 * Callbacks run inside iothub_process (or on the runner's thread), or inside iothub_deinit; only
 * log may run inside any call. A callback may make requests. It must not block, since nothing is
 * sent or received until it returns. It cannot call iothub_process or iothub_wait, and it cannot
 * end the client; see iothub_deinit. Spans and texts are valid until the callback returns; copy
 * what you need later.
 *
 * If c2d, desired or method is NULL, the client does not subscribe to that feature;
 * iothub_set_c2d_callback and its relatives change these three later. The hub may
 * still have a subscription from an earlier run of the program (clean_session false). The client
 * then acknowledges each message that arrives for it, counts it as iothub_stats.ignored, logs it,
 * and unsubscribes, so that the hub keeps later messages for a run that has the callback.
 */
typedef struct iothub_callbacks {
    /** The state changed. */
    void (*status)(iothub_client *c, const iothub_status *s, void *user);
    /**
     * Returns how many milliseconds to wait before the next attempt. NULL: the client waits
     * r->delay_ms and never gives up.
     *
     * IOTHUB_RETRY_STOP gives up: the state becomes IOTHUB_STOPPED with the reason, open requests
     * end as with iothub_stop, and only iothub_start connects again. The callback is not called for
     * the second connection of a renewal, since the first one is still in use.
     */
    uint32_t (*retry)(iothub_client *c, const iothub_retry *r, void *user);
    /** A request ended. Called exactly once for each request that was accepted. */
    void (*done)(iothub_client *c, const iothub_done *d, void *user);
    /**
     * A cloud-to-device message arrived; for a module: a message for one of its inputs. Returns
     * whether the message is accepted. IOTHUB_DEFER has an effect for QoS 1 only, which is what the
     * hub uses for these messages.
     */
    iothub_c2d_callback *c2d;
    /** Desired properties arrived: the complete document after each connect, then patches in the
     * order of their versions. */
    iothub_desired_callback *desired;
    /** A direct method was called. Returns whether the application answers it. */
    iothub_method_callback *method;
    /**
     * A ready-made SharedAccessSignature or a client certificate expires in seconds_left seconds
     * (0: it has expired), and the client cannot make a new one. The application gets a new one and
     * calls iothub_set_token or iothub_set_credentials. A token is announced after 80 % of the time
     * that was left when the client received it, a certificate after 80 % of its life.
     */
    void (*token_expiring)(iothub_client *c, int64_t seconds_left, void *user);
    /** One line for a log. It never contains a key, signature or token. */
    void (*log)(iothub_log_level level, const char *module, const char *text, void *user);
} iothub_callbacks;

#define IOTHUB_RX_MIN      256 /**< Smallest rx_size in bytes. */
#define IOTHUB_TX_MIN      256 /**< Smallest tx_size in bytes. */
#define IOTHUB_REQUEST_MIN 128 /**< Smallest request_size in bytes. */

/** What happens to new telemetry when the queue is full. */
typedef enum iothub_when_full {
    IOTHUB_REFUSE_NEW = 0, /**< iothub_send_telemetry returns IOTHUB_ERR_NO_SPACE. */
    IOTHUB_DROP_OLDEST     /**< The oldest messages that were not sent are dropped; they end with
                                IOTHUB_ERR_DROPPED. */
} iothub_when_full;

/**
 * Which certificates of hubs are trusted, and which versions of TLS are used, for
 * iothub_options.tls. All zero changes nothing. This struct does not grow.
 *
 * Trusted are the certificates of iothub_options.ca_file, of ca_data and of the sets in roots, all
 * together. If none of the three is given, those of the system are trusted.
 */
typedef struct iothub_tls {
    const void *ca_data; /**< Root certificates to trust: PEM text, or DER certificates one directly
                              after another. NULL: none. */
    size_t ca_len;       /**< Size of ca_data in bytes; 0: ca_data is text that ends with a NUL. */
    unsigned roots; /**< Sum of PLAT_ROOTS_SYSTEM and PLAT_ROOTS_COMPILED_IN (platform/platform.h):
                         sets of root certificates to trust in addition. 0: none. */
    plat_tls_version min_version; /**< Lowest version of TLS. PLAT_TLS_ANY: TLS 1.2. */
    plat_tls_version max_version; /**< Highest version of TLS. PLAT_TLS_ANY: TLS 1.3. */
} iothub_tls;

/** What carries MQTT to a hub. */
typedef enum iothub_transport {
    IOTHUB_MQTT = 0, /**< TLS on port 8883. */
    /**
     * WebSocket over TLS on port 443, for networks that let only HTTPS out. The platform must have
     * WebSockets:
     *
     *     plat_platform p = *plat_posix();
     *     p.websockets = plat_wslay();     from platform/websocket.h, iothub::platform_websocket
     *     options.platform = &p;
     */
    IOTHUB_MQTT_WS,
    /**
     * Whichever can be reached: the client tries TLS on port 8883, and WebSocket on port 443 as
     * well if the first has failed or is not open after 400 ms. It uses what is open first, and
     * begins with it at the next attempt. If the hub then does not answer the login, the next
     * attempt begins with the other one. A planned reconnect, such as a renewal, begins with port
     * 8883 again. The platform must have WebSockets, as for IOTHUB_MQTT_WS.
     */
    IOTHUB_AUTO
} iothub_transport;

/**
 * Options of a client. Call iothub_options_init first, which sets the defaults named below.
 *
 * iothub_init and iothub_new copy the struct. They do not copy the texts, the store and the
 * platform that it points to: these must stay valid until iothub_deinit.
 */
typedef struct iothub_options {
    /**
     * Size of this struct, set by iothub_options_init; a struct without it is refused. See "Sizes
     * of structs" in iothub/client.h.
     */
    size_t struct_size;

    const char *ca_file;  /**< File with the only root certificates to trust, unless tls names more.
                               NULL (the default): the system's. */
    const char *model_id; /**< IoT Plug and Play model (dtmi:...), at most 4096 characters. NULL
                               (the default): none. */
    const char *user_agent; /**< What the hub shows as DeviceClientType, at most 4096 characters.
                                 NULL (the default): name and version of the SDK. */

    uint16_t port;         /**< TCP port of the hub. 0 (the default): 8883; 443 with the transport
                                IOTHUB_MQTT_WS. IOTHUB_AUTO: the port of TLS. */
    uint16_t keep_alive_s; /**< MQTT keep-alive in seconds, 1 to 1177. Default 240. */
    bool clean_session;    /**< false (the default): the hub keeps subscriptions and cloud-to-device
                                messages while the client is not connected. */
    uint16_t window;       /**< Largest number of telemetry messages that wait for an
                                acknowledgement at a time. Default 16. */
    /** Life of a SAS token in seconds, at least 2. Default 3600. The client renews a token at 80 %
     * of its life, so a life of a few seconds is useful only in tests. */
    uint32_t sas_lifetime_s;
    /** true (the default): a renewal makes the new connection while the old one is in use, which
     * takes memory for two TLS sessions. false: the old connection is closed first. */
    bool overlap;

    /**
     * @name Deadlines
     * In milliseconds; at least 1, only ack_timeout_ms may be 0. The deadlines of TLS, login and
     * subscribing are extended by half of their length while the link is slow but working: as long
     * as 50 bytes/s or more are transferred. Until CONNACK, the extensions end at ten times the
     * length.
     * @{
     */
    uint32_t resolve_timeout_ms; /**< Looking up the host name. Default 15 s. */
    uint32_t connect_timeout_ms; /**< Making the TCP connection. Default 15 s. */
    /** TLS handshake; also the time limit of the WebSocket upgrade after it. Default 15 s. */
    uint32_t tls_timeout_ms;
    uint32_t login_timeout_ms;     /**< Limit of the time from CONNECT to CONNACK. Default 30 s. */
    uint32_t subscribe_timeout_ms; /**< Limit of the time from SUBSCRIBE to SUBACK. Default 30 s. */
    /** A twin request, with all its repetitions and the time without a connection. Default 60 s. On
     * a slow link a large document takes longer. */
    uint32_t request_timeout_ms;
    /**
     * How long the hub may leave the oldest message in flight, or an UNSUBSCRIBE, without an
     * acknowledgement. Default 2 min; 0: without limit. Keep-alive alone does not detect a hub that
     * answers nothing but pings.
     *
     * The time starts when the message was sent, and again when it becomes the oldest. It does not
     * run while a packet is arriving, nor while a message of more than 1 KB and the PINGREQ after
     * it are on their way, as on a slow link. When it ends, the connection counts as lost
     * (IOTHUB_ERR_TIMEOUT), and after the back-off every message without an acknowledgement is sent
     * again on the next connection.
     */
    uint32_t ack_timeout_ms;
    /**
     * How long the client may be unable to read. Default 2 min.
     *
     * The client stops reading when 64 messages of QoS 1 (IOTHUB_UNACCEPTED_MAX) are not
     * acknowledged, because the application deferred them or the stream accepts no data, and one
     * more arrives. Nothing after that message can be read, such as acknowledgements of telemetry
     * or answers of the twin. Each message that the application accepts restarts the time. When it
     * ends, the connection counts as lost (IOTHUB_ERR_TIMEOUT), and on the next connection the hub
     * sends again what was not accepted.
     */
    uint32_t stall_timeout_ms;
    /** @} */

    /**
     * @name Back-off
     * In milliseconds. Before each attempt the client waits for a random time, between a sixteenth
     * of a limit and the limit. The limit doubles with each failure, from min to max.
     * @{
     */
    uint32_t retry_min_ms;      /**< First limit. Default 1 s. */
    uint32_t retry_max_ms;      /**< Largest limit. Default 60 s. */
    uint32_t auth_retry_min_ms; /**< First limit after the hub has refused the credential twice in a
                                     row. Default 5 min. */
    uint32_t auth_retry_max_ms; /**< Largest limit after such refusals. Default 1 h. */
    /** @} */

    /**
     * @name Buffers
     * Sizes in bytes. See IOTHUB_MEMORY_SIZE. 0 is allowed for iothub_new only and means: large
     * enough for every message that a hub may send or accept.
     * @{
     */
    /**
     * The largest packet from the hub, with its topic; at least IOTHUB_RX_MIN.
     *
     * Of a larger packet the client reads only the topic. A cloud-to-device message is then
     * acknowledged, skipped, counted as iothub_stats.c2d_oversize, and logged as an error with its
     * size. A method call is answered with 413 and logged. iothub_twin_get ends with
     * IOTHUB_ERR_TOO_BIG, and the desired callback receives IOTHUB_ERR_TOO_BIG if the document or a
     * patch is larger.
     */
    size_t rx_size;
    /** All telemetry that waits for the hub's acknowledgement, with its topics; at least
     * IOTHUB_TX_MIN, and at least 41 more than the length of "devices/{id}/messages/events/". */
    size_t tx_size;
    /** The largest twin report or method answer, with its topic; at least IOTHUB_REQUEST_MIN. */
    size_t request_size;
    /** @} */

    /**
     * Where telemetry waits so that it outlives the process, e.g. plat_sqlite_store_open. Borrowed
     * until iothub_deinit. NULL (the default): telemetry waits in RAM, in tx_size.
     */
    plat_store *store;
    /**
     * @name Limits of waiting telemetry
     * 0 (the default): no limit other than memory and disk.
     * @{
     */
    uint64_t queue_max_count; /**< Messages. */
    uint64_t queue_max_bytes; /**< Bytes in the store or in tx_size, with topics. */
    uint32_t queue_max_age_s; /**< Seconds: time to live of every message that has none or a longer
                                   one. */
    /** @} */
    iothub_when_full when_full; /**< What happens when the queue is full. Default
                                     IOTHUB_REFUSE_NEW. */

    const plat_platform *platform; /**< The port to use: plat_posix() on Linux. No default. */
    iothub_log_level log_level; /**< The least important lines to log. Default IOTHUB_LOG_INFO. */
    iothub_callbacks callbacks; /**< The application's callbacks. Default: none. */
    void *user;                 /**< Passed to every callback. */

    /**
     * The credentials, in the order in which they are tried; see iothub/credential.h. The
     * connection string then contains no key and no token. Borrowed, with everything that they
     * point to, until iothub_deinit, or until other credentials have replaced them (see
     * iothub_set_credentials). NULL (the default): the connection string contains the key or the
     * token.
     */
    const iothub_credential *credentials;
    size_t credential_count; /**< Number of credentials, at most IOTHUB_CREDENTIALS_MAX. */

    /** Trusted certificates in memory, further ones, and versions of TLS. Borrowed until
     * iothub_deinit, with what it points to. NULL (the default): ca_file alone decides. */
    const iothub_tls *tls;

    /** What carries MQTT to the hub and to the Device Provisioning Service. Default IOTHUB_MQTT. */
    iothub_transport transport;

    /**
     * The proxy for connections to the hub and to the Device Provisioning Service: a URL such as
     * "http://user:password@proxy.example:3128", or "environment" for the one that HTTPS_PROXY
     * names. The schemes are http, https, socks5 and socks5h; see platform/tunnel.h. NULL (the
     * default): none. The platform must have tunnels:
     *
     *     plat_platform p = *plat_posix();
     *     p.tunnels = plat_curl_tunnels(); from platform/tunnel.h, iothub::platform_curl
     *     options.platform = &p;
     *
     * No error text contains user or password.
     */
    const char *proxy;

    /** TCP port for WebSocket with the transport IOTHUB_AUTO; another one than port. 0 (the
     * default): 443. */
    uint16_t websocket_port;

    /**
     * A client certificate that the client requests and renews by itself, made by
     * iothub_certificate_init (iothub/certificate.h, a preview of the service). The client logs in
     * with it as soon as there is one, and before that with its other credential. Borrowed until
     * iothub_deinit. NULL (the default): none.
     */
    struct iothub_certificate *certificate;

    /**
     * What connections to the hub, to the Device Provisioning Service and to a proxy are bound to,
     * for a system with several uplinks: the name of a network interface such as "wwan0", or one of
     * the system's own addresses. Details: plat_stream_config.bind (platform/platform.h). The text
     * is borrowed until iothub_deinit. NULL (the default): the system chooses.
     */
    const char *bind;
} iothub_options;

/**
 * iothub_options_init for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param[out] o       as there
 * @param struct_size  sizeof *o of the application
 */
void iothub_options_init_sized(iothub_options *o, size_t struct_size);

/**
 * Sets *o to the defaults. Call it before you set the first option.
 *
 * @param[out] o  the options; NULL does nothing
 */
static inline void iothub_options_init(iothub_options *o)
{
    iothub_options_init_sized(o, sizeof *o);
}

#ifdef __cplusplus
}
#endif
#endif
