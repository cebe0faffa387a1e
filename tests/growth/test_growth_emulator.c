/* No request to the emulator grows with the square of its own size, nor the hub's work with the
 * square of its fleet.  What the C library does for it (a directory that is read, memory that is
 * moved) is not counted. */

#include <dirent.h>
#include <unistd.h>

#include "hub.h"
#include "hub_fixture.h"
#include "query.h"
#include "rest.h"
#include "steps.h"

static hub_fixture *fixture;
static char *token;
static char *keys; /* one for each connection */
static size_t answers;

/* --- a hub ------------------------------------------------------------- */

static void publish(void *user, const char *client_id, const char *topic, const void *payload,
                    size_t len, int qos)
{
    (void)user;
    (void)client_id;
    (void)topic;
    (void)payload;
    (void)len;
    (void)qos;
    answers++;
}

/* As Mosquitto: the end is reported before this returns. */
static void drop(void *user, const char *client_id)
{
    (void)user;
    const hub_identity *id = hub_registry_find_client(&fixture->hub.registry, client_id);
    if (id != NULL && id->session.connection != NULL) {
        hub_disconnected(&fixture->hub, id->session.connection->key);
    }
}

static void start(size_t connections)
{
    void *state = NULL;

    assert_int_equal(fixture_setup(&state), 0);
    fixture = state;
    fixture->hub.broker.publish = publish;
    fixture->hub.broker.drop = drop;
    keys = calloc(connections + 1, 1);
    token = fixture_token("localhost",
                          hub_registry_policy(&fixture->hub.registry, "iothubowner")->primary_key,
                          FIXTURE_NOW_S + 3600, "iothubowner");
    answers = 0;
}

static uint64_t end(uint64_t began)
{
    uint64_t took = steps_now() - began;
    void *state = fixture;

    free(token);
    free(keys);
    (void)fixture_teardown(&state);
    return took;
}

static const char *no_query(const rest_request *r, const char *name)
{
    (void)r;
    return strcmp(name, "api-version") == 0 ? "2021-04-12" : NULL;
}

static void ignore(rest_handling *h)
{
    (void)h;
    answers++;
}

/* The text of the reply is freed; a method goes on in *h. */
static int ask(rest_handling *h, const char *method, const char *path, const char *body)
{
    rest_request r = {
        .method = method,
        .path = path,
        .authorization = token,
        .host = "localhost",
        .if_match = strcmp(method, "DELETE") == 0 ? "*" : NULL,
        .body = body,
        .body_len = body != NULL ? strlen(body) : 0,
        .query = no_query,
    };

    *h = (rest_handling){ .finished = ignore };
    rest_outcome outcome = rest_handle(&fixture->hub, &r, h);
    int status = outcome == REST_LATER ? 0 : h->reply.status;
    rest_request_free(&r);
    rest_reply_free(&h->reply);
    return status;
}

static int request(const char *method, const char *path, const char *body)
{
    rest_handling h;
    return ask(&h, method, path, body);
}

static hub_identity *add(const char *device, const char *module)
{
    hub_identity *id;
    hub_fault fault;
    assert_int_equal(hub_registry_create(&fixture->hub.registry, device, module, NULL,
                                         fixture->now_ms, &id, &fault),
                     HUB_OK);
    return id;
}

static void add_devices(size_t n)
{
    char name[32];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "d%05zu", i);
        (void)add(name, NULL);
    }
}

static void connect_devices(size_t n)
{
    char name[32];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "d%05zu", i);
        assert_int_equal(fixture_connect(fixture, &keys[i], name, true), HUB_OK);
    }
}

/* {"p00000":<value>,..} between two texts */
static char *members(const char *before, size_t n, const char *value, const char *after)
{
    hub_text t = { 0 };

    hub_text_str(&t, before);
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "%s\"p%05zu\":%s", i > 0 ? "," : "", i, value);
    }
    hub_text_str(&t, after);
    return t.p;
}

/* --- one request ------------------------------------------------------- */

static uint64_t ask_with(size_t n, const char *before, const char *value, const char *after,
                         const char *path, int status)
{
    start(0);
    char *body = members(before, n, value, after);

    uint64_t began = steps_now();
    const char *method = strncmp(path, "/twins", 6) == 0 ? "PATCH" : "POST";
    assert_int_equal(request(method, path, body), status);
    uint64_t took = end(began);
    free(body);
    return took;
}

