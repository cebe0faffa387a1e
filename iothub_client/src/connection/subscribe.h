#ifndef IOTHUB_SUBSCRIBE_H
#define IOTHUB_SUBSCRIBE_H

/**
 * @file
 * Subscribes to the topics of the features in use, and unsubscribes from those of features whose
 * callback was removed. A set of features has a bit for each topic_feature.
 */

#include "context/context.h"

typedef struct iothub_subscribe {
    iothub_context *context;
    uint8_t asked;        /* features that the hub sends, or will send once it has processed the
                             packets in flight; a kept session keeps them */
    uint8_t awaited;      /* features of the SUBSCRIBE without an answer */
    uint8_t leaving;      /* features of the UNSUBSCRIBE without an answer */
    uint8_t unsubscribed; /* features that UNSUBSCRIBE was sent for on this connection */
} iothub_subscribe;

void subscribe_init(iothub_subscribe *s, iothub_context *context);

/** Returns the length of the longest SUBSCRIBE. */
size_t subscribe_measure(const iothub_context *context);

/** Queues the SUBSCRIBE of a new connection. */
iothub_result subscribe_start(iothub_subscribe *s, iothub_error *error);

/**
 * Handles SUBACK: returns IOTHUB_OK, or *error names a filter that the hub refused. *features: the
 * features that it was for.
 */
iothub_result subscribe_on_suback(iothub_subscribe *s, mqc_span return_codes, unsigned *features,
                                  iothub_error *error);
void subscribe_on_unsuback(iothub_subscribe *s);

/** True if the hub has confirmed the subscription to a feature. */
bool subscribe_has(const iothub_subscribe *s, topic_feature feature);
/** True if callbacks were set or removed, and the hub has not been informed of it. */
bool subscribe_is_due(const iothub_subscribe *s);
/**
 * Queues the SUBSCRIBE and UNSUBSCRIBE for callbacks that were set or removed. Call it only while
 * connected; what does not fit the engine now is due again after the next answer of the hub.
 */
void subscribe_update(iothub_subscribe *s);

/**
 * Counts and logs a message for a feature without a callback, which an earlier run subscribed to,
 * and unsubscribes; the hub keeps later messages for a later run.
 */
void subscribe_unwanted(iothub_subscribe *s, topic_feature feature, const char *text);

#ifndef NDEBUG
bool subscribe_valid(const iothub_subscribe *s);
#endif

#endif
