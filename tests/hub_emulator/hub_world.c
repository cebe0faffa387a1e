#include "hub_world.h"

#include <stdlib.h>
#include <string.h>

const int world_client;

static void describe_identity(hub_text *t, const hub_identity *id)
{
    char *desired = hub_json_print(id->twin.desired.values);
    char *reported = hub_json_print(id->twin.reported.values);
    char *tags = hub_json_print(id->twin.tags);

    hub_text_printf(t, "%s %s %s model %s desired %s %lld reported %s tags %s\n", id->client_id,
                    id->enabled ? "enabled" : "disabled",
                    id->status_reason != NULL ? id->status_reason : "-", id->model_id, desired,
                    (long long)id->twin.desired.version, reported, tags);
    for (size_t i = 0; i < id->c2d.count; i++) {
        hub_text_printf(t, "%s message %.*s\n", id->client_id, (int)id->c2d.items[i]->body_len,
                        id->c2d.items[i]->body);
    }
    free(desired);
    free(reported);
    free(tags);
}

char *world_describe(const hub *h)
{
    hub_text t = { 0 };
    uint64_t from = 0;
    const hub_event *event;

    for (size_t i = 0; i < h->registry.identities.count; i++) {
        describe_identity(&t, h->registry.identities.items[i]);
    }
    while ((event = hub_telemetry_from(&h->telemetry, &from, NULL)) != NULL) {
        const char *body = strstr(event->json, "\"body\":");
        hub_text_printf(&t, "event %llu %.16s\n", (unsigned long long)from, body);
        from++;
    }
    return t.p;
}

hub_fixture *world_make(void)
{
    void *state;

    assert_int_equal(fixture_setup(&state), 0);
    hub_fixture *f = state;
    hub_exchange x = { .fixture = f };
    assert_int_equal(hub_ask(&x, "PUT", "/devices/a", "{}"), 200);
    assert_int_equal(hub_ask(&x, "PUT", "/devices/a/modules/m", "{}"), 200);
    assert_int_equal(hub_ask(&x, "PATCH", "/twins/a",
                             "{\"tags\":{\"t\":1},\"properties\":{\"desired\":{\"d\":1}}}"),
                     200);
    hub_exchange_end(&x);
    fixture_queue(f, "a", "m1", 60);
    fixture_queue(f, "a", "m2", 60);
    fixture_queue(f, "a", "m3", 60);
    assert_int_equal(fixture_connect(f, &world_client, "device1", true), HUB_OK);
    fixture_subscribe(f, &world_client, "$iothub/twin/res/#", 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            fixture_publish(f, &world_client, "devices/device1/messages/events/", "early"), HUB_OK);
    }
    return f;
}

void world_end(hub_fixture *f)
{
    void *state = f;
    assert_int_equal(fixture_teardown(&state), 0);
}
