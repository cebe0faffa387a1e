#include "drive/memory.h"

#include <string.h>

#include "connection/subscribe.h"
#include "context/options_check.h"
#include "hub/connection_string.h"
#include "iothub/memory_size.h"
#include "telemetry/record.h"

/* Divides the caller's memory into parts. If a part does not fit, its bytes are only counted. */
typedef struct arena {
    uint8_t *at;
    size_t left;
    size_t missing;
} arena;

static size_t add(size_t a, size_t b)
{
    return a < SIZE_MAX - b ? a + b : SIZE_MAX;
}

static void *cut(arena *a, size_t len)
{
    if (a->missing > 0 || len > a->left) {
        a->missing = add(a->missing, len - a->left);
        a->left = 0;
        return NULL;
    }
    uint8_t *piece = a->at;
    a->at += len;
    a->left -= len;
    return piece;
}

/* Aligns the next part. Arrays of structs come first, in sizes that keep them aligned. */
static void align(arena *a)
{
    (void)cut(a, (size_t)(-(uintptr_t)a->at & 15u));
}

/* --- tables ------------------------------------------------------------------------ */

/* Returns the number of entries of the lane. With a store, the lane has entries for two windows
 * of messages, so that a batch is always ready. The remaining memory is used for the table of
 * records. */
static size_t telemetry_entries(const iothub_options *o)
{
    size_t entries = IOTHUB_TELEMETRY_ENTRIES(o->tx_size);
    size_t wanted = 2 * (size_t)o->window;

    if (o->store == NULL) {
        return entries;
    }
    return wanted < entries / 2 ? wanted : entries / 2;
}

static void cut_entries(arena *a, mqc_lane_memory *lane, size_t count)
{
    lane->entries = cut(a, count * sizeof(mqc_entry));
    lane->entries_len = count;
}

static void cut_tables(memory_parts *p, arena *a, mqc_memory *m)
{
    const iothub_options *o = &p->context->options;
    const size_t entries = telemetry_entries(o);
    const size_t others = IOTHUB_TELEMETRY_ENTRIES(o->tx_size) - entries;

    align(a);
    cut_entries(a, &m->lanes[IOTHUB_LANE_METHOD], IOTHUB_REQUEST_ENTRIES(o->request_size));
    cut_entries(a, &m->lanes[IOTHUB_LANE_TWIN], IOTHUB_REQUEST_ENTRIES(o->request_size));
    cut_entries(a, &m->lanes[IOTHUB_LANE_TELEMETRY], entries);
    p->lane_max = entries;
    if (o->store != NULL) {
        p->table_len = others * sizeof(mqc_entry);
        p->table = cut(a, p->table_len);
    }
    m->lanes[IOTHUB_LANE_TELEMETRY].expiries_len = IOTHUB_EXPIRIES(o->tx_size);
    m->lanes[IOTHUB_LANE_TELEMETRY].expiries =
        cut(a, IOTHUB_EXPIRIES(o->tx_size) * sizeof(mqc_time));
    m->inbound_len = IOTHUB_UNACCEPTED_MAX;
    m->inbound = cut(a, IOTHUB_UNACCEPTED_MAX * sizeof(mqc_inbound));
}

/* --- who the device is --------------------------------------------------------------- */

/* Copies the connection string without the token, which is kept elsewhere. */
typedef struct identity_copy {
    const uint8_t *from;
    size_t gap_at;
    size_t gap_len;
    uint8_t *to;
} identity_copy;

static mqc_span moved(const identity_copy *copy, mqc_span s)
{
    if (s.len == 0) {
        return s;
    }
    size_t at = (size_t)(s.ptr - copy->from);
    return mqc_span_of(copy->to + (at < copy->gap_at ? at : at - copy->gap_len), s.len);
}

/* In this copy, a name may end with a NUL in place of the ';'. */
static void terminate(const identity_copy *copy, mqc_span name)
{
    uint8_t *at = copy->to + (name.ptr - copy->to);

    at[name.len] = '\0';
}

