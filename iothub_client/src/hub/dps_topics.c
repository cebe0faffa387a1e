#include "hub/dps_topics.h"

#include <string.h>

#include "hub/property_bag.h"
#include "text/decimal.h"
#include "text/percent.h"
#include "text/split.h"

#define ANSWERS "$dps/registrations/res/"

void dps_put_resource(iothub_text *t, mqc_span id_scope, mqc_span registration_id)
{
    iothub_text_put_span(t, id_scope);
    iothub_text_put(t, "/registrations/");
    iothub_text_put_span(t, registration_id);
}

mqc_span dps_topic_filter(void)
{
    return mqc_span_str(ANSWERS "#");
}

void dps_topic_put_register(iothub_text *t, uint32_t rid)
{
    iothub_text_put(t, "$dps/registrations/PUT/iotdps-register/?$rid=");
    iothub_text_put_u64(t, rid);
}

void dps_topic_put_poll(iothub_text *t, uint32_t rid, mqc_span operation_id)
{
    iothub_text_put(t, "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=");
    iothub_text_put_u64(t, rid);
    iothub_text_put(t, "&operationId=");
    iothub_percent_put(t, operation_id);
}

/* --- answers ------------------------------------------------------------------------- */

static bool parse_number(mqc_span digits, uint64_t most, uint64_t *out)
{
    return iothub_decimal_parse(digits, out) == IOTHUB_DECIMAL_OK && *out <= most;
}

/* Parses "?$rid=1&retry-after=3" with the pairs in any order. A malformed retry-after counts as
 * absent, because the rest of the answer can be used. */
static bool parse_query(mqc_span query, dps_topic *out)
{
    iothub_bag_pair pair;
    uint64_t rid;

    if (query.len == 0 || query.ptr[0] != '?') {
        return false;
    }
    query = mqc_span_of(query.ptr + 1, query.len - 1);
    if (iothub_bag_check(query) != IOTHUB_OK ||
        !iothub_bag_find(query, mqc_span_str("$rid"), &pair) ||
        !parse_number(pair.value, UINT32_MAX, &rid)) {
        return false;
    }
    out->rid = (uint32_t)rid;
    out->has_retry_after = iothub_bag_find(query, mqc_span_str("retry-after"), &pair) &&
                           parse_number(pair.value, UINT64_MAX, &out->retry_after_s);
    return true;
}

bool dps_topic_parse(mqc_span topic, dps_topic *out)
{
    const mqc_span beginning = mqc_span_str(ANSWERS);
    dps_topic found = { 0 };
    uint64_t status;
    mqc_span digits;
    mqc_span query;

    if (topic.len < beginning.len || memcmp(topic.ptr, beginning.ptr, beginning.len) != 0) {
        return false;
    }
    topic = mqc_span_of(topic.ptr + beginning.len, topic.len - beginning.len);
    if (!iothub_cut(topic, '/', &digits, &query) || !parse_number(digits, 999, &status) ||
        !parse_query(query, &found)) {
        return false;
    }
    found.status = (unsigned)status;
    *out = found;
    return true;
}
