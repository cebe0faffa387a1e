/* Tests cloud-to-device messages that devices receive over HTTPS. */

#include <stdlib.h>
#include <string.h>

#include "hub/hub_c2d.h"
#include "hub_exchange.h"

#define BOUND "/devices/device1/messages/deviceBound"

static const int client;

/* Returns a request of device1; end it with end_device. */
static hub_exchange device(hub_fixture *f)
{
    return (hub_exchange){
        .fixture = f,
        .token =
            fixture_token("localhost/devices/device1", fixture_device(f, "device1")->primary_key,
                          hub_now(&f->hub) / 1000 + 3600, NULL),
    };
}

static void end_device(hub_exchange *x)
{
    union {
        const char *in;
        void *out;
    } cast = { .in = x->token }; /* it was made by device(), although the member is const */

    hub_exchange_end(x);
    free(cast.out);
}

/* Sends a message to device1; `members` is the JSON of the request. */
static void queue(hub_fixture *f, const char *members)
{
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "POST", "/emulator/devices/device1/messages", members), 201);
    hub_exchange_end(&x);
}

static void set_limits(hub_fixture *f, const char *members)
{
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "PUT", "/emulator/messages/settings", members), 204);
    hub_exchange_end(&x);
}

/* Receives a message and returns its lock token on the heap. */
static char *receive(hub_exchange *x, const char *body)
{
    assert_int_equal(hub_ask(x, "GET", BOUND, NULL), 200);
    assert_string_equal(hub_reply(x), body);
    return hub_strdup(x->handling.reply.etag);
}

static void expect_nothing(hub_exchange *x)
{
    assert_int_equal(hub_ask(x, "GET", BOUND, NULL), 204);
    assert_string_equal(hub_reply(x), "");
    assert_null(x->handling.reply.etag);
}

/* Ends a message by DELETE or by abandoning it; returns the status. Frees the lock token. */
static int complete(hub_exchange *x, char *lock)
{
    char *path = hub_format(BOUND "/%s", lock);
    const int status = hub_ask(x, "DELETE", path, NULL);

    free(path);
    free(lock);
    return status;
}

static int reject(hub_exchange *x, char *lock)
{
    x->query = "reject=";
    const int status = complete(x, lock);
    x->query = NULL;
    return status;
}

static int abandon(hub_exchange *x, char *lock)
{
    char *path = hub_format(BOUND "/%s/abandon", lock);
    const int status = hub_ask(x, "POST", path, NULL);

    free(path);
    free(lock);
    return status;
}

/* Returns the next record of feedback on the heap, and completes it; NULL: there is none. */
static char *feedback(hub_fixture *f)
{
    hub_exchange x = { .fixture = f };

    if (hub_ask(&x, "GET", "/messages/serviceBound/feedback", NULL) == 204) {
        hub_exchange_end(&x);
        return NULL;
    }
    char *text = hub_strdup(hub_reply(&x));
    char *path = hub_format("/messages/serviceBound/feedback/%s", x.handling.reply.etag);
    assert_int_equal(hub_ask(&x, "DELETE", path, NULL), 204);
    hub_exchange_end(&x);
    free(path);
    return text;
}

static void expect_feedback(hub_fixture *f, const char *id, const char *status)
{
    char *text = feedback(f);
    char *want = hub_format("[{\"originalMessageId\":\"%s\",\"statusCode\":\"%s\",", id, status);

    assert_non_null(text);
    if (strncmp(text, want, strlen(want)) != 0) {
        fail_msg("%s instead of %s", text, want);
    }
    free(want);
    free(text);
}