static void move_identity(iothub_connection_string *id, const identity_copy *copy, size_t len)
{
    const size_t after = copy->gap_at + copy->gap_len;

    memcpy(copy->to, copy->from, copy->gap_at);
    memcpy(copy->to + copy->gap_at, copy->from + after, len - after);
    id->host_name = moved(copy, id->host_name);
    id->gateway_host_name = moved(copy, id->gateway_host_name);
    id->device_id = moved(copy, id->device_id);
    id->module_id = moved(copy, id->module_id);
    id->key = moved(copy, id->key);
    id->policy_name = moved(copy, id->policy_name);
    terminate(copy, id->gateway_host_name.len > 0 ? id->gateway_host_name : id->host_name);
}

/* Checks that there is a certificate if the connection string has x509=true. */
static iothub_result check_certificate(const iothub_options *o, iothub_error *error)
{
    for (size_t i = 0; o->credentials != NULL && i < o->credential_count; i++) {
        if (o->credentials[i].kind == IOTHUB_CREDENTIAL_X509) {
            return IOTHUB_OK;
        }
    }
    return iothub_fail(error, IOTHUB_ERR_ARG,
                       "connection string: x509=true needs a certificate: set options.credentials "
                       "to one made by iothub_x509_credential");
}

/* Finds the names. Spans into the caller's text are enough to count the missing bytes; if there
 * is room, they are changed to point into a copy. *token is set to a ready-made token in the
 * caller's text. */
static iothub_result take_identity(iothub_context *context, arena *a, const char *connection_string,
                                   mqc_span *token, iothub_error *error)
{
    const size_t len = strlen(connection_string) + 1;
    iothub_connection_string cs;

    iothub_result r = context->options.credentials != NULL
                          ? connection_string_parse_names(&cs, connection_string, error)
                          : iothub_connection_string_parse(&cs, connection_string, error);
    if (r == IOTHUB_OK) {
        r = iothub_connection_string_check_mqtt(&cs, error);
    }
    if (r == IOTHUB_OK && cs.x509) {
        r = check_certificate(&context->options, error);
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    identity_copy copy = { .from = (const uint8_t *)connection_string, .gap_at = len };
    if (cs.signature.len > 0) {
        copy.gap_at = (size_t)(cs.signature.ptr - copy.from);
        copy.gap_len = cs.signature.len;
    }
    copy.to = cut(a, len - copy.gap_len);
    if (copy.to != NULL) {
        move_identity(&cs, &copy, len);
    }
    *token = cs.signature;
    const hub_names names = hub_names_of_string(&cs);
    context_set_identity(context, &names);
    return IOTHUB_OK;
}

/* --- buffers ------------------------------------------------------------------------- */

static void cut_ring(arena *a, mqc_lane_memory *lane, size_t len, uint16_t window)
{
    lane->ring = cut(a, len);
    lane->ring_len = len;
    lane->window = window;
}

static void cut_rings(arena *a, const iothub_options *o, mqc_memory *m)
{
    m->rx_len = o->rx_size;
    m->rx = cut(a, o->rx_size);
    cut_ring(a, &m->lanes[IOTHUB_LANE_METHOD], o->request_size, 0);
    /* Only one twin request is sent at a time, so that reports reach the hub in order. */
    cut_ring(a, &m->lanes[IOTHUB_LANE_TWIN], o->request_size, 1);
    cut_ring(a, &m->lanes[IOTHUB_LANE_TELEMETRY], o->tx_size, o->window);
}

static size_t events_topic_len(const iothub_context *context)
{
    const topic_identity id = context_topics(context);
    iothub_text t;

    iothub_text_count(&t);
    topic_put_events(&t, &id);
    return t.len;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A later token for the same device may be longer by this many bytes, because signatures are
 * percent-encoded. */
enum { TOKEN_GROWTH = 128 };

/* The topic of telemetry is kept before the scratch buffer, with room before it for the stamp of
 * a stored record. */
static void cut_scratch(iothub_context *context, arena *a, size_t least)
{
    const topic_identity id = context_topics(context);
    const size_t topic_len = events_topic_len(context);
    const size_t front = RECORD_STAMP_SIZE + topic_len;
    iothub_text t;

    const size_t len = larger(IOTHUB_SCRATCH_SIZE(context->options.tx_size), front + least);
    char *at = cut(a, len);
    if (at == NULL) {
        return;
    }
    context_set_scratch(context, at + front, len - front, topic_len);
    iothub_text_init(&t, at + RECORD_STAMP_SIZE, len - RECORD_STAMP_SIZE);
    topic_put_events(&t, &id);
}

/* The control area must have room for CONNECT, and for SUBSCRIBE with all features, whose
 * callbacks may be set later. A ready-made token may be replaced by a longer one. So the
 * remaining memory is used twice: for the token and for its copy in CONNECT. */
static void cut_login(memory_parts *p, arena *a, mqc_memory *m, size_t token_len)
{
    const login_size size = credential_measure(p->credential);

    cut_scratch(p->context, a, size.scratch);
    m->control_len = larger(size.connect, subscribe_measure(p->context));
    char *token = NULL;
    size_t cap = 0;
    if (token_len > 0) {
        size_t rest = a->left > m->control_len ? (a->left - m->control_len) / 2 : 0;
        cap = larger(rest, token_len + 1 + TOKEN_GROWTH);
        token = cut(a, cap);
        m->control_len += cap;
    }
    m->control = cut(a, m->control_len);
    credential_set_memory(p->credential, token, cap, m->control_len);
}

static iothub_result fail_missing(size_t missing, iothub_error *error)
{
    return iothub_fail(error, IOTHUB_ERR_MEMORY,
                       "memory: %zu bytes more are needed for sizes and names", missing);
}

static iothub_result start_engine(mqc_engine *engine, const mqc_memory *m, iothub_error *error)
{
    if (mqc_init(engine, m) != MQC_OK) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "options: rx_size, tx_size or request_size is too large");
    }
    mqc_hold(engine, IOTHUB_LANE_TWIN, true);
    return IOTHUB_OK;
}

