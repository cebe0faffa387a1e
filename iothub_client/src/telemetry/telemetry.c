#include "hub/property_bag.h"

#include "context/callbacks.h"
#include "mqtt_core/topic.h"
#include "telemetry/backlog.h"
#include "telemetry/telemetry_limits.h"
#include "text/date.h"

enum {
    MESSAGE_ID_MAX = 128,
    FILTER_BITS = 2048, /* 256 bytes of stack */
    NAMES_A_SHARE = 128,
    FEW_NAMES = 8 /* cheaper to compare than to hash */
};

/* Messages for Defender for IoT are recognised by this interface id. */
#define SECURITY_INTERFACE "urn:azureiot:Security:SecurityAgent:1"

static iothub_result check_value(iothub_client *c, const char *name, const char *value)
{
    if (!mqc_utf8_valid(mqc_span_str(value))) {
        return iothub_fail_name(context_error(&c->context), IOTHUB_ERR_ARG,
                                "telemetry: the value of ", mqc_span_str(name), " is not UTF-8");
    }
    return IOTHUB_OK;
}

static iothub_result check_property(iothub_client *c, const iothub_property *p)
{
    mqc_span name = mqc_span_str(p->name);

    if (name.len == 0) {
        return context_refuse(&c->context, IOTHUB_ERR_ARG, "telemetry: a property without a name");
    }
    if (!mqc_utf8_valid(name)) {
        return iothub_fail_name(context_error(&c->context), IOTHUB_ERR_ARG,
                                "telemetry: the property name ", name, " is not UTF-8");
    }
    if (name.len >= 2 && name.ptr[0] == '$' && name.ptr[1] == '.') {
        return iothub_fail_name(context_error(&c->context), IOTHUB_ERR_ARG,
                                "telemetry: the property name ", name,
                                " starts like a system property");
    }
    if (p->value == NULL) {
        return iothub_fail_name(context_error(&c->context), IOTHUB_ERR_ARG,
                                "telemetry: the property ", name, " has no value");
    }
    return check_value(c, p->name, p->value);
}

/* FNV-1a. */
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    }
    return hash;
}

