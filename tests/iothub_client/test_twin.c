#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"

static iothub_op get(client_fixture *f)
{
    iothub_op op = 0;
    assert_int_equal(iothub_twin_get(f->client, NULL, &op), IOTHUB_OK);
    assert_int_not_equal(op, 0);
    return op;
}

static iothub_op report(client_fixture *f, const char *json)
{
    iothub_op op = 0;
    assert_int_equal(iothub_twin_report(f->client, json, strlen(json), f, &op), IOTHUB_OK);
    return op;
}

static const iothub_done *last_done(const client_fixture *f)
{
    assert_true(f->done_count > 0);
    return &f->dones[(f->done_count - 1) % (4 * FIXTURE_LOG)];
}

/* An answer with this status. */
static void answer(client_fixture *f, int status, uint32_t rid, const char *more, const char *body)
{
    char topic[128];
    snprintf(topic, sizeof topic, "$iothub/twin/res/%d/?$rid=%u%s", status, (unsigned)rid, more);
    fake_hub_send(fixture_stream(f), topic, body, strlen(body), 0);
}

static void patch(client_fixture *f, unsigned version)
{
    char topic[128];
    char json[64];
    snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%u", version);
    snprintf(json, sizeof json, "{\"v\":%u,\"$version\":%u}", version, version);
    fake_hub_send(fixture_stream(f), topic, json, strlen(json), 0);
}

static unsigned count_gets(const client_fixture *f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->hub.publishes; i++) {
        n += strncmp(fake_hub_at(&f->hub, i)->topic, "$iothub/twin/GET/", 17) == 0;
    }
    return n;
}

static uint32_t rid_of(const fake_hub_publish *p)
{
    unsigned rid = 0;
    assert_non_null(p);
    assert_int_equal(sscanf(strstr(p->topic, "$rid="), "$rid=%u", &rid), 1);
    return rid;
}

/* --- requests -------------------------------------------------------------------- */

static void get_ends_with_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    iothub_op op = get(&f);
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    assert_int_equal(last_done(&f)->kind, IOTHUB_OP_TWIN_GET);
    assert_int_equal(last_done(&f)->result, IOTHUB_OK);
    assert_int_equal(last_done(&f)->status, 200);
    assert_string_equal(f.done_body, f.hub.twin);
    fixture_free(&f);
}

static void a_report_ends_with_its_version(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    iothub_op op = report(&f, " {\"t\":21} ");
    fixture_run(&f);

    assert_int_equal(last_done(&f)->op, op);
    assert_int_equal(last_done(&f)->kind, IOTHUB_OP_TWIN_REPORT);
    assert_int_equal(last_done(&f)->result, IOTHUB_OK);
    assert_int_equal(last_done(&f)->status, 204);
    assert_int_equal(last_done(&f)->version, 2);
    assert_ptr_equal(last_done(&f)->tag, &f);
    const fake_hub_publish *p = fake_hub_last(&f.hub, "$iothub/twin/PATCH/");
    assert_string_equal(p->payload, " {\"t\":21} ");
    assert_int_equal(p->qos, 0);
    fixture_free(&f);
}

static void a_refusal_comes_back_with_its_status(void **state)
{
    (void)state;
    static const int codes[] = { 400, 413, 429, 500, 503, 999, 100, 300, 0 };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_connect(&f);
        f.hub.twin_status = 0;
        iothub_op op = report(&f, "{}");
        fixture_run(&f);

        answer(&f, codes[i], op, "", "{\"message\":\"no\"}");
        fixture_run(&f);

        assert_int_equal(fixture_ended(&f, op, NULL), 1);
        assert_int_equal(last_done(&f)->result, IOTHUB_ERR_REJECTED);
        assert_int_equal(last_done(&f)->status, codes[i]);
        assert_string_equal(f.done_body, "{\"message\":\"no\"}");
        fixture_free(&f);
    }
}

