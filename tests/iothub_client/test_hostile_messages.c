#include <stdio.h>
#include <stdlib.h>

#include "text/json_path.h"
#include "twin_fixture.h"

/* Messages of a hub that follows MQTT but no other rule. */

static uint64_t ignored(const client_fixture *f)
{
    iothub_stats stats;
    iothub_get_stats(f->client, &stats);
    return stats.ignored;
}

static void send(client_fixture *f, const char *topic, const void *body, size_t len)
{
    fake_hub_send(fixture_stream(f), topic, body, len, 0);
    fixture_run(f);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
}

/* A request that waits must still get its answer. */
static void check_alive(client_fixture *f, iothub_op waiting)
{
    iothub_result how;

    assert_int_equal(fixture_ended(f, waiting, NULL), 0);
    twin_answer(f, 204, waiting, "&$version=3", "");
    fixture_run(f);
    assert_int_equal(fixture_ended(f, waiting, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
}

/* --- topics ------------------------------------------------------------------------------ */

/* None of these topics belongs to a request that waits. */
static const char *const strange_topics[] = {
    "$",
    "$iothub",
    "$iothub/twin/res/",
    "$iothub/twin/res/200",
    "$iothub/twin/res/200/",
    "$iothub/twin/res/200/?",
    "$iothub/twin/res/200/?$rid=",
    "$iothub/twin/res/200/?$rid",
    "$iothub/twin/res/200/?rid=1",
    "$iothub/twin/res/200/?$rid=%",
    "$iothub/twin/res/200/?$rid=%3",
    "$iothub/twin/res/200/?$rid=%31",
    "$iothub/twin/res/200/?$rid= 1",
    "$iothub/twin/res/200/?$rid=1.0",
    "$iothub/twin/res/200/?$rid=4294967296",
    "$iothub/twin/res/200/?$rid=18446744073709551617",
    "$iothub/twin/res/200/?$rid=4294967295",
    "$iothub/twin/res/200/?$rid=0",
    "$iothub/twin/res/200/?$rid=1&$version=-1",
    "$iothub/twin/res/200/?$rid=1&$version=18446744073709551616",
    "$iothub/twin/res/1000/?$rid=1",
    "$iothub/twin/res/-200/?$rid=1",
    "$iothub/twin/res/0x1/?$rid=1",
    "$iothub/twin/res//?$rid=1",
    "$iothub/twin/GET/?$rid=1",
    "$iothub/twin/PATCH/properties/reported/?$rid=1",
    "$iothub/methods/POST/",
    "$iothub/methods/POST//?$rid=1",
    "$iothub/methods/POST/name",
    "$iothub/methods/POST/name/?$rid=",
    "$iothub/methods/POST/na%2/?$rid=1",
    "$iothub/methods/POST/name/?$rid=%zz",
    "$iothub/methods/res/200/?$rid=1",
    "devices/device1/messages/events/",
    "devices/device1/messages/devicebound",
    "devices/device10/messages/devicebound/",
    "devices//messages/devicebound/",
    "devices/device1/modules/m/inputs/i/",
    "elsewhere",
};

static void strange_topics_are_ignored_and_counted(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    /* Its request id is 2, which none of the topics above has. */
    iothub_op op = twin_report(&f, "{}");
    fixture_run(&f);

    for (size_t i = 0; i < sizeof strange_topics / sizeof strange_topics[0]; i++) {
        uint64_t before = ignored(&f);
        send(&f, strange_topics[i], "{}", 2);
        if (ignored(&f) != before + 1) {
            fail_msg("not ignored: %s", strange_topics[i]);
        }
    }
    assert_int_equal(f.method_count + f.c2d_count + f.done_count, 0);
    assert_int_equal(f.desired_count, 1);
    check_alive(&f, op);
    fixture_free(&f);
}

static void topics_of_any_length_are_survived(void **state)
{
    (void)state;
    static const char *const heads[] = { "$iothub/twin/res/200/?$rid=", "$iothub/methods/POST/",
                                         "$iothub/methods/POST/m/?$rid=",
                                         "$iothub/twin/PATCH/properties/desired/?$version=",
                                         "devices/device1/messages/devicebound/a=" };
    char *topic = malloc(65536);
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op op = twin_report(&f, "{}");
    fixture_run(&f);
    f.hub.twin_status = 200;

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        /* At some point the length exceeds rx_size. */
        for (size_t len = 60; len < 65536; len = len * 4 / 3) {
            size_t head = (size_t)snprintf(topic, 65536, "%s", heads[i]);
            memset(topic + head, '1', len - head);
            topic[len] = '\0';
            send(&f, topic, "{}", 2);
        }
    }
    check_alive(&f, op);
    fixture_free(&f);
    free(topic);
}

static void every_status_ends_a_report_once_or_has_it_sent_again(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.twin_status = 0;

    for (int status = 0; status <= 999; status++) {
        iothub_op op = twin_report(&f, "{}");
        bool later = status == 429 || status / 100 == 5;
        f.done_count = 0;
        fixture_run(&f);
        twin_answer(&f, status, op, "", "");
        fixture_run(&f);
        assert_int_equal(f.done_count, later ? 0 : 1);
        if (later) {
            fixture_sleep(&f, 1000); /* the longest delay after one failure */
            twin_answer(&f, 204, op, "", "");
            fixture_run(&f);
        }
        assert_int_equal(f.done_count, 1);
        assert_int_equal(f.dones[0].status, later ? 204 : status);
        assert_int_equal(f.dones[0].result,
                         later || status / 100 == 2 ? IOTHUB_OK : IOTHUB_ERR_REJECTED);
    }
    fixture_free(&f);
}

/* --- JSON ------------------------------------------------------------------------------- */

typedef struct bomb {
    char text[6000];
    size_t len;
} bomb;

static void fill(bomb *b, const char *head, const char *unit, size_t count, const char *tail)
{
    b->len = (size_t)snprintf(b->text, sizeof b->text, "%s", head);
    while (count-- > 0) {
        b->len += (size_t)snprintf(b->text + b->len, sizeof b->text - b->len, "%s", unit);
    }
    b->len += (size_t)snprintf(b->text + b->len, sizeof b->text - b->len, "%s", tail);
    assert_true(b->len < sizeof b->text);
}

/* Some of them are valid as a change whose version is in the topic. */
static bool is_json(const bomb *b)
{
    return iothub_json_check(mqc_span_of(b->text, b->len), NULL) == IOTHUB_OK;
}

/* None of these is a valid document, so no callback may report them. The next valid one must be
 * reported. */
static void a_json_bomb_is_no_document(void **state)
{
    (void)state;
    static const struct {
        const char *head, *unit;
        size_t count;
        const char *tail;
    } bombs[] = {
        { "{\"desired\":{\"$version\":1,\"a\":", "[", 5000, "" },
        { "{\"desired\":{\"$version\":1,\"a\":", "{\"a\":", 1000, "" },
        { "{\"desired\":{\"$version\":1", ",\"a\":{\"b\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 30,
          "" },
        { "{\"desired\":{\"$version\":", "9", 5000, "}}" },
        { "{\"desired\":{\"$version\":1e", "9", 400, "}}" },
        { "{\"desired\":{\"$version\":0", "0", 20, "1}}" },
        { "{\"desired\":{\"$version\":1.", "0", 50, "}}" },
        { "{\"desired\":{\"$version\":true", "", 0, "}}" },
        { "{\"desired\":{\"$version\":1,\"\xC3\x28\":1}", "", 0, "}" },
        { "{\"desired\":{\"$version\":1,\"a\":\"\xED\xA0\x80\"}", "", 0, "}" },
        { "{\"desired\":{\"$version\":1,\"a\":\"\\ud800\"", ",\"b\":\"\\u12\"", 3, "}}" },
        { "{\"desired\":[", "1,", 500, "1]}" },
        { "", "{\"desired\":{\"$version\":1}}", 2, "" },
        { "{\"desired\":{\"$version\":1}},", "", 0, "" },
        { "\xEF\xBB\xBF{\"desired\":{\"$version\":1}}", "", 0, "" },
    };
    bomb b;

    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        client_fixture f;
        fill(&b, bombs[i].head, bombs[i].unit, bombs[i].count, bombs[i].tail);
        fixture_init(&f, NULL);
        f.hub.twin = b.text;
        fixture_connect(&f);
        assert_int_equal(f.desired_count, 0);
        f.hub.twin = "{\"desired\":{\"$version\":3}}";
        fixture_sleep(&f, 3000);
        assert_int_equal(f.desired_count, 1);
        assert_int_equal(f.desired[0].version, 3);
        send(&f, "$iothub/twin/PATCH/properties/desired/?$version=4", b.text, b.len);
        assert_true(f.desired[f.desired_count - 1].complete || is_json(&b));
        fixture_free(&f);
    }
}

