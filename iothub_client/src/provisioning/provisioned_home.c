#include "provisioning/provisioned_home.h"

#include <assert.h>
#include <string.h>

#include "connection/back_off.h"
#include "connection/certificate_hook.h"
#include "context/callbacks.h"
#include "context/retry.h"
#include "provisioning/assignment_cache.h"
#include "text/text_writer.h"
#include "text/wipe.h"

enum {
    /* Number of polls until platform/stream.h allows the closed descriptor to be forgotten. */
    POLLS_AFTER_CLOSE = 2,
    /* Number of refusals of each credential by the hub that count as final. */
    REFUSALS_FOR_GOOD = 2,
    TOPIC_MAX = IOTHUB_ID_MAX + 64
};

static provisioned_home *self(iothub_home *h)
{
    return (provisioned_home *)(void *)h;
}

#ifndef NDEBUG
bool provisioned_home_valid(const provisioned_home *h)
{
    if (h->polls_left > POLLS_AFTER_CLOSE || h->refusals > h->failures) {
        return false;
    }
    /* Only a hub that is known can be connected to, or reported. */
    return h->known || (h->next == HOME_ASK && !h->unreported);
}
#endif

/* --- the names of the client ------------------------------------------------------------------ */

/* Writes the names. The topic of telemetry ends where the scratch buffer begins. */
static void write_names(provisioned_home *h, const char *hub, const char *device_id)
{
    iothub_context *c = h->client;
    hub_names names = c->identity;
    iothub_text t;

    names.host_name.len = strlen(hub);
    names.device_id.len = strlen(device_id);
    memcpy(h->host, hub, names.host_name.len + 1);
    memcpy(h->device_id, device_id, names.device_id.len + 1);
    context_set_identity(c, &names);

    const topic_identity id = context_topics(c);
    iothub_text_count(&t);
    topic_put_events(&t, &id);
    context_set_scratch(c, c->scratch, c->scratch_len, t.len);
    char topic[TOPIC_MAX];
    iothub_text_init(&t, topic, sizeof topic);
    topic_put_events(&t, &id);
    memcpy(context_events(c), topic, t.len);
}

/* Gives waiting telemetry the topic of the new device id. Messages in a store are put back there
 * and get their topic when they are read again. */
static void rename_topics(provisioned_home *h, mqc_span from)
{
    iothub_context *c = h->client;
    const mqc_span to = mqc_span_of(context_events(c), c->events_len);
    size_t dropped = 0;

    if (c->options.store != NULL) {
        (void)mqc_discard(c->engine, IOTHUB_LANE_TELEMETRY);
        return;
    }
    while (mqc_rename_topics(c->engine, IOTHUB_LANE_TELEMETRY, from, to) == MQC_ERR_NO_SPACE &&
           limits_drop_in_lane(h->telemetry)) {
        dropped++;
    }
    if (dropped > 0) {
        callback_log(c, IOTHUB_LOG_WARNING, "provisioning",
                     "%zu messages dropped: with the longer device id they do not fit tx_size",
                     dropped);
    }
}

static bool has_names(const provisioned_home *h, const char *hub, const char *device_id)
{
    const hub_names *n = &h->client->identity;

    return h->known && mqc_span_eq(n->host_name, mqc_span_str(hub)) &&
           mqc_span_eq(n->device_id, mqc_span_str(device_id));
}

static void move_to(provisioned_home *h, const char *hub, const char *device_id)
{
    const iothub_context *c = h->client;
    char before[TOPIC_MAX];
    const size_t before_len = c->events_len;

    if (has_names(h, hub, device_id)) {
        return;
    }
    memcpy(before, context_events(c), before_len);
    write_names(h, hub, device_id);
    rename_topics(h, mqc_span_of(before, before_len));
    h->known = true;
}

static void report(const provisioned_home *h, const iothub_assignment *a)
{
    const iothub_provisioning_options *p = &h->exchange->request.options;
    const iothub_context *c = h->client;

    if (p->assigned != NULL) {
        callback_assigned(c, p->assigned, a);
    }
}