static void without_an_answer_a_request_times_out(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op sent = get(&f);
    iothub_op queued = report(&f, "{}");
    fixture_run(&f);

    fixture_sleep(&f, 59999);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1);

    assert_int_equal(fixture_ended(&f, sent, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);
    assert_int_equal(fixture_ended(&f, queued, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);

    answer(&f, 200, sent, "", "{}"); /* too late */
    fixture_run(&f);
    assert_int_equal(f.done_count, 2);
    fixture_free(&f);
}

static void requests_time_out_while_disconnected_too(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    iothub_op before_start = get(&f);
    fixture_sleep(&f, 60000);
    assert_int_equal(fixture_ended(&f, before_start, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);

    fixture_connect(&f);
    f.hub.return_code = 3;
    fixture_cut(&f);
    iothub_op op = report(&f, "{}");
    fixture_sleep(&f, 60000);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);
    fixture_free(&f);
}

static void a_request_that_times_out_while_leaving_ends_in_time(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    fixture_stream(&f)->send_room = 5; /* the packet begins, and then nothing moves */
    iothub_op op = get(&f);
    fixture_sleep(&f, 60500);
    assert_int_equal(fixture_ended(&f, op, NULL), 0); /* it cannot be taken back half sent */

    fixture_stream(&f)->send_room = SIZE_MAX;
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TIMEOUT);
    fixture_free(&f);
}

static void reports_reach_the_hub_one_at_a_time_in_order(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    unsigned before = f.hub.publishes;
    iothub_op ops[5];
    for (unsigned i = 0; i < 5; i++) {
        char json[16];
        snprintf(json, sizeof json, "{\"n\":%u}", i);
        ops[i] = report(&f, json);
    }

    for (unsigned i = 0; i < 5; i++) {
        char json[16];
        snprintf(json, sizeof json, "{\"n\":%u}", i);
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, before + i + 1);
        assert_string_equal(fake_hub_at(&f.hub, before + i)->payload, json);
        answer(&f, 204, ops[i], "&$version=9", "");
    }
    fixture_run(&f);

    assert_int_equal(f.done_count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(f.dones[i].op, ops[i]);
        assert_int_equal(f.dones[i].result, IOTHUB_OK);
    }
    fixture_free(&f);
}

static void a_request_cut_before_its_answer_is_sent_again(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op op = report(&f, "{\"a\":1}");
    fixture_run(&f);
    unsigned before = f.hub.publishes;

    f.hub.twin_status = 200;
    fixture_cut(&f);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1000);

    assert_true(f.hub.publishes > before);
    assert_string_equal(fake_hub_last(&f.hub, "$iothub/twin/PATCH/")->payload, "{\"a\":1}");
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    fixture_free(&f);
}

static void answers_that_nobody_waits_for_are_ignored(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op op = get(&f);
    iothub_op queued = get(&f); /* behind the first: not sent yet */
    fixture_run(&f);

    answer(&f, 200, op + 1000, "", "{}");
    answer(&f, 200, queued, "", "{}");
    answer(&f, 200, 0, "", "{}");
    fake_hub_send(fixture_stream(&f), "$iothub/twin/res/200/?$rid=abc", "{}", 2, 0);
    fixture_run(&f);

    assert_int_equal(f.done_count, 0);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.ignored, 4);
    fixture_free(&f);
}

static void only_a_json_object_can_be_reported(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",        "{",           "{}x",      "[]",
                                         "1",       "null",        "{\"a\":}", "{a:1}",
                                         "\"{}\"",  "{\"a\":1,}",  "{}{}",     "{\"a\":01}",
                                         "{'a':1}", "{\"\x80\":1}" };
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        iothub_result r = iothub_twin_report(f.client, wrong[i], strlen(wrong[i]), NULL, NULL);
        assert_int_equal(r, IOTHUB_ERR_JSON);
        assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_JSON);
    }
    assert_int_equal(iothub_twin_report(f.client, NULL, 0, NULL, NULL), IOTHUB_ERR_JSON);
    fixture_free(&f);
}

static void a_full_queue_refuses_and_what_was_accepted_ends_once(void **state)
{
    (void)state;
    client_fixture f;
    unsigned accepted = 0;
    fixture_init(&f, NULL);

    while (iothub_twin_get(f.client, NULL, NULL) == IOTHUB_OK) {
        accepted++;
        assert_true(accepted < 1000);
    }
    assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_NO_SPACE);
    assert_int_equal(accepted, IOTHUB_REQUESTS);
    fixture_connect(&f);
    fixture_sleep(&f, 5000);

    assert_int_equal(f.done_count, accepted);
    assert_int_equal(f.desired_count, 1); /* the client's own GET found its place later */
    fixture_free(&f);
}

