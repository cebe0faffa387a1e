#ifndef MQC_PUBLISH_H
#define MQC_PUBLISH_H

/**
 * @file
 * Outgoing publishes, and the lanes in which they wait.  engine.h includes this header.
 */

#include "mqtt_core/memory.h"
#include "mqtt_core/result.h"

#ifdef __cplusplus
extern "C" {
#endif

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
mqc_result mqc_release(mqc_engine *e, uint8_t lane, uint32_t id, mqc_done *done);

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

#ifdef __cplusplus
}
#endif
#endif
