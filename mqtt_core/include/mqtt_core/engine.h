#ifndef MQC_ENGINE_H
#define MQC_ENGINE_H

/**
 * @file
 * An MQTT 3.1.1 client engine without I/O, clock, threads or heap.
 *
 * The caller moves bytes and time, and the engine decides what they mean:
 *
 *     socket readable -> mqc_rx_space, recv(), mqc_rx_commit
 *     always          -> mqc_next_event until it returns false
 *     socket writable -> mqc_tx_data, send(), mqc_tx_consume
 *     timer           -> mqc_next_deadline, mqc_tick
 *
 * A publish is encoded once, into the ring of its lane, and stays there until it is finished.  The
 * ring is the send buffer, the offline queue, the store of messages in flight and the source of
 * retransmission.  Publishes are accepted at any time, also before the first connection.
 *
 * An engine is not thread-safe: only one thread may use it at a time.
 *
 * A program holds the engine itself and tables that depend on its version (engine_struct.h), so it
 * is compiled again for each version of this layer, and no struct carries its size.
 *
 * Functions that set up an engine or queue a request return MQC_ERR_ARG when the engine, the
 * options or a required text is NULL.  Functions that move bytes, events and time run for every
 * packet and do not check for NULL: they need an engine that mqc_init has prepared.  mqc_rx_commit
 * refuses more bytes than mqc_rx_space offered, so a failed recv() whose -1 is passed on changes
 * nothing.
 *
 * The other functions of an engine are in publish.h: publishing, and what a lane contains.
 */

#include "mqtt_core/memory.h"
#include "mqtt_core/publish.h"
#include "mqtt_core/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- set-up --------------------------------------------------------------- */

/**
 * Prepares an engine.  It is MQC_IDLE afterwards.
 *
 * @param[out] e   the engine; it must not be moved afterwards
 * @param memory   its memory; the struct itself is copied
 * @retval MQC_OK       the engine is ready
 * @retval MQC_ERR_ARG  a part of the memory is missing or smaller than mqc_memory requires
 */
mqc_result mqc_init(mqc_engine *e, const mqc_memory *memory);

/** The states of a connection. */
typedef enum mqc_state {
    MQC_IDLE = 0,      /**< There is no connection; mqc_connect starts one. */
    MQC_CONNECTING,    /**< CONNECT is queued or was sent. */
    MQC_CONNECTED,     /**< The server has accepted the connection. */
    MQC_DISCONNECTING, /**< DISCONNECT is queued or was sent; close the stream once nothing is left
                            to be sent. */
    MQC_FAILED         /**< An error is latched; only mqc_reset leaves this state. */
} mqc_state;

/**
 * Returns the state of the connection.
 *
 * @param e  the engine
 * @return   the state
 */
mqc_state mqc_get_state(const mqc_engine *e);

/**
 * Returns the latched error.
 *
 * @param e  the engine
 * @return   the error that ended the connection; MQC_OK when there is none
 */
mqc_result mqc_error(const mqc_engine *e);

/**
 * Returns the packet that belongs to the latched error: the one in which it was found, or the one
 * that did not arrive in time.
 *
 * @param e  the engine
 * @return   the name of the packet type, such as "PUBACK"; "" without an error, and for errors that
 *           no packet explains.  The text is static.
 */
const char *mqc_error_packet(const mqc_engine *e);

/**
 * Forgets the connection.  Call it after the stream was closed, for whatever reason.
 *
 * Publishes stay in their lanes and are sent again after the next CONNACK: with DUP and their
 * packet id when the server still has the session, as new messages otherwise (MQTT 3.1.1
 * section 4.4).  A QoS 2 publish whose PUBREC was received is not published again.  Its PUBREL is
 * sent again; if the session is lost it ends as MQC_OUTCOME_ACKED, because the server took the
 * message over.
 *
 * Received QoS 1 messages that were not acknowledged are forgotten; the server sends them again.
 * Received QoS 2 messages are remembered until their PUBREL, so that none is delivered twice, or
 * until a CONNACK reports that the session is lost.
 *
 * @param e  the engine, in any state; it is MQC_IDLE afterwards
 */
