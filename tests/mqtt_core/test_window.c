#include "rig.h"
#include "window.h"

/* --- the struct alone --- */

/* A batch is half of a large window, 16 slots of a medium one, and all of a small one. */
static void a_full_window_resumes_when_a_batch_has_room(void **state)
{
    (void)state;
    static const struct {
        uint16_t size;
        uint32_t resume_at;
    } cases[] = { { 1, 0 },   { 2, 0 },   { 16, 0 },  { 17, 1 },   { 31, 15 },
                  { 32, 16 }, { 33, 16 }, { 34, 17 }, { 100, 50 }, { 0, UINT16_MAX / 2 } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mqc_window w;
        mqc_window_init(&w, cases[i].size);
        const uint32_t size = cases[i].size != 0 ? cases[i].size : UINT16_MAX;
        while (mqc_window_open(&w, 50)) {
            mqc_window_take(&w);
        }
        assert_int_equal(w.used, size);
        assert_int_equal(w.go_on_at, UINT64_MAX); /* no time is set, because no slot is free yet */
        while (!mqc_window_open(&w, 50)) {
            assert_true(w.used > cases[i].resume_at);
            mqc_window_give_back(&w);
        }
        assert_int_equal(w.used, cases[i].resume_at);
        assert_false(w.stopped);
    }
}

static void a_stopped_window_waits_no_longer_than_until_then(void **state)
{
    (void)state;
    mqc_window w;
    mqc_window_init(&w, 4);
    while (mqc_window_open(&w, 50)) {
        mqc_window_take(&w);
        mqc_window_sent(&w);
    }
    mqc_window_finished(&w);
    assert_int_equal(w.in_flight, 3);
    /* From here on the window is closed and the wait is timed. */
    assert_false(mqc_window_open(&w, 50));
    assert_false(mqc_window_open(&w, 60));
    assert_int_equal(w.go_on_at, 50);
    mqc_window_on_time(&w, 49);
    assert_false(mqc_window_open(&w, 60));
    mqc_window_on_time(&w, 50);
    assert_true(mqc_window_open(&w, 60));
    mqc_window_take(&w);
    assert_false(mqc_window_open(&w, 60));
    mqc_window_give_back(&w);
    assert_true(mqc_window_open(&w, 0)); /* a deadline of 0 allows no wait, so the window opens */
    mqc_window_reset(&w);
    assert_int_equal(w.used, 0);
    assert_int_equal(w.in_flight, 0);
}

static void answers_that_are_worth_waiting_for_depend_on_the_distance(void **state)
{
    (void)state;
    mqc_window w;
    mqc_window_init(&w, 40);
    for (uint32_t used = 0; used <= 40; used++) {
        const size_t half = used >= 16 ? used / 2 : 0;
        const size_t quarter = used >= 16 ? used / 4 : 0;
        w.used = used;
        w.stopped = false;
        assert_int_equal(mqc_window_awaits_few(&w), used < 16);
        assert_int_equal(mqc_window_awaits(&w, true, true), half);
        assert_int_equal(mqc_window_awaits(&w, false, true), quarter);
        w.stopped = true;
        assert_false(mqc_window_awaits_few(&w));
        assert_int_equal(mqc_window_awaits(&w, true, true), used > 20 ? used - 20 : 0);
        assert_int_equal(mqc_window_awaits(&w, true, false), half);
        assert_int_equal(mqc_window_awaits(&w, false, true), quarter);
    }
}

static void the_check_sees_a_wrong_window(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#else
    mqc_window good;
    mqc_window_init(&good, 4);
    assert_true(mqc_window_valid(&good));
    mqc_window w = good;
    w.in_flight = 1;
    assert_false(mqc_window_valid(&w));
    w = good;
    w.resume_at = 4;
    assert_false(mqc_window_valid(&w));
    w = good;
    w.size = 0;
    assert_false(mqc_window_valid(&w));
    w = good;
    w.go_on_at = 5;
    assert_false(mqc_window_valid(&w));
    w.stopped = true;
    assert_true(mqc_window_valid(&w));
#endif
}

/* --- in a lane --- */