/* --- resync ---------------------------------------------------------------------------- */

static void the_document_comes_first_then_patches_in_order(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin = "{\"desired\":{\"a\":1,\"$version\":5},\"reported\":{\"b\":2,\"$version\":9}}";
    fixture_connect(&f);

    patch(&f, 6);
    patch(&f, 7);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 3);
    assert_true(f.desired[0].complete);
    assert_int_equal(f.desired[0].version, 5);
    assert_string_equal(f.desired[0].json, "{\"a\":1,\"$version\":5}");
    assert_string_equal(f.desired[0].reported, "{\"b\":2,\"$version\":9}");
    assert_false(f.desired[1].complete);
    assert_int_equal(f.desired[1].version, 6);
    assert_string_equal(f.desired[1].json, "{\"v\":6,\"$version\":6}");
    assert_string_equal(f.desired[1].reported, "");
    assert_int_equal(f.desired[2].version, 7);
    assert_int_equal(count_gets(&f), 1);
    fixture_free(&f);
}

static void a_version_in_the_body_alone_will_do(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    static const char topic[] = "$iothub/twin/PATCH/properties/desired/?";

    fake_hub_send(fixture_stream(&f), topic, "{\"$version\":2}", 14, 0);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 2);
    assert_int_equal(f.desired[1].version, 2);
    fixture_free(&f);
}

static void patches_seen_before_are_dropped(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    patch(&f, 2);
    patch(&f, 2);
    patch(&f, 1);
    patch(&f, 0);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 2);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.desired_duplicates, 3);
    assert_int_equal(count_gets(&f), 1);
    fixture_free(&f);
}

static void a_gap_fetches_the_document_again(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    f.hub.twin = "{\"desired\":{\"$version\":4},\"reported\":{}}";
    patch(&f, 3); /* 2 was lost */
    fixture_run(&f);

    assert_int_equal(count_gets(&f), 2);
    assert_int_equal(f.desired_count, 2);
    assert_true(f.desired[1].complete);
    assert_int_equal(f.desired[1].version, 4);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.desired_gaps, 1);
    fixture_free(&f);
}

static void a_patch_that_overtakes_the_document_is_not_lost(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    uint32_t rid = rid_of(fake_hub_last(&f.hub, "$iothub/twin/GET/"));

    patch(&f, 6); /* the document of version 5 is still on its way */
    fixture_run(&f);
    assert_int_equal(f.desired_count, 0);
    f.hub.twin = "{\"desired\":{\"$version\":6},\"reported\":{}}";
    f.hub.twin_status = 200;
    answer(&f, 200, rid, "", "{\"desired\":{\"$version\":5},\"reported\":{}}");
    fixture_run(&f);

    assert_int_equal(count_gets(&f), 2);
    assert_int_equal(f.desired[f.desired_count - 1].version, 6);
    assert_true(f.desired[f.desired_count - 1].complete);
    fixture_free(&f);
}

static void a_patch_before_the_suback_waits_for_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.session_present = true; /* the subscription of an earlier run still stands */
    f.hub.mute_subscribe = true;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_SUBSCRIBING);

    patch(&f, 1); /* one more than the 0 that the client knows of */
    patch(&f, 2);
    patch(&f, 7);
    fixture_run(&f);
    assert_int_equal(f.desired_count, 0);

    uint16_t id = f.client->session.subscribe_id;
    const uint8_t suback[] = { 0x90, 6, (uint8_t)(id >> 8), (uint8_t)id, 0, 1, 0, 0 };
    scripted_feed(fixture_stream(&f), suback, sizeof suback);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 1);
    assert_true(f.desired[0].complete);
    assert_int_equal(count_gets(&f), 1);
    fixture_free(&f);
}