void mqc_reset(mqc_engine *e);

/* --- connecting, subscribing, acknowledging --------------------------------- */

/** The Will: a message that the server publishes when the connection is lost. */
typedef struct mqc_will {
    mqc_span topic;   /**< Topic name; ptr NULL: there is no Will. */
    mqc_span payload; /**< Payload of the Will, at most 65,535 bytes. */
    uint8_t qos;      /**< 0 to 2. */
    bool retain;      /**< The server retains the Will. */
} mqc_will;

/** Options of a connection.  Initialise it with zeroes. */
typedef struct mqc_connect_options {
    mqc_span client_id;    /**< Client identifier.  It may be empty with clean_session. */
    mqc_span username;     /**< User name; ptr NULL: none. */
    mqc_span password;     /**< Password; ptr NULL: none.  It needs a user name. */
    mqc_will will;         /**< The Will. */
    uint16_t keep_alive_s; /**< Keep-alive in seconds; 0: off. */
    bool clean_session;    /**< The server forgets an earlier session. */
    uint32_t timeout_ms;   /**< Time from mqc_connect to CONNACK; 0: no limit. */
    /**
     * How long the server may owe an answer: PUBACK, PUBREC or PUBCOMP to the oldest publish of a
     * lane, SUBACK or UNSUBACK.  0: no limit.  Keep-alive alone does not notice a server that
     * answers PINGREQ and nothing else.
     *
     * The time runs from when the publish was sent and became the oldest of its lane.  It starts
     * again whenever received bytes continue a packet, since that packet may precede the answer.
     * When half of it has passed the engine sends PINGREQ.  While a publish of more than 1 KB may
     * still be under way on a slow link, the second half does not start before that PINGREQ is
     * answered.  When all of it has passed, mqc_tick returns MQC_ERR_TIMEOUT, and mqc_error_packet
     * names the missing answer.
     */
    uint32_t ack_timeout_ms;
    /**
     * How long reading may be stalled.  0: no limit.  It is stalled while the application
     * acknowledges nothing and the inbound table is full, while acknowledgements cannot be sent,
     * and after messages were skipped (mqc_memory.inbound).  Keep-alive cannot see in that time
     * whether the server is lost.  When the time has passed, mqc_tick returns MQC_ERR_STALLED.
     */
    uint32_t stall_timeout_ms;
    /**
     * The caller asks mqc_wants_flow before each mqc_tick, and calls mqc_report_flow if it returns
     * true.  If this is false, the engine regards bytes as received by the peer when mqc_tx_consume
     * reports that the stream took them.
     */
    bool reports_flow;
} mqc_connect_options;

/**
 * Queues CONNECT.
 *
 * @param e    the engine, MQC_IDLE; it is MQC_CONNECTING afterwards
 * @param o    options; everything is copied before the call returns
 * @param now  the current time
 * @retval MQC_OK           CONNECT is queued
 * @retval MQC_ERR_ARG      a text is not valid UTF-8 or too long, the Will is not valid, or a
 * client id, or the user name of a password, is missing
 * @retval MQC_ERR_STATE    there is a connection
 * @retval MQC_ERR_TOO_BIG  CONNECT does not fit into mqc_memory.control
 * @return another code: the latched error
 */
mqc_result mqc_connect(mqc_engine *e, const mqc_connect_options *o, mqc_time now);

/** One topic filter of a SUBSCRIBE. */
typedef struct mqc_subscription {
    mqc_span filter; /**< Topic filter. */
    uint8_t qos;     /**< The largest QoS of the messages: 0 to 2. */
} mqc_subscription;

