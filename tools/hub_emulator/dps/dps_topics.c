#include "dps/dps_topics.h"

#include <string.h>

#include "base/text.h"

#define ANSWERS  "$dps/registrations/res/"
#define REGISTER "$dps/registrations/PUT/iotdps-register/?"
#define POLL     "$dps/registrations/GET/iotdps-get-operationstatus/?"

bool dps_topic_filter_valid(const char *filter)
{
    return strcmp(filter, ANSWERS "#") == 0;
}

/* Finds name=value among the pairs, which may have any order. An empty value counts as missing. */
static const char *find(const char *query, const char *name, size_t *len)
{
    const size_t name_len = strlen(name);

    while (*query != '\0') {
        size_t pair = strcspn(query, "&");
        if (pair > name_len && strncmp(query, name, name_len) == 0) {
            *len = pair - name_len;
            return query + name_len;
        }
        query += pair + (query[pair] == '&' ? 1 : 0);
    }
    *len = 0;
    return NULL;
}

static bool starts_with(const char *topic, const char *start)
{
    return strncmp(topic, start, strlen(start)) == 0;
}

dps_topic dps_topic_read(const char *topic)
{
    const char *query = strchr(topic, '?');
    dps_topic t = { 0 };

    if (query == NULL) {
        return t;
    }
    query++;
    t.rid = find(query, "$rid=", &t.rid_len);
    t.operation_id = find(query, "operationId=", &t.operation_id_len);
    if (t.rid != NULL && starts_with(topic, REGISTER)) {
        t.kind = DPS_TOPIC_REGISTER;
    } else if (t.rid != NULL && t.operation_id != NULL && starts_with(topic, POLL)) {
        t.kind = DPS_TOPIC_POLL;
    }
    return t;
}

char *dps_topic_answer(int status, const dps_topic *request, int retry_after_s)
{
    hub_text t = { 0 };

    hub_text_printf(&t, ANSWERS "%d/?$rid=", status);
    hub_text_add(&t, request->rid, request->rid_len);
    if (retry_after_s >= 0) {
        hub_text_printf(&t, "&retry-after=%d", retry_after_s);
    }
    return t.p;
}
