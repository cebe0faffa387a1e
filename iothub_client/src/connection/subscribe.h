#ifndef IOTHUB_SUBSCRIBE_H
#define IOTHUB_SUBSCRIBE_H

/**
 * @file
 * The topics of the features in use.
 */

#include "context/context.h"

typedef struct iothub_subscribe {
    iothub_context *context;
    uint32_t generation;   /* of the connection to which the next belongs */
    uint32_t unsubscribed; /* features that nobody takes: bits of topic_feature */
} iothub_subscribe;

void subscribe_init(iothub_subscribe *s, iothub_context *context);

/** Queue SUBSCRIBE, once a connection. */
iothub_result subscribe_start(iothub_subscribe *s, iothub_error *error);
/** What SUBACK says: IOTHUB_OK, or *error names a filter that the hub refused. */
iothub_result subscribe_on_suback(iothub_subscribe *s, mqc_span return_codes, iothub_error *error);

/**
 * Count and log a message for a feature without callback, which an earlier run of the session
 * subscribed to, and end that subscription: the hub keeps the messages to come for a later run.
 */
void subscribe_unwanted(iothub_subscribe *s, topic_feature feature, const char *text);

#endif
