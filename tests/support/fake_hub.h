#ifndef TEST_FAKE_HUB_H
#define TEST_FAKE_HUB_H

/**
 * @file
 * The hub's side of MQTT on a scripted stream: reads what the client sent, answers
 * as the test wants, and records what it received.  Call fake_hub_serve after each step of the
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

#define FAKE_HUB_LOG 512 /* the last publishes; older ones are overwritten */

typedef struct fake_hub {
    /* How to answer: the test sets these at any time. */
    /* Say nothing to these. */
    bool mute_connect, mute_subscribe, mute_unsubscribe, mute_publish, mute_ping;
    uint8_t return_code; /* of CONNACK */
    bool session_present;
    const char *refuse_filter; /* a filter that holds this text; NULL: all are granted */
    int twin_status;           /* 0: twin requests stay unanswered */
    const char *twin;          /* answer to GET */

    /* What was received. */
    unsigned connects, subscribes, unsubscribes, pings, disconnects;
    char client_id[300], user_name[1200], password[1600];
    uint16_t keep_alive_s;
    bool clean_session;
    char filters[1000];   /* of the last SUBSCRIBE, joined by ' ', */
    char wanted_qos[16];  /* and the QoS asked for each, one digit after the other */
    char unfiltered[400]; /* the filter of the last UNSUBSCRIBE */
    unsigned publishes;
    fake_hub_publish log[FAKE_HUB_LOG]; /* number n stands at n % FAKE_HUB_LOG */
    uint16_t acked[FAKE_HUB_LOG];       /* packet ids of the client's PUBACKs */
    unsigned acks;
    uint64_t version; /* last $version answered to a report */
} fake_hub;

void fake_hub_init(fake_hub *h);

/** Take whole packets off the stream and answer them.  True when there were any. */
bool fake_hub_serve(fake_hub *h, scripted_stream *s);

/** A message to the client.  packet_id 0: QoS 0. */
void fake_hub_send(scripted_stream *s, const char *topic, const void *payload, size_t len,
                   uint16_t packet_id);

/** PUBACK for the client's publish number n (counted from 0). */
void fake_hub_ack(fake_hub *h, scripted_stream *s, unsigned n);

const fake_hub_publish *fake_hub_at(const fake_hub *h, unsigned n);

/** The last publish whose topic starts so; NULL without one in the log. */
const fake_hub_publish *fake_hub_last(const fake_hub *h, const char *topic_prefix);

#endif
