#ifndef HUB_TOPICS_H
#define HUB_TOPICS_H

/**
 * @file
 * The topics a device or module may use.  The only file that knows their text.
 */

#include <stdbool.h>
#include <stddef.h>

/** What a client can be subscribed to; values are bits of one set. */
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

/** HUB_SUB_NONE for a filter that the hub does not document. */
hub_subscription hub_topic_filter(const char *filter, const char *device, const char *module);

typedef enum hub_topic_kind {
    HUB_TOPIC_UNKNOWN = 0,
    HUB_TOPIC_TELEMETRY,
    HUB_TOPIC_TWIN_GET,
    HUB_TOPIC_TWIN_REPORT,
    HUB_TOPIC_METHOD_ANSWER
} hub_topic_kind;

/** Points into the topic it was read from. */
typedef struct hub_topic {
    hub_topic_kind kind;
    const char *bag; /* telemetry: bag_len bytes, without the slashes that end the topic */
    size_t bag_len;
    const char *rid; /* twin and methods: as sent, still encoded */
    size_t rid_len;
    int status; /* method answer */
} hub_topic;

/** module is NULL for a device.  HUB_TOPIC_UNKNOWN when nothing documented matches. */
hub_topic hub_topic_read(const char *topic, const char *device, const char *module);

/* Topics the hub publishes, on the heap. */
char *hub_topic_twin_answer(int status, const hub_topic *request, long long version);
char *hub_topic_desired(long long version);
char *hub_topic_method(const char *name, const char *rid);
char *hub_topic_c2d(const char *device, const char *bag);

#endif
