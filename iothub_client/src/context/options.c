#include "context/options_check.h"

#include <string.h>

#include "text/text_writer.h"

void iothub_options_init_sized(iothub_options *o, size_t struct_size)
{
    const iothub_options defaults = {
        .struct_size = struct_size,
        .port = 8883,
        .keep_alive_s = 240,
        .window = 16,
        .sas_lifetime_s = 3600,
        .overlap = true,
        .resolve_timeout_ms = 15000,
        .connect_timeout_ms = 15000,
        .tls_timeout_ms = 15000,
        .login_timeout_ms = 30000,
        .subscribe_timeout_ms = 30000,
        .request_timeout_ms = 60000,
        .ack_timeout_ms = 120000,
        .stall_timeout_ms = 120000,
        .retry_min_ms = 1000,
        .retry_max_ms = 60000,
        .auth_retry_min_ms = 300000,
        .auth_retry_max_ms = 3600000,
        .log_level = IOTHUB_LOG_INFO,
    };
    size_t n = struct_size < sizeof defaults ? struct_size : sizeof defaults;

    if (o == NULL) {
        return;
    }
    memset(o, 0, struct_size);
    memcpy(o, &defaults, n);
}

/* --- what init leaves behind ------------------------------------------------------- */

/* The least that an application ever had: up to its platform.  The most is a guess at what garbage
 * on a stack says that it is. */
enum { LARGEST = 65536 };

/* What MQTT adds to a topic, and a body that is worth its way. */
enum { TOPIC_ROOM = 9 + 32 };

static bool was_initialised(const iothub_options *o)
{
    return o->struct_size >= offsetof(iothub_options, platform) + sizeof o->platform &&
           o->struct_size <= LARGEST;
}

iothub_result options_take(iothub_options *to, const iothub_options *from, iothub_error *error)
{
    if (from == NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "options: is NULL");
    }
    if (!was_initialised(from)) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "options: iothub_options_init was not called; call it before the first "
                           "option is set");
    }
    size_t size = from->struct_size < sizeof *to ? from->struct_size : sizeof *to;

    iothub_options_init(to); /* an older, shorter struct gets defaults for what it does not know */
    memcpy(to, from, size);
    to->struct_size = sizeof *to;
    return IOTHUB_OK;
}

/* --- what each may be ------------------------------------------------------------- */

static const char *check_platform(const plat_platform *p)
{
    if (p == NULL || p->clock == NULL || p->crypto == NULL || p->net == NULL) {
        return "options: platform is not set, e.g. to plat_posix()";
    }
    if (p->clock->monotonic_ms == NULL || p->clock->wall_s == NULL ||
        p->crypto->hmac_sha256 == NULL || p->crypto->base64_decode == NULL ||
        p->crypto->base64_encode == NULL || p->crypto->random == NULL || p->net->stream == NULL ||
        p->net->wait == NULL) {
        return "options: platform has a function that is NULL";
    }
    return NULL;
}

static const char *check_store(const plat_store *s)
{
    return s != NULL && s->ops == NULL ? "options: store has no functions: was it opened?" : NULL;
}

/* 0 would mean never in one place and at once in another. */
static const char *check_timeouts(const iothub_options *o)
{
    const struct {
        uint32_t ms;
        const char *fault;
    } timeouts[] = {
        { o->resolve_timeout_ms, "options: resolve_timeout_ms is 0; at least 1" },
        { o->connect_timeout_ms, "options: connect_timeout_ms is 0; at least 1" },
        { o->tls_timeout_ms, "options: tls_timeout_ms is 0; at least 1" },
        { o->login_timeout_ms, "options: login_timeout_ms is 0; at least 1" },
        { o->subscribe_timeout_ms, "options: subscribe_timeout_ms is 0; at least 1" },
        { o->request_timeout_ms, "options: request_timeout_ms is 0; at least 1" },
        { o->stall_timeout_ms, "options: stall_timeout_ms is 0; at least 1" },
    };

    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        if (timeouts[i].ms == 0) {
            return timeouts[i].fault;
        }
    }
    return NULL;
}

