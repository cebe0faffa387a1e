#ifndef MQC_ENGINE_H
#define MQC_ENGINE_H

/**
 * @file
 * MQTT 3.1.1 client engine without I/O, clock, threads or heap.
 *
 * The caller moves bytes and time; the engine decides what they mean:
 *
 *     socket readable -> mqc_rx_space, recv(), mqc_rx_commit
 *     always          -> mqc_next_event until it returns false
 *     socket writable -> mqc_tx_data, send(), mqc_tx_consume
 *     timer           -> mqc_next_deadline, mqc_tick
 *
 * A publish is encoded once into the ring of its lane and stays there until it
 * is finished: the ring is the send buffer, the offline queue, the in-flight
 * store and the source of retransmission.  It may be filled at any time, also
 * before the first connection.
 *
 * Not thread-safe: one engine belongs to one thread at a time.
 *
 * Requests and set-up return MQC_ERR_ARG for an engine, options or texts that are NULL.  What moves
 * bytes, events and time takes an engine that mqc_init has prepared, and pointers that are not
 * NULL: it runs for every packet.  More bytes than there were offered are never taken for granted:
 * a recv() that failed, with its -1 handed to mqc_rx_commit, is MQC_ERR_ARG and changes nothing.
 */

#include "mqtt_core/result.h"
#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Monotonic milliseconds from any origin, of a clock that goes on while a device is suspended. */
typedef uint64_t mqc_time;

#define MQC_LANES_MAX 3

typedef struct mqc_engine mqc_engine;   /* complete in engine_struct.h */
typedef struct mqc_entry mqc_entry;     /* one queued publish; engine_struct.h */
typedef struct mqc_inbound mqc_inbound; /* one unacknowledged message; engine_struct.h */

/* --- set-up --------------------------------------------------------------- */

/**
 * One queue of outgoing publishes with its own order, memory and window.
 * Lanes share the connection; lane 0 has the right of way over lane 1, and so
 * on, switching at packet boundaries only.  A plain client uses one lane.
 */
typedef struct mqc_lane_memory {
    uint8_t *ring; /* encoded packets; the largest publish must fit */
    size_t ring_len;
    mqc_entry *entries; /* one per publish in the ring */
    size_t entries_len;
    /**
     * Publishes sent but not yet finished; 0: 65535.  Mosquitto drops QoS 2 publishes
     * beyond its own 20 and closes the connection.  Once the window has held one
     * back, the lane sends again when half of the window is free and 16 places at least (all
     * of a smaller one), so that what waits leaves in batches; but no later than 2 ms after
     * the first place was, or, when the server is further than 0.25 ms away, an eighth of a
     * round trip (of less than 8 ms: at once).
     */
    uint16_t window;
    /**
     * For a long lane whose messages expire: with MQC_EXPIRIES(entries_len) of these it costs the
     * same to end one however many others there are.  NULL: all are looked at.
     */
    mqc_time *expiries;
    size_t expiries_len;
} mqc_lane_memory;

#define MQC_EXPIRY_GROUP 64
#define MQC_EXPIRIES(entries)                                \
    (((entries) + MQC_EXPIRY_GROUP - 1) / MQC_EXPIRY_GROUP + \
     ((entries) + MQC_EXPIRY_GROUP * MQC_EXPIRY_GROUP - 1) / \
         (MQC_EXPIRY_GROUP * MQC_EXPIRY_GROUP))

