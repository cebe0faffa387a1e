#ifndef IOTHUB_OPTIONS_H
#define IOTHUB_OPTIONS_H

/**
 * @file
 * What an application decides once: sizes, times, trust, and its callbacks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "platform/platform.h"
#include "platform/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iothub_client iothub_client;   /* complete in iothub/client_struct.h */
typedef struct iothub_message iothub_message; /* read with iothub/message.h */

/** Names one accepted request of a client.  0 is never used. */
typedef uint32_t iothub_op;

typedef enum iothub_op_kind {
    IOTHUB_OP_TELEMETRY = 1,
    IOTHUB_OP_TWIN_GET,
    IOTHUB_OP_TWIN_REPORT,
    IOTHUB_OP_METHOD_RESPONSE
} iothub_op_kind;

/** How one request ended. */
typedef struct iothub_done {
    iothub_op op;
    iothub_op_kind kind;
    iothub_result result;
    int status;       /* twin: the hub's last answer (200, 204, 400 ...; 429 or 5xx with
                         IOTHUB_ERR_TIMEOUT: it wanted to be asked later), 0 without one */
    uint64_t version; /* twin: $version the hub named, 0 if none */
    mqc_span body;    /* twin get: the JSON document; a refusal may carry one too */
    void *tag;        /* as given with the request */
} iothub_done;

/** The life of a connection.  STOPPED to CONNECTED are passed in this order. */
typedef enum iothub_state {
    IOTHUB_STOPPED = 0, /* iothub_start leaves it */
    IOTHUB_RESOLVING,   /* looking up the host name */
    IOTHUB_CONNECTING,  /* TCP */
    IOTHUB_SECURING,    /* TLS handshake */
    IOTHUB_LOGGING_IN,  /* CONNECT sent, waiting for CONNACK */
    IOTHUB_SUBSCRIBING, /* telemetry flows; waiting for SUBACK */
    IOTHUB_CONNECTED,   /* everything flows */
    IOTHUB_RENEWING,    /* planned change of the connection: letting go of the old one */
    IOTHUB_STOPPING,    /* DISCONNECT is leaving */
    IOTHUB_WAITING      /* lost or refused; the next attempt is scheduled */
} iothub_state;

typedef struct iothub_status {
    iothub_state state;
    iothub_result reason; /* why the state was entered; IOTHUB_OK when all went as planned */
    const char *text;     /* the reason for people, one line; valid during the callback */
    uint32_t retry_in_ms; /* IOTHUB_WAITING: until the next attempt */
    uint32_t attempt;     /* failed attempts in a row */
} iothub_status;

/** An attempt to connect failed, or the connection was lost. */
typedef struct iothub_retry {
    iothub_result reason;
    const char *text;    /* the reason for people; valid during the callback */
    uint32_t attempt;    /* failures in a row, with this one */
    uint64_t failing_ms; /* since the first of them */
    uint32_t delay_ms;   /* what the client would wait: exponential, with jitter */
} iothub_retry;

#define IOTHUB_RETRY_STOP UINT32_MAX

/** Desired properties, from the hub. */
typedef struct iothub_desired {
    mqc_span json;     /* the whole desired object, or a patch to be merged into it */
    mqc_span reported; /* with complete: what the hub holds as reported; else empty */
    uint64_t version;
    bool complete; /* json is the whole object: comes first after every connect */
    /**
     * IOTHUB_OK.  IOTHUB_ERR_TOO_BIG: the twin is larger than rx_size, so that what the
     * application has may be old; text says how large.  json is {} and version the last one
     * delivered, a patch that changes nothing.  Once for each connection; the client goes on
     * asking, and a complete document follows when the twin has become smaller.
     */
    iothub_result result;
    const char *text; /* why, for people; "" with IOTHUB_OK */
} iothub_desired;

typedef enum iothub_disposition {
    IOTHUB_ACCEPT, /* handled or safely stored: the hub may forget it */
    IOTHUB_DEFER   /* not yet; iothub_message_accept follows: see stall_timeout_ms */
} iothub_disposition;

/** Keep it to answer a method after the callback has returned. */
typedef struct iothub_method_token {
    uint32_t connection;
    uint32_t call;
    char rid[64];
} iothub_method_token;

typedef struct iothub_method_call {
    mqc_span name;
    mqc_span payload; /* JSON, or empty */
    iothub_method_token token;
} iothub_method_call;

