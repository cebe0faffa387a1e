/* Tests the faults that a test may request over REST. */

#include <string.h>

#include "hub_exchange.h"

#define DEVICE "/emulator/devices/device1/faults"
#define NEXT   "/emulator/faults"

static const int device_key;

static void expect_order(const hub_fixture *f, size_t i, hub_note_kind kind, uint32_t value,
                         uint64_t count)
{
    assert_true(f->order_count > i);
    assert_int_equal(f->orders[i].kind, kind);
    assert_int_equal(f->orders[i].value, value);
    assert_int_equal(f->orders[i].count, count);
}

static void faults_of_a_device_reach_its_connection(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "PUT", DEVICE, "{\"drop\":\"reset\"}"), 404);
    assert_string_equal(x.handling.reply.code, "DeviceNotOnline");
    assert_int_equal(fixture_connect(f, &device_key, "device1", true), HUB_OK);
    assert_int_equal(hub_ask(&x, "PUT", DEVICE,
                             "{\"delayMs\":5,\"delayPubacksMs\":600000,\"cutToDevice\":0,"
                             "\"cutFromDevice\":4294967295,\"drop\":\"reset\"}"),
                     204);
    expect_order(f, 0, HUB_NOTE_DELAY, 5, 0);
    expect_order(f, 1, HUB_NOTE_DELAY_PUBACKS, 600000, 0);
    expect_order(f, 2, HUB_NOTE_CUT_TO_DEVICE, 0, 0);
    expect_order(f, 3, HUB_NOTE_CUT_FROM_DEVICE, 4294967295, 0);
    expect_order(f, 4, HUB_NOTE_DROP, HUB_DROP_RESET, 0);
    assert_int_equal(f->orders[4].number, f->last_number);
    hub_exchange_end(&x);
}

static void faults_of_the_next_connections_reach_the_front(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "PUT", NEXT,
                             "{\"tls\":{\"alert\":40,\"count\":3},\"upgrades\":{\"status\":429}}"),
                     204);
    expect_order(f, 0, HUB_NOTE_REFUSE_TLS, 40, 3);
    expect_order(f, 1, HUB_NOTE_REFUSE_UPGRADES, 429, 1);
    assert_int_equal(hub_ask(&x, "PUT", NEXT, "{\"upgrades\":{\"delayMs\":50,\"count\":2}}"), 204);
    expect_order(f, 2, HUB_NOTE_DELAY_UPGRADES, 50, 2);
    hub_exchange_end(&x);
}

static void what_is_wrong_gives_no_order(void **state)
{
    static const char *const for_device[] = {
        NULL,
        "[]",
        "{}",
        "{\"drop\":\"x\"}",
        "{\"drop\":true,\"delayMs\":5}",
        "{\"delayMs\":-1}",
        "{\"delayMs\":600001}",
        "{\"delayMs\":\"5\"}",
        "{\"delayMs\":5,\"cutToDevice\":1.5}",
        "{\"cutFromDevice\":4294967296}",
    };
    static const char *const next[] = {
        NULL,
        "{}",
        "{\"tls\":{\"alert\":256}}",
        "{\"tls\":{\"count\":-1}}",
        "{\"upgrades\":{\"status\":200}}",
        "{\"requests\":{\"on\":\"nothing\"}}",
        "{\"requests\":{\"on\":[]}}",
        "{\"requests\":{\"status\":\"x\"}}",
        "{\"storage\":{\"kind\":\"x\"}}",
        "{\"storage\":{\"on\":[\"block\",5]}}",
        "{\"storage\":{\"after\":-1}}",
        "{\"requests\":5}",
        "{\"requests\":null}",
        "{\"storage\":[]}",
        "{\"upgrades\":true}",
        "{\"tls\":\"\"}",
        "{\"tls\":{},\"upgrades\":{\"status\":200}}",
        "{\"requests\":{},\"storage\":{\"kind\":\"x\"}}",
    };
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(fixture_connect(f, &device_key, "device1", true), HUB_OK);
    for (size_t i = 0; i < sizeof for_device / sizeof for_device[0]; i++) {
        assert_int_equal(hub_ask(&x, "PUT", DEVICE, for_device[i]), 400);
    }
    for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
        assert_int_equal(hub_ask(&x, "PUT", NEXT, next[i]), 400);
    }
    assert_int_equal(f->order_count, 0);
    assert_int_equal(f->hub.request_faults.count, 0);
    assert_int_equal(f->hub.storage_faults.count, 0);
    assert_int_equal(hub_ask(&x, "PUT", "/emulator/devices/nobody/faults", "{\"delayMs\":5}"), 404);
    hub_exchange_end(&x);
}

static void requests_fail_by_kind_and_count(void **state)
{
    static const char files[] = "/devices/device1/files";
    hub_exchange x = { .fixture = *state };

    assert_int_equal(
        hub_ask(&x, "PUT", NEXT,
                "{\"requests\":{\"on\":[\"files\"],\"skip\":1,\"count\":2,\"status\":429}}"),
        204);
    assert_int_equal(hub_ask(&x, "GET", "/devices/device1", NULL), 200);
    assert_int_equal(hub_ask(&x, "POST", files, "{\"blobName\":\"x\"}"), 200);
    assert_int_equal(hub_ask(&x, "POST", files, "{\"blobName\":\"x\"}"), 429);
    assert_int_equal(hub_ask(&x, "POST", files, "{\"blobName\":\"x\"}"), 429);
    assert_int_equal(hub_ask(&x, "POST", files, "{\"blobName\":\"x\"}"), 200);
    assert_int_equal(hub_ask(&x, "PUT", NEXT, "{\"requests\":{\"on\":\"notifications\"}}"), 204);
    assert_int_equal(hub_ask(&x, "POST", "/devices/device1/files/notifications",
                             "{\"correlationId\":\"x\",\"isSuccess\":true}"),
                     503);
    assert_int_equal(hub_ask(&x, "PUT", NEXT, "{\"requests\":{\"on\":\"service\",\"count\":1}}"),
                     204);
    assert_int_equal(hub_ask(&x, "GET", "/devices/device1", NULL), 503);
    assert_int_equal(hub_ask(&x, "GET", "/devices/device1", NULL), 200);
    hub_exchange_end(&x);
}

static void faults_of_the_storage_are_kept_for_it(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "PUT", NEXT,
                             "{\"storage\":{\"on\":[\"block\",\"blocklist\"],\"kind\":\"close\","
                             "\"after\":1000,\"skip\":2,\"count\":3}}"),
                     204);
    assert_int_equal(f->hub.storage_faults.on, HUB_STORAGE_PUT_BLOCK | HUB_STORAGE_PUT_LIST);
    assert_int_equal(f->hub.storage_faults.kind, HUB_STORAGE_FAULT_CLOSE);
    assert_int_equal(f->hub.storage_faults.after, 1000);
    assert_int_equal(f->hub.storage_faults.skip, 2);
    assert_int_equal(f->hub.storage_faults.count, 3);
    assert_int_equal(hub_ask(&x, "PUT", NEXT, "{\"storage\":{}}"), 204);
    assert_int_equal(f->hub.storage_faults.on, HUB_STORAGE_ALL);
    assert_int_equal(f->hub.storage_faults.kind, HUB_STORAGE_FAULT_STATUS);
    assert_int_equal(f->hub.storage_faults.status, 503);
    hub_exchange_end(&x);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(faults_of_a_device_reach_its_connection),
        TEST(faults_of_the_next_connections_reach_the_front),
        TEST(what_is_wrong_gives_no_order),
        TEST(requests_fail_by_kind_and_count),
        TEST(faults_of_the_storage_are_kept_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