/** Memory that the engine uses as long as it lives.  No part may overlap. */
typedef struct mqc_memory {
    uint8_t *rx; /* a larger packet is skipped, see MQC_EVENT_OVERSIZE */
    size_t rx_len;
    uint8_t *control; /* CONNECT, SUBSCRIBE, acknowledgements: the largest must fit */
    size_t control_len;
    /**
     * Messages handed out: with QoS 1 until they are acknowledged, with QoS 2 until the
     * server has released them.  While it is full of messages that the application has
     * not acknowledged, nothing is read (no longer than stall_timeout_ms of
     * mqc_connect_options).  A server that has more QoS 2 messages unreleased
     * than there are places cannot be waited for: what has no place is passed over and,
     * once there are places again, asked for with a new connection: MQC_ERR_PROTOCOL in
     * "PUBLISH".  Two times the server's in-flight limit avoids this (Mosquitto: 2 x 20), but for
     * servers that break their limit (Mosquitto 2.0.11 does: 256 places do no harm).
     */
    mqc_inbound *inbound;
    size_t inbound_len;
    mqc_lane_memory lanes[MQC_LANES_MAX];
    size_t lane_count;
} mqc_memory;

/**
 * Prepare *e.  Needs at least 16 bytes of rx, 32 of control, one inbound entry
 * and one lane with one entry and one byte.  MQC_ERR_ARG otherwise.
 */
mqc_result mqc_init(mqc_engine *e, const mqc_memory *memory);

typedef enum mqc_state {
    MQC_IDLE = 0,      /* no connection; mqc_connect starts one */
    MQC_CONNECTING,    /* CONNECT queued or sent */
    MQC_CONNECTED,     /* CONNACK accepted */
    MQC_DISCONNECTING, /* DISCONNECT queued; close the stream once tx is empty */
    MQC_FAILED         /* latched error; mqc_reset leaves it */
} mqc_state;

mqc_state mqc_get_state(const mqc_engine *e);

/** The latched error, MQC_OK when there is none. */
mqc_result mqc_error(const mqc_engine *e);

/** Name of the packet in which the latched error was found, e.g. "PUBACK"; "" without one. */
const char *mqc_error_packet(const mqc_engine *e);

/**
 * Forget the connection, after loss, failure or DISCONNECT.  What is in the
 * lanes stays: unfinished publishes go out again after the next CONNACK, with
 * DUP and their packet id when the server still has the session, as new ones
 * when it has not (MQTT 3.1.1 section 4.4).  A QoS 2 publish that had its PUBREC
 * is not published again: its PUBREL is, or, when the session is gone, it has ended
 * as MQC_OUTCOME_ACKED, since the server took it over before it forgot.
 *
 * QoS 1 messages received but not acknowledged are forgotten; the server sends
 * them again.  QoS 2 messages that the server has not released are remembered, so
 * that none is handed out twice, until a CONNACK says that the session is gone.
 */
void mqc_reset(mqc_engine *e);

/* --- requests --------------------------------------------------------------- */

typedef struct mqc_will {
    mqc_span topic; /* ptr NULL: no Will */
    mqc_span payload;
    uint8_t qos;
    bool retain;
} mqc_will;

typedef struct mqc_connect_options {
    mqc_span client_id; /* may be empty with clean_session */
    mqc_span username;  /* ptr NULL: absent */
    mqc_span password;  /* ptr NULL: absent; needs a user name */
    mqc_will will;
    uint16_t keep_alive_s; /* 0: off */
    bool clean_session;
    uint32_t timeout_ms; /* from here to CONNACK; 0: none */
    /**
     * How long the server may owe an answer: PUBACK, PUBREC or PUBCOMP to the oldest
     * unfinished publish of a lane, SUBACK or UNSUBACK.  Keep-alive does not notice a server that
     * answers PINGREQ and nothing else.  The time runs from when the publish has left and
     * become the oldest of its lane, and stands still while a packet arrives, since the answer may
     * be behind it.  When half of it is over a PINGREQ is sent; while a publish of more than
     * 1 KB is on its way, no more than half is over until that is answered: on a slow link it takes
     * its time.  When it is over, mqc_tick returns MQC_ERR_TIMEOUT, and mqc_error_packet names the
     * answer that is missing.  0: for ever.
     */
    uint32_t ack_timeout_ms;
    /**
     * How long reading may stand still: because the inbound table is full and the application
     * acknowledges nothing, because acknowledgements cannot leave and the stream takes nothing, or
     * because messages were passed over (mqc_memory.inbound).  The keep-alive cannot see a server
     * that is gone meanwhile. Then mqc_tick returns MQC_ERR_STALLED.  0: for ever.
     */
    uint32_t stall_timeout_ms;
    /**
     * The caller asks mqc_wants_flow before each mqc_tick and then calls mqc_report_flow.  Without,
     * bytes count as taken by the peer when mqc_tx_consume says that the stream took them.
     */
    bool reports_flow;
} mqc_connect_options;