/* Percent-encoded they share the user name of CONNECT, which MQTT ends at 65535. */
enum { NAME_MAX_LEN = 4096 };

static bool is_too_long(const char *name)
{
    return name != NULL && strlen(name) > NAME_MAX_LEN;
}

static const char *check_names(const iothub_options *o)
{
    if (o->ca_file != NULL && o->ca_file[0] == '\0') {
        return "options: ca_file is empty; NULL means the system's roots";
    }
    if (is_too_long(o->model_id)) {
        return "options: model_id is over 4096 characters";
    }
    return is_too_long(o->user_agent) ? "options: user_agent is over 4096 characters" : NULL;
}

static const char *check_queue(const iothub_options *o)
{
    if (o->queue_max_age_s > UINT32_MAX / 1000) {
        return "options: queue_max_age_s is over 4294967";
    }
    if (o->when_full != IOTHUB_REFUSE_NEW && o->when_full != IOTHUB_DROP_OLDEST) {
        return "options: when_full is neither IOTHUB_REFUSE_NEW nor IOTHUB_DROP_OLDEST";
    }
    return NULL;
}

static const char *check_numbers(const iothub_options *o)
{
    if (o->port == 0) {
        return "options: port is 0; a hub listens on 8883";
    }
    if (o->keep_alive_s == 0 || o->keep_alive_s > 1177) {
        return "options: keep_alive_s must be 1 to 1177";
    }
    if (o->window == 0) {
        return "options: window is 0; at least 1";
    }
    if (o->sas_lifetime_s < 2) {
        return "options: sas_lifetime_s is below 2";
    }
    if (o->retry_min_ms == 0 || o->retry_max_ms < o->retry_min_ms) {
        return "options: retry_min_ms must be 1 to retry_max_ms";
    }
    if (o->auth_retry_min_ms == 0 || o->auth_retry_max_ms < o->auth_retry_min_ms) {
        return "options: auth_retry_min_ms must be 1 to auth_retry_max_ms";
    }
    return NULL;
}

static iothub_result check_size(const char *name, size_t size, size_t least, iothub_error *error)
{
    char text[80];
    iothub_text t;

    if (size >= least) {
        return IOTHUB_OK;
    }
    iothub_text_init(&t, text, sizeof text);
    iothub_text_put(&t, "options: ");
    iothub_text_put(&t, name);
    iothub_text_put(&t, " is ");
    iothub_text_put_u64(&t, size);
    iothub_text_put(&t, "; at least ");
    (void)iothub_text_finish(&t);
    return iothub_fail_number(error, IOTHUB_ERR_ARG, text, least, "");
}

static iothub_result check_sizes(const iothub_options *o, iothub_error *error)
{
    iothub_result r = check_size("rx_size", o->rx_size, IOTHUB_RX_MIN, error);

    if (r == IOTHUB_OK) {
        r = check_size("tx_size", o->tx_size, IOTHUB_TX_MIN, error);
    }
    return r == IOTHUB_OK ? check_size("request_size", o->request_size, IOTHUB_REQUEST_MIN, error)
                          : r;
}

iothub_result options_check_topic(const iothub_options *o, size_t topic, iothub_error *error)
{
    return check_size("tx_size", o->tx_size, topic + TOPIC_ROOM, error);
}

iothub_result options_check(const iothub_options *o, iothub_error *error)
{
    const char *const faults[] = {
        check_platform(o->platform), check_numbers(o),     check_names(o), check_queue(o),
        check_timeouts(o),           check_store(o->store)
    };

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i] != NULL) {
            return iothub_fail(error, IOTHUB_ERR_ARG, faults[i]);
        }
    }
    return check_sizes(o, error);
}
