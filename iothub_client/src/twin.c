#include "internal.h"
#include "json_path.h"
#include "retry.h"

/* Kind of the client's own GET; the others are iothub_op_kind. */
enum { KIND_TWIN_SYNC = 100 };

static bool is_object(mqc_span json)
{
    return iothub_json_kind_of(json) == IOTHUB_JSON_OBJECT && iothub_json_check(json) == IOTHUB_OK;
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

    iothub_text_init(&t, c->scratch, c->scratch_len);
    if (kind == IOTHUB_OP_TWIN_REPORT) {
        topic_put_twin_report(&t, op);
    } else {
        topic_put_twin_get(&t, op);
    }
    const mqc_outgoing m = {
        .topic = iothub_text_span(&t),
        .payload = json,
        .keep = true, /* until the hub's answer: a lost one is asked again */
        .lane = IOTHUB_LANE_TWIN,
        .kind = kind,
        .id = op,
        .tag = tag,
        .expires = client_now(c) + c->options.request_timeout_ms,
    };
    return client_publish(c, &m);
}

static iothub_result request(iothub_client *c, iothub_op_kind kind, mqc_span json, void *tag,
                             iothub_op *op)
{
    iothub_op next = client_next_op(c);

    mqc_result r = publish(c, (uint8_t)kind, next, json, tag);
    if (r != MQC_OK) {
        return client_refuse_mqc(c, r, "twin request");
    }
    client_take_op(c, next, op);
    return IOTHUB_OK;
}

iothub_result iothub_twin_get(iothub_client *c, void *tag, iothub_op *op)
{
    client_enter(c);
    return client_return(c, request(c, IOTHUB_OP_TWIN_GET, mqc_span_of(NULL, 0), tag, op));
}

static iothub_result report(iothub_client *c, mqc_span json, void *tag, iothub_op *op)
{
    if (json.ptr == NULL || !is_object(json)) {
        return client_refuse(c, IOTHUB_ERR_JSON, "twin report: not a JSON object");
    }
    return request(c, IOTHUB_OP_TWIN_REPORT, json, tag, op);
}

iothub_result iothub_twin_report(iothub_client *c, const void *json, size_t len, void *tag,
                                 iothub_op *op)
{
    client_enter(c);
    return client_return(c, report(c, mqc_span_of(json, len), tag, op));
}

/* --- resync: after each connect, and whenever a version is missing ------------------------ */

static void sync_start(iothub_client *c)
{
    c->twin.retry_at = 0;
    if (c->options.callbacks.desired == NULL || c->twin.pending) {
        return; /* a pending GET goes out again by itself */
    }
    iothub_op next = client_next_op(c);

    mqc_result r = publish(c, KIND_TWIN_SYNC, next, mqc_span_of(NULL, 0), NULL);
    if (r != MQC_OK) { /* the lane is full of requests of the application */
        c->twin.retry_at = client_now(c) + c->options.retry_min_ms;
        return;
    }
    c->twin.pending = true;
    c->twin.newest = 0;
    client_take_op(c, next, NULL);
}

static void sync_later(iothub_client *c)
{
    uint32_t random = UINT32_MAX;
    const plat_crypto *crypto = c->options.platform->crypto;
    uint32_t limit =
        retry_limit_ms(c->options.retry_min_ms, c->options.retry_max_ms, ++c->twin.failures);

    (void)crypto->random(crypto, &random, sizeof random);
    c->twin.retry_at = client_now(c) + retry_delay_ms(limit, random, 0);
}

static void deliver(iothub_client *c, const iothub_desired *d)
{
    c->twin.version = d->version;
    c->stats.desired_delivered++;
    notify_desired(c, d);
}

static void sync_done(iothub_client *c, int status, mqc_span body)
{
    static const char *const desired[] = { "desired" };
    static const char *const reported[] = { "reported" };
    iothub_desired d = { .complete = true };
    bool good = status == 200 && is_object(body) && iothub_json_find(body, desired, 1, &d.json) &&
                find_version(d.json, &d.version);

    c->twin.pending = false;
    if (!good) {
        notify_log_text(c, IOTHUB_LOG_WARNING, "twin",
                        "the hub did not give the twin, asking again");
        sync_later(c);
        return;
    }
    c->twin.failures = 0;
    (void)iothub_json_find(body, reported, 1, &d.reported);
    uint64_t newest = c->twin.newest;
    deliver(c, &d);
    if (newest > d.version) { /* a patch overtook the document */
        sync_start(c);
    }
}

void twin_on_connected(iothub_client *c)
{
    sync_start(c);
}

mqc_time twin_next_deadline(const iothub_client *c)
{
    return c->session.state == IOTHUB_CONNECTED ? c->twin.retry_at : 0;
}

void twin_on_time(iothub_client *c, mqc_time now)
{
    mqc_time at = twin_next_deadline(c);

    if (at != 0 && now >= at) {
        sync_start(c);
    }
}

/* --- from the hub ------------------------------------------------------------------------- */

void twin_on_response(iothub_client *c, const topic_parts *p, mqc_span body, iothub_result fault)
{
    iothub_result answer = p->status >= 200 && p->status < 300 ? IOTHUB_OK : IOTHUB_ERR_REJECTED;
    mqc_done m;
    uint32_t rid;

    if (!topic_rid_number(p->rid, &rid) ||
        mqc_release(&c->engine, IOTHUB_LANE_TWIN, rid, &m) != MQC_OK) {
        c->stats.ignored++;
        notify_log_text(c, IOTHUB_LOG_INFO, "twin", "ignored an answer that nobody waits for");
        return;
    }
    if (m.kind == KIND_TWIN_SYNC) {
        sync_done(c, p->status, body);
        return;
    }
    const iothub_done d = {
        .op = m.id,
        .kind = (iothub_op_kind)m.kind,
        .result = fault != IOTHUB_OK ? fault : answer,
        .status = p->status,
        .version = p->version,
        .body = body,
        .tag = m.tag,
    };
    notify_done(c, &d);
}

void twin_on_desired(iothub_client *c, const topic_parts *p, mqc_span json)
{
    iothub_twin_sync *twin = &c->twin;
    iothub_desired d = { .json = json, .version = p->version };

    if (c->options.callbacks.desired == NULL) {
        c->stats.ignored++;
        return;
    }
    if (!is_object(json) || (!p->has_version && !find_version(json, &d.version))) {
        c->stats.ignored++;
        notify_log_text(c, IOTHUB_LOG_WARNING, "twin", "desired change without JSON or version");
        sync_start(c);
        return;
    }
    if (twin->pending || twin->retry_at != 0 || c->session.state != IOTHUB_CONNECTED) {
        /* the document to come holds it, or it is asked again */
        twin->newest = d.version > twin->newest ? d.version : twin->newest;
        return;
    }
    if (d.version <= twin->version) {
        c->stats.desired_duplicates++;
        return;
    }
    if (d.version != twin->version + 1) {
        c->stats.desired_gaps++;
        sync_start(c);
        twin->newest = d.version;
        return;
    }
    deliver(c, &d);
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