/* Most names differ in their first byte. */
static bool stands_before(const iothub_property *properties, size_t i)
{
    const char *name = properties[i].name;

    for (size_t earlier = 0; earlier < i; earlier++) {
        const char *other = properties[earlier].name;
        if (other[0] == name[0] && strcmp(other, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Checks a part of the names with one bit for each hash: a name can be a duplicate only if its
 * bit is set already. Returns the index of such a name, or count. */
static size_t find_repeated_in(const iothub_property *properties, size_t count, size_t share,
                               size_t shares)
{
    uint32_t taken[FILTER_BITS / 32] = { 0 };

    for (size_t i = 0; i < count; i++) {
        size_t hash = hash_of(properties[i].name);
        size_t bit = hash / shares % FILTER_BITS;
        if (hash % shares != share) {
            continue;
        }
        if ((taken[bit / 32] >> bit % 32 & 1u) != 0 && stands_before(properties, i)) {
            return i;
        }
        taken[bit / 32] |= UINT32_C(1) << bit % 32;
    }
    return count;
}

static size_t find_repeated(const iothub_property *properties, size_t count)
{
    size_t shares = count / NAMES_A_SHARE + 1; /* the filter stays nearly empty */
    size_t i = count;

    for (size_t share = 0; share < shares && i == count; share++) {
        i = find_repeated_in(properties, count, share, shares);
    }
    return i;
}

static size_t find_repeated_of_few(const iothub_property *properties, size_t count)
{
    size_t i = 0;

    while (i < count && !stands_before(properties, i)) {
        i++;
    }
    return i;
}

/* The documentation does not say what a hub does with a duplicate name. If it closed the
 * connection, the client would send the message again forever. */
static iothub_result check_unique(iothub_client *c, const iothub_property *properties, size_t count)
{
    size_t i = count <= FEW_NAMES ? find_repeated_of_few(properties, count)
                                  : find_repeated(properties, count);

    return i == count ? IOTHUB_OK
                      : iothub_fail_name(context_error(&c->context), IOTHUB_ERR_ARG,
                                         "telemetry: the property ",
                                         mqc_span_str(properties[i].name), " is given twice");
}

/* A pair that needed no escape is valid and needs no further check. */
static iothub_result put_property(iothub_client *c, iothub_bag_writer *w, const iothub_property *p)
{
    bool whole = p->name != NULL && p->name[0] != '\0' && p->value != NULL;

    return whole && iothub_bag_put(w, p->name, p->value) ? IOTHUB_OK : check_property(c, p);
}

static iothub_result put_properties(iothub_client *c, iothub_bag_writer *w,
                                    const iothub_telemetry *t)
{
    for (size_t i = 0; i < t->property_count && !w->text->overflow; i++) {
        iothub_result r = put_property(c, w, &t->properties[i]);
        if (r != IOTHUB_OK) {
            return r;
        }
    }
    return w->text->overflow ? IOTHUB_OK : check_unique(c, t->properties, t->property_count);
}

/* The hub allows only these characters. It may close the connection for others, and the message
 * would be sent again each time. */
static iothub_result check_message_id(iothub_client *c, const char *id)
{
    static const char signs[] = "-:.+%_#*?!(),=@;$'";
    size_t len = 0;

    for (; id != NULL && id[len] != '\0'; len++) {
        char letter = (char)(id[len] | 0x20); /* a letter in lower case */
        bool known = (letter >= 'a' && letter <= 'z') || (id[len] >= '0' && id[len] <= '9') ||
                     strchr(signs, id[len]) != NULL;
        if (!known) {
            return context_refuse(&c->context, IOTHUB_ERR_ARG,
                                  "telemetry: message_id has a character other than A-Z a-z 0-9 "
                                  "- : . + % _ # * ? ! ( ) , = @ ; $ '");
        }
    }
    return len <= MESSAGE_ID_MAX
               ? IOTHUB_OK
               : context_refuse(&c->context, IOTHUB_ERR_ARG,
                                "telemetry: message_id is longer than 128 characters");
}

static bool has_white_space(const char *name)
{
    return name != NULL && strpbrk(name, " \t\r\n\v\f") != NULL;
}

static iothub_result check_forms(iothub_client *c, const iothub_telemetry *t)
{
    if (t->creation_time != NULL && !iothub_date_valid(t->creation_time)) {
        return context_refuse(&c->context, IOTHUB_ERR_ARG,
                              "telemetry: creation_time is no date such as 2026-01-31T12:00:00Z");
    }
    if (has_white_space(t->component) || has_white_space(t->output)) {
        return context_refuse(&c->context, IOTHUB_ERR_ARG,
                              has_white_space(t->component)
                                  ? "telemetry: component has white space in it"
                                  : "telemetry: output has white space in it");
    }
    return check_message_id(c, t->message_id);
}

/* wire: the hub's name of the property. */
static inline bool put_system(iothub_client *c, iothub_bag_writer *w, const char *wire,
                              const char *name, const char *value)
{
    return value == NULL || iothub_bag_put_system(w, wire, value) ||
           check_value(c, name, value) == IOTHUB_OK;
}

static iothub_result put_system_properties(iothub_client *c, iothub_bag_writer *w,
                                           const iothub_telemetry *t)
{
    if (!put_system(c, w, "mid", "message_id", t->message_id) ||
        !put_system(c, w, "cid", "correlation_id", t->correlation_id) ||
        !put_system(c, w, "uid", "user_id", t->user_id) ||
        !put_system(c, w, "ct", "content_type", t->content_type) ||
        !put_system(c, w, "ce", "content_encoding", t->content_encoding) ||
        !put_system(c, w, "ctime", "creation_time", t->creation_time) ||
        !put_system(c, w, "sub", "component", t->component) ||
        !put_system(c, w, "on", "output", t->output)) {
        return IOTHUB_ERR_ARG;
    }
    if (t->security_message) {
        (void)iothub_bag_put_system(w, "ifid", SECURITY_INTERFACE);
    }
    return check_forms(c, t);
}

/* Writes the topic with its bag; the beginning is there already. */
static iothub_result compose(iothub_client *c, const iothub_telemetry *t, mqc_span *topic)
{
    iothub_text text = {
        .buf = context_events(&c->context),
        .cap = c->context.events_len + c->context.scratch_len,
        .len = c->context.events_len,
    };
    iothub_bag_writer w;

    iothub_bag_begin(&w, &text);
    iothub_result r = put_system_properties(c, &w, t);
    if (r == IOTHUB_OK) {
        r = put_properties(c, &w, t);
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    if (t->body_len > IOTHUB_MESSAGE_MAX || w.counted > IOTHUB_MESSAGE_MAX - t->body_len) {
        return context_refuse(&c->context, IOTHUB_ERR_TOO_BIG,
                              "telemetry: body and properties are over 256 KB");
    }
    if (text.overflow) {
        return context_refuse(&c->context, IOTHUB_ERR_TOO_BIG,
                              "telemetry: the properties are too long for a topic");
    }
    *topic = iothub_text_span(&text);
    return IOTHUB_OK;
}

/* A message that may be sent again after a crash needs an id that does not change. */
static iothub_result compose_named(iothub_client *c, const iothub_telemetry *t, mqc_span *topic)
{
    char id[40];
    iothub_text text;
    iothub_telemetry named = *t;

    iothub_text_init(&text, id, sizeof id);
    backlog_message_id(c, &text);
    (void)iothub_text_finish(&text);
    named.message_id = id;
    return compose(c, &named, topic);
}

static const char *find_null(const iothub_telemetry *t)
{
    if (t == NULL) {
        return "telemetry: t is NULL";
    }
    if (t->body == NULL && t->body_len > 0) {
        return "telemetry: body is NULL, and body_len is not 0";
    }
    return t->properties == NULL && t->property_count > 0
               ? "telemetry: properties is NULL, and property_count is not 0"
               : NULL;
}

iothub_result telemetry_send(iothub_client *c, const iothub_telemetry *t, iothub_op *op)
{
    mqc_span topic;

    const char *fault = find_null(t);
    if (fault != NULL) {
        return context_refuse(&c->context, IOTHUB_ERR_ARG, fault);
    }
    if (t->body_len == 0 && t->body != NULL && !c->empty_seen) {
        c->empty_seen = true;
        callback_log_text(&c->context, IOTHUB_LOG_WARNING, "telemetry",
                          "body is set and body_len is 0: an empty message is sent");
    }
    bool nameless = c->context.options.store != NULL && t->message_id == NULL;
    iothub_result r = nameless ? compose_named(c, t, &topic) : compose(c, t, &topic);
    if (r != IOTHUB_OK) {
        return r;
    }
    iothub_op next = context_next_op(&c->context);
    mqc_outgoing m = {
        .topic = topic,
        .topic_checked = true, /* percent-encoded text after a topic that iothub_init has checked */
        .payload = mqc_span_of(t->body, t->body_len),
        .qos = t->at_most_once ? 0 : 1,
        .lane = IOTHUB_LANE_TELEMETRY,
        .kind = IOTHUB_OP_TELEMETRY,
        .id = next,
        .tag = t->tag,
    };
    r = limits_put(c, &m, t->ttl_ms);
    if (r != IOTHUB_OK) {
        return r;
    }
    c->telemetry_counts.accepted++;
    context_take_op(&c->context, next, op);
    return IOTHUB_OK;
}
