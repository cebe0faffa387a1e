#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "messages/topics.h"

static void only_documented_filters_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        const char *module;
        hub_subscription subscription;
    } cases[] = {
        { "devices/d/messages/devicebound/#", NULL, HUB_SUB_C2D },
        { "$iothub/twin/res/#", NULL, HUB_SUB_TWIN_ANSWERS },
        { "$iothub/twin/PATCH/properties/desired/#", NULL, HUB_SUB_DESIRED },
        { "$iothub/methods/POST/#", "m", HUB_SUB_METHODS },
        { "$iothub/credentials/res/#", NULL, HUB_SUB_CREDENTIALS },
        { "devices/d/modules/m/#", "m", HUB_SUB_MODULE_ALL },
        { "devices/d/modules/m/inputs/#", "m", HUB_SUB_MODULE_INPUTS },
        { "devices/d/messages/devicebound/#", "m", HUB_SUB_NONE },
        { "devices/d/modules/m/#", NULL, HUB_SUB_NONE },
        { "devices/d/modules/m2/#", "m", HUB_SUB_NONE },
        { "devices/dd/messages/devicebound/#", NULL, HUB_SUB_NONE },
        { "devices/d/messages/devicebound/+", NULL, HUB_SUB_NONE },
        { "devices/d/messages/devicebound/a=b/#", NULL, HUB_SUB_NONE },
        { "devices/+/messages/devicebound/#", NULL, HUB_SUB_C2D },
        { "devices/+/messages/devicebound/#", "m", HUB_SUB_NONE },
        { "devices/+/messages/devicebound/+", NULL, HUB_SUB_NONE },
        { "+/d/messages/devicebound/#", NULL, HUB_SUB_NONE },
        { "$iothub/#", NULL, HUB_SUB_NONE },
        { "$iothub/twin/#", NULL, HUB_SUB_NONE },
        { "#", NULL, HUB_SUB_NONE },
        { "$SYS/#", NULL, HUB_SUB_NONE },
        { "", NULL, HUB_SUB_NONE },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (hub_topic_filter(cases[i].filter, "d", cases[i].module) != cases[i].subscription) {
            fail_msg("%s", cases[i].filter);
        }
    }
}

static void documented_topics_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *module;
        hub_topic_kind kind;
        const char *rid;
        int status;
    } cases[] = {
        { "devices/d/messages/events/a=1", NULL, HUB_TOPIC_TELEMETRY, "", 0 },
        { "devices/d/modules/m/messages/events/", "m", HUB_TOPIC_TELEMETRY, "", 0 },
        { "$iothub/twin/GET/?$rid=1", NULL, HUB_TOPIC_TWIN_GET, "1", 0 },
        { "$iothub/twin/GET/?x&$rid=a%20b&y=z", NULL, HUB_TOPIC_TWIN_GET, "a%20b", 0 },
        { "$iothub/twin/PATCH/properties/reported/?%24rid=7", "m", HUB_TOPIC_TWIN_REPORT, "7", 0 },
        { "$iothub/methods/res/200/?$rid=2", NULL, HUB_TOPIC_METHOD_ANSWER, "2", 200 },
        { "$iothub/methods/res/-5/?$rid=2", NULL, HUB_TOPIC_METHOD_ANSWER, "2", -5 },
        { "devices/d/messages/events", NULL, HUB_TOPIC_TELEMETRY, "", 0 },
        { "devices/d/modules/m/messages/events", "m", HUB_TOPIC_TELEMETRY, "", 0 },
        { "devices/d/messages/eventsx", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "devices/d/messages/events?a=1", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "devices/d/messages/event/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "devices/d//messages/events/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "/devices/d/messages/events/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "devices/D/messages/events/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "Devices/d/messages/events/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "devices/dd/messages/events/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "devices/d/messages/events/", "m", HUB_TOPIC_UNKNOWN, "", 0 },
        { "devices/d/modules/m/messages/events/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "xdevices/d/messages/events/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "$iothub/twin/GET/", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "$iothub/twin/GET/?$rid=", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "$iothub/twin/GET/?$rid=&a=b", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "$iothub/twin/GET/?$ride=1", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "$iothub/methods/res/2x/?$rid=2", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "$iothub/methods/res/99999999999/?$rid=2", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
        { "$iothub/methods/res//?$rid=2", NULL, HUB_TOPIC_UNKNOWN, "", 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_topic t = hub_topic_read(cases[i].topic, "d", cases[i].module);
        if (t.kind != cases[i].kind || t.status != cases[i].status ||
            t.rid_len != strlen(cases[i].rid) ||
            (t.rid_len > 0 && memcmp(t.rid, cases[i].rid, t.rid_len) != 0)) {
            fail_msg("%s", cases[i].topic);
        }
    }
}

static void slashes_at_the_end_are_ignored(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *bag;
    } cases[] = {
        { "devices/d/messages/events", "" },
        { "devices/d/messages/events/", "" },
        { "devices/d/messages/events////", "" },
        { "devices/d/messages/events/a=1", "a=1" },
        { "devices/d/messages/events/a=1/", "a=1" },
        { "devices/d/messages/events/a=1//", "a=1" },
        { "devices/d/messages/events/a", "a" },
        { "devices/d/messages/events/a/", "a" },
        { "devices/d/messages/events/a=", "a=" },
        { "devices/d/messages/events/a=/", "a" }, /* the hub returns null for this value */
        { "devices/d/messages/events/x=1&a=/", "x=1&a" },
        /* Refused as a property bag, so it stays part of the topic. */
        { "devices/d/messages/events/a=b=/", "a=b=" },
        { "devices/d/messages/events/a=1/b=2/", "a=1/b=2" },
        { "devices/d/messages/events/=/", "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_topic t = hub_topic_read(cases[i].topic, "d", NULL);
        if (t.kind != HUB_TOPIC_TELEMETRY || t.bag_len != strlen(cases[i].bag) ||
            memcmp(t.bag, cases[i].bag, t.bag_len) != 0) {
            fail_msg("%s", cases[i].topic);
        }
    }
}

static void no_truncated_topic_is_known(void **state)
{
    (void)state;
    static const char *const topics[] = {
        "devices/d/messages/events",
        "$iothub/twin/GET/?$rid=1",
        "$iothub/twin/PATCH/properties/reported/?$rid=1",
        "$iothub/methods/res/200/?$rid=1",
    };

    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        assert_int_not_equal(hub_topic_read(topics[i], "d", NULL).kind, HUB_TOPIC_UNKNOWN);
        for (size_t len = 0; len < strlen(topics[i]); len++) {
            char *cut = hub_memdup(topics[i], len);
            if (hub_topic_read(cut, "d", NULL).kind != HUB_TOPIC_UNKNOWN) {
                fail_msg("%s", cut);
            }
            free(cut);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_documented_filters_are_known),
        cmocka_unit_test(documented_topics_are_read),
        cmocka_unit_test(slashes_at_the_end_are_ignored),
        cmocka_unit_test(no_truncated_topic_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