typedef enum iothub_method_verdict {
    IOTHUB_METHOD_TAKEN,  /* answered, or going to be answered, with iothub_method_respond */
    IOTHUB_METHOD_UNKNOWN /* the client answers 404 */
} iothub_method_verdict;

typedef enum iothub_log_level {
    IOTHUB_LOG_ERROR = 1,
    IOTHUB_LOG_WARNING,
    IOTHUB_LOG_INFO,
    IOTHUB_LOG_DEBUG
} iothub_log_level;

/**
 * All run inside iothub_process (or on the runner's thread), or inside iothub_deinit, and may make
 * requests; log alone may run inside any call.  They must not block: nothing is sent or received
 * meanwhile. They may not end the client: see iothub_deinit.  iothub_process and iothub_wait are
 * refused in them.  Spans and texts end with the callback; copy what you keep. A NULL c2d, desired
 * or method callback means that the feature is not subscribed at all.  If an earlier run of the
 * session (clean_session false) subscribed to it, the client acknowledges the messages that still
 * arrive, counts them as iothub_stats.ignored, logs them, and ends that subscription: the hub keeps
 * later messages for a run with a callback.
 */
typedef struct iothub_callbacks {
    /** The state changed. */
    void (*status)(iothub_client *c, const iothub_status *s, void *user);
    /**
     * How many ms to wait before the next attempt.  NULL: r->delay_ms, for ever.  Not asked
     * about the second connection of a renewal: while that fails, the first is in use.
     * IOTHUB_RETRY_STOP gives up: the state is IOTHUB_STOPPED with the reason, open requests
     * end as with iothub_stop, and iothub_start begins anew.
     */
    uint32_t (*retry)(iothub_client *c, const iothub_retry *r, void *user);
    /** A request ended: exactly once for each that was accepted. */
    void (*done)(iothub_client *c, const iothub_done *d, void *user);
    /**
     * A cloud-to-device message (for a module: a message for one of its inputs).  IOTHUB_DEFER
     * counts for QoS 1, the only one that a hub uses for what is to be acknowledged.
     */
    iothub_disposition (*c2d)(iothub_client *c, const iothub_message *m, void *user);
    /** Desired properties: complete after each connect, then patches in order of version. */
    void (*desired)(iothub_client *c, const iothub_desired *d, void *user);
    /** A direct method was called. */
    iothub_method_verdict (*method)(iothub_client *c, const iothub_method_call *call, void *user);
    /**
     * A SharedAccessSignature given ready-made runs out in seconds_left (0: it has) and
     * cannot be renewed: fetch a new one and call iothub_set_token.
     */
    void (*token_expiring)(iothub_client *c, int64_t seconds_left, void *user);
    /** One line for a log; never holds a key, signature or token. */
    void (*log)(iothub_log_level level, const char *module, const char *text, void *user);
} iothub_callbacks;

#define IOTHUB_RX_MIN      256
#define IOTHUB_TX_MIN      256
#define IOTHUB_REQUEST_MIN 128

/** What happens to telemetry when there is no room for it. */
typedef enum iothub_when_full {
    IOTHUB_REFUSE_NEW = 0, /* IOTHUB_ERR_NO_SPACE */
    IOTHUB_DROP_OLDEST     /* what has not been sent, oldest first, ends with IOTHUB_ERR_DROPPED */
} iothub_when_full;

