#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "iothub/message.h"

#define TOPIC "devices/device1/messages/devicebound/"

static void send_message(client_fixture *f, const char *bag, const char *body, uint16_t id)
{
    char topic[400];
    snprintf(topic, sizeof topic, TOPIC "%s", bag);
    fake_hub_send(fixture_stream(f), topic, body, strlen(body), id);
    fixture_run(f);
}

static void an_accepted_message_is_acknowledged(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    send_message(&f, "", "hello", 42);

    assert_string_equal(f.c2d_body, "hello");
    assert_int_equal(f.hub.acks, 1);
    assert_int_equal(f.hub.acked[0], 42);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.c2d_received, 1);
    assert_int_equal(stats.c2d_accepted, 1);
    fixture_free(&f);
}

static void a_deferred_message_is_acknowledged_when_it_is_accepted(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);

    send_message(&f, "", "later", 7);
    fixture_sleep(&f, 10000);
    assert_int_equal(f.hub.acks, 0);
    assert_int_not_equal(f.deliveries[0], 0);

    assert_int_equal(iothub_message_accept(f.client, f.deliveries[0]), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(f.hub.acks, 1);
    assert_int_equal(iothub_message_accept(f.client, f.deliveries[0]), IOTHUB_ERR_STATE);
    fixture_run(&f);
    assert_int_equal(f.hub.acks, 1);
    fixture_free(&f);
}

/* Tries all orders in which five messages can be accepted. */
static void permute(unsigned *order, unsigned n, uint32_t code)
{
    for (unsigned i = 0; i < n; i++) {
        order[i] = i;
    }
    for (unsigned i = n - 1; i > 0; i--) {
        unsigned k = code % (i + 1);
        unsigned t = order[i];
        code /= i + 1;
        order[i] = order[k];
        order[k] = t;
    }
}

static void accepted_in_any_order_they_are_acknowledged_as_they_came(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 120; code++) {
        client_fixture f;
        unsigned order[5];
        fixture_init(&f, NULL);
        f.disposition = IOTHUB_DEFER;
        fixture_connect(&f);
        for (uint16_t i = 0; i < 5; i++) {
            send_message(&f, "", "x", (uint16_t)(50 - i));
        }

        permute(order, 5, code);
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(iothub_message_accept(f.client, f.deliveries[order[i]]), IOTHUB_OK);
            fixture_run(&f);
        }

        assert_int_equal(f.hub.acks, 5);
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(f.hub.acked[i], 50 - i);
        }
        fixture_free(&f);
    }
}