/**
 * Queues SUBSCRIBE.  The filters are copied.  MQC_EVENT_SUBSCRIBED reports the answer.  At most
 * four SUBSCRIBE and UNSUBSCRIBE packets can be without an answer.
 *
 * @param e               the engine, MQC_CONNECTED
 * @param s               the subscriptions
 * @param count           their number, 1 to 65,535
 * @param[out] packet_id  the packet id; may be NULL
 * @retval MQC_OK            the packet is queued
 * @retval MQC_ERR_ARG       a filter or a QoS is not valid, or there is no filter
 * @retval MQC_ERR_STATE     the engine is not connected
 * @retval MQC_ERR_NO_SPACE  four packets wait for their answers, the control area is full now, or
 *                           all packet ids are in use
 * @retval MQC_ERR_TOO_BIG   the packet does not fit into mqc_memory.control
 * @return another code: the latched error
 */
mqc_result mqc_subscribe(mqc_engine *e, const mqc_subscription *s, size_t count,
                         uint16_t *packet_id);

/**
 * Queues UNSUBSCRIBE, with the rules and results of mqc_subscribe.  MQC_EVENT_UNSUBSCRIBED reports
 * the answer.
 *
 * @param e               the engine, MQC_CONNECTED
 * @param filters         the topic filters
 * @param count           their number, 1 to 65,535
 * @param[out] packet_id  the packet id; may be NULL
 * @return                MQC_OK, or an error as of mqc_subscribe
 */
mqc_result mqc_unsubscribe(mqc_engine *e, const mqc_span *filters, size_t count,
                           uint16_t *packet_id);

/**
 * Queues DISCONNECT behind the packet in progress and the acknowledgements that are due.  Nothing
 * is sent after it.
 *
 * @param e  the engine, MQC_CONNECTED; it is MQC_DISCONNECTING afterwards
 * @retval MQC_OK         DISCONNECT is queued
 * @retval MQC_ERR_STATE  the engine is not connected
 * @retval MQC_ERR_ARG    e is NULL
 * @return another code: the latched error
 */
mqc_result mqc_disconnect(mqc_engine *e);

/**
 * Acknowledges a received message with QoS 1 or 2.  Messages may be acknowledged late and in any
 * order; the engine sends PUBACK and PUBREC in the order of the messages (MQTT 3.1.1 section 4.6).
 *
 * For QoS 2 an acknowledgement also counts without a connection, and when a latched error is
 * returned: the message is not delivered again.
 *
 * @param e          the engine
 * @param packet_id  mqc_message.packet_id
 * @retval MQC_OK         the message is acknowledged
 * @retval MQC_ERR_STATE  there is no unacknowledged message with this id: on this connection for
 *                        QoS 1, in this session for QoS 2
 * @return another code: the latched error
 */
mqc_result mqc_ack(mqc_engine *e, uint16_t packet_id);

/* --- events --------------------------------------------------------------- */

/** What happened.  The name in parentheses is the member of mqc_event.u that describes it. */
typedef enum mqc_event_type {
    MQC_EVENT_CONNECTED = 1, /**< The server accepted the connection (connack). */
    MQC_EVENT_REFUSED,       /**< The server refused it; the engine is MQC_FAILED (connack). */
    MQC_EVENT_PUBLISH,       /**< A message was received; with QoS it needs mqc_ack (publish). */
    MQC_EVENT_OVERSIZE,   /**< A message was received whose payload, and perhaps topic, does not fit
                               into mqc_memory.rx; with QoS it needs mqc_ack (publish). */
    MQC_EVENT_DONE,       /**< An outgoing publish has ended (done). */
    MQC_EVENT_SUBSCRIBED, /**< SUBSCRIBE was answered (suback). */
    MQC_EVENT_UNSUBSCRIBED /**< UNSUBSCRIBE was answered (packet_id). */
} mqc_event_type;

