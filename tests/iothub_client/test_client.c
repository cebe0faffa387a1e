#include <stdlib.h>

#include "client_fixture.h"

enum { RX = 1024, TX = 1024, REQUEST = 256, SIZE = IOTHUB_MEMORY_SIZE(RX, TX, REQUEST) };

/* The README promises this size for 64-bit systems, whose pointers are the largest. */
_Static_assert(SIZE < 8 * 1024 + 256, "a client with small buffers");
_Static_assert(IOTHUB_MEMORY_SIZE(1024, 2048, 512) < 10752, "a client as the benchmarks make it");

#define TOKEN_STRING                                                            \
    "HostName=myhub.azure-devices.net;DeviceId=device1;SharedAccessSignature="  \
    "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1&sig=" \
    "gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1900000000"

static void small(iothub_options *o)
{
    o->rx_size = RX;
    o->tx_size = TX;
    o->request_size = REQUEST;
}

/* --- memory --------------------------------------------------------------------------- */

static void each_capacity_is_refused_or_used_within_its_bounds(void **state)
{
    (void)state;
    static const char *const strings[] = { FIXTURE_CONNECTION_STRING, TOKEN_STRING };
    client_fixture f; /* used for its platform and its options */
    fixture_init(&f, small);

    for (size_t n = 0; n < 4; n++) {
        bool fitted = false;
        const size_t offset = n / 2; /* the memory may have any alignment */
        for (size_t len = 0; len <= SIZE; len++) {
            unsigned char *memory =
                /* An exact allocation, so that the sanitizer detects overruns. */
                malloc(len + offset + (len == 0));
            iothub_error error;
            iothub_client *c =
                iothub_init(memory + offset, len, strings[n % 2], &f.options, &error);
            assert_true(c != NULL || error.code == IOTHUB_ERR_MEMORY);
            assert_true(c != NULL || !fitted); /* more memory must never make iothub_init fail */
            fitted = c != NULL;
            iothub_deinit(c);
            free(memory);
        }
        assert_true(fitted);
    }
    fixture_free(&f);
}

static void a_client_in_static_memory_keeps_to_it_and_leaves_no_secret(void **state)
{
    (void)state;
    static struct {
        unsigned char before[64], memory[SIZE], after[64];
    } block;
    client_fixture f;
    iothub_client *heap;
    iothub_op op;
    fixture_init(&f, small);
    heap = f.client;
    memset(&block, 0xA5, sizeof block);

    iothub_client *c =
        iothub_init(block.memory, sizeof block.memory, FIXTURE_CONNECTION_STRING, &f.options, NULL);
    assert_non_null(c);
    f.client = c;
    fixture_connect(&f);
    op = fixture_send(&f, "from static memory");
    fixture_run(&f);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    iothub_deinit(c);
    iothub_deinit(c); /* harmless */
    f.client = heap;

    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(block.before[i], 0xA5);
        assert_int_equal(block.after[i], 0xA5);
    }
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(block.memory[i], 0); /* iothub_deinit has erased keys and tokens */
    }
    fixture_free(&f);
}

