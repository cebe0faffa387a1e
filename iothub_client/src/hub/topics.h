#ifndef IOTHUB_TOPICS_H
#define IOTHUB_TOPICS_H

/** @file The topic strings of IoT Hub; no other file contains them. */

#include <stdbool.h>
#include <stdint.h>

#include "mqtt_core/span.h"
#include "text/text_writer.h"

/** The identity in the topics. Its spans are valid as long as the client exists. */
typedef struct topic_identity {
    mqc_span device;
    mqc_span module; /* empty if the client is a device */
} topic_identity;

/* These functions write outgoing topics. If the text does not fit, *t records the overflow. */
/**
 * Writes "devices/{d}" or "devices/{d}/modules/{m}", which begins topics and is a resource of the
 * hub.
 */
void topic_put_device(iothub_text *t, const topic_identity *id);
void topic_put_events(iothub_text *t, const topic_identity *id); /* the property bag follows */
void topic_put_twin_get(iothub_text *t, uint32_t rid);
void topic_put_twin_report(iothub_text *t, uint32_t rid);
void topic_put_method_response(iothub_text *t, int status, mqc_span rid);
void topic_put_certificate_request(iothub_text *t, mqc_span rid);

typedef enum topic_feature {
    TOPIC_FEATURE_TWIN_RESPONSE,
    TOPIC_FEATURE_C2D, /* cloud-to-device messages, or messages for the inputs of a module */
    TOPIC_FEATURE_DESIRED,
    TOPIC_FEATURE_METHOD,
    TOPIC_FEATURE_CERTIFICATE, /* answers to certificate requests (preview) */
    TOPIC_FEATURE_COUNT
} topic_feature;

void topic_put_filter(iothub_text *t, const topic_identity *id, topic_feature feature);

typedef enum topic_kind {
    TOPIC_UNKNOWN = 0,
    TOPIC_C2D,           /* bag is set, and for a module also input */
    TOPIC_TWIN_RESPONSE, /* status and rid are set, and version if has_version is true */
    TOPIC_DESIRED,       /* version is set if has_version is true */
    TOPIC_METHOD,        /* name, rid */
    TOPIC_CERTIFICATE    /* status, rid */
} topic_kind;

/** The parts of an incoming topic. Spans point into the topic. */
typedef struct topic_parts {
    topic_kind kind;
    mqc_span bag;
    mqc_span input;
    mqc_span name; /* percent-encoded, as received */
    mqc_span rid;  /* percent-encoded, as received */
    int status;
    uint64_t version;
    bool has_version;
} topic_parts;

/**
 * Parses an incoming topic. Returns TOPIC_UNKNOWN for every topic that is not exactly one of the
 * hub's, with one exception: a topic that begins like a desired change is always accepted as one,
 * if necessary without a version.
 */
topic_parts topic_parse(mqc_span topic, const topic_identity *id);

/**
 * Finds the property bag of an outgoing message of a device, with any device id. Returns false if
 * the topic is another one.
 */
bool topic_events_bag(mqc_span topic, mqc_span *bag);

/** Reads the decimal request id of topic_put_twin_*. Returns false if it is not one. */
bool topic_rid_number(mqc_span rid, uint32_t *out);

#endif
