#include "features/methods.h"

#include <assert.h>
#include <string.h>

#include "context/callbacks.h"
#include "context/result_map.h"
#include "iothub/client.h"
#include "text/json_fault.h"
#include "text/percent.h"

/* The longest time that a caller can wait for an answer, in seconds. The hub does not tell the
 * device how long this caller waits. */
enum { ANSWER_WITHIN_S = 300 };

enum { METHOD_NAME_MAX_LEN = 256 };

static mqc_result publish(iothub_methods *f, int status, const char *rid, mqc_span json, void *tag,
                          iothub_op op)
{
    iothub_text t;

    iothub_text_init(&t, f->context->scratch, f->context->scratch_len);
    topic_put_method_response(&t, status, mqc_span_str(rid));
    const mqc_outgoing m = {
        .topic = iothub_text_span(&t),
        .payload = json,
        .lane = IOTHUB_LANE_METHOD,
        .kind = IOTHUB_OP_METHOD_RESPONSE,
        .id = op,
        .tag = tag,
    };
    context_poke(f->context);
    return context_publish(f->context, &m);
}

void methods_init(iothub_methods *f, iothub_context *context)
{
    *f = (iothub_methods){ .context = context };
}

/* --- open calls ------------------------------------------------------------------------ */

enum { SECONDS_MASK = (1 << 30) - 1 };

static uint32_t now_s(const iothub_methods *f)
{
    return (uint32_t)(context_now(f->context) / 1000);
}

/* Returns the time of arrival, rounded up, so that an answer is accepted too late rather than
 * refused too early. */
static uint32_t next_s(const iothub_methods *f)
{
    return (uint32_t)((context_now(f->context) + 999) / 1000);
}

static bool is_open(const method_slot *slot, uint32_t now)
{
    /* One second more, because the difference may be -1 s. */
    const uint32_t passed_and_one = (now + 1 - slot->since_s) & SECONDS_MASK;

    return slot->state == METHOD_OPEN && passed_and_one <= ANSWER_WITHIN_S;
}

/* Frees all slots, because the calls of an earlier connection have ended. */
static void begin_connection(iothub_methods *f)
{
    if (f->generation != f->context->generation) {
        memset(f->slots, 0, sizeof f->slots);
        f->generation = f->context->generation;
    }
}

/* Returns the slot that has been free longest, so that a second answer to a recent call is still
 * detected. */
static method_slot *take_slot(iothub_methods *f)
{
    method_slot *best = NULL;
    const uint32_t now = now_s(f);

    for (size_t i = 0; i < METHODS_OPEN_MAX; i++) {
        method_slot *slot = &f->slots[i];
        if (!is_open(slot, now) && (best == NULL || slot->call < best->call)) {
            best = slot;
        }
    }
    return best;
}

static method_slot *find_slot(iothub_methods *f, uint32_t call)
{
    for (size_t i = 0; i < METHODS_OPEN_MAX; i++) {
        if (f->slots[i].state != METHOD_FREE && f->slots[i].call == call) {
            return &f->slots[i];
        }
    }
    return NULL;
}

/* --- from the hub --------------------------------------------------------------------- */

/* Sends an answer of the client itself. Its op is 0, so it is not reported. */
static void answer_by_client(iothub_methods *f, const iothub_method_call *call, int status,
                             const char *text)
{
    callback_log(f->context, IOTHUB_LOG_WARNING, "methods", "method %.*s: %s",
                 IOTHUB_SPAN_VALUES(call->name), text);
    if (publish(f, status, call->token.rid, mqc_span_of(NULL, 0), NULL, 0) != MQC_OK) {
        callback_log_text(f->context, IOTHUB_LOG_ERROR, "methods", "no room for the answer 503");
    }
}

/* Passes a call to the application, which answers it immediately or later. */
static void offer(iothub_methods *f, const iothub_method_call *call)
{
    method_slot *slot = take_slot(f);

    if (slot == NULL) {
        answer_by_client(f, call, 503, "too many calls are open, answered with 503");
        return;
    }
    *slot = (method_slot){ call->token.call, METHOD_OPEN, next_s(f) & SECONDS_MASK };
    assert(methods_valid(f));
    if (callback_method(f->context, call) == IOTHUB_METHOD_TAKEN) {
        return;
    }
    slot = find_slot(f, call->token.call);
    if (slot != NULL && slot->state == METHOD_OPEN) {
        slot->state = METHOD_ANSWERED;
        answer_by_client(f, call, 404, "unknown, answered 404");
    }
}

static void on_call(iothub_methods *f, const topic_parts *p, mqc_span payload, bool oversize)
{
    iothub_method_call call = { .payload = payload };
    char name[METHOD_NAME_MAX_LEN];
    size_t name_len = 0;

    if (p->rid.len >= sizeof call.token.rid ||
        iothub_percent_decode(p->name, name, sizeof name, &name_len) != IOTHUB_OK) {
        context_count_ignored(f->context);
        callback_log_text(f->context, IOTHUB_LOG_WARNING, "methods",
                          "ignored a method call with an invalid name or id");
        return;
    }
    call.name = mqc_span_of(name, name_len);
    memcpy(call.token.rid, p->rid.ptr, p->rid.len);
    if (oversize) {
        context_count_ignored(f->context);
        answer_by_client(f, &call, 413, "larger than rx_size, answered with 413");
        return;
    }
    begin_connection(f);
    call.token.connection = f->generation;
    call.token.call = ++f->last_call;
    offer(f, &call);
}

