#include "features/twin.h"

#include <assert.h>

#include "context/callbacks.h"
#include "context/result_map.h"
#include "context/retry.h"
#include "text/json_fault.h"
#include "text/json_path.h"

/* The kind of a GET that the client itself makes; the other kinds are those of iothub_op_kind. */
enum { KIND_OWN_GET = 100 };

void twin_init(iothub_twin *f, iothub_context *context)
{
    *f = (iothub_twin){
        .context = context,
        .retry_at = IOTHUB_NEVER,
        .hold_until = IOTHUB_NEVER,
    };
}

/* --- documents ----------------------------------------------------------------------- */

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

static mqc_result publish(iothub_twin *f, uint8_t kind, uint32_t op, mqc_span json, void *tag)
{
    iothub_text t;

    iothub_text_init(&t, f->context->scratch, f->context->scratch_len);
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
        .expires = context_now(f->context) + f->context->options.request_timeout_ms,
    };
    return context_publish(f->context, &m);
}

static iothub_result request(iothub_twin *f, iothub_op_kind kind, mqc_span json, void *tag,
                             iothub_op *op)
{
    iothub_op next = context_next_op(f->context);
    assert(twin_valid(f));
    bool behind = f->starved && f->context->state == IOTHUB_CONNECTED;

    mqc_result r = behind ? MQC_ERR_NO_SPACE : publish(f, (uint8_t)kind, next, json, tag);
    if (r == MQC_ERR_TOO_BIG) {
        return context_refuse_size(f->context, "twin report", json.len, "request_size",
                                   f->context->options.request_size);
    }
    if (r != MQC_OK) {
        return context_refuse_mqc(f->context, r, "twin request");
    }
    context_take_op(f->context, next, op);
    context_poke(f->context);
    return IOTHUB_OK;
}

iothub_result twin_queue_get(iothub_twin *f, void *tag, iothub_op *op)
{
    return request(f, IOTHUB_OP_TWIN_GET, mqc_span_of(NULL, 0), tag, op);
}

iothub_result twin_queue_report(iothub_twin *f, mqc_span json, void *tag, iothub_op *op)
{
    if (json.ptr == NULL) {
        return context_refuse(f->context, IOTHUB_ERR_ARG, "twin report: json is NULL");
    }
    iothub_result r = iothub_json_judge(json, true, "twin report", context_error(f->context));
    if (r != IOTHUB_OK) {
        return r;
    }
    return request(f, IOTHUB_OP_TWIN_REPORT, json, tag, op);
}

/* --- back-off ----------------------------------------------------------------------- */

/* Returns when to repeat a request: within half of request_timeout_ms, so that each request is
 * repeated at least once. */
static mqc_time back_off(iothub_twin *f)
{
    const iothub_options *o = &f->context->options;
    uint32_t half = o->request_timeout_ms / 2;
    uint32_t most = o->retry_max_ms < half ? o->retry_max_ms : half;
    uint32_t limit = retry_limit_ms(o->retry_min_ms, most, ++f->failures);
    uint32_t random = UINT32_MAX;

    (void)o->platform->crypto->random(o->platform->crypto, &random, sizeof random);
    return context_now(f->context) + retry_delay_ms(limit, random, 0);
}

static void hold_until(iothub_twin *f, mqc_time when)
{
    f->hold_until = when;
    mqc_hold(f->context->engine, IOTHUB_LANE_TWIN, when != IOTHUB_NEVER);
}

/* Returns whether the status means that the hub throttles or has an internal error. */
static bool is_temporary(int status)
{
    return status == 429 || (status >= 500 && status <= 599);
}

/* Called when the hub throttles or has an internal error: this request is repeated, and all
 * others wait for it. */
static bool later(iothub_twin *f, uint32_t rid, int status)
{
    if (!is_temporary(status) || mqc_requeue(f->context->engine, IOTHUB_LANE_TWIN, rid) != MQC_OK) {
        return false;
    }
    callback_log_text(f->context, IOTHUB_LOG_WARNING, "twin",
                      status == 429 ? "throttled by the hub, repeating the request later"
                                    : "the hub has an internal error, repeating the request later");
    f->retries++;
    f->later_op = rid;
    f->later_status = status;
    hold_until(f, back_off(f));
    return true;
}

/* --- resync: after each connect, and whenever a version is missing ------------------------ */

