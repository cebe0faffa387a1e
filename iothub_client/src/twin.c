#include "context/callbacks.h"
#include "context/retry.h"
#include "internal.h"
#include "text/json_fault.h"
#include "text/json_path.h"

/* Kind of a GET made by the client itself; the other kinds are iothub_op_kind. */
enum { KIND_TWIN_SYNC = 100 };

static bool is_object(mqc_span json)
{
    return iothub_json_kind_of(json) == IOTHUB_JSON_OBJECT &&
           iothub_json_check(json, NULL) == IOTHUB_OK;
}

static bool find_version(mqc_span object, uint64_t *version)
{
    static const char *const key[] = { "$version" };
    mqc_span value;

    return iothub_json_find(object, key, 1, &value) && iothub_json_u64(value, version);
}

/* --- requests ---------------------------------------------------------------------- */

static mqc_result publish(iothub_client *c, uint8_t kind, uint32_t op, mqc_span json, void *tag)
{
    iothub_text t;

    iothub_text_init(&t, c->context.scratch, c->context.scratch_len);
    if (kind == IOTHUB_OP_TWIN_REPORT) {
        topic_put_twin_report(&t, op);
    } else {
        topic_put_twin_get(&t, op);
    }
    const mqc_outgoing m = {
        .topic = iothub_text_span(&t),
        .payload = json,
        .keep = true, /* kept until the hub answers, so that it can be sent again */
        .lane = IOTHUB_LANE_TWIN,
        .kind = kind,
        .id = op,
        .tag = tag,
        .expires = context_now(&c->context) + c->context.options.request_timeout_ms,
    };
    return context_publish(&c->context, &m);
}

static iothub_result request(iothub_client *c, iothub_op_kind kind, mqc_span json, void *tag,
                             iothub_op *op)
{
    iothub_op next = context_next_op(&c->context);
    bool behind = c->twin.starved && c->context.state == IOTHUB_CONNECTED;

    mqc_result r = behind ? MQC_ERR_NO_SPACE : publish(c, (uint8_t)kind, next, json, tag);
    if (r == MQC_ERR_TOO_BIG) {
        return context_refuse_size(&c->context, "twin report", json.len, "request_size",
                                   c->context.options.request_size);
    }
    if (r != MQC_OK) {
        return context_refuse_mqc(&c->context, r, "twin request");
    }
    context_take_op(&c->context, next, op);
    context_poke(&c->context);
    return IOTHUB_OK;
}

iothub_result twin_queue_get(iothub_client *c, void *tag, iothub_op *op)
{
    return request(c, IOTHUB_OP_TWIN_GET, mqc_span_of(NULL, 0), tag, op);
}

iothub_result twin_queue_report(iothub_client *c, mqc_span json, void *tag, iothub_op *op)
{
    if (json.ptr == NULL) {
        return context_refuse(&c->context, IOTHUB_ERR_ARG, "twin report: json is NULL");
    }
    iothub_result r = iothub_json_judge(json, true, "twin report", context_error(&c->context));
    if (r != IOTHUB_OK) {
        return r;
    }
    return request(c, IOTHUB_OP_TWIN_REPORT, json, tag, op);
}

/* --- back-off ----------------------------------------------------------------------- */

/* Returns when to repeat a request: within half of request_timeout_ms, so that each request is
 * repeated at least once. */
static mqc_time back_off(iothub_client *c)
{
    const iothub_options *o = &c->context.options;
    uint32_t half = o->request_timeout_ms / 2;
    uint32_t most = o->retry_max_ms < half ? o->retry_max_ms : half;
    uint32_t limit = retry_limit_ms(o->retry_min_ms, most, ++c->twin.failures);
    uint32_t random = UINT32_MAX;

    (void)o->platform->crypto->random(o->platform->crypto, &random, sizeof random);
    return context_now(&c->context) + retry_delay_ms(limit, random, 0);
}

static void hold_until(iothub_client *c, mqc_time when)
{
    c->twin.hold_until = when;
    mqc_hold(c->context.engine, IOTHUB_LANE_TWIN, when != 0);
}

/* The hub throttles or has an internal error: this request is repeated, and all others wait for
 * it. */