typedef struct iothub_options {
    size_t struct_size; /* set by iothub_options_init, without which a client is refused */

    uint16_t port;          /* 8883 */
    const char *ca_file;    /* PEM file with the only roots to trust; NULL: the system's */
    const char *model_id;   /* Plug and Play model (dtmi:...), at most 4096 characters, or NULL */
    const char *user_agent; /* shown by the hub as DeviceClientType; NULL: name and version of the
                               SDK; at most 4096 */

    uint16_t keep_alive_s; /* 240; 1 to 1177 */
    bool clean_session;    /* false: the hub keeps C2D and subscriptions while away */
    uint16_t window;       /* 16: telemetry messages in flight */
    /** 3600; a token is renewed at 80 %.  From 2 on, but a few seconds are for tests only. */
    uint32_t sas_lifetime_s;
    /**
     * true: a renewal makes the new connection while the old one is in use, which takes memory
     * for two TLS sessions.  false: only after the old one has ended.
     */
    bool overlap;

    /* Deadlines, in ms; not 0, but for ack_timeout_ms.  While 50 bytes/s or more arrive or are
     * taken, those of TLS, login and SUBACK go on by half of themselves; up to CONNACK, ten times
     * in all at most. */
    uint32_t resolve_timeout_ms;   /* 15 s */
    uint32_t connect_timeout_ms;   /* 15 s, TCP */
    uint32_t tls_timeout_ms;       /* 15 s */
    uint32_t login_timeout_ms;     /* 30 s, CONNECT to CONNACK */
    uint32_t subscribe_timeout_ms; /* 30 s */
    uint32_t request_timeout_ms;   /* 60 s, twin requests with all repetitions, also while
                                      disconnected: on a slow link a large document takes longer */
    /**
     * 2 min; 0: none.  How long the hub may owe the acknowledgement (PUBACK) of the oldest message
     * in flight, or that of an UNSUBSCRIBE.  The time runs from when the message has left, and
     * begins again when it becomes the oldest; it stands still while a packet arrives, and while a
     * message of more than 1 KB and a PINGREQ behind it are on their way, as on a slow link.  Then
     * the connection counts as lost, with IOTHUB_ERR_TIMEOUT: what is not acknowledged is
     * sent again over the next one, after the back-off.  Keep-alive does not notice a hub that
     * answers pings only.
     */
    uint32_t ack_timeout_ms;
    /**
     * 2 min.  How long reading may stand still.  It does when IOTHUB_UNACCEPTED_MAX (64)
     * messages at QoS 1 have no acknowledgement, as the application defers them or the stream
     * does not take it, and one more arrives: nothing behind that one, an acknowledgement of
     * telemetry or an answer of the twin, can be read.  Each message that the application
     * accepts gives new time.  Then the connection counts as lost, with IOTHUB_ERR_TIMEOUT: the hub
     * sends again over the next one what was not accepted.
     */
    uint32_t stall_timeout_ms;

    /* Back-off with full jitter: a random time up to a limit that doubles from min to max. */
    uint32_t retry_min_ms;      /* 1 s */
    uint32_t retry_max_ms;      /* 60 s */
    uint32_t auth_retry_min_ms; /* 5 min: after a second refusal of the credential in a row */
    uint32_t auth_retry_max_ms; /* 1 h */

    /**
     * Buffers in bytes; see IOTHUB_MEMORY_SIZE.  0, for iothub_new only: large
     * enough for every message that a hub may send or take.
     *
     * rx_size: the largest packet from the hub, with its topic; at least IOTHUB_RX_MIN.  Of a
     * larger one only the topic is read: a cloud-to-device message is acknowledged, skipped,
     * counted as iothub_stats.c2d_oversize and logged as an error with its size; a method call is
     * answered 413 by the client, and logged; iothub_twin_get ends with IOTHUB_ERR_TOO_BIG; and the
     * desired callback gets IOTHUB_ERR_TOO_BIG when the document or a change of it is larger.
     *
     * tx_size: telemetry waiting for the hub's acknowledgement, with topics; at least
     * IOTHUB_TX_MIN, and 41 more than the topic "devices/{id}/messages/events/" takes.
     *
     * request_size: the largest twin report or method answer, with its topic; at least
     * IOTHUB_REQUEST_MIN.
     */
    size_t rx_size;
    size_t tx_size;
    size_t request_size;

    /**
     * Where telemetry waits, so that it outlives the process: e.g. plat_sqlite_store_open.
     * Borrowed until iothub_deinit.  NULL: in the RAM of tx_size.
     */
    plat_store *store;
    /* Limits of the telemetry that waits; 0: none but memory and disk. */
    uint64_t queue_max_count;
    uint64_t queue_max_bytes; /* in the store, or of the ring, with their topics */
    uint32_t queue_max_age_s; /* a ttl_ms for all that have none or a longer one */
    iothub_when_full when_full;

    const plat_platform *platform; /* plat_posix() on Linux */
    iothub_log_level log_level;    /* IOTHUB_LOG_INFO */
    iothub_callbacks callbacks;
    void *user; /* passed to every callback */
} iothub_options;

/**
 * Fill *o with the defaults above; to be called first.  Texts are borrowed until iothub_deinit, the
 * struct itself is not.
 */
#define iothub_options_init(o) iothub_options_init_sized((o), sizeof *(o))
void iothub_options_init_sized(iothub_options *o, size_t struct_size);

#ifdef __cplusplus
}
#endif
#endif
