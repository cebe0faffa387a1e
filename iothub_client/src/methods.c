#include <string.h>

#include "internal.h"
#include "text/json_fault.h"
#include "text/percent.h"

/* The longest that a caller may wait for an answer; the hub does not tell how long this one does.
 */
enum { ANSWER_WITHIN_S = 300 };

enum { NAME_MAX_LEN = 256 };

static mqc_result publish(iothub_client *c, int status, const char *rid, mqc_span json, void *tag,
                          iothub_op op)
{
    iothub_text t;

    iothub_text_init(&t, c->scratch, c->scratch_len);
    topic_put_method_response(&t, status, mqc_span_str(rid));
    const mqc_outgoing m = {
        .topic = iothub_text_span(&t),
        .payload = json,
        .lane = IOTHUB_LANE_METHOD,
        .kind = IOTHUB_OP_METHOD_RESPONSE,
        .id = op,
        .tag = tag,
    };
    c->kick = true;
    return client_publish(c, &m);
}

static uint32_t now_s(const iothub_client *c)
{
    return (uint32_t)(client_now(c) / 1000);
}

/* From there an answer may come rather late than early. */
static uint32_t next_s(const iothub_client *c)
{
    return (uint32_t)((client_now(c) + 999) / 1000);
}

static bool is_open(const iothub_method_slot *slot, uint32_t now)
{
    return slot->state == IOTHUB_SLOT_OPEN && (int32_t)(now - slot->since_s) < ANSWER_WITHIN_S;
}

/* The slot that was free for the longest time: one just answered still tells a double answer. */
static iothub_method_slot *take_slot(iothub_client *c)
{
    iothub_method_slot *best = NULL;
    const uint32_t now = now_s(c);

    for (size_t i = 0; i < IOTHUB_OPEN_METHODS; i++) {
        iothub_method_slot *slot = &c->methods[i];
        if (!is_open(slot, now) && (best == NULL || slot->call < best->call)) {
            best = slot;
        }
    }
    return best;
}

static iothub_method_slot *find_slot(iothub_client *c, uint32_t call)
{
    for (size_t i = 0; i < IOTHUB_OPEN_METHODS; i++) {
        if (c->methods[i].state != IOTHUB_SLOT_FREE && c->methods[i].call == call) {
            return &c->methods[i];
        }
    }
    return NULL;
}

/* The client's own answer: op 0, so that nobody hears of a `done`. */
static void answer_by_client(iothub_client *c, const iothub_method_call *call, int status,
                             const char *text)
{
    callback_log(c, IOTHUB_LOG_WARNING, "methods", "method %.*s: %s",
                 IOTHUB_SPAN_VALUES(call->name), text);
    if (publish(c, status, call->token.rid, mqc_span_of(NULL, 0), NULL, 0) != MQC_OK) {
        callback_log_text(c, IOTHUB_LOG_ERROR, "methods", "no room for that answer either");
    }
}

void methods_on_call(iothub_client *c, const topic_parts *p, mqc_span payload, bool oversize)
{
    iothub_method_call call = { .payload = payload };
    char name[NAME_MAX_LEN];
    size_t name_len = 0;

    c->stats.methods_received++;
    if (c->options.callbacks.method == NULL) {
        subscribe_unwanted(c, TOPIC_FEATURE_METHOD,
                           "ignored a method call: there is no method callback");
        return;
    }
    if (p->rid.len >= sizeof call.token.rid ||
        iothub_percent_decode(p->name, name, sizeof name, &name_len) != IOTHUB_OK) {
        c->stats.ignored++;
        callback_log_text(c, IOTHUB_LOG_WARNING, "methods",
                          "ignored a call with a strange name or id");
        return;
    }
    call.name = mqc_span_of(name, name_len);
    memcpy(call.token.rid, p->rid.ptr, p->rid.len);
    if (oversize) {
        c->stats.ignored++;
        answer_by_client(c, &call, 413, "larger than rx_size, answered 413");
        return;
    }
    call.token.connection = c->session.number;
    call.token.call = ++c->last_call;

    iothub_method_slot *slot = take_slot(c);
    if (slot == NULL) {
        answer_by_client(c, &call, 503, "too many calls are open, answered 503");
        return;
    }
    *slot = (iothub_method_slot){ IOTHUB_SLOT_OPEN, call.token.call, next_s(c) };
    if (callback_method(c, &call) == IOTHUB_METHOD_TAKEN) {
        return;
    }
    slot = find_slot(c, call.token.call);
    if (slot != NULL && slot->state == IOTHUB_SLOT_OPEN) {
        slot->state = IOTHUB_SLOT_ANSWERED;
        answer_by_client(c, &call, 404, "unknown, answered 404");
    }
}

void methods_on_lost(iothub_client *c)
{
    memset(c->methods, 0, sizeof c->methods);
}

bool methods_open(const iothub_client *c)
{
    const uint32_t now = now_s(c);

    for (size_t i = 0; i < IOTHUB_OPEN_METHODS; i++) {
        if (is_open(&c->methods[i], now)) {
            return true;
        }
    }
    return false;
}

static iothub_result respond(iothub_client *c, const iothub_method_token *token, int status,
                             mqc_span json, void *tag, iothub_op *op)
{
    if (token == NULL || (json.ptr == NULL && json.len > 0) ||
        memchr(token->rid, '\0', sizeof token->rid) == NULL) {
        return client_refuse(
            c, IOTHUB_ERR_ARG,
            "method answer: token or json is NULL, or token is not that of a call");
    }
    iothub_method_slot *slot =
        token->connection == c->session.number ? find_slot(c, token->call) : NULL;
    if (slot == NULL || (slot->state == IOTHUB_SLOT_OPEN && !is_open(slot, now_s(c)))) {
        return client_refuse(c, IOTHUB_ERR_EXPIRED, "method answer: too late, nobody waits for it");
    }
    if (slot->state == IOTHUB_SLOT_ANSWERED) {
        return client_refuse(c, IOTHUB_ERR_STATE, "method answer: this call was answered before");
    }
    if (json.len > IOTHUB_METHOD_PAYLOAD_MAX) { /* the hub would close the connection */
        return client_refuse(c, IOTHUB_ERR_TOO_BIG, "method answer: over 128 KB");
    }
    if (json.len > 0 &&
        iothub_json_judge(json, false, "method answer", client_error(c)) != IOTHUB_OK) {
        return IOTHUB_ERR_JSON;
    }
    iothub_op next = client_next_op(c);
    mqc_result r = publish(c, status, token->rid, json, tag, next);
    if (r == MQC_ERR_TOO_BIG) {
        return client_refuse_size(c, "method answer", json.len, "request_size",
                                  c->options.request_size);
    }
    if (r != MQC_OK) {
        return client_refuse_mqc(c, r, "method answer");
    }
    slot->state = IOTHUB_SLOT_ANSWERED;
    client_take_op(c, next, op);
    c->kick = true;
    return IOTHUB_OK;
}

iothub_result iothub_method_respond(iothub_client *c, const iothub_method_token *token, int status,
                                    const void *json, size_t len, void *tag, iothub_op *op)
{
    iothub_result r = client_begin(c);
    return r == IOTHUB_OK
               ? client_return(c, respond(c, token, status, mqc_span_of(json, len), tag, op))
               : r;
}
