#ifndef IOTHUB_SUBSCRIBE_H
#define IOTHUB_SUBSCRIBE_H

/** @file Subscribes to the topics of the features in use. */

#include "context/context.h"

typedef struct iothub_subscribe {
    iothub_context *context;
    uint32_t generation;   /* generation of the connection that the next member belongs to */
    uint32_t unsubscribed; /* features without a callback that were unsubscribed: bits of
                              topic_feature */
} iothub_subscribe;

void subscribe_init(iothub_subscribe *s, iothub_context *context);

/** Queues SUBSCRIBE, once for each connection. */
iothub_result subscribe_start(iothub_subscribe *s, iothub_error *error);
/** Handles SUBACK: returns IOTHUB_OK, or *error names a filter that the hub refused. */
iothub_result subscribe_on_suback(iothub_subscribe *s, mqc_span return_codes, iothub_error *error);

/**
 * Counts and logs a message for a feature without a callback, which an earlier run subscribed to,
 * and unsubscribes; the hub keeps later messages for a later run.
 */
void subscribe_unwanted(iothub_subscribe *s, topic_feature feature, const char *text);

#endif
