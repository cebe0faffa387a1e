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
 */

#include "mqtt_core/result.h"
#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A time in milliseconds of a monotonic clock.  The origin is arbitrary.  The clock must keep
 * running while the device is suspended, as CLOCK_BOOTTIME does on Linux.
 */
typedef uint64_t mqc_time;

/** The largest number of lanes. */
#define MQC_LANES_MAX 3

/** An engine.  engine_struct.h has the complete type. */
typedef struct mqc_engine mqc_engine;
/** A queued publish.  engine_struct.h has the complete type. */
typedef struct mqc_entry mqc_entry;
/** A received message that is not finished.  engine_struct.h has the complete type. */
typedef struct mqc_inbound mqc_inbound;

/* --- set-up --------------------------------------------------------------- */

/**
 * The memory and the window of one lane: a queue of outgoing publishes that keeps its order.
 *
 * All lanes share the connection.  Lane 0 is served before lane 1, and lane 1 before lane 2; a lane
 * takes over at the end of a packet only.  A simple client uses one lane.
 */
typedef struct mqc_lane_memory {
    uint8_t *ring;      /**< Memory for encoded packets.  The largest publish must fit. */
    size_t ring_len;    /**< Size of the ring in bytes. */
    mqc_entry *entries; /**< Memory for one entry for each publish in the ring. */
    size_t entries_len; /**< Number of entries: 1 to UINT32_MAX. */
    /**
     * The largest number of publishes that are sent and not finished; 0: 65535.
     *
     * A lane that found its window full sends again when half of the window is free, but at least
     * 16 slots, or all slots of a smaller window; so queued publishes leave in batches.  It waits
     * no longer than 2 ms after the first slot became free.  If the round trip to the server takes
     * more than 0.25 ms it waits an eighth of a round trip, and if it takes less than 8 ms, not at
     * all.
     *
     * Mosquitto closes the connection when more QoS 2 publishes are in flight than its own limit of
     * 20, or drops them, so a lane for QoS 2 needs a window of 20 or less there.
     */
    uint16_t window;
    /**
     * Optional memory for a long lane whose publishes expire: MQC_EXPIRIES(entries_len) elements.
     * With it, the cost of ending an expired publish does not depend on the number of others. NULL:
     * each look at the time visits all publishes of the lane.
     */
    mqc_time *expiries;
    size_t expiries_len; /**< Number of elements of expiries. */
} mqc_lane_memory;

/** The number of entries that share one element of mqc_lane_memory.expiries. */
#define MQC_EXPIRY_GROUP 64
/** The number of elements that mqc_lane_memory.expiries needs for a number of entries. */
#define MQC_EXPIRIES(entries)                                \
    (((entries) + MQC_EXPIRY_GROUP - 1) / MQC_EXPIRY_GROUP + \
     ((entries) + MQC_EXPIRY_GROUP * MQC_EXPIRY_GROUP - 1) / \
         (MQC_EXPIRY_GROUP * MQC_EXPIRY_GROUP))

/**
 * The memory of an engine.  It belongs to the caller, and the engine uses it as long as the engine
 * is used.  The parts must not overlap.
 */
typedef struct mqc_memory {
    uint8_t *rx;   /**< Memory for received bytes.  The payload of a packet that does not fit is
                        skipped: see MQC_EVENT_OVERSIZE. */
    size_t rx_len; /**< Size of rx in bytes; at least 16. */
    /**
     * Memory for CONNECT, SUBSCRIBE, UNSUBSCRIBE and acknowledgements.  The largest of these
     * packets must fit.
     */
    uint8_t *control;
    size_t control_len; /**< Size of control in bytes; at least 32. */
    /**
     * Memory for received messages with QoS: with QoS 1 until mqc_ack, with QoS 2 until the server
     * has sent PUBREL.
     *
     * While the table is full of messages that the application has not acknowledged, the engine
     * reads nothing, for at most stall_timeout_ms of mqc_connect_options.  While it is full of QoS
     * 2 messages that wait for PUBREL, further messages are skipped.  Once there is room again the
     * connection ends with MQC_ERR_PROTOCOL in "PUBLISH", so that the server sends the skipped
     * messages again on the next connection.  A table of twice the server's limit of messages in
     * flight avoids this (Mosquitto: 2 x 20).  Mosquitto 2.0.11 exceeds its own limit; 256 elements
     * are enough there.
     */
    mqc_inbound *inbound;
    size_t inbound_len; /**< Number of elements of inbound: 1 to UINT32_MAX / 2. */
    mqc_lane_memory lanes[MQC_LANES_MAX]; /**< Memory of each lane in use. */
    size_t lane_count;                    /**< Number of lanes in use: 1 to MQC_LANES_MAX. */
} mqc_memory;

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