/** A message from the server. */
typedef struct mqc_message {
    mqc_span topic;     /**< Topic name; empty when it did not fit into mqc_memory.rx. */
    mqc_span payload;   /**< Payload; empty when it was skipped. */
    size_t payload_len; /**< Length of the payload in the packet, also when it was skipped. */
    uint16_t packet_id; /**< Packet id; 0 for QoS 0. */
    uint8_t qos;        /**< 0 to 2. */
    bool retain;        /**< The message is a retained message. */
    bool dup;           /**< The server may have sent it before. */
} mqc_message;

/** An event. */
typedef struct mqc_event {
    mqc_event_type type; /**< Which member of u is set. */
    /** Details of the event. */
    union {
        /** CONNACK. */
        struct {
            uint8_t return_code;  /**< MQTT 3.1.1 table 3.1; 0: accepted. */
            bool session_present; /**< The server still has the session. */
        } connack;                /**< MQC_EVENT_CONNECTED and MQC_EVENT_REFUSED. */
        mqc_message publish;      /**< MQC_EVENT_PUBLISH and MQC_EVENT_OVERSIZE. */
        mqc_done done;            /**< MQC_EVENT_DONE. */
        /** SUBACK. */
        struct {
            uint16_t packet_id;    /**< Packet id of the SUBSCRIBE. */
            mqc_span return_codes; /**< For each filter the granted QoS, or 0x80: refused. */
        } suback;                  /**< MQC_EVENT_SUBSCRIBED. */
        uint16_t packet_id;        /**< MQC_EVENT_UNSUBSCRIBED: packet id of the UNSUBSCRIBE. */
    } u;                           /**< Details of the event. */
} mqc_event;

/**
 * Takes the next event.
 *
 * It returns false when nothing more has happened, and while the inbound table is full and waits
 * for mqc_ack or for an acknowledgement to be sent; call it again after mqc_tx_consume.  It also
 * returns false when it finds a packet that breaks the rules: the engine is MQC_FAILED then.
 *
 * @param e        the engine
 * @param[out] ev  the event; its spans are valid until the next call of this function, of
 *                 mqc_rx_space or of mqc_reset with this engine
 * @return         true when there is an event
 */
bool mqc_next_event(mqc_engine *e, mqc_event *ev);

/* --- bytes and time --------------------------------------------------------- */

/**
 * Returns where to put received bytes.
 *
 * @param e         the engine
 * @param[out] len  how many bytes fit there; 0 when events must be taken first, and when there is
 * no connection
 * @return          memory of the engine; NULL when *len is 0
 */
uint8_t *mqc_rx_space(mqc_engine *e, size_t *len);

/**
 * Reports that bytes were received into the memory of mqc_rx_space.  Take the events afterwards.
 *
 * @param e    the engine
 * @param len  the number of bytes
 * @param now  the current time
 * @retval MQC_OK         the bytes are accepted
 * @retval MQC_ERR_ARG    len is larger than mqc_rx_space allowed; nothing has changed
 * @retval MQC_ERR_STATE  there is no connection
 * @return another code: the latched error
 */
mqc_result mqc_rx_commit(mqc_engine *e, size_t len, mqc_time now);

/**
 * Returns the next bytes to be sent: as many as are contiguous in memory, often several packets.
 *
 * Offered bytes of which none was consumed are offered again at the start of the next run, as TLS
 * libraries require.
 *
 * @param e         the engine
 * @param[out] len  the number of bytes; 0 when there are none
 * @return          the bytes, valid until the next call that changes the engine; NULL or any
 *                  pointer when *len is 0
 */
const uint8_t *mqc_tx_data(mqc_engine *e, size_t *len);

/**
 * Reports that the stream has accepted bytes of mqc_tx_data.
 *
 * @param e    the engine
 * @param len  the number of bytes, from the start of the run
 * @param now  the current time
 */
void mqc_tx_consume(mqc_engine *e, size_t len, mqc_time now);

