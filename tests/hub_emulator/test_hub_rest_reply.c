#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "rest/rest_reply.h"

static rest_handling *told;
static int anybody;

static void finished(rest_handling *h)
{
    told = h;
}

static rest_handling fresh(void)
{
    rest_handling h;

    memset(&h, 0xA5, sizeof h);
    rest_handling_begin(&h, finished, &anybody);
    return h;
}

static void a_handling_begins_without_a_reply(void **state)
{
    rest_handling h = fresh();

    (void)state;
    assert_int_equal(h.reply.status, 0);
    assert_null(h.reply.text);
    assert_null(h.watch.device);
    assert_ptr_equal(h.user, &anybody);
    h.finished(&h);
    assert_ptr_equal(told, &h);
}

static void a_reply_has_the_status_and_the_text_of_json(void **state)
{
    rest_handling h = fresh();

    (void)state;
    assert_int_equal(rest_json(&h, 201, cJSON_CreateString("x")), REST_REPLY);
    assert_int_equal(h.reply.status, 201);
    assert_string_equal(h.reply.text, "\"x\"");
    rest_set_etag(&h, hub_strdup("AAAA="));
    rest_set_page(&h, "Twin", hub_strdup("next"));
    rest_set_command_status(&h, -7);
    assert_string_equal(h.reply.etag, "AAAA=");
    assert_string_equal(h.reply.item_type, "Twin");
    assert_string_equal(h.reply.continuation, "next");
    assert_string_equal(h.reply.command_status, "-7");
    rest_reply_free(&h.reply);
    assert_null(h.reply.text);
    assert_int_equal(h.reply.status, 0);
}

static void an_empty_reply_has_no_text(void **state)
{
    rest_handling h = fresh();

    (void)state;
    assert_int_equal(rest_empty(&h, 204), REST_REPLY);
    assert_int_equal(h.reply.status, 204);
    assert_null(h.reply.text);
}

/* Tests every result except HUB_OK, which is no fault; HUB_ERR_MODULE_EXISTS is the last one. */
static void a_fault_becomes_the_error_of_the_service_api(void **state)
{
    (void)state;
    for (int code = -1; code >= HUB_ERR_MODULE_EXISTS; code--) {
        rest_handling h = fresh();
        hub_fault fault;

        (void)hub_fail(&fault, (hub_result)code, "why");
        assert_int_equal(rest_fault(&h, &fault), REST_REPLY);
        assert_int_equal(h.reply.status, hub_result_status((hub_result)code));
        assert_string_equal(h.reply.code, hub_result_name((hub_result)code));
        char *wanted = hub_format("{\"Message\":\"ErrorCode:%s;why\",\"ExceptionMessage\":\"\"}",
                                  h.reply.code);
        assert_string_equal(h.reply.text, wanted);
        free(wanted);
        rest_reply_free(&h.reply);
    }
}

static void what_follows_later_is_a_method_or_events(void **state)
{
    rest_handling h = fresh();
    const rest_watch watch = { .next = 3, .left = 4, .deadline_ms = 5 };

    (void)state;
    assert_int_equal(rest_later(&h, 12), REST_LATER);
    assert_int_equal(h.method, 12);
    assert_int_equal(rest_events(&h, &watch), REST_WATCH);
    assert_int_equal(h.watch.next, 3);
    assert_int_equal(h.watch.left, 4);
    assert_int_equal(h.watch.deadline_ms, 5);
}

static void status_and_code_can_be_set_apart(void **state)
{
    rest_handling h = fresh();

    (void)state;
    (void)rest_fail(&h, HUB_ERR_ARGUMENT, "why");
    rest_set_status(&h, 431);
    rest_set_code(&h, NULL);
    assert_int_equal(h.reply.status, 431);
    assert_null(h.reply.code);
    rest_reply_free(&h.reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handling_begins_without_a_reply),
        cmocka_unit_test(a_reply_has_the_status_and_the_text_of_json),
        cmocka_unit_test(an_empty_reply_has_no_text),
        cmocka_unit_test(a_fault_becomes_the_error_of_the_service_api),
        cmocka_unit_test(what_follows_later_is_a_method_or_events),
        cmocka_unit_test(status_and_code_can_be_set_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
