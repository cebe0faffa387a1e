#ifndef HUB_TOPICS_H
#define HUB_TOPICS_H

/**
 * @file
 * The topics that a device or module may use. No other file knows their text.
 */

#include <stdbool.h>
#include <stddef.h>

/** What a client can subscribe to; the values are bits of a set. */
typedef enum hub_subscription {
    HUB_SUB_NONE = 0,
    HUB_SUB_C2D = 1,
    HUB_SUB_TWIN_ANSWERS = 2,
    HUB_SUB_DESIRED = 4,
    HUB_SUB_METHODS = 8,
    HUB_SUB_CREDENTIALS = 16,
    HUB_SUB_MODULE_ALL = 32,
    HUB_SUB_MODULE_INPUTS = 64
} hub_subscription;

/**
 * Returns the subscription of a filter, or HUB_SUB_NONE if the hub does not document the filter.
 */
hub_subscription hub_topic_filter(const char *filter, const char *device, const char *module);

typedef enum hub_topic_kind {
    HUB_TOPIC_UNKNOWN = 0,
    HUB_TOPIC_TELEMETRY,
    HUB_TOPIC_TWIN_GET,
    HUB_TOPIC_TWIN_REPORT,
    HUB_TOPIC_METHOD_ANSWER,
    HUB_TOPIC_ISSUE /* a certificate request */
} hub_topic_kind;

/** A parsed topic. Its members point into the text that was parsed. */
typedef struct hub_topic {
    hub_topic_kind kind;
    const char *bag; /* telemetry: bag_len bytes, without slashes at the end of the topic */
    size_t bag_len;
    const char *rid; /* twin and methods: the request id as sent, still percent-encoded */
    size_t rid_len;
    int status; /* method answer */
} hub_topic;

/**
 * Parses a topic of a device or, if module is not NULL, of a module. The kind is HUB_TOPIC_UNKNOWN
 * if no documented topic matches.
 */
hub_topic hub_topic_read(const char *topic, const char *device, const char *module);

/* These functions return topics that the hub publishes, on the heap. */
char *hub_topic_twin_answer(int status, const hub_topic *request, long long version);
char *hub_topic_issue_answer(int status, const char *rid, size_t rid_len);
char *hub_topic_desired(long long version);
char *hub_topic_method(const char *name, const char *rid);
char *hub_topic_c2d(const char *device, const char *bag);

#endif
