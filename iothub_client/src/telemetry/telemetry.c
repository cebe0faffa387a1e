#include "telemetry/telemetry.h"

#include "context/callbacks.h"
#include "context/result_map.h"
#include "hub/property_bag.h"
#include "mqtt_core/topic.h"
#include "text/date.h"

enum { MESSAGE_ID_MAX = 128 };

/* This interface id marks messages for Defender for IoT. */
#define SECURITY_INTERFACE "urn:azureiot:Security:SecurityAgent:1"

static iothub_result check_value(iothub_context *context, const char *name, const char *value)
{
    if (!mqc_utf8_valid(mqc_span_str(value))) {
        return iothub_fail_name(context_error(context), IOTHUB_ERR_ARG, "telemetry: the value of ",
                                mqc_span_str(name), " is not UTF-8");
    }
    return IOTHUB_OK;
}

static iothub_result check_property(iothub_context *context, const iothub_property *p)
{
    mqc_span name = mqc_span_str(p->name);

    if (name.len == 0) {
        return context_refuse(context, IOTHUB_ERR_ARG, "telemetry: a property without a name");
    }
    if (!mqc_utf8_valid(name)) {
        return iothub_fail_name(context_error(context), IOTHUB_ERR_ARG,
                                "telemetry: the property name ", name, " is not UTF-8");
    }
    if (name.len >= 2 && name.ptr[0] == '$' && name.ptr[1] == '.') {
        return iothub_fail_name(context_error(context), IOTHUB_ERR_ARG,
                                "telemetry: the property name ", name,
                                " starts like a system property");
    }
    if (p->value == NULL) {
        return iothub_fail_name(context_error(context), IOTHUB_ERR_ARG, "telemetry: the property ",
                                name, " has no value");
    }
    return check_value(context, p->name, p->value);
}

/* Returns whether an earlier property has the same name. The documentation does not describe
 * what a hub does with a duplicate name. If it closed the connection, the client would send the
 * message again forever. Most names differ in their first byte. */
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

/* Appends a property. A pair that needed no escape is valid and needs no further check. */
static iothub_result put_property(iothub_context *context, iothub_bag_writer *w,
                                  const iothub_property *p)
{
    bool whole = p->name != NULL && p->name[0] != '\0' && p->value != NULL;

    return whole && iothub_bag_put(w, p->name, p->value) ? IOTHUB_OK : check_property(context, p);
}

static iothub_result put_properties(iothub_context *context, iothub_bag_writer *w,
                                    const iothub_telemetry *t)
{
    const iothub_property *p = t->properties;

    for (size_t i = 0; i < t->property_count && !w->text->overflow; i++) {
        iothub_result r = put_property(context, w, &p[i]);
        if (r != IOTHUB_OK) {
            return r;
        }
        if (stands_before(p, i)) {
            return iothub_fail_name(context_error(context), IOTHUB_ERR_ARG,
                                    "telemetry: the property ", mqc_span_str(p[i].name),
                                    " is given twice");
        }
    }
    return IOTHUB_OK;
}

/* Checks the characters that the hub allows. It may close the connection for others, and the
 * message would be sent again each time. */
static iothub_result check_message_id(iothub_context *context, const char *id)
{
    static const char signs[] = "-:.+%_#*?!(),=@;$'";
    size_t len = 0;

    for (; id != NULL && id[len] != '\0'; len++) {
        char letter = (char)(id[len] | 0x20); /* converts a capital letter to a small one */
        bool known = (letter >= 'a' && letter <= 'z') || (id[len] >= '0' && id[len] <= '9') ||
                     strchr(signs, id[len]) != NULL;
        if (!known) {
            return context_refuse(context, IOTHUB_ERR_ARG,
                                  "telemetry: message_id has a character other than A-Z a-z 0-9 "
                                  "- : . + % _ # * ? ! ( ) , = @ ; $ '");
        }
    }
    return len <= MESSAGE_ID_MAX
               ? IOTHUB_OK
               : context_refuse(context, IOTHUB_ERR_ARG,
                                "telemetry: message_id is longer than 128 characters");
}

static bool has_white_space(const char *name)
{
    return name != NULL && strpbrk(name, " \t\r\n\v\f") != NULL;
}

static iothub_result check_forms(iothub_context *context, const iothub_telemetry *t)
{
    if (t->creation_time != NULL && !iothub_date_valid(t->creation_time)) {
        return context_refuse(
            context, IOTHUB_ERR_ARG,
            "telemetry: creation_time is not a date such as 2026-01-31T12:00:00Z");
    }
    if (has_white_space(t->component) || has_white_space(t->output)) {
        return context_refuse(context, IOTHUB_ERR_ARG,
                              has_white_space(t->component)
                                  ? "telemetry: component has white space in it"
                                  : "telemetry: output has white space in it");
    }
    return check_message_id(context, t->message_id);
}

/* `wire` is the hub's name of the property. */
static inline bool put_system(iothub_context *context, iothub_bag_writer *w, const char *wire,
                              const char *name, const char *value)
{
    return value == NULL || iothub_bag_put_system(w, wire, value) ||
           check_value(context, name, value) == IOTHUB_OK;
}