/* --- requests --------------------------------------------------------------- */

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

/** An outgoing publish.  Initialise it with zeroes. */
typedef struct mqc_outgoing {
    mqc_span topic;   /**< Topic name. */
    mqc_span payload; /**< Payload; it may be empty. */
    uint8_t qos;      /**< 0 to 2. */
    bool retain;      /**< The server retains the message. */
    /**
     * QoS 0 only: the publish does not end when it was sent, but when mqc_release is called,
     * because an answer on another topic was received. Until then it counts in the window and is
     * sent again on a new connection.
     */
    bool keep;
    /**
     * The caller guarantees that the topic is UTF-8 without NUL, '+' and '#'.  mqc_publish then
     * checks its length only.
     */
    bool topic_checked;
    uint8_t lane; /**< Index of the lane. */
    uint8_t kind; /**< Chosen by the caller; returned in mqc_done. */
    /** Chosen by the caller; returned in mqc_done. mqc_release finds a kept publish by it. */
    uint32_t id;
    void *tag; /**< Chosen by the caller; returned in mqc_done. */
    /**
     * When the publish expires; 0: never.  A publish with QoS does not expire once it was sent, as
     * long as the server may have it.
     */
    mqc_time expires;
} mqc_outgoing;

/**
 * Queues a PUBLISH.  The topic and the payload are copied.
 *
 * Each accepted publish ends exactly once, with MQC_EVENT_DONE or mqc_release.
 *
 * @param e               the engine, in any state but MQC_FAILED
 * @param m               the publish
 * @param[out] packet_id  the packet id, 0 for QoS 0; may be NULL
 * @retval MQC_OK            the publish was accepted
 * @retval MQC_ERR_NO_SPACE  the lane is full, or all packet ids are in use; nothing was queued
 * @retval MQC_ERR_TOO_BIG   the publish is larger than the ring of the lane, or than MQTT allows
 * @retval MQC_ERR_ARG       the topic is not valid, the QoS is above 2, keep is combined with a QoS
 *                           above 0, or there is no such lane
 * @return another code: the latched error
 */
mqc_result mqc_publish(mqc_engine *e, const mqc_outgoing *m, uint16_t *packet_id);

struct mqc_done;

/**
 * Finishes a kept publish whose answer was received: the oldest one with this id.
 *
 * @param e          the engine
 * @param lane       index of the lane
 * @param id         mqc_outgoing.id
 * @param[out] done  describes the publish, with the outcome MQC_OUTCOME_RELEASED
 * @retval MQC_OK         the publish has ended
 * @retval MQC_ERR_STATE  no kept publish with this id was sent
 * @retval MQC_ERR_ARG    there is no such lane, or done is NULL
 */
mqc_result mqc_release(mqc_engine *e, uint8_t lane, uint32_t id, struct mqc_done *done);

/**
 * Sends a kept publish again on this connection, because its answer asked to try later.  It is
 * queued before everything that follows it in the lane.  To choose the time of sending, hold the
 * lane with mqc_hold first.
 *
 * @param e     the engine
 * @param lane  index of the lane
 * @param id    mqc_outgoing.id
 * @retval MQC_OK         the publish is queued again
 * @retval MQC_ERR_STATE  it is not the last publish of the lane that was sent, or a packet of the
 *                        lane is partly sent; with a window of 1 neither happens
 * @retval MQC_ERR_ARG    there is no such lane
 */
mqc_result mqc_requeue(mqc_engine *e, uint8_t lane, uint32_t id);

/**
 * Holds a lane, or ends that.  While a lane is held, the packet in progress is completed and no
 * other one is sent.
 *
 * @param e     the engine
 * @param lane  index of the lane; one that does not exist is ignored
 * @param hold  true to hold the lane
 */