/**
 * Returns whether mqc_tx_data would return bytes, without offering them: mqc_drop may still end a
 * publish that is queued.
 *
 * @param e  the engine
 * @return   true when there are bytes to be sent
 */
bool mqc_tx_ready(mqc_engine *e);

/**
 * Returns the number of received bytes worth waking up for.  While many publishes are in flight it
 * saves work to process their acknowledgements together.  Call it before each sleep.
 *
 * A caller that waits for more than one byte must call mqc_tick no later than *until, which is 2 ms
 * after the last bytes, and then read what was received.  The next result depends on that.
 *
 * @param e           the engine
 * @param[out] until  the time until which the number is valid; 0 when the result is 1
 * @return            the number of bytes; 1: any byte
 */
size_t mqc_rx_least(mqc_engine *e, mqc_time *until);

/**
 * Returns when mqc_tick has something to do.  Call mqc_tick no later than that.
 *
 * @param e          the engine
 * @param[out] when  the time; it may have passed already
 * @return           false when nothing waits for time
 */
bool mqc_next_deadline(const mqc_engine *e, mqc_time *when);

/**
 * The progress of bytes below the engine.  A stream may take bytes long before the peer does, as
 * the send buffer of a kernel does, and may hold received bytes back until a TLS record is
 * complete.  The engine counts both as signs of life if they are reported.
 */
typedef struct mqc_flow {
    uint64_t received;  /**< Bytes received from the peer on this connection; it never decreases. */
    uint64_t delivered; /**< Bytes that the peer's system has acknowledged; it never decreases. */
    uint64_t pending;   /**< Bytes that mqc_tx_consume reported and the peer's system has not
                             acknowledged. */
    bool awaited;       /**< The peer's system owes an acknowledgement; false: it owes none, or has
                             closed its window. */
} mqc_flow;

/**
 * Returns whether mqc_report_flow is due.  That is so only while a PINGREQ is unanswered, 16 times
 * in a keep-alive, or in ack_timeout_ms when that is shorter.
 *
 * @param e    the engine
 * @param now  the current time
 * @return     true when a report is due
 */
bool mqc_wants_flow(const mqc_engine *e, mqc_time now);

/**
 * Reports the progress of bytes below the engine.
 *
 * @param e    the engine
 * @param f    the progress
 * @param now  the current time
 */
void mqc_report_flow(mqc_engine *e, const mqc_flow *f, mqc_time now);

/**
 * Does what is due at this time: keep-alive, the time-outs of mqc_connect_options, and expiry of
 * publishes.
 *
 * A PINGREQ is sent when nothing was sent for one keep-alive.  It is also sent when nothing was
 * received for so long that, of 1.5 keep-alives, half a keep-alive or 30 s is left for its answer,
 * whichever is more, but no more than one keep-alive.  The connection counts as lost
 *
 * - while the PINGREQ is not sent yet: when the peer has neither sent nor accepted any bytes
 * for 1.5 keep-alives;
 * - once it was sent: when nothing was received for 1.5 keep-alives and the time for the answer has
 *   passed.
 *
 * The answer to a PINGREQ follows everything that was sent before it, and a relay with large
 * buffers on a slow link may have taken that long ago.  So the answer has 16 ms more for each byte
 * of the oldest unanswered publish of each lane, if that is larger than 1 KB.  A server that hangs
 * is found that much later; a server whose system does not acknowledge what is sent is not.
 *
 * @param e    the engine
 * @param now  the current time
 * @retval MQC_OK             the connection continues, or there is none
 * @retval MQC_ERR_TIMEOUT    the connection is lost, or an answer is overdue
 * @retval MQC_ERR_STALLED    reading stood still for too long
 * @retval MQC_ERR_PROTOCOL   a skipped message is asked for with another connection
 * @return another code: the latched error
 */
mqc_result mqc_tick(mqc_engine *e, mqc_time now);

#ifdef __cplusplus
}
#endif
#endif