static iothub_result put_system_properties(iothub_context *context, iothub_bag_writer *w,
                                           const iothub_telemetry *t)
{
    if (!put_system(context, w, "mid", "message_id", t->message_id) ||
        !put_system(context, w, "cid", "correlation_id", t->correlation_id) ||
        !put_system(context, w, "uid", "user_id", t->user_id) ||
        !put_system(context, w, "ct", "content_type", t->content_type) ||
        !put_system(context, w, "ce", "content_encoding", t->content_encoding) ||
        !put_system(context, w, "ctime", "creation_time", t->creation_time) ||
        !put_system(context, w, "sub", "component", t->component) ||
        !put_system(context, w, "on", "output", t->output)) {
        return IOTHUB_ERR_ARG;
    }
    if (t->security_message) {
        (void)iothub_bag_put_system(w, "ifid", SECURITY_INTERFACE);
    }
    return check_forms(context, t);
}

/* Writes the topic with its bag; the beginning of the topic is already there. */
static iothub_result compose(iothub_context *context, const iothub_telemetry *t, mqc_span *topic)
{
    iothub_text text = {
        .buf = context_events(context),
        .cap = context->events_len + context->scratch_len,
        .len = context->events_len,
    };
    iothub_bag_writer w;

    iothub_bag_begin(&w, &text);
    iothub_result r = put_system_properties(context, &w, t);
    if (r == IOTHUB_OK) {
        r = put_properties(context, &w, t);
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    if (t->body_len > IOTHUB_MESSAGE_MAX || w.counted > IOTHUB_MESSAGE_MAX - t->body_len) {
        return context_refuse(context, IOTHUB_ERR_TOO_BIG,
                              "telemetry: body and properties are over 256 KB");
    }
    if (text.overflow) {
        return context_refuse(context, IOTHUB_ERR_TOO_BIG,
                              "telemetry: the properties are too long for a topic");
    }
    *topic = iothub_text_span(&text);
    return IOTHUB_OK;
}

/* A message that may be sent again after a crash needs an id that does not change. */
static iothub_result compose_named(telemetry_part *t, const iothub_telemetry *message,
                                   mqc_span *topic)
{
    char id[40];
    iothub_text text;
    iothub_telemetry named = *message;

    iothub_text_init(&text, id, sizeof id);
    backlog_message_id(&t->limits.backlog, &text);
    (void)iothub_text_finish(&text);
    named.message_id = id;
    return compose(t->context, &named, topic);
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

static void log_empty(telemetry_part *t)
{
    if (!t->empty_logged) {
        t->empty_logged = true;
        callback_log_text(t->context, IOTHUB_LOG_WARNING, "telemetry",
                          "body is set and body_len is 0: an empty message is sent");
    }
}

void telemetry_init(telemetry_part *t, iothub_context *context)
{
    *t = (telemetry_part){ .context = context };
    limits_init(&t->limits, context);
}

iothub_result telemetry_send(telemetry_part *t, const iothub_telemetry *message, iothub_op *op)
{
    iothub_context *context = t->context;
    mqc_span topic;

    const char *fault = find_null(message);
    if (fault != NULL) {
        return context_refuse(context, IOTHUB_ERR_ARG, fault);
    }
    if (message->body_len == 0 && message->body != NULL) {
        log_empty(t);
    }
    bool nameless = context->options.store != NULL && message->message_id == NULL;
    iothub_result r =
        nameless ? compose_named(t, message, &topic) : compose(context, message, &topic);
    if (r != IOTHUB_OK) {
        return r;
    }
    iothub_op next = context_next_op(context);
    mqc_outgoing m = {
        .topic = topic,
        /* True, because iothub_init has checked the topic and the rest is percent-encoded. */
        .topic_checked = true,
        .payload = mqc_span_of(message->body, message->body_len),
        .qos = message->at_most_once ? 0 : 1,
        .lane = IOTHUB_LANE_TELEMETRY,
        .kind = IOTHUB_OP_TELEMETRY,
        .id = next,
        .tag = message->tag,
    };
    r = limits_put(&t->limits, &m, message->ttl_ms);
    if (r != IOTHUB_OK) {
        return r;
    }
    t->accepted++;
    context_take_op(context, next, op);
    return IOTHUB_OK;
}

void telemetry_on_done(telemetry_part *t, const mqc_done *m)
{
    const iothub_result result = iothub_from_outcome(m->outcome);

    limits_on_done(&t->limits, m);
    if (t->context->options.store != NULL) {
        backlog_on_done(&t->limits.backlog, m, result);
        return;
    }
    const iothub_done d = {
        .op = m->id,
        .kind = IOTHUB_OP_TELEMETRY,
        .result = result,
        .tag = m->tag,
    };
    telemetry_ends_count(&t->limits.backlog.ends, result);
    callback_done(t->context, &d);
}

void telemetry_count(const telemetry_part *t, iothub_stats *out)
{
    out->telemetry_accepted = t->accepted;
    out->telemetry_found = t->limits.backlog.found;
    out->telemetry_stored = t->limits.backlog.stored;
    out->telemetry_sent = t->limits.backlog.ends.acknowledged +
                          mqc_lane(t->context->engine, IOTHUB_LANE_TELEMETRY).in_flight;
    out->telemetry_acknowledged = t->limits.backlog.ends.acknowledged;
    out->telemetry_expired = t->limits.backlog.ends.expired;
    out->telemetry_dropped = t->limits.backlog.ends.dropped;
    out->telemetry_cancelled = t->limits.backlog.ends.cancelled;
    out->telemetry_kept = t->limits.backlog.ends.kept;
    out->store_errors = t->limits.backlog.health.errors;
    out->queued = limits_waiting(&t->limits);
    out->queued_bytes = limits_bytes(&t->limits);
}
