/* Tests that the work of the hub grows with the number of its devices, but not with its square.
 * The work of the C library (reading directories, moving memory) is not counted. */

#include "growth_hub.h"
#include "hub/hub_c2d.h"
#include "query/query.h"

/* --- a fleet ----------------------------------------------------------- */

static uint64_t registering(size_t n)
{
    growth_start(0);
    uint64_t began = steps_now();
    growth_add_devices(n);
    return growth_end(began);
}

static uint64_t restarting(size_t n)
{
    growth_start(0);
    growth_add_devices(n);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "d%05zu", i);
        fixture_queue(growth.fixture, name, "x", 60);
    }

    uint64_t began = steps_now();
    fixture_restart(growth.fixture);
    return growth_end(began);
}

static uint64_t asking_each(size_t n, const char *method, const char *format, const char *body,
                            int status)
{
    char path[64];
    growth_start(0);
    growth_add_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, format, i);
        assert_int_equal(growth_request(method, path, body), status);
    }
    return growth_end(began);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static uint64_t removing(size_t n)
{
    return asking_each(n, "DELETE", "/devices/d%05zu", NULL, 204);
}

static uint64_t adding_modules(size_t n)
{
    return asking_each(n, "PUT", "/devices/device1/modules/m%zu", "{}", 200);
}
#pragma GCC diagnostic pop

static uint64_t removing_a_device_of_modules(size_t n)
{
    char name[32];
    growth_start(0);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "m%05zu", i);
        (void)growth_add("device1", name);
    }

    uint64_t began = steps_now();
    assert_int_equal(growth_request("GET", "/devices/device1/modules", NULL), 200);
    assert_int_equal(growth_request("DELETE", "/devices/device1", NULL), 204);
    return growth_end(began);
}

static uint64_t asking_once(size_t n, const char *method, const char *path, const char *body)
{
    growth_start(0);
    growth_add_devices(n);

    uint64_t began = steps_now();
    assert_int_equal(growth_request(method, path, body), 200);
    return growth_end(began);
}

static uint64_t listing(size_t n)
{
    return asking_once(n, "GET", "/devices", NULL);
}

static uint64_t counting(size_t n)
{
    return asking_once(n, "GET", "/statistics/devices", NULL);
}

static uint64_t querying(size_t n)
{
    return asking_once(n, "POST", "/devices/query",
                       "{\"query\":\"SELECT deviceId FROM devices WHERE tags.x = 1 OR status = "
                       "'disabled'\"}");
}

static uint64_t grouping(size_t n)
{
    return asking_once(n, "POST", "/devices/query",
                       "{\"query\":\"SELECT deviceId, COUNT() AS n FROM devices GROUP BY "
                       "deviceId\"}");
}

static uint64_t paging(size_t n)
{
    hub_query *q;
    hub_query_page page = { 0 };
    hub_fault fault;
    growth_start(0);
    growth_add_devices(n);
    assert_int_equal(hub_query_parse("SELECT * FROM devices WHERE status = 'enabled'", &q, &fault),
                     HUB_OK);

    uint64_t began = steps_now();
    do {
        char *from = page.continuation;
        assert_int_equal(hub_query_run(q, &growth.fixture->hub.registry, from, 7, &page, &fault),
                         HUB_OK);
        free(from);
        cJSON_Delete(page.rows);
    } while (page.continuation != NULL);
    hub_query_free(q);
    return growth_end(began);
}

static void a_registry_costs_the_same_for_each_device(void **state)
{
    (void)state;
    steps_check("devices that are registered", registering, 50);
    steps_check("devices and messages at a start", restarting, 50);
    steps_check("devices that are removed", removing, 50);
    steps_check("modules that are registered", adding_modules, 50);
    steps_check("modules that are removed with their device", removing_a_device_of_modules, 50);
    steps_check("devices that are listed", listing, 50);
    steps_check("devices that are counted", counting, 50);
    steps_check("devices that are queried", querying, 50);
    steps_check("devices that are grouped", grouping, 50);
    steps_check("devices that are queried page by page", paging, 50);
}

/* --- a fleet that is connected ----------------------------------------- */

static uint64_t publishing(size_t n)
{
    char topic[64];
    growth_start(n);
    growth_add_devices(n);

    uint64_t began = steps_now();
    growth_connect_devices(n);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(topic, sizeof topic, "devices/d%05zu/messages/events/", i);
        assert_int_equal(fixture_publish(growth.fixture, &growth.keys[i], topic, "x"), HUB_OK);
    }
    return growth_end(began);
}

static uint64_t disconnecting(size_t n)
{
    growth_start(n);
    growth_add_devices(n);
    growth_connect_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        hub_disconnected(&growth.fixture->hub, &growth.keys[i]);
    }
    return growth_end(began);
}

static uint64_t dropping_all(size_t n)
{
    growth_start(n);
    growth_add_devices(n);
    growth_connect_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < growth.fixture->hub.registry.identities.count; i++) {
        hub_kick(&growth.fixture->hub, growth.fixture->hub.registry.identities.items[i]);
    }
    hub_tick(&growth.fixture->hub);
    assert_int_equal(growth.fixture->hub.connections.count, 0);
    return growth_end(began);
}