static void a_refused_document_is_asked_for_again_with_back_off(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 429;
    fixture_connect(&f);
    assert_int_equal(count_gets(&f), 1);

    fixture_sleep(&f, 60000);
    unsigned gets = count_gets(&f);
    assert_in_range(gets, 4, 40); /* doubling limits: some, and not sixty */
    assert_int_equal(f.desired_count, 0);
    f.hub.twin_status = 200;
    fixture_sleep(&f, 60000);

    assert_int_equal(count_gets(&f), gets + 1);
    assert_int_equal(f.desired_count, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_document_that_cannot_be_read_is_asked_for_again(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",
                                         "{",
                                         "[]",
                                         "{}",
                                         "{\"desired\":1}",
                                         "{\"desired\":{}}",
                                         "{\"desired\":{\"$version\":-1}}",
                                         "{\"desired\":{\"$version\":\"1\"}}" };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.hub.twin = wrong[i];
        fixture_connect(&f);
        assert_int_equal(f.desired_count, 0);
        f.hub.twin = "{\"desired\":{\"$version\":1}}";
        fixture_sleep(&f, 1000);
        assert_int_equal(f.desired_count, 1);
        assert_string_equal(f.desired[0].reported, "");
        fixture_free(&f);
    }
}

static void a_document_that_never_comes_is_asked_for_again(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    assert_int_equal(count_gets(&f), 1);

    fixture_sleep(&f, 62000);

    assert_int_equal(count_gets(&f), 2);
    assert_int_equal(f.done_count, 0); /* it is the client's own */
    fixture_free(&f);
}

static void small_rx(iothub_options *o)
{
    o->rx_size = 512;
}

static void a_twin_larger_than_rx_size_ends_the_request_at_once(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    char twin[1001] = "{\"desired\":{\"$version\":1,\"x\":\"";
    memset(twin + strlen(twin), 'x', 900);
    strcat(twin, "\"}}");
    fixture_init(&f, small_rx);
    f.hub.twin = twin;
    fixture_connect(&f);

    iothub_op op = get(&f);
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TOO_BIG);
    assert_int_equal(last_done(&f)->status, 200);
    assert_string_equal(f.done_body, "");
    assert_non_null(strstr(f.log, "larger than rx_size"));
    assert_int_equal(f.desired_count, 0);
    f.hub.twin = "{\"desired\":{\"$version\":2}}"; /* somebody makes it smaller */
    fixture_sleep(&f, 60000);
    assert_int_equal(f.desired_count, 1);
    fixture_free(&f);
}

static void each_connection_begins_with_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    patch(&f, 2);
    fixture_run(&f);
    f.hub.twin = "{\"desired\":{\"$version\":2},\"reported\":{}}";

    fixture_cut(&f);
    fixture_sleep(&f, 1000);

    assert_int_equal(f.desired_count, 3);
    assert_true(f.desired[2].complete);
    assert_int_equal(f.desired[2].version, 2);
    fixture_free(&f);
}

static void without_the_callback_there_is_no_get(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);

    patch(&f, 2); /* from a subscription of an earlier run */
    fixture_run(&f);

    assert_int_equal(f.hub.publishes, 0);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_twin_recreated_with_a_lower_version_is_followed(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin = "{\"desired\":{\"$version\":50}}";
    fixture_connect(&f);
    f.hub.twin = "{\"desired\":{\"$version\":1}}";
    fixture_cut(&f);
    fixture_sleep(&f, 1000);

    patch(&f, 2);
    fixture_run(&f);

    assert_int_equal(f.desired[f.desired_count - 1].version, 2);
    fixture_free(&f);
}

/* --- random histories ----------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

typedef struct model {
    client_fixture f;
    uint32_t seed;
    unsigned hub_version;
    unsigned late[8]; /* patches still on their way */
    unsigned late_count;
    char document[96];
} model;

static void hub_changes(model *m)
{
    m->hub_version++;
    snprintf(m->document, sizeof m->document,
             "{\"desired\":{\"$version\":%u},\"reported\":{\"$version\":1}}", m->hub_version);
    if (next_random(&m->seed) % 4 != 0 && m->late_count < 8) { /* else it is lost */
        m->late[m->late_count++] = m->hub_version;
    }
}

static void deliver_any(model *m)
{
    scripted_stream *s = fixture_stream(&m->f);
    if (s == NULL || s->state != SCRIPTED_READY || m->late_count == 0 ||
        iothub_get_state(m->f.client) != IOTHUB_CONNECTED) {
        return;
    }
    unsigned n = next_random(&m->seed) % m->late_count;
    patch(&m->f, m->late[n]);
    if (next_random(&m->seed) % 4 != 0) { /* else it comes once more */
        m->late[n] = m->late[--m->late_count];
    }
}