static void sync_start(iothub_twin *f)
{
    f->retry_at = IOTHUB_NEVER;
    f->starved = false;
    if (f->context->options.callbacks.desired == NULL || f->requested) {
        return; /* nothing to do, because a pending GET is sent again automatically */
    }
    f->expected = false;
    iothub_op next = context_next_op(f->context);

    mqc_result r = publish(f, KIND_OWN_GET, next, mqc_span_of(NULL, 0), NULL);
    if (r !=
        /* The lane is full; when there is room, the client's own GET comes before further
         * requests. */
        MQC_OK) {
        f->starved = true;
        f->retry_at = context_now(f->context) + f->context->options.retry_min_ms;
        return;
    }
    f->requested = true;
    f->requested_generation = f->context->generation;
    f->newest = 0;
    context_take_op(f->context, next, NULL);
    context_poke(f->context);
    assert(twin_valid(f));
}

/* Returns whether the document may be out of date: the client's own GET was queued before the
 * hub began to send changes, so its answer may be older than a change without a notification. */
static bool is_stale(const iothub_twin *f)
{
    return f->requested && f->requested_generation != f->context->generation;
}

static void sync_later(iothub_twin *f)
{
    callback_log_text(f->context, IOTHUB_LOG_WARNING, "twin",
                      "the hub did not return the twin, requesting it again");
    f->requested = false;
    f->retry_at = back_off(f);
}

/* Returns true if the application has the newest version that the client knows. */
static bool is_synced(const iothub_twin *f)
{
    return f->context->options.callbacks.desired != NULL && !f->expected && !f->requested &&
           f->retry_at == IOTHUB_NEVER && f->context->state == IOTHUB_CONNECTED;
}

static void deliver(iothub_twin *f, const iothub_desired *d)
{
    /* The callback was removed after the request. */
    if (f->context->options.callbacks.desired == NULL) {
        return;
    }
    f->version = d->version;
    f->oversize = false;
    f->delivered++;
    callback_desired(f->context, d);
}

/* Reports that the document is too large to be received. This will probably stay so for a long
 * time. */