static void after_a_cut_it_cannot_be_accepted_any_more(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);
    send_message(&f, "", "x", 7);
    uint32_t old = f.deliveries[0];

    fixture_cut(&f);
    assert_int_equal(iothub_message_accept(f.client, old), IOTHUB_ERR_EXPIRED);
    fixture_sleep(&f, 1000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(iothub_message_accept(f.client, old), IOTHUB_ERR_EXPIRED);

    send_message(&f, "", "x", 7); /* sends the same message again, with the same packet id */
    assert_int_equal(iothub_message_accept(f.client, old), IOTHUB_ERR_EXPIRED);
    assert_int_equal(iothub_message_accept(f.client, f.deliveries[1]), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(f.hub.acks, 1);
    fixture_free(&f);
}

static bool repeat_seen;

static void look_at_repeat(client_fixture *f, const iothub_message *m)
{
    (void)f;
    repeat_seen = iothub_message_is_repeat(m);
}

static void a_redelivery_says_so(void **state)
{
    (void)state;
    client_fixture f;
    static const uint8_t again[] = { 0x3A, 43,  0,   37,  'd', 'e', 'v', 'i', 'c', 'e', 's', '/',
                                     'd',  'e', 'v', 'i', 'c', 'e', '1', '/', 'm', 'e', 's', 's',
                                     'a',  'g', 'e', 's', '/', 'd', 'e', 'v', 'i', 'c', 'e', 'b',
                                     'o',  'u', 'n', 'd', '/', 0,   9,   'h', 'i' };
    fixture_init(&f, NULL);
    f.on_c2d = look_at_repeat;
    fixture_connect(&f);

    send_message(&f, "", "hi", 9);
    assert_false(repeat_seen);
    scripted_feed(fixture_stream(&f), again, sizeof again);
    fixture_run(&f);

    assert_int_equal(f.c2d_count, 2);
    assert_true(repeat_seen);
    assert_int_equal(f.hub.acks, 2);
    fixture_free(&f);
}

static void qos_0_needs_no_acceptance(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);

    send_message(&f, "", "x", 0);

    assert_int_equal(f.c2d_count, 1);
    assert_int_equal(f.deliveries[0], 0);
    assert_int_equal(iothub_message_accept(f.client, 0), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(f.hub.acks, 0);
    fixture_free(&f);
}

static void a_full_table_stops_reading_and_goes_on_after_an_accept(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    fixture_init(&f, NULL);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);
    for (uint16_t i = 1; i <= IOTHUB_UNACCEPTED_MAX + 10; i++) {
        fake_hub_send(fixture_stream(&f), TOPIC, "x", 1, i);
    }
    fixture_run(&f);
    assert_int_equal(f.c2d_count, IOTHUB_UNACCEPTED_MAX);

    assert_int_equal(iothub_process(f.client), IOTHUB_OK); /* the engine has no room to read into */
    iothub_poll_info(f.client, &p);
    assert_false(p.fds[0].want_read);
    /* The client does not ask for another turn, which would be a busy loop. */
    assert_true(p.timeout_ms > 0);
    fixture_sleep(&f, f.options.stall_timeout_ms - 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);

    for (unsigned i = 0; i < IOTHUB_UNACCEPTED_MAX + 10; i++) {
        assert_int_equal(iothub_message_accept(f.client, f.deliveries[i]), IOTHUB_OK);
        fixture_run(&f);
    }
    assert_int_equal(f.c2d_count, IOTHUB_UNACCEPTED_MAX + 10);
    assert_int_equal(f.hub.acks, IOTHUB_UNACCEPTED_MAX + 10);
    fixture_free(&f);
}

/* Acts as an event loop that sleeps for the time that iothub_poll_info returns. */
static void turn_while_asked(client_fixture *f)
{
    iothub_poll p;

    for (int turns = 0; turns < 100; turns++) {
        iothub_poll_info(f->client, &p);
        if (p.timeout_ms != 0 && (!p.fds[0].want_read || scripted_unread(fixture_stream(f)) == 0)) {
            return;
        }
        assert_int_equal(iothub_process(f->client), IOTHUB_OK);
        (void)fake_hub_serve(&f->hub, fixture_stream(f));
    }
    fail_msg("a busy loop");
}

static void what_a_full_table_left_unread_is_read_after_the_accepts(void **state)
{
    (void)state;
    for (unsigned behind = 1; behind <= 20; behind++) {
        client_fixture f;
        fixture_init(&f, fixture_quiet);
        f.disposition = IOTHUB_DEFER;
        fixture_connect(&f);
        fixture_stream(&f)->fd = 7;
        for (uint16_t i = 1; i <= IOTHUB_UNACCEPTED_MAX + 10; i++) {
            fake_hub_send(fixture_stream(&f), TOPIC, "x", 1, i);
        }
        turn_while_asked(&f);
        for (uint16_t i = 0; i < behind; i++) {
            fake_hub_send(fixture_stream(&f), TOPIC, "x", 1, (uint16_t)(100 + i));
        }
        turn_while_asked(&f);
        assert_int_equal(f.c2d_count, IOTHUB_UNACCEPTED_MAX);

        for (unsigned i = 0; i < IOTHUB_UNACCEPTED_MAX; i++) {
            assert_int_equal(iothub_message_accept(f.client, f.deliveries[i]), IOTHUB_OK);
        }
        turn_while_asked(&f);
        assert_int_equal(scripted_unread(fixture_stream(&f)), 0);
        assert_int_equal(f.c2d_count, IOTHUB_UNACCEPTED_MAX + 10 + behind);
        fixture_free(&f);
    }
}