static void a_message_comes_with_its_properties_as_headers(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    expect_nothing(&x);
    queue(
        f,
        "{\"body\":\"hello\",\"messageId\":\"m1\",\"ack\":\"full\",\"contentType\":\"text/plain\","
        "\"properties\":{\"a\":\"b c\",\"none\":null}}");
    queue(f, "{\"bodyBase64\":\"AP8=\"}");
    free(receive(&x, "hello"));
    assert_string_equal(x.handling.reply.type, "application/octet-stream");
    assert_string_equal(hub_reply_header(&x, "iothub-messageid"), "m1");
    assert_string_equal(hub_reply_header(&x, "iothub-correlationid"), "");
    assert_string_equal(hub_reply_header(&x, "iothub-userid"), "");
    assert_string_equal(hub_reply_header(&x, "iothub-ack"), "full");
    assert_string_equal(hub_reply_header(&x, "iothub-to"), "/devices/device1/messages/devicebound");
    assert_string_equal(hub_reply_header(&x, "ContentType"), "text/plain");
    assert_string_equal(hub_reply_header(&x, "iothub-app-a"), "b c");
    assert_string_equal(hub_reply_header(&x, "iothub-app-none"), "");
    assert_string_equal(hub_reply_header(&x, "iothub-sequencenumber"), "1");
    assert_string_equal(hub_reply_header(&x, "iothub-deliverycount"), "0");
    assert_string_equal(hub_reply_header(&x, "iothub-enqueuedtime"), "11/14/2023 10:13:20 PM");
    assert_string_equal(hub_reply_header(&x, "iothub-expiry"), "11/14/2023 11:13:20 PM");
    assert_int_equal(hub_ask(&x, "GET", BOUND, NULL), 200);
    assert_int_equal(x.handling.reply.len, 2);
    assert_memory_equal(x.handling.reply.text, "\0\xFF", 2);
    assert_string_equal(hub_reply_header(&x, "iothub-ack"), "none");
    assert_null(hub_reply_header(&x, "ContentType"));
    expect_nothing(&x);
    end_device(&x);
}

/* A sender of messages must not be able to write further headers into the answer. */
static void a_property_makes_exactly_one_header(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"x\",\"properties\":{\"a\\r\\nEvil: 1\":\"b\\r\\nEvil: 2\\t\x7F\"}}");
    free(receive(&x, "x"));
    assert_string_equal(hub_reply_header(&x, "iothub-app-a%0D%0AEvil%3A%201"),
                        "b%0D%0AEvil: 2%09%7F");
    end_device(&x);
}

static void a_completed_message_is_gone_for_good(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"one\",\"messageId\":\"m1\",\"ack\":\"full\"}");
    char *lock = receive(&x, "one");
    assert_int_equal(complete(&x, hub_strdup(lock)), 204);
    expect_feedback(f, "m1", "Success");
    assert_int_equal(complete(&x, lock), 412);
    assert_string_equal(x.handling.reply.code, "DeviceMessageLockLost");
    expect_nothing(&x);
    end_device(&x);
    fixture_restart(f);
    assert_int_equal(fixture_device(f, "device1")->c2d.count, 0);
}

static void a_rejected_message_is_gone_for_good(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"one\",\"messageId\":\"m1\",\"ack\":\"negative\"}");
    assert_int_equal(reject(&x, receive(&x, "one")), 204);
    expect_feedback(f, "m1", "Rejected");
    expect_nothing(&x);
    end_device(&x);
}

static void an_abandoned_message_is_delivered_again(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"one\"}");
    queue(f, "{\"body\":\"two\"}");
    char *lock = receive(&x, "one");
    assert_int_equal(abandon(&x, hub_strdup(lock)), 204);
    assert_int_equal(abandon(&x, lock), 412);
    lock = receive(&x, "one");
    assert_string_equal(hub_reply_header(&x, "iothub-deliverycount"), "1");
    assert_int_equal(complete(&x, lock), 204);
    assert_int_equal(complete(&x, receive(&x, "two")), 204);
    end_device(&x);
}