static bool later(iothub_client *c, uint32_t rid, int status)
{
    bool wanted = status == 429 || (status >= 500 && status <= 599);

    if (!wanted || mqc_requeue(c->context.engine, IOTHUB_LANE_TWIN, rid) != MQC_OK) {
        return false;
    }
    callback_log_text(&c->context, IOTHUB_LOG_WARNING, "twin",
                      status == 429 ? "throttled by the hub, repeating the request later"
                                    : "the hub has an internal error, repeating the request later");
    c->twin.counts.retries++;
    c->twin.later_op = rid;
    c->twin.later_status = status;
    hold_until(c, back_off(c));
    return true;
}

int twin_last_status(const iothub_client *c, const mqc_done *m)
{
    return m->lane == IOTHUB_LANE_TWIN && m->id == c->twin.later_op ? c->twin.later_status : 0;
}

/* --- resync: after each connect, and whenever a version is missing ------------------------ */

static void sync_start(iothub_client *c)
{
    c->twin.retry_at = 0;
    c->twin.starved = false;
    if (c->context.options.callbacks.desired == NULL || c->twin.pending) {
        return; /* a pending GET is sent again automatically */
    }
    iothub_op next = context_next_op(&c->context);

    mqc_result r = publish(c, KIND_TWIN_SYNC, next, mqc_span_of(NULL, 0), NULL);
    if (r !=
        MQC_OK) { /* the lane is full: the client's own GET has priority over further requests */
        c->twin.starved = true;
        c->twin.retry_at = context_now(&c->context) + c->context.options.retry_min_ms;
        return;
    }
    c->twin.pending = true;
    c->twin.stale = false;
    c->twin.newest = 0;
    context_take_op(&c->context, next, NULL);
    context_poke(&c->context);
}

static void sync_later(iothub_client *c)
{
    callback_log_text(&c->context, IOTHUB_LOG_WARNING, "twin",
                      "the hub did not return the twin, requesting it again");
    c->twin.pending = false;
    c->twin.retry_at = back_off(c);
}

/* True if the application has the newest version that the client knows. */
static bool is_synced(const iothub_client *c)
{
    return c->context.options.callbacks.desired != NULL && !c->twin.pending &&
           c->twin.retry_at == 0 && c->context.state == IOTHUB_CONNECTED;
}

static void deliver(iothub_client *c, const iothub_desired *d)
{
    c->twin.version = d->version;
    c->twin.oversize = false;
    c->twin.counts.delivered++;
    callback_desired(&c->context, d);
}

/* The document is too large to be received, and will be for a long time. */
static void tell_fault(iothub_client *c, const iothub_error *why)
{
    const iothub_desired d = {
        .json =
            MQC_SPAN_LIT("{}"), /* an application that ignores the result merges an empty patch */
        .version = c->twin.version,
        .result = why->code,
        .text = why->text,
    };

    if (!c->twin.oversize) {
        c->twin.oversize = true;
        callback_desired(&c->context, &d);
    }
}

static bool read_document(mqc_span body, iothub_desired *d)
{
    static const char *const desired[] = { "desired" };
    static const char *const reported[] = { "reported" };

    *d = (iothub_desired){ .complete = true, .text = "" };
    if (!is_object(body) || !iothub_json_find(body, desired, 1, &d->json) ||
        !find_version(d->json, &d->version)) {
        return false;
    }
    (void)iothub_json_find(body, reported, 1, &d->reported);
    return true;
}

static void sync_done(iothub_client *c, int status, mqc_span body)
{
    iothub_desired d;

    if (status != 200 || !read_document(body, &d)) {
        sync_later(c);
        return;
    }
    c->twin.pending = false;
    c->twin.failures = 0;
    if (c->twin.stale) {
        sync_start(c);
        return;
    }
    uint64_t newest = c->twin.newest;
    deliver(c, &d);
    if (newest > d.version) { /* a later patch arrived before the document */
        sync_start(c);
    }
}

/* The answer to a GET of the application shows a change that was never notified. */
static void compare(iothub_client *c, mqc_span body)
{
    iothub_desired d;

    if (is_synced(c) && read_document(body, &d) && d.version != c->twin.version) {
        c->twin.counts.gaps++;
        sync_start(c);
    }
}

void twin_on_connected(iothub_client *c)
{
    /* An answer from the earlier connection may still arrive, and may be older than a change
     * that was not notified. */
    c->twin.stale = c->twin.pending;
    c->twin.oversize = false;
    hold_until(c, c->twin.hold_until);
    sync_start(c);
}

