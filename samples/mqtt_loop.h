#ifndef MQTT_LOOP_H
#define MQTT_LOOP_H

/**
 * @file Drives an MQTT engine: moves bytes between the engine and a stream, and passes the time to
 * the engine.
 */

#include <mqtt_core/engine_struct.h>
#include <platform/platform.h>

typedef struct mqtt_loop {
    const plat_platform *platform;
    plat_stream *stream;
    mqc_engine engine;
    bool blocked;     /* the stream did not accept all bytes */
    const char *part; /* after a failure: the operation that failed */
    const char *why;  /* the reason of the failure */
} mqtt_loop;

/** How to reach the broker. */
typedef struct mqtt_target {
    bool tls;            /* false: plain TCP */
    const char *ca_file; /* roots to trust; NULL: those of the system */
    const char *path;    /* path of a WebSocket; NULL: MQTT without WebSocket */
} mqtt_target;

/** Prepares an engine with its memory, and a stream. A path needs a platform with WebSockets. */
bool mqtt_loop_init(mqtt_loop *l, const plat_platform *platform, const mqtt_target *target);

mqc_time mqtt_loop_now(const mqtt_loop *l);

/** Opens the stream. Returns false if that fails or is not done by the time `until`. */
bool mqtt_loop_open(mqtt_loop *l, const char *host, unsigned port, mqc_time until);

/** Passes the time to the engine and, if the engine asks, how many bytes the peer has received. */
mqc_result mqtt_loop_tick(mqtt_loop *l);

/** Reads available bytes into the engine. Returns false if the connection has ended. */
bool mqtt_loop_receive(mqtt_loop *l);

/** Writes the engine's bytes to the stream. Returns false if the connection has ended. */
bool mqtt_loop_transmit(mqtt_loop *l);

/** Sleeps until the stream or the engine has work, at most until `until`. */
void mqtt_loop_sleep(mqtt_loop *l, mqc_time until);

#endif
