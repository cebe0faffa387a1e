#include "internal.h"

/* At the front door: calls that are none, the end of a client, and what a program forgot. */

/* So long a program may take until it drives its client. */
enum { HINT_MS = 3000 };

static const iothub_error no_client = {
    .code = IOTHUB_ERR_ARG,
    .text = "the client is NULL: iothub_new failed, and its error says why",
};

static const iothub_error not_a_client = {
    .code = IOTHUB_ERR_STATE,
    .text = "not a client: iothub_init failed or was not called, or iothub_deinit has ended it",
};

iothub_result door_refuse(const iothub_client *c)
{
    return c == NULL ? no_client.code : not_a_client.code;
}

const iothub_error *iothub_last_error(const iothub_client *c)
{
    if (c == NULL) {
        return &no_client;
    }
    if (c->magic != IOTHUB_CLIENT_MAGIC) {
        return &not_a_client; /* its memory may be in use for something else */
    }
    return c->lock != NULL ? c->lock->threads->local() : &c->error;
}

/* --- what was forgotten ----------------------------------------------------------- */

static bool is_wanted(const iothub_client *c)
{
    const iothub_callbacks *cb = &c->options.callbacks;
    bool listens = cb->status != NULL || cb->retry != NULL || cb->done != NULL || cb->c2d != NULL ||
                   cb->desired != NULL || cb->method != NULL || cb->token_expiring != NULL;

    return listens || c->last_op != 0;
}

static void hint(iothub_client *c)
{
    bool started = c->wish.kind == IOTHUB_WISH_START;

    c->unserved = false; /* once is enough */
    if (is_wanted(c)) {
        callback_log_text(c, IOTHUB_LOG_WARNING, "client",
                          started
                              ? "iothub_start was called, but no iothub_process, iothub_wait or "
                                "runner has driven the client: nothing is sent or received"
                              : "iothub_start was not called: nothing is sent or received");
    }
}

void door_hint(iothub_client *c)
{
    bool driven = lock_has_runner(c) && c->wish.kind == IOTHUB_WISH_START; /* in a moment */

    if (!driven && client_now(c) - c->session.attempt_began >= HINT_MS) {
        hint(c);
    }
}

/* --- from the beginning to the end ------------------------------------------------- */

iothub_result door_open(iothub_client *c, iothub_error *error)
{
    plat_store *s = c->options.store;

    if (s != NULL && s->user != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "options: store is in use by another client; each needs its own");
    }
    if (s != NULL) {
        s->user = c;
    }
    c->session.attempt_began = client_now(c);
    c->unserved = true;
    c->magic = IOTHUB_CLIENT_MAGIC;
    return IOTHUB_OK;
}

bool door_may_end(iothub_client *c)
{
    if (client_begin(c) != IOTHUB_OK) {
        return false;
    }
    bool inside = lock_in_callback(c) || c->logging;
    if (inside) {
        (void)client_refuse(c, IOTHUB_ERR_STATE,
                            "iothub_deinit, iothub_free inside a callback: refused; call it when "
                            "iothub_process has returned");
        callback_log_text(c, IOTHUB_LOG_ERROR, "client", iothub_last_error(c)->text);
    }
    client_leave(c);
    return !inside;
}

void door_close(iothub_client *c)
{
    if (c->unserved) {
        hint(c);
    }
    if (c->options.store != NULL) {
        c->options.store->user = NULL;
    }
}