static void the_window_holds_back_what_is_beyond(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .window = 2 } } };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    for (uint32_t i = 1; i <= 4; i++) {
        (void)rig_publish(&r, 0, 1, i, 1);
    }

    rig_send_all(&r);
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id1 #1\nPUBLISH d0 q1 r0 id2 #2\n");
    rig_puback(&r, 2);
    rig_puback(&r, 1);
    rig_forget(&r);
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id3 #3\nPUBLISH d0 q1 r0 id4 #4\n");
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    rig_deinit(&r);
}

/* Returns how many messages are sent together after a full window has stopped the lane. */
static size_t batch_of(size_t window)
{
    return window <= 16 ? window : window <= 32 ? 16 : window - window / 2;
}

/* Two messages always wait to be sent; the server answers one message, then the engine may send. */
static void answers_one_by_one_still_free_batches(void **state)
{
    (void)state;
    enum { MESSAGES = 320 };

    for (uint16_t window = 1; window <= 40; window++) {
        const rig_sizes sizes = { .lanes = { { .entries_len = 120, .window = window } } };
        const size_t batch = batch_of(window);
        uint16_t accepted = 0;
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);

        for (uint16_t acked = 1; acked <= MESSAGES; acked++) {
            while (accepted < acked + window + 1 && accepted < MESSAGES) {
                accepted = rig_publish(&r, 0, 1, accepted, 1);
            }
            rig_send_all(&r);
            rig_puback(&r, acked); /* fails if the message was not sent */
        }

        assert_true(r.runs <= MESSAGES / batch + 2);
        assert_int_equal(mqc_lane(&r.e, 0).count, 0);
        rig_deinit(&r);
    }
}

/* Returns true if the received bytes wake the engine, which sleeps until mqc_rx_least is
 * reached. */
static bool wakes(rig *r, size_t answers)
{
    mqc_time until;
    size_t least = mqc_rx_least(&r->e, &until);

    return answers * 4 >= least || (until != 0 && r->now >= until);
}

/* Simulates a distant server: each publish is answered way_ms after it was sent, with at least
 * gap_ms between two answers. Returns the number of answers within `round_trips` round trips. */
static size_t answered_in(uint16_t window, mqc_time way_ms, mqc_time gap_ms, unsigned round_trips)
{
    enum { ID_MAX = 60000 };
    static mqc_time left_at[ID_MAX];
    const rig_sizes sizes = { .lanes = { { .entries_len = 120, .window = window } } };
    uint16_t queued = 0;
    size_t sent = 0;
    size_t answered = 0;
    size_t taken = 0;
    mqc_time free_at = 0;
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    const mqc_time end = r.now + round_trips * way_ms;

    for (; r.now < end; r.now++) {
        while (answered < sent && left_at[answered] + way_ms <= r.now && free_at <= r.now) {
            free_at = r.now + gap_ms;
            answered++;
        }
        bool awake = wakes(&r, answered - taken);
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        while (awake && taken < answered) {
            rig_puback(&r, (uint16_t)++taken);
        }
        while (mqc_lane(&r.e, 0).count < 2u * window) {
            queued = rig_publish(&r, 0, 1, queued, 1);
            assert_in_range(queued, 1, ID_MAX - 1);
        }
        for (size_t n = rig_sent_now(&r); n > 0; n--) {
            left_at[sent++] = r.now;
        }
        rig_forget(&r);
    }
    rig_deinit(&r);
    return answered;
}

static void the_window_is_never_empty_on_a_long_way(void **state)
{
    (void)state;
    const mqc_time ways[] = { 1, 2, 3, 5, 8, 10, 20, 64, 200 };

    for (uint16_t window = 1; window <= 40; window += 3) {
        for (size_t i = 0; i < COUNT_OF(ways); i++) {
            for (mqc_time gap_ms = 0; gap_ms * window <= ways[i]; gap_ms++) {
                size_t most = 100u * window;
                assert_true(answered_in(window, ways[i], gap_ms, 101) >= most * 4 / 5);
            }
        }
    }
}

