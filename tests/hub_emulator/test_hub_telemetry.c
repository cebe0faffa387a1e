#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "messages/telemetry.h"

#define EVENTS 50
#define BYTES  30000

static void add(hub_telemetry *t, const char *device, const char *wire, const void *body,
                size_t len)
{
    hub_bag bag;
    hub_fault fault;

    assert_int_equal(hub_bag_parse(wire, strlen(wire), &bag, &fault), HUB_OK);
    const hub_event_login login = {
        .device = device,
        .generation_id = "123",
        .auth_scope = "device",
        .auth_type = "sas",
        .model_id = "",
    };
    hub_event_sender *sender = hub_event_sender_new(&login);
    const hub_event_input in = {
        .sender = sender,
        .bag = &bag,
        .body = body,
        .len = len,
        .qos = 1,
        .now_ms = 1000,
    };
    assert_int_equal(hub_telemetry_add(t, &in, &fault), HUB_OK);
    hub_event_sender_free(sender);
    hub_bag_free(&bag);
}

static hub_store store;

static int make_store(void **state)
{
    static char dir[32];

    (void)state;
    hub_json_init();
    strcpy(dir, P_tmpdir "/hub_events.XXXXXX");
    assert_non_null(mkdtemp(dir));
    hub_store_open(&store, dir, NULL, NULL);
    return 0;
}

static int remove_store(void **state)
{
    hub_fault fault;

    (void)state;
    (void)hub_store_remove(&store, "events.ndjson", &fault);
    (void)hub_store_remove(&store, "events.old.ndjson", &fault);
    assert_int_equal(rmdir(store.dir), 0);
    hub_store_close(&store);
    return 0;
}

static void open_log(hub_telemetry *t)
{
    hub_fault fault;
    assert_int_equal(hub_telemetry_open(t, &store, EVENTS, BYTES, &fault), HUB_OK);
}

static void an_event_says_what_arrived(void **state)
{
    (void)state;
    hub_telemetry t;
    uint64_t from = 1;

    open_log(&t);
    add(&t, "d", "%24.ct=text&%24.x=y&a=1&n", "hi\n", 3);
    add(&t, "d", "", "\xFF", 1);

    assert_string_equal(
        hub_telemetry_from(&t, &from, NULL)->json,
        "{\"sequence\":1,\"enqueuedTime\":\"1970-01-01T00:00:01.000Z\",\"deviceId\":\"d\","
        "\"systemProperties\":{\"content-type\":\"text\",\"$.x\":\"y\","
        "\"iothub-connection-device-id\":\"d\","
        "\"iothub-connection-auth-method\":\"{\\\"scope\\\":\\\"device\\\",\\\"type\\\":"
        "\\\"sas\\\","
        "\\\"issuer\\\":\\\"iothub\\\",\\\"acceptingIpFilterRule\\\":null}\","
        "\"iothub-connection-auth-generation-id\":\"123\","
        "\"iothub-enqueuedtime\":\"1970-01-01T00:00:01.000Z\","
        "\"iothub-message-source\":\"Telemetry\"},"
        "\"properties\":{\"a\":\"1\",\"n\":null},\"body\":\"hi\\n\",\"bodyLength\":3,\"qos\":1}");
    from = 2;
    assert_non_null(strstr(hub_telemetry_from(&t, &from, "d")->json, "\"bodyBase64\":\"/w==\""));
    from = 3;
    assert_null(hub_telemetry_from(&t, &from, NULL));
    hub_telemetry_close(&t);
}

static void a_watcher_of_one_device_skips_the_others(void **state)
{
    (void)state;
    hub_telemetry t;
    uint64_t from = 0;

    open_log(&t);
    add(&t, "a", "", "1", 1);
    add(&t, "b", "", "2", 1);

    assert_string_equal(hub_telemetry_from(&t, &from, "b")->device, "b");
    assert_int_equal(from, 2);
    from = 3;
    assert_null(hub_telemetry_from(&t, &from, "b"));
    hub_telemetry_close(&t);
}

static void the_oldest_go_when_the_log_is_full(void **state)
{
    (void)state;
    hub_telemetry t;
    uint64_t from = 1;

    open_log(&t);
    for (int i = 0; i < EVENTS + 10; i++) {
        add(&t, "d", "", "x", 1);
    }

    assert_non_null(hub_telemetry_from(&t, &from, NULL));
    assert_int_equal(from, 11);
    assert_int_equal(t.count, EVENTS);
    hub_telemetry_close(&t);
}

static void bytes_are_bounded_too(void **state)
{
    (void)state;
    hub_telemetry t;
    char body[3000];

    open_log(&t);
    memset(body, 'x', sizeof body);
    for (size_t i = 0; i < 40; i++) {
        add(&t, "d", "", body, sizeof body);
        assert_true(t.bytes <= BYTES);
    }
    assert_int_equal(t.count, 8);
    hub_telemetry_close(&t);
}

