#include "connection/login.h"
#include "context_fixture.h"
#include "mqtt_core/engine_struct.h"

/* Tests the packet CONNECT with an engine, without a client. */

typedef struct login_rig {
    context_fixture base;
    mqc_engine engine;
    uint8_t control[2048], rx[256], ring[256];
    mqc_entry entries[4];
    mqc_inbound inbound[4];
    char scratch[1024];
} login_rig;

static void begin(login_rig *r, size_t control_len)
{
    memset(r, 0, sizeof *r);
    context_fixture_init(&r->base);
    const mqc_memory m = {
        .control = r->control,
        .control_len = control_len,
        .rx = r->rx,
        .rx_len = sizeof r->rx,
        .inbound = r->inbound,
        .inbound_len = 4,
        .lane_count = 1,
        .lanes = { { .ring = r->ring,
                     .ring_len = sizeof r->ring,
                     .entries = r->entries,
                     .entries_len = 4 } },
    };
    assert_int_equal(mqc_init(&r->engine, &m), MQC_OK);
    r->base.context.engine = &r->engine;
    r->base.context.scratch = r->scratch;
    r->base.context.scratch_len = sizeof r->scratch;
}

static void begin_again(login_rig *r, size_t control_len)
{
    context_fixture_free(&r->base);
    begin(r, control_len);
}

static size_t packet_len(login_rig *r)
{
    size_t len = 0;

    (void)mqc_tx_data(&r->engine, &len);
    return len;
}

static const char long_token[] = "SharedAccessSignature sr=hub.example%2Fdevices%2Fdevice1&"
                                 "sig=YQ%3D%3D&se=1700000100&skn=a-policy-with-a-long-name";

static const iothub_credential *credentials(size_t *count)
{
    static iothub_credential all[5];
    static plat_identity identity;

    all[0] = iothub_key_credential("c2VjcmV0", NULL);
    all[1] = iothub_key_credential("c2VjcmV0", "%policy%");
    all[2] = iothub_token_credential(long_token);
    all[3] = iothub_x509_credential(&identity);
    *count = 4;
    return all;
}

/* Each kind of credential logs in with exactly the memory that was measured for it. */
static void each_kind_fits_what_it_was_measured_with(void **state)
{
    (void)state;
    size_t count;
    const iothub_credential *all = credentials(&count);

    for (size_t i = 0; i < count; i++) {
        for (int module = 0; module <= 1; module++) {
            login_rig r;
            iothub_error error = { .text = "" };
            begin(&r, sizeof r.control);
            r.base.context.identity.module_id = mqc_span_str(module == 1 ? "module1" : "");
            const login_size size = login_measure(&r.base.context, &all[i], 1);
            const mqc_span module_id = r.base.context.identity.module_id;
            begin_again(&r, size.connect);
            r.base.context.identity.module_id = module_id;
            r.base.context.scratch_len = (uint32_t)size.scratch;

            if (login_queue(&r.base.context, &all[i], false, 1000, &error) != IOTHUB_OK) {
                fail_msg("%s", error.text);
            }
            assert_in_range(packet_len(&r), 60, size.connect);
            context_fixture_free(&r.base);
        }
    }
}

static void a_list_needs_what_the_longest_of_it_needs(void **state)
{
    (void)state;
    login_rig r;
    size_t count;
    const iothub_credential *all = credentials(&count);
    begin(&r, sizeof r.control);
    size_t connect = 0;
    size_t scratch = 0;

    for (size_t i = 0; i < count; i++) {
        const login_size one = login_measure(&r.base.context, &all[i], 1);
        connect = one.connect > connect ? one.connect : connect;
        scratch = one.scratch > scratch ? one.scratch : scratch;
    }
    const login_size whole = login_measure(&r.base.context, all, count);

    assert_int_equal(whole.connect, connect);
    assert_int_equal(whole.scratch, scratch);
    context_fixture_free(&r.base);
}

/* With less memory, login_queue fails and never sends a shortened packet. */
static void less_memory_is_refused(void **state)
{
    (void)state;
    const iothub_credential token = iothub_token_credential(long_token);
    login_rig r;
    begin(&r, sizeof r.control);
    assert_int_equal(login_queue(&r.base.context, &token, false, 1000, NULL), IOTHUB_OK);
    const size_t len = packet_len(&r);

    for (size_t cap = 64; cap < len; cap++) {
        iothub_error error;
        begin_again(&r, cap);
        assert_int_not_equal(login_queue(&r.base.context, &token, false, 1000, &error), IOTHUB_OK);
        assert_string_equal(error.text, "CONNECT does not fit its buffer");
    }
    for (size_t cap = 1; cap < 60; cap++) {
        iothub_error error;
        begin_again(&r, sizeof r.control);
        r.base.context.scratch_len = (uint32_t)cap;
        assert_int_equal(login_queue(&r.base.context, &token, false, 1000, &error),
                         IOTHUB_ERR_TOO_BIG);
    }
    context_fixture_free(&r.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_fits_what_it_was_measured_with),
        cmocka_unit_test(a_list_needs_what_the_longest_of_it_needs),
        cmocka_unit_test(less_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