static void step(model *m)
{
    static const int codes[] = { 200, 200, 200, 429, 503 };

    switch (next_random(&m->seed) % 8) {
    case 0:
    case 1: hub_changes(m); break;
    case 2:
    case 3:
    case 4: deliver_any(m); break;
    case 5: m->f.hub.twin_status = codes[next_random(&m->seed) % 5]; break;
    case 6:
        if (next_random(&m->seed) % 4 == 0 && fixture_stream(&m->f) != NULL) {
            fixture_cut(&m->f);
            m->late_count = 0; /* not stored for a device that is away */
        }
        break;
    default: fixture_sleep(&m->f, next_random(&m->seed) % 3000); break;
    }
    fixture_run(&m->f);
}

static void check_order(const client_fixture *f)
{
    for (unsigned i = 1; i < f->desired_count && i < FIXTURE_LOG; i++) {
        const fixture_desired *d = &f->desired[i];
        assert_true(d->complete ? d->version >= f->desired[i - 1].version
                                : d->version == f->desired[i - 1].version + 1);
    }
}

static void every_history_ends_with_the_document_of_the_hub(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        model *m = calloc(1, sizeof *m);
        m->seed = seed;
        m->hub_version = 1;
        fixture_init(&m->f, NULL);
        fixture_connect(&m->f);
        m->f.hub.twin = m->document;
        hub_changes(m);

        for (int n = 0; n < 120; n++) {
            step(m);
        }
        m->f.hub.twin_status = 200;
        fixture_sleep(&m->f, 130000); /* any back-off is over */
        m->hub_version++;             /* a last change, and this one arrives */
        snprintf(m->document, sizeof m->document, "{\"desired\":{\"$version\":%u}}",
                 m->hub_version);
        patch(&m->f, m->hub_version);
        fixture_run(&m->f);

        unsigned last = (m->f.desired_count - 1) % FIXTURE_LOG;
        if (m->f.desired[last].version != m->hub_version) {
            fail_msg("seed %u: %u instead of %u", (unsigned)seed,
                     (unsigned)m->f.desired[last].version, m->hub_version);
        }
        check_order(&m->f);
        fixture_free(&m->f);
        free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_ends_with_the_document),
        cmocka_unit_test(a_report_ends_with_its_version),
        cmocka_unit_test(a_refusal_comes_back_with_its_status),
        cmocka_unit_test(without_an_answer_a_request_times_out),
        cmocka_unit_test(requests_time_out_while_disconnected_too),
        cmocka_unit_test(a_request_that_times_out_while_leaving_ends_in_time),
        cmocka_unit_test(reports_reach_the_hub_one_at_a_time_in_order),
        cmocka_unit_test(a_request_cut_before_its_answer_is_sent_again),
        cmocka_unit_test(answers_that_nobody_waits_for_are_ignored),
        cmocka_unit_test(only_a_json_object_can_be_reported),
        cmocka_unit_test(a_full_queue_refuses_and_what_was_accepted_ends_once),
        cmocka_unit_test(the_document_comes_first_then_patches_in_order),
        cmocka_unit_test(a_version_in_the_body_alone_will_do),
        cmocka_unit_test(patches_seen_before_are_dropped),
        cmocka_unit_test(a_gap_fetches_the_document_again),
        cmocka_unit_test(a_patch_that_overtakes_the_document_is_not_lost),
        cmocka_unit_test(a_patch_before_the_suback_waits_for_the_document),
        cmocka_unit_test(a_refused_document_is_asked_for_again_with_back_off),
        cmocka_unit_test(a_document_that_cannot_be_read_is_asked_for_again),
        cmocka_unit_test(a_document_that_never_comes_is_asked_for_again),
        cmocka_unit_test(a_twin_larger_than_rx_size_ends_the_request_at_once),
        cmocka_unit_test(each_connection_begins_with_the_document),
        cmocka_unit_test(without_the_callback_there_is_no_get),
        cmocka_unit_test(a_twin_recreated_with_a_lower_version_is_followed),
        cmocka_unit_test(every_history_ends_with_the_document_of_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
