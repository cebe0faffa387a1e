/* Tests how answers of the Device Provisioning Service and cached assignments are read. The
 * first line is the topic, the rest is the body; both are also read as a cached value. */

#include "fuzz.h"
#include "hub/dps_topics.h"
#include "provisioning/answer.h"
#include "provisioning/assignment_cache.h"
#include "text/json_path.h"

static bool is_inside(mqc_span part, mqc_span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_answer(unsigned status, mqc_span body)
{
    dps_answer a;
    dps_answer again;

    memset(&a, 0x55, sizeof a);
    memset(&again, 0xAA, sizeof again);
    dps_answer_parse(&a, status, body);
    dps_answer_parse(&again, status, body);
    FUZZ_CHECK(a.verdict >= DPS_ASSIGNED && a.verdict <= DPS_BROKEN);
    FUZZ_CHECK(a.verdict == again.verdict && strcmp(a.hub, again.hub) == 0);
    FUZZ_CHECK(is_inside(a.payload, body) && is_inside(a.tracking_id, body));
    FUZZ_CHECK(strlen(a.operation_id) <= DPS_OPERATION_ID_MAX);
    if (a.verdict == DPS_ASSIGNED) {
        FUZZ_CHECK(dps_assignment_check(a.hub, a.device_id, NULL) == IOTHUB_OK);
        FUZZ_CHECK(a.payload.len == 0 || iothub_json_check(a.payload, NULL) == IOTHUB_OK);
        FUZZ_CHECK(status >= 200 && status < 300);
    } else if (a.verdict != DPS_ASSIGNING) {
        FUZZ_CHECK(a.why.code != IOTHUB_OK && memchr(a.why.text, '\0', sizeof a.why.text) != NULL);
    }
}

/* A value that was read must be written again as the same text. */
static void check_cached(mqc_span text)
{
    const dps_request r = { .id_scope = MQC_SPAN_LIT("0ne1"),
                            .registration_id = MQC_SPAN_LIT("sn-007") };
    stored_assignment found;

    if (assignment_text_parse(&r, text, &found)) {
        char again[ASSIGNMENT_TEXT_MAX];
        const int len = snprintf(again, sizeof again, "\n%s\n%s\n", found.hub, found.device_id);
        FUZZ_CHECK(text.len > (size_t)len);
        FUZZ_CHECK(memcmp(text.ptr + text.len - len, again, (size_t)len) == 0);
        FUZZ_CHECK(dps_assignment_check(found.hub, found.device_id, NULL) == IOTHUB_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned statuses[] = { 200, 202, 400, 401, 404, 429, 500 };
    fuzz_input in = { data, size };
    fuzz_input line;
    dps_topic topic = { .status = 200 };

    check_cached(mqc_span_of(data, size));
    if (!fuzz_line(&in, &line)) {
        return 0;
    }
    if (dps_topic_parse(mqc_span_of(line.ptr, line.len), &topic)) {
        FUZZ_CHECK(topic.status <= 999);
        check_answer(topic.status, mqc_span_of(in.ptr, in.len));
    }
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        check_answer(statuses[i], mqc_span_of(in.ptr, in.len));
    }
    return 0;
}
