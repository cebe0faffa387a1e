#include "messages/topics.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TWIN_ANSWERS "$iothub/twin/res/"
#define TWIN_GET     "$iothub/twin/GET/"
#define TWIN_REPORT  "$iothub/twin/PATCH/properties/reported/"
#define DESIRED      "$iothub/twin/PATCH/properties/desired/"
#define METHOD       "$iothub/methods/POST/"
#define ANSWER       "$iothub/methods/res/"
#define CREDENTIALS  "$iothub/credentials/res/"
#define ISSUE        "$iothub/credentials/POST/issueCertificate/"

/* Returns the text after the prefix, or NULL if it does not begin with it or is NULL. */
static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text != NULL && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* Skips devices/{d}/ or devices/{d}/modules/{m}/. */
static const char *after_identity(const char *topic, const char *device, const char *module)
{
    const char *p = after(after(after(topic, "devices/"), device), "/");
    return module == NULL ? p : after(after(after(p, "modules/"), module), "/");
}

static bool same(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

hub_subscription hub_topic_filter(const char *filter, const char *device, const char *module)
{
    static const struct {
        const char *filter;
        hub_subscription subscription;
    } shared[] = {
        { TWIN_ANSWERS "#", HUB_SUB_TWIN_ANSWERS },
        { DESIRED "#", HUB_SUB_DESIRED },
        { METHOD "#", HUB_SUB_METHODS },
        { CREDENTIALS "#", HUB_SUB_CREDENTIALS },
    };
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        if (strcmp(filter, shared[i].filter) == 0) {
            return shared[i].subscription;
        }
    }

    const char *rest = after_identity(filter, device, module);
    if (module == NULL) {
        /* azure-sdk-for-c subscribes without a device id
         * (AZ_IOT_HUB_CLIENT_C2D_SUBSCRIBE_TOPIC). */
        bool any = same(filter, "devices/+/messages/devicebound/#");
        return any || same(rest, "messages/devicebound/#") ? HUB_SUB_C2D : HUB_SUB_NONE;
    }
    if (same(rest, "#")) {
        return HUB_SUB_MODULE_ALL;
    }
    return same(rest, "inputs/#") ? HUB_SUB_MODULE_INPUTS : HUB_SUB_NONE;
}

/* Parses ?$rid=..&other=..: pairs in any order; unknown ones are ignored. */
static bool find_rid(const char *query, hub_topic *out)
{
    const char *p = after(query, "?");

    while (p != NULL && *p != '\0') {
        size_t len = strcspn(p, "&");
        const char *rid = after(p, "$rid=");
        if (rid == NULL) {
            rid = after(p, "%24rid=");
        }
        if (rid != NULL && rid < p + len) {
            out->rid = rid;
            out->rid_len = (size_t)(p + len - rid);
            return true;
        }
        p += len + (p[len] == '&' ? 1 : 0);
    }
    return false;
}

static hub_topic request(hub_topic_kind kind, const char *query)
{
    hub_topic topic = { .kind = kind };
    return find_rid(query, &topic) ? topic : (hub_topic){ 0 };
}

/* Parses {status}/?$rid=.. with any integer as the status. */
static hub_topic method_answer(const char *rest)
{
    size_t digits = strspn(rest, "-0123456789");
    char *end = NULL;
    /* long long, because some numbers that must be refused do not fit into a long of 32 bits. */
    long long status = strtoll(rest, &end, 10);

    if (digits == 0 || digits > 11 || end != rest + digits || *end != '/' || status > 2147483647 ||
        status < -2147483647) {
        return (hub_topic){ 0 };
    }
    hub_topic topic = request(HUB_TOPIC_METHOD_ANSWER, end + 1);
    topic.status = (int)status;
    return topic;
}

/* Returns true if the last property of the bag is a name with '=' and nothing after it. */
static bool ends_empty(const char *bag, size_t len)
{
    const char *separator = memrchr(bag, '&', len);
    const char *pair = separator != NULL ? separator + 1 : bag;
    const char *equals = memchr(pair, '=', len - (size_t)(pair - bag));

    return equals != NULL && equals + 1 == bag + len;
}

/* Parses what follows "messages/events": nothing, or '/' and a bag. The real hub ignores slashes
 * at the end, so a value that consists of a raw '/' arrives as null (azure-iot-sdk-c issue
 * 1695). */
static hub_topic telemetry(const char *rest)
{
    size_t len = strlen(rest);

    if (len > 0 && *rest != '/') {
        return (hub_topic){ 0 };
    }
    const char *bag = len > 0 ? rest + 1 : rest;
    const size_t whole = strlen(bag);
    len = whole;
    while (len > 0 && bag[len - 1] == '/') {
        len--;
    }
    if (len < whole && ends_empty(bag, len)) {
        len--;
    }
    return (hub_topic){ .kind = HUB_TOPIC_TELEMETRY, .bag = bag, .bag_len = len };
}

hub_topic hub_topic_read(const char *topic, const char *device, const char *module)
{
    const char *rest = after(after_identity(topic, device, module), "messages/events");
    if (rest != NULL) {
        return telemetry(rest);
    }
    rest = after(topic, TWIN_GET);
    if (rest != NULL) {
        return request(HUB_TOPIC_TWIN_GET, rest);
    }
    rest = after(topic, TWIN_REPORT);
    if (rest != NULL) {
        return request(HUB_TOPIC_TWIN_REPORT, rest);
    }
    rest = after(topic, ISSUE);
    if (rest != NULL) {
        return request(HUB_TOPIC_ISSUE, rest);
    }
    rest = after(topic, ANSWER);
    return rest != NULL ? method_answer(rest) : (hub_topic){ 0 };
}

char *hub_topic_twin_answer(int status, const hub_topic *request_topic, long long version)
{
    hub_text t = { 0 };

    hub_text_printf(&t, TWIN_ANSWERS "%d/?$rid=", status);
    hub_text_add(&t, request_topic->rid, request_topic->rid_len);
    if (version >= 0) {
        hub_text_printf(&t, "&$version=%lld", version);
    }
    return t.p;
}

char *hub_topic_issue_answer(int status, const char *rid, size_t rid_len)
{
    return hub_format(CREDENTIALS "%d/?$rid=%.*s", status, (int)rid_len, rid);
}

char *hub_topic_desired(long long version)
{
    return hub_format(DESIRED "?$version=%lld", version);
}

char *hub_topic_method(const char *name, const char *rid)
{
    return hub_format(METHOD "%s/?$rid=%s", name, rid);
}

char *hub_topic_c2d(const char *device, const char *bag)
{
    return hub_format("devices/%s/messages/devicebound/%s", device, bag);
}