static void a_lock_expires(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"one\"}");
    char *lock = receive(&x, "one");
    f->now_ms += HUB_C2D_LOCK_S * 1000 - 1;
    expect_nothing(&x);
    f->now_ms += 1;
    assert_int_equal(complete(&x, lock), 412);
    set_limits(f, "{\"lockTimeout\":5}");
    lock = receive(&x, "one");
    f->now_ms += 4999;
    assert_int_equal(complete(&x, lock), 204);
    end_device(&x);
}

static void a_message_is_dropped_after_its_last_delivery(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    set_limits(f, "{\"maxDeliveryCount\":3}");
    queue(f, "{\"body\":\"one\",\"messageId\":\"m1\",\"ack\":\"full\"}");
    assert_int_equal(abandon(&x, receive(&x, "one")), 204);
    assert_int_equal(abandon(&x, receive(&x, "one")), 204);
    free(receive(&x, "one"));
    f->now_ms += HUB_C2D_LOCK_S * 1000;
    hub_tick(&f->hub);
    expect_feedback(f, "m1", "DeliveryCountExceeded");
    expect_nothing(&x);
    end_device(&x);
}

static void a_message_goes_either_to_mqtt_or_to_https(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"one\"}");
    queue(f, "{\"body\":\"two\"}");
    char *lock = receive(&x, "one");
    assert_int_equal(fixture_connect(f, &client, "device1", false), HUB_OK);
    fixture_subscribe(f, &client, "devices/device1/messages/devicebound/#", 1);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].payload, "two");
    expect_nothing(&x);

    /* The end of the lock passes the first message to the broker after the second one. */
    assert_int_equal(abandon(&x, lock), 204);
    hub_tick(&f->hub);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[1].payload, "one");
    expect_nothing(&x);
    hub_c2d_on_wire(&f->hub, "device1", 1);
    hub_c2d_on_wire(&f->hub, "device1", 2);
    hub_c2d_on_ack(&f->hub, "device1", 1);
    assert_int_equal(fixture_device(f, "device1")->c2d.count, 1);
    assert_string_equal(fixture_device(f, "device1")->c2d.items[0]->body, "one");
    end_device(&x);
}

static void the_end_of_a_session_does_not_end_a_lock(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"one\"}");
    char *lock = receive(&x, "one");
    assert_int_equal(fixture_connect(f, &client, "device1", true), HUB_OK);
    hub_disconnected(&f->hub, &client);
    expect_nothing(&x);
    assert_int_equal(complete(&x, lock), 204);
    end_device(&x);
}

static void lock_tokens_that_fit_nothing_are_refused(void **state)
{
    static const char *const wrong[] = { "x", "%22%22", "*", "%2e%2e", "%0a" };
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    queue(f, "{\"body\":\"one\"}");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(complete(&x, hub_strdup(wrong[i])), 412);
        assert_int_equal(reject(&x, hub_strdup(wrong[i])), 412);
        assert_int_equal(abandon(&x, hub_strdup(wrong[i])), 412);
    }
    hub_exchange service = { .fixture = f };
    assert_int_equal(hub_ask(&service, "DELETE", BOUND, NULL), 405);
    assert_int_equal(hub_ask(&service, "DELETE", BOUND "/", NULL), 405);
    assert_int_equal(hub_ask(&service, "POST", BOUND "/x/y", NULL), 404);
    hub_exchange_end(&service);
    free(receive(&x, "one"));
    end_device(&x);
}

static void feedback_is_sent_if_the_sender_asks_for_it(void **state)
{
    static const struct {
        const char *ack;
        bool positive;
        bool negative;
    } acks[] = { { "none", false, false },
                 { "positive", true, false },
                 { "negative", false, true },
                 { "full", true, true } };
    hub_fixture *f = *state;
    hub_exchange x = device(f);

    for (size_t i = 0; i < sizeof acks / sizeof acks[0]; i++) {
        char *message = hub_format("{\"body\":\"a\",\"ack\":\"%s\"}", acks[i].ack);
        queue(f, message);
        assert_int_equal(complete(&x, receive(&x, "a")), 204);
        char *text = feedback(f);
        assert_int_equal(text != NULL, acks[i].positive);
        free(text);
        queue(f, message);
        assert_int_equal(reject(&x, receive(&x, "a")), 204);
        text = feedback(f);
        assert_int_equal(text != NULL, acks[i].negative);
        free(text);
        free(message);
    }
    end_device(&x);
}

