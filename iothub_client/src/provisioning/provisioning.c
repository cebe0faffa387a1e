#include "provisioning/provisioning.h"

#include <string.h>

#include "connection/back_off.h"
#include "context/callbacks.h"
#include "context/options_check.h"
#include "context/retry.h"
#include "text/sized_struct.h"
#include "text/text_writer.h"
#include "text/wipe.h"

static const iothub_error no_registration = {
    .code = IOTHUB_ERR_ARG,
    .text = "the registration is NULL: iothub_provisioning_new failed, and its error says why",
};

/* --- from the beginning to the end -------------------------------------------------------------
 */

/* Copies the options. Sizes of buffers do not matter here, so they need not be set. */
static iothub_result take_options(iothub_options *to, const iothub_options *from,
                                  iothub_error *error)
{
    iothub_result r = options_take(to, from, error);

    if (r != IOTHUB_OK) {
        return r;
    }
    to->rx_size = IOTHUB_RX_MIN;
    to->tx_size = IOTHUB_TX_MIN;
    to->request_size = IOTHUB_REQUEST_MIN;
    to->store = NULL;
    return options_check(to, error);
}

iothub_provisioning *provisioning_make(void *memory, size_t len,
                                       const iothub_provisioning_options *p,
                                       const iothub_options *o, size_t *needed, iothub_error *error)
{
    iothub_options options;
    iothub_exchange *x;
    dps_room room;

    *needed = 0;
    if (take_options(&options, o, error) != IOTHUB_OK) {
        return NULL;
    }
    dps_room_init(&room, memory, len);
    iothub_provisioning *r = dps_room_cut(&room, sizeof *r);
    if (exchange_make(&x, p, &options, &room, error) != IOTHUB_OK) {
        return NULL;
    }
    if (x == NULL) {
        *needed = room.needed;
        return NULL;
    }
    memset(r, 0, sizeof *r);
    r->exchange = x;
    r->memory = memory;
    r->memory_len = len;
    r->state = IOTHUB_PROVISIONING_RUNS;
    exchange_begin(x);
    return r;
}

void *provisioning_end(iothub_provisioning *r)
{
    void *memory = r->memory;

    exchange_deinit(r->exchange);
    iothub_wipe(memory, r->memory_len); /* it contains keys */
    return memory;
}

/* --- turns
 * ------------------------------------------------------------------------------------------ */

static void on_assigned(iothub_provisioning *r)
{
    const iothub_exchange *x = r->exchange;

    r->assignment = exchange_assignment(x);
    r->state = IOTHUB_PROVISIONING_ASSIGNED;
    if (x->request.options.assigned != NULL) {
        callback_assigned(&x->context, x->request.options.assigned, &r->assignment);
    }
}

static void on_failed(iothub_provisioning *r, mqc_time now)
{
    const iothub_exchange *x = r->exchange;
    const iothub_options *o = &x->context.options;

    r->error = x->error;
    callback_log_text(&x->context, IOTHUB_LOG_WARNING, "dps", x->error.text);
    if (x->refused) {
        r->state = IOTHUB_PROVISIONING_FAILED;
        return;
    }
    r->failures++;
    const uint32_t own_ms =
        back_off_random_ms(o, retry_limit_ms(o->retry_min_ms, o->retry_max_ms, r->failures), 0);
    r->again_at = now + (x->wait_ms > own_ms ? x->wait_ms : own_ms);
    r->state = IOTHUB_PROVISIONING_WAITS;
}

static void turn(iothub_provisioning *r, mqc_time now)
{
    if (r->state == IOTHUB_PROVISIONING_WAITS && now >= r->again_at) {
        exchange_begin(r->exchange);
        r->state = IOTHUB_PROVISIONING_RUNS;
    }
    if (r->state != IOTHUB_PROVISIONING_RUNS) {
        return;
    }
    switch (exchange_turn(r->exchange, now)) {
    case EXCHANGE_RUNS: break;
    case EXCHANGE_ASSIGNED: on_assigned(r); break;
    case EXCHANGE_FAILED: on_failed(r, now); break;
    }
}

iothub_provisioning_state iothub_provisioning_process(iothub_provisioning *r)
{
    if (r == NULL) {
        return IOTHUB_PROVISIONING_FAILED;
    }
    if (!r->exchange->context.processing) { /* does nothing inside a callback */
        turn(r, context_now(&r->exchange->context));
    }
    return r->state;
}

static int timeout_of(const iothub_provisioning *r, mqc_time deadline)
{
    const mqc_time now = context_now(&r->exchange->context);

    if (deadline == IOTHUB_NEVER) {
        return -1;
    }
    if (deadline <= now) {
        return 0;
    }
    return deadline - now < INT32_MAX ? (int)(deadline - now) : INT32_MAX;
}

void iothub_provisioning_poll_info_sized(iothub_provisioning *r, iothub_poll *out,
                                         size_t struct_size)
{
    iothub_poll poll = { .timeout_ms = -1 };

    if (out == NULL) {
        return;
    }
    for (size_t i = 0; i < IOTHUB_POLL_FDS; i++) {
        poll.fds[i].fd = -1;
    }
    if (r != NULL) {
        mqc_time deadline = exchange_poll(r->exchange, &poll.fds[0]);
        if (r->state == IOTHUB_PROVISIONING_WAITS) {
            deadline = r->again_at;
        }
        poll.timeout_ms = poll.fds[0].ready_now ? 0 : timeout_of(r, deadline);
    }
    iothub_struct_out(out, struct_size, &poll, sizeof poll);
}

iothub_provisioning_state iothub_provisioning_wait(iothub_provisioning *r, uint32_t max_ms)
{
    const int limit = max_ms < INT32_MAX ? (int)max_ms : INT32_MAX;
    iothub_poll poll;

    if (r == NULL) {
        return IOTHUB_PROVISIONING_FAILED;
    }
    iothub_provisioning_poll_info(r, &poll);
    const int timeout_ms = poll.timeout_ms < 0 || poll.timeout_ms > limit ? limit : poll.timeout_ms;
    if (timeout_ms > 0 && r->state < IOTHUB_PROVISIONING_ASSIGNED) {
        const plat_net *net = r->exchange->context.options.platform->net;
        net->wait(net, poll.fds, IOTHUB_POLL_FDS, timeout_ms);
    }
    return iothub_provisioning_process(r);
}

const iothub_assignment *iothub_provisioning_answer(const iothub_provisioning *r)
{
    return r != NULL && r->state == IOTHUB_PROVISIONING_ASSIGNED ? &r->assignment : NULL;
}

const iothub_error *iothub_provisioning_error(const iothub_provisioning *r)
{
    return r != NULL ? &r->error : &no_registration;
}
