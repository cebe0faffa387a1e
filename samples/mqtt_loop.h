#ifndef MQTT_LOOP_H
#define MQTT_LOOP_H

/**
 * @file
 * What an MQTT engine needs from its owner: somebody who moves the bytes between it
 * and a stream, and tells it the time.
 */

#include <mqtt_core/engine_struct.h>
#include <platform/platform.h>

typedef struct mqtt_loop {
    const plat_platform *platform;
    plat_stream *stream;
    mqc_engine engine;
    bool blocked;     /* the stream would not take all bytes */
    const char *part; /* after a failure: what failed, */
    const char *why;  /* and why */
} mqtt_loop;

/** An engine with memory for it, and a stream: TLS when ca_file is given. */
bool mqtt_loop_init(mqtt_loop *l, const char *ca_file);

mqc_time mqtt_loop_now(const mqtt_loop *l);

/** Open the stream; false when that fails or `until` comes first. */
bool mqtt_loop_open(mqtt_loop *l, const char *host, unsigned port, mqc_time until);

/** Tell the engine the time and, when it asks, what became of its bytes: for `reports_flow`. */
mqc_result mqtt_loop_tick(mqtt_loop *l);

/** Read what is there into the engine.  False: the connection is over. */
bool mqtt_loop_receive(mqtt_loop *l);

/** Write what the engine has.  False: the connection is over. */
bool mqtt_loop_transmit(mqtt_loop *l);

/** Sleep until the stream or the engine wants attention, or until `until`. */
void mqtt_loop_sleep(mqtt_loop *l, mqc_time until);

#endif