/** Queue CONNECT.  MQC_IDLE only.  Everything is copied before the call returns. */
mqc_result mqc_connect(mqc_engine *e, const mqc_connect_options *o, mqc_time now);

/** An outgoing publish.  Zero-initialise; tag, id and kind come back in mqc_done. */
typedef struct mqc_outgoing {
    mqc_span topic;
    mqc_span payload;
    uint8_t qos; /* 0 to 2 */
    bool retain;
    /**
     * QoS 0 only: the message is finished by mqc_release (an answer on another
     * topic came), not by being sent.  Until then it counts in the window and
     * is sent again on a new connection.
     */
    bool keep;
    /**
     * The caller knows that the topic is one: UTF-8 without NUL, '+' or '#'.  mqc_publish then
     * looks at its length only.
     */
    bool topic_checked;
    uint8_t lane;
    uint8_t kind;
    uint32_t id;
    void *tag;
    /**
     * When to give up, 0: never.  A publish with QoS that has been sent does not
     * expire while the server may have it.
     */
    mqc_time expires;
} mqc_outgoing;

/**
 * Queue a PUBLISH in any state but MQC_FAILED; topic and payload are copied.
 * An accepted publish ends in exactly one MQC_EVENT_DONE or mqc_release.
 *
 * @param[out] packet_id  0 for QoS 0.  May be NULL.
 * @retval MQC_ERR_NO_SPACE  the lane is full; nothing was queued
 * @retval MQC_ERR_TOO_BIG   larger than the lane's ring, or than MQTT can carry
 * @retval MQC_ERR_ARG       topic not valid, QoS above 2, keep with QoS, no such lane
 */
mqc_result mqc_publish(mqc_engine *e, const mqc_outgoing *m, uint16_t *packet_id);

/**
 * Finish a kept message whose answer has arrived.  Takes the oldest one of the
 * lane with this id; *done says what it was.
 * @retval MQC_ERR_STATE  no kept message with this id has been sent
 */
struct mqc_done;
mqc_result mqc_release(mqc_engine *e, uint8_t lane, uint32_t id, struct mqc_done *done);

/**
 * Send a kept message once more on this connection, because its answer said "later": it counts
 * as not sent again, before all that is behind it.  mqc_hold the lane first to choose the time.
 * @retval MQC_ERR_STATE  it is not the last message of the lane that has been sent, or a
 *                        packet of the lane is half sent; does not happen with a window of 1
 */
mqc_result mqc_requeue(mqc_engine *e, uint8_t lane, uint32_t id);

/** While held, nothing new of the lane is sent.  A packet begun is completed. */
void mqc_hold(mqc_engine *e, uint8_t lane, bool hold);

/**
 * End everything in the lane as MQC_OUTCOME_DISCARDED, delivered as events.
 * @retval MQC_ERR_STATE  the connection is not over: call mqc_reset first
 */
mqc_result mqc_discard(mqc_engine *e, uint8_t lane);

/**
 * End the oldest publish of the lane of which nothing has left on this connection, as
 * MQC_OUTCOME_DROPPED, delivered as an event.  Its space is free at once when nothing before
 * it is unfinished.  After a reset that is any publish, although the server may have it, but
 * for one with QoS 2 that has been sent.
 * @param[out] tag  its tag; may be NULL
 * @retval MQC_ERR_STATE  there is none
 */
