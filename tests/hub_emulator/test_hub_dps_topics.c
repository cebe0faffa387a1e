#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dps/dps_topics.h"

#define REGISTER "$dps/registrations/PUT/iotdps-register/?"
#define POLL     "$dps/registrations/GET/iotdps-get-operationstatus/?"

static void only_the_filter_of_the_answers_is_valid(void **state)
{
    static const char *const others[] = {
        "",
        "#",
        "$dps/#",
        "$dps/registrations/#",
        "$dps/registrations/res/+",
        "$dps/registrations/res/#/",
        "$dps/registrations/res/200/#",
        "$DPS/registrations/res/#",
        "$iothub/twin/res/#",
        "devices/d/messages/devicebound/#",
    };

    (void)state;
    assert_true(dps_topic_filter_valid("$dps/registrations/res/#"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(dps_topic_filter_valid(others[i]));
    }
}

static void a_request_is_read_with_its_parameters_in_any_order(void **state)
{
    static const struct {
        const char *topic;
        dps_topic_kind kind;
        const char *rid;
        const char *operation;
    } cases[] = {
        { REGISTER "$rid=1", DPS_TOPIC_REGISTER, "1", "" },
        { REGISTER "$rid=a-b%20c", DPS_TOPIC_REGISTER, "a-b%20c", "" },
        { REGISTER "x=y&$rid=1", DPS_TOPIC_REGISTER, "1", "" },
        { POLL "$rid=1&operationId=4.a.b", DPS_TOPIC_POLL, "1", "4.a.b" },
        { POLL "operationId=4.a.b&$rid=1", DPS_TOPIC_POLL, "1", "4.a.b" },
        { POLL "$rid=1&x=2&operationId=o", DPS_TOPIC_POLL, "1", "o" },
        { POLL "$rid=1", DPS_TOPIC_UNKNOWN, "", "" },
        { POLL "operationId=o", DPS_TOPIC_UNKNOWN, "", "" },
        { POLL "$rid=&operationId=o", DPS_TOPIC_UNKNOWN, "", "" },
        { POLL "$rid=1&operationId=", DPS_TOPIC_UNKNOWN, "", "" },
        { REGISTER, DPS_TOPIC_UNKNOWN, "", "" },
        { REGISTER "$rid=", DPS_TOPIC_UNKNOWN, "", "" },
        { REGISTER "rid=1", DPS_TOPIC_UNKNOWN, "", "" },
        { "$dps/registrations/PUT/iotdps-register/", DPS_TOPIC_UNKNOWN, "", "" },
        { "$dps/registrations/PUT/iotdps-register?$rid=1", DPS_TOPIC_UNKNOWN, "", "" },
        { "$dps/registrations/POST/iotdps-register/?$rid=1", DPS_TOPIC_UNKNOWN, "", "" },
        { "?$rid=1", DPS_TOPIC_UNKNOWN, "", "" },
        { "", DPS_TOPIC_UNKNOWN, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dps_topic t = dps_topic_read(cases[i].topic);
        assert_int_equal(t.kind, cases[i].kind);
        if (t.kind == DPS_TOPIC_UNKNOWN) {
            continue;
        }
        assert_int_equal(t.rid_len, strlen(cases[i].rid));
        assert_memory_equal(t.rid, cases[i].rid, t.rid_len);
        assert_int_equal(t.operation_id_len, strlen(cases[i].operation));
        if (t.operation_id != NULL) {
            assert_memory_equal(t.operation_id, cases[i].operation, t.operation_id_len);
        }
    }
}

static void an_answer_repeats_the_request_id(void **state)
{
    const dps_topic t = dps_topic_read(REGISTER "x=y&$rid=a%20b&z=1");
    char *with = dps_topic_answer(202, &t, 3);
    char *without = dps_topic_answer(401, &t, -1);

    (void)state;
    assert_string_equal(with, "$dps/registrations/res/202/?$rid=a%20b&retry-after=3");
    assert_string_equal(without, "$dps/registrations/res/401/?$rid=a%20b");
    free(with);
    free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_filter_of_the_answers_is_valid),
        cmocka_unit_test(a_request_is_read_with_its_parameters_in_any_order),
        cmocka_unit_test(an_answer_repeats_the_request_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