static void report_fault(iothub_twin *f, const iothub_error *why)
{
    const iothub_desired d = {
        .json =
            MQC_SPAN_LIT("{}"), /* if an application ignores the result, it merges an empty patch */
        .version = f->version,
        .result = why->code,
        .text = why->text,
    };

    if (!f->oversize) {
        f->oversize = true;
        callback_desired(f->context, &d);
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

static void sync_done(iothub_twin *f, int status, mqc_span body)
{
    iothub_desired d;

    if (status != 200 || !read_document(body, &d)) {
        sync_later(f);
        return;
    }
    const bool stale = is_stale(f);
    f->requested = false;
    f->failures = 0;
    if (stale) {
        sync_start(f);
        return;
    }
    uint64_t newest = f->newest;
    deliver(f, &d);
    if (newest > d.version) { /* a later patch has arrived before the document */
        sync_start(f);
    }
}

/* Compares versions: the answer to a GET of the application may show a change without a
 * notification. */
static void compare(iothub_twin *f, mqc_span body)
{
    iothub_desired d;

    if (is_synced(f) && read_document(body, &d) && d.version != f->version) {
        f->gaps++;
        sync_start(f);
    }
}

void twin_on_connected(iothub_twin *f)
{
    assert(twin_valid(f));
    f->oversize = false;
    f->requested_generation = f->context->generation - 1; /* makes an unanswered GET out of date */
    hold_until(f, f->hold_until);
    sync_start(f);
}

void twin_expect_document(iothub_twin *f)
{
    f->expected = true;
}

mqc_time twin_deadline(const iothub_twin *f)
{
    return f->context->state == IOTHUB_CONNECTED ? deadline_earlier(f->hold_until, f->retry_at)
                                                 : IOTHUB_NEVER;
}

void twin_look(iothub_twin *f, mqc_time now)
{
    assert(twin_valid(f));
    if (f->context->state != IOTHUB_CONNECTED) {
        return;
    }
    if (now >= f->hold_until) {
        hold_until(f, IOTHUB_NEVER);
    }
    if (now >= f->retry_at) {
        sync_start(f);
    }
}

/* --- from the hub ------------------------------------------------------------------------- */

/* Handles an answer to a request of the application. */
static void on_answer(iothub_twin *f, const iothub_done *d)
{
    f->failures = 0; /* the hub has answered, whatever the status is */
    if (f->starved) {
        sync_start(f);
    }
    if (d->kind == IOTHUB_OP_TWIN_GET && d->result == IOTHUB_OK) {
        compare(f, d->body);
    }
    callback_done(f->context, d);
}

void twin_on_response(iothub_twin *f, const topic_parts *p, mqc_span body,
                      const iothub_error *fault)
{
    iothub_result answer = p->status >= 200 && p->status < 300 ? IOTHUB_OK : IOTHUB_ERR_REJECTED;
    mqc_done m;
    uint32_t rid = 0; /* 0 is the id of no request */

    assert(twin_valid(f));
    (void)topic_rid_number(p->rid, &rid);
    if (later(f, rid, p->status)) {
        return;
    }
    if (mqc_release(f->context->engine, IOTHUB_LANE_TWIN, rid, &m) != MQC_OK) {
        context_count_ignored(f->context);
        callback_log_text(f->context, IOTHUB_LOG_INFO, "twin",
                          "ignored an answer that was not expected");
        return;
    }
    if (m.kind == KIND_OWN_GET) {
        sync_done(f, p->status, body);
        if (fault != NULL) {
            report_fault(f, fault);
        }
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
    on_answer(f, &d);
}

/* Handles a change without a readable version: the document must be requested. */
static void unreadable(iothub_twin *f, const char *text)
{
    callback_log_text(f->context, IOTHUB_LOG_WARNING, "twin", text);
    context_count_ignored(f->context);
    if (is_synced(f)) {
        sync_start(f);
    } else {
        f->newest = UINT64_MAX; /* the answer to the pending GET may not contain the change */
    }
}

static void on_patch(iothub_twin *f, const iothub_desired *d)
{
    /* The next document contains the change, or the client requests it again. */
    if (!is_synced(f)) {
        f->newest = d->version > f->newest ? d->version : f->newest;
    } else if (d->version == f->version) {
        f->duplicates++;
    } else if (d->version < f->version || d->version - f->version != 1) {
        /* Either changes are missing, or an old one arrived late, or the versions started again. */
        f->gaps++;
        sync_start(f);
        f->newest = d->version;
    } else {
        deliver(f, d);
    }
}

bool twin_on_desired(iothub_twin *f, const topic_parts *p, mqc_span json, const iothub_error *fault)
{
    iothub_desired d = { .json = json, .version = p->version, .text = "" };

    assert(twin_valid(f));
    if (f->context->options.callbacks.desired == NULL) {
        return false;
    }
    if (fault != NULL) {
        unreadable(f, "desired change that could not be received");
    } else if (!is_object(json) || (!p->has_version && !find_version(json, &d.version))) {
        unreadable(f, "desired change without JSON or version");
    } else {
        on_patch(f, &d);
    }
    return true;
}

/* Returns the result of a request that ended without an answer. */
static iothub_result result_of(const mqc_done *m)
{
    return m->outcome == MQC_OUTCOME_EXPIRED ? IOTHUB_ERR_TIMEOUT : iothub_from_outcome(m->outcome);
}

void twin_on_done(iothub_twin *f, const mqc_done *m)
{
    const iothub_done d = {
        .op = m->id,
        .kind = (iothub_op_kind)m->kind,
        .result = result_of(m),
        .status = m->id == f->later_op ? f->later_status : 0,
        .tag = m->tag,
    };

    assert(twin_valid(f));
    if (m->kind != KIND_OWN_GET) {
        callback_done(f->context, &d);
        return;
    }
    f->requested = false;
    if (m->outcome == MQC_OUTCOME_EXPIRED) {
        sync_later(f);
    }
}

#ifndef NDEBUG
bool twin_valid(const iothub_twin *f)
{
    /* A GET that is unanswered must not be scheduled as well. */
    if (f->requested && (f->retry_at != IOTHUB_NEVER || f->starved)) {
        return false;
    }
    /* A GET that found the lane full must be scheduled. */
    if (f->starved && f->retry_at == IOTHUB_NEVER) {
        return false;
    }
    /* Requests are held back only after a request that will be repeated. */
    return f->retries > 0
               ? f->later_op != 0 && is_temporary(f->later_status)
               : f->later_op == 0 && f->later_status == 0 && f->hold_until == IOTHUB_NEVER;
}
#endif
