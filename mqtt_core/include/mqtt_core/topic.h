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

/** 1 to 65535 bytes of well-formed UTF-8 without U+0000, '+' and '#'. */
bool mqc_topic_name_valid(mqc_span name);

/** As a name, but with '+' as a whole level and '#' as the last level allowed. */
bool mqc_topic_filter_valid(mqc_span filter);

/**
 * Does a valid filter match a valid name?  A filter that starts with a wildcard
 * does not match a name that starts with '$' (section 4.7.2).
 */
bool mqc_topic_matches(mqc_span filter, mqc_span name);

/** Well-formed UTF-8 as MQTT wants it: no surrogates, no U+0000 (section 1.5.3). */
bool mqc_utf8_valid(mqc_span text);

#ifdef __cplusplus
}
#endif
#endif
