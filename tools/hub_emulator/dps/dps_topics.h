#ifndef DPS_TOPICS_H
#define DPS_TOPICS_H

/**
 * @file The topics of the Device Provisioning Service. The only file that knows their text.
 */

#include <stdbool.h>
#include <stddef.h>

typedef enum dps_topic_kind {
    DPS_TOPIC_UNKNOWN = 0,
    DPS_TOPIC_REGISTER,
    DPS_TOPIC_POLL
} dps_topic_kind;

/** Points into the topic it was read from. */
typedef struct dps_topic {
    dps_topic_kind kind;
    const char *rid; /* as sent, still encoded */
    size_t rid_len;
    const char *operation_id; /* of a poll */
    size_t operation_id_len;
} dps_topic;

/** The only filter to which a device may subscribe. */
bool dps_topic_filter_valid(const char *filter);

/** DPS_TOPIC_UNKNOWN when nothing documented matches, or $rid or operationId is missing. */
dps_topic dps_topic_read(const char *topic);

/** The topic of the answer to a request, on the heap; retry_after_s below 0: without it. */
char *dps_topic_answer(int status, const dps_topic *request, int retry_after_s);

#endif
