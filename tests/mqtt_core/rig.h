#ifndef RIG_H
#define RIG_H

/* An engine with memory of any size, a clock, and a log of its events. */

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

/* Zero: a size that is large enough for most tests. */
typedef struct rig_sizes {
    size_t rx;
    size_t control;
    size_t inbound;
    rig_lane lanes[MQC_LANES_MAX];
} rig_sizes;

typedef struct rig {
    mqc_engine e;
    mqc_memory memory; /* each part allocated alone, so that ASan guards its ends */
    mqc_time now;

    uint8_t sent[16384]; /* what the server would have received */
    size_t sent_len;
    size_t runs; /* calls of mqc_tx_data that returned bytes */

    char log[65536]; /* one line per event */
    size_t log_len;
    size_t events;
    mqc_event last;   /* its spans are gone */
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

void rig_forget(rig *r); /* what was sent and logged */

#define rig_expect_log(r, text) assert_string_equal((r)->log, (text))
#define rig_expect_sent(r, ...)                                  \
    rig_expect_sent_bytes((r), (const uint8_t[]){ __VA_ARGS__ }, \
                          sizeof((const uint8_t[]){ __VA_ARGS__ }))
void rig_expect_sent_bytes(const rig *r, const void *bytes, size_t len);

/* The packets that were sent, in words: "PUBLISH d0 q1 r0 id1 t len2\n". */
const char *rig_sent_text(const rig *r);

/* Publish topic "t" with a payload of len bytes, id as payload's first byte. */
uint16_t rig_publish(rig *r, uint8_t lane, uint8_t qos, uint32_t id, size_t len);

/* Lets time pass until a lane that its window has stopped sends with the free slots. */
void rig_gather(rig *r);

/* Publish topic "t" on lane 0, id as the payload. */
mqc_result rig_queue(rig *r, uint32_t id, uint8_t qos, bool keep, mqc_time expires);
void rig_puback(rig *r, uint16_t id);
/* Releases a kept message of lane 0; the result may be a refusal. */
void rig_release(rig *r, uint32_t id, mqc_result want);
/* Sends everything possible. Returns how many more messages are in flight. */
size_t rig_sent_now(rig *r);

/* The engine's deadline, MQC_NEVER without one. */
mqc_time rig_deadline(const rig *r);

/* A small random generator of our own, so that a failure can be repeated on every system. */
uint32_t rig_random(uint64_t *seed);

#endif