bool methods_on_call(iothub_methods *f, const topic_parts *p, mqc_span payload, bool oversize)
{
    assert(methods_valid(f));
    f->received++;
    if (f->context->options.callbacks.method == NULL) {
        return false;
    }
    on_call(f, p, payload, oversize);
    return true;
}

bool methods_open(const iothub_methods *f)
{
    const uint32_t now = now_s(f);

    for (size_t i = 0; f->generation == f->context->generation && i < METHODS_OPEN_MAX; i++) {
        if (is_open(&f->slots[i], now)) {
            return true;
        }
    }
    return false;
}

/* --- answers --------------------------------------------------------------------------- */

void methods_on_done(iothub_methods *f, const mqc_done *m)
{
    const iothub_done d = {
        .op = m->id,
        .kind = IOTHUB_OP_METHOD_RESPONSE,
        .result = iothub_from_outcome(m->outcome),
        .tag = m->tag,
    };

    if (d.result == IOTHUB_OK) {
        f->answered++;
    }
    assert(methods_valid(f));
    if (d.op != 0) { /* 0 means that the client itself made this answer */
        callback_done(f->context, &d);
    }
}

/* Returns the slot of a call that may still be answered, or NULL with the reason of the refusal
 * in *why. */
static method_slot *find_open(iothub_methods *f, const iothub_method_token *token,
                              iothub_result *why)
{
    bool current =
        token->connection == f->context->generation && f->generation == f->context->generation;
    method_slot *slot = current ? find_slot(f, token->call) : NULL;

    if (slot == NULL || (slot->state == METHOD_OPEN && !is_open(slot, now_s(f)))) {
        *why = context_refuse(f->context, IOTHUB_ERR_EXPIRED,
                              "method answer: too late, the caller no longer waits");
        return NULL;
    }
    if (slot->state == METHOD_ANSWERED) {
        *why = context_refuse(f->context, IOTHUB_ERR_STATE,
                              "method answer: this call was answered before");
        return NULL;
    }
    return slot;
}

static iothub_result queue(iothub_methods *f, const iothub_method_token *token, int status,
                           mqc_span json, void *tag, iothub_op *op)
{
    iothub_op next = context_next_op(f->context);
    mqc_result r = publish(f, status, token->rid, json, tag, next);

    if (r == MQC_ERR_TOO_BIG) {
        return context_refuse_size(f->context, "method answer", json.len, "request_size",
                                   f->context->options.request_size);
    }
    if (r != MQC_OK) {
        return context_refuse_mqc(f->context, r, "method answer");
    }
    context_take_op(f->context, next, op);
    return IOTHUB_OK;
}

iothub_result methods_respond(iothub_methods *f, const iothub_method_token *token, int status,
                              mqc_span json, void *tag, iothub_op *op)
{
    iothub_result r = IOTHUB_OK;

    assert(methods_valid(f));
    if (token == NULL || (json.ptr == NULL && json.len > 0) ||
        memchr(token->rid, '\0', sizeof token->rid) == NULL) {
        return context_refuse(
            f->context, IOTHUB_ERR_ARG,
            "method answer: token or json is NULL, or token is not that of a call");
    }
    method_slot *slot = find_open(f, token, &r);
    if (slot == NULL) {
        return r;
    }
    /* Refused, because the hub would close the connection. */
    if (json.len > IOTHUB_METHOD_PAYLOAD_MAX) {
        return context_refuse(f->context, IOTHUB_ERR_TOO_BIG, "method answer: over 128 KB");
    }
    if (json.len > 0) {
        r = iothub_json_judge(json, false, "method answer", context_error(f->context));
    }
    if (r == IOTHUB_OK) {
        r = queue(f, token, status, json, tag, op);
    }
    if (r == IOTHUB_OK) {
        slot->state = METHOD_ANSWERED;
        assert(methods_valid(f));
    }
    return r;
}

#ifndef NDEBUG
/* Returns whether no other slot has the number of this one. */
static bool is_only_one(const iothub_methods *f, const method_slot *slot)
{
    for (size_t i = 0; i < METHODS_OPEN_MAX; i++) {
        const method_slot *other = &f->slots[i];
        if (other != slot && other->state != METHOD_FREE && other->call == slot->call) {
            return false;
        }
    }
    return true;
}

bool methods_valid(const iothub_methods *f)
{
    for (size_t i = 0; i < METHODS_OPEN_MAX; i++) {
        const method_slot *slot = &f->slots[i];
        if (slot->state > METHOD_ANSWERED) {
            return false;
        }
        /* Each call has a number of its own; a slot that was never used has none. */
        if (slot->state == METHOD_FREE ? slot->call != 0
                                       : slot->call > f->last_call || !is_only_one(f, slot)) {
            return false;
        }
    }
    return f->answered <= f->received && f->last_call <= f->received;
}
#endif
