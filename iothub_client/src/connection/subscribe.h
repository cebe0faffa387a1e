#ifndef IOTHUB_SUBSCRIBE_H
#define IOTHUB_SUBSCRIBE_H

/**
 * @file
 * Subscribes to the topics of the features in use, and unsubscribes from those of features whose
 * callback was removed. A set of features has one bit for each topic_feature.
 */

#include "context/context.h"

typedef struct iothub_subscribe {
    iothub_context *context;
    /* Features that the hub sends, or will send when it has processed the packets in flight; a
     * kept session keeps them. */
    uint8_t asked;
    uint8_t awaited;      /* features of the SUBSCRIBE without an answer */
    uint8_t leaving;      /* features of the UNSUBSCRIBE without an answer */
    uint8_t unsubscribed; /* features for which UNSUBSCRIBE was sent on this connection */
} iothub_subscribe;

void subscribe_init(iothub_subscribe *s, iothub_context *context);

/** Returns the length of the longest SUBSCRIBE. */
size_t subscribe_measure(const iothub_context *context);

/** Queues the SUBSCRIBE of a new connection. */
iothub_result subscribe_start(iothub_subscribe *s, iothub_error *error);

/**
 * Handles SUBACK. Returns IOTHUB_OK, or an error that names a filter that the hub refused.
 * *features is set to the features of the packet.
 */
iothub_result subscribe_on_suback(iothub_subscribe *s, mqc_span return_codes, unsigned *features,
                                  iothub_error *error);
void subscribe_on_unsuback(iothub_subscribe *s);

/** Returns true if the hub has confirmed the subscription to a feature. */
bool subscribe_has(const iothub_subscribe *s, topic_feature feature);
/** Returns true if callbacks were set or removed and the hub does not know it yet. */
bool subscribe_is_due(const iothub_subscribe *s);
/**
 * Queues SUBSCRIBE and UNSUBSCRIBE for callbacks that were set or removed. Call it only while
 * connected. If the engine has no room now, the rest is due again after the next answer of the hub.
 */
void subscribe_update(iothub_subscribe *s);

/**
 * Counts and logs a message for a feature without a callback, to which an earlier run has
 * subscribed. Then it unsubscribes; the hub keeps later messages for a later run.
 */
void subscribe_unwanted(iothub_subscribe *s, topic_feature feature, const char *text);

#ifndef NDEBUG
bool subscribe_valid(const iothub_subscribe *s);
#endif

#endif
