#include "hub/topics.h"

#include "hub/property_bag.h"
#include "text/decimal.h"
#include "text/split.h"

#define TWIN_RESPONSE "$iothub/twin/res/"
#define DESIRED       "$iothub/twin/PATCH/properties/desired/"
#define METHOD        "$iothub/methods/POST/"
#define CERTIFICATE   "$iothub/credentials/res/"

void topic_put_device(iothub_text *t, const topic_identity *id)
{
    iothub_text_put(t, "devices/");
    iothub_text_put_span(t, id->device);
    if (id->module.len > 0) {
        iothub_text_put(t, "/modules/");
        iothub_text_put_span(t, id->module);
    }
}

void topic_put_events(iothub_text *t, const topic_identity *id)
{
    topic_put_device(t, id);
    iothub_text_put(t, "/messages/events/");
}

static void put_rid(iothub_text *t, const char *topic, uint32_t rid)
{
    iothub_text_put(t, topic);
    iothub_text_put(t, "/?$rid=");
    iothub_text_put_u64(t, rid);
}

void topic_put_twin_get(iothub_text *t, uint32_t rid)
{
    put_rid(t, "$iothub/twin/GET", rid);
}

void topic_put_twin_report(iothub_text *t, uint32_t rid)
{
    put_rid(t, "$iothub/twin/PATCH/properties/reported", rid);
}

void topic_put_method_response(iothub_text *t, int status, mqc_span rid)
{
    iothub_text_put(t, "$iothub/methods/res/");
    if (status < 0) {
        iothub_text_put_char(t, '-');
    }
    iothub_text_put_u64(t, status < 0 ? 0u - (uint64_t)status : (uint64_t)status);
    iothub_text_put(t, "/?$rid=");
    iothub_text_put_span(t, rid); /* sent back in the encoding in which it arrived */
}

void topic_put_certificate_request(iothub_text *t, mqc_span rid)
{
    iothub_text_put(t, "$iothub/credentials/POST/issueCertificate/?$rid=");
    iothub_text_put_span(t, rid);
}

void topic_put_filter(iothub_text *t, const topic_identity *id, topic_feature feature)
{
    switch (feature) {
    case TOPIC_FEATURE_TWIN_RESPONSE: iothub_text_put(t, TWIN_RESPONSE); break;
    case TOPIC_FEATURE_C2D:
        topic_put_device(t, id);
        iothub_text_put(t, id->module.len > 0 ? "/inputs/" : "/messages/devicebound/");
        break;
    case TOPIC_FEATURE_DESIRED: iothub_text_put(t, DESIRED); break;
    case TOPIC_FEATURE_METHOD: iothub_text_put(t, METHOD); break;
    case TOPIC_FEATURE_CERTIFICATE: iothub_text_put(t, CERTIFICATE); break;
    case TOPIC_FEATURE_COUNT: break;
    }
    iothub_text_put_char(t, '#');
}

/* --- incoming ------------------------------------------------------------- */

static bool take_span(mqc_span *rest, mqc_span prefix)
{
    if (rest->len < prefix.len || memcmp(rest->ptr, prefix.ptr, prefix.len) != 0) {
        return false;
    }
    *rest = mqc_span_of(rest->ptr + prefix.len, rest->len - prefix.len);
    return true;
}

static bool take(mqc_span *rest, const char *prefix)
{
    return take_span(rest, mqc_span_str(prefix));
}

/* Takes everything up to and including the character `end` or, if there is none, the whole rest. */
static mqc_span take_until(mqc_span *rest, char end)
{
    mqc_span part;

    (void)iothub_cut(*rest, end, &part, rest);
    return part;
}

bool topic_events_bag(mqc_span topic, mqc_span *bag)
{
    *bag = topic;
    if (!take(bag, "devices/")) {
        return false;
    }
    (void)take_until(bag, '/');
    return take(bag, "messages/events/");
}

bool topic_rid_number(mqc_span rid, uint32_t *out)
{
    uint64_t n;
    if (iothub_decimal_parse(rid, &n) != IOTHUB_DECIMAL_OK || n > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

/* Parses "?$rid=..&$version=.." with the pairs in any order; unknown ones are ignored. */
static bool parse_query(mqc_span query, topic_parts *p)
{
    iothub_bag_pair pair;

    if (!take(&query, "?") || iothub_bag_check(query) != IOTHUB_OK) {
        return false;
    }
    if (iothub_bag_find(query, mqc_span_str("$rid"), &pair)) {
        p->rid = pair.value;
    }
    p->has_version = iothub_bag_find(query, mqc_span_str("$version"), &pair);
    return !p->has_version || iothub_bag_u64(&pair, &p->version) == IOTHUB_OK;
}

/* Parses "{status}/?$rid=..", which ends the topic of an answer of this kind. */
static topic_kind parse_response(mqc_span rest, topic_kind kind, topic_parts *p)
{
    uint64_t status;
    if (iothub_decimal_parse(take_until(&rest, '/'), &status) != IOTHUB_DECIMAL_OK ||
        status > 999 || !parse_query(rest, p)) {
        return TOPIC_UNKNOWN;
    }
    p->status = (int)status;
    return p->rid.len > 0 ? kind : TOPIC_UNKNOWN;
}

static topic_kind parse_desired(mqc_span rest, topic_parts *p)
{
    /* Without a version it is still a change, which must not be missed. */
    if (!parse_query(rest, p)) {
        p->has_version = false;
    }
    return TOPIC_DESIRED;
}

static topic_kind parse_method(mqc_span rest, topic_parts *p)
{
    p->name = take_until(&rest, '/');
    if (p->name.len == 0 || !parse_query(rest, p) || p->rid.len == 0) {
        return TOPIC_UNKNOWN;
    }
    return TOPIC_METHOD;
}

static topic_kind parse_c2d(mqc_span rest, const topic_identity *id, topic_parts *p)
{
    if (!take_span(&rest, id->device)) {
        return TOPIC_UNKNOWN;
    }
    if (id->module.len == 0) {
        if (!take(&rest, "/messages/devicebound/")) {
            return TOPIC_UNKNOWN;
        }
    } else {
        if (!take(&rest, "/modules/") || !take_span(&rest, id->module) ||
            !take(&rest, "/inputs/")) {
            return TOPIC_UNKNOWN;
        }
        p->input = take_until(&rest, '/');
    }
    p->bag = rest;
    return TOPIC_C2D;
}

topic_parts topic_parse(mqc_span topic, const topic_identity *id)
{
    topic_parts p = { .kind = TOPIC_UNKNOWN };
    mqc_span rest = topic;

    if (take(&rest, "devices/")) { /* checked first, because it is the most frequent topic */
        p.kind = parse_c2d(rest, id, &p);
    } else if (take(&rest, TWIN_RESPONSE)) {
        p.kind = parse_response(rest, TOPIC_TWIN_RESPONSE, &p);
    } else if (take(&rest, DESIRED)) {
        p.kind = parse_desired(rest, &p);
    } else if (take(&rest, METHOD)) {
        p.kind = parse_method(rest, &p);
    } else if (take(&rest, CERTIFICATE)) {
        p.kind = parse_response(rest, TOPIC_CERTIFICATE, &p);
    }
    return p;
}
