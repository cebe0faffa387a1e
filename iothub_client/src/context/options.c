#include "context/options_check.h"

#include <string.h>

#include "text/sized_struct.h"
#include "text/text_writer.h"

/* --- numbers ----------------------------------------------------------------------- */

/* A smallest value of this means: the value of the option before this one. */
#define OPTION_BEFORE UINT32_MAX

typedef struct number_option {
    char name[21];
    uint8_t width; /* size of the field in bytes */
    uint16_t offset;
    uint32_t initial;
    uint32_t least;
    uint32_t most;
} number_option;

#define NUMBER(option, initial, least, most)                                                     \
    {                                                                                            \
#option, sizeof((iothub_options *)0)->option, offsetof(iothub_options, option), initial, \
            least, most                                                                          \
    }

/* The value 0 is refused for most options, because it could mean "never" or "immediately". */
static const number_option numbers[] = {
    NUMBER(keep_alive_s, 240, 1, 1177),
    NUMBER(window, 16, 1, UINT16_MAX),
    NUMBER(sas_lifetime_s, 3600, 2, UINT32_MAX),
    NUMBER(resolve_timeout_ms, 15000, 1, UINT32_MAX),
    NUMBER(connect_timeout_ms, 15000, 1, UINT32_MAX),
    NUMBER(tls_timeout_ms, 15000, 1, UINT32_MAX),
    NUMBER(login_timeout_ms, 30000, 1, UINT32_MAX),
    NUMBER(subscribe_timeout_ms, 30000, 1, UINT32_MAX),
    NUMBER(request_timeout_ms, 60000, 1, UINT32_MAX),
    NUMBER(ack_timeout_ms, 120000, 0, UINT32_MAX),
    NUMBER(stall_timeout_ms, 120000, 1, UINT32_MAX),
    NUMBER(retry_min_ms, 1000, 1, UINT32_MAX),
    NUMBER(retry_max_ms, 60000, OPTION_BEFORE, UINT32_MAX),
    NUMBER(auth_retry_min_ms, 300000, 1, UINT32_MAX),
    NUMBER(auth_retry_max_ms, 3600000, OPTION_BEFORE, UINT32_MAX),
    NUMBER(rx_size, 0, IOTHUB_RX_MIN, UINT32_MAX),
    NUMBER(tx_size, 0, IOTHUB_TX_MIN, UINT32_MAX),
    NUMBER(request_size, 0, IOTHUB_REQUEST_MIN, UINT32_MAX),
    NUMBER(queue_max_age_s, 0, 0, UINT32_MAX / 1000), /* the value must fit into 32 bits in ms */
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

/* Reads an option, which has 16 bits, 32 bits, or the width of size_t. */
static size_t read_number(const iothub_options *o, const number_option *n)
{
    const char *at = (const char *)o + n->offset;
    uint16_t narrow;
    uint32_t wide;
    size_t size;

    if (n->width == sizeof narrow) {
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
    if (n->width == sizeof wide) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&size, at, sizeof size);
    return size;
}

/* Sets the default of an option. Options with the width of size_t default to 0. */
static void set_number(iothub_options *o, const number_option *n)
{
    char *at = (char *)o + n->offset;
    const uint16_t narrow = (uint16_t)n->initial;

    if (n->width == sizeof narrow) {
        memcpy(at, &narrow, sizeof narrow);
    } else if (n->initial != 0) {
        memcpy(at, &n->initial, sizeof n->initial);
    }
}

static iothub_result check_least(const char *name, size_t value, size_t least, iothub_error *error)
{
    return value >= least
               ? IOTHUB_OK
               : iothub_fail(error, IOTHUB_ERR_ARG, "options: %s is %zu; it must be at least %zu",
                             name, value, least);
}

static iothub_result check_number(const iothub_options *o, const number_option *n,
                                  iothub_error *error)
{
    const size_t value = read_number(o, n);
    const size_t least = n->least == OPTION_BEFORE ? read_number(o, n - 1) : n->least;

    if (n->most != UINT32_MAX && value > n->most) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "options: %s is %zu; it must be at most %zu",
                           n->name, value, (size_t)n->most);
    }
    return check_least(n->name, value, least, error);
}

void iothub_options_init_sized(iothub_options *o, size_t struct_size)
{
    iothub_options defaults = {
        .struct_size = struct_size,
        .overlap = true,
        .log_level = IOTHUB_LOG_INFO,
    };
    if (o == NULL) {
        return;
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        set_number(&defaults, &numbers[i]);
    }
    memset(o, 0, struct_size);
    memcpy(o, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
}

/* --- what init leaves behind ------------------------------------------------------- */

/* The smallest struct of any version ends with the member platform. The largest size is a guess
 * that detects uninitialised memory. */
enum { LARGEST = 65536 };

/* Room for the bytes that MQTT adds to a topic, and for a small body. */
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
    /* Options that an older, shorter struct does not have keep their defaults. */
    size_t size = from->struct_size < sizeof *to ? from->struct_size : sizeof *to;
    iothub_result r = iothub_struct_in(to, sizeof *to, from, from->struct_size, "options", error);

    iothub_options_init(to);
    memcpy(to, from, size);
    to->struct_size = sizeof *to;
    return r;
}

/* --- what each may be ------------------------------------------------------------- */

static const char *check_platform(const plat_platform *p)
{
    if (p == NULL || p->clock == NULL || p->crypto == NULL || p->net == NULL) {
        return "platform is not set, e.g. to plat_posix()";
    }
    if (p->clock->monotonic_ms == NULL || p->clock->wall_s == NULL ||
        p->crypto->hmac_sha256 == NULL || p->crypto->base64_decode == NULL ||
        p->crypto->base64_encode == NULL || p->crypto->random == NULL || p->net->stream == NULL ||
        p->net->wait == NULL) {
        return "platform has a function that is NULL";
    }
    return NULL;
}