mqc_result mqc_drop(mqc_engine *e, uint8_t lane, void **tag);

typedef struct mqc_lane_info {
    size_t count;     /* accepted and not finished */
    size_t in_flight; /* of these, sent and waiting for an acknowledgement or release */
    bool begun;       /* the oldest of them has left, or is leaving, on this connection */
    size_t bytes;     /* of the ring in use */
    size_t bytes_cap; /* of the ring in all */
} mqc_lane_info;

mqc_lane_info mqc_lane(const mqc_engine *e, uint8_t lane);

typedef struct mqc_subscription {
    mqc_span filter;
    uint8_t qos; /* 0 to 2 */
} mqc_subscription;

/** Queue SUBSCRIBE or UNSUBSCRIBE.  MQC_CONNECTED only; at most 4 of both unanswered. */
mqc_result mqc_subscribe(mqc_engine *e, const mqc_subscription *s, size_t count,
                         uint16_t *packet_id);
mqc_result mqc_unsubscribe(mqc_engine *e, const mqc_span *filters, size_t count,
                           uint16_t *packet_id);

/** Queue DISCONNECT behind the packet in progress.  Nothing follows it. */
mqc_result mqc_disconnect(mqc_engine *e);

/**
 * Acknowledge a message with QoS.  May come late and out of order: the engine sends
 * PUBACKs and PUBRECs in the order in which the messages came (MQTT 3.1.1 section 4.6).
 * For QoS 2 it counts also without a connection, and when a latched error is returned:
 * the message is not handed out again.
 * @retval MQC_ERR_STATE  no unacknowledged message with this id: on this connection for
 *                        QoS 1, in this session for QoS 2
 */
mqc_result mqc_ack(mqc_engine *e, uint16_t packet_id);

/* --- events --------------------------------------------------------------- */

typedef enum mqc_event_type {
    MQC_EVENT_CONNECTED = 1, /* .connack: accepted */
    MQC_EVENT_REFUSED,       /* .connack: refused; the engine is in MQC_FAILED */
    MQC_EVENT_PUBLISH,       /* .publish: a message; with QoS it wants mqc_ack */
    MQC_EVENT_OVERSIZE,      /* .publish without payload (and without topic if that did
                                not fit either); with QoS it wants mqc_ack */
    MQC_EVENT_DONE,          /* .done: a publish of ours has ended */
    MQC_EVENT_SUBSCRIBED,    /* .suback */
    MQC_EVENT_UNSUBSCRIBED   /* .packet_id */
} mqc_event_type;

/** A message from the server. */
typedef struct mqc_message {
    mqc_span topic;
    mqc_span payload;
    size_t payload_len; /* as the packet says, also when the payload was skipped */
    uint16_t packet_id; /* 0 for QoS 0 */
    uint8_t qos;
    bool retain;
    bool dup;
} mqc_message;

typedef enum mqc_outcome {
    MQC_OUTCOME_SENT = 1,  /* QoS 0: all bytes were taken by the stream */
    MQC_OUTCOME_ACKED,     /* QoS 1 and 2: the server has it, by PUBACK or PUBCOMP */
    MQC_OUTCOME_EXPIRED,   /* its time ran out first */
    MQC_OUTCOME_DISCARDED, /* by mqc_discard */
    MQC_OUTCOME_RELEASED,  /* only from mqc_release, never as an event */
    MQC_OUTCOME_DROPPED    /* by mqc_drop */
} mqc_outcome;

typedef struct mqc_done {
    mqc_outcome outcome;
    uint8_t lane;
    uint8_t kind;
    uint16_t packet_id;
    uint32_t id;
    void *tag;
} mqc_done;

typedef struct mqc_event {
    mqc_event_type type;
    union {
        struct {
            uint8_t return_code; /* MQTT 3.1.1 table 3.1 */
            bool session_present;
        } connack;
        mqc_message publish;
        mqc_done done;
        struct {
            uint16_t packet_id;
            mqc_span return_codes; /* one per filter: granted QoS, or 0x80 refused */
        } suback;
        uint16_t packet_id;
    } u;
} mqc_event;