static void events_survive_a_restart_but_half_a_line_does_not(void **state)
{
    (void)state;
    hub_telemetry t;
    uint64_t from = 0;

    open_log(&t);
    add(&t, "d", "a=1", "one", 3);
    hub_telemetry_close(&t);
    char *path = hub_store_path(&store, "events.ndjson");
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    (void)fputs("{\"sequence\":2,\"devi", file);
    assert_int_equal(fclose(file), 0);
    open_log(&t);
    add(&t, "d", "", "two", 3);
    hub_telemetry_close(&t);
    open_log(&t);

    assert_int_equal(t.count, 2);
    assert_int_equal(t.next_sequence, 3);
    assert_non_null(strstr(hub_telemetry_from(&t, &from, NULL)->json, "\"body\":\"one\""));
    assert_int_equal(from, 1);
    hub_telemetry_close(&t);
    free(path);
}

static void a_damaged_line_costs_no_other(void **state)
{
    (void)state;
    hub_telemetry t;
    uint64_t from = 2;

    open_log(&t);
    add(&t, "d", "", "one", 3);
    add(&t, "d", "", "two", 3);
    add(&t, "d", "", "three", 5);
    hub_telemetry_close(&t);
    char *path = hub_store_path(&store, "events.ndjson");
    FILE *file = fopen(path, "r+");
    char text[2000] = "";
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    assert_int_equal(fseek(file, strstr(text, "two") - text, SEEK_SET), 0);
    (void)fputs("TWO", file); /* still valid JSON, and still an event */
    assert_int_equal(fclose(file), 0);
    open_log(&t);

    assert_int_equal(t.count, 2);
    assert_non_null(strstr(hub_telemetry_from(&t, &from, NULL)->json, "\"body\":\"three\""));
    assert_int_equal(from, 3);
    add(&t, "d", "", "four", 4);
    from = 4;
    assert_non_null(strstr(hub_telemetry_from(&t, &from, NULL)->json, "\"body\":\"four\""));
    hub_telemetry_close(&t);
    free(path);
}

static void size_counts_body_and_properties(void **state)
{
    (void)state;
    hub_bag bag;
    hub_fault fault;

    static const char wire[] = "%24.mid=abc&name=value&alone";
    assert_int_equal(hub_bag_parse(wire, strlen(wire), &bag, &fault), HUB_OK);

    assert_int_equal(hub_telemetry_size(&bag, 100), 100 + 3 + 4 + 5 + 5);
    const size_t room = HUB_TELEMETRY_SIZE_MAX - 17;
    assert_int_equal(hub_telemetry_check(&bag, room, &fault), HUB_OK);
    assert_int_equal(hub_telemetry_check(&bag, room + 1, &fault), HUB_ERR_TOO_LARGE);
    hub_bag_free(&bag);
}

static void a_message_id_has_its_own_rules(void **state)
{
    (void)state;
    char *longest = calloc(1, 200);
    hub_fault fault;

    assert_non_null(longest);
    memset(longest, 'x', 128);
    const struct {
        const char *id;
        hub_result r;
    } cases[] = {
        { "aZ9-:.+%_#*?!(),=@;$'", HUB_OK }, { longest, HUB_OK },
        { "a b", HUB_ERR_ARGUMENT },         { "\xC3\xA4", HUB_ERR_ARGUMENT },
        { "a/b", HUB_ERR_ARGUMENT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_bag bag = { 0 };
        hub_bag_add(&bag, "$.mid", cases[i].id);
        if (hub_telemetry_check(&bag, 0, &fault) != cases[i].r) {
            fail_msg("%s", cases[i].id);
        }
        hub_bag_free(&bag);
    }
    hub_bag bag = { 0 };
    strcat(longest, "x");
    hub_bag_add(&bag, "$.mid", longest);
    assert_int_equal(hub_telemetry_check(&bag, 0, &fault), HUB_ERR_ARGUMENT);
    hub_bag_free(&bag);
    free(longest);
}

static void parts_that_disagree_are_noticed(void **state)
{
    (void)state;
    hub_telemetry t;

    open_log(&t);
    assert_true(hub_telemetry_valid(&t));
    t.bytes = 1;
    assert_false(hub_telemetry_valid(&t));
    t.bytes = 0;
    for (int i = 0; i < EVENTS + 10; i++) {
        add(&t, "d", "", "x", 1);
    }
    assert_true(hub_telemetry_valid(&t));
    t.bytes--;
    assert_false(hub_telemetry_valid(&t));
    t.bytes++;
    t.next_sequence++;
    assert_false(hub_telemetry_valid(&t));
    t.next_sequence--;
    t.ring[t.first].sequence += 2;
    assert_false(hub_telemetry_valid(&t));
    t.ring[t.first].sequence -= 2;
    t.events_max--;
    assert_false(hub_telemetry_valid(&t));
    t.events_max++;
    assert_true(hub_telemetry_valid(&t));
    hub_telemetry_close(&t);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_event_says_what_arrived),
        STORE_TEST(a_watcher_of_one_device_skips_the_others),
        STORE_TEST(the_oldest_go_when_the_log_is_full),
        STORE_TEST(bytes_are_bounded_too),
        STORE_TEST(events_survive_a_restart_but_half_a_line_does_not),
        STORE_TEST(a_damaged_line_costs_no_other),
        STORE_TEST(parts_that_disagree_are_noticed),
        STORE_TEST(size_counts_body_and_properties),
        STORE_TEST(a_message_id_has_its_own_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
