#include "drive/client.h"

#include <string.h>

#include "connection/certificate_hook.h"
#include "connection/home.h"
#include "context/callbacks.h"
#include "context/options_check.h"
#include "drive/memory.h"
#include "text/wipe.h"

/* --- set-up ------------------------------------------------------------------- */

_Static_assert(sizeof(iothub_client) <= IOTHUB_CLIENT_SIZE, "IOTHUB_CLIENT_SIZE is too small");
#if UINTPTR_MAX > UINT32_MAX
_Static_assert(sizeof(iothub_client) + 64 > IOTHUB_CLIENT_SIZE, "IOTHUB_CLIENT_SIZE is too large");
#endif

/* Erases keys and tokens. */
void client_wipe(iothub_client *c)
{
    void *memory = c->memory;
    const bool from_heap = c->from_heap;

    iothub_wipe(memory, c->memory_len);
    if (from_heap) { /* iothub_free will free the memory */
        c->memory = memory;
        c->magic = IOTHUB_ENDED_MAGIC;
    }
}

/* Marks the store as used by this client, because two clients cannot share one. */
static iothub_result take_store(iothub_client *c, iothub_error *error)
{
    plat_store *s = c->context.options.store;

    if (s != NULL && s->user != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "options: store is in use by another client; each needs its own");
    }
    if (s != NULL) {
        s->user = c;
    }
    return IOTHUB_OK;
}

static iothub_result take_certificate(iothub_client *c, iothub_error *error)
{
    const certificate_ops *ops = certificate_ops_of(&c->context);

    return ops != NULL ? ops->attach(c->context.options.certificate, &c->context, error)
                       : IOTHUB_OK;
}

static void drop_certificate(iothub_client *c)
{
    const certificate_ops *ops = certificate_ops_of(&c->context);

    if (ops != NULL) {
        ops->detach(c->context.options.certificate);
    }
}

/* After a failure, neither is marked as used by this client. */
static iothub_result take_certificate_and_store(iothub_client *c, iothub_error *error)
{
    iothub_result r = take_certificate(c, error);

    if (r != IOTHUB_OK) {
        return r;
    }
    r = take_store(c, error);
    if (r != IOTHUB_OK) {
        drop_certificate(c);
    }
    return r;
}

static iothub_result set_up(iothub_client *c, const char *connection_string,
                            const iothub_options *checked, client_place *place, iothub_error *error)
{
    memset(c, 0, sizeof *c);
    context_init(&c->context, c, &c->engine, checked);
    c->memory = place->memory;
    c->memory_len = place->len;
    c->from_heap = place->from_heap;
    session_init(&c->session, &c->context);
    telemetry_init(&c->telemetry, &c->context);
    twin_init(&c->twin, &c->context);
    methods_init(&c->methods, &c->context);
    c2d_init(&c->c2d, &c->context);
    memory_parts parts = { .context = &c->context, .credential = &c->session.credential };
    iothub_result r = memory_divide(&parts, place, c + 1, connection_string, error);
    if (r == IOTHUB_OK) {
        r = take_certificate_and_store(c, error);
    }
    if (r != IOTHUB_OK) {
        client_wipe(c);
        return r;
    }
    if (checked->store != NULL) {
        backlog_open(&c->telemetry.limits.backlog, parts.table, parts.table_len, parts.lane_max);
    }
    c->unserved = true;
    c->magic = IOTHUB_CLIENT_MAGIC;
    return IOTHUB_OK;
}

iothub_client *client_init(client_place *place, const char *connection_string,
                           const iothub_options *o, iothub_error *error)
{
    iothub_options checked;

    if (connection_string == NULL || place->memory == NULL) {
        (void)iothub_fail(error, IOTHUB_ERR_ARG,
                          place->memory == NULL ? "memory: is NULL" : "connection string: is NULL");
        return NULL;
    }
    if (options_take(&checked, o, error) != IOTHUB_OK ||
        options_check(&checked, error) != IOTHUB_OK ||
        memory_check_sizes(&checked, error) != IOTHUB_OK) {
        return NULL;
    }
    iothub_client *c = memory_place(place, sizeof *c, &checked, error);
    if (c == NULL || set_up(c, connection_string, &checked, place, error) != IOTHUB_OK) {
        return NULL;
    }
    return c;
}

void client_set_home(iothub_client *c, iothub_home *home)
{
    context_set_home(&c->context, home);
}

/* --- what was forgotten ----------------------------------------------------------- */

/* How long a program may wait before it drives its client, in ms. */
enum { HINT_MS = 3000 };

static bool is_wanted(const iothub_client *c)
{
    const iothub_callbacks *cb = &c->context.options.callbacks;
    bool listens = cb->status != NULL || cb->retry != NULL || cb->done != NULL || cb->c2d != NULL ||
                   cb->desired != NULL || cb->method != NULL || cb->token_expiring != NULL;

    return listens || c->context.last_op != 0;
}

static void hint(iothub_client *c)
{
    bool started = c->session.wish.kind == IOTHUB_WISH_START;

    c->unserved = false; /* the hint is logged only once */
    if (is_wanted(c)) {
        callback_log_text(&c->context, IOTHUB_LOG_WARNING, "client",
                          started
                              ? "iothub_start was called, but no iothub_process, iothub_wait or "
                                "runner has driven the client: nothing is sent or received"
                              : "iothub_start was not called: nothing is sent or received");
    }
}

void client_look_for_driver(iothub_client *c)
{
    if (c->context.generation != 0) {
        c->unserved = false;
        return;
    }
    bool driven = context_has_runner(&c->context) &&
                  /* The start will be carried out soon. */
                  c->session.wish.kind == IOTHUB_WISH_START;

    if (!driven && context_now(&c->context) - c->session.back_off.began >= HINT_MS) {
        hint(c);
    }
}

/* --- the end --------------------------------------------------------------------- */

bool client_may_end(iothub_client *c)
{
    bool inside = context_in_callback(&c->context) || c->context.logging;

    if (inside) {
        (void)context_refuse(&c->context, IOTHUB_ERR_STATE,
                             "iothub_deinit, iothub_free inside a callback: refused; call it when "
                             "iothub_process has returned");
        callback_log_text(&c->context, IOTHUB_LOG_ERROR, "client",
                          context_error(&c->context)->text);
    }
    return !inside;
}

void client_cancel(iothub_client *c)
{
    if (c->unserved && c->context.generation == 0) {
        hint(c);
    }
    if (c->context.options.store != NULL) {
        c->context.options.store->user = NULL;
    }
    context_begin_end(&c->context);
    mqc_reset(c->context.engine);
    for (unsigned lane = 0; lane < IOTHUB_LANES; lane++) {
        (void)mqc_discard(c->context.engine, (uint8_t)lane);
    }
}

void client_close(iothub_client *c)
{
    backlog_close(&c->telemetry.limits.backlog);
    session_deinit(&c->session);
    drop_certificate(c);
    if (c->context.home != NULL) {
        c->context.home->ops->deinit(c->context.home);
    }
}
