#ifndef WAITS_H
#define WAITS_H

/* Helpers for tests of time-outs: a server that answers PINGREQ and nothing else. */

#include "rig.h"

enum { KEEP_ALIVE = 10000, ACK = 30000, STALL = 45000 };

static const mqc_connect_options options = { .client_id = MQC_SPAN_LIT("c"),
                                             .keep_alive_s = KEEP_ALIVE / 1000,
                                             .timeout_ms = 700,
                                             .ack_timeout_ms = ACK,
                                             .stall_timeout_ms = STALL };

static inline void connect_with(rig *r, const rig_sizes *sizes, const mqc_connect_options *o)
{
    rig_init(r, sizes);
    rig_connect_with(r, o, false);
}

/* Runs the engine at each of its deadlines up to `until`, while the server answers only PINGREQ. */
static inline mqc_result live(rig *r, mqc_time until)
{
    while (mqc_error(&r->e) == MQC_OK && r->now < until) {
        mqc_time due = rig_deadline(r);
        assert_true(due >= r->now || due == 0);
        r->now = due == 0 ? r->now : due < until ? due : until;
        size_t sent = r->sent_len;
        mqc_result result = mqc_tick(&r->e, r->now);
        /* The error is returned by this call, not only by the next one. */
        assert_int_equal(result, mqc_error(&r->e));
        rig_send_all(r);
        rig_pull(r);
        if (r->sent_len == sent + 2 && r->sent[sent] == 0xC0 && mqc_error(&r->e) == MQC_OK) {
            (void)RIG_FEED(r, 0xD0, 0);
        }
    }
    return mqc_error(&r->e);
}

static inline void expect_timeout(rig *r, mqc_time at, const char *packet)
{
    assert_int_equal(live(r, at - 1), MQC_OK);
    assert_int_equal(live(r, at + 10 * ACK), MQC_ERR_TIMEOUT);
    assert_int_equal(r->now, at);
    assert_string_equal(mqc_error_packet(&r->e), packet);
    assert_int_equal(rig_deadline(r), UINT64_MAX);
}

#endif