mqc_time twin_next_deadline(const iothub_client *c)
{
    const iothub_twin_sync *twin = &c->twin;

    if (c->context.state != IOTHUB_CONNECTED) {
        return 0;
    }
    bool hold_first = twin->retry_at == 0 || twin->hold_until < twin->retry_at;
    return twin->hold_until != 0 && hold_first ? twin->hold_until : twin->retry_at;
}

void twin_look(iothub_client *c, mqc_time now)
{
    if (c->context.state != IOTHUB_CONNECTED) {
        return;
    }
    if (c->twin.hold_until != 0 && now >= c->twin.hold_until) {
        hold_until(c, 0);
    }
    if (c->twin.retry_at != 0 && now >= c->twin.retry_at) {
        sync_start(c);
    }
}

/* --- from the hub ------------------------------------------------------------------------- */

void twin_on_response(iothub_client *c, const topic_parts *p, mqc_span body,
                      const iothub_error *fault)
{
    iothub_result answer = p->status >= 200 && p->status < 300 ? IOTHUB_OK : IOTHUB_ERR_REJECTED;
    mqc_done m;
    uint32_t rid = 0; /* names no request */

    (void)topic_rid_number(p->rid, &rid);
    if (later(c, rid, p->status)) {
        return;
    }
    if (mqc_release(c->context.engine, IOTHUB_LANE_TWIN, rid, &m) != MQC_OK) {
        context_count_ignored(&c->context);
        callback_log_text(&c->context, IOTHUB_LOG_INFO, "twin",
                          "ignored an answer that was not expected");
        return;
    }
    if (m.kind == KIND_TWIN_SYNC) {
        if (fault != NULL) {
            tell_fault(c, fault);
        }
        sync_done(c, p->status, body);
        return;
    }
    const iothub_done d = {
        .op = m.id,
        .kind = (iothub_op_kind)m.kind,
        .result = fault != NULL ? fault->code : answer,
        .status = p->status,
        .version = p->version,
        .body = body,
        .tag = m.tag,
    };
    c->twin.failures = 0; /* any status is an answer */
    if (c->twin.starved) {
        sync_start(c);
    }
    if (m.kind == IOTHUB_OP_TWIN_GET && d.result == IOTHUB_OK) {
        compare(c, body);
    }
    callback_done(&c->context, &d);
}

/* A change without a readable version: the document must be fetched. */
static void unreadable(iothub_client *c, const char *text)
{
    callback_log_text(&c->context, IOTHUB_LOG_WARNING, "twin", text);
    context_count_ignored(&c->context);
    if (is_synced(c)) {
        sync_start(c);
    } else {
        c->twin.newest = UINT64_MAX; /* the answer that is on its way may not contain it */
    }
}

static void on_patch(iothub_client *c, const iothub_desired *d)
{
    iothub_twin_sync *twin = &c->twin;

    if (!is_synced(c)) { /* the next document contains it, or the client requests it again */
        twin->newest = d->version > twin->newest ? d->version : twin->newest;
    } else if (d->version == twin->version) {
        c->twin.counts.duplicates++;
    } else if (d->version < twin->version || d->version - twin->version != 1) {
        /* changes are missing, an old one arrived late, or the versions started again */
        c->twin.counts.gaps++;
        sync_start(c);
        twin->newest = d->version;
    } else {
        deliver(c, d);
    }
}

void twin_on_desired(iothub_client *c, const topic_parts *p, mqc_span json,
                     const iothub_error *fault)
{
    iothub_desired d = { .json = json, .version = p->version, .text = "" };

    if (c->context.options.callbacks.desired == NULL) {
        subscribe_unwanted(&c->session.subscribe, TOPIC_FEATURE_DESIRED,
                           "ignored a desired change, since there is no desired callback");
    } else if (fault != NULL) {
        unreadable(c, "desired change that could not be received");
    } else if (!is_object(json) || (!p->has_version && !find_version(json, &d.version))) {
        unreadable(c, "desired change without JSON or version");
    } else {
        on_patch(c, &d);
    }
}

bool twin_takes_done(iothub_client *c, const mqc_done *m)
{
    if (m->kind != KIND_TWIN_SYNC) {
        return false;
    }
    c->twin.pending = false;
    if (m->outcome == MQC_OUTCOME_EXPIRED) {
        sync_later(c);
    }
    return true;
}