/* Finds an option that is so large that sums of sizes could overflow. */
static const char *find_insane(const iothub_options *o)
{
    const size_t most = SIZE_MAX / 16;

    if (o->rx_size > most) {
        return "rx_size";
    }
    if (o->tx_size > most) {
        return "tx_size";
    }
    return o->request_size > most ? "request_size" : NULL;
}

iothub_result memory_check_sizes(const iothub_options *o, iothub_error *error)
{
    const char *insane = find_insane(o);
    return insane == NULL ? IOTHUB_OK
                          : iothub_fail(error, IOTHUB_ERR_MEMORY,
                                        "options: %s is more than memory can hold", insane);
}

void *memory_place(client_place *place, size_t size, const iothub_options *o, iothub_error *error)
{
    arena a = { .at = place->memory, .left = place->len };

    place->missing = 0;
    align(&a);
    void *at = cut(&a, size);
    if (at == NULL) { /* without memory for a client, the length of its names is not known */
        place->missing = IOTHUB_MEMORY_SIZE(o->rx_size, o->tx_size, o->request_size) - place->len;
        (void)fail_missing(place->missing, error);
    }
    return at;
}

iothub_result memory_divide(memory_parts *p, client_place *place, void *rest,
                            const char *connection_string, iothub_error *error)
{
    const size_t used = (size_t)((uint8_t *)rest - (uint8_t *)place->memory);
    arena a = { .at = rest, .left = place->len - used };
    mqc_memory m = { .lane_count = IOTHUB_LANES };
    const iothub_options *o = &p->context->options;
    mqc_span token;

    cut_tables(p, &a, &m);
    iothub_result r = take_identity(p->context, &a, connection_string, &token, error);
    if (r == IOTHUB_OK) {
        r = options_check_topic(o, events_topic_len(p->context), error);
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    credential_take_options(p->credential);
    cut_rings(&a, o, &m);
    cut_login(p, &a, &m, token.len);
    place->missing = a.missing;
    if (a.missing > 0) {
        return fail_missing(a.missing, error);
    }
    r = start_engine(p->context->engine, &m, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (o->credentials != NULL) {
        return credential_check_options(p->credential, error);
    }
    return token.len > 0 ? credential_take_token(p->credential, token, error) : IOTHUB_OK;
}