/* While the stream accepts no bytes, acknowledgements fill the control area and then the table
 * of messages. */
static void reading_goes_on_as_soon_as_acknowledgements_can_leave(void **state)
{
    (void)state;
    static const char *const topics[] = { TOPIC, "devices/device10/messages/devicebound/" };

    for (unsigned t = 0; t < 2; t++) {
        client_fixture f;
        const unsigned count = 500;
        fixture_init(&f, fixture_quiet);
        fixture_connect(&f);
        fixture_stream(&f)->fd = 7;
        fixture_stream(&f)->send_room = 0;
        for (uint16_t i = 1; i <= count; i++) {
            fake_hub_send(fixture_stream(&f), topics[t], "x", 1, i);
        }
        turn_while_asked(&f);
        assert_int_equal(f.hub.acks, 0);

        fixture_stream(&f)->send_room = SIZE_MAX;
        /* An application calls it now, because the stream is writable. */
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        (void)fake_hub_serve(&f.hub, fixture_stream(&f));
        turn_while_asked(&f);
        assert_int_equal(scripted_unread(fixture_stream(&f)), 0);
        assert_int_equal(f.hub.acks, count);
        fixture_free(&f);
    }
}

static void an_oversize_message_is_skipped_and_acknowledged(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    char *body = calloc(1, 100001);
    fixture_init(&f, NULL);
    fixture_connect(&f);
    memset(body, 'x', 100000);

    fake_hub_send(fixture_stream(&f), TOPIC, body, 100000, 5);
    send_message(&f, "", "small", 6);

    assert_int_equal(f.c2d_count, 1);
    assert_string_equal(f.c2d_body, "small");
    assert_int_equal(f.hub.acks, 2);
    assert_int_equal(f.hub.acked[0], 5);
    assert_non_null(strstr(f.log, "100000 bytes"));
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.c2d_oversize, 1);
    free(body);
    fixture_free(&f);
}

static void a_message_on_a_strange_topic_does_not_block(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (uint16_t i = 1; i <= 2 * IOTHUB_UNACCEPTED_MAX; i++) {
        fake_hub_send(fixture_stream(&f), "devices/device10/messages/devicebound/", "x", 1, i);
        fixture_run(&f);
    }

    assert_int_equal(f.c2d_count, 0);
    assert_int_equal(f.hub.acks, 2 * IOTHUB_UNACCEPTED_MAX);
    fixture_free(&f);
}

/* --- properties ------------------------------------------------------------------ */

#define BAG \
    "%24.mid=id%201&$.cid=c&null&empty=&plus=a%2Bb&twice=1&twice=2&eq=a=b&%C3%A4=%F0%9F%98%80"

static void check_property(const iothub_message *m, const char *name, const char *expected)
{
    char out[64];
    size_t len = 99;
    assert_int_equal(iothub_message_property(m, name, out, sizeof out, &len), IOTHUB_OK);
    assert_string_equal(out, expected);
    assert_int_equal(len, strlen(expected));
}

