#ifndef TEST_FAKE_HUB_H
#define TEST_FAKE_HUB_H

/**
 * @file
 * A fake hub: it reads the MQTT packets that the client has sent on a scripted stream, answers them
 * as the test wants, and records what it received. Call fake_hub_serve after each step of the
 * client.
 */

#include <stdbool.h>

#include "scripted_stream.h"

typedef struct fake_hub_publish {
    char topic[512];
    char payload[512]; /* cut, NUL-terminated */
    size_t payload_len;
    uint16_t packet_id;
    uint8_t qos;
    bool dup;
    bool retain;
} fake_hub_publish;

#define FAKE_HUB_LOG 512 /* number of publishes in the log; older ones are overwritten */

typedef struct fake_hub {
    /* These members decide how the hub answers; the test may set them at any time. */
    /* If true, the hub does not answer packets of this type. */
    bool mute_connect, mute_subscribe, mute_unsubscribe, mute_publish, mute_ping;
    uint8_t return_code; /* return code of CONNACK */
    bool session_present;
    /* A filter that contains this text is refused; NULL: none is refused. */
    const char *refuse_filter;
    int twin_status;  /* status of answers to twin requests; 0: they get no answer */
    const char *twin; /* the document that answers a GET */

    /* These members record what the hub has received. */
    unsigned connects, subscribes, unsubscribes, pings, disconnects;
    char client_id[300], user_name[1200], password[1600];
    uint16_t keep_alive_s;
    bool clean_session;
    char filters[1000];    /* filters of the last SUBSCRIBE, separated by spaces */
    char wanted_qos[16];   /* the QoS requested for each filter, one digit per filter */
    char unfiltered[1000]; /* filters of the last UNSUBSCRIBE, separated by spaces */
    /* Filters to which the client is subscribed, each followed by a space. A CONNECT removes
     * them, unless session_present is set. */
    char held[1000];
    unsigned publishes;
    fake_hub_publish log[FAKE_HUB_LOG]; /* publish number n is at index n % FAKE_HUB_LOG */
    uint16_t acked[FAKE_HUB_LOG];       /* packet ids of the PUBACKs that the client sent */
    unsigned acks;
    uint64_t version; /* the $version in the last answer to a twin report */
} fake_hub;

void fake_hub_init(fake_hub *h);

/**
 * Removes all complete packets from the stream and answers them. Returns true if there was at least
 * one.
 */
bool fake_hub_serve(fake_hub *h, scripted_stream *s);

/** Sends a message to the client; with QoS 0 if packet_id is 0, else with QoS 1. */
void fake_hub_send(scripted_stream *s, const char *topic, const void *payload, size_t len,
                   uint16_t packet_id);

/** Sends the PUBACK for publish number n of the client (counted from 0). */
void fake_hub_ack(fake_hub *h, scripted_stream *s, unsigned n);

const fake_hub_publish *fake_hub_at(const fake_hub *h, unsigned n);

/** Returns the last publish whose topic starts with topic_prefix, or NULL if the log has none. */
const fake_hub_publish *fake_hub_last(const fake_hub *h, const char *topic_prefix);

#endif