void mqc_hold(mqc_engine *e, uint8_t lane, bool hold);

/**
 * Ends all publishes of a lane as MQC_OUTCOME_DISCARDED.  The outcomes are delivered as events.
 *
 * @param e     the engine, MQC_IDLE
 * @param lane  index of the lane
 * @retval MQC_OK         the publishes have ended
 * @retval MQC_ERR_STATE  there is a connection; call mqc_reset first
 * @retval MQC_ERR_ARG    there is no such lane
 */
mqc_result mqc_discard(mqc_engine *e, uint8_t lane);

/**
 * Ends the oldest publish of a lane of which nothing was sent on this connection, as
 * MQC_OUTCOME_DROPPED.  The outcome is delivered as an event.  Its space is free immediately when
 * everything before it in the lane has ended.
 *
 * After mqc_reset any publish qualifies, even if the server may already have it.  A QoS 2 publish
 * that was sent does not, until the server has lost the session.
 *
 * @param e         the engine
 * @param lane      index of the lane
 * @param[out] tag  mqc_outgoing.tag of the publish; may be NULL
 * @retval MQC_OK         a publish has ended
 * @retval MQC_ERR_STATE  no publish qualifies
 * @retval MQC_ERR_ARG    there is no such lane
 */
mqc_result mqc_drop(mqc_engine *e, uint8_t lane, void **tag);

/**
 * Gives the publishes of a lane other topics: a topic that begins with `from` begins with `to`
 * instead. Other topics stay as they are. This is for a client that learns only later, or again,
 * under which name it publishes.
 *
 * @param e the engine, MQC_IDLE
 * @param lane index of the lane
 * @param from beginning of the topics; not empty
 * @param to what replaces it; not empty, valid as the beginning of a topic name
 * @retval MQC_OK the topics are changed
 * @retval MQC_ERR_STATE there is a connection; call mqc_reset first
 * @retval MQC_ERR_NO_SPACE `to` is longer, and the ring has no room for all publishes; nothing
 *                           has changed, and mqc_drop can make room
 * @retval MQC_ERR_TOO_BIG a publish would be longer than MQTT allows; nothing has changed
 * @retval MQC_ERR_ARG there is no such lane, or a text is empty
 */
mqc_result mqc_rename_topics(mqc_engine *e, uint8_t lane, mqc_span from, mqc_span to);

/** What a lane contains. */
typedef struct mqc_lane_info {
    size_t count; /**< Publishes that were accepted and have not ended. */
    /** Number of publishes that were sent and wait for an acknowledgement or for mqc_release. */
    size_t in_flight;
    /** At least a part of the oldest publish was sent, or is being sent, on this connection. */
    bool begun;
    size_t bytes;     /**< Bytes of the ring in use. */
    size_t bytes_cap; /**< Size of the ring. */
} mqc_lane_info;

/**
 * Describes the contents of a lane.
 *
 * @param e     the engine
 * @param lane  index of the lane
 * @return      the contents; zeroes when there is no such lane
 */
mqc_lane_info mqc_lane(const mqc_engine *e, uint8_t lane);

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

/** How an outgoing publish ended. */
typedef enum mqc_outcome {
    MQC_OUTCOME_SENT = 1, /**< QoS 0: the stream has accepted all bytes. */
    MQC_OUTCOME_ACKED, /**< QoS 1 and 2: the server has received it, as PUBACK or PUBCOMP shows. */
    MQC_OUTCOME_EXPIRED,   /**< The publish expired before it was sent or answered. */
    MQC_OUTCOME_DISCARDED, /**< mqc_discard ended it. */
    MQC_OUTCOME_RELEASED,  /**< mqc_release ended it; no event reports this. */
    MQC_OUTCOME_DROPPED    /**< mqc_drop ended it. */
} mqc_outcome;

/** An outgoing publish that has ended. */
typedef struct mqc_done {
    mqc_outcome outcome; /**< How the publish ended. */
    uint8_t lane;        /**< Index of its lane. */
    uint8_t kind;        /**< mqc_outgoing.kind. */
    uint16_t packet_id;  /**< Packet id; 0 for QoS 0. */
    uint32_t id;         /**< mqc_outgoing.id. */
    void *tag;           /**< mqc_outgoing.tag. */
} mqc_done;

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
