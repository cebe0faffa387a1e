#ifndef QOS2_H
#define QOS2_H

#include "rig.h"

/* Helpers that feed the QoS 2 packets of a server to the engine. */

static inline void feed_id(rig *r, unsigned first, unsigned id, mqc_result want)
{
    assert_int_equal(RIG_FEED(r, (uint8_t)first, 2, (uint8_t)(id >> 8), (uint8_t)id), want);
}

static inline void pubrec(rig *r, unsigned id)
{
    feed_id(r, 0x50, id, MQC_OK);
}

static inline void pubrel(rig *r, unsigned id)
{
    feed_id(r, 0x62, id, MQC_OK);
}

static inline void pubcomp(rig *r, unsigned id)
{
    feed_id(r, 0x70, id, MQC_OK);
}

/* Feeds a QoS 2 message with topic "t" and payload "x". */
static inline mqc_result message(rig *r, unsigned id, bool dup)
{
    return RIG_FEED(r, dup ? 0x3C : 0x34, 6, 0, 1, 't', 0, (uint8_t)id, 'x');
}

static inline void expect_sent(rig *r, const char *text)
{
    rig_send_all(r);
    assert_string_equal(rig_sent_text(r), text);
    r->sent_len = 0;
}

static inline void expect_log(rig *r, const char *text)
{
    rig_expect_log(r, text);
    rig_forget(r);
}

static inline void reconnect(rig *r, bool session_present)
{
    mqc_reset(&r->e);
    rig_pull(r);
    rig_connect(r, false, session_present);
}

static inline void begin(rig *r, const rig_sizes *sizes)
{
    rig_init(r, sizes);
    rig_connect(r, false, false);
}

#endif