/* Sends a message to each device, and calls hub_tick and acknowledges once for each message. */
static uint64_t sending_to_each(size_t n)
{
    char text[80];
    growth_start(n);
    growth_add_devices(n);
    growth_connect_devices(n);
    hub_tick(&growth.fixture->hub);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text, sizeof text, "devices/d%05zu/messages/devicebound/#", i);
        fixture_subscribe(growth.fixture, &growth.keys[i], text, 1);
        (void)snprintf(text, sizeof text, "d%05zu", i);
        fixture_queue(growth.fixture, text, "x", 60);
        hub_tick(&growth.fixture->hub);
        hub_c2d_on_wire(&growth.fixture->hub, text, 1);
        hub_c2d_on_ack(&growth.fixture->hub, text, 1);
        hub_tick(&growth.fixture->hub);
    }
    assert_int_equal(growth.answers, n);
    return growth_end(began);
}

static uint64_t messages_to_one(size_t n)
{
    growth_start(1);
    assert_int_equal(fixture_connect(growth.fixture, &growth.keys[0], "device1", true), HUB_OK);
    fixture_subscribe(growth.fixture, &growth.keys[0], "devices/device1/messages/devicebound/#", 1);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        fixture_queue(growth.fixture, "device1", "x", 60);
    }
    hub_tick(&growth.fixture->hub);
    for (size_t i = 0; i < n; i++) {
        hub_c2d_on_wire(&growth.fixture->hub, "device1", (uint16_t)(i + 1));
        hub_c2d_on_ack(&growth.fixture->hub, "device1", (uint16_t)(i + 1));
        hub_tick(&growth.fixture->hub);
    }
    assert_int_equal(growth.answers, n);
    return growth_end(began);
}

/* How the method calls of one or many devices end: answered, not answered by the device,
 * abandoned by the caller, or refused because the device is offline. */
typedef enum methods_end { ANSWERED, SILENT, ABANDONED, OFFLINE } methods_end;

static uint64_t methods(size_t n, bool many, methods_end how)
{
    static const char subscription[] = "$iothub/methods/POST/#";
    rest_handling *handlings = calloc(n, sizeof *handlings);
    char text[80];
    growth_start(n);
    growth_add_devices(n);
    growth_connect_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        size_t k = many ? i : 0;
        (void)snprintf(text, sizeof text, "/twins/d%05zu/methods", k);
        assert_int_equal(growth_ask(&handlings[i], "POST", text,
                                    "{\"methodName\":\"m\",\"connectTimeoutInSeconds\":9}"),
                         0);
        if (how != OFFLINE) {
            fixture_subscribe(growth.fixture, &growth.keys[k], subscription, 0);
        }
    }
    hub_tick(&growth.fixture->hub);
    for (size_t i = 0; i < n && how == ANSWERED; i++) {
        (void)snprintf(text, sizeof text, "$iothub/methods/res/200/?$rid=%zu", i + 1);
        assert_int_equal(fixture_publish(growth.fixture, &growth.keys[many ? i : 0], text, "{}"),
                         HUB_OK);
    }
    for (size_t i = 0; i < n && how == ABANDONED; i++) {
        rest_abandon(&growth.fixture->hub, &handlings[i]);
    }
    growth.fixture->now_ms += 400000;
    hub_tick(&growth.fixture->hub);
    assert_int_equal(growth.fixture->hub.methods.count, 0);
    uint64_t took = steps_now() - began;
    for (size_t i = 0; i < n; i++) {
        rest_reply_free(&handlings[i].reply);
    }
    free(handlings);
    (void)growth_end(0);
    return took;
}

static uint64_t answered_by_one(size_t n)
{
    return methods(n, false, ANSWERED);
}

static uint64_t answered_by_many(size_t n)
{
    return methods(n, true, ANSWERED);
}

static uint64_t unanswered(size_t n)
{
    return methods(n, false, SILENT);
}

static uint64_t abandoned(size_t n)
{
    return methods(n, true, ABANDONED);
}

static uint64_t offline(size_t n)
{
    return methods(n, true, OFFLINE);
}

static uint64_t watching(size_t n)
{
    growth_start(1);
    assert_int_equal(fixture_connect(growth.fixture, &growth.keys[0], "device1", true), HUB_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(fixture_publish(growth.fixture, &growth.keys[0],
                                         "devices/device1/messages/events/", "x"),
                         HUB_OK);
    }

    uint64_t began = steps_now();
    uint64_t next = 1;
    for (size_t i = 0; i < n; i++) {
        assert_non_null(hub_telemetry_from(&growth.fixture->hub.telemetry, &next, "device1"));
        next++;
    }
    next = 1;
    assert_null(hub_telemetry_from(&growth.fixture->hub.telemetry, &next, "nobody"));
    fixture_restart(growth.fixture);
    return growth_end(began);
}

static void a_fleet_costs_the_same_for_each_device(void **state)
{
    (void)state;
    steps_check("devices that log in and publish", publishing, 50);
    steps_check("devices that go", disconnecting, 50);
    steps_check("devices that are dropped", dropping_all, 50);
    steps_check("devices that get a message", sending_to_each, 50);
    steps_check("messages to one device", messages_to_one, 6);
    steps_check("methods that one device answers", answered_by_one, 50);
    steps_check("methods that many devices answer", answered_by_many, 50);
    steps_check("methods that nobody answers", unanswered, 50);
    steps_check("methods whose caller goes", abandoned, 50);
    steps_check("methods for devices that do not listen", offline, 50);
    steps_check("events that are read, and read back", watching, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registry_costs_the_same_for_each_device),
        cmocka_unit_test(a_fleet_costs_the_same_for_each_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