static uint64_t message_with_properties(size_t n)
{
    return ask_with(n, "{\"body\":\"x\",\"properties\":{", "\"\"", "}}",
                    "/emulator/devices/device1/messages", 201);
}

static uint64_t message_with_too_many_properties(size_t n)
{
    return ask_with(20 * n, "{\"body\":\"x\",\"properties\":{", "\"\"", "}}",
                    "/emulator/devices/device1/messages", 413);
}

static uint64_t message_with_one_property_again_and_again(size_t n)
{
    hub_text t = { 0 };
    start(0);
    hub_text_str(&t, "{\"properties\":{\"a\":\"\"");
    for (size_t i = 0; i < n; i++) {
        hub_text_str(&t, ",\"a\":\"\"");
    }
    hub_text_str(&t, "}}");

    uint64_t began = steps_now();
    assert_int_equal(request("POST", "/emulator/devices/device1/messages", t.p), 201);
    uint64_t took = end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t bag_of_telemetry(size_t n)
{
    hub_text t = { 0 };
    start(1);
    hub_text_str(&t, "devices/device1/messages/events/a=1");
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "&%zu=", i);
    }
    assert_int_equal(fixture_connect(fixture, &keys[0], "device1", true), HUB_OK);

    uint64_t began = steps_now();
    assert_int_equal(fixture_publish(fixture, &keys[0], t.p, "x"), HUB_OK);
    uint64_t took = end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t twin_of_many(size_t n, const char *value, const char *again, const char *method)
{
    start(0);
    char *first = members("{\"properties\":{\"desired\":{", n, value, "}}}");
    char *second = members("{\"properties\":{\"desired\":{", n, again, "}}}");

    uint64_t began = steps_now();
    assert_int_equal(request("PATCH", "/twins/device1", first), 200);
    assert_int_equal(request(method, "/twins/device1", second), 200);
    uint64_t took = end(began);
    free(first);
    free(second);
    return took;
}

static uint64_t twin_changed(size_t n)
{
    return twin_of_many(n, "1", "2", "PATCH");
}

static uint64_t twin_emptied(size_t n)
{
    return twin_of_many(n, "1", "null", "PATCH");
}

static uint64_t twin_replaced(size_t n)
{
    return twin_of_many(n, "{\"a\":1}", "{\"a\":2}", "PUT");
}

static uint64_t twin_patched_too_large(size_t n)
{
    return ask_with(20 * n, "{\"properties\":{\"desired\":{", "1", "}}}", "/twins/device1", 413);
}

static uint64_t twin_reported(size_t n)
{
    start(1);
    char *body = members("{", n, "1", "}");
    assert_int_equal(fixture_connect(fixture, &keys[0], "device1", true), HUB_OK);

    uint64_t began = steps_now();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fixture_publish(fixture, &keys[0],
                                         "$iothub/twin/PATCH/properties/reported/?$rid=1", body),
                         HUB_OK);
    }
    uint64_t took = end(began);
    free(body);
    return took;
}

static uint64_t array_in_a_twin(size_t n)
{
    hub_text t = { 0 };
    start(0);
    hub_text_str(&t, "{\"properties\":{\"desired\":{\"a\":[1");
    for (size_t i = 0; i < n; i++) {
        hub_text_str(&t, ",{\"b\":\"\"}");
    }
    hub_text_str(&t, "]}}}");

    uint64_t began = steps_now();
    assert_int_equal(request("PATCH", "/twins/device1", t.p), 200);
    assert_int_equal(request("PUT", "/twins/device1", t.p), 200);
    uint64_t took = end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t json_without_end(size_t n)
{
    start(0);
    char *body = calloc(n + 1, 1);
    memset(body, '[', n);

    uint64_t began = steps_now();
    assert_int_equal(request("POST", "/devices", body), 400);
    uint64_t took = end(began);
    free(body);
    return took;
}

static uint64_t bulk(size_t n)
{
    hub_text t = { 0 };
    start(0);
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "%s{\"id\":\"b%zu\",\"importMode\":\"create\"}", i > 0 ? "," : "[", i);
    }
    hub_text_str(&t, "]");

    uint64_t began = steps_now();
    assert_int_equal(request("POST", "/devices", t.p), 200);
    uint64_t took = end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t query_of(size_t n, const char *before, const char *piece, const char *after)
{
    hub_text t = { 0 };
    start(0);
    (void)add("other", NULL);
    hub_text_str(&t, before);
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "%s%zu", piece, i);
    }
    hub_text_str(&t, after);

    uint64_t began = steps_now();
    assert_int_equal(request("POST", "/devices/query", t.p), 200);
    uint64_t took = end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t conditions_of_a_query(size_t n)
{
    return query_of(n, "{\"query\":\"SELECT * FROM devices WHERE tags.a = 0",
                    " OR tags.a = ", "\"}");
}