static void near_the_server_a_lane_waits_for_a_batch_but_not_for_long(void **state)
{
    (void)state;
    enum { GATHER_MS = 2 };

    for (uint16_t window = 2; window <= 40; window++) {
        const rig_sizes sizes = { .lanes = { { .entries_len = 120, .window = window } } };
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        for (uint32_t i = 1; i <= 2u * window; i++) {
            (void)rig_queue(&r, i, 1, false, 0);
        }
        assert_int_equal(rig_sent_now(&r), window);
        rig_puback(&r, 1);
        assert_int_equal(rig_sent_now(&r), 0);
        assert_int_equal(rig_deadline(&r), r.now + GATHER_MS);

        rig_gather(&r);
        assert_int_equal(rig_sent_now(&r), 1);
        rig_deinit(&r);
    }
}

/* The mean follows each new value by an eighth. With a server at a distance between a quarter of
 * a millisecond and two milliseconds, waiting for a batch is not worthwhile. */
static void from_a_quarter_of_a_millisecond_on_nothing_waits_for_a_batch(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 + 5; i++) {
        const rig_sizes sizes = { .lanes = { { .window = 4 } } };
        const unsigned slow = i < 4 ? i : 3;
        const unsigned fast = i < 4 ? 0 : i - 4;
        uint16_t id = 0;
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        /* The mean in units of 1/64 ms is 0, 8, 15, 22, and then decreases: 20, 18, 16, 14. */
        for (unsigned n = 0; n < slow + fast; n++) {
            id = rig_publish(&r, 0, 1, 1, 1);
            rig_send_all(&r);
            r.now += n < slow;
            rig_puback(&r, id);
        }
        for (unsigned n = 0; n < 8; n++) {
            (void)rig_publish(&r, 0, 1, 1, 1);
        }
        assert_int_equal(rig_sent_now(&r), 4);

        rig_puback(&r, (uint16_t)(id + 1));
        assert_int_equal(rig_sent_now(&r), slow < 3 || fast == 4 ? 0 : 1);
        rig_deinit(&r);
    }
}

/* The mean is kept in units of 1/64 ms, and each sample changes it by an eighth of the
 * difference. */
static void an_answer_after_days_counts_as_one_after_a_minute(void **state)
{
    (void)state;
    static const mqc_time took_ms[] = { 59999, 60000, 60001, 864000000, UINT64_C(1) << 40 };

    for (size_t i = 0; i < COUNT_OF(took_ms); i++) {
        rig r;
        rig_init(&r, NULL);
        rig_connect(&r, true, false);
        uint16_t id = rig_publish(&r, 0, 1, 1, 1);
        rig_send_all(&r);
        r.now += took_ms[i];
        rig_puback(&r, id);
        assert_int_equal(r.e.round_trip.mean, (took_ms[i] < 60000 ? took_ms[i] : 60000) * 64 / 8);
        rig_deinit(&r);
    }
}

static void a_free_slot_that_nothing_waits_for_is_no_deadline(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .window = 4 } } };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    for (uint32_t i = 1; i <= 5; i++) {
        (void)rig_queue(&r, i, 1, false, i == 5 ? r.now + 1 : 0);
    }
    assert_int_equal(rig_sent_now(&r), 4);
    rig_puback(&r, 1);
    assert_int_equal(rig_sent_now(&r), 0);

    r.now += 1; /* the waiting message has expired */
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    assert_int_equal(rig_sent_now(&r), 0);
    assert_true(rig_deadline(&r) > r.now + 100); /* only the keep-alive deadline may be left */
    rig_deinit(&r);
}

static void only_a_lane_that_was_stopped_waits_for_a_batch(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .window = 4 } } };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);

    for (uint32_t i = 1; i <= 4; i++) { /* each is sent immediately, up to the size of the window */
        (void)rig_queue(&r, i, 1, false, 0);
        assert_int_equal(rig_sent_now(&r), 1);
    }
    rig_puback(&r, 1);
    (void)rig_queue(&r, 5, 1, false, 0);
    assert_int_equal(rig_sent_now(&r), 1); /* the window was full, but no message had to wait */

    (void)rig_queue(&r, 6, 1, false, r.now + 10);
    assert_int_equal(rig_sent_now(&r), 0);
    rig_puback(&r, 2);
    /* The engine waits for a batch, because three messages are still in flight. */
    assert_int_equal(rig_sent_now(&r), 0);
    r.now += 10;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    /* The waiting message has expired, so nothing waits any more. */
    assert_int_equal(rig_sent_now(&r), 0);
    (void)rig_queue(&r, 7, 1, false, 0);
    assert_int_equal(rig_sent_now(&r), 1);
    rig_deinit(&r);
}