static void feedback_names_every_end(void **state)
{
    hub_fixture *f = *state;
    hub_exchange service = { .fixture = f };

    queue(f, "{\"body\":\"a\",\"messageId\":\"m1\",\"ack\":\"full\"}");
    assert_int_equal(fixture_connect(f, &client, "device1", true), HUB_OK);
    fixture_subscribe(f, &client, "devices/device1/messages/devicebound/#", 1);
    hub_tick(&f->hub);
    hub_c2d_on_wire(&f->hub, "device1", 1);
    assert_null(feedback(f));
    hub_c2d_on_ack(&f->hub, "device1", 1);
    expect_feedback(f, "m1", "Success");
    hub_disconnected(&f->hub, &client);

    queue(f, "{\"body\":\"a\",\"messageId\":\"m2\",\"ack\":\"full\",\"ttlSeconds\":1}");
    f->now_ms += 1000;
    hub_tick(&f->hub);
    expect_feedback(f, "m2", "Expired");

    queue(f, "{\"body\":\"a\",\"messageId\":\"m3\",\"ack\":\"full\"}");
    assert_int_equal(hub_ask(&service, "DELETE", "/devices/device1/commands", NULL), 200);
    expect_feedback(f, "m3", "Purged");
    hub_exchange_end(&service);
}

static void wrong_settings_are_refused(void **state)
{
    static const char *const wrong[] = { "{\"lockTimeout\":0}", "{\"lockTimeout\":301}",
                                         "{\"lockTimeout\":\"5\"}", "{\"maxDeliveryCount\":0}",
                                         "{\"maxDeliveryCount\":101}" };
    hub_exchange x = { .fixture = *state };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(hub_ask(&x, "PUT", "/emulator/messages/settings", wrong[i]), 400);
    }
    hub_exchange_end(&x);
}

static void another_device_and_a_service_may_not(void **state)
{
    static const char *const policies[] = { "service", "registryRead" };
    hub_fixture *f = *state;

    queue(f, "{\"body\":\"one\"}");
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        hub_exchange x = { .fixture = f, .policy = policies[i] };
        assert_int_equal(hub_ask(&x, "GET", BOUND, NULL), 401);
        assert_int_equal(hub_ask(&x, "DELETE", BOUND "/x", NULL), 401);
        hub_exchange_end(&x);
    }
    hub_exchange x = device(f);
    assert_int_equal(hub_ask(&x, "GET", "/devices/device2/messages/deviceBound", NULL), 401);
    assert_int_equal(hub_ask(&x, "GET", "/messages/serviceBound/feedback", NULL), 401);
    end_device(&x);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_message_comes_with_its_properties_as_headers),
        FIXTURE_TEST(a_property_makes_exactly_one_header),
        FIXTURE_TEST(a_completed_message_is_gone_for_good),
        FIXTURE_TEST(a_rejected_message_is_gone_for_good),
        FIXTURE_TEST(an_abandoned_message_is_delivered_again),
        FIXTURE_TEST(a_lock_expires),
        FIXTURE_TEST(a_message_is_dropped_after_its_last_delivery),
        FIXTURE_TEST(a_message_goes_either_to_mqtt_or_to_https),
        FIXTURE_TEST(the_end_of_a_session_does_not_end_a_lock),
        FIXTURE_TEST(lock_tokens_that_fit_nothing_are_refused),
        FIXTURE_TEST(feedback_is_sent_if_the_sender_asks_for_it),
        FIXTURE_TEST(feedback_names_every_end),
        FIXTURE_TEST(wrong_settings_are_refused),
        FIXTURE_TEST(another_device_and_a_service_may_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