/**
 * Take the next event.  False when there is none for now: none arrived, or the
 * inbound table is full and waits for mqc_ack or for an answer to leave; ask again
 * after mqc_tx_consume.  Spans in *ev stay valid until
 * the next call of this function, mqc_rx_space or mqc_reset on the same engine.
 * A malformed packet latches mqc_error and yields no event.
 */
bool mqc_next_event(mqc_engine *e, mqc_event *ev);

/* --- bytes and time --------------------------------------------------------- */

/** Where to put received bytes.  *len is 0 when events must be taken first. */
uint8_t *mqc_rx_space(mqc_engine *e, size_t *len);

/** len bytes were put there. */
mqc_result mqc_rx_commit(mqc_engine *e, size_t len, mqc_time now);

/**
 * The next bytes for the peer, as many as lie together, often several packets;
 * *len is 0 when there are none.  Bytes that were offered and of which nothing was
 * consumed are offered again at the start of the next run: TLS needs that.
 */
const uint8_t *mqc_tx_data(mqc_engine *e, size_t *len);
void mqc_tx_consume(mqc_engine *e, size_t len, mqc_time now);

/** Whether mqc_tx_data has bytes, without offering them: what is queued may still be dropped. */
bool mqc_tx_ready(mqc_engine *e);

/**
 * For the sleep that follows: fewer bytes than that need not wake the caller before *until: many
 * publishes are on their way, and it saves work to take their answers together.  1: any byte, and
 * *until is 0.  Who waits so calls mqc_tick no later than *until, 2 ms from the last bytes, and
 * reads what there is; the next answer depends on it.
 */
size_t mqc_rx_least(mqc_engine *e, mqc_time *until);

/** False: nothing waits for time.  Call mqc_tick no later than *when. */
bool mqc_next_deadline(const mqc_engine *e, mqc_time *when);

/**
 * How far the bytes of a connection have come below the engine.  A stream may take bytes long
 * before the peer does (a kernel's send buffer), and may hold received bytes back until there are
 * more of them (a TLS record).  The engine counts both as signs of life, if it is told.
 */
typedef struct mqc_flow {
    uint64_t received;  /* bytes that arrived from the peer on this connection, */
    uint64_t delivered; /* and bytes that its system has acknowledged; neither ever goes back */
    uint64_t pending;   /* bytes taken by mqc_tx_consume and not acknowledged */
    bool awaited;       /* the peer's system owes an answer; false: it closed its window */
} mqc_flow;

/**
 * Whether a report is due.  Only while a PINGREQ is unanswered, 16 times in a keep-alive, or in
 * ack_timeout_ms when that is shorter.
 */
bool mqc_wants_flow(const mqc_engine *e, mqc_time now);
void mqc_report_flow(mqc_engine *e, const mqc_flow *f, mqc_time now);

/**
 * Keep-alive, time-outs of mqc_connect_options, and expiry.  A PINGREQ is sent when nothing was
 * sent for one keep-alive, and when nothing was received for so long that half a keep-alive is left
 * of 1.5 of them (30 s if that is more; with less than 30 s, a whole one).  The peer counts as lost
 *
 * - when it has neither sent nor taken anything for 1.5 x keep-alive while the PINGREQ waits, or
 * - once that was sent, when nothing was received for 1.5 x keep-alive and the answer had its time.
 *
 * The answer to a PINGREQ stands behind what was sent before it, and a relay with large buffers
 * on a slow link may have taken that long ago.  So it has 16 ms for each byte of the oldest publish
 * without an answer (of each lane, if it is larger than 1 KB): a server that hangs is found
 * later then, but not one whose system does not acknowledge what is sent.
 */
mqc_result mqc_tick(mqc_engine *e, mqc_time now);

#ifdef __cplusplus
}
#endif
#endif