static uint64_t columns_of_a_query(size_t n)
{
    return query_of(n, "{\"query\":\"SELECT tags.a", ", tags.b AS c", " FROM devices\"}");
}

static uint64_t constants_of_a_query(size_t n)
{
    return query_of(n, "{\"query\":\"SELECT * FROM devices WHERE tags.a IN [0", ", ", "]\"}");
}

static void a_request_costs_the_same_for_each_part_of_it(void **state)
{
    (void)state;
    steps_check("properties of a message", message_with_properties, 300);
    steps_check("properties of a message that is refused", message_with_too_many_properties, 500);
    steps_check("one property of a message again and again",
                message_with_one_property_again_and_again, 300);
    steps_check("properties of telemetry", bag_of_telemetry, 300);
    steps_check("members of a twin that are changed", twin_changed, 200);
    steps_check("members of a twin that are removed", twin_emptied, 200);
    steps_check("members of a twin that are replaced", twin_replaced, 100);
    steps_check("members of a twin that is refused", twin_patched_too_large, 300);
    steps_check("members that a device reports", twin_reported, 200);
    steps_check("objects in an array of a twin", array_in_a_twin, 300);
    steps_check("brackets of a JSON text", json_without_end, 10000);
    steps_check("entries of a bulk request", bulk, 12);
    steps_check("conditions of a query", conditions_of_a_query, 40);
    steps_check("columns of a query", columns_of_a_query, 40);
    steps_check("constants of a query", constants_of_a_query, 100);
}

/* --- a fleet ----------------------------------------------------------- */

static uint64_t registering(size_t n)
{
    start(0);
    uint64_t began = steps_now();
    add_devices(n);
    return end(began);
}

static uint64_t restarting(size_t n)
{
    start(0);
    add_devices(n);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "d%05zu", i);
        fixture_queue(fixture, name, "x", 60);
    }

    uint64_t began = steps_now();
    fixture_restart(fixture);
    return end(began);
}

static uint64_t asking_each(size_t n, const char *method, const char *format, const char *body,
                            int status)
{
    char path[64];
    start(0);
    add_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, format, i);
        assert_int_equal(request(method, path, body), status);
    }
    return end(began);
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
    start(0);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "m%05zu", i);
        (void)add("device1", name);
    }

    uint64_t began = steps_now();
    assert_int_equal(request("GET", "/devices/device1/modules", NULL), 200);
    assert_int_equal(request("DELETE", "/devices/device1", NULL), 204);
    return end(began);
}

static uint64_t asking_once(size_t n, const char *method, const char *path, const char *body)
{
    start(0);
    add_devices(n);

    uint64_t began = steps_now();
    assert_int_equal(request(method, path, body), 200);
    return end(began);
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
    start(0);
    add_devices(n);
    assert_int_equal(hub_query_parse("SELECT * FROM devices WHERE status = 'enabled'", &q, &fault),
                     HUB_OK);

    uint64_t began = steps_now();
    do {
        char *from = page.continuation;
        assert_int_equal(hub_query_run(q, &fixture->hub.registry, from, 7, &page, &fault), HUB_OK);
        free(from);
        cJSON_Delete(page.rows);
    } while (page.continuation != NULL);
    hub_query_free(q);
    return end(began);
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
    start(n);
    add_devices(n);

    uint64_t began = steps_now();
    connect_devices(n);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(topic, sizeof topic, "devices/d%05zu/messages/events/", i);
        assert_int_equal(fixture_publish(fixture, &keys[i], topic, "x"), HUB_OK);
    }
    return end(began);
}

static uint64_t disconnecting(size_t n)
{
    start(n);
    add_devices(n);
    connect_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        hub_disconnected(&fixture->hub, &keys[i]);
    }
    return end(began);
}