/* However a document is damaged on the way, the application gets a complete one in the end. */
static void every_truncation_and_changed_byte_of_a_document_is_survived(void **state)
{
    (void)state;
    static const char whole[] = "{\"desired\":{\"a\":[1,\"x\"],\"$version\":2},\"reported\":{}}";
    char twin[sizeof whole];
    client_fixture f;
    fixture_init(&f, NULL);
    f.options.log_level = IOTHUB_LOG_ERROR;
    fixture_connect(&f);

    for (size_t at = 0; at < sizeof whole - 1; at++) {
        for (int byte = 0; byte < 256; byte++) { /* the byte 0 ends the text there */
            strcpy(twin, whole);
            twin[at] = (char)byte;
            f.hub.twin = twin;
            f.desired_count = 0;
            f.log[0] = '\0';
            /* An invalid change makes the client request the document. */
            send(&f, "$iothub/twin/PATCH/properties/desired/", "{", 1);
            f.hub.twin = whole;
            fixture_sleep(&f, 1000);
            assert_in_range(f.desired_count, 1, 2);
            assert_true(f.desired[0].complete);
        }
    }
    fixture_free(&f);
}

/* --- floods ----------------------------------------------------------------------------- */

static void a_flood_of_answers_without_a_request_has_no_effect(void **state)
{
    (void)state;
    client_fixture f;
    uint32_t seed = 1;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.twin_status = 0;
    iothub_op op = twin_report(&f, "{}");
    (void)twin_get(&f); /* waits behind the report and is not sent */
    fixture_run(&f);

    for (unsigned n = 0; n < 5000; n++) {
        seed = seed * 1664525u + 1013904223u;
        twin_answer(&f, (int)(seed >> 8) % 1000, n % 3 == 0 ? op + 1 : seed | 16, "", "{}");
        if (n % 100 == 0) {
            fixture_run(&f);
        }
    }
    fixture_run(&f);
    assert_int_equal(ignored(&f), 5000);
    assert_int_equal(f.done_count, 0);
    check_alive(&f, op);
    fixture_free(&f);
}

