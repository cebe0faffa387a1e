#ifndef RIG_H
#define RIG_H

/* A test rig: an engine with memory of any size, a clock, and a log of its events. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mqtt_core/engine_struct.h"

#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

typedef struct rig_lane {
    size_t ring_len;
    size_t entries_len;
    uint16_t window;
} rig_lane;

/* Sizes of the engine's memory; zero selects a size that is large enough for most tests. */
typedef struct rig_sizes {
    size_t rx;
    size_t control;
    size_t inbound;
    rig_lane lanes[MQC_LANES_MAX];
} rig_sizes;

typedef struct rig {
    mqc_engine e;
    mqc_memory memory; /* each part has an allocation of its own, so that ASan detects overruns */
    mqc_time now;

    uint8_t sent[16384]; /* the bytes that the server would have received */
    size_t sent_len;
    size_t runs; /* calls of mqc_tx_data that returned bytes */

    char log[65536]; /* one line per event */
    size_t log_len;
    size_t events;
    mqc_event last;   /* its pointers are no longer valid */
    bool ack_at_once; /* acknowledge each message when it is delivered */
} rig;

void rig_init(rig *r, const rig_sizes *sizes);
void rig_deinit(rig *r);

/* Exchanges CONNECT and CONNACK, then clears what was sent and logged. */
void rig_connect(rig *r, bool clean_session, bool session_present);
void rig_connect_with(rig *r, const mqc_connect_options *o, bool session_present);

/* Passes received bytes to the engine, as many as fit at a time, and takes the events. */
mqc_result rig_feed(rig *r, const void *bytes, size_t len);
#define RIG_FEED(r, ...) \
    rig_feed((r), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Take all events. */
void rig_pull(rig *r);

/* The stream accepts up to max bytes. */
size_t rig_send(rig *r, size_t max);
void rig_send_all(rig *r);

void rig_forget(rig *r); /* clears what was sent and logged */

#define rig_expect_log(r, text) assert_string_equal((r)->log, (text))
#define rig_expect_sent(r, ...)                                  \
    rig_expect_sent_bytes((r), (const uint8_t[]){ __VA_ARGS__ }, \
                          sizeof((const uint8_t[]){ __VA_ARGS__ }))
void rig_expect_sent_bytes(const rig *r, const void *bytes, size_t len);

/* Returns the sent packets as text, for example "PUBLISH d0 q1 r0 id1 t len2
 * ". */
const char *rig_sent_text(const rig *r);

/* Publishes to topic "t" with a payload of len bytes, whose first byte is id. */
uint16_t rig_publish(rig *r, uint8_t lane, uint8_t qos, uint32_t id, size_t len);

/* Advances the time until a lane that was stopped by its full window may use the free slots. */
void rig_gather(rig *r);

/* Publishes to topic "t" on lane 0 with id as the payload. */
mqc_result rig_queue(rig *r, uint32_t id, uint8_t qos, bool keep, mqc_time expires);
void rig_puback(rig *r, uint16_t id);
/* Calls mqc_release for a kept message of lane 0 and expects the result `want`. */
void rig_release(rig *r, uint32_t id, mqc_result want);
/* Sends everything that can be sent. Returns by how much the number of messages in flight grew. */
size_t rig_sent_now(rig *r);

/* Returns the engine's deadline, or MQC_NEVER if it has none. */
mqc_time rig_deadline(const rig *r);

/* A small random generator of our own, so that a failing test can be repeated on any system. */
uint32_t rig_random(uint64_t *seed);

#endif
