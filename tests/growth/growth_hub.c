/* A hub without a network, for tests of growth. */

#include "growth_hub.h"

struct growth growth;
static char *token;

static void publish(void *user, const char *client_id, const char *topic, const void *payload,
                    size_t len, int qos)
{
    (void)user;
    (void)client_id;
    (void)topic;
    (void)payload;
    (void)len;
    (void)qos;
    growth.answers++;
}

/* Mosquitto, too, reports the end of the connection before the function returns. */
static void drop(void *user, const char *client_id)
{
    (void)user;
    const hub_identity *id = hub_registry_find_client(&growth.fixture->hub.registry, client_id);
    if (id != NULL && id->session.connection != NULL) {
        hub_disconnected(&growth.fixture->hub, id->session.connection->key);
    }
}

void growth_start(size_t connections)
{
    void *state = NULL;

    assert_int_equal(fixture_setup(&state), 0);
    growth.fixture = state;
    growth.fixture->hub.broker.publish = publish;
    growth.fixture->hub.broker.drop = drop;
    growth.keys = calloc(connections + 1, 1);
    token = fixture_token(
        "localhost",
        hub_policies_find(&growth.fixture->hub.registry.policies, "iothubowner")->primary_key,
        FIXTURE_NOW_S + 3600, "iothubowner");
    growth.answers = 0;
}

uint64_t growth_end(uint64_t began)
{
    uint64_t took = steps_now() - began;
    void *state = growth.fixture;

    free(token);
    free(growth.keys);
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
    growth.answers++;
}

int growth_ask(rest_handling *h, const char *method, const char *path, const char *body)
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
    rest_outcome outcome = rest_handle(&growth.fixture->hub, &r, h);
    int status = outcome == REST_LATER ? 0 : h->reply.status;
    rest_request_free(&r);
    rest_reply_free(&h->reply);
    return status;
}

int growth_request(const char *method, const char *path, const char *body)
{
    rest_handling h;
    return growth_ask(&h, method, path, body);
}

hub_identity *growth_add(const char *device, const char *module)
{
    hub_identity *id;
    hub_fault fault;
    assert_int_equal(hub_registry_create(&growth.fixture->hub.registry, device, module, NULL,
                                         growth.fixture->now_ms, &id, &fault),
                     HUB_OK);
    return id;
}

void growth_add_devices(size_t n)
{
    char name[32];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "d%05zu", i);
        (void)growth_add(name, NULL);
    }
}

void growth_connect_devices(size_t n)
{
    char name[32];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "d%05zu", i);
        assert_int_equal(fixture_connect(growth.fixture, &growth.keys[i], name, true), HUB_OK);
    }
}
