#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "messages/service_queue.h"

static void messages_are_received_in_their_order_under_a_lock(void **state)
{
    hub_service_queue q = { 0 };

    (void)state;
    assert_null(hub_service_queue_lock(&q, 0));
    hub_service_queue_add(&q, hub_strdup("one"), 1);
    hub_service_queue_add(&q, hub_strdup("two"), 2);
    const hub_service_message *one = hub_service_queue_lock(&q, 0);
    const hub_service_message *two = hub_service_queue_lock(&q, 0);
    assert_string_equal(one->body, "one");
    assert_string_equal(two->body, "two");
    assert_string_not_equal(one->lock, two->lock);
    assert_null(hub_service_queue_lock(&q, HUB_SERVICE_LOCK_MS - 1));
    hub_service_queue_free(&q);
    assert_int_equal(q.count, 0);
}

static void a_completed_message_is_gone(void **state)
{
    hub_service_queue q = { 0 };
    char lock[HUB_UUID_SIZE];

    (void)state;
    hub_service_queue_add(&q, hub_strdup("one"), 1);
    hub_service_queue_add(&q, hub_strdup("two"), 1);
    memcpy(lock, hub_service_queue_lock(&q, 0)->lock, sizeof lock);
    assert_false(hub_service_queue_complete(&q, "", 0));
    assert_false(hub_service_queue_complete(&q, "x", 0));
    assert_true(hub_service_queue_complete(&q, lock, 0));
    assert_false(hub_service_queue_complete(&q, lock, 0));
    assert_false(hub_service_queue_abandon(&q, lock, 0));
    assert_int_equal(q.count, 1);
    assert_string_equal(hub_service_queue_lock(&q, 0)->body, "two");
    hub_service_queue_free(&q);
}

static void an_abandoned_message_and_one_whose_lock_has_expired_come_again(void **state)
{
    hub_service_queue q = { 0 };
    char lock[HUB_UUID_SIZE];

    (void)state;
    hub_service_queue_add(&q, hub_strdup("one"), 1);
    memcpy(lock, hub_service_queue_lock(&q, 0)->lock, sizeof lock);
    assert_true(hub_service_queue_abandon(&q, lock, 0));
    const hub_service_message *m = hub_service_queue_lock(&q, 0);
    assert_string_equal(m->body, "one");
    assert_string_not_equal(m->lock, lock);
    memcpy(lock, m->lock, sizeof lock);
    assert_false(hub_service_queue_complete(&q, lock, HUB_SERVICE_LOCK_MS));
    assert_int_equal(hub_service_queue_lock(&q, HUB_SERVICE_LOCK_MS)->deliveries, 3);
    hub_service_queue_free(&q);
}

static void the_oldest_messages_are_dropped_when_the_queue_is_full(void **state)
{
    hub_service_queue q = { 0 };

    (void)state;
    for (int i = 0; i < HUB_SERVICE_QUEUE_MAX + 2; i++) {
        hub_service_queue_add(&q, hub_format("%d", i), i);
    }
    assert_int_equal(q.count, HUB_SERVICE_QUEUE_MAX);
    assert_string_equal(hub_service_queue_lock(&q, 0)->body, "2");
    hub_service_queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_received_in_their_order_under_a_lock),
        cmocka_unit_test(a_completed_message_is_gone),
        cmocka_unit_test(an_abandoned_message_and_one_whose_lock_has_expired_come_again),
        cmocka_unit_test(the_oldest_messages_are_dropped_when_the_queue_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