static void sizes_left_to_iothub_new_take_what_a_hub_may_send(void **state)
{
    (void)state;
    client_fixture f;
    iothub_error error;
    fixture_init(&f, NULL);
    iothub_options o = f.options;
    o.rx_size = o.tx_size = o.request_size = 0;
    char *body = calloc(1, IOTHUB_MESSAGE_MAX);
    const iothub_telemetry t = { .body = body, .body_len = IOTHUB_MESSAGE_MAX };

    iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &o, &error);

    assert_non_null(c);
    /* The largest message with the longest topic. */
    const size_t message = IOTHUB_MESSAGE_MAX + 65535 + 16;
    assert_int_equal(c->context.options.rx_size, message);
    assert_int_equal(c->context.options.tx_size, 4 * message);
    assert_int_equal(c->context.options.request_size, IOTHUB_METHOD_PAYLOAD_MAX + 1024);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(iothub_send_telemetry(c, &t, NULL), IOTHUB_OK);
    }
    iothub_free(c);
    iothub_free(NULL);
    free(body);
    fixture_free(&f);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, SIZE_MAX / 4 * 3 };
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int which = 0; which < 3; which++) {
            iothub_options o = f.options;
            unsigned char memory[64];
            iothub_error error;
            *(which == 0 ? &o.rx_size : which == 1 ? &o.tx_size : &o.request_size) = sizes[i];
            assert_null(iothub_init(memory, 64, FIXTURE_CONNECTION_STRING, &o, &error));
            assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
        }
    }
    fixture_free(&f);
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    client_fixture f;
    iothub_error error;
    unsigned char memory[16];
    fixture_init(&f, small);
    const char *cs = FIXTURE_CONNECTION_STRING;

    assert_null(iothub_init(memory, 16, NULL, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_string_equal(error.text, "connection string: is NULL");
    assert_null(iothub_init(memory, 16, cs, NULL, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_string_equal(error.text, "options: is NULL");
    assert_null(iothub_init(NULL, 16, cs, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_string_equal(error.text, "memory: is NULL");
    assert_null(iothub_init(NULL, 0, cs, &f.options, NULL));
    assert_null(iothub_new(NULL, &f.options, &error));
    assert_string_equal(error.text, "connection string: is NULL");
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_null(iothub_new(cs, NULL, &error));
    assert_null(iothub_new("", &f.options, NULL));
    fixture_free(&f);
}

/* --- calls at the wrong time ------------------------------------------------------------- */

static void start_and_reconnect_know_their_time(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "iothub_reconnect_now"));
    assert_int_equal(iothub_message_accept(f.client, 5), IOTHUB_ERR_EXPIRED);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    assert_int_equal(iothub_start(f.client), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "already started"));
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(iothub_start(f.client), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_OK);
    fixture_free(&f);
}

static void requests_made_before_the_start_are_sent_after_it(void **state)
{
    (void)state;
    client_fixture f;
    iothub_op get, report;
    fixture_init(&f, NULL);
    iothub_op sent = fixture_send(&f, "early");
    assert_int_equal(iothub_twin_get(f.client, NULL, &get), IOTHUB_OK);
    assert_int_equal(iothub_twin_report(f.client, "{}", 2, NULL, &report), IOTHUB_OK);

    fixture_connect(&f);

    const iothub_op ops[] = { sent, get, report };
    for (size_t i = 0; i < 3; i++) {
        iothub_result how;
        assert_int_equal(fixture_ended(&f, ops[i], &how), 1);
        assert_int_equal(how, IOTHUB_OK);
    }
    fixture_free(&f);
}

typedef struct insider {
    client_fixture f; /* must be the first member: callbacks get this pointer */
    iothub_result process, wait, send, get;
    unsigned dones;
    iothub_result last;
} insider;

static void meddle(iothub_client *c, const iothub_done *d, void *user)
{
    insider *in = user;
    const iothub_telemetry t = { .body = "x", .body_len = 1 };

    in->dones++;
    in->last = d->result;
    in->process = iothub_process(c);
    in->wait = iothub_wait(c, 1);
    in->send = iothub_send_telemetry(c, &t, NULL);
    in->get = iothub_twin_get(c, NULL, NULL);
}

static void meddling(iothub_options *o)
{
    o->callbacks.done = meddle;
}

static void a_callback_cannot_drive_the_client(void **state)
{
    (void)state;
    insider *in = calloc(1, sizeof *in);
    fixture_init(&in->f, meddling);
    assert_int_equal(iothub_start(in->f.client), IOTHUB_OK);
    (void)fixture_send(&in->f, "x");
    /* Each done callback sends another message, so the client never becomes idle. */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(iothub_process(in->f.client), IOTHUB_OK);
    }
    assert_true(in->dones > 0);
    assert_int_equal(in->process, IOTHUB_ERR_STATE);
    assert_int_equal(in->wait, IOTHUB_ERR_STATE);
    assert_int_equal(in->send, IOTHUB_OK);
    fixture_free(&in->f);
    free(in);
}

static void deinit_ends_each_open_request_and_takes_no_more(void **state)
{
    (void)state;
    insider *in = calloc(1, sizeof *in);
    iothub_error error;
    iothub_client *other;
    fixture_init(&in->f, meddling);
    other = iothub_new(FIXTURE_CONNECTION_STRING, &in->f.options, &error);
    const iothub_telemetry t = { .body = "x", .body_len = 1 };
    for (int i = 0; i < 5; i++) {
        assert_int_equal(iothub_send_telemetry(other, &t, NULL), IOTHUB_OK);
        assert_int_equal(iothub_twin_get(other, NULL, NULL), IOTHUB_OK);
    }

    iothub_free(other);

    assert_int_equal(in->dones, 10);
    assert_int_equal(in->last, IOTHUB_ERR_CANCELLED);
    assert_int_equal(in->process, IOTHUB_ERR_STATE);
    assert_int_equal(in->wait, IOTHUB_ERR_STATE);
    /* Refused, because an accepted request would never end. */
    assert_int_equal(in->send, IOTHUB_ERR_STATE);
    assert_int_equal(in->get, IOTHUB_ERR_STATE);
    fixture_free(&in->f);
    free(in);
}

static void deinit_of_a_connected_client_closes_its_stream(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    iothub_client *c = f.client;
    scripted_stream *s = fixture_stream(&f);
    f.hub.mute_publish = true;
    iothub_op op = fixture_send(&f, "unheard");
    fixture_run(&f);

    iothub_deinit(c);

    assert_int_equal(s->state, SCRIPTED_CLOSED);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    fixture_free(&f);
}

/* --- sleeping -------------------------------------------------------------------------------- */

static int rest(client_fixture *f)
{
    iothub_poll p;
    fixture_run(f);
    assert_int_equal(iothub_process(f->client), IOTHUB_OK);
    iothub_poll_info(f->client, &p);
    return p.timeout_ms;
}

static void an_idle_client_sleeps_until_the_keep_alive(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    assert_int_equal(rest(&f), -1); /* a client that was not started has no deadline */
    fixture_connect(&f);

    assert_int_equal(rest(&f), 240000);
    fixture_sleep(&f, 240000);
    assert_int_equal(f.hub.pings, 1);
    assert_int_equal(rest(&f), 240000);
    fixture_free(&f);
}

static void muted_publish(client_fixture *f)
{
    f->hub.mute_publish = true;
    fixture_send(f, "x");
    fixture_run(f);
}

static void no_state_is_a_busy_loop(void **state)
{
    (void)state;
    for (int s = IOTHUB_STOPPED; s <= IOTHUB_WAITING; s++) {
        client_fixture f;
        fixture_init(&f, NULL);
        if (s == IOTHUB_RENEWING) { /* a message stays in flight, so the renewal has to wait */
            f.client->context.options.ack_timeout_ms = 0;
        }
        scripted_stream *stream = &f.platform.streams[0];
        stream->stall_at = s == IOTHUB_RESOLVING    ? PLAT_STAGE_RESOLVE
                           : s == IOTHUB_CONNECTING ? PLAT_STAGE_CONNECT
                           : s == IOTHUB_SECURING   ? PLAT_STAGE_TLS
                                                    : PLAT_STAGE_OPEN;
        f.hub.mute_connect = s == IOTHUB_LOGGING_IN;
        f.hub.mute_subscribe = s == IOTHUB_SUBSCRIBING;
        f.hub.return_code = s == IOTHUB_WAITING ? 3 : 0;
        if (s != IOTHUB_STOPPED) {
            assert_int_equal(iothub_start(f.client), IOTHUB_OK);
            fixture_run(&f);
        }
        if (s == IOTHUB_RENEWING) {
            muted_publish(&f);
            while (iothub_get_state(f.client) == IOTHUB_CONNECTED) {
                fixture_sleep(&f, 100000);
            }
        }
        if (s == IOTHUB_STOPPING) {
            stream->send_room = 0;
            assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
        }
        int timeout = rest(&f);

        assert_int_equal(iothub_get_state(f.client), s);
        assert_true(timeout > 0 || (s == IOTHUB_STOPPED && timeout == -1));
        fixture_free(&f);
    }
}

static void a_stream_that_takes_nothing_is_no_busy_loop(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    fixture_stream(&f)->send_room = 0;
    fixture_send(&f, "x");

    assert_true(rest(&f) > 0);
    iothub_poll_info(f.client, &p);
    assert_true(p.fds[0].want_write);
    fixture_free(&f);
}

/* A turn ends after a limited number of writes, so that the application can continue; the next
 * turn follows immediately. */
static void what_a_turn_did_not_write_is_written_without_waiting(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    fixture_stream(&f)->send_max = 1;
    const unsigned before = fixture_stream(&f)->calls[SCRIPTED_SEND];
    (void)fixture_send(&f,
                       "0123456789012345678901234567890123456789012345678901234567890123456789");

    assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    iothub_poll_info(f.client, &p);
    assert_int_equal(p.timeout_ms, 0);
    assert_int_equal(fixture_stream(&f)->calls[SCRIPTED_SEND] - before, 64);
    assert_int_equal(f.hub.publishes, 0);
    fixture_run(&f);
    assert_int_equal(f.hub.publishes, 1);
    fixture_free(&f);
}

static bool asks_in_each_turn(client_fixture *f)
{
    const iothub_telemetry t = { .body = "x", .body_len = 1, .at_most_once = true };
    unsigned before = f->platform.streams[0].calls[SCRIPTED_RECV];

    assert_int_equal(iothub_send_telemetry(f->client, &t, NULL), IOTHUB_OK);
    assert_int_equal(iothub_process(f->client), IOTHUB_OK);
    return f->platform.streams[0].calls[SCRIPTED_RECV] != before;
}

/* A turn that follows a request only writes, since usually nothing has arrived yet; every
 * seventeenth turn reads. */
static void a_sender_in_each_turn_reads_in_each_seventeenth(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    while (!asks_in_each_turn(&f)) {
    }

    for (int round = 0; round < 5; round++) {
        for (int turn = 1; turn <= 16; turn++) {
            assert_false(asks_in_each_turn(&f));
        }
        assert_true(asks_in_each_turn(&f));
    }
    fixture_free(&f);
}

static void wait_sleeps_to_the_deadline_and_no_longer(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    uint64_t before = f.platform.clock.monotonic_ms;

    assert_int_equal(iothub_wait(f.client, 1000), IOTHUB_OK);
    assert_int_equal(f.platform.clock.monotonic_ms - before, 1000);
    assert_int_equal(iothub_wait(f.client, UINT32_MAX), IOTHUB_OK);
    assert_int_equal(f.platform.clock.monotonic_ms - before, 240000);
    assert_int_equal(f.hub.pings, 1);
    unsigned waits = f.platform.net.waits;
    fixture_send(&f, "x");
    assert_int_equal(iothub_wait(f.client, 1000), IOTHUB_OK);
    assert_int_equal(f.platform.net.waits, waits); /* there is work to do, so it does not sleep */
    fixture_free(&f);
}

static void each_state_has_its_name(void **state)
{
    (void)state;
    for (int s = IOTHUB_STOPPED; s <= IOTHUB_PROVISIONING; s++) {
        assert_string_not_equal(iothub_state_str((iothub_state)s), "unknown");
        for (int t = IOTHUB_STOPPED; t < s; t++) {
            assert_string_not_equal(iothub_state_str((iothub_state)s),
                                    iothub_state_str((iothub_state)t));
        }
    }
    assert_string_equal(iothub_state_str((iothub_state)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_capacity_is_refused_or_used_within_its_bounds),
        cmocka_unit_test(a_client_in_static_memory_keeps_to_it_and_leaves_no_secret),
        cmocka_unit_test(sizes_left_to_iothub_new_take_what_a_hub_may_send),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(start_and_reconnect_know_their_time),
        cmocka_unit_test(requests_made_before_the_start_are_sent_after_it),
        cmocka_unit_test(a_callback_cannot_drive_the_client),
        cmocka_unit_test(deinit_ends_each_open_request_and_takes_no_more),
        cmocka_unit_test(deinit_of_a_connected_client_closes_its_stream),
        cmocka_unit_test(an_idle_client_sleeps_until_the_keep_alive),
        cmocka_unit_test(no_state_is_a_busy_loop),
        cmocka_unit_test(a_stream_that_takes_nothing_is_no_busy_loop),
        cmocka_unit_test(what_a_turn_did_not_write_is_written_without_waiting),
        cmocka_unit_test(a_sender_in_each_turn_reads_in_each_seventeenth),
        cmocka_unit_test(wait_sleeps_to_the_deadline_and_no_longer),
        cmocka_unit_test(each_state_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