static void check_look_up(client_fixture *f, const iothub_message *m)
{
    char out[8];
    (void)f;
    check_property(m, IOTHUB_MESSAGE_ID, "id 1");
    check_property(m, IOTHUB_CORRELATION_ID, "c");
    check_property(m, "empty", "");
    check_property(m, "plus", "a+b");
    check_property(m, "twice", "1");
    check_property(m, "eq", "a=b");
    check_property(m, "\xC3\xA4", "\xF0\x9F\x98\x80");
    assert_int_equal(iothub_message_property(m, "null", out, sizeof out, NULL),
                     IOTHUB_ERR_PART_MISSING);
    assert_int_equal(iothub_message_property(m, "absent", out, sizeof out, NULL),
                     IOTHUB_ERR_PART_MISSING);
    assert_int_equal(iothub_message_property(m, "mid", out, sizeof out, NULL),
                     IOTHUB_ERR_PART_MISSING);
    assert_int_equal(iothub_message_property(m, IOTHUB_MESSAGE_ID, out, 5, NULL), IOTHUB_OK);
    assert_int_equal(iothub_message_property(m, IOTHUB_MESSAGE_ID, out, 4, NULL),
                     IOTHUB_ERR_NO_SPACE);
    assert_int_equal(iothub_message_property(m, NULL, out, 4, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_message_property(m, "a", NULL, 4, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_message_property(m, "a", out, 0, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_message_input(m).len, 0);
}

static void properties_are_found_by_name(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.on_c2d = check_look_up;
    fixture_connect(&f);
    send_message(&f, BAG, "x", 1);
    assert_int_equal(f.c2d_count, 1);
    fixture_free(&f);
}

static void check_walk(client_fixture *f, const iothub_message *m)
{
    static const struct {
        const char *name, *value;
        bool has_value;
    } expected[] = {
        { "$.mid", "id 1", true },
        { "$.cid", "c", true },
        { "null", "", false },
        { "empty", "", true },
        { "plus", "a+b", true },
        { "twice", "1", true },
        { "twice", "2", true },
        { "eq", "a=b", true },
        { "\xC3\xA4", "\xF0\x9F\x98\x80", true },
    };
    iothub_property_cursor cursor = { .offset = 0 };
    (void)f;

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(iothub_message_next_property(m, &cursor));
        assert_string_equal(cursor.name, expected[i].name);
        assert_string_equal(cursor.value, expected[i].value);
        assert_int_equal(cursor.has_value, expected[i].has_value);
        assert_false(cursor.truncated);
    }
    assert_false(iothub_message_next_property(m, &cursor));
    assert_false(iothub_message_next_property(m, &cursor));
    /* A cursor at an offset that this message never had. */
    for (size_t behind = 1; behind != 0; behind *= 2) {
        iothub_property_cursor stray = { .offset = cursor.offset + behind };
        assert_false(iothub_message_next_property(m, &stray));
    }
}

static void a_walk_meets_every_property_in_order(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.on_c2d = check_walk;
    fixture_connect(&f);
    send_message(&f, BAG, "x", 1);
    assert_int_equal(f.c2d_count, 1);
    fixture_free(&f);
}

static void check_long(client_fixture *f, const iothub_message *m)
{
    iothub_property_cursor cursor = { .offset = 0 };
    char out[200];
    size_t len;
    (void)f;
    assert_true(iothub_message_next_property(m, &cursor));
    assert_true(cursor.truncated);
    assert_int_equal(strlen(cursor.name), sizeof cursor.name - 1);
    assert_true(iothub_message_next_property(m, &cursor));
    assert_false(cursor.truncated);
    assert_string_equal(cursor.name, "b");
    assert_int_equal(iothub_message_property(m, "b", out, sizeof out, &len), IOTHUB_OK);
}

static void check_nul(client_fixture *f, const iothub_message *m)
{
    iothub_property_cursor cursor = { .offset = 0 };
    char out[8];
    size_t len;
    (void)f;
    assert_true(iothub_message_next_property(m, &cursor));
    assert_string_equal(cursor.name, "a");
    assert_string_equal(cursor.value, "x");
    assert_true(cursor.truncated);
    assert_int_equal(iothub_message_property(m, "a", out, sizeof out, &len), IOTHUB_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(out, "x\0y", 4);
    assert_true(iothub_message_next_property(m, &cursor));
    assert_string_equal(cursor.value, "z");
    assert_true(cursor.truncated); /* true even if nothing follows the NUL */
}

static void a_value_with_a_nul_is_cut_there_and_says_so(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.on_c2d = check_nul;
    fixture_connect(&f);

    send_message(&f, "a=x%00y&b=z%00", "x", 1);
    assert_int_equal(f.c2d_count, 1);
    fixture_free(&f);
}

static void a_long_name_is_cut_and_the_walk_goes_on(void **state)
{
    (void)state;
    client_fixture f;
    char bag[160];
    fixture_init(&f, NULL);
    f.on_c2d = check_long;
    fixture_connect(&f);
    memset(bag, 'n', 128);
    strcpy(bag + 128, "=1&b=2");
    send_message(&f, bag, "x", 1);
    assert_int_equal(f.c2d_count, 1);
    fixture_free(&f);
}

static void walk_anything(client_fixture *f, const iothub_message *m)
{
    iothub_property_cursor cursor = { .offset = 0 };
    unsigned n = 0;
    char out[16];
    (void)f;
    while (iothub_message_next_property(m, &cursor)) {
        (void)iothub_message_property(m, cursor.name, out, sizeof out, NULL);
        assert_true(++n < 100);
    }
}

static void broken_bags_are_walked_to_their_end(void **state)
{
    (void)state;
    static const char *const bags[] = { "&",    "&&&",       "=",  "=&=",  "%",     "a=%",
                                        "a=%4", "%zz=1&b=2", "a&", "&a=1", "a==b&", "%00=%00" };
    client_fixture f;
    fixture_init(&f, NULL);
    f.on_c2d = walk_anything;
    fixture_connect(&f);
    for (uint16_t i = 0; i < sizeof bags / sizeof bags[0]; i++) {
        send_message(&f, bags[i], "x", (uint16_t)(i + 1));
        assert_int_equal(f.c2d_count, i + 1);
    }
    fixture_free(&f);
}

static char input_seen[32];

static void look_at_input(client_fixture *f, const iothub_message *m)
{
    mqc_span in = iothub_message_input(m);
    (void)f;
    snprintf(input_seen, sizeof input_seen, "%.*s", (int)in.len, (const char *)in.ptr);
}

static void a_module_gets_its_inputs(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f,
                    "HostName=h.net;DeviceId=d;ModuleId=m;"
                    "SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    NULL);
    f.on_c2d = look_at_input;
    fixture_connect(&f);
    assert_non_null(strstr(f.hub.filters, "devices/d/modules/m/inputs/#"));

    fake_hub_send(fixture_stream(&f), "devices/d/modules/m/inputs/temp/a=1", "x", 1, 3);
    fixture_run(&f);

    assert_int_equal(f.c2d_count, 1);
    assert_string_equal(input_seen, "temp");
    assert_int_equal(f.hub.acks, 1);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_message_is_acknowledged),
        cmocka_unit_test(a_deferred_message_is_acknowledged_when_it_is_accepted),
        cmocka_unit_test(accepted_in_any_order_they_are_acknowledged_as_they_came),
        cmocka_unit_test(after_a_cut_it_cannot_be_accepted_any_more),
        cmocka_unit_test(a_redelivery_says_so),
        cmocka_unit_test(qos_0_needs_no_acceptance),
        cmocka_unit_test(a_full_table_stops_reading_and_goes_on_after_an_accept),
        cmocka_unit_test(what_a_full_table_left_unread_is_read_after_the_accepts),
        cmocka_unit_test(reading_goes_on_as_soon_as_acknowledgements_can_leave),
        cmocka_unit_test(an_oversize_message_is_skipped_and_acknowledged),
        cmocka_unit_test(a_message_on_a_strange_topic_does_not_block),
        cmocka_unit_test(properties_are_found_by_name),
        cmocka_unit_test(a_walk_meets_every_property_in_order),
        cmocka_unit_test(a_value_with_a_nul_is_cut_there_and_says_so),
        cmocka_unit_test(a_long_name_is_cut_and_the_walk_goes_on),
        cmocka_unit_test(broken_bags_are_walked_to_their_end),
        cmocka_unit_test(a_module_gets_its_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