static const char *check_store(const plat_store *s)
{
    return s != NULL && s->ops == NULL ? "store has no functions: was it opened?" : NULL;
}

/* Both texts are percent-encoded into the user name of CONNECT, which MQTT limits to 65535
 * bytes. */
enum { NAME_MAX_LEN = 4096 };

static bool is_too_long(const char *name)
{
    return name != NULL && strlen(name) > NAME_MAX_LEN;
}

static const char *check_texts(const iothub_options *o)
{
    if (o->ca_file != NULL && o->ca_file[0] == '\0') {
        return "ca_file is empty; NULL means the system's roots";
    }
    if (o->bind != NULL && o->bind[0] == '\0') {
        return "bind is empty; NULL means that the system chooses";
    }
    if (is_too_long(o->model_id)) {
        return "model_id is over 4096 characters";
    }
    return is_too_long(o->user_agent) ? "user_agent is over 4096 characters" : NULL;
}

static bool is_version(plat_tls_version v)
{
    return v == PLAT_TLS_ANY || v == PLAT_TLS_1_2 || v == PLAT_TLS_1_3;
}

enum { PORT_HTTPS = 443, PORT_MQTT = 8883 };

const char *options_tls_fault(const iothub_tls *tls)
{
    if (tls == NULL) {
        return NULL;
    }
    if (tls->ca_data == NULL && tls->ca_len != 0) {
        return "tls: ca_len is set, but ca_data is NULL";
    }
    if ((tls->roots & ~((unsigned)PLAT_ROOTS_SYSTEM | PLAT_ROOTS_COMPILED_IN)) != 0) {
        return "tls: roots names an unknown set";
    }
    if (!is_version(tls->min_version) || !is_version(tls->max_version)) {
        return "tls: min_version and max_version must be PLAT_TLS_ANY, _1_2 or _1_3";
    }
    return tls->max_version != PLAT_TLS_ANY && tls->min_version > tls->max_version
               ? "tls: min_version is above max_version"
               : NULL;
}

static const char *check_transport(const iothub_options *o)
{
    switch (o->transport) {
    case IOTHUB_MQTT: return NULL;
    case IOTHUB_MQTT_WS:
    case IOTHUB_AUTO:
        return o->platform->websockets != NULL
                   ? NULL
                   : "transport needs platform->websockets; copy *plat_posix() and set websockets "
                     "to plat_wslay()";
    }
    return "transport is not IOTHUB_MQTT, IOTHUB_MQTT_WS or IOTHUB_AUTO";
}

/* The ports tell the two ways of IOTHUB_AUTO apart. */
static const char *check_ports(const iothub_options *o)
{
    return o->transport == IOTHUB_AUTO && options_port(o) == options_websocket_port(o)
               ? "port and websocket_port must differ with the transport IOTHUB_AUTO"
               : NULL;
}

static const char *check_proxy(const iothub_options *o)
{
    const plat_tunnels *tunnels = o->platform->tunnels;

    if (o->proxy == NULL) {
        return NULL;
    }
    return tunnels != NULL ? tunnels->fault(tunnels, o->proxy)
                           : "proxy needs platform->tunnels; copy *plat_posix() and set tunnels to "
                             "plat_curl_tunnels()";
}

static const char *check_choice(const iothub_options *o)
{
    return o->when_full != IOTHUB_REFUSE_NEW && o->when_full != IOTHUB_DROP_OLDEST
               ? "when_full is neither IOTHUB_REFUSE_NEW nor IOTHUB_DROP_OLDEST"
               : NULL;
}

static const char *check_credentials(const iothub_options *o)
{
    if (o->credential_count > IOTHUB_CREDENTIALS_MAX) {
        return "credential_count is more than IOTHUB_CREDENTIALS_MAX";
    }
    return (o->credentials != NULL) != (o->credential_count > 0)
               ? "credentials and credential_count: both are needed, or none"
               : NULL;
}

iothub_result options_check_topic(const iothub_options *o, size_t topic, iothub_error *error)
{
    return check_least("tx_size", o->tx_size, topic + TOPIC_ROOM, error);
}

static const char *first_fault(const iothub_options *o)
{
    const char *fault = check_platform(o->platform); /* the other checks use the platform */

    if (fault != NULL) {
        return fault;
    }
    const char *const faults[] = { check_texts(o),
                                   check_choice(o),
                                   check_store(o->store),
                                   check_credentials(o),
                                   options_tls_fault(o->tls),
                                   check_transport(o),
                                   check_ports(o),
                                   check_proxy(o) };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i] != NULL) {
            return faults[i];
        }
    }
    return NULL;
}

uint16_t options_port(const iothub_options *o)
{
    if (o->port != 0) {
        return o->port;
    }
    return o->transport == IOTHUB_MQTT_WS ? PORT_HTTPS : PORT_MQTT;
}

uint16_t options_websocket_port(const iothub_options *o)
{
    return o->websocket_port != 0 ? o->websocket_port : PORT_HTTPS;
}

iothub_result options_check(const iothub_options *o, iothub_error *error)
{
    const char *fault = first_fault(o);
    iothub_result r = IOTHUB_OK;

    if (fault != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "options: %s", fault);
    }
    for (size_t i = 0; r == IOTHUB_OK && i < NUMBERS; i++) {
        r = check_number(o, &numbers[i], error);
    }
    return r;
}