static uint64_t dropping_all(size_t n)
{
    start(n);
    add_devices(n);
    connect_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < fixture->hub.registry.count; i++) {
        hub_kick(&fixture->hub, fixture->hub.registry.items[i]);
    }
    hub_tick(&fixture->hub);
    assert_null(fixture->hub.connections);
    return end(began);
}

/* A message for each device, and a tick and an acknowledgement for each message. */
static uint64_t sending_to_each(size_t n)
{
    char text[80];
    start(n);
    add_devices(n);
    connect_devices(n);
    hub_tick(&fixture->hub);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text, sizeof text, "devices/d%05zu/messages/devicebound/#", i);
        fixture_subscribe(fixture, &keys[i], text, 1);
        (void)snprintf(text, sizeof text, "d%05zu", i);
        fixture_queue(fixture, text, "x", 60);
        hub_tick(&fixture->hub);
        hub_c2d_on_wire(&fixture->hub, text, 1);
        hub_c2d_on_ack(&fixture->hub, text, 1);
        hub_tick(&fixture->hub);
    }
    assert_int_equal(answers, n);
    return end(began);
}

static uint64_t messages_to_one(size_t n)
{
    start(1);
    assert_int_equal(fixture_connect(fixture, &keys[0], "device1", true), HUB_OK);
    fixture_subscribe(fixture, &keys[0], "devices/device1/messages/devicebound/#", 1);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        fixture_queue(fixture, "device1", "x", 60);
    }
    hub_tick(&fixture->hub);
    for (size_t i = 0; i < n; i++) {
        hub_c2d_on_wire(&fixture->hub, "device1", (uint16_t)(i + 1));
        hub_c2d_on_ack(&fixture->hub, "device1", (uint16_t)(i + 1));
        hub_tick(&fixture->hub);
    }
    assert_int_equal(answers, n);
    return end(began);
}

/* Methods for one device or for many, sent and answered; or nobody answers, or nobody waits. */
typedef enum methods_end { ANSWERED, SILENT, ABANDONED, OFFLINE } methods_end;

static uint64_t methods(size_t n, bool many, methods_end how)
{
    static const char subscription[] = "$iothub/methods/POST/#";
    rest_handling *handlings = calloc(n, sizeof *handlings);
    char text[80];
    start(n);
    add_devices(n);
    connect_devices(n);

    uint64_t began = steps_now();
    for (size_t i = 0; i < n; i++) {
        size_t k = many ? i : 0;
        (void)snprintf(text, sizeof text, "/twins/d%05zu/methods", k);
        assert_int_equal(ask(&handlings[i], "POST", text,
                             "{\"methodName\":\"m\",\"connectTimeoutInSeconds\":9}"),
                         0);
        if (how != OFFLINE) {
            fixture_subscribe(fixture, &keys[k], subscription, 0);
        }
    }
    hub_tick(&fixture->hub);
    for (size_t i = 0; i < n && how == ANSWERED; i++) {
        (void)snprintf(text, sizeof text, "$iothub/methods/res/200/?$rid=%zu", i + 1);
        assert_int_equal(fixture_publish(fixture, &keys[many ? i : 0], text, "{}"), HUB_OK);
    }
    for (size_t i = 0; i < n && how == ABANDONED; i++) {
        rest_abandon(&fixture->hub, &handlings[i]);
    }
    fixture->now_ms += 400000;
    hub_tick(&fixture->hub);
    assert_int_equal(fixture->hub.methods.count, 0);
    uint64_t took = steps_now() - began;
    for (size_t i = 0; i < n; i++) {
        rest_reply_free(&handlings[i].reply);
    }
    free(handlings);
    (void)end(0);
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
    start(1);
    assert_int_equal(fixture_connect(fixture, &keys[0], "device1", true), HUB_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(
            fixture_publish(fixture, &keys[0], "devices/device1/messages/events/", "x"), HUB_OK);
    }

    uint64_t began = steps_now();
    uint64_t next = 1;
    for (size_t i = 0; i < n; i++) {
        assert_non_null(hub_telemetry_from(&fixture->hub.telemetry, &next, "device1"));
        next++;
    }
    next = 1;
    assert_null(hub_telemetry_from(&fixture->hub.telemetry, &next, "nobody"));
    fixture_restart(fixture);
    return end(began);
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
        cmocka_unit_test(a_request_costs_the_same_for_each_part_of_it),
        cmocka_unit_test(a_registry_costs_the_same_for_each_device),
        cmocka_unit_test(a_fleet_costs_the_same_for_each_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
