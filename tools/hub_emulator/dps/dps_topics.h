#ifndef DPS_TOPICS_H
#define DPS_TOPICS_H

/**
 * @file
 * The topics of the Device Provisioning Service. No other file knows their text.
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
    const char *rid; /* as it was sent, still encoded */
    size_t rid_len;
    const char *operation_id; /* operation id of a poll */
    size_t operation_id_len;
} dps_topic;

/** Returns whether this is the only filter to which a device may subscribe. */
bool dps_topic_filter_valid(const char *filter);

/**
 * Returns DPS_TOPIC_UNKNOWN if the topic matches none of the documented ones, or if $rid or
 * operationId is missing.
 */
dps_topic dps_topic_read(const char *topic);

/**
 * Returns the topic of the answer to a request, on the heap. If retry_after_s is less than 0, it is
 * left out.
 */
char *dps_topic_answer(int status, const dps_topic *request, int retry_after_s);

#endif