static void calls_beyond_all_limits_are_answered_or_dropped_while_the_line_is_full(void **state)
{
    (void)state;
    client_fixture f;
    char topic[64];
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    fixture_stream(&f)->send_room = 0; /* no answer can be sent */

    for (unsigned n = 0; n < 500; n++) {
        snprintf(topic, sizeof topic, "$iothub/methods/POST/m/?$rid=%u", n);
        send(&f, topic, "{}", 2);
    }
    assert_int_equal(f.method_count, METHODS_OPEN_MAX);
    fixture_stream(&f)->send_room = SIZE_MAX;
    fixture_run(&f);
    /* Answers with 503, as many as there was room for. */
    assert_in_range(f.hub.publishes, 1, IOTHUB_REQUESTS);

    for (unsigned n = 0; n < METHODS_OPEN_MAX; n++) {
        assert_int_equal(iothub_method_respond(f.client, &f.tokens[n], 200, "{}", 2, NULL, NULL),
                         IOTHUB_OK);
        fixture_run(&f);
    }
    assert_int_equal(f.done_count, METHODS_OPEN_MAX);
    send(&f, "$iothub/methods/POST/m/?$rid=900", "{}", 2);
    assert_int_equal(f.method_count, METHODS_OPEN_MAX + 1);
    fixture_free(&f);
}

static void a_flood_of_messages_waits_at_the_door_and_none_is_lost(void **state)
{
    (void)state;
    enum { FLOOD = 250 };
    client_fixture f;
    char body[16];
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.disposition = IOTHUB_DEFER;
    for (unsigned n = 1; n <= FLOOD; n++) {
        int len = snprintf(body, sizeof body, "%u", n);
        fake_hub_send(fixture_stream(&f), "devices/device1/messages/devicebound/%24.mid=1", body,
                      (size_t)len, (uint16_t)n);
    }
    fixture_run(&f);
    assert_int_equal(f.c2d_count, IOTHUB_UNACCEPTED_MAX);

    for (unsigned n = 0; n < FLOOD; n++) {
        assert_true(f.c2d_count > n);
        assert_int_equal(iothub_message_accept(f.client, f.deliveries[n]), IOTHUB_OK);
        fixture_run(&f);
    }
    assert_int_equal(f.c2d_count, FLOOD);
    assert_int_equal(f.hub.acks, FLOOD);
    for (unsigned n = 0; n < FLOOD; n++) {
        assert_int_equal(f.hub.acked[n], n + 1);
    }
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strange_topics_are_ignored_and_counted),
        cmocka_unit_test(topics_of_any_length_are_survived),
        cmocka_unit_test(every_status_ends_a_report_once_or_has_it_sent_again),
        cmocka_unit_test(a_json_bomb_is_no_document),
        cmocka_unit_test(every_truncation_and_changed_byte_of_a_document_is_survived),
        cmocka_unit_test(a_flood_of_answers_without_a_request_has_no_effect),
        cmocka_unit_test(calls_beyond_all_limits_are_answered_or_dropped_while_the_line_is_full),
        cmocka_unit_test(a_flood_of_messages_waits_at_the_door_and_none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