/* --- the cache ---------------------------------------------------------------------------------
 */

static void log_cache(const provisioned_home *h, const char *what)
{
    const plat_kv *kv = h->exchange->request.options.cache;

    callback_log(h->client, IOTHUB_LOG_WARNING, "provisioning", "the cache cannot be %s: %s", what,
                 kv->ops->detail(kv));
}

static void keep(const provisioned_home *h, const iothub_assignment *a)
{
    const dps_request *r = &h->exchange->request;

    if (r->options.cache != NULL && assignment_cache_put(r, h->client->options.platform->crypto,
                                                         a->hub, a->device_id) != PLAT_OK) {
        log_cache(h, "written");
    }
}

/* Returns whether only the service can provide a certificate with which the client could log in. */
static bool needs_certificate(const provisioned_home *h)
{
    const dps_request *r = &h->exchange->request;
    const certificate_ops *ops = certificate_ops_of(h->client);

    return ops != NULL ? ops->needs_registration(h->client->options.certificate) : r->csr.len > 0;
}

static void take_cached(provisioned_home *h)
{
    const dps_request *r = &h->exchange->request;
    stored_assignment found;

    if (r->options.cache == NULL) {
        return;
    }
    plat_result result = assignment_cache_get(r, h->client->options.platform->crypto, &found);
    if (result != PLAT_OK) {
        if (result != PLAT_EOF) {
            log_cache(h, "read");
        }
        return;
    }
    move_to(h, found.hub, found.device_id);
    h->unreported = true;
    if (!needs_certificate(h)) {
        h->next = HOME_CONNECT;
    }
}

/* Reports the assignment from the cache, when the client begins to connect to its hub. */
static void report_cached(provisioned_home *h)
{
    const iothub_assignment a = {
        .hub = h->host, .device_id = h->device_id, .substatus = "", .from_cache = true
    };

    if (h->unreported) {
        h->unreported = false;
        report(h, &a);
    }
}

/* --- when the service is asked -------------------------------------------------------------------
 */

static const iothub_options *options_of(const provisioned_home *h)
{
    return &h->client->options;
}

/* Returns a long wait after something that only a person can correct. events is the number of
 * consecutive events of that kind. */
