#ifndef IOTHUB_DPS_TOPICS_H
#define IOTHUB_DPS_TOPICS_H

/**
 * @file
 * The topic strings of the Device Provisioning Service; no other file contains them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mqtt_core/span.h"
#include "text/text_writer.h"

/**
 * Writes "{scope}/registrations/{id}": the resource of a device, which is also the beginning of its
 * user name.
 */
void dps_put_resource(iothub_text *t, mqc_span id_scope, mqc_span registration_id);

/** Returns the filter for all answers. */
mqc_span dps_topic_filter(void);
void dps_topic_put_register(iothub_text *t, uint32_t rid);
void dps_topic_put_poll(iothub_text *t, uint32_t rid, mqc_span operation_id);

/** The parts of the topic of an answer. */
typedef struct dps_topic {
    unsigned status; /* a status code as in HTTP */
    uint32_t rid;    /* id of the request */
    uint64_t retry_after_s;
    bool has_retry_after;
} dps_topic;

/** Parses a topic. Returns false if it is not the topic of an answer; *out is unchanged then. */
bool dps_topic_parse(mqc_span topic, dps_topic *out);

#endif