static void each_release_of_a_kept_message_frees_the_window(void **state)
{
    (void)state;
    for (uint16_t window = 1; window <= 40; window++) {
        const rig_sizes sizes = { .lanes = { { .entries_len = 120, .window = window } } };
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        for (uint32_t id = 1; id <= 2u * window; id++) {
            (void)rig_queue(&r, id, 0, true, 0);
        }
        assert_int_equal(rig_sent_now(&r), window);

        size_t in_flight = window;
        for (uint32_t id = 1; id <= window; id++) {
            rig_release(&r, id, MQC_OK);
            in_flight--;
            size_t sent = rig_sent_now(&r);
            bool goes_on = in_flight == window - batch_of(window);
            assert_int_equal(sent, goes_on ? batch_of(window) : 0);
            in_flight += sent;
        }
        rig_deinit(&r);
    }
}

static void each_expiry_of_a_kept_message_frees_the_window(void **state)
{
    (void)state;
    for (uint16_t window = 1; window <= 40; window++) {
        for (uint16_t expired = 1; expired <= window; expired++) {
            const rig_sizes sizes = { .lanes = { { .entries_len = 120, .window = window } } };
            rig r;
            rig_init(&r, &sizes);
            rig_connect(&r, true, false);
            for (uint32_t id = 1; id <= 2u * window; id++) {
                (void)rig_queue(&r, id, 0, true, id <= expired ? r.now + 1 : 0);
            }
            assert_int_equal(rig_sent_now(&r), window);

            r.now++;
            assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
            rig_pull(&r);
            rig_forget(&r);
            rig_send_all(&r);
            size_t in_flight = expired >= batch_of(window) ? window : (size_t)window - expired;
            assert_int_equal(mqc_lane(&r.e, 0).in_flight, in_flight);
            rig_deinit(&r);
        }
    }
}

static void a_new_connection_starts_with_the_whole_window(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .window = 4 } } };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, false, false);
    for (uint32_t i = 1; i <= 6; i++) {
        (void)rig_queue(&r, i, 1, false, 0);
    }
    assert_int_equal(rig_sent_now(&r), 4);
    rig_puback(&r, 1);
    assert_int_equal(rig_sent_now(&r), 0);
    mqc_reset(&r.e);
    rig_connect(&r, false, true);

    assert_int_equal(rig_sent_now(&r), 4);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_window_resumes_when_a_batch_has_room),
        cmocka_unit_test(a_stopped_window_waits_no_longer_than_until_then),
        cmocka_unit_test(answers_that_are_worth_waiting_for_depend_on_the_distance),
        cmocka_unit_test(the_check_sees_a_wrong_window),
        cmocka_unit_test(the_window_holds_back_what_is_beyond),
        cmocka_unit_test(answers_one_by_one_still_free_batches),
        cmocka_unit_test(the_window_is_never_empty_on_a_long_way),
        cmocka_unit_test(near_the_server_a_lane_waits_for_a_batch_but_not_for_long),
        cmocka_unit_test(from_a_quarter_of_a_millisecond_on_nothing_waits_for_a_batch),
        cmocka_unit_test(an_answer_after_days_counts_as_one_after_a_minute),
        cmocka_unit_test(a_free_slot_that_nothing_waits_for_is_no_deadline),
        cmocka_unit_test(only_a_lane_that_was_stopped_waits_for_a_batch),
        cmocka_unit_test(each_release_of_a_kept_message_frees_the_window),
        cmocka_unit_test(each_expiry_of_a_kept_message_frees_the_window),
        cmocka_unit_test(a_new_connection_starts_with_the_whole_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