static uint32_t long_wait_ms(const provisioned_home *h, uint32_t events)
{
    const iothub_options *o = options_of(h);

    return back_off_random_ms(o, retry_limit_ms(o->auth_retry_min_ms, o->auth_retry_max_ms, events),
                              0);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Passes the certificate of an assignment to the part that has requested it. */
static void take_certificate(provisioned_home *h, const iothub_assignment *a)
{
    const certificate_ops *ops = certificate_ops_of(h->client);

    if (ops != NULL && a->certificates_len > 0) {
        h->changes = ops->take_chain(h->client->options.certificate,
                                     mqc_span_of(a->certificates, a->certificates_len));
    }
}

static void on_assigned(provisioned_home *h, mqc_time now)
{
    const iothub_assignment a = exchange_assignment(h->exchange);

    h->next = HOME_CONNECT;
    h->unreported = false;
    h->failures = 0;
    h->refusals = 0;
    h->refused_asks = 0;
    h->answers++;
    /* The first assignment that does not lead to a connection may be out of date, so it is asked
     * for again. Further registrations would most likely give the same one. */
    h->ask_at = h->answers > 1 ? now + long_wait_ms(h, h->answers - 1) : 0;
    move_to(h, a.hub, a.device_id);
    keep(h, &a);
    take_certificate(h, &a);
    report(h, &a);
}

/* Call it when the service did not name a hub. Returns how long to wait for the next attempt. */
static uint32_t on_failed_ask(provisioned_home *h, uint32_t delay_ms, mqc_time now)
{
    uint32_t wait_ms = h->exchange->wait_ms;

    if (h->exchange->refused) {
        h->refused_asks++;
        wait_ms = larger(wait_ms, long_wait_ms(h, h->refused_asks));
    }
    h->ask_at = now + wait_ms;
    if (h->known) {
        h->next = HOME_CONNECT; /* the known hub is tried until the service may be asked again */
        return delay_ms;
    }
    h->next = HOME_ASK;
    return larger(delay_ms, wait_ms);
}

static bool is_refused_for_good(const provisioned_home *h)
{
    const size_t credentials = options_of(h)->credential_count;

    return h->refusals >= REFUSALS_FOR_GOOD * (credentials > 1 ? credentials : 1);
}

/* Returns whether no further attempt with the same credential can succeed. */
static bool is_refusal(iothub_result reason)
{
    return reason == IOTHUB_ERR_AUTH || reason == IOTHUB_ERR_CREDENTIAL;
}

/* Call it when the hub could not be reached, or has refused the client. */
static uint32_t on_failed_connect(provisioned_home *h, iothub_result reason, uint32_t delay_ms,
                                  mqc_time now)
{
    if (reason == IOTHUB_ERR_NO_TIME) { /* the hub was not tried, because the clock is not set */
        return delay_ms;
    }
    h->failures++;
    h->refusals = is_refusal(reason) ? h->refusals + 1 : 0;
    const bool refused = is_refused_for_good(h);
    if ((!refused && h->failures < h->exchange->request.options.register_after) ||
        now < h->ask_at) {
        return delay_ms;
    }
    h->next = HOME_ASK;
    return refused ? back_off_random_ms(options_of(h), options_of(h)->retry_min_ms, 0) : delay_ms;
}

static uint32_t on_failure(iothub_home *base, iothub_state was, iothub_result reason,
                           uint32_t delay_ms, mqc_time now)
{
    provisioned_home *h = self(base);

    assert(provisioned_home_valid(h));
    if (was == IOTHUB_PROVISIONING) {
        return on_failed_ask(h, delay_ms, now);
    }
    if (was >= IOTHUB_RESOLVING && was <= IOTHUB_SUBSCRIBING) {
        return on_failed_connect(h, reason, delay_ms, now);
    }
    return delay_ms; /* an existing connection was lost */
}

static void on_connected(iothub_home *base)
{
    provisioned_home *h = self(base);

    assert(provisioned_home_valid(h));
    h->failures = 0;
    h->refusals = 0;
    h->answers = 0;
    h->ask_at = 0;
}

/* --- the search
 * ------------------------------------------------------------------------------------ */

static bool needs_search(iothub_home *base)
{
    provisioned_home *h = self(base);

    assert(provisioned_home_valid(h));
    if (h->next == HOME_ASK) {
        return true;
    }
    report_cached(h);
    return false;
}

static void begin(iothub_home *base)
{
    provisioned_home *h = self(base);
    const certificate_ops *ops = certificate_ops_of(h->client);

    assert(provisioned_home_valid(h));
    h->changes = false;
    if (ops != NULL) {
        dps_request *r = &h->exchange->request;
        dps_request_set_csr(r,
                            ops->make_request(h->client->options.certificate, r->registration_id));
    }
    exchange_begin(h->exchange);
    h->polls_left = POLLS_AFTER_CLOSE;
}

static home_answer turn(iothub_home *base, mqc_time now, iothub_error *why)
{
    provisioned_home *h = self(base);

    assert(provisioned_home_valid(h));
    if (h->changes) { /* the turn has begun with the change of the credentials */
        h->changes = false;
        return HOME_FOUND;
    }
    /* A runner may have been started since the last search. */
    exchange_join(h->exchange, h->client);
    switch (exchange_turn(h->exchange, now)) {
    case EXCHANGE_RUNS: return HOME_SEARCHES;
    case EXCHANGE_ASSIGNED: on_assigned(h, now); return h->changes ? HOME_SEARCHES : HOME_FOUND;
    case EXCHANGE_FAILED: break;
    }
    *why = h->exchange->error;
    return HOME_FAILED;
}

static void cancel(iothub_home *base)
{
    exchange_cancel(self(base)->exchange);
}

static bool poll(iothub_home *base, plat_poll *p, mqc_time *deadline)
{
    provisioned_home *h = self(base);
    const bool idle = h->exchange->state == EXCHANGE_IDLE;

    if (idle && h->polls_left == 0) {
        return false;
    }
    h->polls_left = idle ? (uint8_t)(h->polls_left - 1) : (uint8_t)POLLS_AFTER_CLOSE;
    *deadline = exchange_poll(h->exchange, p);
    return true;
}

/* --- from the beginning to the end
 * -------------------------------------------------------------------- */

static void deinit(iothub_home *base)
{
    const provisioned_home *h = self(base);
    void (*release)(void *) = h->release;
    void *memory = h->memory;

    exchange_deinit(h->exchange);
    iothub_wipe(h->memory, h->memory_len); /* it contains keys */
    if (release != NULL) {
        release(memory);
    }
}

void provisioned_home_drop(provisioned_home *h)
{
    exchange_deinit(h->exchange);
    iothub_wipe(h->memory, h->memory_len); /* it contains keys */
}

static const home_ops ops = {
    .needs_search = needs_search,
    .begin = begin,
    .turn = turn,
    .cancel = cancel,
    .poll = poll,
    .on_failure = on_failure,
    .on_connected = on_connected,
    .deinit = deinit,
};

iothub_result provisioned_home_make(provisioned_home **out, void *memory, size_t len,
                                    const iothub_provisioning_options *p, const iothub_options *o,
                                    size_t *needed, iothub_error *error)
{
    iothub_exchange *x;
    dps_room room;

    *out = NULL;
    dps_room_init(&room, memory, len);
    provisioned_home *h = dps_room_cut(&room, sizeof *h);
    iothub_result r = exchange_make(&x, p, o, &room, error);
    *needed = room.needed;
    /* Room.needed includes padding at the end. */
    if (r != IOTHUB_OK || x == NULL || room.needed > len) {
        return r;
    }
    memset(h, 0, sizeof *h);
    h->base.ops = &ops;
    h->exchange = x;
    h->memory = memory;
    h->memory_len = room.needed;
    *out = h;
    return IOTHUB_OK;
}

static void put_times(iothub_text *t, char c, size_t times)
{
    while (times-- > 0) {
        iothub_text_put_char(t, c);
    }
}

/* Writes the longest host name. Its labels have at most 63 characters. */
static void put_longest_host(iothub_text *t)
{
    for (size_t len = 0; len < IOTHUB_HOST_MAX; len += 64) {
        const size_t rest = IOTHUB_HOST_MAX - len;
        put_times(t, 'h', rest < 63 ? rest : 63);
        if (rest > 64) {
            iothub_text_put_char(t, '.');
        }
    }
}

void provisioned_home_string(const provisioned_home *h, char out[PROVISIONED_STRING_SIZE])
{
    const bool has_credentials = h->exchange->context.options.credentials != NULL;
    iothub_text t;

    iothub_text_init(&t, out, PROVISIONED_STRING_SIZE);
    iothub_text_put(&t, "HostName=");
    put_longest_host(&t);
    iothub_text_put(&t, ";DeviceId=");
    put_times(&t, 'd', IOTHUB_ID_MAX);
    if (h->exchange->request.key.len > 0 && !has_credentials) {
        iothub_text_put(&t, ";SharedAccessKey=");
        iothub_text_put_span(&t, h->exchange->request.key);
    }
    (void)iothub_text_finish(&t);
}

/* Removes the const: the client has its own copy of the names, which this file may write. */
static char *writable(mqc_span name)
{
    const union {
        const uint8_t *seen;
        char *own;
    } both = { name.ptr };
    return both.own;
}

void provisioned_home_attach(provisioned_home *h, iothub_context *client,
                             telemetry_limits *telemetry, void (*release)(void *memory))
{
    h->client = client;
    h->telemetry = telemetry;
    h->release = release;
    h->host = writable(client->identity.host_name);
    h->device_id = writable(client->identity.device_id);
    take_cached(h);
}
