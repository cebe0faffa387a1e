#include <string.h>

#include "context/callbacks.h"
#include "internal.h"
#include "text/json_fault.h"
#include "text/percent.h"

/* The longest time that a caller can wait for an answer. The hub does not tell the device how
 * long this caller waits. */
enum { ANSWER_WITHIN_S = 300 };

enum { NAME_MAX_LEN = 256 };

/* A slot keeps the last 30 bits. */
#define SECONDS_MASK (UINT32_MAX >> 2)

static mqc_result publish(iothub_client *c, int status, const char *rid, mqc_span json, void *tag,
                          iothub_op op)
{
    iothub_text t;

    iothub_text_init(&t, c->context.scratch, c->context.scratch_len);
    topic_put_method_response(&t, status, mqc_span_str(rid));
    const mqc_outgoing m = {
        .topic = iothub_text_span(&t),
        .payload = json,
        .lane = IOTHUB_LANE_METHOD,
        .kind = IOTHUB_OP_METHOD_RESPONSE,
        .id = op,
        .tag = tag,
    };
    context_poke(&c->context);
    return context_publish(&c->context, &m);
}

static uint32_t now_s(const iothub_client *c)
{
    return (uint32_t)(context_now(&c->context) / 1000);
}

/* The time is rounded so that an answer is accepted rather too late than refused too early. */
static uint32_t next_s(const iothub_client *c)
{
    return (uint32_t)((context_now(&c->context) + 999) / 1000);
}

static bool is_open(const iothub_method_slot *slot, uint32_t now)
{
    uint32_t open_s = (now - slot->since_s) & SECONDS_MASK;
    bool begun = open_s < SECONDS_MASK / 2; /* else it begins within this second */

    return slot->state == IOTHUB_SLOT_OPEN && (!begun || open_s < ANSWER_WITHIN_S);
}

/* Returns the slot that has been free longest, so that a second answer to a recent call is still
 * detected. */
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

/* An answer made by the client itself. Its op is 0, so it causes no done callback. */
static void answer_by_client(iothub_client *c, const iothub_method_call *call, int status,
                             const char *text)
{
    callback_log(&c->context, IOTHUB_LOG_WARNING, "methods", "method %.*s: %s",
                 IOTHUB_SPAN_VALUES(call->name), text);
    if (publish(c, status, call->token.rid, mqc_span_of(NULL, 0), NULL, 0) != MQC_OK) {
        callback_log_text(&c->context, IOTHUB_LOG_ERROR, "methods", "no room for the answer 503");
    }
}

void methods_on_call(iothub_client *c, const topic_parts *p, mqc_span payload, bool oversize)
{
    iothub_method_call call = { .payload = payload };
    char name[NAME_MAX_LEN];
    size_t name_len = 0;

    c->methods_counts.received++;
    if (c->context.options.callbacks.method == NULL) {
        subscribe_unwanted(&c->session.subscribe, TOPIC_FEATURE_METHOD,
                           "ignored a method call, since there is no method callback");
        return;
    }
    if (p->rid.len >= sizeof call.token.rid ||
        iothub_percent_decode(p->name, name, sizeof name, &name_len) != IOTHUB_OK) {
        context_count_ignored(&c->context);
        callback_log_text(&c->context, IOTHUB_LOG_WARNING, "methods",
                          "ignored a method call with an invalid name or id");
        return;
    }
    call.name = mqc_span_of(name, name_len);
    memcpy(call.token.rid, p->rid.ptr, p->rid.len);
    if (oversize) {
        context_count_ignored(&c->context);
        answer_by_client(c, &call, 413, "larger than rx_size, answered with 413");
        return;
    }
    if (c->methods_generation != c->context.generation) { /* nobody waits for these any more */
        memset(c->methods, 0, sizeof c->methods);
        c->methods_generation = c->context.generation;
    }
    call.token.connection = c->context.generation;
    call.token.call = ++c->last_call;

    iothub_method_slot *slot = take_slot(c);
    if (slot == NULL) {
        answer_by_client(c, &call, 503, "too many calls are open, answered with 503");
        return;
    }
    *slot = (iothub_method_slot){
        .call = call.token.call,
        .state = IOTHUB_SLOT_OPEN,
        .since_s = next_s(c) & SECONDS_MASK,
    };
    if (callback_method(&c->context, &call) == IOTHUB_METHOD_TAKEN) {
        return;
    }
    slot = find_slot(c, call.token.call);
    if (slot != NULL && slot->state == IOTHUB_SLOT_OPEN) {
        slot->state = IOTHUB_SLOT_ANSWERED;
        answer_by_client(c, &call, 404, "unknown, answered 404");
    }
}

bool methods_open(const iothub_client *c)
{
    const uint32_t now = now_s(c);

    if (c->methods_generation != c->context.generation) {
        return false;
    }
    for (size_t i = 0; i < IOTHUB_OPEN_METHODS; i++) {
        if (is_open(&c->methods[i], now)) {
            return true;
        }
    }
    return false;
}

iothub_result methods_respond(iothub_client *c, const iothub_method_token *token, int status,
                              mqc_span json, void *tag, iothub_op *op)
{
    if (token == NULL || (json.ptr == NULL && json.len > 0) ||
        memchr(token->rid, '\0', sizeof token->rid) == NULL) {
        return context_refuse(
            &c->context, IOTHUB_ERR_ARG,
            "method answer: token or json is NULL, or token is not that of a call");
    }
    iothub_method_slot *slot =
        token->connection == c->context.generation && token->connection == c->methods_generation
            ? find_slot(c, token->call)
            : NULL;
    if (slot == NULL || (slot->state == IOTHUB_SLOT_OPEN && !is_open(slot, now_s(c)))) {
        return context_refuse(&c->context, IOTHUB_ERR_EXPIRED,
                              "method answer: too late, the caller no longer waits");
    }
    if (slot->state == IOTHUB_SLOT_ANSWERED) {
        return context_refuse(&c->context, IOTHUB_ERR_STATE,
                              "method answer: this call was answered before");
    }
    if (json.len > IOTHUB_METHOD_PAYLOAD_MAX) { /* the hub would close the connection */
        return context_refuse(&c->context, IOTHUB_ERR_TOO_BIG, "method answer: over 128 KB");
    }
    if (json.len > 0 &&
        iothub_json_judge(json, false, "method answer", context_error(&c->context)) != IOTHUB_OK) {
        return IOTHUB_ERR_JSON;
    }
    iothub_op next = context_next_op(&c->context);
    mqc_result r = publish(c, status, token->rid, json, tag, next);
    if (r == MQC_ERR_TOO_BIG) {
        return context_refuse_size(&c->context, "method answer", json.len, "request_size",
                                   c->context.options.request_size);
    }
    if (r != MQC_OK) {
        return context_refuse_mqc(&c->context, r, "method answer");
    }
    slot->state = IOTHUB_SLOT_ANSWERED;
    context_take_op(&c->context, next, op);
    context_poke(&c->context);
    return IOTHUB_OK;
}
