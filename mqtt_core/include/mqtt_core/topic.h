#ifndef MQC_TOPIC_H
#define MQC_TOPIC_H

/**
 * @file
 * Topic names and topic filters, MQTT 3.1.1 section 4.7.
 */

#include <stdbool.h>

#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Returns whether a text is a topic name: 1 to 65,535 bytes of well-formed UTF-8 without U+0000,
 * '+' and '#'.
 *
 * @param name  the text
 * @return      true when it is a topic name
 */
bool mqc_topic_name_valid(mqc_span name);

/**
 * Returns whether a text is a topic filter: a topic name in which '+' may stand for a whole level,
 * and
 * '#' for the last level.
 *
 * @param filter  the text
 * @return        true when it is a topic filter
 */
bool mqc_topic_filter_valid(mqc_span filter);

/**
 * Returns whether a topic filter matches a topic name.  A filter that starts with a wildcard does
 * not match a name that starts with '$' (section 4.7.2).
 *
 * @param filter  a valid topic filter
 * @param name    a valid topic name
 * @return        true when the filter matches
 */
bool mqc_topic_matches(mqc_span filter, mqc_span name);

/**
 * Returns whether a text is well-formed UTF-8 as MQTT requires it: without surrogates and U+0000
 * (section 1.5.3).
 *
 * @param text  the text
 * @return      true when it is
 */
bool mqc_utf8_valid(mqc_span text);

#ifdef __cplusplus
}
#endif
#endif
